"""The invented account: people, rights, pipelines, dictionaries. What is fixed, before any lead lives."""

import random
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]

WON, LOST = 142, 143
SALES, REPEAT, PRODUCTION = 3100, 3200, 3300
TASK_FOLLOW_UP, TASK_MEETING, TASK_ESTIMATE = 1, 2, 3
DEFAULT_ACCOUNT_ID = 31_000_001
ROBOT = 0
DAY_S = 86_400
# Moscow has kept UTC+3 since October 2014, so local time is plain arithmetic here.
ZONE_OFFSET_S = 3 * 3600


@dataclass(frozen=True, kw_only=True)
class Person:
    """One user. skill scales the odds of winning, load the share of leads, view is the lead-view right."""

    id: int
    name: str
    email: str
    phone: str
    group_id: int
    role_id: int | None
    view: str
    skill: float = 1.0
    load: float = 0.0
    is_admin: bool = False
    gone_ago_s: int | None = None  # dismissed so long before the end of the history

    @property
    def is_active(self) -> bool:
        return self.gone_ago_s is None


HEAD = 501
FOREMAN = 510

PEOPLE = (
    Person(id=501, name="Анна Королёва", email="korolyova@demo.example", phone="+7 495 100-00-01", group_id=0,
           role_id=None, view="A", skill=1.5, load=0.25, is_admin=True),
    Person(id=502, name="Иван Петров", email="petrov@demo.example", phone="+7 495 100-00-02", group_id=0,
           role_id=11, view="A", skill=1.35, load=1.3),
    Person(id=503, name="Мария Соколова", email="sokolova@demo.example", phone="+7 495 100-00-03", group_id=0,
           role_id=12, view="G", skill=1.15, load=1.1),
    Person(id=504, name="Дмитрий Орлов", email="orlov@demo.example", phone="+7 495 100-00-04", group_id=0,
           role_id=13, view="M", skill=0.9, load=1.0),
    Person(id=505, name="Елена Кузнецова", email="kuznetsova@demo.example", phone="+7 495 100-00-05",
           group_id=88, role_id=13, view="M", skill=1.05, load=1.1),
    Person(id=506, name="Сергей Волков", email="volkov@demo.example", phone="+7 495 100-00-06", group_id=88,
           role_id=12, view="G", skill=1.0, load=1.0),
    Person(id=507, name="Ольга Морозова", email="morozova@demo.example", phone="+7 495 100-00-07",
           group_id=88, role_id=13, view="M", skill=0.75, load=0.9),
    Person(id=508, name="Павел Лебедев", email="lebedev@demo.example", phone="+7 495 100-00-08", group_id=88,
           role_id=14, view="D", skill=0.6, load=0.5),
    Person(id=509, name="Никита Зайцев", email="zaitsev@demo.example", phone="+7 495 100-00-09", group_id=88,
           role_id=13, view="M", skill=0.7, load=1.0, gone_ago_s=150 * DAY_S),
    Person(id=510, name="Виктор Смирнов", email="smirnov@demo.example", phone="+7 495 100-00-10", group_id=0,
           role_id=13, view="M"),
    Person(id=511, name="Ксения Фролова", email="frolova@demo.example", phone="+7 495 100-00-11", group_id=0,
           role_id=12, view="G", skill=0.95, load=0.6, gone_ago_s=310 * DAY_S),
)  # fmt: skip
BY_ID = {person.id: person for person in PEOPLE}
SELLERS = tuple(person for person in PEOPLE if person.load)
DISMISSED = tuple(person for person in SELLERS if not person.is_active)
MANAGERS = tuple(person for person in SELLERS if person.is_active and not person.is_admin)


def is_gone(user_id: int, at: int, now_s: int) -> bool:
    """Whether that user was already dismissed at that moment."""
    gone_ago_s = BY_ID[user_id].gone_ago_s if user_id in BY_ID else None
    return gone_ago_s is not None and at >= now_s - gone_ago_s


