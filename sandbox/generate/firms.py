"""New companies: strangers, some that are in the account already, and some that only look like one."""

from dataclasses import dataclass, replace
from random import Random

from sandbox.generate import disguise
from sandbox.generate.book import Book, company_name

SAME_SHARE, TRAP_SHARE = 0.04, 0.04
REMEMBERED = 200
# Kinds of duplicates: tax id equal (as it stands, or written with blanks), or the office phone.
KINDS = {"inn": 40, "inn_format": 20, "company_phone": 25, "company_name_script": 15}
TRAPS = {"same_company_name": 60, "shared_office_phone": 40}


@dataclass(frozen=True, kw_only=True)
class Firm:
    """What a new company shows; `label` as in `doubles.Face`."""

    form: str
    title: str
    name: str
    inn: str | None = None
    phones: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    label: tuple[bool, tuple[str, ...], int] | None = None


class Firms:
    """Makes the companies of one account, and remembers some of them."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._met: list[tuple[int, Firm]] = []

    def firm(self, words: Random) -> Firm:
        """The next new company of the account."""
        chance = words.random()
        if chance < SAME_SHARE and self._met:
            return self._again(words)
        firm = self._stranger(words)
        if chance > 1 - TRAP_SHARE and self._met:
            return self._look_alike(words, firm)
        return firm

    def remember(self, words: Random, firm: Firm, company_id: int) -> None:
        """The firm has got its id; those that can be recognised later are kept for a while."""
        if firm.label is not None or firm.inn is None or not firm.numbers:
            return
        if len(self._met) < REMEMBERED:
            self._met.append((company_id, firm))
        else:
            self._met[words.randrange(REMEMBERED)] = (company_id, firm)

    def _stranger(self, words: Random) -> Firm:
        form, title = company_name(words)
        number = self._book.landline() if words.random() < 0.5 else None
        return Firm(
            form=form, title=title, name=f"{form} «{title}»",
            inn=self._book.inn(form) if words.random() < 0.6 else None,
            phones=(disguise.written(words, number, words.randrange(8)),) if number else (),
            numbers=(number,) if number else (),
        )  # fmt: skip

    def _again(self, words: Random) -> Firm:
        company_id, known = words.choice(self._met)
        kind = words.choices(list(KINDS), list(KINDS.values()))[0]
        name = self._restyled(words, known)
        label = (True, (kind,), company_id)
        if kind == "company_phone":
            phone = disguise.other_format(words, known.phones[0], known.numbers[0])
            return replace(known, name=name, inn=None, phones=(phone,), label=label)
        inn = known.inn or ""
        if kind == "inn_format":
            inn = words.choice((f"{inn[:4]} {inn[4:]}", f"ИНН {inn}", f" {inn}\u00a0", f"{inn}/770101001"))
        if kind == "company_name_script":
            name = f"{known.form} «{known.title.translate(disguise.LOOK_ALIKE)}»"
        return replace(known, name=name, inn=inn, phones=(), numbers=(), label=label)

    def _restyled(self, words: Random, known: Firm) -> str:
        form, title = known.form, known.title
        return words.choice((f"{title} {form}", f'{form} "{title}"', f"{form} {title.upper()}", title,
                             f"«{title}», {form}"))  # fmt: skip

    def _look_alike(self, words: Random, firm: Firm) -> Firm:
        company_id, known = words.choice(self._met)
        inn = self._book.inn(firm.form)
        if words.choices(list(TRAPS), list(TRAPS.values()))[0] == "same_company_name":
            label = (False, ("same_company_name",), company_id)
            inn = self._book.inn(known.form)
            return replace(firm, form=known.form, title=known.title, name=known.name, inn=inn, label=label)
        phones = (disguise.other_format(words, known.phones[0], known.numbers[0]),)
        title = f"{firm.title}-Сервис" if firm.title == known.title else firm.title
        label = (False, ("shared_office_phone",), company_id)
        return replace(firm, title=title, name=f"{firm.form} «{title}»", inn=inn, phones=phones,
                       numbers=known.numbers, label=label)  # fmt: skip
