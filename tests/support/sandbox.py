"""The real amoCRM simulator in a process of its own, and the product installed on its account."""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from cryptography.fernet import Fernet

from tests.support.waiting import wait_until
from widget_backend import logs, schedule
from widget_backend.bootstrap import Services
from widget_backend.clock import now
from widget_backend.db.engine import session_scope
from widget_backend.oauth import registry
from widget_backend.oauth.exchange import exchange_code
from widget_backend.oauth.install import accept_callback, make_link
from widget_backend.oauth.models import Account
from widget_backend.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PUBLIC_URL = "http://127.0.0.1:9"


@dataclass
class Sandbox:
    """A running simulator."""

    origin: str
    process: subprocess.Popen[bytes]
    arguments: list[str] = field(default_factory=list)

    def door(self, name: str, body: Any = None) -> Any:
        """Call one of its doors: POST with a body, GET without."""
        url = f"{self.origin}/_sandbox/{name}"
        answer = (
            requests.post(url, json=body, timeout=30) if body is not None else requests.get(url, timeout=30)
        )
        assert answer.ok, f"{name}: {answer.status_code} {answer.text[:300]}"
        return answer.json()

    def act(self, *actions: dict[str, Any]) -> Any:
        """Let people do something in the CRM."""
        return self.door("actions", list(actions))

    def truth(self, entity: str) -> list[dict[str, Any]]:
        """Every row of an entity as the account has it now."""
        answer = requests.get(f"{self.origin}/_sandbox/truth/{entity}", timeout=60)
        assert answer.ok, answer.text[:300]
        return [json.loads(line) for line in answer.text.splitlines() if line]

    def kill(self) -> None:
        """As a power cut would."""
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def running_sandbox(directory: Path, *arguments: str, port: int = 0) -> Iterator[Sandbox]:
    """`python -m sandbox amocrm …` until the block ends. Its log and state lie in ``directory``."""
    port_file = directory / "port"
    port_file.unlink(missing_ok=True)
    log = directory / "sandbox.log"
    command = [sys.executable, "-m", "sandbox", "amocrm", "--port", str(port)]
    command += ["--port-file", str(port_file), *arguments]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_until(
            lambda: (
                process.poll() is not None or (port_file.exists() and port_file.read_text().strip() != "")
            ),
            "the sandbox listens",
        )
        assert process.poll() is None, log.read_text(encoding="utf-8")[-2000:]
        number = port_file.read_text().strip().rstrip("/").rsplit(":", 1)[-1]
        yield Sandbox(origin=f"http://127.0.0.1:{number}", process=process, arguments=list(arguments))
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(30)


def make_services(
    database_url: str,
    redis_url: str,
    origin: str,
    directory: Path,
    public_url: str = PUBLIC_URL,
    requests_per_s: int = 6,
) -> Services:
    """Services of the product against these servers; more requests per second only without a rate limit."""
    logs.configure("WARNING")
    return Services(
        Settings(
            app_home=directory,
            database_url=database_url,
            redis_url=redis_url,
            encryption_keys=(Fernet.generate_key().decode(),),
            public_url=public_url,
            amocrm_origin=origin,
            amocrm_requests_per_s=requests_per_s,
        )
    )


def request_install(services: Services, sandbox: Sandbox) -> int:
    """Register an integration and allow access, as an administrator's browser would; the code waits then."""
    made = sandbox.door("integrations", {"redirect_uri": f"{services.settings.public_url}/oauth/callback"})
    with session_scope(services.engine) as session:
        registry.add_integration(
            session,
            services.vault,
            client_id=made["client_id"],
            client_secret=made["client_secret"],
            redirect_uri=made["redirect_uri"],
            title="test",
            at=now(),
        )
    link = make_link(services.engine, made["client_id"], origin=sandbox.origin)
    consent = requests.get(link, headers={"Host": "www.amocrm.ru"}, allow_redirects=False, timeout=30)
    assert consent.status_code == 302, consent.text[:300]
    landed = dict(parse_qsl(urlsplit(consent.headers["Location"]).query))
    with session_scope(services.engine) as session:
        request_id = accept_callback(session, services.vault, landed).id
        schedule.notify(session)
    return request_id


def install(services: Services, sandbox: Sandbox) -> Account:
    """The whole installation at once, without workers."""
    from workers.oauth import fetch_account, prepare

    request_id = request_install(services, sandbox)
    account_id = exchange_code(
        services.engine,
        services.vault,
        services.token_endpoint,
        request_id,
        fetch_account=lambda account_id, domain, token: fetch_account(services, account_id, domain, token),
        on_installed=lambda session, account_id: prepare(services, session, account_id),
    )
    return services.account(account_id)


def an_open_lead(sandbox: Sandbox, number: int = 0) -> dict[str, Any]:
    """A lead that people can see and that is neither won nor lost, of a sales pipeline of the generator."""
    open_ones = [
        row
        for row in sandbox.truth("leads")
        if not row.get("is_deleted")
        and not row.get("_merged_into")
        and row["pipeline_id"] in (3100, 3200)
        and row["status_id"] not in (142, 143)
    ]
    return open_ones[number]
