"""Hook bodies: what a subscriber to everything gets for every action: keys, kinds, and how they read."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.amocrm.hooks import form
from sandbox.amocrm.life import card_actions, talk_actions
from sandbox.amocrm.life.actions import ACTIONS
from sandbox.amocrm.vocabulary import HOOK_NAMES
from tests.sandbox.amocrm.hooked import (
    COLUMN_HOOK,
    Queue,
    fields_of,
    head_of,
    heads,
    made,
    one,
    pairs_of,
    unsorted_uid,
)
from tests.sandbox.amocrm.support import Client, Row
from widget_backend.amocrm.form import decode, read_hook

INT, TEXT, FLAG = r"\d+", r"(?s).*", r"[01]"
MOMENT, LOCAL = r"1\d{9}", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
HEX, UUID = r"[0-9a-f]{48}", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"

# As the vendor's format page and captured hooks have them; `#` is an index or an id; `?` may be absent.
_TAGS = {"tags.#.id?": INT, "tags.#.name?": TEXT}
_FIELDS = {
    "custom_fields.#.id?": INT, "custom_fields.#.name?": TEXT, "custom_fields.#.code?": TEXT,
    "custom_fields.#.values.#.value?": TEXT, "custom_fields.#.values.#.enum?": INT,
    "custom_fields.#.values.#?": INT,
}  # fmt: skip
_TIMES = {"created_at": MOMENT, "updated_at": MOMENT}
_WHO = {"last_modified": MOMENT, "modified_user_id": INT, "created_user_id": INT, "date_create": MOMENT}
LEAD = {
    "id": INT, "name": TEXT, "status_id": INT, "price": INT, "responsible_user_id": INT, **_WHO,
    "pipeline_id": INT, "account_id": INT, **_TAGS, **_FIELDS, **_TIMES,
}  # fmt: skip
CARD = {
    "id": INT, "name": TEXT, "responsible_user_id": INT, **_WHO, "account_id": INT, "company_name?": TEXT,
    "linked_company_id?": INT, **_TAGS, **_FIELDS, "linked_leads_id.#.ID?": INT, **_TIMES,
    "type": "contact|company",
}  # fmt: skip
CUSTOMER = {
    "id": INT, "name": TEXT, "responsible_user_id": INT, "status_id?": INT, "next_price?": INT,
    "next_date?": MOMENT, "periodicity?": INT, **_WHO, "account_id": INT, **_TAGS, **_FIELDS, **_TIMES,
}  # fmt: skip
NOTE = {
    f"note.{name}": kind
    for name, kind in {
        "text": TEXT, "attachement": "", "note_type": INT, "type?": "3", "type.message_uuid?": UUID,
        "element_type": "1|2|3|12", "element_id": INT, "account_id": INT, "date_create": LOCAL,
        "timestamp_x": LOCAL, "created_by": INT, "modified_by": INT, "main_user_id": INT, "group_id": INT,
        "id": INT, "metadata": "", **_TIMES,
    }.items()
}  # fmt: skip
TASK = {
    "id": INT, "element_id?": INT, "element_type?": "1|2|3|12", "task_type": INT, "date_create": LOCAL,
    "text": TEXT, "status": FLAG, "account_id": INT, "created_user_id": INT, "responsible_user_id": INT,
    "complete_till": LOCAL, "complete_before": MOMENT, **_TIMES,
}  # fmt: skip
UNSORTED = {
    "uid": HEX, "category": "sip|mail|forms|chats", "pipeline_id": INT, "lead_id": INT, "source_name?": TEXT,
    "source_data.client.id?": INT, "source_data.client.name?": TEXT, "source_data.data.#.text?": TEXT,
    "source_data.data.#.id?": HEX, "source_data.origin.chat_id?": UUID, "source_data.service?": TEXT,
    "source_data.from.email?": TEXT, "source_data.from.name?": TEXT, "source_data.subject?": TEXT,
    "source_data.received_at?": MOMENT, "source_data.thread_id?": TEXT, "source_data.message_id?": TEXT,
    "source_data.content_summary?": TEXT,
    **{f"data.{table}.#.{name}?": kind for table in ("leads", "contacts", "companies")
       for name, kind in (("id", INT), ("name", TEXT))},
    "created_at": MOMENT,
}  # fmt: skip
SORTED = {
    "action": "accept|decline", "uid": HEX, "category": "sip|mail|forms|chats", "created_at": MOMENT,
    "modified_user_id": INT, "accept_result.leads.#?": INT, "decline_result.leads.#?": INT,
}  # fmt: skip
TALK = {
    "talk_id": INT, **_TIMES, "rate": INT, "contact_id": INT, "chat_id": UUID, "entity_id?": INT,
    "entity_type?": "lead", "is_in_work": FLAG, "is_read": FLAG, "origin": TEXT,
}  # fmt: skip
MESSAGE = {
    "id": UUID, "chat_id": UUID, "talk_id": INT, "contact_id": INT, "text": TEXT, "created_at": MOMENT,
    "element_type?": "2", "entity_type?": "lead", "element_id?": INT, "entity_id?": INT,
    "author.id": TEXT, "author.type": "external|user|bot", "author.name": TEXT, "origin": TEXT,
    "attachment.type?": TEXT, "attachment.link?": TEXT, "attachment.file_name?": TEXT,
}  # fmt: skip
ELEMENT = {"id": INT, "catalog_id": INT, "name": TEXT, "created_by?": INT, "updated_by?": INT, **_FIELDS,
           "created_at?": MOMENT, "updated_at?": MOMENT}  # fmt: skip
OLD_OWNER = {"old_responsible_user_id": INT}
SHAPES: dict[str, dict[str, str]] = {
    "leads[add]": LEAD,
    "leads[update]": LEAD,
    "leads[restore]": LEAD,
    "leads[status]": {**LEAD, "old_status_id": INT, "old_pipeline_id?": INT},
    "leads[responsible]": {**LEAD, **OLD_OWNER},
    "leads[delete]": {"id": INT, "status_id": INT, "pipeline_id": INT},
    "leads[note]": NOTE,
    "contacts[add]": CARD,
    "contacts[update]": CARD,
    "contacts[restore]": CARD,
    "contacts[responsible]": {**CARD, **OLD_OWNER},
    "contacts[delete]": {"id": INT, "type": "contact|company"},
    "contacts[note]": {**NOTE, "type?": "company"},
    "customers[add]": CUSTOMER,
    "customers[update]": CUSTOMER,
    "customers[responsible]": {**CUSTOMER, **OLD_OWNER},
    "customers[delete]": {"id": INT},
    "customers[note]": NOTE,
    "task[add]": TASK,
    "task[update]": {
        **TASK,
        "action_close?": "1",
        "result.id?": INT,
        "result.text?": TEXT,
        "old_text?": TEXT,
    },
    "task[responsible]": {**TASK, **OLD_OWNER},
    "task[delete]": TASK,
    "unsorted[add]": UNSORTED,
    "unsorted[update]": UNSORTED,
    "unsorted[delete]": SORTED,
    "talk[add]": TALK,
    "talk[update]": TALK,
    "message[add]": {**MESSAGE, "type": "incoming"},
    "outgoing_message[add]": {**MESSAGE, "type": "outgoing"},
    "catalogs[add]": ELEMENT,
    "catalogs[update]": ELEMENT,
    "catalogs[delete]": ELEMENT,
    "chat_template_reviews[add]": {"id": INT, "chat_template_id": INT, "status": TEXT, "updated_at": MOMENT},
}
ACCOUNT = [
    ("account[subdomain]", "demo"),
    ("account[id]", "31000001"),
    ("account[_links][self]", "https://demo.amocrm.ru"),
]


class Cards:
    """Makes what a scene needs."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def lead(self, **more: Any) -> int:
        values = [
            {"field_id": 911, "values": [{"enum_id": 77}]},
            {"field_id": 912, "values": [{"value": 1760475600}]},
        ]
        given = {"name": "Заявка <b>&amp; 'ё' 😀 +1~", "price": 7, "custom_fields_values": values,
                 "_embedded": {"tags": [{"name": "vip"}]}, **more}  # fmt: skip
        return made(self.client, "create_lead", **given)

    def contact(self, **more: Any) -> int:
        return made(self.client, "create_contact", **{"name": "Иван", "phone": "+7 999 123-45-67", **more})

    def company(self) -> int:
        return made(self.client, "create_company", name="ООО Ромашка")

    def customer(self) -> int:
        return made(self.client, "create_customer", name="Клуб")

    def element(self) -> int:
        body = [{"name": "Стул"}]
        answer = self.client.call("POST", "catalogs/41/elements", json=body).json()
        return int(answer["_embedded"]["elements"][0]["id"])

    def task(self, **more: Any) -> int:
        given = {"lead_id": self.lead(), "text": "Позвонить", "complete_till": 1760129940, **more}
        return made(self.client, "create_task", **given)

    def note(self) -> int:
        return made(self.client, "add_note", id=self.lead(), text="Перезвонить")

    def talk(self) -> int:
        contact = self.contact()
        self.client.do("chat_message", contact_id=contact, text="Здравствуйте")
        return int(max(row["talk_id"] for row in self.client.truth("talks") if row["contact_id"] == contact))

    def incoming(self, category: str = "forms") -> str:
        self.client.do("create_unsorted", category=category, source_name="Форма")
        return str(
            max(self.client.truth("unsorted"), key=lambda row: int(row["_embedded"]["leads"][0]["id"]))["uid"]
        )


