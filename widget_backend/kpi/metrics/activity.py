"""Activity: new leads and calls."""

from widget_backend.kpi.calls import IN, OUT
from widget_backend.kpi.kinds import Better, Measure, Ratio, Text, Unit

EFFECTIVE_TALK_S = 60

METRICS = (
    Measure(
        id="leads_new",
        title=Text(ru="Новые лиды", en="New leads"),
        unit=Unit.COUNT,
        better=Better.UP,
        fact="leads_new",
        formula=Text(
            ru="Лиды, созданные за период, включая неразобранное; принадлежат принявшему их пользователю",
            en="Leads created in the period, unsorted ones included; they belong to their receiver",
        ),
        articles=("A0", "A1", "A4"),
    ),
    Measure(
        id="calls_in",
        title=Text(ru="Входящие звонки", en="Incoming calls"),
        unit=Unit.COUNT,
        better=Better.UP,
        fact="calls",
        where=lambda f, _: f.c.direction == IN,
        formula=Text(ru="Входящие звонки за период", en="Incoming calls in the period"),
        articles=("A0", "A1", "A3"),
    ),
    Measure(
        id="calls_out",
        title=Text(ru="Исходящие звонки", en="Outgoing calls"),
        unit=Unit.COUNT,
        better=Better.UP,
        fact="calls",
        where=lambda f, _: f.c.direction == OUT,
        formula=Text(ru="Исходящие звонки за период", en="Outgoing calls in the period"),
        articles=("A0", "A1", "A3"),
    ),
    Measure(
        id="calls_total",
        title=Text(ru="Звонки", en="Calls"),
        unit=Unit.COUNT,
        better=Better.UP,
        fact="calls",
        formula=Text(ru="Входящие + исходящие", en="Incoming + outgoing"),
        articles=("A0", "A1", "A3"),
    ),
    Measure(
        id="calls_answered",
        title=Text(ru="Состоявшиеся звонки", en="Answered calls"),
        unit=Unit.COUNT,
        better=Better.UP,
        fact="calls",
        where=lambda f, _: f.c.is_answered,
        formula=Text(
            ru="Звонки в обе стороны с разговором от 1 с и статусом не 1, 3, 6, 7",
            en="Calls either way with a talk of at least 1 s and a status other than 1, 3, 6, 7",
        ),
        articles=("A0",),
    ),
    Measure(
        id="calls_missed",
        title=Text(ru="Пропущенные звонки", en="Missed calls"),
        unit=Unit.COUNT,
        better=Better.DOWN,
        fact="calls",
        where=lambda f, _: (f.c.direction == IN) & ~f.c.is_answered,
        formula=Text(ru="Входящие без разговора", en="Incoming calls without a talk"),
        articles=("A0",),
    ),
    Measure(
        id="calls_effective",
        title=Text(ru="Результативные звонки", en="Effective calls"),
        unit=Unit.COUNT,
        better=Better.UP,
        fact="calls",
        where=lambda f, _: f.c.is_answered & (f.c.seconds >= EFFECTIVE_TALK_S),
        formula=Text(ru="Состоявшиеся от 60 с", en="Answered calls of at least 60 s"),
        articles=("A0",),
    ),
    Measure(
        id="call_minutes",
        title=Text(ru="Время разговоров", en="Talk time"),
        unit=Unit.MINUTES,
        better=Better.UP,
        fact="calls",
        where=lambda f, _: f.c.is_answered,
        amount=lambda f: f.c.seconds,
        per=60,
        formula=Text(ru="Секунды состоявшихся звонков / 60", en="Seconds of answered calls / 60"),
        articles=("A0",),
    ),
    Measure(
        id="call_seconds",
        title=Text(ru="Секунды разговоров", en="Talk seconds"),
        unit=Unit.SECONDS,
        better=Better.UP,
        fact="calls",
        where=lambda f, _: f.c.is_answered,
        amount=lambda f: f.c.seconds,
        formula=Text(ru="Секунды состоявшихся звонков", en="Seconds of answered calls"),
        listed=False,
    ),
    Ratio(
        id="call_avg_duration",
        title=Text(ru="Средняя длительность разговора", en="Average talk"),
        unit=Unit.SECONDS,
        better=Better.UP,
        top="call_seconds",
        bottom="calls_answered",
        formula=Text(
            ru="Секунды состоявшихся звонков / их число", en="Seconds of answered calls / their number"
        ),
        articles=("A0",),
    ),
)
