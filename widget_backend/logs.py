"""Structured logs: one JSON object a line, with the account, request and job bound as context."""

import logging
import sys
from typing import Any

import structlog

SECRET_WORDS = ("token", "secret", "password", "authorization", "code", "key")


def redact(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Blank the values of fields whose names promise a secret, whoever logged them."""
    for name in event:
        if name != "event" and any(word in name.lower().split("_") for word in SECRET_WORDS):
            event[name] = "[redacted]"
    return event


def configure(level: str = "INFO") -> None:
    """Send structlog and the standard library's loggers to standard error as JSON lines."""
    logging.basicConfig(level=level, stream=sys.stderr, format="%(message)s", force=True)
    for noisy in ("urllib3", "werkzeug"):
        logging.getLogger(noisy).setLevel("WARNING")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
