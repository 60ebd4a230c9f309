"""Writes a whole department as a snapshot directory, lead by lead, in bounded memory."""

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

from sandbox.generate import department, goods, regulars
from sandbox.generate.department import DEFAULT_ACCOUNT_ID, SOURCES
from sandbox.generate.fields import custom_field_rows
from sandbox.generate.files import SnapshotFiles, to_line
from sandbox.generate.ledger import FIRST_IDS, NUMBERS_A_SECOND, Ledger
from sandbox.generate.list_fields import list_field_rows
from sandbox.generate.schedule import arrivals, first_moment
from sandbox.generate.story import Story

EARLIEST = dt.datetime(2016, 6, 1, tzinfo=dt.UTC)
MOST_LEADS = 1_000_000
CUSTOMERS_MODES = ("disabled", "periodicity", "segments")


def write_snapshot(
    target: Path,
    *,
    leads: int,
    seed: int,
    now: dt.datetime,
    subdomain: str = "demo",
    account_id: int | None = None,
    customers_mode: str = "disabled",
    progress: Callable[[int], None] | None = None,
    progress_every: int = 10_000,
) -> None:
    """Write an invented account with `leads` leads into the directory `target` (contract: snapshot).

    The history spans about fourteen months and ends at `now`; the same arguments give the same bytes. The
    directory appears whole or not at all. Cards of amoCRM's customers are always there; with the mode
    "disabled" the API hides them. `progress` is told now and then how many leads are there. ValueError for a
    naive or too early `now`, an unknown mode or an impossible count, FileExistsError when `target` already
    holds something.
    """
    if now.tzinfo is None:
        raise ValueError("now needs an offset")
    if now < EARLIEST or not 0 <= leads <= MOST_LEADS:
        raise ValueError(f"leads must be from 0 to {MOST_LEADS} and now not before {EARLIEST.date()}")
    if customers_mode not in CUSTOMERS_MODES:
        raise ValueError(f"customers_mode must be one of {', '.join(CUSTOMERS_MODES)}")
    if target.exists() and any(target.iterdir()):
        raise FileExistsError(f"{target} is not empty: remove it or choose another directory")
    part = target.with_name(target.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    number = DEFAULT_ACCOUNT_ID if account_id is None else account_id
    row = department.account_row(account_id=number, subdomain=subdomain, customers_mode=customers_mode)
    (part / "account.json").write_text(to_line(row) + "\n", encoding="utf-8", newline="\n")
    _write(part, leads=leads, seed=seed, now_s=int(now.timestamp()), account_id=number,
           progress=_every(progress_every, progress))  # fmt: skip
    if target.exists():
        target.rmdir()
    part.rename(target)


def _write(
    directory: Path,
    *,
    leads: int,
    seed: int,
    now_s: int,
    account_id: int,
    progress: Callable[[int], None],
) -> None:
    first_s = first_moment(now_s)
    with SnapshotFiles(directory, leads=leads, ranges=_ranges(leads, first_s, now_s)) as files:
        files.write_table("users", department.user_rows())
        files.write_table("roles", department.role_rows())
        files.write_table("pipelines", department.pipeline_rows(account_id))
        files.write_table("loss_reasons", department.LOSS_REASONS)
        files.write_table("tags", department.TAGS)
        files.write_table("sources", SOURCES)
        files.write_table("catalogs", goods.catalog_rows(account_id))
        for name, rows in custom_field_rows(account_id).items():
            files.write_table(name, rows)
        files.write_table("custom_fields_catalogs", list_field_rows(account_id))
        files.write_table("customers_statuses", regulars.status_rows(account_id))
        goods.standing_elements(files, account_id)
        ledger = Ledger(files, account_id=account_id, first_s=first_s, now_s=now_s)
        Story(ledger, seed=seed).tell(arrivals(leads=leads, seed=seed, now_s=now_s), progress)
        files.write_table("segments", regulars.segment_rows(ledger))
        files.finish()


def _every(step: int, progress: Callable[[int], None] | None) -> Callable[[int], None]:
    def tell(count: int) -> None:
        if progress is not None and count % step == 0:
            progress(count)

    return tell


def _ranges(leads: int, first_s: int, now_s: int) -> dict[str, tuple[int, int]]:
    """Which keys to expect in each file that is sorted: moments, or ids that grow with time."""

    def by_time(kind: str) -> tuple[int, int]:
        return FIRST_IDS[kind], FIRST_IDS[kind] + (now_s - first_s) * NUMBERS_A_SECOND

    return {
        "events": (first_s, now_s),
        "contacts": (8001, 8001 + leads),
        "companies": (9001, 9001 + leads // 2),
        "customers": by_time("customer"),
        "transactions": by_time("transaction"),
        "catalog_elements": by_time("element"),
        "tasks": by_time("task"),
        "talks": by_time("talk"),
        "notes_leads": by_time("note"),
        "notes_contacts": by_time("note"),
        "notes_companies": by_time("note"),
        "notes_customers": by_time("note"),
    }
