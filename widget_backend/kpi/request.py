"""What is asked of the engine, checked: metrics, period, dimensions, filters, and who asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, FromClause, and_, false, or_, select, true
from sqlalchemy.orm import Session

from widget_backend.errors import InputError
from widget_backend.kpi.compare import Compare, Span
from widget_backend.kpi.dimensions import DIMENSIONS, Dimension
from widget_backend.kpi.facts import Attribution
from widget_backend.kpi.kinds import Source
from widget_backend.kpi.registry import LISTED, dimensions, metric
from widget_backend.periods import Bucket, Period
from widget_backend.working_hours import WorkingCalendar

MAX_DIMENSIONS = 2
# Beyond them calendars, zones and counterparts of a period end.
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2199, 12, 31)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Which facts a viewer may see: all, or those of these users and groups (none of either: nothing)."""

    sees_all: bool = False
    users: frozenset[int] = frozenset()
    groups: frozenset[int] = frozenset()

    @classmethod
    def everything(cls) -> "Scope":
        """The whole account: right A, administrators, the command line."""
        return cls(sees_all=True)

    @classmethod
    def of_group(cls, group_id: int | None, user_id: int) -> "Scope":
        """One's group's facts and one's own: right G."""
        groups = frozenset({group_id}) if group_id is not None else frozenset()
        return cls(users=frozenset({user_id}), groups=groups)

    @classmethod
    def of_user(cls, user_id: int) -> "Scope":
        """One's own facts: right M."""
        return cls(users=frozenset({user_id}))

    @classmethod
    def nothing(cls) -> "Scope":
        """Right D."""
        return cls()

    @property
    def is_empty(self) -> bool:
        return not (self.sees_all or self.users or self.groups)

    def condition(self, relation: FromClause) -> ColumnElement[bool]:
        """The limit on a fact relation."""
        if self.sees_all:
            return true()
        if self.is_empty:
            return false()
        allowed = []
        if self.users:
            allowed.append(relation.c.user_id.in_(sorted(self.users)))
        if self.groups:
            allowed.append(relation.c.group_id.in_(sorted(self.groups)))
        return or_(*allowed)


@dataclass(frozen=True, kw_only=True)
class KpiRequest:
    """A question to ``answer`` or ``drilldown.rows``.

    ``metrics`` empty means all. ``by`` and the keys of ``where`` are dimension names; a None among a filter's
    values means "not assigned". ``as_of`` is the moment up to which every source is synced. Facts after
    ``cut_at`` (default ``as_of``) are not counted: pass the present to show what has already come in. What
    is compared with is cut by ``as_of``.
    ``covered_from`` says since when the mirror has a source's history (absent: always). ``complete`` is false
    while a backfill runs.
    """

    metrics: Sequence[str] = ()
    start_on: date
    end_on: date
    by: Sequence[str] = ()
    bucket: str | None = None
    compare: str | None = None
    where: Mapping[str, Sequence[int | None]] = field(default_factory=dict)
    scope: Scope = field(default_factory=Scope.everything)
    as_of: datetime
    cut_at: datetime | None = None
    complete: bool = True
    timezone: str
    currency: str
    account: str | None = None
    attribution: str = Attribution.AT_EVENT
    covered_from: Mapping[str, datetime | None] = field(default_factory=dict)
    calendar: WorkingCalendar | None = None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def metric_ids(self) -> tuple[str, ...]:
        """The metrics asked for, each once."""
        return tuple(dict.fromkeys(self.metrics)) or LISTED

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        return tuple(DIMENSIONS[name] for name in self.by)

    @property
    def comparison(self) -> Compare | None:
        return Compare(self.compare) if self.compare is not None else None

    @property
    def working_calendar(self) -> WorkingCalendar:
        return self.calendar or WorkingCalendar(zone=self.zone)

    def span(self) -> Span:
        """The period asked for, as it can be seen now."""
        return Span(
            period=Period(start_on=self.start_on, end_on=self.end_on),
            zone=self.zone,
            as_of=self.as_of,
            shown_to=self.cut_at,
            bucket=Bucket(self.bucket) if self.bucket is not None else None,
        )

    def covered(self, sources: frozenset[Source]) -> datetime | None:
        """Since when all these sources are covered; None means always."""
        moments = [moment for source in sources if (moment := self.covered_from.get(source)) is not None]
        return max(moments, default=None)

    def condition(self, relation: FromClause) -> ColumnElement[bool]:
        """The filters and the viewer's limit on a fact relation."""
        parts = [self.scope.condition(relation)]
        for name, values in self.where.items():
            column = relation.c[DIMENSIONS[name].column]
            ids = sorted(value for value in values if value is not None)
            parts.append(or_(column.in_(ids), column.is_(None)) if None in values else column.in_(ids))
        return and_(*parts)


def check(session: Session, account_id: int, request: KpiRequest) -> None:
    """Raise InputError, naming the field and what is allowed, for anything that cannot be answered."""
    Period(start_on=request.start_on, end_on=request.end_on)
    for name, day in (("start", request.start_on), ("end", request.end_on)):
        if not FIRST_DAY <= day <= LAST_DAY:
            raise InputError(
                f"{day} is out of range.", field=name, remedy=f"Use days from {FIRST_DAY} to {LAST_DAY}."
            )
    _one_of("bucket", request.bucket, [bucket.value for bucket in Bucket])
    _one_of("compare", request.compare, [compare.value for compare in Compare])
    _one_of("attribution", request.attribution, [attribution.value for attribution in Attribution])
    if len(request.by) > MAX_DIMENSIONS or len(set(request.by)) != len(request.by):
        raise InputError("At most two different dimensions.", field="by", remedy="Leave some out.")
    for metric_id in request.metric_ids:
        metric(metric_id)
        for field_name, names in (("by", request.by), ("where", tuple(request.where))):
            for name in names:
                _check_dimension(field_name, name, metric_id)
    for name, values in request.where.items():
        _check_values(session, account_id, DIMENSIONS[name], values)


def _one_of(name: str, value: str | None, allowed: Sequence[str]) -> None:
    if value is not None and value not in allowed:
        raise InputError(f"{value!r} is not known.", field=name, remedy=f"Use one of: {', '.join(allowed)}.")


def _check_dimension(field_name: str, name: str, metric_id: str) -> None:
    _one_of(field_name, name, list(DIMENSIONS))
    allowed = dimensions(metric_id)
    if name not in allowed:
        names = ", ".join(dimension for dimension in DIMENSIONS if dimension in allowed)
        raise InputError(
            f"{metric_id} has no dimension {name}.", field=field_name, remedy=f"For {metric_id} use: {names}."
        )


def _check_values(
    session: Session, account_id: int, dimension: Dimension, values: Sequence[int | None]
) -> None:
    """Users, groups and pipelines must exist; statuses and sources may be older than the dictionaries."""
    ids = {value for value in values if value is not None}
    if not ids or not dimension.known:
        return
    known: set[int] = set()
    for column in dimension.known:
        owner = column.table.c.account_id
        known |= set(session.scalars(select(column).where(owner == account_id, column.in_(ids)).distinct()))
    unknown = ", ".join(str(value) for value in sorted(ids - known))
    if unknown:
        raise InputError(
            f"The account has no {dimension.name} {unknown}.",
            field="where",
            remedy=f"Use ids of the account's {dimension.name}s.",
        )
