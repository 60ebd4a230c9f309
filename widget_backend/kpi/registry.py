"""All metrics by id, in the catalogue's order; checked when the product starts."""

from collections.abc import Iterable, Mapping

from widget_backend.errors import InputError
from widget_backend.kpi.facts import FACTS
from widget_backend.kpi.kinds import Change, Duration, Measure, Metric, Ratio, Source, Stock
from widget_backend.kpi.metrics import activity, funnel, pipeline, speed, volume

SECTIONS: Mapping[str, tuple[Metric, ...]] = {
    "Volume": volume.METRICS,
    "Activity": activity.METRICS,
    "Conversion": funnel.METRICS,
    "Speed": speed.METRICS,
    "Pipeline": pipeline.METRICS,
}
# What a fact needs beyond lead rows.
FACT_SOURCES = {"calls": Source.CALLS, "leads_open": Source.EVENTS}


def collect(sections: Iterable[Iterable[Metric]]) -> dict[str, Metric]:
    """Metrics by id. Raises ValueError, naming the metric, for a repeated id and an unknown part or fact."""
    found: dict[str, Metric] = {}
    for metric in (metric for section in sections for metric in section):
        metric.require(metric.id not in found, "the id is taken")
        found[metric.id] = metric
    for metric in found.values():
        _check(metric, found)
    return found


def _check(metric: Metric, found: Mapping[str, Metric]) -> None:
    for part in metric.parts:
        metric.require(part in found, f"there is no metric {part}")
    if isinstance(metric, Measure | Stock | Duration):
        metric.require(metric.fact in FACTS, f"there is no fact {metric.fact}")
    if isinstance(metric, Ratio):
        kinds = {type(found[part]) for part in metric.parts}
        metric.require(kinds <= {Measure, Stock}, "top and bottom must be sums or counts")
    if isinstance(metric, Change):
        metric.require(isinstance(found[metric.of], Measure), "only a measure can grow")


METRICS = collect(SECTIONS.values())
LISTED = tuple(metric.id for metric in METRICS.values() if metric.listed)


def metric(metric_id: str) -> Metric:
    """The metric with this id; InputError lists the ids there are."""
    found = METRICS.get(metric_id)
    if found is None or not found.listed:
        raise InputError(
            f"There is no metric {metric_id!r}.", field="metric", remedy=f"Use one of: {', '.join(LISTED)}."
        )
    return found


def base_parts(metric_id: str) -> tuple[Metric, ...]:
    """The measures, stocks and durations a metric is computed from, itself included if it is one."""
    found = METRICS[metric_id]
    return tuple(METRICS[part] for part in found.parts) or (found,)


def fact_of(found: Metric) -> str:
    """The fact of a base metric."""
    if isinstance(found, Measure | Stock | Duration):
        return found.fact
    raise ValueError(f"metric {found.id}: it rests on no single fact")


def sources(metric_id: str) -> frozenset[Source]:
    """What must have been covered for the metric to answer."""
    facts = {fact_of(part) for part in base_parts(metric_id)}
    return frozenset(FACT_SOURCES[fact] for fact in facts if fact in FACT_SOURCES)


def dimensions(metric_id: str) -> frozenset[str]:
    """By which dimensions the metric can be split."""
    return frozenset.intersection(*(FACTS[fact_of(part)].dimensions for part in base_parts(metric_id)))
