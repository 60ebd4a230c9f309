"""Closes the network for tests, except the machine itself."""

import ipaddress
import socket
from typing import Any


class NetworkIsClosed(RuntimeError):
    """A test tried to leave the machine."""


def close_network() -> None:
    """From now on this process connects only to loopback and to Unix sockets, and resolves no other names."""
    for name in ("connect", "connect_ex"):
        setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
    real_getaddrinfo = socket.getaddrinfo

    def getaddrinfo(host: Any, *rest: Any, **more: Any) -> Any:
        _check(host)
        return real_getaddrinfo(host, *rest, **more)

    socket.getaddrinfo = getaddrinfo


def _guarded(real: Any) -> Any:
    def call(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _check(address[0])
        return real(self, address)

    return call


def _check(host: Any) -> None:
    text = host.decode() if isinstance(host, bytes) else host
    if text is None or text in ("", "localhost") or str(text).endswith(".localhost"):
        return
    try:
        allowed = ipaddress.ip_address(str(text).partition("%")[0]).is_loopback or str(text) == "0.0.0.0"  # noqa: S104
    except ValueError:
        allowed = False
    if not allowed:
        raise NetworkIsClosed(f"tests talk to this machine only, not to {text}")
