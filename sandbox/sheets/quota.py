"""Requests a minute: per user and per project, reads and writes apart."""

from collections import deque
from collections.abc import Callable
from typing import Any

from sandbox.sheets.errors import GoogleError

WINDOW_S = 60.0
DEFAULTS: dict[str, Any] = {
    "quotas": True,
    "reads_per_user": 60,
    "writes_per_user": 60,
    "reads_per_project": 300,
    "writes_per_project": 300,
    # Google recommends at most 2 MB and limits the processing time; here the limit is on bytes.
    "max_body_bytes": 10_000_000,
    # A service account has no Drive space of its own, so creating a file fails unless this is switched on.
    "service_accounts_may_create": False,
}


class Quota:
    """Counts requests in a sliding minute; ``now`` is a monotonic clock in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._hits: dict[tuple[str, str], deque[float]] = {}

    def take(self, kind: str, user: str, project: str, limits: dict[str, Any]) -> None:
        """Counts one request of ``kind`` (read, write); GoogleError 429 when the quota is used up."""
        if not limits["quotas"]:
            return
        keys = (("user", f"{kind}:{user}"), ("project", f"{kind}:{project}"))
        for scope, key in keys:
            if len(self._recent(scope, key)) >= limits[f"{kind}s_per_{scope}"]:
                raise exhausted(kind, scope, project, limits[f"{kind}s_per_{scope}"])
        for scope, key in keys:
            self._recent(scope, key).append(self._now())

    def reset(self) -> None:
        """Forgets all requests."""
        self._hits.clear()

    def _recent(self, scope: str, key: str) -> deque[float]:
        hits = self._hits.setdefault((scope, key), deque())
        while hits and hits[0] <= self._now() - WINDOW_S:
            hits.popleft()
        return hits


def exhausted(kind: str, scope: str, project: str, limit: int) -> GoogleError:
    """Google's 429 for a used-up quota."""
    name = f"{kind.capitalize()} requests"
    per = f"{name} per minute" + (" per user" if scope == "user" else "")
    metadata = {
        "service": "sheets.googleapis.com",
        "consumer": f"projects/{project}",
        "quota_metric": f"sheets.googleapis.com/{kind}_requests",
        "quota_limit": f"{kind.capitalize()}RequestsPerMinutePer{scope.capitalize()}",
        "quota_limit_value": str(limit),
        "quota_location": "global",
    }
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "RATE_LIMIT_EXCEEDED",
        "domain": "googleapis.com",
        "metadata": metadata,
    }
    text = (
        f"Quota exceeded for quota metric '{name}' and limit '{per}' of service 'sheets.googleapis.com' "
        f"for consumer 'project_number:{project}'."
    )
    return GoogleError(429, text, [info])
