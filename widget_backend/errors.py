"""Every exception class of the product, grouped by what the catcher should do about it."""

from typing import Any


class AppError(Exception):
    """Base: a short technical message, a remedy for people, and safe context.

    ``remedy`` is one sentence that says what to do. ``context`` holds ids, paths and statuses only; never
    tokens, bodies, phones or names. Instances survive pickling, because Celery sends them between processes.
    """

    status = 500
    code = "internal"

    def __init__(self, message: str, *, remedy: str | None = None, field: str | None = None, **context: Any):
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.field = field
        self.context = context

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.remedy, self.field, self.context)

    def one_line(self) -> str:
        """Message and remedy on one line, as the command line prints them."""
        text = f"{self.field}: {self.message}" if self.field else self.message
        return f"{text} {self.remedy}" if self.remedy else text


def _rebuild(
    cls: type[AppError], message: str, remedy: str | None, field: str | None, context: dict[str, Any]
) -> AppError:
    return cls(message, remedy=remedy, field=field, **context)


class ConfigError(AppError):
    """The installation is set up wrongly; a person has to change a setting."""

    code = "config"


# --- what the caller got wrong -------------------------------------------------------------------------


class InputError(AppError):
    """A value from outside cannot be used; ``field`` names it."""

    status = 400
    code = "bad_input"


class Unauthorized(AppError):
    """Nobody we know is calling."""

    status = 401
    code = "unauthorized"


class Forbidden(AppError):
    """We know who is calling, and they may not."""

    status = 403
    code = "forbidden"


class NotFound(AppError):
    """The named thing does not exist or is not visible to the caller."""

    status = 404
    code = "not_found"


class Conflict(AppError):
    """The state of the account does not allow it now."""

    status = 409
    code = "conflict"


class StillLoading(Conflict):
    """Nothing can be said yet: the account's first copy has just begun."""

    code = "still_loading"


class NotConnected(Conflict):
    """The account is known, but has no usable authorisation."""

    code = "not_connected"


# --- what passes by itself -----------------------------------------------------------------------------


class Retriable(AppError):
    """Try again later; ``retry_after_s`` says when, if the other side said so."""

    status = 503
    code = "try_later"

    @property
    def retry_after_s(self) -> float | None:
        value = self.context.get("retry_after_s")
        return float(value) if value is not None else None


class AmoUnavailable(Retriable):
    """amoCRM answered 5xx, or not at all."""


class AmoRateLimited(Retriable):
    """amoCRM answered 429, or our own budget has nothing left within the allowed wait."""


class SinkBusy(Retriable):
    """An export target asked us to slow down."""


# --- what a person at the client has to mend -----------------------------------------------------------


class NeedsReauthorization(AppError):
    """The tokens are dead: pause the account and tell its administrator."""

    status = 409
    code = "reauth_required"


class AccountBlocked(AppError):
    """amoCRM has banned the account or the address (403 with a page): stop all its traffic."""

    status = 409
    code = "account_blocked"


# --- what will not get better by trying ----------------------------------------------------------------


class Permanent(AppError):
    """Repeating the same call gives the same answer."""


class AmoRejected(Permanent):
    """amoCRM refused the request (400, 404, 405, 422 …)."""


class AmoForbidden(Permanent):
    """The authorising user lacks the right, or the tariff lacks the feature (402, 403 as JSON)."""


class SinkMisconfigured(Permanent):
    """An export target cannot be written until a person changes something there."""

    status = 409
    code = "sink_misconfigured"


class Skippable(AppError):
    """This one record is unusable; the rest of the batch goes on."""


class UnreadableRecord(Skippable):
    """A record from amoCRM lacks what makes it identifiable."""
