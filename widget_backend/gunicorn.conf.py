"""gunicorn's settings: loopback, threads, and an access log that never shows a secret path."""

import os
import re
from typing import Any

from gunicorn.glogging import Logger

# Account and pipeline hooks carry a secret in the path; `disconnect` does not. OAuth answers carry a code.
_SECRET_PATH = re.compile(r"(/hooks/(?:amocrm|pipeline)/)(?!disconnect(?:[?\s/]|$))[^\s?\"]+")
_SECRET_QUERY = re.compile(r"((?:/oauth/|/hooks/)[^\s?\"]*\?)[^\s\"]+")


def redact(text: str) -> str:
    """`/hooks/amocrm/SECRET` → `/hooks/amocrm/[redacted]`; queries of /oauth/ and /hooks/ likewise."""
    return _SECRET_QUERY.sub(r"\1[redacted]", _SECRET_PATH.sub(r"\1[redacted]", text))


class RedactingLogger(Logger):  # type: ignore[misc]
    """gunicorn's logger, with secrets taken out of request lines and error messages."""

    def atoms(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        for name in ("r", "U", "f"):
            atoms[name] = redact(str(atoms[name]))
        if redact(f"{atoms['U']}?x") != f"{atoms['U']}?x":
            atoms["q"] = "[redacted]"
        return atoms

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        super().exception(msg, *(redact(str(one)) for one in args), **kwargs)


bind = f"{os.environ.get('BIND_HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 8
# A worker that is busy for a minute is stuck; one that is asked to go may finish what it answers.
timeout = 60
graceful_timeout = 20
keepalive = 5
backlog = 512
accesslog = "-"
errorlog = "-"
access_log_format = '%(h)s "%(r)s" %(s)s %(B)s %(M)sms'
logger_class = RedactingLogger
# Its socket would lie at a path that may be too long, and nobody uses it.
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 heartbeat files, no disk
