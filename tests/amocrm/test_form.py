"""Hook bodies: how they are decoded, and which entities they name."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.parse_str import PARSE_STR
from widget_backend.amocrm.form import HookItem, decode, entities, read_hook

ACCOUNT = 31000001
ACCOUNT_BLOCK = (
    f"account[subdomain]=example; account[id]={ACCOUNT}; account[_links][self]=https://example.amocrm.ru"
)


def body(sample: str) -> bytes:
    """The wire form of a sample written as ``key=value; key=value``."""
    pairs = [pair.strip().split("=", 1) for pair in f"{sample}; {ACCOUNT_BLOCK}".split(";") if pair.strip()]
    return urlencode([(name, value) for name, value in pairs]).encode()


# The one departure from PHP, which keeps the later of the two; we keep both.
BOTH_KEPT: list[tuple[bytes, dict[str, Any]]] = [
    (b"a[t]=3&a[t][u]=x", {"a": {"t": {"": "3", "u": "x"}}}),
    (b"a[t][u]=x&a[t]=3", {"a": {"t": {"": "3", "u": "x"}}}),
    (b"a=1&a[b]=2", {"a": {"": "1", "b": "2"}}),
    (b"a[5]=x&a=1&a[]=y", {"a": {"5": "x", "": "1", "6": "y"}}),
    (b"a=1&a=2&a[]=3&a=4", {"a": {"": "4", "0": "3"}}),
]


@pytest.mark.parametrize(("raw", "expected"), PARSE_STR)
def test_bodies_are_decoded_like_php_does(raw: bytes, expected: dict[str, Any]) -> None:
    decoded = decode(raw)
    assert decoded == expected
    assert json.dumps(decoded) == json.dumps(expected)


@pytest.mark.parametrize(("raw", "expected"), BOTH_KEPT)
def test_a_value_and_a_subtree_on_one_path_are_both_kept(raw: bytes, expected: dict[str, Any]) -> None:
    assert decode(raw) == expected


def nested(depth: int) -> dict[str, Any]:
    """`a[x][x]…=1` with so many brackets, as it is read."""
    tree: Any = "1"
    for _ in range(depth):
        tree = {"x": tree}
    return {"a": tree}


def test_64_brackets_are_read_and_65_take_everything_under_the_name_with_them() -> None:
    assert decode(b"a" + b"[x]" * 64 + b"=1") == nested(64)
    assert decode(b"a=1&b=2&a" + b"[x]" * 65 + b"=1") == {"b": "2"}
    assert decode(b"a[y]=1&b=2&a" + b"[x]" * 64 + b"[=1") == {"b": "2"}
    assert decode(b"a" + b"[x]" * 65 + b"=1&a[]=3&a[]=4") == {"a": {"0": "3", "1": "4"}}
    assert decode(b"a" + b"[x]" * 1_000_000 + b"=1") == {}


def test_five_thousand_keys_are_read_in_full() -> None:
    pairs = [f"leads[update][{n}][{name}]={n}" for n in range(1250) for name in ("id", "a", "b", "c")]
    leads = decode(urlencode([tuple(pair.split("=")) for pair in pairs]).encode())["leads"]["update"]
    assert len(leads) == 1250
    assert all(leads[str(n)] == dict.fromkeys(("id", "a", "b", "c"), str(n)) for n in range(1250))


def test_a_body_of_eight_megabytes_stays_within_bounds() -> None:
    wide = b"&".join(b"a[%d][x]=1" % n for n in range(600_000))[: 8 * 1024 * 1024]
    decoded = decode(wide)
    assert 100_000 < len(decoded["a"]) <= 200_000
    assert decode(b"x=" + b"y" * (9 * 1024 * 1024))["x"].startswith("yyy")
    assert len(decode(b"&" * (8 * 1024 * 1024))) == 0


def test_nothing_takes_quadratic_time_or_lists_as_long_as_an_id() -> None:
    assert decode(b"a[999999999999]=1&a[]=2") == {"a": {"999999999999": "1", "1000000000000": "2"}}
    assert len(decode(b"a[]=&" * 100_000)["a"]) == 100_000


@given(st.binary(max_size=300))
def test_no_body_makes_it_fail(raw: bytes) -> None:
    read_hook(decode(raw))


names = st.text("abc[]%5BD= .&+\0", max_size=30)


@given(st.lists(st.tuples(names, st.text(max_size=10)), max_size=20))
def test_no_name_makes_it_fail_and_nothing_unstorable_comes_out(pairs: list[tuple[str, str]]) -> None:
    decoded = decode("&".join(f"{name}={value}" for name, value in pairs).encode("utf-8", "surrogatepass"))
    str(decoded).encode("utf-8")
    read_hook(decoded)


keys = st.sampled_from(["leads", "contacts", "task", "unsorted", "talk", "account", "x"])
parts = st.sampled_from(
    ["add", "note", "delete", "0", "1", "id", "note", "type", "element_id", "lead_id", ""]
)


@given(
    st.lists(st.tuples(keys, st.lists(parts, max_size=5), st.sampled_from(["1", "", "x", "2"])), max_size=12)
)
def test_no_shape_of_a_hook_makes_it_fail(pairs: list[tuple[str, list[str], str]]) -> None:
    raw = "&".join(key + "".join(f"[{part}]" for part in path) + f"={value}" for key, path, value in pairs)
    for item in entities(decode(raw.encode())):
        assert item.id > 0


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), st.text(max_size=8), min_size=1, max_size=5))
def test_flat_forms_come_back_as_they_were(form: dict[str, str]) -> None:
    assert decode(urlencode(form).encode()) == form


def item(entity: str, action: str, entity_id: int, **more: Any) -> HookItem:
    return HookItem(entity=entity, action=action, id=entity_id, account_id=ACCOUNT, **more)


HOOKS: list[tuple[str, list[HookItem]]] = [
    ("leads[add][0][id]=7005; leads[add][0][name]=Заявка с сайта; leads[add][0][status_id]=4101;"
     "leads[add][0][tags][0][id]=5; leads[add][0][custom_fields][0][values][0][value]=Опт",
     [item("leads", "add", 7005)]),
    ("leads[update][0][id]=7005; leads[update][1][id]=7006",
     [item("leads", "update", 7005), item("leads", "update", 7006)]),
    ("leads[update][0][id]=7005; leads[update][1][id]=7005", [item("leads", "update", 7005)]),
    ("leads[status][0][id]=7001; leads[status][0][status_id]=142; leads[update][0][id]=7001",
     [item("leads", "status", 7001), item("leads", "update", 7001)]),
    ("leads[responsible][0][id]=7005; leads[responsible][0][old_responsible_user_id]=501",
     [item("leads", "responsible", 7005)]),
    ("leads[delete][0][id]=7005; leads[delete][0][status_id]=4101", [item("leads", "delete", 7005)]),
    ("leads[delete]=7005", [item("leads", "delete", 7005)]),
    ("leads[delete][0]=7005", [item("leads", "delete", 7005)]),
    ("leads[restore][0][id]=7005", [item("leads", "restore", 7005)]),
    ("leads[note][0][note][note_type]=4; leads[note][0][note][element_type]=2;"
     "leads[note][0][note][element_id]=7005;"
     "leads[note][0][note][id]=660001",
     [item("notes", "note", 660001, parent_entity="leads", parent_id=7005)]),
    ("contacts[note][0][note][type]=3; contacts[note][0][note][type][message_uuid]=u;"
     "contacts[note][0][note][id]=660002;"
     "contacts[note][0][note][element_type]=3; contacts[note][0][note][element_id]=9005",
     [item("notes", "note", 660002, parent_entity="companies", parent_id=9005)]),
    ("contacts[add][0][id]=8005; contacts[add][0][type]=contact;"
     "contacts[add][0][linked_leads_id][7005][ID]=7005",
     [item("contacts", "add", 8005)]),
    ("contacts[update][0][id]=9005; contacts[update][0][type]=company", [item("companies", "update", 9005)]),
    ("companies[update][0][id]=9005", [item("companies", "update", 9005)]),
    ("contacts[delete][0][id]=8005; contacts[delete][0][type]=contact", [item("contacts", "delete", 8005)]),
    ("task[add][0][id]=120001; task[add][0][element_id]=7005", [item("tasks", "add", 120001)]),
    ("task[update][0][id]=120001; task[update][0][result][id]=660002", [item("tasks", "update", 120001)]),
    ("task[delete][0][id]=120001", [item("tasks", "delete", 120001)]),
    ("customers[update][0][id]=11", [item("customers", "update", 11)]),
    ("unsorted[add][0][uid]=5af9; unsorted[add][0][category]=chats; unsorted[add][0][lead_id]=7006",
     [item("leads", "unsorted_add", 7006)]),
    ("unsorted[add][0][uid]=5af9; unsorted[add][0][data][leads][0][id]=7006",
     [item("leads", "unsorted_add", 7006)]),
    ("unsorted[delete][0][action]=accept; unsorted[delete][0][uid]=5af9;"
     "unsorted[delete][0][accept_result][leads][0]=7006",
     [item("leads", "unsorted_accept", 7006)]),
    ("unsorted[delete][0][action]=decline; unsorted[delete][0][decline_result][leads][0]=7006",
     [item("leads", "unsorted_decline", 7006)]),
    ("leads[call_in][0][id]=7001; leads[call_in][0][status_id]=4103", [item("leads", "call_in", 7001)]),
]  # fmt: skip


@pytest.mark.parametrize(("sample", "expected"), HOOKS)
def test_hooks_name_their_entities(sample: str, expected: list[HookItem]) -> None:
    content = read_hook(decode(body(sample)))
    assert content.items == expected
    assert (content.account_id, content.subdomain) == (ACCOUNT, "example")
    assert content.unknown == content.ignored == []


UNREADABLE = [
    ("leads[frobnicated][0][id]=7005", ["leads[frobnicated]"]),
    ("leads[update][0][name]=no id", ["leads[update]"]),
    ("leads[update][0][id]=", ["leads[update]"]),
    ("leads[update][0][id]=-5", ["leads[update]"]),
    ("leads[update][0][id]=1e5", ["leads[update]"]),
    ("leads[update][0][id]=99999999999999999999", ["leads[update]"]),
    ("leads[update][0][id]=٧٠", ["leads[update]"]),
    ("invoices[add][0][id]=1", ["invoices[add]"]),
    ("leads=1", ["leads"]),
]


@pytest.mark.parametrize(("sample", "unknown"), UNREADABLE)
def test_what_is_not_understood_is_listed_and_not_fatal(sample: str, unknown: list[str]) -> None:
    content = read_hook(decode(body(f"{sample}; leads[add][0][id]=1" if "leads=" not in sample else sample)))
    assert content.unknown == unknown
    assert content.items == ([] if "leads=" in sample else [item("leads", "add", 1)])


def test_known_hooks_without_use_are_ignored_by_name() -> None:
    content = read_hook(
        decode(body("talk[add][0][talk_id]=191; message[add][0][id]=5f; leads[add][0][id]=1"))
    )
    assert content.ignored == ["talk", "message"]
    assert content.items == [item("leads", "add", 1)]


@pytest.mark.parametrize("raw", [b"", b"leads[add][0][id]=7005", b"account=1", b"account[id]=x"])
def test_a_hook_without_an_account_says_so(raw: bytes) -> None:
    assert read_hook(decode(raw)).account_id is None