Scene = tuple[Callable[[Cards], Row], list[str]]
_MOVE = ["leads[status]", "leads[update]"]
_LINK = ["contacts[update]", "leads[update]"]
_NEW_INCOMING = ["contacts[add]", "contacts[update]", "leads[add]", "unsorted[add]"]
SCENES: dict[str, Scene] = {
    "move_lead": (lambda c: {"lead_id": c.lead(), "status_id": 4102}, _MOVE),
    "win_lead": (lambda c: {"lead_id": c.lead(), "price": 9}, _MOVE),
    "lose_lead": (lambda c: {"lead_id": c.lead(), "loss_reason_id": 61}, _MOVE),
    "robot_move": (lambda c: {"lead_id": c.lead(), "status_id": 4102}, _MOVE),
    "reassign": (lambda c: {"id": c.lead(), "user_id": 502}, ["leads[responsible]", "leads[update]"]),
    "edit": (lambda c: {"id": c.contact(), "entity": "contacts", "set": {"responsible_user_id": 502}},
             ["contacts[responsible]", "contacts[update]"]),
    "bulk_edit": (lambda c: {"ids": [c.lead(), c.lead()], "set": {"status_id": 142}}, _MOVE),
    "create_lead": (lambda c: {"name": "", "contact_id": c.contact(), "company_id": c.company()},
                    ["contacts[update]", "contacts[update]", "leads[add]"]),
    "create_contact": (lambda c: {"name": "Анна", "company_id": c.company()},
                       ["contacts[add]", "contacts[update]"]),
    "create_company": (lambda c: {"name": "АО"}, ["contacts[add]"]),
    "create_customer": (lambda c: {"name": "Клуб", "next_date": 1760500000, "next_price": 5},
                        ["customers[add]"]),
    "import_rows": (lambda c: {"rows": [{"name": "Старая", "created_at": 1600000000}] * 3}, ["leads[add]"]),
    "create_task": (lambda c: {"text": "Сама по себе", "complete_till": 1760129940}, ["task[add]"]),
    "edit_task": (lambda c: {"task_id": c.task(), "set": {"text": "Иначе", "responsible_user_id": 502}},
                  ["task[responsible]", "task[update]"]),
    "complete_task": (lambda c: {"task_id": c.task(), "result": "Дозвонился"}, ["task[update]"]),
    "delete_task": (lambda c: {"task_id": c.task()}, ["task[delete]"]),
    "add_note": (lambda c: {"id": c.lead(), "text": "Перезвонить"}, ["leads[note]"]),
    "edit_note": (lambda c: {"note_id": c.note(), "params": {"text": "иначе"}}, []),
    "pin_note": (lambda c: {"note_id": c.note()}, []),
    "delete_note": (lambda c: {"note_id": c.note()}, []),
    "call": (lambda c: {"id": c.company(), "entity": "companies", "direction": "in"}, ["contacts[note]"]),
    "link": (lambda c: {"id": c.lead(), "to_id": c.contact()}, _LINK),
    "unlink": (lambda c: {"id": c.lead(contact_id=8002), "to_id": 8002}, _LINK),
    "delete_element": (lambda c: {"element_id": _linked_element(c)}, ["catalogs[delete]", "leads[update]"]),
    "delete": (lambda c: {"id": c.contact(), "entity": "contacts"}, ["contacts[delete]"]),
    "bulk_delete": (lambda c: {"ids": [c.lead(), c.lead()]}, ["leads[delete]"]),
    "restore": (lambda c: {"id": _deleted(c)}, ["leads[restore]"]),
    "purge": (lambda c: {"id": _deleted(c)}, []),
    "merge": (lambda c: {"main_id": c.lead(), "ids": [c.lead()]}, ["leads[update]"]),
    "chat_message": (lambda c: {"contact_id": c.contact(lead_id=c.lead()), "text": "Добрый день"},
                     ["contacts[note]", "message[add]", "talk[add]", "talk[update]"]),
    "close_talk": (lambda c: {"talk_id": c.talk()}, ["talk[update]"]),
    "miss_talk": (lambda c: {"talk_id": c.talk()}, ["talk[update]"]),
    "mail": (lambda c: {"id": c.lead(), "subject": "Счёт", "direction": "out"}, ["leads[note]"]),
    "sms": (lambda c: {"id": c.contact(), "text": "Ок", "phone": "+79990000000"}, ["contacts[note]"]),
    "site_visit": (lambda c: {"id": c.lead()}, ["leads[note]"]),
    "review_template": (lambda c: {"template_id": 3}, ["chat_template_reviews[add]"]),
    "create_unsorted": (lambda c: {"category": "forms", "source_name": "Форма"}, _NEW_INCOMING),
    "accept_unsorted": (lambda c: {"uid": c.incoming()}, ["contacts[update]", *_MOVE, "unsorted[delete]"]),
    "decline_unsorted": (lambda c: {"uid": c.incoming()},
                         ["contacts[delete]", "leads[delete]", "unsorted[delete]"]),
    "link_unsorted": (lambda c: {"uid": c.incoming("chats"), "lead_id": c.lead()},
                      ["contacts[update]", "leads[update]", "unsorted[delete]"]),
    "add_pipeline_hook": (lambda c: {"pipeline_id": 3200, "status_id": 142, "url": COLUMN_HOOK}, []),
    "remove_pipeline_hook": (lambda c: _column_hook(c), []),
}  # fmt: skip
# The same actions about other kinds of cards, and the ways they go beside the first.
MORE: list[tuple[str, Callable[[Cards], Row], list[str]]] = [
    ("reassign", lambda c: {"id": c.company(), "entity": "companies", "user_id": 502},
     ["contacts[responsible]", "contacts[update]"]),
    ("reassign", lambda c: {"id": c.customer(), "entity": "customers", "user_id": 502},
     ["customers[responsible]", "customers[update]"]),
    ("add_note", lambda c: {"id": 11001, "entity": "customers", "text": "x"}, ["customers[note]"]),
    ("delete", lambda c: {"id": c.customer(), "entity": "customers"}, ["customers[delete]"]),
    ("delete", lambda c: {"id": c.company(), "entity": "companies"}, ["contacts[delete]"]),
    ("restore", lambda c: {"id": _deleted(c, "contacts"), "entity": "contacts"}, ["contacts[restore]"]),
    ("call", lambda c: {"id": c.lead(), "direction": "out"}, ["leads[note]"]),
    ("chat_message", lambda c: {"text": "Есть кто?", "name": "Незнакомец"},
     [*_NEW_INCOMING, "contacts[note]", "message[add]", "talk[add]", "talk[update]", "unsorted[update]"]),
    ("chat_message",
     lambda c: {"contact_id": c.contact(), "direction": "out", "text": "Фото",
                "attachment": {"type": "picture", "link": "https://x.test/1.png", "file_name": "1.png"}},
     ["contacts[note]", "outgoing_message[add]", "talk[add]", "talk[update]"]),
    ("mail", lambda c: {"subject": "Вопрос", "name": "Пётр"}, _NEW_INCOMING),
    ("link", lambda c: {"id": c.lead(), "to_id": 42, "to_entity": "catalog_elements", "quantity": 3},
     ["leads[update]"]),
]  # fmt: skip


