"""The stage in its private namespaces, one for each worker, and what a test asks of it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.thirdparty.environments import ROOT, EnvironmentMissing, make_environment

IN_CI = bool(os.environ.get("CI"))
# Every client has an account of its own, so that they cannot disturb each other.
CLIENTS = (
    "aioamocrm",
    "amochka",
    "amocrm_api",
    "amocrm_api_wrapper",
    "amocrm_js",
    "shevernitskiy_amo",
)
SUBDOMAINS = {name: f"demo{number or ''}" for number, name in enumerate(CLIENTS, 1) if number > 1} | {
    CLIENTS[0]: "demo"
}
REDIRECT_URI = "https://app.example/oauth/callback"
TIMEOUT_S = 120


def missing(reason: str) -> None:
    """Under CI these tests must run; elsewhere they are skipped, and say why."""
    if IN_CI:
        pytest.fail(f"{reason}. Under CI the third-party clients must run.", pytrace=False)
    pytest.skip(reason)


def namespaces_forbidden() -> str | None:
    """Why no private namespace can be had here; None when it can."""
    if shutil.which("unshare") is None:
        return "no `unshare` here (util-linux)"
    done = subprocess.run(["unshare", "-rmn", "true"], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"private namespaces are forbidden here: {done.stderr.strip()}"


@dataclass(kw_only=True)
class Stage:
    """A running stage."""

    process: subprocess.Popen[str]
    hooks: str = ""

    def ask(self, **command: Any) -> Any:
        """One command, its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self) -> Any:
        """The stage's next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the stage has gone; its standard error tells why"
        return json.loads(line)

    def door(self, path: str, body: Any = None) -> str:
        """A call of the simulator's doors: POST with a body, GET without."""
        method = "GET" if body is None else "POST"
        answer = self.ask(do="door", method=method, path=path, json=body)
        assert answer["status"] == 200, answer
        return str(answer["text"])


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The stage, started once for a worker."""
    reason = namespaces_forbidden()
    if reason is not None:
        missing(reason)
    directory = tmp_path_factory.mktemp("stage")
    command = ["unshare", "-rmn", sys.executable, "-m", "tests.thirdparty.stage"]
    accounts = ",".join(SUBDOMAINS[name] for name in CLIENTS)
    with (directory / "stage.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, str(directory), accounts],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    running = Stage(process=process)
    try:
        assert process.stdout is not None
        told = process.stdout.readline()
        assert told, (directory / "stage.log").read_text(encoding="utf-8")[-3000:]
        running.hooks = json.loads(told)["hooks"]
        yield running
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert process.stdout is not None
        process.stdout.close()


@dataclass(frozen=True, kw_only=True)
class Played:
    """What a client told at the end of its scenario, and the account it worked on."""

    stage: Stage
    subdomain: str
    told: dict[str, Any]

    def truth(self, entity: str) -> list[dict[str, Any]]:
        """The rows of the account as the simulator has them now."""
        text = self.stage.door(f"truth/{entity}?subdomain={self.subdomain}")
        return [json.loads(line) for line in text.splitlines() if line]

    def row(self, entity: str, row_id: int) -> dict[str, Any]:
        """One row."""
        return next(row for row in self.truth(entity) if row["id"] == row_id)

    def hooks(self) -> list[dict[str, str]]:
        """What came to the address that the client subscribed."""
        return list(self.stage.ask(do="hooks", path=f"/{self.subdomain}"))

    def requests(self) -> list[dict[str, Any]]:
        """What the client has asked for."""
        rows = json.loads(self.stage.door("requests?limit=1000"))["requests"]
        return [row for row in rows if str(row["account"]) == self.subdomain]


def play(stage: Stage, name: str) -> Played:
    """Let a client go through its scenario on its own account."""
    try:
        argv = make_environment(name)
    except EnvironmentMissing as err:
        missing(f"the environment of {name} cannot be made: {err}")
    subdomain = SUBDOMAINS[name]
    made = json.loads(
        stage.door("integrations", {"redirect_uri": REDIRECT_URI, "subdomain": subdomain, "name": name})
    )
    code = json.loads(stage.door("codes", {"client_id": made["client_id"], "subdomain": subdomain}))["code"]
    given = {
        "subdomain": subdomain,
        "client_id": made["client_id"],
        "client_secret": made["client_secret"],
        "redirect_uri": REDIRECT_URI,
        "code": code,
        "hook": f"{stage.hooks}/{subdomain}",
    }
    done = stage.ask(do="run", argv=argv, input=json.dumps(given), timeout_s=TIMEOUT_S)
    assert done["code"] == 0, (
        f"{name} ended with {done['code']}:\n{done['err'][-4000:]}\n{done['out'][-2000:]}"
    )
    return Played(stage=stage, subdomain=subdomain, told=json.loads(done["out"]))
