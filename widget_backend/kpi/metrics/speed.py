"""Speed: how long things take."""

from widget_backend.kpi.kinds import Better, Duration, Text, Unit

METRICS = (
    Duration(
        id="sales_cycle",
        title=Text(ru="Цикл сделки", en="Sales cycle"),
        unit=Unit.DURATION,
        better=Better.DOWN,
        fact="leads_won",
        start=lambda f: f.c.created_at,
        end=lambda f: f.c.at,
        formula=Text(
            ru="Медиана времени от создания до выигрыша, сделки, выигранные за период",
            en="Median time from creation to the win, leads won in the period",
        ),
        articles=("A1", "A4"),
    ),
)