def _deleted(c: Cards, entity: str = "leads") -> int:
    row_id = c.lead() if entity == "leads" else c.contact()
    c.client.do("delete", id=row_id, entity=entity)
    return row_id


def _linked_element(c: Cards) -> int:
    element_id = c.element()
    c.client.do("link", id=c.lead(), to_id=element_id, to_entity="catalog_elements")
    return element_id


def _column_hook(c: Cards) -> Row:
    hook: Row = {"pipeline_id": 3200, "status_id": 143, "url": COLUMN_HOOK}
    c.client.do("add_pipeline_hook", **hook)
    return hook


def check(body: bytes) -> None:
    """Keys and kinds as SHAPES has them, nothing else, and the account block at the end."""
    assert pairs_of(body)[-3:] == ACCOUNT
    head = head_of(body)
    shape = SHAPES[head]
    count = len({name.split("[")[2] for name, _ in pairs_of(body)[:-3]})
    for index in range(count):
        fields = fields_of(body, index)
        seen = set()
        for name, value in fields.items():
            key = ".".join("#" if part.isdecimal() else part for part in name.split("."))
            kind = shape.get(key, shape.get(f"{key}?"))
            assert kind is not None, f"{head} has no {key}"
            assert re.fullmatch(kind, value), f"{head} {key}: {value!r} is no {kind}"
            seen.add(key)
        missing = {key for key in shape if not key.endswith("?")} - seen
        assert not missing, f"{head} lacks {missing}"


