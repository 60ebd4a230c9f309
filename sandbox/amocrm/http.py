"""HTTP/1.1 with keep-alive over the standard library: werkzeug's own server closes every connection."""

import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote_from_bytes, unquote

MAX_BODY = 64 * 1024 * 1024
# An idle or halting client is left after so many seconds, as the vendor's web server does.
PATIENCE_S = 75.0
_PAGE = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
_ASCII = "".join(map(chr, range(0x21, 0x7F)))
_ABSOLUTE = re.compile(r"https?://([^/]*)", re.IGNORECASE)
_LINE_ENDS = re.compile(r"[\r\n\0]+")
_HEX = re.compile(rb"[0-9A-Fa-f]{1,15}")


@dataclass(kw_only=True)
class Request:
    """What came in; `path` is decoded, `query` is raw and pure ASCII, header names are in lower case."""

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


def page(status: int) -> Response:
    """What the web server in front answers by itself: HTML."""
    text = _PAGE.format(f"{status} {responses.get(status, 'Error')}")
    return Response(status=status, body=text.encode(), content_type="text/html")


class _Unreadable(Exception):
    """The body cannot be taken; the status to answer with before hanging up."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Handler(BaseHTTPRequestHandler):
    """Reads requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    timeout = PATIENCE_S
    server: "Server"

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def __getattr__(self, name: str) -> Any:
        # The base class looks for do_GET and its like; what a verb may do is for the application to say.
        if name.startswith("do_"):
            return self.handle_any
        raise AttributeError(name)

    def handle_any(self) -> None:
        """Answer one request through the application."""
        try:
            body = self._read_body()
        except _Unreadable as err:
            self.close_connection = True
            self._answer(page(err.status))
            return
        self._answer(self.server.app(self._request(body)))

    def _request(self, body: bytes) -> Request:
        # The request line comes as Latin-1; clients that do not encode send UTF-8.
        target = quote_from_bytes(self.path.encode("latin-1"), safe=_ASCII)
        headers = {name.lower(): value for name, value in self.headers.items()}
        path, _, query = target.partition("#")[0].partition("?")
        absolute = _ABSOLUTE.match(path)
        if absolute:  # as to a proxy: the host of the target counts
            path, headers["host"] = path[absolute.end() :] or "/", absolute[1]
        return Request(
            method=self.command,
            path=unquote(path, errors="replace"),
            query=query,
            headers=headers,
            body=body,
            peer=self.client_address[0],
        )

    def _read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(self._chunks())
        length = self.headers.get("Content-Length", "0").strip()
        if not (length.isascii() and length.isdigit()):
            raise _Unreadable(400)
        if len(length) > 15 or int(length) > MAX_BODY:
            raise _Unreadable(413)
        return self._read(int(length))

    def _read(self, length: int) -> bytes:
        body = self.rfile.read(length)
        if len(body) < length:
            raise _Unreadable(400)
        return body

    def _chunks(self) -> Iterator[bytes]:
        total = 0
        while True:
            size = self.rfile.readline(1000).split(b";")[0].strip()
            if not _HEX.fullmatch(size):
                raise _Unreadable(400)
            total += int(size, 16)
            if total > MAX_BODY:
                raise _Unreadable(413)
            if int(size, 16) == 0:
                break
            yield self._read(int(size, 16))
            if self.rfile.readline(3).strip():
                raise _Unreadable(400)
        while self.rfile.readline(1000).strip():
            pass  # trailers

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no HTTP, a target too long, headers too large: as a web server, without details."""
        self.close_connection = True
        self._answer(page(400 if code in (431, 505) else code))

    def _answer(self, response: Response) -> None:
        if response.drop:
            self.close_connection = True
            self.server.cut(self.connection)
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
        lines += [f"{name}: {_LINE_ENDS.sub(' ', value)}" for name, value in headers.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        quiet = bodiless or getattr(self, "command", "") == "HEAD"
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
            self.cut(connection)

    def cut(self, connection: socket.socket) -> None:
        """End a connection in both directions, unless its client was faster."""
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            self.connections.discard(connection)
