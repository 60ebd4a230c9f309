"""The settings document of an account: its shape, its defaults, and how a change takes effect."""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from widget_backend.access.models import AccountSettings
from widget_backend.clock import now
from widget_backend.crm.models import Pipeline
from widget_backend.errors import InputError

Role = Literal["sales", "pre_sale", "post_sale", "service", "ignored"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WorkingHours(_Part):
    """Local working time, the same on each working day; days are ISO numbers, Monday is 1.

    An end at 00:00 is the end of the day.
    """

    days: tuple[Annotated[int, Field(ge=1, le=7)], ...] = Field(default=(1, 2, 3, 4, 5), min_length=1)
    start: str = Field(default="09:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    end: str = Field(default="18:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> "WorkingHours":
        if self.end != "00:00" and self.start >= self.end:
            raise ValueError("the working day must end after it starts")
        return self


class ExportRules(_Part):
    """Where the account's numbers go. No spreadsheet, no export."""

    spreadsheet_id: str | None = None
    language: Literal["ru", "en"] = "ru"


class Document(_Part):
    """Everything an account can choose. Unknown keys are refused, so that a typing error is not obeyed."""

    attribution: Literal["at_event", "current"] = "at_event"
    pipeline_roles: dict[int, Role] = Field(default_factory=dict)
    working_hours: WorkingHours = WorkingHours()
    export: ExportRules = ExportRules()


def load(session: Session, account_id: int) -> Document:
    """The account's settings, defaults where nobody chose."""
    row = session.get(AccountSettings, account_id)
    return Document.model_validate(row.document if row else {})


def parse(document: Any) -> Document:
    """Check a document from outside; InputError names the field and what it may be."""
    try:
        return Document.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "document"
        raise InputError(
            first["msg"], field=name, remedy="`settings get` shows the present document and its shape."
        ) from error


def with_value(document: Document, path: str, raw: str) -> Document:
    """The document with one value changed: ``with_value(d, "working_hours.start", "10:00")``.

    ``raw`` is JSON; a word that is not JSON is taken as text.
    """
    try:
        value = json.loads(raw)
    except ValueError:
        value = raw
    tree = document.model_dump(mode="json")
    *parents, last = path.split(".")
    node = tree
    for part in parents:
        if not isinstance(node.get(part), dict):
            raise InputError("There is no such setting.", field=path, remedy="`settings get` lists them.")
        node = node[part]
    node[last] = value
    return parse(tree)


def save(session: Session, account_id: int, document: Document) -> None:
    """Store the document and let the pipelines' roles follow it.

    A role that nobody chooses any more is guessed again when the dictionaries are read next.
    """
    moment = now()
    row = session.get(AccountSettings, account_id)
    content = document.model_dump(mode="json")
    if row is None:
        session.add(AccountSettings(account_id=account_id, document=content, updated_at=moment))
    else:
        row.document, row.updated_at = content, moment
    for pipeline in session.scalars(select(Pipeline).where(Pipeline.account_id == account_id)):
        chosen = document.pipeline_roles.get(pipeline.id)
        if chosen is not None:
            pipeline.role, pipeline.role_set_by_person = chosen, True
    session.flush()
