"""The cheapest HTTP client there is, so that measuring a server does not measure the client."""

import socket
import threading
from collections.abc import Sequence
from urllib.parse import urlsplit

GUARD_S = 120.0


class RawConnection:
    """One kept-alive connection; requests are bytes made beforehand, answers are counted, not decoded."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=GUARD_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = memoryview(bytearray(1 << 20))

    def fetch(self, request: bytes) -> int:
        """Bytes of the answer's body; RuntimeError for anything but 200 with a Content-Length."""
        self._socket.sendall(request)
        filled = end = 0
        while not end:
            filled += self._read(filled)
            end = bytes(self._buffer[:filled]).find(b"\r\n\r\n") + 1
        head = bytes(self._buffer[: end - 1]).lower()
        _, found, length = head.partition(b"content-length:")
        if not head.startswith(b"http/1.1 200") or not found:
            raise RuntimeError(f"the server answered {bytes(self._buffer[: min(filled, 300)])!r}")
        size = int(length.split(b"\r\n")[0])
        left = size - (filled - end - 3)
        while left > 0:
            left -= self._read(0)
        return size

    def _read(self, start: int) -> int:
        count = self._socket.recv_into(self._buffer[start:])
        if not count:
            raise RuntimeError("the server hung up")
        return count

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def request(path: str, **headers: str) -> bytes:
    """A GET as it goes over the wire; header names with underscores for hyphens."""
    lines = [
        f"GET {path} HTTP/1.1",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def fetch_all(url: str, requests: Sequence[bytes], connections: int) -> int:
    """Send all of them over so many connections at once; answers the bytes of all bodies."""
    sizes: list[int] = []
    failures: list[Exception] = []

    def work(share: Sequence[bytes]) -> None:
        connection = RawConnection(url)
        try:
            sizes.extend([connection.fetch(one) for one in share])
        except (OSError, RuntimeError) as err:
            failures.append(err)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(requests[i::connections],)) for i in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sum(sizes)
