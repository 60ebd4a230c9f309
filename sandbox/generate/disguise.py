"""How one person is written twice: phones in other formats, e-mails with aliases, names misspelt."""

from random import Random

from sandbox.generate.book import latin
from sandbox.generate.texts import SHORT_NAMES

# Letters that look alike in both scripts.
LOOK_ALIKE = str.maketrans("АВЕКМНОРСТХаеорсух", "ABEKMHOPCTXaeopcyx")
PHONE_SHAPES = 10


def written(words: Random, digits: str, shape: int | None = None) -> str:
    """Ten digits of a phone the way people type them."""
    a, b, c, d = digits[:3], digits[3:6], digits[6:8], digits[8:]
    number = words.randrange(PHONE_SHAPES) if shape is None else shape
    return (
        f"+7{digits}", f"8 ({a}) {b}-{c}-{d}", f"+7 {a} {b}-{c}-{d}", f"7{digits}", f"8{digits}",
        f"8-{a}-{b}-{c}-{d}", f"{a} {b} {c} {d}", f"+7({a}){b}{c}{d}",
        f"+7\u00a0{a}\u00a0{b}\u2011{c}\u2011{d}", f"т. 8{a} {b}{c}{d} (звонить вечером)",
    )[number]  # fmt: skip


def other_format(words: Random, phone: str, digits: str) -> str:
    """The same phone, surely not the same text."""
    shapes = words.sample(range(PHONE_SHAPES), k=2)
    first, second = (written(words, digits, shape) for shape in shapes)
    return second if first == phone else first


def with_extension(words: Random, digits: str) -> str:
    """The phone with an inner number behind it."""
    inner = words.randint(10, 999)
    tail = words.choice((f" доб. {inner}", f" (доб {inner})", f" ext. {inner}", f",{inner}", f"#{inner}"))
    return written(words, digits, words.randrange(6)) + tail


def email_case(words: Random, email: str) -> str:
    """The same address in capitals, or with spaces around it."""
    name, _, domain = email.partition("@")
    return words.choice(
        (email.upper(), f"{name.capitalize()}@{domain.title()}", f" {name}@{domain.upper()} ")
    )


def email_alias(words: Random, email: str) -> str:
    """The same mailbox by a plus-tag."""
    name, _, domain = email.partition("@")
    return f"{name}+{words.choice(('shop', 'spam', 'mebel2024', 'a.b'))}@{domain}"


def email_dots(words: Random, email: str) -> str:
    """The same mailbox at a provider that ignores dots."""
    name, _, domain = email.partition("@")
    place = words.randrange(2, len(name) - 1)
    return f"{name[:place]}.{name[place:]}@{domain}"


def typo(words: Random, name: str) -> str:
    """One slip of the fingers in a name: two letters swapped, one doubled or one left out."""
    if len(name) < 4:
        return name + name[-1]
    place = words.randrange(1, len(name) - 1)
    kind = words.randrange(3)
    if kind == 0 and name[place] != name[place + 1]:
        return name[:place] + name[place + 1] + name[place] + name[place + 2 :]
    if kind == 1:
        return name[:place] + name[place] + name[place:]
    return name[:place] + name[place + 1 :]


def other_script(words: Random, name: str) -> str:
    """The name in Latin letters, or with some that only look Cyrillic."""
    return latin(name) if words.random() < 0.5 else name.translate(LOOK_ALIKE)


def short_name(first: str) -> str | None:
    """What friends call somebody of that name; None where there is no short form."""
    return SHORT_NAMES.get(first)
