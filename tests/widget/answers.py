"""Panels as the API answers them, in both languages."""

from typing import Any

RU = {
    "updated": "обновлено в 19:00",
    "period": ("Ноябрь 2026", "к 1–22 октября"),
    "lead": ("Поставка станков", "Переговоры", "Продажи", "450 000 ₽", "3 дня на этапе"),
    "next": ("Просрочена задача", "Позвонить и согласовать спецификацию", "вчера, 18:00"),
    "mine": "Мой месяц",
    "team": "Отдел",
    "revenue": "Объём продаж",
    "won_count": "Продажи",
    "average_deal": "Средний чек",
    "conversion": "Конверсия лидов в продажи",
    "calls_out": "Исходящие звонки",
    "sales_cycle": "Длительность сделки",
    "reason": "Нет ни одной закрытой сделки за период",
    "hint": "Σ бюджета сделок, выигранных за период",
    "chart": ("Продажи нарастающим итогом", "Ноябрь", "Октябрь"),
}
EN = {
    "updated": "updated at 19:00",
    "period": ("November 2026", "against 1–22 October"),
    "lead": ("Machine delivery", "Negotiation", "Sales", "450,000 ₽", "3 days in this stage"),
    "next": ("Overdue task", "Call and agree on the specification", "yesterday, 18:00"),
    "mine": "My month",
    "team": "Department",
    "revenue": "Revenue",
    "won_count": "Won",
    "average_deal": "Average deal size",
    "conversion": "Conversion of leads into sales",
    "calls_out": "Outgoing calls",
    "sales_cycle": "Sales cycle",
    "reason": "No lead was closed in the period",
    "hint": "Sum of prices of leads won in the period",
    "chart": ("Sales, running total", "November", "October"),
}


def metric(
    metric_id: str,
    texts: dict[str, Any],
    text: str | None,
    previous: str = "",
    change: str | None = None,
    trend: str = "none",
    **more: Any,
) -> dict[str, Any]:
    """One metric of a section; `text` None is a value that is missing."""
    return {
        "id": metric_id,
        "title": texts[metric_id],
        "unit": "money",
        "value": None if text is None else "1",
        "text": text,
        "previous_text": previous,
        "change_text": change,
        "trend": trend,
        "hint": texts["hint"],
        "reason_text": texts["reason"] if text is None else None,
        "small": False,
        **more,
    }


def panel(lang: str = "ru", **changes: Any) -> dict[str, Any]:
    """A whole answer; `changes` replace top-level keys."""
    texts: dict[str, Any] = RU if lang == "ru" else EN
    days = [str(day) for day in range(1, 31)]
    now = [
        0,
        0,
        45,
        45,
        45,
        45,
        45,
        140,
        140,
        310,
        310,
        310,
        310,
        390,
        390,
        390,
        610,
        610,
        610,
        610,
        790,
        845,
    ]
    then = [0, 60, 60, 60, 60, 130, 130, 130, 170, 170, 170, 260, 260, 260, 330, 410, 410, 410, 480, 480, 520]
    then += [690, 690, 690, 720, 810, 810, 905, 905, 905]
    return {
        "as_of": "2026-11-22T19:00:00+03:00",
        "as_of_text": texts["updated"],
        "complete": True,
        "progress_text": None,
        "account": {
            "id": 31000001,
            "name": "Demo",
            "currency": "RUB",
            "timezone": "Europe/Moscow",
            "state": "active",
        },
        "viewer": {"user_id": 501, "name": "Анна Крылова", "scope": "M"},
        "period": {
            "start_on": "2026-11-01",
            "end_on": "2026-11-30",
            "title": texts["period"][0],
            "compared_text": texts["period"][1],
        },
        "lead": lead(texts),
        "sections": [
            {
                "id": "mine",
                "title": texts["mine"],
                "metrics": [
                    metric("revenue", texts, "845 000 ₽", "690 000 ₽", "+22,5 %", "good"),
                    metric("won_count", texts, "14", "15", "−6,7 %", "bad"),
                    metric("average_deal", texts, "60 357 ₽", "46 000 ₽", "+31,2 %", "good"),
                    metric("conversion", texts, "18,4 %", "18,4 %", "0 %", "flat"),
                    metric("calls_out", texts, "212", "198", "+7,1 %", "good", small=True),
                    metric("sales_cycle", texts, None),
                ],
            },
            {
                "id": "team",
                "title": texts["team"],
                "metrics": [
                    metric("revenue", texts, "12 345 678,90 ₽", "11 020 400,00 ₽", "+12,0 %", "good"),
                    metric("won_count", texts, "1 204", "1 311", "−8,2 %", "bad"),
                ],
            },
        ],
        "chart": {
            "title": texts["chart"][0],
            "unit": "money",
            "labels": days,
            "series": [
                {"title": texts["chart"][1], "values": [v * 1000 for v in now] + [None] * 8},
                {"title": texts["chart"][2], "values": [v * 1000 for v in then]},
            ],
        },
        **changes,
    }


def lead(texts: dict[str, Any], level: str = "bad") -> dict[str, Any]:
    """The lead block with an overdue task."""
    name, status, pipeline, price, in_status = texts["lead"]
    title, text, due = texts["next"]
    return {
        "id": 7001,
        "name": name,
        "status": status,
        "pipeline": pipeline,
        "price_text": price,
        "in_status_text": in_status,
        "next": {"kind": "task_overdue", "level": level, "title": title, "text": text, "due_text": due},
    }