def check_reading(body: bytes) -> None:
    """The product's decoder puts every value where its brackets say; none is lost, none is added."""
    tree = decode(body)
    pairs = pairs_of(body)
    for name, value in pairs:
        node: Any = tree
        for part in re.findall(r"[^\[\]]+", name):
            node = node[part]
        assert (node[""] if isinstance(node, dict) else node) == value, name
    assert _leaves(tree) == len(pairs)
    content = read_hook(tree)
    assert (content.account_id, content.subdomain, content.unknown) == (31000001, "demo", [])


def _leaves(tree: Any) -> int:
    return sum(map(_leaves, tree.values())) if isinstance(tree, dict) else 1


@pytest.mark.parametrize("name", sorted(SCENES))
def test_each_action_sends_its_hooks_in_the_vendors_shape(shared: Client, queue: Queue, name: str) -> None:
    prepare, expected = SCENES[name]
    params = prepare(Cards(shared))
    queue.fresh()
    shared.do(name, **params)
    bodies = queue.fresh()
    assert heads(bodies) == sorted(expected)
    for body in bodies:
        check(body)
        check_reading(body)


@pytest.mark.parametrize(
    ("name", "prepare", "expected"), MORE, ids=[f"{n}-{row[0]}" for n, row in enumerate(MORE)]
)
def test_other_kinds_of_cards(
    shared: Client, queue: Queue, name: str, prepare: Callable[[Cards], Row], expected: list[str]
) -> None:
    params = prepare(Cards(shared))
    queue.fresh()
    shared.do(name, **params)
    bodies = queue.fresh()
    assert sorted(set(heads(bodies))) == sorted(expected)
    for body in bodies:
        check(body)
        check_reading(body)


