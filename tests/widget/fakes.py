"""Stand-ins of the two servers a page talks to: the panel's backend and the amoCRM simulator's doors."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ALLOWED_HEADERS = "X-Auth-Token, Content-Type, X-Requested-With, Idempotency-Key, If-None-Match"
EXPOSED_HEADERS = "ETag, Retry-After, X-Request-ID"
CLIENT_ID = "0d4c1a52-0000-4000-8000-00000000c0de"
Answer = tuple[int, dict[str, str], bytes]


@dataclass(kw_only=True)
class Asked:
    """One request as the backend saw it."""

    method: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass(kw_only=True)
class Backend:
    """Answers the panel's only address as told; every request is kept in `asked`."""

    origin: str = ""
    panel: dict[str, Any] = field(default_factory=dict)
    failure: tuple[int, dict[str, Any]] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    credentials: bool = False
    asked: list[Asked] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    busy: int = 0
    most_busy: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    def gets(self) -> list[Asked]:
        return [one for one in self.asked if one.method == "GET"]

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        cors = {
            "Access-Control-Allow-Origin": asked.headers.get("origin", ""),
            "Access-Control-Expose-Headers": EXPOSED_HEADERS,
            "Vary": "Origin",
            **({"Access-Control-Allow-Credentials": "true"} if self.credentials else {}),
        }
        if asked.method == "OPTIONS":
            return (
                204,
                {**cors, "Access-Control-Allow-Headers": ALLOWED_HEADERS, "Access-Control-Max-Age": "0"},
                b"",
            )
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        self.gate.wait(20)
        self.busy -= 1
        return self._panel(asked, {**cors, **self.headers, "Content-Type": "application/json"})

    def _panel(self, asked: Asked, headers: dict[str, str]) -> Answer:
        if self.failure:
            return self.failure[0], headers, json.dumps({"error": self.failure[1]}).encode()
        if not asked.headers.get("x-auth-token"):
            return 401, headers, json.dumps({"error": {"code": "no_token"}}).encode()
        body = self.raw if self.raw is not None else json.dumps(self.panel, sort_keys=True).encode()
        etag = f'"{hash(body)}"'
        if asked.headers.get("if-none-match") == etag:
            return 304, {**headers, "ETag": etag}, b""
        return 200, {**headers, "ETag": etag}, body


@dataclass(kw_only=True)
class Crm:
    """The simulator's doors that the page uses, over two leads and two people."""

    origin: str = ""
    tokens: int = 0
    token_status: int = 200

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        json_type = {"Content-Type": "application/json"}
        if path == "/_sandbox/widget_token" and method == "POST":
            self.tokens += 1
            user_id = json.loads(body)["user_id"]
            return (
                self.token_status,
                json_type,
                json.dumps({"token": f"token-{user_id}-{self.tokens}"}).encode(),
            )
        if path == "/_sandbox/":
            return 200, json_type, json.dumps(DOORS).encode()
        rows = TRUTH.get(path.removeprefix("/_sandbox/truth/"))
        if rows is None:
            return 404, json_type, b"{}"
        return 200, json_type, "\n".join(json.dumps(row) for row in rows).encode()


DOORS = {
    "integrations": [{"client_id": CLIENT_ID, "subdomain": "demo"}],
    "accounts": [{"id": 31000001, "subdomain": "demo", "timezone": "Europe/Moscow"}],
}
TRUTH: dict[str, list[dict[str, Any]]] = {
    "account": [
        {
            "id": 31000001,
            "subdomain": "demo",
            "name": "Demo",
            "currency": "RUB",
            "_embedded": {
                "users_groups": [{"id": 0, "name": "Отдел продаж"}, {"id": 88, "name": "Опт"}],
                "task_types": [{"id": 1, "name": "Связаться"}],
                "datetime_settings": {"timezone": "Europe/Moscow"},
            },
        }
    ],
    "users": [
        {"id": 501, "name": "Анна Крылова", "email": "anna@example.com", "rights": {"is_admin": False}},
        {"id": 502, "name": "Игорь Панов", "email": "igor@example.com", "rights": {"is_admin": True}},
    ],
    "pipelines": [
        {
            "id": 3100,
            "name": "Продажи",
            "_embedded": {
                "statuses": [
                    {"id": 4101, "name": "Первичный контакт", "sort": 10, "color": "#99ccff"},
                    {"id": 4102, "name": "Переговоры", "sort": 20, "color": "#ffcc66"},
                    {"id": 4103, "name": "Договор", "sort": 30, "color": "#ffff99"},
                    {"id": 142, "name": "Успешно реализовано", "sort": 10000, "color": "#ccff66"},
                    {"id": 143, "name": "Закрыто и не реализовано", "sort": 11000, "color": "#d5d8db"},
                ]
            },
        }
    ],
    "leads": [
        {
            "id": lead_id,
            "name": name,
            "price": price,
            "status_id": 4102,
            "pipeline_id": 3100,
            "responsible_user_id": 501,
            "created_at": 1795000000,
            "updated_at": 1795300000,
            "is_deleted": False,
            "custom_fields_values": [
                {"field_name": "Источник", "values": [{"value": "Сайт"}]},
                {"field_name": "Город", "values": [{"value": "Казань"}]},
            ],
            "_embedded": {"tags": [{"id": 1, "name": "повторный"}]},
        }
        for lead_id, name, price in [(7001, "Поставка станков", 450000), (7002, "Сервисный договор", 38000)]
    ],
}


@contextmanager
def served(answer: Callable[[str, str, dict[str, str], bytes], Answer]) -> Iterator[str]:
    """Serve `answer(method, path with query, lower-case headers, body)` on a free port; gives the origin."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, out, content = answer(self.command, self.path, headers, body)
            try:
                self.send_response(status)
                for name, value in out.items():
                    self.send_header(name, value)
                if status != 304:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the page left before the answer: some tests do just that

        do_GET = do_POST = do_OPTIONS = _any

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def served_backend(backend: Backend) -> Iterator[Backend]:
    """The backend on an origin of its own."""

    def answer(method: str, path: str, headers: dict[str, str], _body: bytes) -> Answer:
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        return backend.answer(Asked(method=method, query=query, headers=headers))

    with served(answer) as origin:
        backend.origin = origin
        try:
            yield backend
        finally:
            backend.gate.set()


@contextmanager
def served_crm(crm: Crm) -> Iterator[Crm]:
    """The simulator's doors."""

    def answer(method: str, path: str, _headers: dict[str, str], body: bytes) -> Answer:
        return crm.answer(method, urlsplit(path).path, body)

    with served(answer) as origin:
        crm.origin = origin
        yield crm
