"""The simulator as a running server, in a thread (tests) or as the process itself (command line)."""

import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from sandbox.sheets.app import SheetsApp
from sandbox.sheets.store import Store


class _QuietHandler(WSGIRequestHandler):
    # Half-open keep-alive connections must not keep a thread for ever.
    timeout = 30

    def log(self, type: str, message: str, *args: Any) -> None:
        """Access lines go to the request log, not to the terminal."""


class SheetsServer:
    """Binds at once (port 0 picks a free one; OSError when taken); ``start`` serves in a thread."""

    def __init__(self, port: int = 0, state: Path | None = None) -> None:
        self.store = Store(state)
        self.app = SheetsApp(self.store)
        try:
            # Bound here, because Werkzeug answers a taken port with sys.exit.
            with socket.create_server(("127.0.0.1", port), backlog=128) as bound:
                self._server: BaseWSGIServer = make_server(
                    "127.0.0.1",
                    bound.getsockname()[1],
                    self.app,
                    threaded=True,
                    request_handler=_QuietHandler,
                    fd=bound.fileno(),
                )
        except BaseException:
            self.store.close()
            raise
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        return int(self._server.port)

    @property
    def url(self) -> str:
        """The origin, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def serve_forever(self) -> None:
        """Serves in this thread until ``stop``."""
        self._server.serve_forever(poll_interval=0.05)

    def shut_down(self) -> None:
        """Makes ``serve_forever`` return; from another thread only."""
        self._server.shutdown()

    def start(self) -> "SheetsServer":
        """Serves in a thread of its own."""
        self._thread = threading.Thread(target=self.serve_forever, name="sandbox-sheets", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stops serving and closes the socket and the file."""
        self.app.stopping.set()
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        with self.app.lock:
            self.store.close()

    def __enter__(self) -> "SheetsServer":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
