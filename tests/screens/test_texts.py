"""Words and dates of the screens: literal tables, both languages."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from widget_backend.kpi.kinds import Better
from widget_backend.kpi.query import NO_ACCESS, NO_DATA, NO_HISTORY
from widget_backend.screens import texts
from widget_backend.screens.month import change
from widget_backend.screens.texts import (
    WORDS,
    day_name,
    day_range,
    days_in_status,
    due,
    month_title,
    updated,
)

MOSCOW = ZoneInfo("Europe/Moscow")
NB = "\u00a0"
NARROW = "\u202f"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=MOSCOW).astimezone(UTC)


def plain(text: str | None) -> str | None:
    return text.replace(NB, " ").replace(NARROW, " ") if text is not None else None


def test_both_languages_have_the_same_words() -> None:
    assert set(WORDS["ru"]) == set(WORDS["en"])


@pytest.mark.parametrize(
    ("days", "ru", "en"),
    [
        (0, "на этапе с сегодняшнего дня", "in this stage since today"),
        (1, "1 день на этапе", "1 day in this stage"),
        (2, "2 дня на этапе", "2 days in this stage"),
        (5, "5 дней на этапе", "5 days in this stage"),
        (11, "11 дней на этапе", "11 days in this stage"),
        (12, "12 дней на этапе", "12 days in this stage"),
        (21, "21 день на этапе", "21 days in this stage"),
        (22, "22 дня на этапе", "22 days in this stage"),
        (111, "111 дней на этапе", "111 days in this stage"),
        (121, "121 день на этапе", "121 days in this stage"),
    ],
)
def test_days_in_a_status(days: int, ru: str, en: str) -> None:
    assert (days_in_status(days, "ru"), days_in_status(days, "en")) == (ru, en)


@pytest.mark.parametrize(
    ("day", "ru", "en"),
    [
        (date(2026, 11, 21), "вчера", "yesterday"),
        (date(2026, 11, 22), "сегодня", "today"),
        (date(2026, 11, 23), "завтра", "tomorrow"),
        (date(2026, 11, 24), "24 нояб.", "Nov 24"),
        (date(2026, 5, 1), "1 мая", "May 1"),
        (date(2025, 11, 22), "22 нояб. 2025 г.", "Nov 22, 2025"),
    ],
)
def test_day_names(day: date, ru: str, en: str) -> None:
    today = date(2026, 11, 22)
    assert (plain(day_name(day, today, "ru")), plain(day_name(day, today, "en"))) == (ru, en)


@pytest.mark.parametrize(
    ("moment", "ru", "en"),
    [
        ("2026-11-21 18:00", "вчера, 18:00", "yesterday, 6:00 PM"),
        ("2026-11-22 23:59", "сегодня", "today"),
        ("2026-11-23 00:00", "завтра, 00:00", "tomorrow, 12:00 AM"),
        ("2027-01-01 09:05", "1 янв. 2027 г., 09:05", "Jan 1, 2027, 9:05 AM"),
    ],
)
def test_deadlines(moment: str, ru: str, en: str) -> None:
    now = at("2026-11-22 19:00")
    assert plain(due(at(moment), now, MOSCOW, "ru")) == ru
    assert plain(due(at(moment), now, MOSCOW, "en")) == en


def test_a_deadline_is_of_the_accounts_day_not_of_the_servers() -> None:
    late = datetime(2026, 11, 22, 22, 30, tzinfo=UTC)  # half past one in Moscow, the next day
    assert due(late, datetime(2026, 11, 22, 12, tzinfo=UTC), MOSCOW, "ru") == "завтра, 01:30"


@pytest.mark.parametrize(
    ("start", "end", "ru", "en"),
    [
        (date(2026, 10, 1), date(2026, 10, 22), "1–22 октября", "Oct 1–22"),
        (date(2026, 10, 1), date(2026, 10, 1), "1 октября", "Oct 1"),
        (date(2026, 2, 1), date(2026, 2, 28), "1–28 февраля", "Feb 1–28"),
        (date(2026, 1, 30), date(2026, 2, 2), "30 янв. – 2 февр.", "Jan 30 – Feb 2"),
    ],
)
def test_ranges_of_days(start: date, end: date, ru: str, en: str) -> None:
    assert (plain(day_range(start, end, "ru")), plain(day_range(start, end, "en"))) == (ru, en)


def test_months_and_moments_of_the_last_look() -> None:
    assert month_title(date(2026, 11, 1), "ru") == "Ноябрь 2026"
    assert month_title(date(2026, 5, 31), "en") == "May 2026"
    now = at("2026-11-22 19:00")
    assert updated(at("2026-11-22 18:59"), now, MOSCOW, "ru") == "обновлено в 18:59"
    assert plain(updated(at("2026-11-21 18:59"), now, MOSCOW, "en")) == "updated yesterday at 6:59 PM"


@pytest.mark.parametrize(
    ("unit", "value", "previous", "better", "ru", "trend"),
    [
        ("money", "110.00", "100.00", Better.UP, "+10 %", "good"),
        ("money", "90.00", "100.00", Better.UP, "−10 %", "bad"),
        ("money", "109.84", "100.00", Better.UP, "+9,8 %", "good"),
        ("count", 5, 10, Better.DOWN, "−50 %", "good"),
        ("count", 10, 5, Better.DOWN, "+100 %", "bad"),
        ("count", 10, 5, Better.NEITHER, "+100 %", "none"),
        ("count", 5, 5, Better.UP, "0 %", "flat"),
        ("count", 0, 0, Better.UP, "0 %", "flat"),
        ("count", 3, 0, Better.UP, None, "good"),
        ("count", 0, 3, Better.UP, "−100 %", "bad"),
        ("money", "100000.01", "100000.00", Better.UP, "0 %", "flat"),
        ("percent", "12.5000", "10.0000", Better.UP, "+2,5 п.п.", "good"),
        ("percent", "10.0000", "12.5000", Better.DOWN, "−2,5 п.п.", "good"),
        ("percent", "10.0400", "10.0000", Better.UP, "0 п.п.", "flat"),
        ("percent", "10.0500", "10.0000", Better.UP, "+0,1 п.п.", "good"),
        ("money", None, "1.00", Better.UP, None, "none"),
        ("money", "1.00", None, Better.UP, None, "none"),
    ],
)
def test_changes(
    unit: str,
    value: int | str | None,
    previous: int | str | None,
    better: Better,
    ru: str | None,
    trend: str,
) -> None:
    text, meaning = change(unit, value, previous, better, "ru")
    assert (plain(text), meaning) == (ru, trend)


def test_every_reason_has_words() -> None:
    for reason in (NO_ACCESS, NO_DATA, NO_HISTORY):
        for lang in ("ru", "en"):
            assert texts.WORDS[lang][reason]
