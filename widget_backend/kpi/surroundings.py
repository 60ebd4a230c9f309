"""What the facts of any lead or call need to know about its account: roles, users, groups."""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from widget_backend.amocrm.vocabulary import UNSORTED_STATUS_TYPE
from widget_backend.crm.history import Place
from widget_backend.crm.models import GroupMembership, Pipeline, Status, User
from widget_backend.crm.stage_roles import PipelineRole
from widget_backend.kpi.calls import Directory
from widget_backend.kpi.outcomes import COUNTED_AS_NEW


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Small dictionaries of one account."""

    roles: dict[int, PipelineRole]
    directory: Directory
    memberships: dict[int, list[tuple[datetime, int | None]]]
    unsorted: frozenset[Place] = frozenset()

    def is_open(self, place: Place) -> bool:
        """Whether a lead standing there counts as open: not closed, not unsorted, in a counted pipeline."""
        counted = self.role_of(place.pipeline_id) in COUNTED_AS_NEW
        return place.is_open and counted and place not in self.unsorted

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
    """Read the account's pipelines, users (removed ones that still own leads included) and group history."""
    users = select(User.id, User.name, User.email, User.phone).where(User.account_id == account_id)
    unsorted = select(Status.pipeline_id, Status.id).where(
        Status.account_id == account_id, Status.type == UNSORTED_STATUS_TYPE
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
        unsorted=frozenset(Place(row.pipeline_id, row.id) for row in session.execute(unsorted)),
    )
