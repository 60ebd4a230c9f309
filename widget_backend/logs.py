"""Structured logs: one JSON object a line, with the account, request and job bound as context."""

import logging
import re
import sys
from typing import Any

import structlog

SECRET_WORDS = frozenset({"token", "tokens", "secret", "secrets", "password", "authorization", "cookie"})
# As whole names only: `status_code` and `metric_key` promise no secret.
SECRET_NAMES = frozenset({"code", "key", "keys", "body", "phone", "email"})
# PostgreSQL quotes whole rows here; what went wrong is told before.
_ROW_DETAIL = re.compile(
    r"\bDETAIL: .*?(?=\n(?:CONTEXT|HINT|\[SQL|\(Background|The above|Traceback|\s*\n)|\Z)", re.S
)


def redact(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Blank the values of fields whose names promise a secret, whoever logged them."""
    for name in event:
        lowered = name.lower()
        if lowered in SECRET_NAMES or not SECRET_WORDS.isdisjoint(lowered.split("_")):
            event[name] = "[redacted]"
    return event


def without_rows(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Take the database's quotations of rows out of tracebacks: they hold names, phones and texts."""
    if isinstance(event.get("exception"), str):
        event["exception"] = _ROW_DETAIL.sub("DETAIL: [redacted]", event["exception"])
    return event


def configure(level: str = "INFO") -> None:
    """Send structlog and the standard library's loggers to standard error, all as JSON lines.

    An unknown level counts as INFO here; the settings refuse it.
    """
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
    ]
    rendered: list[structlog.typing.Processor] = [
        structlog.processors.format_exc_info,
        without_rows,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered],
        )
    )
    logging.basicConfig(level=number, handlers=[handler], force=True)
    for noisy in ("urllib3", "werkzeug"):
        logging.getLogger(noisy).setLevel("WARNING")
    structlog.configure(
        processors=[*shared, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
