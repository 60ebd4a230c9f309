"""Who is sent hooks: a server that keeps what it gets."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

GUARD_S = 30


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Many hooks come at once; with the usual five, some of them would have to knock again a second later.
    request_queue_size = 512


class Receiver:
    """A server that keeps what it is sent and answers with the statuses it is told, then 200."""

    def __init__(self) -> None:
        self.bodies: list[list[tuple[str, str]]] = []
        self.raw: list[bytes] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.statuses: list[int] = []
        self.changed = threading.Condition()
        # While this is not set, nobody gets an answer.
        self.hold = threading.Event()
        self.hold.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                receiver.hold.wait(GUARD_S)
                with receiver.changed:
                    status = receiver.statuses.pop(0) if receiver.statuses else 200
                with receiver.changed:
                    receiver.raw.append(body)
                    receiver.paths.append(self.path)
                    receiver.headers.append(dict(self.headers))
                    receiver.bodies.append(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
                    receiver.changed.notify_all()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, format: str, *args: object) -> None:
                return

        self.server = _Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def wait(self, count: int) -> list[dict[str, str]]:
        """At least so many bodies, in the order of arrival."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.bodies) >= count, GUARD_S), self.bodies
            return [dict(body) for body in self.bodies]

    def close(self) -> None:
        """Stop listening."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
