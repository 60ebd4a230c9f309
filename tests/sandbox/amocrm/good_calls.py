"""An account that has a row of everything, and calls that it accepts: what hostile input is made from."""

from typing import Any

from tests.sandbox.amocrm.support import ACCOUNT_ID, Row, a_contact, small_account

Good = tuple[str, str, Any]


def full_account() -> dict[str, list[Row]]:
    """The hand-made account with a customer, a catalogue, a talk and unsorted requests besides."""
    rows = small_account()
    rows["customers"] = [
        {**a_contact(11, name="Покупатель"), "next_date": 1760000000, "next_price": 5, "ltv": 0}
    ]
    rows["catalogs"] = [{"id": 50, "name": "Список", "type": "regular", "account_id": ACCOUNT_ID}]
    rows["catalog_elements"] = [{"id": 500, "catalog_id": 50, "name": "Стол", "is_deleted": False}]
    rows["unsorted"] = [
        unsorted("u1", "forms", 7101),
        unsorted("u2", "sip", 7102),
        unsorted("u3", "chats", 7103),
    ]
    rows["talks"] = [
        {"talk_id": 1, "created_at": 1760000000, "updated_at": 1760000000, "rate": 0, "contact_id": 8001,
         "chat_id": "c", "entity_id": 7001, "entity_type": "lead", "is_in_work": True, "is_read": False,
         "origin": "telegram", "account_id": ACCOUNT_ID}
    ]  # fmt: skip
    return rows


def unsorted(uid: str, category: str, lead_id: int) -> Row:
    """An incoming request; its lead is not among the leads."""
    return {
        "uid": uid, "category": category, "source_uid": "s", "source_name": "n", "pipeline_id": 3100,
        "created_at": 1760000000, "account_id": ACCOUNT_ID, "metadata": {},
        "_embedded": {"leads": [{"id": lead_id}], "contacts": [{"id": 8002}], "companies": []},
    }  # fmt: skip


