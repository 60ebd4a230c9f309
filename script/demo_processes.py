"""Everything a demo runs: the simulators, and what the Procfile names. Started in order, stopped by pid."""

import json
import os
import time
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from script.demo_home import DemoHome, private_file
from script.demo_simulator import Simulator
from widget_backend.access import settings as documents
from widget_backend.bootstrap import Services
from widget_backend.clock import now
from widget_backend.db.engine import session_scope
from widget_backend.errors import SinkBusy
from widget_backend.exports.runs import run_export
from widget_backend.local.environment import write_defaults
from widget_backend.local.processes import ProcessGroup, answers_http, how_it_ended
from widget_backend.oauth import registry
from widget_backend.oauth.models import Account
from widget_frontend.pack import build

ROOT = Path(__file__).resolve().parent.parent
READY_TIMEOUT_S = 120.0
EXPORT_TIMEOUT_S = 180.0


class Demo:
    """One running demo. Leaving the block stops everything that it started."""

    def __init__(self, home: DemoHome, *, live: bool, speed: float):
        self.home = home
        self.live = live
        self.speed = speed
        self.simulators: dict[str, Simulator] = {}
        self.group: ProcessGroup | None = None
        self.environ: dict[str, str] = {}
        self.origins: dict[str, str] = {}
        self.services: Services
        self.launched_at: datetime
        self.first_request = 0
        self.new_sheet = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is KeyboardInterrupt:
            self.home.say("stopping")
        if self.group is not None:
            self.group.stop()
        if hasattr(self, "services"):
            self.services.close()
        for simulator in self.simulators.values():
            simulator.stop()

    def _choose_addresses(self) -> None:
        """Addresses of the embedded servers, and of our own web process, for everybody."""
        home = self.home
        web = home.port("web")
        self.origins["web"] = f"http://127.0.0.1:{web}"
        self.environ = {
            **{k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")},
            **home.lease.servers.environ(),
            "APP_HOME": str(home.path),
            "PORT": str(web),
            "PUBLIC_URL": self.origins["web"],
            "PYTHONUNBUFFERED": "1",
            # Shorter than in production: a demo is watched.
            "SYNC_EVERY_S": os.environ.get("SYNC_EVERY_S", "20"),
        }

    def start_sandbox(self) -> None:
        """amoCRM, Google Sheets, and (to stay) the amoCRM page."""
        self._choose_addresses()
        state = self.home.path / "sandbox"
        arguments = [*self.home.state["sandbox_arguments"], "--state", str(state / "amocrm")]
        if self.live and self.speed > 0:
            arguments += ["--live", "--speed", str(self.speed)]
        self._simulate("amocrm", arguments)
        log = self.door("amocrm", "requests?since=0")["requests"]
        self.first_request = max((entry["id"] for entry in log), default=0)
        sheets_are_new = not (state / "sheets").exists()
        self._simulate("sheets", ["--state", str(state / "sheets")])
        self._register_integration()
        self._prepare_sheet(anew=sheets_are_new)
        if self.live:
            builds = self.home.path / "builds"
            builds.mkdir(exist_ok=True)
            archive = build(builds / "widget.zip", backend_url=self.origins["web"])
            modules = os.environ.get("SANDBOX_NODE_MODULES")
            self._simulate(
                "page",
                [
                    *(["--modules", modules] if modules else []),
                    "--archive",
                    str(archive),
                    "--amocrm",
                    self.origins["amocrm"],
                    "--client-id",
                    self.home.state["client_id"],
                ],
            )
            self.environ["WIDGET_ORIGINS"] = self.origins["page"]
        write_defaults(
            self.home.path,
            {
                name: self.environ[name]
                for name in (
                    "PUBLIC_URL",
                    "AMOCRM_ORIGIN",
                    "GOOGLE_ORIGIN",
                    "GOOGLE_CREDENTIALS",
                    "WIDGET_ORIGINS",
                )
                if name in self.environ
            },
        )

    def _simulate(self, name: str, arguments: list[str]) -> None:
        """Start one simulator and wait until it says where it listens."""
        self.home.say(f"starting the {name} simulator")
        self.simulators[name] = simulator = Simulator(self.home.path, name, arguments)
        self.home.keep_port(name, simulator.start(self.home.port(name)))
        self.origins[name] = simulator.origin

    def _register_integration(self) -> None:
        """A private integration in the sandbox; its address follows ours when ports changed."""
        body = {"redirect_uri": f"{self.origins['web']}/oauth/callback"}
        known = self.home.state.get("client_id")
        made = self.door("amocrm", "integrations", {**body, "client_id": known} if known else body)
        self.home.remember(client_id=made["client_id"])
        self.integration = made
        self.environ["AMOCRM_ORIGIN"] = self.origins["amocrm"]

    def _prepare_sheet(self, *, anew: bool) -> None:
        """A service account and a spreadsheet shared with it, made once."""
        credentials = self.home.path / "google-credentials.json"
        if anew or "spreadsheet_id" not in self.home.state or not credentials.exists():
            account = self.door("sheets", "service_accounts", {})
            private_file(credentials, json.dumps(account))
            sheet = self.door(
                "sheets",
                "spreadsheets",
                {"title": "Отчёт отдела продаж", "share_with": [account["client_email"]], "locale": "ru_RU"},
            )
            self.home.remember(spreadsheet_id=sheet["spreadsheet_id"])
            self.new_sheet = True
        self.environ |= {
            "GOOGLE_ORIGIN": self.origins["sheets"],
            "GOOGLE_CREDENTIALS": str(credentials),
        }

    def door(self, simulator: str, name: str, body: dict[str, Any] | None = None) -> Any:
        """Call one of a simulator's own doors; POST with a body, GET without."""
        return self.simulators[simulator].door(name, body)

    def start_product(self) -> None:
        """Migrate, then web, worker and beat, until the web process answers."""
        self.home.say("starting web, worker and beat")
        self.group = ProcessGroup(
            ROOT / "Procfile",
            env=self.environ,
            log_dir=self.home.path / "logs",
            ready={"web": answers_http(f"{self.origins['web']}/readyz")},
        )
        self.group.release()
        self.services = Services.from_environ(self.environ)
        with session_scope(self.services.engine) as session:
            registry.add_integration(
                session,
                self.services.vault,
                client_id=self.integration["client_id"],
                client_secret=self.integration["client_secret"],
                redirect_uri=self.integration["redirect_uri"],
                title="demo",
                at=now(),
            )
        self.launched_at = now()
        self.group.launch()
        self.group.wait_ready(READY_TIMEOUT_S)

    def look_after(self) -> None:
        """Restart what died, and say so. Raises LocalError for what does not stay up."""
        if self.group is not None:
            for ended in self.group.poll():
                said = f": {ended.last_lines}" if ended.code > 0 else ""
                self.home.say(f"{ended.name} {how_it_ended(ended.code)}; starting it again{said}")
        if not self.home.lease.keeper_alive():
            self.home.say("the embedded servers were killed; starting them again")
            self.home.lease.ensure()
        for name, simulator in self.simulators.items():
            if simulator.code is not None:
                self.home.say(f"the {name} simulator {how_it_ended(simulator.code)}; starting it again")
                simulator.revive()

    def export(self, account: Account) -> dict[str, Any]:
        """Point the account at its sheet and write it; waits while the worker is at it."""
        self.home.say("writing the Google sheet")
        with session_scope(self.services.engine, account.account_id) as session:
            document = documents.load(session, account.account_id)
            if document.export.spreadsheet_id is None or self.new_sheet:
                sheet = json.dumps(self.home.state["spreadsheet_id"])
                document = documents.with_value(document, "export.spreadsheet_id", sheet)
                documents.save(session, account.account_id, document)
        deadline = time.monotonic() + EXPORT_TIMEOUT_S
        while True:
            try:
                result: dict[str, Any] = run_export(
                    self.services.engine, self.services.settings, account, "managers"
                )
            except SinkBusy:
                # The worker's own hourly run may be at it, since the account's jobs became due at the start.
                if time.monotonic() > deadline:
                    raise
                self.look_after()
                time.sleep(0.5)
            else:
                return result

    def addresses(self, summary: dict[str, Any]) -> list[str]:
        """What to open in a browser."""
        sheet = summary["export"]["spreadsheet_id"]
        return [
            "",
            f"  lead cards with the widget   {self.origins['page']}/",
            f"  the Google sheet             {self.origins['sheets']}/spreadsheets/d/{sheet}",
            f"  the API                      {self.origins['web']}/api/v1/openapi.json",
            f"  the amoCRM simulator         {self.origins['amocrm']}/_sandbox/",
            "",
            ("Live traffic moves deals. " if self.speed > 0 else "")
            + "Ctrl-C stops everything; the data stay.",
        ]

    def stay(self) -> None:
        """Run until interrupted."""
        while True:
            self.look_after()
            time.sleep(0.5)
