"""What numbers can be grouped and filtered by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from widget_backend.crm.models import GroupMembership, Pipeline, User, UserGroup
from widget_backend.kpi.histories import table_of


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """``column`` is the fact column, ``key`` its name in answers, ``known`` where its values are listed."""

    name: str
    column: str
    key: str
    known: tuple[Any, ...] = ()


DIMENSIONS: Mapping[str, Dimension] = {
    dimension.name: dimension
    for dimension in (
        Dimension(name="user", column="user_id", key="user_id", known=(table_of(User).c.id,)),
        Dimension(
            name="group",
            column="group_id",
            key="group_id",
            known=(table_of(UserGroup).c.id, table_of(GroupMembership).c.group_id),
        ),
        Dimension(name="pipeline", column="pipeline_id", key="pipeline_id", known=(table_of(Pipeline).c.id,)),
        Dimension(name="status", column="status_id", key="status_id"),
        Dimension(name="source", column="source_id", key="source"),
    )
}
EVERYWHERE = frozenset({"user", "group", "pipeline", "source"})
