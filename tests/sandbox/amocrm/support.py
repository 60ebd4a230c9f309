"""A small hand-made account as rows, its snapshot directory, and a client with a token."""

import json
from pathlib import Path
from typing import Any

import requests

Row = dict[str, Any]
ACCOUNT_ID = 31000001
STATUSES = [
    (4100, "Неразобранное", 10, 1),
    (4101, "Новая", 20, 0),
    (4102, "В работе", 30, 0),
    (142, "Успешно", 10000, 0),
    (143, "Потеряно", 11000, 0),
]


def a_pipeline(pipeline_id: int, statuses: list[tuple[int, str, int, int]], *, is_main: bool) -> Row:
    """A pipeline row with its statuses embedded."""
    rows = [
        {
            "id": n,
            "name": name,
            "sort": sort,
            "type": kind,
            "is_editable": n > 1000,
            "pipeline_id": pipeline_id,
            "color": "#fffeb2",
            "account_id": ACCOUNT_ID,
        }
        for n, name, sort, kind in statuses
    ]
    return {
        "id": pipeline_id,
        "name": f"Воронка {pipeline_id}",
        "sort": pipeline_id,
        "is_main": is_main,
        "is_unsorted_on": True,
        "is_archive": False,
        "account_id": ACCOUNT_ID,
        "_embedded": {"statuses": rows},
    }


def a_user(user_id: int, *, is_admin: bool = False, view: str = "A", group_id: int = 0, **more: Any) -> Row:
    """A user row."""
    card = {"view": view, "edit": view, "add": "A", "delete": "D", "export": "D"}
    rights = {
        "leads": card,
        "contacts": card,
        "companies": card,
        "is_admin": is_admin,
        "is_free": False,
        "is_active": True,
        "group_id": group_id,
        "role_id": None,
        **more,
    }
    return {
        "id": user_id,
        "name": f"Человек {user_id}",
        "email": f"u{user_id}@example.test",
        "lang": "ru",
        "rights": rights,
        "uuid": f"uuid-{user_id}",
        "amojo_id": None,
        "user_rank": None,
        "phone_number": None,
        "_embedded": {"roles": [], "groups": [{"id": group_id, "name": "Отдел"}]},
    }


def a_lead(lead_id: int, **more: Any) -> Row:
    """A lead row with everything `with=` can show."""
    row: Row = {
        "id": lead_id,
        "name": f"Заказ {lead_id}",
        "price": 1000,
        "responsible_user_id": 501,
        "group_id": 0,
        "status_id": 4101,
        "pipeline_id": 3100,
        "loss_reason_id": None,
        "source_id": 7101,
        "created_by": 0,
        "updated_by": 501,
        "created_at": 1760000000 + lead_id,
        "updated_at": 1760000000 + lead_id,
        "closed_at": None,
        "closest_task_at": None,
        "is_deleted": False,
        "custom_fields_values": None,
        "score": None,
        "account_id": ACCOUNT_ID,
        "labor_cost": None,
        "is_price_modified_by_robot": False,
    }
    embedded = {
        "tags": [],
        "companies": [],
        "contacts": [],
        "loss_reason": [],
        "catalog_elements": [],
        "source": {"id": 7101, "name": "Сайт"},
        **more.pop("_embedded", {}),
    }
    return {**row, **more, "_embedded": embedded}


def a_contact(contact_id: int, **more: Any) -> Row:
    """A contact row."""
    row: Row = {
        "id": contact_id,
        "name": "Иван",
        "first_name": "Иван",
        "last_name": "",
        "responsible_user_id": 501,
        "group_id": 0,
        "created_by": 501,
        "updated_by": 501,
        "created_at": 1760000000,
        "updated_at": 1760000000,
        "closest_task_at": None,
        "is_deleted": False,
        "is_unsorted": False,
        "custom_fields_values": [
            {
                "field_id": 301,
                "field_name": "Телефон",
                "field_code": "PHONE",
                "field_type": "multitext",
                "values": [{"value": "+7 (999) 123-45-67", "enum_id": 711, "enum_code": "WORK"}],
            }
        ],
        "account_id": ACCOUNT_ID,
    }
    embedded: Row = {"tags": [], "companies": [], "leads": [], "customers": [], "catalog_elements": []}
    return {**row, **more, "_embedded": {**embedded, **more.get("_embedded", {})}}


