"""The mirror of an account: one module per subject, names as amoCRM has them, payload kept beside columns."""

from widget_backend.crm.models.activity import Event, Note, Task
from widget_backend.crm.models.dictionaries import CustomField, LossReason, Pipeline, Source, Status, TaskType
from widget_backend.crm.models.leads import Company, Contact, Lead, Link
from widget_backend.crm.models.people import GroupMembership, Role, User, UserGroup

__all__ = [
    "Company",
    "Contact",
    "CustomField",
    "Event",
    "GroupMembership",
    "Lead",
    "Link",
    "LossReason",
    "Note",
    "Pipeline",
    "Role",
    "Source",
    "Status",
    "Task",
    "TaskType",
    "User",
    "UserGroup",
]
