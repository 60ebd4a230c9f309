"""Words and dates of the screens, in Russian and English."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton, format_time

WORDS: dict[str, dict[str, str]] = {
    "ru": {
        "updated": "обновлено в {time}",
        "updated_on": "обновлено {day} в {time}",
        "loading": "Загружаем историю: цифры пока неполные",
        "compared": "по сравнению с {days}",
        "mine": "Мой месяц",
        "group": "Моя группа",
        "team": "Отдел",
        "chart": "Продажи нарастающим итогом",
        "today": "сегодня",
        "yesterday": "вчера",
        "tomorrow": "завтра",
        "task_overdue": "Просрочена задача",
        "task": "Следующая задача",
        "no_task": "Нет задачи",
        "no_task_text": "Запланируйте следующий шаг по сделке",
        "won": "Сделка выиграна",
        "lost": "Сделка проиграна",
        "points": "п.п.",
        "no_data": "Нет данных за период",
        "no_history": "История началась позже этого периода",
        "no_access": "Права в amoCRM не дают видеть эти сделки",
    },
    "en": {
        "updated": "updated at {time}",
        "updated_on": "updated {day} at {time}",
        "loading": "Loading the history: the numbers are not complete yet",
        "compared": "compared with {days}",
        "mine": "My month",
        "group": "My group",
        "team": "Team",
        "chart": "Sales, running total",
        "today": "today",
        "yesterday": "yesterday",
        "tomorrow": "tomorrow",
        "task_overdue": "Task overdue",
        "task": "Next task",
        "no_task": "No task",
        "no_task_text": "Plan the next step for this deal",
        "won": "Deal won",
        "lost": "Deal lost",
        "points": "pp",
        "no_data": "Nothing in this period",
        "no_history": "The history begins after this period",
        "no_access": "Your amoCRM rights do not show these deals",
    },
}


def plural(count: int, one: str, few: str, many: str) -> str:
    """The Russian form for a count: 1 день, 2 дня, 5 дней."""
    tens, units = count % 100, count % 10
    if units == 1 and tens != 11:
        return one
    return few if 2 <= units <= 4 and not 12 <= tens <= 14 else many


def days_in_status(days: int, lang: str) -> str:
    """«3 дня на этапе»."""
    if lang == "ru":
        if days == 0:
            return "на этапе с сегодняшнего дня"
        return f"{days} {plural(days, 'день', 'дня', 'дней')} на этапе"
    if days == 0:
        return "in this stage since today"
    return f"{days} {'day' if days == 1 else 'days'} in this stage"


def clock_time(moment: datetime, zone: ZoneInfo, lang: str) -> str:
    """«18:05», «6:05 PM»."""
    return str(format_time(moment.astimezone(zone), "short", locale=lang, tzinfo=zone))


def day_name(day: date, today: date, lang: str) -> str:
    """«вчера», «сегодня», «завтра», else «12 нояб.» (with the year if it is another one)."""
    words = {-1: "yesterday", 0: "today", 1: "tomorrow"}
    near = words.get((day - today).days)
    if near is not None:
        return WORDS[lang][near]
    return str(format_skeleton("MMMd" if day.year == today.year else "yMMMd", day, locale=lang))


def due(moment: datetime, now: datetime, zone: ZoneInfo, lang: str) -> str:
    """«вчера, 18:00»; a deadline at 23:59 is a day's, so its time is left out."""
    local = moment.astimezone(zone)
    day = day_name(local.date(), now.astimezone(zone).date(), lang)
    if (local.hour, local.minute) == (23, 59):
        return day
    return f"{day}, {clock_time(moment, zone, lang)}"


def month_title(day: date, lang: str) -> str:
    """«Ноябрь 2026»."""
    return str(format_date(day, "LLLL y", locale=lang)).capitalize()


def day_range(start_on: date, end_on: date, lang: str) -> str:
    """«1–22 октября», «Oct 1–22»."""
    if start_on == end_on:
        return str(format_date(start_on, "d MMMM" if lang == "ru" else "MMM d", locale=lang))
    if (start_on.year, start_on.month) != (end_on.year, end_on.month):
        both = (
            format_date(day, "d MMM" if lang == "ru" else "MMM d", locale=lang) for day in (start_on, end_on)
        )
        return " – ".join(str(part) for part in both)
    if lang == "ru":
        return f"{start_on.day}–{format_date(end_on, 'd MMMM', locale='ru')}"
    return f"{format_date(start_on, 'MMM d', locale='en')}–{end_on.day}"


def updated(moment: datetime, now: datetime, zone: ZoneInfo, lang: str) -> str:
    """«обновлено в 19:00», with the day if it was not today."""
    local, today = moment.astimezone(zone).date(), now.astimezone(zone).date()
    time = clock_time(moment, zone, lang)
    if local == today:
        return WORDS[lang]["updated"].format(time=time)
    return WORDS[lang]["updated_on"].format(day=day_name(local, today, lang), time=time)
