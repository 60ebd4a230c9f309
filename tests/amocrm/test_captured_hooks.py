"""Hook bodies as accounts really sent them over ten years; people, names and numbers in them are invented.

What differs from the documentation is what they are here for: the account block first, last, or without an
id; brackets raw or escaped; values that are a text of JSON; a date as a bare value; links as a map by id.
"""

from typing import Any

import pytest

from widget_backend.amocrm.form import HookItem, decode, read_hook

# (what it is, body, account id, subdomain, items, ignored keys)
CAPTURED: list[tuple[str, bytes, int | None, list[tuple[Any, ...]], list[str]]] = [
    (
        "a digital pipeline told of a new lead in 2026: three fields, the account without links",
        b"leads%5Badd%5D%5B0%5D%5Bid%5D=22790001&leads%5Badd%5D%5B0%5D%5Bstatus_id%5D=106930001"
        b"&leads%5Badd%5D%5B0%5D%5Bpipeline_id%5D=13850001&account%5Bid%5D=31000001&account%5Bsubdomain%5D=example",
        31000001,
        [("leads", "add", 22790001)],
        [],
    ),
    (
        "a digital pipeline told of a moved lead, 2023",
        b"leads%5Bstatus%5D%5B0%5D%5Bid%5D=916001&leads%5Bstatus%5D%5B0%5D%5Bstatus_id%5D=45640004"
        b"&leads%5Bstatus%5D%5B0%5D%5Bpipeline_id%5D=5080003&leads%5Bstatus%5D%5B0%5D%5Bold_status_id%5D=45640001"
        b"&leads%5Bstatus%5D%5B0%5D%5Bold_pipeline_id%5D=5080003&account%5Bid%5D=31000001"
        b"&account%5Bsubdomain%5D=example",
        31000001,
        [("leads", "status", 916001)],
        [],
    ),
    (
        "a contact was changed, 2025: the account block comes first",
        b"account%5Bsubdomain%5D=example&account%5Bid%5D=31000001"
        b"&account%5B_links%5D%5Bself%5D=https%3A%2F%2Fexample.amocrm.ru&contacts%5Bupdate%5D%5B0%5D%5Bid%5D=37050001"
        b"&contacts%5Bupdate%5D%5B0%5D%5Bname%5D=%D0%90%D0%BD%D0%BD%D0%B0+%D0%9F%D0%B5%D1%82%D1%80%D0%BE%D0%B2%D0%B0"
        b"&contacts%5Bupdate%5D%5B0%5D%5Bresponsible_user_id%5D=501&contacts%5Bupdate%5D%5B0%5D%5Bdate_create%5D=1748289231"
        b"&contacts%5Bupdate%5D%5B0%5D%5Bcustom_fields%5D%5B0%5D%5Bid%5D=735601"
        b"&contacts%5Bupdate%5D%5B0%5D%5Bcustom_fields%5D%5B0%5D%5Bvalues%5D%5B0%5D%5Bvalue%5D=%2B7+900+000-11-22"
        b"&contacts%5Bupdate%5D%5B0%5D%5Bcustom_fields%5D%5B0%5D%5Bvalues%5D%5B0%5D%5Benum%5D=718301"
        b"&contacts%5Bupdate%5D%5B0%5D%5Bcustom_fields%5D%5B0%5D%5Bcode%5D=PHONE"
        b"&contacts%5Bupdate%5D%5B0%5D%5Bold_responsible_user_id%5D=501&contacts%5Bupdate%5D%5B0%5D%5Btype%5D=contact",
        31000001,
        [("contacts", "update", 37050001)],
        [],
    ),
    (
        "a lead was changed, 2023: nameless, without a price, and with the stage it came from",
        b"account%5Bsubdomain%5D=example&account%5Bid%5D=31000001"
        b"&account%5B_links%5D%5Bself%5D=https%3A%2F%2Fexample.amocrm.ru&leads%5Bupdate%5D%5B0%5D%5Bid%5D=27750001"
        b"&leads%5Bupdate%5D%5B0%5D%5Bname%5D=&leads%5Bupdate%5D%5B0%5D%5Bstatus_id%5D=59930002"
        b"&leads%5Bupdate%5D%5B0%5D%5Bold_status_id%5D=59930001&leads%5Bupdate%5D%5B0%5D%5Bcreated_user_id%5D=0"
        b"&leads%5Bupdate%5D%5B0%5D%5Bupdated_at%5D=1695482894",
        31000001,
        [("leads", "update", 27750001)],
        [],
    ),
    (
        "a lead was won, 2018: raw brackets, a date as a bare value, no id of the account",
        "leads[status][0][id]=10700001&leads[status][0][name]=Семинар:+продажи&leads[status][0][status_id]=142"
        "&leads[status][0][old_status_id]=20060001&leads[status][0][price]=22500&leads[status][0][tags][0][id]=80101"
        "&leads[status][0][tags][0][name]=повторное+обращение&leads[status][0][custom_fields][2][id]=72301"
        "&leads[status][0][custom_fields][2][name]=Дата+проведения"
        "&leads[status][0][custom_fields][2][values][0]=1542067200"
        "&leads[status][0][custom_fields][6][values][0][value]=https://forms.example/x?dp=Q1%2BhH%2FR"
        "&account[subdomain]=example".encode(),
        None,
        [("leads", "status", 10700001)],
        [],
    ),
    (
        "a contact was changed, 2018: its leads are a map by id",
        b"contacts%5Bupdate%5D%5B0%5D%5Bid%5D=22300001&contacts%5Bupdate%5D%5B0%5D%5Bcompany_name%5D=%D0%9E%D0%9E%D0%9E"
        b"&contacts%5Bupdate%5D%5B0%5D%5Blinked_company_id%5D=22790001"
        b"&contacts%5Bupdate%5D%5B0%5D%5Blinked_leads_id%5D%5B9980001%5D%5BID%5D=9980001"
        b"&contacts%5Bupdate%5D%5B0%5D%5Blinked_leads_id%5D%5B10060002%5D%5BID%5D=10060002"
        b"&contacts%5Bupdate%5D%5B0%5D%5Btype%5D=contact&account%5Bsubdomain%5D=example",
        None,
        [("contacts", "update", 22300001)],
        [],
    ),
    (
        "a call as a note: its text is JSON, its kind a number",
        b"account%5Bsubdomain%5D=example&account%5Bid%5D=31000001"
        b"&leads%5Bnote%5D%5B0%5D%5Bnote%5D%5Btext%5D=%7B%22UNIQ%22%3A%22u-1%22%2C%22LINK%22%3A%22https%3A%5C%2F%5C%2F"
        b"records.example%5C%2F1.mp3%22%2C%22PHONE%22%3A%2279000001122%22%2C%22DURATION%22%3A61%2C%22SRC%22%3A%22ats%22%7D"
        b"&leads%5Bnote%5D%5B0%5D%5Bnote%5D%5Bnote_type%5D=10&leads%5Bnote%5D%5B0%5D%5Bnote%5D%5Belement_type%5D=2"
        b"&leads%5Bnote%5D%5B0%5D%5Bnote%5D%5Belement_id%5D=7005&leads%5Bnote%5D%5B0%5D%5Bnote%5D%5Bid%5D=660011",
        31000001,
        [("notes", "note", 660011, "leads", 7005)],
        [],
    ),
    (
        "a note of an integration: its metadata is JSON, too",
        b"leads%5Bnote%5D%5B0%5D%5Bnote%5D%5Btext%5D=%D0%9F%D1%80%D0%B8%D0%B2%D0%B5%D1%82"
        b"&leads%5Bnote%5D%5B0%5D%5Bnote%5D%5Bnote_type%5D=4&leads%5Bnote%5D%5B0%5D%5Bnote%5D%5Belement_type%5D=2"
        b"&leads%5Bnote%5D%5B0%5D%5Bnote%5D%5Belement_id%5D=7005&leads%5Bnote%5D%5B0%5D%5Bnote%5D%5Bid%5D=660012"
        b"&leads%5Bnote%5D%5B0%5D%5Bnote%5D%5Bmetadata%5D=%7B%22event_source%22%3A%7B%22type%22%3A5%2C%22id%22%3A1%2C"
        b"%22author_name%22%3A%22ChatApp%22%7D%7D&account%5Bsubdomain%5D=example&account%5Bid%5D=31000001",
        31000001,
        [("notes", "note", 660012, "leads", 7005)],
        [],
    ),
    (
        "a request was accepted: the lead's id is a bare value of a list",
        b"unsorted%5Bdelete%5D%5B0%5D%5Baction%5D=accept&unsorted%5Bdelete%5D%5B0%5D%5Buid%5D=5af90001"
        b"&unsorted%5Bdelete%5D%5B0%5D%5Baccept_result%5D%5Bleads%5D%5B0%5D=7006&account%5Bid%5D=31000001",
        31000001,
        [("leads", "unsorted_accept", 7006)],
        [],
    ),
    (
        "a request came from a chat: one lead and contact, not lists of them",
        b"unsorted%5Bupdate%5D%5B0%5D%5Buid%5D=5af90002&unsorted%5Bupdate%5D%5B0%5D%5Bdata%5D%5Bleads%5D%5Bid%5D=7007"
        b"&unsorted%5Bupdate%5D%5B0%5D%5Bsource_data%5D%5Bdata%5D%5B0%5D%5Btext%5D=%D0%97%D0%B4%D1%80%D0%B0%D0%B2%D1%81"
        b"&unsorted%5Bupdate%5D%5B0%5D%5Bsource_data%5D%5Borigin%5D%5Bchat_id%5D=54ca0001&account%5Bid%5D=31000001",
        31000001,
        [("leads", "unsorted_update", 7007)],
        [],
    ),
    (
        "somebody wrote, 2023: a message beside a change of its lead",
        b"account%5Bid%5D=31000001&message%5Badd%5D%5B0%5D%5Bid%5D=d3ba0001&message%5Badd%5D%5B0%5D%5Btalk_id%5D=100"
        b"&message%5Badd%5D%5B0%5D%5Belement_type%5D=2&message%5Badd%5D%5B0%5D%5Bauthor%5D%5Btype%5D=external"
        b"&message%5Badd%5D%5B0%5D%5Borigin%5D=telegram&leads%5Bupdate%5D%5B0%5D%5Bid%5D=7008",
        31000001,
        [("leads", "update", 7008)],
        ["message"],
    ),
    (
        "a talk began, 2026, in another account's domain",
        b"talk%5Badd%5D%5B0%5D%5Btalk_id%5D=106501&talk%5Badd%5D%5B0%5D%5Bentity_id%5D=23710001"
        b"&talk%5Badd%5D%5B0%5D%5Borigin%5D=waba&talk%5Badd%5D%5B0%5D%5Bis_read%5D=0&account%5Bid%5D=31000001"
        b"&account%5Bsubdomain%5D=example&account%5B_links%5D%5Bself%5D=https%3A%2F%2Fexample.amocrm.com",
        31000001,
        [],
        ["talk"],
    ),
    (
        "several kinds at once: a lead, a contact, a company under contacts, a deleted lead",
        b"leads%5Bupdate%5D%5B0%5D%5Bid%5D=41&leads%5Bupdate%5D%5B0%5D%5Bstatus_id%5D=143"
        b"&contacts%5Badd%5D%5B0%5D%5Bid%5D=12&contacts%5Badd%5D%5B0%5D%5Btype%5D=contact"
        b"&contacts%5Bupdate%5D%5B0%5D%5Bid%5D=3&contacts%5Bupdate%5D%5B0%5D%5Btype%5D=company"
        b"&leads%5Bdelete%5D%5B0%5D%5Bid%5D=40&account%5Bid%5D=31000001",
        31000001,
        [
            ("leads", "update", 41),
            ("leads", "delete", 40),
            ("contacts", "add", 12),
            ("companies", "update", 3),
        ],
        [],
    ),
    (
        "a proxy decoded the body once: raw brackets, Cyrillic and all",
        "leads[add][0][id]=939101&leads[add][0][name]=&leads[add][0][price]=0&leads[add][0][modified_user_id]=501"
        "&leads[add][0][custom_fields][0][name]=Имя&leads[add][0][custom_fields][0][values][0][value]=Иван"
        "&account[id]=31000001".encode(),
        31000001,
        [("leads", "add", 939101)],
        [],
    ),
]