def a_task(task_id: int, **more: Any) -> Row:
    """An open task on lead 7001."""
    row: Row = {
        "id": task_id,
        "created_by": 501,
        "updated_by": 501,
        "created_at": 1760000000,
        "updated_at": 1760000000,
        "responsible_user_id": 501,
        "group_id": 0,
        "entity_id": 7001,
        "entity_type": "leads",
        "duration": 0,
        "is_completed": False,
        "task_type_id": 1,
        "text": "Позвонить",
        "result": [],
        "complete_till": 1760086400,
        "account_id": ACCOUNT_ID,
    }
    return {**row, **more}


def account_json(**more: Any) -> Row:
    """account.json of the hand-made account."""
    embedded = {
        "users_groups": [
            {"id": 0, "name": "Отдел продаж", "uuid": None},
            {"id": 88, "name": "Опт", "uuid": "u"},
        ],
        "task_types": [{"id": 1, "name": "Связаться", "color": None, "icon_id": None, "code": "FOLLOW_UP"}],
        "datetime_settings": {"timezone": "Europe/Moscow", "timezone_offset": "+03:00"},
        "amojo_rights": {"can_direct": True, "can_create_groups": True},
    }
    body: Row = {
        "id": ACCOUNT_ID,
        "name": "Demo",
        "subdomain": "demo",
        "created_at": 1600000000,
        "country": "RU",
        "currency": "RUB",
        "currency_symbol": "₽",
        "customers_mode": "disabled",
        "is_unsorted_on": True,
        "is_loss_reason_enabled": True,
        "is_api_filter_enabled": True,
        "amojo_id": "52fd",
        "uuid": "acc",
        "version": 11,
        "drive_url": "https://drive-b.amocrm.ru",
        "_embedded": embedded,
    }
    return {**body, **more}


def small_account() -> dict[str, list[Row]]:
    """Rows per file: three users, two pipelines, five leads of which one is deleted and one merged."""
    fields = [
        {
            "id": 910,
            "name": "utm_source",
            "code": "UTM_SOURCE",
            "type": "tracking_data",
            "sort": 1,
            "enums": None,
        },
        {
            "id": 911,
            "name": "Тип",
            "code": None,
            "type": "select",
            "sort": 2,
            "enums": [
                {"id": 77, "value": "Опт", "sort": 1, "code": None},
                {"id": 78, "value": "Розница", "sort": 2, "code": None},
            ],
        },
    ]
    phone = {
        "id": 301,
        "name": "Телефон",
        "code": "PHONE",
        "type": "multitext",
        "sort": 1,
        "enums": [{"id": 711, "value": "WORK", "sort": 1}, {"id": 715, "value": "MOB", "sort": 2}],
    }
    vip = [{"id": 5, "name": "vip", "color": None}]
    chosen = [
        {
            "field_id": 911,
            "field_name": "Тип",
            "field_code": None,
            "field_type": "select",
            "values": [{"value": "Опт", "enum_id": 77, "enum_code": None}],
        }
    ]
    return {
        "users": [
            a_user(501, is_admin=True),
            a_user(502, view="M", group_id=88),
            a_user(503, view="G", group_id=88),
        ],
        "roles": [{"id": 12, "name": "Менеджер", "rights": {}, "_embedded": {"users": [502]}}],
        "pipelines": [
            a_pipeline(3100, STATUSES, is_main=True),
            a_pipeline(
                3200, [(4201, "Вход", 20, 0), (142, "Да", 10000, 0), (143, "Нет", 11000, 0)], is_main=False
            ),
        ],
        "loss_reasons": [{"id": 61, "name": "Дорого", "sort": 1, "created_at": 1, "updated_at": 1}],
        "sources": [{"id": 7101, "name": "Сайт", "external_id": "site", "pipeline_id": 3100}],
        "tags": [{"id": 5, "name": "vip", "color": None}],
        "custom_fields_leads": fields,
        "custom_fields_contacts": [phone],
        "leads": [
            a_lead(
                7001,
                custom_fields_values=chosen,
                closest_task_at=1760086400,
                _embedded={
                    "tags": vip,
                    "contacts": [{"id": 8001, "is_main": True}],
                    "companies": [{"id": 9001}],
                },
            ),
            a_lead(7002, responsible_user_id=502, group_id=88, price=2500, custom_fields_values=[]),
            a_lead(
                7003,
                status_id=142,
                closed_at=1760100000,
                pipeline_id=3200,
                responsible_user_id=503,
                group_id=88,
            ),
            a_lead(7004, is_deleted=True),
            a_lead(7005, _merged_into=7001),
        ],
        "contacts": [a_contact(8001, _embedded={"leads": [{"id": 7001}]}), a_contact(8002, name="Пётр")],
        "companies": [
            {
                k: v
                for k, v in a_contact(9001, name="ООО Ромашка").items()
                if k not in ("first_name", "last_name", "is_unsorted")
            }
        ],
        "tasks": [
            a_task(120001),
            a_task(120002, entity_id=None, entity_type=None, is_completed=True, result={"text": "Готово"}),
        ],
        "notes_leads": [
            {
                "id": 660001,
                "entity_id": 7001,
                "created_by": 501,
                "updated_by": 501,
                "created_at": 1760000100,
                "updated_at": 1760000100,
                "responsible_user_id": 501,
                "group_id": 0,
                "note_type": "common",
                "params": {"text": "Тест"},
                "account_id": ACCOUNT_ID,
            }
        ],
        "events": [
            {
                "id": f"01jb3c9q6m3m0v6qk3y8j8w2{n:02}",
                "type": "lead_added",
                "entity_id": 7001 + n % 3,
                "entity_type": "lead",
                "created_by": 501,
                "created_at": 1760000000 + n,
                "value_before": [],
                "value_after": [],
                "account_id": ACCOUNT_ID,
                "_embedded": {"entity": {"id": 7001 + n % 3}},
            }
            for n in range(12)
        ],
    }


