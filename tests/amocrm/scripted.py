"""A web server on loopback that answers what a test tells it to, and remembers what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What to answer; ``lost`` closes the connection instead."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    lost: bool = False


LOST = Reply(lost=True)
BAN = Reply(
    status=403, body=b"<html><h1>403 Forbidden</h1>nginx</html>", headers={"Content-Type": "text/html"}
)
EMPTY = Reply(status=204)


def ok(data: Any, status: int = 200, **headers: str) -> Reply:
    return Reply(status=status, body=json.dumps(data).encode(), headers={"X-Request-Id": "r-1", **headers})


def problem(status: int, **more: Any) -> Reply:
    return ok({"title": "no", "status": status, **more}, status)


Script = Callable[[Asked], Reply]


class ScriptedServer:
    """``script`` may be replaced at any time; ``asked`` holds the requests in order of arrival."""

    def __init__(self, script: Script):
        self.script = script
        self.asked: list[Asked] = []
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})

    def answer(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
        return self.script(asked)

    def __enter__(self) -> "ScriptedServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def _handler(owner: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = owner.answer(
                Asked(method=self.command, path=path, query=query, headers=headers, body=body)
            )
            if reply.lost:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.status != 204:
                self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if reply.status != 204:
                self.wfile.write(reply.body)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve

        def log_message(self, *_: object) -> None:
            """Silence."""

    return Handler


def in_turn(*replies: Reply) -> Script:
    """One reply after the other; the last one for ever."""
    left = list(replies)
    lock = threading.Lock()

    def script(_: Asked) -> Reply:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return script


@contextmanager
def serving(*replies: Reply) -> Iterator[ScriptedServer]:
    """A server that gives these replies in turn."""
    with ScriptedServer(in_turn(*replies)) as server:
        yield server
