"""`python -m bench.plain_server FILE`: Python's own HTTP server answering every GET with the same bytes."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Handler(BaseHTTPRequestHandler):
    """Keeps connections, reads nothing but the request, computes nothing."""

    protocol_version = "HTTP/1.1"
    body = b""

    def do_GET(self) -> None:
        """The bytes."""
        self.send_response(200)
        self.send_header("Content-Type", "application/hal+json")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def main(path: str) -> None:
    """Serve on a free port of 127.0.0.1, and say which."""
    Handler.body = Path(path).read_bytes()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"plain server on http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
