"""The hourly export to Google Sheets, for accounts that chose a spreadsheet."""

from widget_backend.access.settings import load
from widget_backend.bootstrap import Services
from widget_backend.db.engine import session_scope
from widget_backend.exports.runs import RUNS, run_export
from widget_backend.jobs import Job
from widget_backend.oauth.models import Account, AccountState
from workers.base import account_job


@account_job(Job.EXPORT)
def run_exports(services: Services, account: Account) -> None:
    with session_scope(services.engine, account.account_id) as session:
        chosen = load(session, account.account_id).export.spreadsheet_id
    if chosen is None or account.state != AccountState.ACTIVE:
        return
    for name in RUNS:
        run_export(services.engine, services.settings, account, name)
