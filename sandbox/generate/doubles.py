"""Who comes as a stranger: new people, people who were here before and are not recognised, and look-alikes.

Every pair that shares something on purpose is labelled in `truth/duplicates`. Shares, kinds: here.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from sandbox.generate import disguise
from sandbox.generate.book import Book, person_name
from sandbox.generate.texts import FIRST_NAMES, NO_EMAILS, NO_PHONES, ODD_NAMES

SAME_SHARE, TRAP_SHARE = 0.04, 0.04
REMEMBERED = 300
CENTRE_USES = 40
# Kinds of duplicates with their weights: what was changed. Phone or e-mail, once normalised, is always equal.
BY_PHONE = {"phone_format": 24, "phone_extension": 6, "phone_second": 7, "phones_in_one_field": 4,
            "name_typo": 12, "name_script": 9, "name_swapped": 8, "name_short": 6}  # fmt: skip
BY_EMAIL = {"email_case": 10, "email_alias": 9, "email_dots": 5}
TRAPS = {"shared_phone": 28, "family_phone": 6, "namesake": 22, "no_phone": 18, "no_email": 8, "odd": 18}
NOBODY = "Новый контакт"


@dataclass(frozen=True, kw_only=True)
class Face:
    """What a new contact shows. `numbers` are the ten digits of its real phones.

    `label`: (is a duplicate, kinds, the earlier contact), or None. `may_return`: may come again in disguise.
    """

    first: str
    last: str
    name: str
    phones: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    label: tuple[bool, tuple[str, ...], int] | None = None
    trap: str | None = None
    may_return: bool = False


class Doubles:
    """Makes the faces of contacts of one account, and remembers some of them."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._met: list[tuple[int, Face]] = []
        self._centre: tuple[str, int | None, int] | None = None  # number, an earlier user of it, uses so far
        self._last_with: dict[str, int] = {}

    def face(self, words: Random) -> Face:
        """The next new contact of the account."""
        chance = words.random()
        if chance < SAME_SHARE and self._met:
            return self._again(words)
        if chance > 1 - TRAP_SHARE:
            return self._look_alike(words)
        return self._stranger(words)

    def remember(self, words: Random, face: Face, contact_id: int) -> None:
        """The face has got its id; call it once for each face."""
        if face.trap == "shared_phone" and self._centre:
            number, _, uses = self._centre
            self._centre = (number, contact_id, uses + 1)
        elif face.trap:
            self._last_with[face.trap] = contact_id
        if not face.may_return or not (face.numbers or face.emails):
            return
        if len(self._met) < REMEMBERED:
            self._met.append((contact_id, face))
        else:
            self._met[words.randrange(REMEMBERED)] = (contact_id, face)

    # -- new people

    def _stranger(self, words: Random) -> Face:
        first, last = person_name(words)
        shape = words.random()
        name, may_return = f"{first} {last}", True
        if shape > 0.8:
            name = first if shape < 0.92 else f"{last} {first} 😊" if shape < 0.95 else NOBODY
            may_return = False
        count = words.choices((0, 1, 2), (5, 83, 12))[0]
        numbers = tuple(self._book.mobile() for _ in range(count))
        phones = [disguise.written(words, number) for number in numbers]
        if phones and words.random() < 0.03:
            phones[0] = disguise.with_extension(words, numbers[0])
        has_email = words.random() < 0.55
        emails = (self._book.email(words, first, last),) if has_email else ()
        return Face(first="" if name == NOBODY else first, last=last if last in name else "", name=name,
                    phones=tuple(phones), numbers=numbers, emails=emails, may_return=may_return)  # fmt: skip

    # -- the same people again

    def _again(self, words: Random) -> Face:
        contact_id, known = words.choice(self._met)
        kinds: dict[str, int] = {}
        if known.numbers:
            kinds |= BY_PHONE
        if known.emails:
            kinds |= {kind: weight for kind, weight in BY_EMAIL.items()
                      if kind != "email_dots" or known.emails[0].endswith("@gmail.com")}  # fmt: skip
        if disguise.short_name(known.first) is None:
            kinds.pop("name_short", None)
        if known.name.isascii():
            kinds.pop("name_script", None)
        kind = words.choices(list(kinds), list(kinds.values()))[0]
        face = self._by_email(words, known, kind) if kind in BY_EMAIL else self._by_phone(words, known, kind)
        more = () if kind in BY_EMAIL or kind.startswith("phone") else ("phone_format",)
        if face.name == NOBODY:
            more = (*more, "name_missing")
        return replace(face, label=(True, (kind, *more), contact_id), may_return=False)

    def _by_email(self, words: Random, known: Face, kind: str) -> Face:
        change: dict[str, Callable[[Random, str], str]] = {
            "email_case": disguise.email_case,
            "email_alias": disguise.email_alias,
            "email_dots": disguise.email_dots,
        }
        numbers = (self._book.mobile(),) if words.random() < 0.5 else ()
        phones = tuple(disguise.written(words, number) for number in numbers)
        emails = (change[kind](words, known.emails[0]),)
        return replace(known, phones=phones, numbers=numbers, emails=emails)

    def _by_phone(self, words: Random, known: Face, kind: str) -> Face:
        number = known.numbers[0]
        phone = disguise.other_format(words, known.phones[0], number)
        face = replace(known, phones=(phone,), numbers=(number,), emails=())
        if kind == "phone_extension":
            return replace(face, phones=(disguise.with_extension(words, number),))
        if kind in ("phone_second", "phones_in_one_field"):
            other = self._book.mobile()
            pair = (disguise.written(words, other), phone)
            phones = pair if kind == "phone_second" else (", ".join(pair),)
            return replace(face, phones=phones, numbers=(other, number))
        if kind == "phone_format":
            nameless = words.random() < 0.15
            return replace(face, name=NOBODY, first="", last="") if nameless else face
        return self._renamed(words, face, kind)

    def _renamed(self, words: Random, face: Face, kind: str) -> Face:
        first, last = face.first, face.last
        if kind == "name_typo":
            last = disguise.typo(words, last)
        elif kind == "name_script":
            first, last = disguise.other_script(words, first), disguise.other_script(words, last)
        elif kind == "name_short":
            first = disguise.short_name(first) or first
        else:
            first, last = last, first
        return replace(face, first=first, last=last, name=f"{first} {last}")

    # -- those who only look the same

    def _look_alike(self, words: Random) -> Face:
        kind = words.choices(list(TRAPS), list(TRAPS.values()))[0]
        face = replace(self._stranger(words), may_return=False)
        if kind == "shared_phone":
            return self._of_a_centre(words, face)
        if kind in ("no_phone", "no_email"):
            return self._placeholder(words, face, kind)
        if kind == "odd" or not self._met:
            return self._odd(words, face)
        contact_id, known = words.choice(self._met)
        if kind == "family_phone" and known.numbers:
            others = [first for first in FIRST_NAMES if first[0] != known.first[:1]]
            first = words.choice(others)
            face = replace(face, first=first, last=known.last, name=f"{first} {known.last}", emails=(),
                           phones=(disguise.written(words, known.numbers[0]),),
                           numbers=known.numbers[:1])  # fmt: skip
            return replace(face, label=(False, ("family_phone",), contact_id))
        face = replace(face, first=known.first, last=known.last, name=known.name)
        return replace(face, label=(False, ("namesake",), contact_id)) if face.numbers else face

    def _of_a_centre(self, words: Random, face: Face) -> Face:
        """A client who calls through an exchange: its number stands on many cards."""
        if self._centre is None or self._centre[2] >= CENTRE_USES:
            self._centre = (self._book.landline(), None, 0)
        number, earlier, _ = self._centre
        phones, numbers = (disguise.written(words, number), *face.phones), (number, *face.numbers)
        label = None if earlier is None else (False, ("shared_phone",), earlier)
        return replace(face, phones=phones, numbers=numbers, label=label, trap="shared_phone")

    def _placeholder(self, words: Random, face: Face, kind: str) -> Face:
        """Something was typed because the field must not be empty."""
        text = words.choice(NO_PHONES if kind == "no_phone" else NO_EMAILS)
        face = (
            replace(face, phones=(text,), numbers=()) if kind == "no_phone" else replace(face, emails=(text,))
        )
        earlier = self._last_with.get(text)
        return replace(face, trap=text, label=None if earlier is None else (False, (kind,), earlier))

    def _odd(self, words: Random, face: Face) -> Face:
        """Nobody's double, but hard to read: odd names, an e-mail with spaces, ten phones in one field."""
        shape = words.randrange(3)
        if shape == 0:
            name = words.choice(ODD_NAMES)
            return replace(face, name=name, first=name, last="")
        if shape == 1 and face.emails:
            name, _, domain = face.emails[0].partition("@")
            return replace(face, emails=(f"{name} @ {domain}",))
        numbers = tuple(self._book.mobile() for _ in range(10))
        phones = "; ".join(disguise.written(words, number, 4) for number in numbers)
        return replace(face, phones=(phones,), numbers=numbers)
