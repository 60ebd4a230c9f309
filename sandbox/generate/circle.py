"""The bounded circle of customers who may come again; those who leave it are written to the files."""

from random import Random

from sandbox.generate import regulars
from sandbox.generate.cards import company_row, contact_row, link
from sandbox.generate.customers import Customer
from sandbox.generate.ledger import Ledger

CIRCLE = 3000


class Circle:
    """Customers who may come again, at most `CIRCLE` of them; those who leave are written and forgotten."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._members: list[Customer] = []

    def invite(self, words: Random, at: int) -> Customer | None:
        """One who comes again and has no open lead now, rather a buyer than not; None where none is found."""
        if not self._members:
            return None
        tried = [words.choice(self._members) for _ in range(5)]
        free = [each for each in tried if each.busy_until is not None and each.busy_until < at]
        return next((customer for customer in free if customer.has_bought), free[0] if free else None)

    def admit(self, words: Random, customer: Customer) -> None:
        """One more; where the circle is full, somebody leaves."""
        if len(self._members) < CIRCLE:
            self._members.append(customer)
            return
        place = words.randrange(CIRCLE)
        self.write(self._members[place])
        self._members[place] = customer

    def close(self) -> None:
        """Write everybody still here."""
        for customer in self._members:
            self.write(customer)
        self._members = []

    def write(self, customer: Customer) -> None:
        """The rows of a customer's cards and the links between them, as they stand at the end."""
        ledger, company = self._ledger, customer.company
        regular_id = customer.regular.id if customer.regular else None
        for card in customer.contacts:
            ledger.files.add_by_id("contacts", contact_row(ledger, card, company, regular_id))
        if company:
            ledger.files.add_by_id("companies", company_row(ledger, company, customer.contacts, regular_id))
            for card in customer.contacts:
                if not card.is_deleted:
                    ends = ("contacts", card.id), ("companies", company.id)
                    ledger.files.add_line("links", link(*ends, None))
        regulars.write(ledger, customer)