def write_account(directory: Path, account: Row, rows: dict[str, list[Row]]) -> Path:
    """Write a snapshot directory."""
    directory.mkdir(parents=True)
    (directory / "account.json").write_text(json.dumps(account, ensure_ascii=False), encoding="utf-8")
    for name, items in rows.items():
        text = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)
        (directory / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return directory


class Client:
    """Talks to a simulator: its doors, and API v4 with a bearer token."""

    def __init__(self, url: str, subdomain: str = "demo", user_id: int | None = None) -> None:
        self.url = url
        self.subdomain = subdomain
        self.http = requests.Session()
        self.integration = self.door(
            "integrations", redirect_uri="https://app.example/cb", subdomain=subdomain
        )
        named = {} if user_id is None else {"user_id": user_id}
        code = self.door("codes", client_id=self.integration["client_id"], subdomain=subdomain, **named)[
            "code"
        ]
        self.tokens = self.token(grant_type="authorization_code", code=code).json()

    def door(self, name: str, **body: Any) -> Any:
        """POST to a door and answer its JSON; the call must succeed."""
        response = self.http.post(f"{self.url}/_sandbox/{name}", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    def do(self, name: str, /, by: int = 501, **params: Any) -> Any:
        """One action; answers what it made or changed."""
        response = self.http.post(
            f"{self.url}/_sandbox/actions",
            json=[{"do": name, "by": by, "subdomain": self.subdomain, **params}],
        )
        assert response.status_code == 200, response.text
        return response.json()["done"][0]

    def token(self, **params: Any) -> requests.Response:
        """POST to the token endpoint with the integration's own credentials, or others."""
        own = {k: self.integration[k] for k in ("client_id", "client_secret", "redirect_uri")}
        headers = {"Host": f"{self.subdomain}.amocrm.ru"}
        return self.http.post(f"{self.url}/oauth2/access_token", json={**own, **params}, headers=headers)

    def call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Any call of API v4."""
        headers = {
            "Authorization": f"Bearer {self.tokens['access_token']}",
            "Host": f"{self.subdomain}.amocrm.ru",
        }
        headers |= kwargs.pop("headers", {})
        return self.http.request(method, f"{self.url}/api/v4/{path}", headers=headers, **kwargs)

    def get(self, path: str) -> requests.Response:
        """GET of API v4."""
        return self.call("GET", path)

    def rows(self, path: str, key: str) -> list[Row]:
        """The rows of one page; none for 204."""
        response = self.get(path)
        assert response.status_code in (200, 204), response.text
        return [] if response.status_code == 204 else list(response.json()["_embedded"][key])

    def truth(self, entity: str) -> list[Row]:
        """The account's rows as the sandbox has them."""
        response = self.http.get(f"{self.url}/_sandbox/truth/{entity}?subdomain={self.subdomain}")
        return [json.loads(line) for line in response.text.splitlines()]

    def row(self, entity: str, row_id: Any) -> Row:
        """One row of the truth."""
        return next(row for row in self.truth(entity) if row["id"] == row_id)

    def events_of(self, entity_id: int, kind: str | None = None) -> list[Row]:
        """Events about an id, oldest first."""
        found = [event for event in self.truth("events") if event["entity_id"] == entity_id]
        return [event for event in found if kind in (None, event["type"])]
