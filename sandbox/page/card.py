"""What the lead card and the lists show, from the simulator's rows."""

from datetime import UTC, datetime
from typing import Any

from sandbox.page.simulator import Row, Simulator

CLOSED = (142, 143)
VIEWS = {"A": "все сделки", "G": "сделки группы", "M": "свои сделки"}
TEXTS = {
    "ru": {
        "lead": "Сделка",
        "leads": "Сделки",
        "main": "Основное",
        "stats": "Статистика",
        "files": "Файлы",
        "responsible": "Отв-ный",
        "price": "Бюджет",
        "pipeline": "Воронка",
        "created": "Создана",
        "contact": "Контакт",
        "company": "Компания",
        "today": "Сегодня",
        "feed_created": "Сделка создана",
        "feed_status": "Новый этап",
        "note": "Введите примечание…",
        "list_hint": "Откройте сделку, чтобы увидеть панель виджета.",
        "widgets": "Виджеты",
        "save": "Сохранить",
        "integrations": "Интеграции",
        "installed": "Установлено",
        "not_installed": "Не установлено",
        "install": "Установить",
        "disable": "Отключить",
        "close": "Закрыть",
        "more": "Ещё",
    },
    "en": {
        "lead": "Lead",
        "leads": "Leads",
        "main": "Main",
        "stats": "Statistics",
        "files": "Files",
        "responsible": "Resp. user",
        "price": "Sale",
        "pipeline": "Pipeline",
        "created": "Created",
        "contact": "Contact",
        "company": "Company",
        "today": "Today",
        "feed_created": "Lead created",
        "feed_status": "New stage",
        "note": "Write a note…",
        "list_hint": "Open a lead to see the widget's panel.",
        "widgets": "Widgets",
        "save": "Save",
        "integrations": "Integrations",
        "installed": "Installed",
        "not_installed": "Not installed",
        "install": "Install",
        "disable": "Disable",
        "close": "Close",
        "more": "More",
    },
}


def card(simulator: Simulator, lead_id: int, lang: str) -> dict[str, Any] | None:
    """Everything the card's template needs; lead id 0 is a new unsaved card, None an unknown lead."""
    lead: Row | None = (
        simulator.lead(lead_id) if lead_id else {"id": 0, "name": TEXTS[lang]["lead"], "price": 0}
    )
    if lead is None:
        return None
    pipeline, statuses = _pipeline(simulator.pipelines(), lead)
    return {
        "lead": lead,
        "pipeline": pipeline.get("name", ""),
        "statuses": [_step(status, lead, statuses) for status in statuses if status["id"] != 143],
        "status": next((s["name"] for s in statuses if s["id"] == lead.get("status_id")), ""),
        "responsible": _name(simulator.users(), lead.get("responsible_user_id")),
        "price": f"{int(lead.get('price') or 0):,}".replace(",", "\u00a0"),
        "created": _date(lead.get("created_at")),
        "updated": _date(lead.get("updated_at")),
    }


def open_leads(simulator: Simulator, limit: int) -> list[dict[str, Any]]:
    """The open leads that changed last, with the names of their people."""
    users = simulator.users()
    rows = [lead for lead in simulator.leads() if lead.get("status_id") not in CLOSED]
    rows.sort(key=lambda lead: (-int(lead.get("updated_at") or 0), int(lead["id"])))
    return [{**lead, "responsible": _name(users, lead.get("responsible_user_id"))} for lead in rows[:limit]]


def sees(user: Row) -> str:
    """Whose leads the user's rights show, in a word or two."""
    rights = user.get("rights") or {}
    if not rights.get("is_active", True):
        return "уволен"
    if rights.get("is_admin"):
        return "администратор"
    return VIEWS.get(str((rights.get("leads") or {}).get("view")), "нет доступа")


def _pipeline(pipelines: list[Row], lead: Row) -> tuple[Row, list[Row]]:
    found = next(
        (p for p in pipelines if p["id"] == lead.get("pipeline_id")), pipelines[0] if pipelines else {}
    )
    statuses = found.get("_embedded", {}).get("statuses", [])
    return found, sorted(statuses, key=lambda status: int(status.get("sort") or 0))


def _step(status: Row, lead: Row, statuses: list[Row]) -> dict[str, Any]:
    order = [row["id"] for row in statuses]
    here = order.index(lead["status_id"]) if lead.get("status_id") in order else 0
    reached = order.index(status["id"]) <= here
    return {"name": status["name"], "color": status.get("color") or "#99ccff", "reached": reached}


def _name(users: list[Row], user_id: Any) -> str:
    return next((str(user["name"]) for user in users if user["id"] == user_id), "—")


def _date(moment: Any) -> str:
    # The simulated CRM shows minutes of the day in UTC: nothing is measured by this page.
    return datetime.fromtimestamp(int(moment), UTC).strftime("%d.%m.%Y %H:%M") if moment else "—"
