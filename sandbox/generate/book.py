"""Names, phones, e-mails and tax ids of an account: no two people or companies get the same by accident.

So the labels of duplicates are true by construction: what is equal was made equal.
"""

from random import Random

from sandbox.generate.texts import (
    COMPANY_FORMS,
    COMPANY_NAMES,
    COMPANY_TAILS,
    FEMALE_NAMES,
    FIRST_NAMES,
    LAST_NAMES,
)

# Odd multipliers that are no multiple of 5 walk through all numbers of a power of ten once.
_MOBILE_STEP, _LANDLINE_STEP, _INN_STEP = 387_420_489, 2_097_153, 1_594_323
_LANDLINE_CODES = ("495", "499", "812", "343", "383", "846")
_REGIONS = ("77", "78", "50", "16", "59", "66", "23")
DOMAINS = ("gmail.com", "gmail.com", "yandex.ru", "mail.ru", "mail.example", "firma.example")
_CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
_SOUNDS = (
    "a", "b", "v", "g", "d", "e", "e", "zh", "z", "i", "y", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u",
    "f", "kh", "ts", "ch", "sh", "shch", "", "y", "", "e", "yu", "ya",
)  # fmt: skip
_LATIN = dict(zip(_CYRILLIC, _SOUNDS, strict=True))


def latin(text: str) -> str:
    """The text in Latin letters; Cyrillic ones are transliterated, capitals kept."""
    letters = []
    for letter in text:
        small = _LATIN.get(letter.lower())
        letters.append(letter if small is None else small.capitalize() if letter.isupper() else small)
    return "".join(letters)


def _digit(digits: str, weights: tuple[int, ...]) -> str:
    return str(sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11 % 10)


def inn_of_company(first_nine: str) -> str:
    """A ten-digit tax id with its check digit."""
    return first_nine + _digit(first_nine, (2, 4, 10, 3, 5, 9, 4, 6, 8))


def inn_of_person(first_ten: str) -> str:
    """A twelve-digit tax id of a sole trader with its two check digits."""
    eleven = first_ten + _digit(first_ten, (7, 2, 4, 10, 3, 5, 9, 4, 6, 8))
    return eleven + _digit(eleven, (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8))


class Book:
    """Hands out what identifies somebody; every answer is new in the account."""

    def __init__(self, seed: int) -> None:
        words = Random(f"book:{seed}")
        self._offset = words.randrange(10**9)
        self._given = {"mobile": 0, "landline": 0, "email": 0, "inn": 0}

    def _next(self, kind: str) -> int:
        self._given[kind] += 1
        return self._given[kind]

    def mobile(self) -> str:
        """Ten digits of a mobile phone."""
        return f"9{(self._next('mobile') * _MOBILE_STEP + self._offset) % 10**9:09d}"

    def landline(self) -> str:
        """Ten digits of an office phone."""
        number = (self._next("landline") * _LANDLINE_STEP + self._offset) % 8_000_000
        return f"{_LANDLINE_CODES[number % len(_LANDLINE_CODES)]}{2_000_000 + number}"

    def email(self, words: Random, first: str, last: str) -> str:
        """An address at a common provider, lower case, without dots in its local part."""
        letters = "".join(c for c in latin(first[:1] + last).lower() if c.isascii() and c.isalpha())
        return f"demo{letters}{self._next('email')}@{words.choice(DOMAINS)}"

    def inn(self, form: str) -> str:
        """A tax id with right check digits: 12 digits for a sole trader, 10 for other forms."""
        serial = (self._next("inn") * _INN_STEP + self._offset) % 10**7
        region = _REGIONS[serial % len(_REGIONS)]
        return (
            inn_of_person(f"{region}0{serial:07d}")
            if form == "ИП"
            else inn_of_company(f"{region}{serial:07d}")
        )


def person_name(words: Random) -> tuple[str, str]:
    """A first and a last name; the same pair occurs many times, as it does among people."""
    first, last = words.choice(FIRST_NAMES), words.choice(LAST_NAMES)
    if first in FEMALE_NAMES and last.endswith(("ов", "ев", "ёв", "ин")):
        last += "а"
    return first, last


def company_name(words: Random) -> tuple[str, str]:
    """A legal form and a name; the same pair occurs many times."""
    title = words.choice(COMPANY_NAMES)
    if words.random() < 0.7:
        title = f"{title} {words.choice(COMPANY_TAILS)}"
    return words.choice(COMPANY_FORMS), title
