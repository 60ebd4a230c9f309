"""What a demo has done, as one object: rows, requests, seconds, KPIs, the sheet."""

from collections import Counter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from script.demo_processes import Demo
from widget_backend.amocrm.resources import entity_of
from widget_backend.clock import now
from widget_backend.crm.models import Company, Contact, Event, Lead, Note, Pipeline, Status, Task, User
from widget_backend.db.engine import session_scope
from widget_backend.kpi.models import CallFact
from widget_backend.oauth.models import Account
from widget_backend.periods import parse_period
from widget_backend.reports import report

COUNTED: dict[str, Any] = {
    "users": User,
    "pipelines": Pipeline,
    "statuses": Status,
    "leads": Lead,
    "contacts": Contact,
    "companies": Company,
    "tasks": Task,
    "notes": Note,
    "calls": CallFact,
    "events": Event,
}


def summarize(
    demo: Demo, account: Account, export: dict[str, Any], seconds: dict[str, float]
) -> dict[str, Any]:
    """The object that ``--json`` prints. KPIs are those of the running month, with the one before."""
    with session_scope(demo.services.engine, account.account_id) as session:
        account = session.get_one(Account, account.account_id)
        rows = {
            name: session.scalar(
                select(func.count()).select_from(model).where(model.account_id == account.account_id)
            )
            for name, model in COUNTED.items()
        }
        # Not those whom amoCRM does not list, and of whom only the leads they own tell.
        listed = select(func.count()).where(User.account_id == account.account_id, User.is_known)
        rows["users"] = session.scalar(listed)
        month = parse_period("month", now().astimezone(ZoneInfo(account.timezone)).date())
        answer = report(session, account, start_on=month.start_on, end_on=month.end_on, compare="previous")
    log = demo.door("amocrm", f"requests?since=0&after={demo.first_request}")["requests"]
    requests = Counter(entity_of(entry["path"]) for entry in log if entry["path"].startswith("/api/"))
    return {
        "account": account.subdomain,
        "account_id": account.account_id,
        "source": demo.home.state["label"],
        "rows": rows,
        "requests": dict(sorted(requests.items())),
        "seconds": seconds,
        "kpi": answer["metrics"],
        "period": {"start_on": answer["start_on"], "end_on": answer["end_on"]},
        "export": {"spreadsheet_id": export["spreadsheet_id"], "rows": export["rows"]},
        "as_of": answer["as_of"],
        "complete": answer["complete"],
    }
