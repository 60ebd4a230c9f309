"""Faults on request routes: wrong statuses, delays, answers that never arrive, bodies that are garbage."""

import re
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

from sandbox.amocrm.api.answers import problem, too_many
from sandbox.amocrm.http import Response, page
from sandbox.amocrm.storage.store import Store

GARBAGE = b'{"_page":1,"_links":{"self":{"href":"https://'
# What the web server in front says by itself, as HTML.
GATEWAY = (502, 503, 504)


@dataclass(kw_only=True)
class Fault:
    """One fault. `route`: regular expression on the path; `count`: how often it still strikes (null: ever).

    `status` answers instead of serving, in the vendor's words unless there is a `body`; `drop` = "answer"
    serves, then hangs up, "request" hangs up at once; `body` replaces the body (`garbage`: cut JSON);
    `delay_s` waits first; `skip` lets so many pass before.
    """

    route: str
    method: str | None = None
    subdomain: str | None = None
    status: int | None = None
    body: str | None = None
    content_type: str = "text/html"
    garbage: bool = False
    drop: str | None = None
    delay_s: float = 0.0
    count: int | None = 1
    skip: int = 0

    def matches(self, method: str, path: str, subdomain: str | None) -> bool:
        """Whether a request of this kind is struck."""
        if self.count is not None and self.count <= 0:
            return False
        if self.method and self.method.upper() != method:
            return False
        if self.subdomain and self.subdomain != subdomain:
            return False
        return re.match(self.route, path) is not None

    def replaced(self, response: Response) -> Response:
        """The answer that goes out instead of the true one."""
        if self.drop == "answer":
            return Response(drop=True)
        if self.body is not None:
            return self._told(response.status, self.body)
        if self.garbage:
            return Response(status=response.status, body=GARBAGE, content_type="application/hal+json")
        return response

    def answer(self) -> Response | None:
        """The answer that goes out without serving: as the vendor gives this status; None to serve."""
        if self.drop == "request":
            return Response(drop=True)
        if self.status is None:
            return None
        if self.body is not None:
            return self._told(self.status, self.body)
        if self.status in GATEWAY:
            return page(self.status)
        return too_many(None) if self.status == 429 else problem(self.status, "Fault set through the sandbox")

    def _told(self, status: int, body: str) -> Response:
        return Response(status=status, body=body.encode("utf-8", "replace"), content_type=self.content_type)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


_KINDS: dict[str, Callable[[Any], bool]] = {
    "method": _is_text,
    "subdomain": _is_text,
    "body": _is_text,
    "content_type": lambda value: isinstance(value, str),
    "status": lambda value: value is None or (_is_count(value) and 200 <= value <= 599),
    "garbage": lambda value: isinstance(value, bool),
    "delay_s": lambda value: isinstance(value, int | float) and 0 <= value <= 3600,
    "count": lambda value: value is None or _is_count(value),
    "skip": _is_count,
}


def parse(raw: Any) -> Fault:
    """A fault from JSON; ValueError says what is wrong with it."""
    known = {item.name for item in fields(Fault)}
    if not isinstance(raw, dict) or not isinstance(raw.get("route"), str):
        raise ValueError('a fault is an object with a "route"')
    if unknown := set(raw) - known:
        raise ValueError(f"a fault has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(known))}")
    if raw.get("drop") not in (None, "answer", "request"):
        raise ValueError('drop is "answer" or "request"')
    for name, fits in _KINDS.items():
        if name in raw and not fits(raw[name]):
            raise ValueError(f"{name} cannot be {raw[name]!r}")
    try:
        re.compile(raw["route"])
    except re.error as err:
        raise ValueError(f"route is no regular expression: {err}") from None
    return Fault(**raw)


class Faults:
    """The faults in force; kept in the state."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._faults = [parse(raw) for raw in store.get_meta("faults") or []]

    def all(self) -> list[dict[str, Any]]:
        """Every fault in force as JSON."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def set(self, raw: list[Any]) -> None:
        """Put these in force instead of all others; ValueError for a bad one."""
        faults = [parse(item) for item in raw]
        with self._lock:
            self._faults = faults
            self._store.set_meta("faults", [asdict(fault) for fault in faults])

    def take(self, method: str, path: str, subdomain: str | None) -> Fault | None:
        """The first fault that strikes this request, counted down; None when there is none."""
        if not self._faults:
            return None
        with self._lock:
            for fault in self._faults:
                if fault.matches(method, path, subdomain):
                    if fault.skip > 0:
                        fault.skip -= 1
                        continue
                    if fault.count is not None:
                        fault.count -= 1
                    self._faults = [item for item in self._faults if item.count is None or item.count > 0]
                    self._store.set_meta("faults", [asdict(item) for item in self._faults])
                    return fault
        return None