def test_no_action_and_no_settings_name_is_forgotten() -> None:
    ours = {
        name
        for name, action in ACTIONS.items()
        if action.__module__ in (card_actions.__name__, talk_actions.__name__)
    }
    assert set(SCENES) == ours
    top = {"company": "contacts", "contact": "contacts", "lead": "leads", "customer": "customers",
           "chat_template_review": "chat_template_reviews", "catalog_element": "catalogs"}  # fmt: skip
    wanted = set()
    for name in HOOK_NAMES:
        action, _, entity = name.partition("_")
        wanted.add(f"{top.get(entity, entity)}[{action}]")
    assert set(SHAPES) == wanted
    sent = {head for _, expected in SCENES.values() for head in expected}
    by_api = {"catalogs[add]", "catalogs[update]"}
    assert sent | {head for *_, expected in MORE for head in expected} | by_api == wanted


def test_a_status_hook_reads_as_the_lead_was(shared: Client, queue: Queue) -> None:
    lead = Cards(shared).lead(contact_id=8001)
    queue.fresh()
    shared.do("move_lead", lead_id=lead, status_id=143, loss_reason_id=61, by=502)
    (body,) = [body for body in queue.fresh() if head_of(body) == "leads[status]"]
    row = shared.row("leads", lead)
    assert decode(body)["leads"] == {"status": {"0": {
        "id": str(lead), "name": row["name"], "status_id": "143", "old_status_id": "4101", "price": "7",
        "responsible_user_id": "501", "last_modified": str(row["updated_at"]), "modified_user_id": "502",
        "created_user_id": "501", "date_create": str(row["created_at"]), "pipeline_id": "3100",
        "account_id": "31000001",
        "tags": {"0": {"id": str(row["_embedded"]["tags"][0]["id"]), "name": "vip"}},
        "custom_fields": {
            "0": {"id": "911", "name": "Тип", "values": {"0": {"value": "Опт", "enum": "77"}}},
            "1": {"id": "912", "name": "Дата", "values": {"0": "1760475600"}},
        },
        "created_at": str(row["created_at"]), "updated_at": str(row["updated_at"]),
    }}}  # fmt: skip


