"""Conversion: what became of leads."""

from widget_backend.kpi.kinds import Better, Measure, Ratio, Text, Unit

METRICS = (
    Ratio(
        id="conversion",
        title=Text(ru="Конверсия за период", en="Conversion of the period"),
        unit=Unit.PERCENT,
        better=Better.UP,
        top="won_count",
        bottom="leads_new",
        formula=Text(
            ru="Продажи / новые лиды того же периода; может превысить 100 %, ведь это разные сделки",
            en="Won / new leads of the same period; may exceed 100 %, since these are different leads",
        ),
        articles=("A2", "A3", "A4"),
    ),
    Measure(
        id="leads_new_won",
        title=Text(ru="Новые лиды, ставшие продажами", en="New leads won"),
        unit=Unit.COUNT,
        better=Better.UP,
        fact="leads_new",
        where=lambda f, moment: (f.c.outcome == "won") & (f.c.closed_at < moment.cut_at),
        formula=Text(ru="Лиды периода, выигранные к этому времени", en="Leads of the period won to date"),
        listed=False,
    ),
    Ratio(
        id="conversion_cohort",
        title=Text(ru="Конверсия лидов", en="Cohort conversion"),
        unit=Unit.PERCENT,
        better=Better.UP,
        top="leads_new_won",
        bottom="leads_new",
        formula=Text(
            ru="Доля созданных за период лидов, выигранная к этому времени; прошлая — в том же возрасте",
            en="Share of leads created in the period won to date; the earlier cohort at the same age",
        ),
        articles=("A1",),
    ),
    Ratio(
        id="win_rate",
        title=Text(ru="Процент побед", en="Win rate"),
        unit=Unit.PERCENT,
        better=Better.UP,
        top="won_count",
        bottom="closed_count",
        formula=Text(ru="Продажи / (продажи + проиграно)", en="Won / (won + lost)"),
        articles=("A1",),
    ),
)
