"""What the facts of any lead or call need to know about its account: roles, users, groups."""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from widget_backend.crm.models import GroupMembership, Pipeline, User
from widget_backend.crm.stage_roles import PipelineRole
from widget_backend.kpi.calls import Directory


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Small dictionaries of one account."""

    roles: dict[int, PipelineRole]
    directory: Directory
    memberships: dict[int, list[tuple[datetime, int | None]]]

    def role_of(self, pipeline_id: int | None) -> PipelineRole:
        """The pipeline's role; a pipeline that the mirror does not know counts as ``sales``, the default."""
        return (
            self.roles.get(pipeline_id, PipelineRole.SALES) if pipeline_id is not None else PipelineRole.SALES
        )

    def group_at(self, user_id: int | None, moment: datetime | None) -> int | None:
        """The user's group at that moment; None when unknown."""
        rows = self.memberships.get(user_id, []) if user_id is not None else []
        if moment is None or not rows:
            return None
        index = bisect_right([valid_from for valid_from, _ in rows], moment) - 1
        return rows[index][1] if index >= 0 else None


def load_surroundings(session: Session, account_id: int) -> Surroundings:
    """Read the account's pipelines, known users and group history."""
    users = select(User.id, User.name, User.email, User.phone).where(
        User.account_id == account_id, User.is_known.is_(True)
    )
    pipelines = select(Pipeline.id, Pipeline.role).where(Pipeline.account_id == account_id)
    history = (
        select(GroupMembership.user_id, GroupMembership.valid_from, GroupMembership.group_id)
        .where(GroupMembership.account_id == account_id)
        .order_by(GroupMembership.user_id, GroupMembership.valid_from)
    )
    memberships: dict[int, list[tuple[datetime, int | None]]] = defaultdict(list)
    for user_id, valid_from, group_id in session.execute(history):
        memberships[user_id].append((valid_from, group_id))
    return Surroundings(
        roles={row.id: PipelineRole(row.role) for row in session.execute(pipelines)},
        directory=Directory((row.id, row.name, row.email, row.phone) for row in session.execute(users)),
        memberships=dict(memberships),
    )
