"""What every export target is: one call that brings tables there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from widget_backend.exports.layouts import ExportMeta
from widget_backend.exports.tables import Table


@dataclass(frozen=True, kw_only=True)
class SinkResult:
    """Where the tables are now. ``rows`` counts data rows; ``notices`` are for whoever set the export up."""

    spreadsheet_id: str | None
    rows: int
    url: str
    notices: tuple[str, ...] = ()


class Sink(Protocol):
    """An export target. Writing the same twice leaves the target as after the first time."""

    def write(self, tables: Sequence[Table], meta: ExportMeta) -> SinkResult:
        """Brings the tables there.

        SinkBusy: try again later. SinkMisconfigured: a person has to change something there. ConfigError: the
        installation is set up wrongly.
        """
        ...