def test_a_chat_note_carries_a_value_and_a_subtree_on_one_path(shared: Client, queue: Queue) -> None:
    contact = Cards(shared).contact()
    queue.fresh()
    shared.do("chat_message", contact_id=contact, text="Здравствуйте")
    (body,) = [body for body in queue.fresh() if head_of(body) == "contacts[note]"]
    names = [name for name, _ in pairs_of(body)]
    assert "contacts[note][0][note][type]" in names
    assert "contacts[note][0][note][type][message_uuid]" in names
    note = decode(body)["contacts"]["note"]["0"]["note"]
    assert (note["type"][""], set(note["type"])) == ("3", {"", "message_uuid"})
    assert (note["text"], note["element_id"]) == ("Здравствуйте", str(contact))


def test_contacts_show_their_company_and_leads_as_a_map(shared: Client, queue: Queue) -> None:
    cards = Cards(shared)
    lead, company = cards.lead(), cards.company()
    contact = cards.contact(company_id=company, lead_id=lead)
    queue.fresh()
    shared.do("edit", id=contact, entity="contacts", set={"name": ""})
    fields = one(queue.fresh(), "contacts[update]")
    assert (fields["name"], fields["company_name"], fields["linked_company_id"]) == (
        "",
        "ООО Ромашка",
        str(company),
    )
    assert fields[f"linked_leads_id.{lead}.ID"] == str(lead)
    assert fields["custom_fields.0.code"] == "PHONE"
    assert fields["custom_fields.0.values.0.value"] == "+7 999 123-45-67"


def test_empty_lists_are_absent_and_several_items_share_a_body(shared: Client, queue: Queue) -> None:
    shared.do("import_rows", rows=[{"name": f"Строка {n}", "created_at": 1500000000 + n} for n in range(60)])
    first, second = queue.fresh()
    assert not [name for name, _ in pairs_of(first) if "[tags]" in name or "[custom_fields]" in name]
    assert [fields_of(first, n)["name"] for n in (0, 49)] == ["Строка 0", "Строка 49"]
    assert fields_of(second, 9)["name"] == "Строка 59"
    assert fields_of(second, 9)["date_create"] == "1500000059"


def test_the_account_block_may_come_first(shared: Client, queue: Queue) -> None:
    lead = Cards(shared).lead()
    queue.fresh()
    shared.door("limits", hook_account_first=True)
    try:
        shared.do("edit", id=lead, set={"price": 3})
    finally:
        shared.door("limits", hook_account_first=None)
    (body,) = queue.fresh()
    assert pairs_of(body)[:3] == ACCOUNT
    check_reading(body)


