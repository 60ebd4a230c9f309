"""The kinds of metrics: frozen declarations that know nothing of periods, dimensions or SQL statements."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, FromClause

Condition = Callable[[FromClause, "Moment"], ColumnElement[bool]]
Amount = Callable[[FromClause], ColumnElement[Any]]


class Unit(StrEnum):
    """How values are rounded and shown."""

    COUNT = "count"
    MONEY = "money"
    PERCENT = "percent"
    RATIO = "ratio"
    SECONDS = "seconds"
    MINUTES = "minutes"
    DURATION = "duration"


class Better(StrEnum):
    """Which direction of change is good."""

    UP = "up"
    DOWN = "down"
    NEITHER = "neither"


class Source(StrEnum):
    """What a metric needs beyond lead rows; each reaches back only to its ``covered_from``."""

    EVENTS = "events"
    CALLS = "calls"


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text in both languages."""

    ru: str
    en: str

    def in_language(self, lang: str) -> str:
        """Russian for ``ru…``, English for the rest."""
        return self.ru if lang.startswith("ru") else self.en


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What a condition may ask about the span it is counted for: facts after ``cut_at`` are not known yet."""

    cut_at: datetime


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What all kinds share. A ``listed=False`` one is only a part of others.

    ``formula`` is the definition for people; ``articles`` where it comes from.
    """

    id: str
    title: Text
    unit: Unit
    better: Better
    formula: Text
    articles: tuple[str, ...] = ()
    listed: bool = True

    def __post_init__(self) -> None:
        """A bad entry fails here, naming the metric."""
        self.require(
            self.id.replace("_", "a").isalnum() and self.id == self.id.lower(), "the id is not snake_case"
        )
        for name in ("title", "formula"):
            text = getattr(self, name)
            self.require(bool(text.ru.strip() and text.en.strip()), f"the {name} lacks a language")

    def require(self, holds: bool, message: str) -> None:
        """Raise ValueError with the metric's id unless ``holds``."""
        if not holds:
            raise ValueError(f"metric {self.id}: {message}")

    @property
    def parts(self) -> tuple[str, ...]:
        """Ids of the metrics it is computed from."""
        return ()


@dataclass(frozen=True, kw_only=True)
class Measure(Metric):
    """A count of facts in the period, or (with ``amount``) a sum over them, divided by ``per`` at output."""

    fact: str
    where: Condition | None = None
    amount: Amount | None = None
    per: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.per >= 1, "per must be positive")
        self.require(
            (self.amount is None) == (self.unit is Unit.COUNT), "sums have an amount, counts have none"
        )


@dataclass(frozen=True, kw_only=True)
class Stock(Metric):
    """The same at one moment: the end of the period's last day, or the present."""

    fact: str
    amount: Amount | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(
            (self.amount is None) == (self.unit is Unit.COUNT), "sums have an amount, counts have none"
        )


@dataclass(frozen=True, kw_only=True)
class Ratio(Metric):
    """``top`` / ``bottom``, divided once from summed parts; a percent is a hundred times that."""

    top: str
    bottom: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.unit is not Unit.COUNT, "a ratio is not a count")
        self.require(self.top != self.bottom, "top and bottom are the same")

    @property
    def parts(self) -> tuple[str, ...]:
        return self.top, self.bottom


@dataclass(frozen=True, kw_only=True)
class Change(Metric):
    """By how many percent ``of`` grew over the previous comparable period."""

    of: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.unit is Unit.PERCENT, "a change is a percentage")

    @property
    def parts(self) -> tuple[str, ...]:
        return (self.of,)


@dataclass(frozen=True, kw_only=True)
class Duration(Metric):
    """Time from ``start`` to ``end`` of each fact in the period; the headline is the calendar median."""

    fact: str
    start: Amount
    end: Amount

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.unit is Unit.DURATION, "a duration has the unit duration")
