"""What callers of the API may send. Odd values are refused with the field's name, unknown names ignored."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from widget_backend.errors import InputError


class PeriodQuery(BaseModel):
    """Local days, both included, and filters such as ``user=501``."""

    model_config = ConfigDict(extra="ignore")

    start: date = Field(description="First local day, YYYY-MM-DD.")
    end: date = Field(description="Last local day, inclusive.")
    where: list[str] = Field(default_factory=list, description="Filters: name=id, name=null; repeatable.")
    lang: Literal["ru", "en"] | None = None


class KpiQuery(PeriodQuery):
    """A KPI question."""

    metric: list[str] = Field(default_factory=list, description="Metric ids; all by default.")
    by: list[str] = Field(default_factory=list, description="user, group, pipeline, status, source.")
    bucket: Literal["day", "week", "month"] | None = None
    compare: Literal["previous", "year"] | None = None


class RowsQuery(PeriodQuery):
    """A page of the records behind a number."""

    limit: Annotated[int, Field(ge=1, le=500)] = 50
    cursor: str | None = None


class MetricPath(BaseModel):
    """Which metric."""

    metric_id: str


class PanelQuery(BaseModel):
    """Which card is open."""

    model_config = ConfigDict(extra="ignore")

    lead_id: Annotated[int, Field(ge=0, lt=2**63)] = 0
    lang: Literal["ru", "en"] | None = None


# --- answers, for the OpenAPI document; what is inside metrics is told in docs/kpi.md ---------------------


class ErrorDetail(BaseModel):
    """What went wrong and what to do, in the caller's language."""

    code: str
    message: str
    field: str | None
    remedy: str | None
    request_id: str | None
    detail: str | None = None


class ErrorAnswer(BaseModel):
    """Every error looks like this."""

    error: ErrorDetail


class KpiAnswer(BaseModel):
    """Metrics with their rows."""

    account: str
    start_on: date
    end_on: date
    as_of: datetime
    complete: bool
    compare: dict[str, Any] | None
    metrics: list[dict[str, Any]]


class RowsAnswer(BaseModel):
    """A page of records; the next one is asked for by ``next_cursor``."""

    items: list[dict[str, Any]]
    next_cursor: str | None
    total: int
    as_of: datetime


class PanelAnswer(BaseModel):
    """Texts and numbers of the panel, ready to be shown."""

    account: dict[str, Any]
    viewer: dict[str, Any]
    lead: dict[str, Any] | None
    as_of: datetime | None
    as_of_text: str | None
    complete: bool
    progress_text: str | None
    period: dict[str, Any]
    sections: list[dict[str, Any]]
    chart: dict[str, Any] | None


ERRORS: dict[Any, Any] = dict.fromkeys((400, 401, 403, 404, 405, 409, 500, 503), ErrorAnswer)


def filters(pairs: list[str]) -> dict[str, list[int | None]]:
    """``["user=501", "user=null"]`` → ``{"user": [501, None]}``. Raises InputError."""
    found: dict[str, list[int | None]] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        number = value.strip()
        is_id = number.isascii() and number.removeprefix("-").isdigit() and len(number) <= 18
        if not equals or not (number == "null" or is_id):
            raise InputError(f"{pair!r} is not name=id.", field="where", remedy="Write it like user=501.")
        found.setdefault(name.strip(), []).append(None if number == "null" else int(number))
    return found