# Method, path and JSON body, each accepted by a fresh account.
GOOD: list[Good] = [
    (
        "POST",
        "leads",
        [
            {
                "name": "x",
                "price": 5,
                "status_id": 4101,
                "pipeline_id": 3100,
                "responsible_user_id": 501,
                "created_at": 1760000000,
                "closed_at": 1760000000,
                "loss_reason_id": 61,
                "custom_fields_values": [
                    {"field_id": 911, "values": [{"enum_id": 77}]},
                    {"field_code": "UTM_SOURCE", "values": [{"value": "ya"}]},
                ],
                "_embedded": {
                    "tags": [{"name": "vip"}, {"id": 5}],
                    "contacts": [{"id": 8001, "is_main": True}],
                    "companies": [{"id": 9001}],
                },
                "request_id": "r",
            }
        ],
    ),
    (
        "PATCH",
        "leads",
        [
            {
                "id": 7001,
                "name": "y",
                "price": 6,
                "status_id": 143,
                "loss_reason_id": 61,
                "tags_to_add": [{"name": "a"}],
                "tags_to_delete": [{"id": 5}],
                "_embedded": {"tags": [{"name": "b"}]},
                "custom_fields_values": [{"field_id": 911, "values": None}],
            }
        ],
    ),
    (
        "PATCH",
        "leads/7002",
        {
            "name": "z",
            "updated_by": 0,
            "closed_at": None,
            "responsible_user_id": 502,
            "custom_fields_values": [{"field_id": 910, "values": [{"value": "q"}]}],
        },
    ),
    (
        "POST",
        "contacts",
        [
            {
                "name": "n",
                "first_name": "f",
                "last_name": "l",
                "custom_fields_values": [
                    {"field_code": "PHONE", "values": [{"value": "+7999", "enum_code": "WORK"}]}
                ],
                "_embedded": {"tags": [{"name": "t"}], "companies": [{"id": 9001}]},
            }
        ],
    ),
    ("PATCH", "contacts/8001", {"first_name": "q"}),
    ("POST", "companies", [{"name": "c"}]),
    ("PATCH", "companies", [{"id": 9001, "name": "d"}]),
    ("POST", "customers", [{"name": "c", "next_date": 1760000000, "next_price": 5}]),
    (
        "POST",
        "tasks",
        [
            {
                "text": "t",
                "complete_till": 1760000000,
                "entity_id": 7001,
                "entity_type": "leads",
                "task_type_id": 1,
                "responsible_user_id": 501,
                "duration": 5,
                "is_completed": False,
                "result": {"text": "r"},
            }
        ],
    ),
    (
        "PATCH",
        "tasks/120001",
        {"is_completed": True, "result": {"text": "done"}, "text": "u", "complete_till": 1760000001},
    ),
    ("PATCH", "tasks", [{"id": 120002, "text": "u"}]),
    ("POST", "leads/notes", [{"entity_id": 7001, "note_type": "common", "params": {"text": "t"}}]),
    (
        "POST",
        "leads/7001/notes",
        [
            {
                "note_type": "call_in",
                "params": {
                    "uniq": "u",
                    "duration": 5,
                    "source": "s",
                    "link": "https://a/",
                    "phone": "+7",
                    "call_status": 4,
                    "call_responsible": "501",
                },
            }
        ],
    ),
    (
        "POST",
        "contacts/8001/notes",
        [{"note_type": "service_message", "params": {"service": "s", "text": "t"}}],
    ),
    ("PATCH", "leads/notes", [{"id": 660001, "params": {"text": "t"}}]),
    ("PATCH", "leads/notes/660001", {"note_type": "common", "params": {"text": "w"}}),
    ("POST", "leads/notes/660001/pin", None),
    (
        "POST",
        "leads/7001/link",
        [
            {"to_entity_id": 8002, "to_entity_type": "contacts", "metadata": {"is_main": False}},
            {
                "to_entity_id": 500,
                "to_entity_type": "catalog_elements",
                "metadata": {"quantity": 2, "catalog_id": 50},
            },
        ],
    ),
    ("POST", "leads/7001/unlink", [{"to_entity_id": 8001, "to_entity_type": "contacts"}]),
    ("POST", "leads/link", [{"entity_id": 7002, "to_entity_id": 8001, "to_entity_type": "contacts"}]),
    (
        "POST",
        "leads/complex",
        [
            {
                "name": "x",
                "price": 5,
                "_embedded": {
                    "contacts": [
                        {
                            "first_name": "f",
                            "custom_fields_values": [
                                {"field_code": "PHONE", "values": [{"value": "+7999", "enum_code": "WORK"}]}
                            ],
                        }
                    ],
                    "companies": [{"name": "c"}],
                    "tags": [{"name": "t"}],
                    "metadata": {
                        "category": "forms",
                        "form_id": "1",
                        "form_name": "f",
                        "form_page": "p",
                        "form_sent_at": 1760000000,
                        "ip": "1.1.1.1",
                        "referer": "r",
                    },
                },
            }
        ],
    ),
    (
        "POST",
        "leads/unsorted/forms",
        [
            {
                "source_uid": "s",
                "source_name": "n",
                "created_at": 1760000000,
                "pipeline_id": 3100,
                "metadata": {
                    "form_id": "1",
                    "form_name": "f",
                    "form_page": "p",
                    "form_sent_at": 1760000000,
                    "ip": "1.1.1.1",
                    "referer": "r",
                },
                "_embedded": {
                    "leads": [{"name": "l"}],
                    "contacts": [{"name": "c"}],
                    "companies": [{"name": "k"}],
                },
            }
        ],
    ),
    (
        "POST",
        "leads/unsorted/sip",
        [
            {
                "source_uid": "s",
                "source_name": "n",
                "metadata": {
                    "from": "+7",
                    "phone": "+7",
                    "called_at": 1760000000,
                    "duration": 5,
                    "link": "https://a/",
                    "service_code": "q",
                    "is_call_event_needed": True,
                    "uniq": "u",
                },
                "_embedded": {"leads": [{"name": "l"}]},
            }
        ],
    ),
    ("POST", "leads/unsorted/u1/accept", {"user_id": 501, "status_id": 4102}),
    ("DELETE", "leads/unsorted/u2/decline", {"user_id": 501}),
    (
        "POST",
        "leads/unsorted/u3/link",
        {
            "user_id": 501,
            "link": {"entity_id": 7001, "entity_type": "leads", "metadata": {"contact_id": 8001}},
        },
    ),
    (
        "POST",
        "calls",
        [
            {
                "direction": "inbound",
                "duration": 5,
                "source": "s",
                "phone": "+79991234567",
                "link": "https://a/",
                "call_result": "r",
                "call_status": 4,
                "call_responsible": 501,
                "uniq": "u",
                "created_at": 1760000000,
            }
        ],
    ),
    (
        "POST",
        "leads/pipelines",
        [
            {
                "name": "p",
                "sort": 5,
                "is_main": False,
                "is_unsorted_on": True,
                "_embedded": {
                    "statuses": [{"name": "s", "sort": 10, "color": "#fffeb2"}, {"id": 142, "name": "won"}]
                },
            }
        ],
    ),
    ("PATCH", "leads/pipelines/3200", {"name": "q", "sort": 6}),
    ("POST", "leads/pipelines/3100/statuses", [{"name": "s", "sort": 25, "color": "#fffeb2"}]),
    ("PATCH", "leads/pipelines/3100/statuses/4101", {"name": "s", "sort": 26, "color": "#fffeb2"}),
    ("POST", "leads/tags", [{"name": "tt", "color": "EBEBEB"}]),
    (
        "POST",
        "leads/custom_fields",
        [
            {
                "name": "f",
                "type": "select",
                "code": "F",
                "sort": 5,
                "enums": [{"value": "a", "sort": 1}],
                "is_api_only": False,
                "required_statuses": [{"status_id": 4101, "pipeline_id": 3100}],
                "group_id": None,
            }
        ],
    ),
    ("PATCH", "leads/custom_fields/911", {"name": "g", "enums": [{"id": 77, "value": "b"}]}),
    ("POST", "leads/custom_fields/groups", [{"name": "g", "sort": 5}]),
    ("POST", "catalogs", [{"name": "c", "type": "regular", "sort": 5, "can_add_elements": True}]),
    ("PATCH", "catalogs/50", {"name": "c"}),
    ("POST", "catalogs/50/elements", [{"name": "e", "custom_fields_values": []}]),
    ("PATCH", "catalogs/50/elements/500", {"name": "f"}),
    (
        "POST",
        "users",
        [
            {
                "name": "u",
                "email": "u@a.example",
                "password": "p",
                "lang": "ru",
                "rights": {"leads": {"view": "A"}},
            }
        ],
    ),
    ("POST", "users/activate", [{"id": 502}]),
    (
        "POST",
        "roles",
        [
            {
                "name": "r",
                "rights": {"leads": {"view": "A", "edit": "A", "add": "A", "delete": "A", "export": "A"}},
            }
        ],
    ),
    (
        "POST",
        "sources",
        [
            {
                "name": "s",
                "external_id": "e",
                "pipeline_id": 3100,
                "default": False,
                "services": [
                    {
                        "type": "whatsapp",
                        "params": {"waba": True},
                        "pages": [{"name": "n", "id": "1", "link": "l"}],
                    }
                ],
            }
        ],
    ),
    ("POST", "leads/loss_reasons", [{"name": "l"}]),
    ("PATCH", "customers/mode", {"mode": "segments", "is_enabled": True}),
    (
        "POST",
        "customers/11/transactions",
        [
            {
                "price": 5,
                "comment": "c",
                "completed_at": 1760000000,
                "catalog_elements": [{"id": 500, "metadata": {"quantity": 1, "catalog_id": 50}}],
            }
        ],
    ),
    ("POST", "customers/11/bonus_points", {"earn": 5}),
    ("POST", "customers/statuses", [{"name": "s", "sort": 5}]),
    ("POST", "customers/segments", [{"name": "s", "color": "a"}]),
    ("POST", "webhooks", {"destination": "https://a.example/", "settings": ["add_lead"], "sort": 5}),
    ("DELETE", "webhooks", {"destination": "https://a.example/"}),
    ("POST", "talks/1/close", {"force_close": True}),
]
