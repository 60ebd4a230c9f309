"""A stage without the outside world: `unshare -rmn python -m tests.thirdparty.stage DIRECTORY ACCOUNTS`.

In a private user, mount and network namespace: loopback, its own hosts file, the simulator, a TLS front with
a throw-away CA on port 443, and a receiver for hooks. Takes commands as JSON lines on standard input, answers
on standard output, and ends with its input.
"""

import contextlib
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import requests

from tests.support.sandbox import Sandbox, running_sandbox
from tests.thirdparty.tls import make_certificates, serve_tls

ROOT = Path(__file__).resolve().parents[2]
LEADS = 320
ZONES = ("amocrm.ru", "amocrm.com", "kommo.com")
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1


def raise_loopback() -> None:
    """Bring `lo` up; `ip` may be missing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        asked = struct.pack("16sh", b"lo", 0)
        flags = struct.unpack("16sh", fcntl.ioctl(handle, _SIOCGIFFLAGS, asked))[1]
        fcntl.ioctl(handle, _SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags | _IFF_UP))


def cover(directory: Path, accounts: list[str]) -> None:
    """Lay our own hosts file and an empty resolver over the machine's, for this namespace only."""
    subdomains = [*accounts, "www", "api-b", "drive-b"]
    names = " ".join(f"{name}.{zone}" for zone in ZONES for name in subdomains)
    texts = {"hosts": f"127.0.0.1 localhost {names}\n", "resolv.conf": "", "nsswitch.conf": "hosts: files\n"}
    for name, text in texts.items():
        if Path("/etc", name).exists():
            (directory / name).write_text(text)
            subprocess.run(["mount", "--bind", str(directory / name), f"/etc/{name}"], check=True)


class Hooks(BaseHTTPRequestHandler):
    """Takes every hook and keeps it: path, body, and the headers that amoCRM sends."""

    kept: ClassVar[list[dict[str, str]]] = []

    def do_POST(self) -> None:
        """A hook arrives."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        names = {"content_type": "Content-Type", "agent": "User-Agent", "request_id": "X-Amocrm-Requestid"}
        told = {key: self.headers.get(name, "") for key, name in names.items()}
        self.kept.append({**told, "path": self.path, "body": body.decode("ascii")})
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        """The last body that came to this address, 404 before: for clients that can read hooks."""
        kept = [hook["body"] for hook in self.kept if hook["path"] == self.path]
        body = kept[-1].encode("ascii") if kept else b""
        self.send_response(200 if kept else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def receiving() -> Iterator[str]:
    """The receiver's address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hooks)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def run_client(command: dict[str, Any], trust: dict[str, str]) -> dict[str, Any]:
    """Run a program of a client to its end; nothing of the caller's environment but PATH reaches it."""
    with tempfile.TemporaryDirectory() as home:
        env = {"PATH": os.environ["PATH"], "HOME": home, "LANG": "C.UTF-8", **trust, **command.get("env", {})}
        try:
            done = subprocess.run(
                command["argv"],
                input=command["input"],
                capture_output=True,
                text=True,
                env=env,
                cwd=command.get("cwd") or home,
                timeout=command["timeout_s"],
                check=False,
            )
        except subprocess.TimeoutExpired as err:
            told = err.stderr.decode("utf-8", "replace") if err.stderr else ""
            return {"code": -1, "out": "", "err": f"still running after {err.timeout} s\n{told}"}
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr}


def call_door(sandbox: Sandbox, command: dict[str, Any]) -> dict[str, Any]:
    """One call of the simulator's doors."""
    method, url = command["method"], f"{sandbox.origin}/_sandbox/{command['path']}"
    answer = requests.request(method, url, json=command.get("json"), timeout=60)
    return {"status": answer.status_code, "text": answer.text}


def serve(sandbox: Sandbox, trust: dict[str, str]) -> None:
    """Answer commands until there are no more."""
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "run":
            answer: Any = run_client(command, trust)
        elif command["do"] == "door":
            answer = call_door(sandbox, command)
        else:
            answer = [one for one in Hooks.kept if one["path"] == command["path"]]
        print(json.dumps(answer), flush=True)


def main(directory: Path, accounts: list[str]) -> None:
    """Set the stage, then serve."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    raise_loopback()
    cover(directory, accounts)
    authority, chain = make_certificates(directory, [f"*.{zone}" for zone in ZONES])
    trust = {name: str(authority) for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")}
    generate = f"leads={LEADS},seed=11,accounts={len(accounts)}"
    arguments = ("--generate", generate, "--rate-limit", "0")
    with running_sandbox(directory, *arguments) as sandbox, receiving() as hooks:
        port = int(sandbox.origin.rsplit(":", 1)[1])
        with serve_tls(chain, port):
            print(json.dumps({"hooks": hooks}), flush=True)
            serve(sandbox, trust)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2].split(","))
