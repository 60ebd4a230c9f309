"""Rows of the mirror in one line each, for tests that state a case as a table.

All write to the account that ``an_account`` (or ``in_account``) chose last on the session. Moments may be
texts in Moscow time: "2026-01-15 10:00", or with seconds. Unlike the product, builders choose every default.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert
from sqlalchemy.orm import Session

from widget_backend.crm.models import (
    Company,
    Contact,
    Event,
    GroupMembership,
    Lead,
    Link,
    Note,
    Pipeline,
    Status,
    Task,
    User,
    UserGroup,
)
from widget_backend.crm.stage_roles import guess_pipeline_role
from widget_backend.db.engine import set_account
from widget_backend.oauth.models import Account, Integration

ACCOUNT = 31000001
MOSCOW = ZoneInfo("Europe/Moscow")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SYNCED = datetime(2026, 6, 1, tzinfo=UTC)

SALES, NEW, TALKS, OFFER, UNSORTED = 3100, 4101, 4102, 4103, 4100
WON, LOST = 142, 143

_numbers = count(1)


def at(moment: str | datetime, zone: ZoneInfo = MOSCOW) -> datetime:
    """A text as a moment, local in ``zone`` unless it carries an offset; moments as they are."""
    if isinstance(moment, datetime):
        return moment
    parsed = datetime.fromisoformat(moment)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)


def _add(session: Session, model: Any, **columns: Any) -> None:
    session.execute(insert(model.__table__), {"account_id": session.info["account_id"], **columns})


def an_account(session: Session, account_id: int = ACCOUNT, **columns: Any) -> int:
    """An account with its integration; it becomes the session's account."""
    client_id = f"client-{account_id}"
    session.execute(
        insert(Integration.__table__),
        {
            "client_id": client_id,
            "secret_encrypted": b"x",
            "redirect_uri": "http://localhost/",
            "title": "",
            "created_at": SYNCED,
        },
    )
    defaults = {
        "subdomain": f"demo{account_id}",
        "domain": f"demo{account_id}.amocrm.ru",
        "name": "Демо",
        "state": "active",
        "client_id": client_id,
        "timezone": "Europe/Moscow",
        "currency": "RUB",
        "country": "RU",
        "filters_enabled": True,
        "installed_at": SYNCED,
        "updated_at": SYNCED,
    }
    session.execute(insert(Account.__table__), {"account_id": account_id, **defaults, **columns})
    in_account(session, account_id)
    return account_id


def in_account(session: Session, account_id: int) -> None:
    """Write to, and see, this account from now on."""
    session.info["account_id"] = account_id
    set_account(session, account_id)


def a_pipeline(
    session: Session,
    id: int = SALES,
    name: str = "Продажи",
    *,
    role: str | None = None,
    statuses: Sequence[int] = (NEW, TALKS, OFFER),
    unsorted: int | None = UNSORTED,
) -> int:
    """A pipeline with its ordinary statuses, 142, 143 and (unless None) an unsorted one."""
    _add(
        session,
        Pipeline,
        id=id,
        name=name,
        sort=1,
        role=role or guess_pipeline_role(name),
        is_main=id == SALES,
        is_archive=False,
        is_deleted=False,
        role_set_by_person=False,
        synced_at=SYNCED,
    )
    places = [(status, 20 + i, 0) for i, status in enumerate(statuses)]
    places += [(WON, 10000, 0), (LOST, 11000, 0)]
    places += [(unsorted, 10, 1)] if unsorted is not None else []
    for status, sort, kind in places:
        _add(
            session,
            Status,
            pipeline_id=id,
            id=status,
            name=str(status),
            sort=sort,
            type=kind,
            is_deleted=False,
            synced_at=SYNCED,
        )
    return id


def a_group(session: Session, id: int = 88, name: str = "Опт") -> int:
    """A department."""
    _add(session, UserGroup, id=id, name=name, is_deleted=False, synced_at=SYNCED)
    return id


def a_user(session: Session, id: int = 501, *, group_id: int | None = 88, **columns: Any) -> int:
    """A user, in that group since 1970 as far as anybody knows."""
    defaults = {
        "name": f"Менеджер {id}",
        "email": f"user{id}@example.com",
        "is_admin": False,
        "is_active": True,
        "is_free": False,
        "is_known": True,
        "lead_view": "A",
        "synced_at": SYNCED,
    }
    _add(session, User, id=id, group_id=group_id, **{**defaults, **columns})
    joined(session, id, EPOCH, group_id)
    return id


def joined(session: Session, user_id: int, since: str | datetime, group_id: int | None) -> None:
    """From then on the user is in that group."""
    _add(session, GroupMembership, user_id=user_id, valid_from=at(since), group_id=group_id)


def a_lead(
    session: Session,
    id: int,
    *,
    created: str | datetime = "2026-01-10 10:00",
    pipeline: int | None = SALES,
    status: int | None = NEW,
    price: Any = 1000,
    user: int | None = 501,
    closed: str | datetime | None = None,
    updated: str | datetime | None = None,
    contacts: Sequence[int] = (),
    companies: Sequence[int] = (),
    **columns: Any,
) -> int:
    """A lead as it stands now, with its links (whose records need not exist)."""
    defaults = {
        "name": f"Сделка {id}",
        "created_by": 501,
        "is_deleted": False,
        "payload": {"id": id},
        "synced_at": SYNCED,
    }
    _add(
        session,
        Lead,
        id=id,
        created_at=at(created),
        updated_at=at(updated or closed or created),
        closed_at=at(closed) if closed else None,
        pipeline_id=pipeline,
        status_id=status,
        price=Decimal(str(price)) if price is not None else None,
        responsible_user_id=user,
        **{**defaults, **columns},
    )
    for to_type, ids in (("contacts", contacts), ("companies", companies)):
        for to_id in ids:
            a_link(session, id, to_type, to_id)
    return id


