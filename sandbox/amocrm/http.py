"""HTTP/1.1 with keep-alive over the standard library: werkzeug's own server closes every connection."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

MAX_BODY = 64 * 1024 * 1024
VERBS = ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS")


@dataclass(kw_only=True)
class Request:
    """What came in; `path` is decoded, `query` is raw, header names are in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    peer: str

    def host(self) -> str:
        """The Host header without port, in lower case."""
        return self.headers.get("host", "").rsplit(":", 1)[0].strip().lower()


@dataclass(kw_only=True)
class Response:
    """What goes out. `stream` replaces `body` for answers of unknown length; `drop` hangs up instead."""

    status: int = 200
    body: bytes = b""
    content_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    stream: Iterator[bytes] | None = None
    drop: bool = False


App = Callable[[Request], Response]


class Handler(BaseHTTPRequestHandler):
    """Reads requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def handle_any(self) -> None:
        """Answer one request through the application."""
        body = self._read_body()
        if body is None:
            return
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(
            method=self.command,
            path=unquote(path, errors="replace"),
            query=query,
            headers=headers,
            body=body,
            peer=self.client_address[0],
        )
        self._answer(self.server.app(request))

    def _read_body(self) -> bytes | None:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY:
            self.close_connection = True
            self._answer(Response(status=413 if length.isdecimal() else 400))
            return None
        return self.rfile.read(int(length))

    def _read_chunks(self) -> bytes | None:
        parts = []
        while True:
            size = self.rfile.readline(100).split(b";")[0].strip()
            try:
                length = int(size, 16)
            except ValueError:
                self.close_connection = True
                self._answer(Response(status=400))
                return None
            if length == 0:
                break
            parts.append(self.rfile.read(length))
            self.rfile.readline(3)
        while self.rfile.readline(1000).strip():
            pass  # trailers
        return b"".join(parts)

    def _answer(self, response: Response) -> None:
        if response.drop:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        bodiless = response.status in (204, 304) or response.status < 200
        headers = dict(response.headers)
        if response.content_type and not bodiless:
            headers["Content-Type"] = response.content_type
        if response.stream is not None:
            headers["Transfer-Encoding"] = "chunked"
        elif not bodiless:
            headers["Content-Length"] = str(len(response.body))
        if self.close_connection:
            headers["Connection"] = "close"
        reason = responses.get(response.status, "")
        lines = [
            f"HTTP/1.1 {response.status} {reason}",
            f"Date: {self.date_time_string()}",
            "Server: sandbox",
        ]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        quiet = bodiless or self.command == "HEAD"
        self.wfile.write(head + (b"" if quiet or response.stream is not None else response.body))
        if response.stream is not None and not quiet:
            for part in response.stream:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: requests are in the request log."""

    def handle(self) -> None:
        """Serve the connection; a client that hangs up in the middle is no news."""
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True


for _verb in VERBS:
    setattr(Handler, f"do_{_verb}", Handler.handle_any)


class Server(ThreadingHTTPServer):
    """One thread per connection on the loopback interface."""

    daemon_threads = True
    request_queue_size = 128
    # Another simulator must not be able to share the port unnoticed.
    allow_reuse_port = False

    def __init__(self, port: int, app: App) -> None:
        self.app = app
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept, without Nagle's delay."""
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, address

    def hang_up(self) -> None:
        """Close what clients keep open, so that their threads end."""
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                self.connections.discard(connection)
