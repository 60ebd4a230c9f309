"""A destination of webhooks that counts what arrives."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

GUARD_S = 120.0


class Receiver:
    """Listens on a free port of 127.0.0.1 while used as a context; keeps the bodies it got."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._bodies: list[bytes] = []
        self._waited_for = 0

        # `handler` is the request's, `self` the receiver.
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(handler) -> None:
                body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
                handler.send_response(200)
                handler.send_header("Content-Length", "0")
                handler.end_headers()
                self._take(body)

            def log_message(handler, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def _take(self, body: bytes) -> None:
        with self._arrived:
            self._bodies.append(body)
            self._arrived.notify_all()

    def wait_for(self, count: int) -> None:
        """Until so many more have arrived than were waited for before; RuntimeError when they do not come."""
        with self._arrived:
            self._waited_for += count
            if not self._arrived.wait_for(lambda: len(self._bodies) >= self._waited_for, GUARD_S):
                raise RuntimeError(f"{self._waited_for - len(self._bodies)} hooks never arrived")

    def post_again(self, count: int) -> None:
        """Send itself the last bodies, one after the other over one connection."""
        bodies = self._bodies[-count:]
        with requests.Session() as session:
            for body in bodies:
                session.post(self.url, data=body, timeout=30).raise_for_status()
        self.wait_for(count)

    def __enter__(self) -> "Receiver":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
