"""What the generator knows and a client must find out: the files under `truth/` of a snapshot."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.generate.files import SnapshotFiles


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A lead entered a status. `responsible_user_id` owned it just before that second's owner changes."""

    pipeline_id: int
    status_id: int
    entered_at: int
    entered_by: int
    responsible_user_id: int


class Truth:
    """Writes the truth files of one account, in the order of the leads they are about."""

    def __init__(self, files: SnapshotFiles) -> None:
        self._files = files

    def pair(self, entity: str, ids: tuple[int, int], *, same: bool, kinds: Iterable[str], at: int) -> None:
        """Two records of one person, company or application (`same`), or two that only look like it.

        `ids`: the earlier one first. `at`: since when both exist. Pairs that are not told the same, directly
        or through others, are different.
        """
        row = {"entity": entity, "ids": list(ids), "is_duplicate": same, "kinds": list(kinds), "since": at}
        self._files.add("truth/duplicates", row)

    def visits(self, lead_id: int, visits: list[Visit]) -> None:
        """Every stay of a lead in a status, the one it was created in included; `left_at` null: it lasts."""
        last = len(visits) - 1
        for place, visit in enumerate(visits):
            left_at = "null" if place == last else visits[place + 1].entered_at
            self._files.add_line(
                "truth/stage_visits",
                f'{{"lead_id":{lead_id},"pipeline_id":{visit.pipeline_id},"status_id":{visit.status_id},'
                f'"entered_at":{visit.entered_at},"left_at":{left_at},"entered_by":{visit.entered_by},'
                f'"responsible_user_id":{visit.responsible_user_id}}}',
            )

    def owners(self, lead_id: int, owners: list[tuple[int, int]]) -> None:
        """Who was responsible for a lead and since when; `ended_at` null: until now."""
        last = len(owners) - 1
        for place, (since, user_id) in enumerate(owners):
            ended_at = "null" if place == last else owners[place + 1][0]
            self._files.add_line(
                "truth/owner_intervals",
                f'{{"lead_id":{lead_id},"user_id":{user_id},"started_at":{since},"ended_at":{ended_at}}}',
            )

    def unsorted(self, row: dict[str, Any]) -> None:
        """An incoming lead and what became of it."""
        self._files.add("truth/unsorted", row)
