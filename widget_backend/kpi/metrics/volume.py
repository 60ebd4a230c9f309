"""Volume: what was sold."""

from widget_backend.kpi.kinds import Better, Change, Measure, Ratio, Text, Unit

METRICS = (
    Measure(
        id="revenue",
        title=Text(ru="Объём продаж", en="Revenue"),
        unit=Unit.MONEY,
        better=Better.UP,
        fact="leads_won",
        amount=lambda f: f.c.amount,
        formula=Text(
            ru="Сумма бюджетов сделок, выигранных за период",
            en="Sum of the prices of leads won in the period",
        ),
        articles=("A0", "A1", "A4"),
    ),
    Change(
        id="revenue_growth",
        title=Text(ru="Рост продаж", en="Sales growth"),
        unit=Unit.PERCENT,
        better=Better.UP,
        of="revenue",
        formula=Text(
            ru="(объём продаж − за прошлый сопоставимый период) / за прошлый",
            en="(revenue − that of the previous comparable period) / that of the previous",
        ),
        articles=("A0", "A1"),
    ),
    Measure(
        id="won_count",
        title=Text(ru="Продажи", en="Won"),
        unit=Unit.COUNT,
        better=Better.UP,
        fact="leads_won",
        formula=Text(ru="Сделки, выигранные за период", en="Leads won in the period"),
        articles=("A0", "A1", "A3", "A4"),
    ),
    Measure(
        id="lost_count",
        title=Text(ru="Проиграно", en="Lost"),
        unit=Unit.COUNT,
        better=Better.DOWN,
        fact="leads_lost",
        formula=Text(ru="Сделки, проигранные за период", en="Leads lost in the period"),
        articles=("A0", "A1", "A3", "A4"),
    ),
    Measure(
        id="closed_count",
        title=Text(ru="Закрыто", en="Closed"),
        unit=Unit.COUNT,
        better=Better.NEITHER,
        fact="leads_closed",
        formula=Text(ru="Выиграно + проиграно за период", en="Won + lost in the period"),
        listed=False,
    ),
    Ratio(
        id="average_deal",
        title=Text(ru="Средний чек", en="Average deal size"),
        unit=Unit.MONEY,
        better=Better.UP,
        top="revenue",
        bottom="won_count",
        formula=Text(
            ru="Объём продаж / продажи, включая сделки без бюджета",
            en="Revenue / won, leads without a price included",
        ),
        articles=("A0", "A1", "A3", "A4"),
    ),
)
