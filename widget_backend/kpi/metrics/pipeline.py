"""Pipeline: what is still open."""

from widget_backend.kpi.kinds import Better, Stock, Text, Unit

METRICS = (
    Stock(
        id="pipeline_value",
        title=Text(ru="Стоимость открытых сделок", en="Pipeline value"),
        unit=Unit.MONEY,
        better=Better.UP,
        fact="leads_open",
        amount=lambda f: f.c.amount,
        formula=Text(
            ru="Сумма бюджетов сделок, открытых на конец последнего дня периода",
            en="Sum of the prices of leads open at the end of the period's last day",
        ),
        articles=("A1",),
    ),
    Stock(
        id="pipeline_count",
        title=Text(ru="Число открытых сделок", en="Open leads"),
        unit=Unit.COUNT,
        better=Better.UP,
        fact="leads_open",
        formula=Text(
            ru="Сделки, открытые на конец последнего дня периода",
            en="Leads open at the end of the period's last day",
        ),
        articles=("A1",),
    ),
)
