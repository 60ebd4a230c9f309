"""Labels of duplicates are true: what is told the same shares a key, the rest shares none by accident."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from itertools import combinations
from random import Random

import phonenumbers
import pytest

from sandbox.generate.book import Book, inn_of_company, inn_of_person, latin
from sandbox.generate.disguise import LOOK_ALIKE, PHONE_SHAPES, typo, written
from sandbox.generate.doubles import BY_EMAIL, BY_PHONE
from sandbox.generate.firms import KINDS
from sandbox.generate.texts import NO_EMAILS, NO_PHONES
from tests.sandbox.generate.account import Account, Row

PHONE, EMAIL, INN = 301, 303, 951
SHARED = {"shared_phone", "shared_company_phone", "family_phone", "shared_office_phone"}


def _texts(row: Row, field_id: int) -> list[str]:
    return [
        value["value"]
        for field in row["custom_fields_values"] or []
        if field["field_id"] == field_id
        for value in field["values"]
    ]


def phones_of(row: Row) -> set[str]:
    """Ten digits of every phone on the card, inner numbers left out."""
    found = set()
    for text in _texts(row, PHONE):
        for part in re.split(r"[,;] ", text):
            # Inner numbers come behind a mark; a bare comma or hash leaves the ten digits in front.
            digits = re.sub(r"\D", "", re.split(r"доб|ext|#|,", part)[0])
            if len(digits) >= 10 and set(digits[-10:]) != {"0"}:
                found.add(digits[-10:])
    return found


def emails_of(row: Row) -> set[str]:
    """The mailboxes on the card, aliases undone."""
    found = set()
    for text in _texts(row, EMAIL):
        name, _, domain = text.replace(" ", "").lower().partition("@")
        name = name.split("+")[0]
        if domain and text not in NO_EMAILS:
            found.add(f"{name.replace('.', '') if domain == 'gmail.com' else name}@{domain}")
    return found


def inns_of(row: Row) -> set[str]:
    return {re.sub(r"\D", "", text.split("/")[0]) for text in _texts(row, INN)}


KEYS: dict[str, tuple[Callable[[Row], set[str]], ...]] = {
    "contacts": (phones_of, emails_of),
    "companies": (phones_of, inns_of),
}


def _labels(account: Account, entity: str) -> list[Row]:
    return [row for row in account.rows("truth/duplicates") if row["entity"] == entity]


def _groups(labels: list[Row]) -> dict[int, int]:
    """Record → the smallest record told the same, directly or through others."""
    parent: dict[int, int] = {}

    def root(number: int) -> int:
        while parent.setdefault(number, number) != number:
            number = parent[number]
        return number

    for label in labels:
        if label["is_duplicate"]:
            one, other = sorted(map(root, label["ids"]))
            parent[other] = one
    return {number: root(number) for number in list(parent)}


def test_labels_name_records_that_exist_and_each_pair_once(any_account: Account) -> None:
    for entity in ("contacts", "companies", "leads"):
        known = {row["id"]: row for row in any_account.rows(entity)}
        labels = _labels(any_account, entity)
        pairs = Counter(tuple(label["ids"]) for label in labels)
        assert all(one < other for one, other in pairs)
        assert set(pairs.values()) <= {1}
        for label in labels:
            assert label["since"] == known[label["ids"][1]]["created_at"]
            assert label["kinds"]


def test_nobody_is_told_the_same_and_different(any_account: Account) -> None:
    for entity in ("contacts", "companies", "leads"):
        labels = _labels(any_account, entity)
        group = _groups(labels)
        for label in labels:
            one, other = (group.get(number, number) for number in label["ids"])
            assert (one == other) == label["is_duplicate"], label


@pytest.mark.parametrize("entity", KEYS)
def test_duplicates_share_a_key_and_look_alikes_only_what_they_say(any_account: Account, entity: str) -> None:
    keys = KEYS[entity]
    rows = {row["id"]: row for row in any_account.rows(entity)}
    for label in _labels(any_account, entity):
        one, other = (rows[number] for number in label["ids"])
        shared = [bool(key(one) & key(other)) for key in keys]
        if label["is_duplicate"]:
            nothing_left = label["kinds"] == ["merged"] and not any(key(one) for key in keys)
            assert any(shared) or nothing_left, label
        else:
            assert shared[0] == bool(SHARED & set(label["kinds"])), label
            assert not shared[1]


def test_who_shares_a_key_without_a_label_does_not_exist(any_account: Account) -> None:
    for entity, keys in KEYS.items():
        labels = _labels(any_account, entity)
        group = _groups(labels)
        shared = _shared_keys(labels, any_account, entity)
        holders: dict[str, set[int]] = {}
        for row in any_account.rows(entity):
            number: int = row["id"]
            for key in keys:
                for value in key(row):
                    holders.setdefault(value, set()).add(group.get(number, number))
        for value, ids in holders.items():
            assert len(ids) == 1 or value in shared, (entity, value, ids)


def _shared_keys(labels: list[Row], account: Account, entity: str) -> set[str]:
    rows = {row["id"]: row for row in account.rows(entity)}
    shared: set[str] = set()
    for label in labels:
        if SHARED & set(label["kinds"]):
            one, other = (rows[number] for number in label["ids"])
            shared |= phones_of(one) & phones_of(other)
    return shared


def test_every_kind_of_duplicate_and_trap_occurs(account: Account) -> None:
    kinds: dict[str, Counter[tuple[str, bool]]] = {name: Counter() for name in (*KEYS, "leads")}
    for label in account.rows("truth/duplicates"):
        for kind in label["kinds"]:
            kinds[label["entity"]][(kind, label["is_duplicate"])] += 1
    different = {"shared_phone", "shared_company_phone", "namesake", "no_phone"}
    assert sum(count for (_, same), count in kinds["contacts"].items() if same) >= 40
    assert {kind for kind, same in kinds["contacts"] if not same} >= different
    assert len({kind for kind, same in kinds["contacts"] if same} & {*BY_PHONE, *BY_EMAIL}) >= 9
    assert len({kind for kind, same in kinds["companies"] if same} & KINDS.keys()) >= 2
    assert {kind for kind, _ in kinds["leads"]} >= {"open_at_once", "repeat_order", "merged"}


def test_leads_told_the_same_have_one_customer(any_account: Account) -> None:
    leads = {lead["id"]: lead for lead in any_account.leads}
    for label in _labels(any_account, "leads"):
        one, other = (leads[number]["_embedded"] for number in label["ids"])
        assert one["contacts"] == other["contacts"]
        assert one["companies"] == other["companies"]
        assert one["contacts"] or one["companies"]


def test_phones_are_real_in_every_way_of_writing() -> None:
    words, book = Random(1), Book(5)
    for number in (book.mobile(), book.landline(), book.mobile()):
        for shape in range(PHONE_SHAPES):
            text = written(words, number, shape)
            assert re.sub(r"\D", "", text)[-10:] == number
        assert phonenumbers.is_possible_number(phonenumbers.parse(f"+7{number}"))


def test_a_book_never_repeats_itself() -> None:
    words, book = Random(1), Book(5)
    given = [
        [book.mobile() for _ in range(5000)],
        [book.landline() for _ in range(5000)],
        [book.inn("ООО") for _ in range(5000)],
        [book.email(words, "Иван", "О'Нил") for _ in range(5000)],
    ]
    assert [len(set(texts)) for texts in given] == [5000] * 4
    assert all(len(text) == 10 for text in given[2])
    assert Book(5).mobile() == given[0][0] != Book(6).mobile()


def test_tax_ids_have_right_check_digits() -> None:
    assert inn_of_company("770708389") == "7707083893"
    assert inn_of_person("5001007322") == "500100732259"


def test_names_are_transliterated_and_misspelt_by_one_slip() -> None:
    assert latin("Щукин Юрий") == "Shchukin Yuriy"
    for seed in range(50):
        for name in ("Ли", "Ким", "Иванов", "Анна"):
            changed = typo(Random(seed), name)
            assert changed != name or len(set(name)) < len(name)
            assert abs(len(changed) - len(name)) <= 1


def test_look_alikes_are_visible_only_to_machines() -> None:
    for one, other in LOOK_ALIKE.items():
        assert "CYRILLIC" in unicodedata.name(chr(one))
        assert "LATIN" in unicodedata.name(chr(other))
    assert all(a != b for a, b in combinations(NO_PHONES, 2))