def test_a_column_of_the_board_has_hooks_of_its_own(shared: Client, queue: Queue) -> None:
    lead = Cards(shared).lead()
    for event in ("status", "call_in", "chat", "site_visit", "mail_in"):
        shared.do("add_pipeline_hook", pipeline_id=3100, status_id=4102, url=COLUMN_HOOK, event=event)
    try:
        queue.fresh()
        shared.do("move_lead", lead_id=lead, status_id=4102)
        (body,) = queue.fresh(COLUMN_HOOK)
        assert body.decode() == (
            f"leads%5Bstatus%5D%5B0%5D%5Bid%5D={lead}&leads%5Bstatus%5D%5B0%5D%5Bstatus_id%5D=4102"
            "&leads%5Bstatus%5D%5B0%5D%5Bpipeline_id%5D=3100&leads%5Bstatus%5D%5B0%5D%5Bold_status_id%5D=4101"
            "&leads%5Bstatus%5D%5B0%5D%5Bold_pipeline_id%5D=3100&account%5Bid%5D=31000001&account%5Bsubdomain%5D=demo"
        )
        contact = Cards(shared).contact(lead_id=lead)
        shared.do("call", id=lead, direction="in")
        shared.do("chat_message", contact_id=contact, text="?")
        shared.do("site_visit", id=lead)
        shared.do("mail", id=lead, subject="x")
        found = queue.fresh(COLUMN_HOOK)
        assert heads(found) == ["leads[call_in]", "leads[chat]", "leads[mail_in]", "leads[site_visit]"]
        assert set(fields_of(found[0])) == {"id", "status_id", "pipeline_id"}
        shared.do("mail", id=lead, subject="x", direction="out")
        quiet = {"note_type": "call_in", "is_need_to_trigger_digital_pipeline": False,
                 "params": {"uniq": "1", "duration": 1, "source": "x", "phone": "1"}}  # fmt: skip
        shared.call("POST", f"leads/{lead}/notes", json=[quiet])
        assert queue.fresh(COLUMN_HOOK) == []
    finally:
        shared.do("remove_pipeline_hook", pipeline_id=3100, status_id=4102, url=COLUMN_HOOK)


def test_goods_are_told_of_when_they_are_made_and_changed(shared: Client, queue: Queue) -> None:
    element_id = Cards(shared).element()
    shared.call("PATCH", f"catalogs/41/elements/{element_id}", json={"name": "Табурет"})
    bodies = queue.fresh()
    assert heads(bodies) == ["catalogs[add]", "catalogs[update]"]
    for body in bodies:
        check(body)
        check_reading(body)
    assert one(bodies, "catalogs[update]")["name"] == "Табурет"


def test_an_api_write_echoes_as_a_persons_does(shared: Client, queue: Queue) -> None:
    lead = Cards(shared).lead()
    queue.fresh()
    shared.call("PATCH", f"leads/{lead}", json={"status_id": 142})
    bodies = queue.fresh()
    assert heads(bodies) == _MOVE
    assert one(bodies, "leads[status]")["modified_user_id"] == "501"


def test_unsorted_bodies_of_all_categories(shared: Client, queue: Queue) -> None:
    for category in ("forms", "sip", "mail", "chats"):
        uid = Cards(shared).incoming(category)
        fields = one(queue.fresh(), "unsorted[add]")
        assert (fields["uid"], fields["category"], fields["pipeline_id"]) == (uid, category, "3100")
        assert unsorted_uid(shared, int(fields["lead_id"])) == uid
        assert fields["data.leads.0.id"] == fields["lead_id"]
        shared.do("accept_unsorted", uid=uid, by=502)
        gone = one(queue.fresh(), "unsorted[delete]")
        assert (gone["action"], gone["modified_user_id"]) == ("accept", "502")
        assert gone["accept_result.leads.0"] == fields["lead_id"]


def test_a_message_names_the_lead_in_old_and_new_words(shared: Client, queue: Queue) -> None:
    cards = Cards(shared)
    lead = cards.lead()
    contact = cards.contact(lead_id=lead)
    queue.fresh()
    shared.do("chat_message", contact_id=contact, text="Здравствуйте")
    fields = one(queue.fresh(), "message[add]")
    assert (fields["element_type"], fields["element_id"]) == ("2", str(lead))
    assert (fields["entity_type"], fields["entity_id"]) == ("lead", str(lead))


def test_a_whole_number_is_written_without_its_fraction() -> None:
    found = list(
        form.pairs("a", {"whole": 5.0, "part": 5.25, "yes": True, "no": False, "none": None, "l": []})
    )
    assert found == [("a[whole]", "5"), ("a[part]", "5.25"), ("a[yes]", "1"), ("a[no]", "0")]