def _item(account_id: int | None, entity: str, action: str, entity_id: int, *parent: Any) -> HookItem:
    parent_entity, parent_id = parent or (None, None)
    return HookItem(
        entity=entity,
        action=action,
        id=entity_id,
        account_id=account_id,
        parent_entity=parent_entity,
        parent_id=parent_id,
    )


@pytest.mark.parametrize(
    ("body", "account_id", "items", "ignored"),
    [pytest.param(*rest, id=what) for what, *rest in CAPTURED],
)
def test_a_captured_hook_names_its_records(
    body: bytes, account_id: int | None, items: list[tuple[Any, ...]], ignored: list[str]
) -> None:
    content = read_hook(decode(body))
    assert content.items == [_item(account_id, *one) for one in items]
    assert content.account_id == account_id
    assert (content.ignored, content.unknown) == (ignored, [])


@pytest.mark.parametrize(
    ("body", "path", "value"),
    [
        (CAPTURED[2][1], "contacts update 0 name", "Анна Петрова"),
        (CAPTURED[2][1], "contacts update 0 custom_fields 0 values 0 value", "+7 900 000-11-22"),
        (CAPTURED[3][1], "leads update 0 name", ""),
        (CAPTURED[4][1], "leads status 0 name", "Семинар: продажи"),
        (CAPTURED[4][1], "leads status 0 custom_fields 2 values 0", "1542067200"),
        (
            CAPTURED[4][1],
            "leads status 0 custom_fields 6 values 0 value",
            "https://forms.example/x?dp=Q1+hH/R",
        ),
        (CAPTURED[5][1], "contacts update 0 linked_leads_id 10060002 ID", "10060002"),
        (CAPTURED[13][1], "leads add 0 custom_fields 0 values 0 value", "Иван"),
    ],
)
def test_the_values_in_it_are_those_that_were_sent(body: bytes, path: str, value: str) -> None:
    node: Any = decode(body)
    for part in path.split():
        node = node[part]
    assert node == value