def a_link(session: Session, lead_id: int, to_type: str, to_id: int, *, is_main: bool = True) -> None:
    """A present link of a lead."""
    _add(session, Link, lead_id=lead_id, to_type=to_type, to_id=to_id, is_main=is_main)


def a_contact(session: Session, id: int = 8001, name: str = "Иван Тестов", **columns: Any) -> int:
    """A contact."""
    _a_person(session, Contact, id, name, columns)
    return id


def a_company(session: Session, id: int = 9001, name: str = "ООО «Пример»", **columns: Any) -> int:
    """A company."""
    _a_person(session, Company, id, name, columns)
    return id


def _a_person(session: Session, model: Any, id: int, name: str, columns: dict[str, Any]) -> None:
    defaults = {
        "created_at": EPOCH,
        "updated_at": EPOCH,
        "is_deleted": False,
        "payload": {"id": id},
        "synced_at": SYNCED,
    }
    _add(session, model, id=id, name=name, **{**defaults, **columns})


def an_event(
    session: Session,
    type: str,
    entity_id: int,
    moment: str | datetime,
    *,
    entity: str = "lead",
    before: list[Any] | None = None,
    after: list[Any] | None = None,
    by: int = 501,
    id: str | None = None,
) -> str:
    """An event with values as amoCRM writes them; its id grows with the order of calls."""
    event_id = id or f"01e{next(_numbers):012d}"
    _add(
        session,
        Event,
        id=event_id,
        type=type,
        entity_type=entity,
        entity_id=entity_id,
        created_at=at(moment),
        created_by=by,
        value_before=before or [],
        value_after=after or [],
        synced_at=SYNCED,
    )
    return event_id


def status_value(pipeline: int, status: int) -> list[Any]:
    """``value_before`` or ``value_after`` of a status event."""
    return [{"lead_status": {"id": status, "pipeline_id": pipeline}}]


def user_value(user_id: int) -> list[Any]:
    """The value of a change of the responsible user."""
    return [{"responsible_user": {"id": user_id}}]


def sale_value(price: float) -> list[Any]:
    """The value of a change of price."""
    return [{"sale_field_value": {"sale": price}}]


def moved(
    session: Session,
    lead_id: int,
    moment: str | datetime,
    before: int | tuple[int, int],
    after: int | tuple[int, int],
    *,
    by: int = 501,
) -> str:
    """A status event; a bare status is one of the sales pipeline."""
    places = [place if isinstance(place, tuple) else (SALES, place) for place in (before, after)]
    values = [status_value(*place) for place in places]
    return an_event(session, "lead_status_changed", lead_id, moment, before=values[0], after=values[1], by=by)


def handed_over(
    session: Session, lead_id: int, moment: str | datetime, before: int, after: int, *, by: int = 501
) -> str:
    """An event: another user became responsible."""
    return an_event(
        session,
        "entity_responsible_changed",
        lead_id,
        moment,
        before=user_value(before),
        after=user_value(after),
        by=by,
    )


def repriced(session: Session, lead_id: int, moment: str | datetime, before: float, after: float) -> str:
    """An event: the price changed."""
    return an_event(
        session, "sale_field_changed", lead_id, moment, before=sale_value(before), after=sale_value(after)
    )


def a_call(
    session: Session,
    on: tuple[str, int],
    moment: str | datetime,
    *,
    direction: str = "out",
    duration: Any = 60,
    uniq: str | None = None,
    phone: str | None = "+7 916 000-00-01",
    call_status: Any = None,
    by: int = 501,
    responsible: Any = None,
    user: int | None = 501,
    id: int | None = None,
    **columns: Any,
) -> int:
    """A call note on ("leads"|"contacts"|"companies", id); ``responsible`` is its call_responsible."""
    params = {
        "uniq": uniq,
        "duration": duration,
        "phone": phone,
        "call_status": call_status,
        "call_responsible": responsible,
        "source": "telephony",
    }
    note_id = id or 100_000 + next(_numbers)
    _add(
        session,
        Note,
        entity_type=on[0],
        entity_id=on[1],
        id=note_id,
        note_type=f"call_{direction}",
        created_at=at(moment),
        updated_at=at(moment),
        created_by=by,
        responsible_user_id=user,
        params={name: value for name, value in params.items() if value is not None},
        **{"is_deleted": False, "synced_at": SYNCED, **columns},
    )
    return note_id


def a_task(
    session: Session,
    id: int,
    on: tuple[str, int] | None,
    *,
    type: int = 2,
    completed: str | datetime | None = None,
    created: str | datetime = "2026-01-10 10:00",
    result: str | None = None,
    by: int = 501,
    **columns: Any,
) -> int:
    """A task (a meeting by default); ``completed`` is its last update, made by ``by``."""
    defaults = {
        "text": "Задача",
        "responsible_user_id": 501,
        "created_by": 501,
        "is_deleted": False,
        "payload": {"id": id},
        "synced_at": SYNCED,
    }
    _add(
        session,
        Task,
        id=id,
        entity_type=on[0] if on else None,
        entity_id=on[1] if on else None,
        task_type_id=type,
        created_at=at(created),
        updated_at=at(completed or created),
        updated_by=by,
        is_completed=completed is not None,
        result_text=result,
        **{**defaults, **columns},
    )
    return id