TASK_TYPES = (
    (TASK_FOLLOW_UP, "Связаться", None, None, "FOLLOW_UP"),
    (TASK_MEETING, "Встреча", None, None, "MEETING"),
    (TASK_ESTIMATE, "Подготовить смету", "3B7E7E", 3, None),
)
GROUPS = ((0, "Отдел продаж"), (88, "Оптовый отдел"))
ROLES = (
    (11, "Старший менеджер", "A"),
    (12, "Менеджер отдела", "G"),
    (13, "Менеджер", "M"),
    (14, "Стажёр", "D"),
)


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A board: unsorted_id is its type-1 status, stages are its ordinary statuses in order."""

    id: int
    name: str
    unsorted_id: int
    stages: tuple[tuple[int, str], ...]
    won_name: str
    lost_name: str

    @property
    def stage_ids(self) -> tuple[int, ...]:
        return tuple(status_id for status_id, _ in self.stages)


PIPELINES = {
    SALES: Pipeline(
        id=SALES,
        name="Продажи",
        unsorted_id=4100,
        stages=(
            (4101, "Новая заявка"),
            (4102, "Контакт установлен"),
            (4103, "Встреча"),
            (4104, "КП отправлено"),
            (4105, "Договор"),
        ),
        won_name="Успешно реализовано",
        lost_name="Закрыто и не реализовано",
    ),
    REPEAT: Pipeline(
        id=REPEAT,
        name="Повторные продажи",
        unsorted_id=4200,
        stages=((4201, "Запрос"), (4202, "Согласование"), (4203, "Счёт выставлен")),
        won_name="Оплачено",
        lost_name="Отказ",
    ),
    PRODUCTION: Pipeline(
        id=PRODUCTION,
        name="Производство",
        unsorted_id=4300,
        stages=((4301, "В очереди"), (4302, "В работе"), (4303, "Готово к выдаче")),
        won_name="Отгружено",
        lost_name="Возврат",
    ),
}

LOSS_REASONS: tuple[Row, ...] = tuple(
    {"id": 9_100 + n, "name": name, "sort": 10 * n, "created_at": 1_600_000_000, "updated_at": 1_600_000_000}
    for n, name in enumerate(
        (
            "Дорого",
            "Спам",
            "Дубль",
            "Не отвечает",
            "Выбрали конкурента",
            "Нет бюджета",
            "Ошиблись номером 🤷",
        ),
        start=1,
    )
)
TAGS: tuple[Row, ...] = tuple(
    {"id": 5 + n, "name": name, "color": color}
    for n, (name, color) in enumerate(
        (("vip", None), ("опт", "86C0FC"), ("дизайнер", None), ("срочно 🔥", "FFC8C8"), ("сайт", None))
    )
)
SOURCES = (
    {"id": 7101, "name": "Сайт", "external_id": "site", "pipeline_id": SALES, "default": True,
     "origin_code": None, "services": []},
    {"id": 7102, "name": "Телефония", "external_id": "sip", "pipeline_id": SALES, "default": False,
     "origin_code": None, "services": []},
    {"id": 7104, "name": "Почта", "external_id": "mail", "pipeline_id": SALES, "default": False,
     "origin_code": None, "services": []},
    {"id": 7103, "name": "Telegram", "external_id": "tg", "pipeline_id": SALES, "default": False,
     "origin_code": "telegram", "services": []},
)  # fmt: skip


def account_row(*, account_id: int, subdomain: str, customers_mode: str) -> Row:
    """`GET /account` with every `with=`, as the head of sales (administrator) sees it."""
    words = random.Random(f"account:{account_id}")
    return {
        "id": account_id, "name": f"Мебель «{subdomain}»", "subdomain": subdomain,
        "created_at": 1_600_000_000, "created_by": 0, "updated_at": 1_700_000_000, "updated_by": 0,
        "current_user_id": HEAD, "country": "RU", "currency": "RUB", "currency_symbol": "₽",
        "customers_mode": customers_mode, "is_unsorted_on": True, "is_loss_reason_enabled": True,
        "is_helpbot_enabled": False, "is_technical_account": False, "contact_name_display_order": 1,
        "mobile_feature_version": 0, "amojo_id": _uuid(words), "uuid": _uuid(words), "version": 11,
        "drive_url": "https://drive-b.amocrm.ru", "is_api_filter_enabled": True, "invoices_settings": None,
        "_embedded": {
            "amojo_rights": {"can_direct": True, "can_create_groups": True},
            "users_groups": [
                {"id": group_id, "name": name, "uuid": None if group_id == 0 else _uuid(words)}
                for group_id, name in GROUPS
            ],
            "task_types": [
                {"id": kind, "name": name, "color": color, "icon_id": icon_id, "code": code}
                for kind, name, color, icon_id, code in TASK_TYPES
            ],
            "entity_names": {
                "leads": {"ru": {"gender": "f", "plural_form": {"dative": "сделкам", "default": "сделки"},
                                 "singular_form": {"dative": "сделке", "default": "сделка"}}}
            },
            "datetime_settings": {
                "date_pattern": "d.m.Y H:i", "short_date_pattern": "d.m.Y", "short_time_pattern": "H:i",
                "date_format": "d.m.Y", "time_format": "H:i:s", "timezone": "Europe/Moscow",
                "timezone_offset": "+03:00",
            },
        },
    }  # fmt: skip


def user_rows() -> Iterable[Row]:
    """`GET /users?with=role,group,uuid,amojo_id,user_rank,phone_number`, the dismissed one included."""
    group_names, role_names = dict(GROUPS), {role_id: name for role_id, name, _ in ROLES}
    for person in PEOPLE:
        words = random.Random(f"user:{person.id}")
        yield {
            "id": person.id, "name": person.name, "email": person.email, "lang": "ru",
            "rights": _rights(person.view) | {
                "is_admin": person.is_admin, "is_free": False, "is_active": person.is_active,
                "group_id": person.group_id, "role_id": person.role_id,
            },
            "uuid": _uuid(words), "amojo_id": _uuid(words), "user_rank": None, "phone_number": person.phone,
            "_embedded": {
                "roles": [] if person.role_id is None
                else [{"id": person.role_id, "name": role_names[person.role_id]}],
                "groups": [{"id": person.group_id, "name": group_names[person.group_id]}],
            },
        }  # fmt: skip


def role_rows() -> Iterable[Row]:
    """`GET /roles?with=users`."""
    for role_id, name, view in ROLES:
        members = [{"id": person.id} for person in PEOPLE if person.role_id == role_id]
        yield {"id": role_id, "name": name, "rights": _rights(view), "_embedded": {"users": members}}


def pipeline_rows(account_id: int) -> Iterable[Row]:
    """`GET /leads/pipelines`, statuses embedded: type-1 unsorted, ordinary ones, own names of 142 and 143."""
    for sort, pipeline in enumerate(PIPELINES.values(), start=1):
        yield {
            "id": pipeline.id, "name": pipeline.name, "sort": sort, "is_main": pipeline.id == SALES,
            "is_unsorted_on": True, "is_archive": False, "account_id": account_id,
            "_embedded": {"statuses": list(_status_rows(pipeline, account_id))},
        }  # fmt: skip


def _status_rows(pipeline: Pipeline, account_id: int) -> Iterable[Row]:
    colors = ("#99ccff", "#ffff99", "#ffcc66", "#ffcccc", "#ccc8f9")
    board = [(pipeline.unsorted_id, "Неразобранное", 10, "#c1c1c1", 1, False)]
    board += [
        (status_id, name, 20 + 10 * n, colors[n], 0, True)
        for n, (status_id, name) in enumerate(pipeline.stages)
    ]
    board += [(WON, pipeline.won_name, 10_000, "#CCFF66", 0, False)]
    board += [(LOST, pipeline.lost_name, 11_000, "#D5D8DB", 0, False)]
    for status_id, name, sort, color, kind, is_editable in board:
        yield {
            "id": status_id, "name": name, "sort": sort, "is_editable": is_editable,
            "pipeline_id": pipeline.id, "color": color, "type": kind, "account_id": account_id,
            "descriptions": [],
        }  # fmt: skip


def _rights(view: str) -> Row:
    own = view if view != "D" else "D"
    card = {"view": own, "edit": own, "add": "A", "delete": "D", "export": "D"}
    return {
        "leads": dict(card), "contacts": dict(card), "companies": dict(card),
        "tasks": {"edit": own, "delete": own}, "mail_access": False, "catalog_access": True,
        "files_access": False, "status_rights": None,
    }  # fmt: skip


def _uuid(words: random.Random) -> str:
    return str(uuid.UUID(int=words.getrandbits(128), version=4))
