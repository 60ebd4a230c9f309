"""The Google calls of an export, through gspread, with Google's errors as ours."""

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

import requests
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.auth.transport.requests import AuthorizedSession
from google.oauth2.service_account import Credentials
from gspread.exceptions import APIError
from gspread.http_client import HTTPClient

from widget_backend.errors import AppError, ConfigError, Permanent, SinkBusy, SinkMisconfigured

SCOPES = ("https://www.googleapis.com/auth/spreadsheets",)
GOOGLE_ORIGINS = ("https://sheets.googleapis.com", "https://www.googleapis.com")
TIMEOUT_S = (5.0, 30.0)
QUOTA_WINDOW_S = 60
_OVERVIEW_FIELDS = (
    "spreadsheetUrl,sheets(properties(sheetId,title,sheetType,gridProperties(rowCount,columnCount)),"
    "developerMetadata(metadataId,metadataKey,metadataValue),"
    "data(columnMetadata(developerMetadata(metadataId,metadataKey,metadataValue))))"
)


class SheetsHTTP(HTTPClient):
    """gspread's HTTP client on another origin: gspread itself has the addresses as constants."""

    origin: str | None = None

    def request(self, method: str, endpoint: str, *args: Any, **kwargs: Any) -> requests.Response:
        """Sends the request; never retries (gspread's BackOffHTTPClient does so without end)."""
        if self.origin is not None:
            for public in GOOGLE_ORIGINS:
                if endpoint.startswith(public + "/"):
                    endpoint = self.origin + endpoint.removeprefix(public)
        return super().request(method, endpoint, *args, **kwargs)


class SheetsCredentials(Credentials):
    """A service account that looks up no regional boundary.

    google-auth asks another Google host for it in the background, whatever ``token_uri`` says; Sheets has no
    regional endpoints, and an installation may have no way to that host.
    """

    def _is_regional_access_boundary_lookup_required(self) -> bool:
        return False


class SheetsClient:
    """Calls on one spreadsheet; a context manager that closes its connections. ConfigError for a bad key."""

    def __init__(self, credentials_info: Mapping[str, Any], spreadsheet_id: str, origin: str | None) -> None:
        origin = origin.rstrip("/") if origin else None
        info = dict(credentials_info)
        if origin is not None:
            info["token_uri"] = f"{origin}/token"
        try:
            credentials = SheetsCredentials.from_service_account_info(info, scopes=SCOPES)  # type: ignore[no-untyped-call]
        except (ValueError, GoogleAuthError) as err:
            raise ConfigError(
                "the Google service account key cannot be used",
                remedy="Put the JSON key file of a service account into GOOGLE_CREDENTIALS.",
            ) from err
        self.email = str(credentials.service_account_email)
        self.spreadsheet_id = spreadsheet_id
        self._session = AuthorizedSession(  # type: ignore[no-untyped-call]
            credentials, refresh_timeout=TIMEOUT_S[1]
        )
        self._http = SheetsHTTP(credentials, session=self._session)
        self._http.origin = origin
        self._http.set_timeout(TIMEOUT_S)

    def __enter__(self) -> "SheetsClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()  # type: ignore[no-untyped-call]

    def overview(self) -> dict[str, Any]:
        """Tabs with their sizes and developer metadata, without cells."""
        params: dict[str, Any] = {"fields": _OVERVIEW_FIELDS}
        answer: dict[str, Any] = self._call(lambda: self._http.spreadsheets_get(self.spreadsheet_id, params))
        return answer

    def read(self, titles: Sequence[str]) -> list[list[list[Any]]]:
        """All cells of the named tabs: formulas as text, dates as numbers, rows without trailing blanks."""
        if not titles:
            return []
        ranges = ["'" + title.replace("'", "''") + "'" for title in titles]
        params: dict[str, Any] = {
            "valueRenderOption": "FORMULA",
            "dateTimeRenderOption": "SERIAL_NUMBER",
            "majorDimension": "ROWS",
        }
        answer = self._call(lambda: self._http.values_batch_get(self.spreadsheet_id, ranges, params))
        return [values.get("values", []) for values in answer["valueRanges"]]

    def apply(self, changes: Sequence[Mapping[str, Any]]) -> None:
        """Applies the requests of one spreadsheets.batchUpdate: all of them or none."""
        self._call(lambda: self._http.batch_update(self.spreadsheet_id, {"requests": list(changes)}))

    def _call(self, send: Callable[[], Any]) -> Any:
        try:
            return send()
        except (APIError, GoogleAuthError, requests.RequestException) as err:
            raise product_error(err, self.email, self.spreadsheet_id) from err


def product_error(err: Exception, email: str, spreadsheet_id: str) -> AppError:
    """What a failed call means for the product; the message never holds tokens or cells."""
    if isinstance(err, APIError):
        return _answer_error(err, email, spreadsheet_id)
    if isinstance(err, RefreshError) and not err.retryable:
        return SinkMisconfigured(
            "Google refused the service account's key",
            remedy=f"Create a new key for {email} and put it into GOOGLE_CREDENTIALS.",
            spreadsheet_id=spreadsheet_id,
        )
    if isinstance(err, RefreshError | TransportError | requests.RequestException):
        # Timeouts, broken connections, half answers; the next run finds out what took effect.
        return SinkBusy(
            "Google Sheets did not answer", reason=type(err).__name__, spreadsheet_id=spreadsheet_id
        )
    return Permanent(f"Google authentication failed: {type(err).__name__}", spreadsheet_id=spreadsheet_id)


def _answer_error(err: APIError, email: str, spreadsheet_id: str) -> AppError:
    status = int(err.response.status_code)
    text = str(err.error.get("message", ""))[:300]
    context: dict[str, Any] = {"http_status": status, "spreadsheet_id": spreadsheet_id}
    if status == 429:
        return SinkBusy("Google Sheets quota is used up", retry_after_s=_retry_after(err), **context)
    if status >= 500 or status == 408:
        return SinkBusy(f"Google Sheets answered {status}", **context)
    if status == 403 and "SERVICE_DISABLED" in str(err.error.get("details", "")):
        remedy = "Enable the Google Sheets API in the service account's Google Cloud project."
        return SinkMisconfigured("the Google Sheets API is switched off", remedy=remedy, **context)
    if status == 403:
        remedy = f"Share the spreadsheet with {email} as an editor."
        return SinkMisconfigured(
            "the spreadsheet is not open to the service account", remedy=remedy, **context
        )
    if status == 404:
        remedy = "Check the spreadsheet's address in the export settings; it may have been deleted."
        return SinkMisconfigured("there is no such spreadsheet", remedy=remedy, **context)
    if status == 401:
        remedy = f"Create a new key for {email} and put it into GOOGLE_CREDENTIALS."
        return SinkMisconfigured(
            "Google did not accept the service account's token", remedy=remedy, **context
        )
    if "protected cell" in text:
        remedy = f"Allow {email} to edit the protected range, or remove the protection."
        return SinkMisconfigured("a protected range forbids writing", remedy=remedy, **context)
    if "above the limit of" in text:
        remedy = "Delete tabs, rows or columns that are not needed, or choose another spreadsheet."
        return SinkMisconfigured(
            "the spreadsheet has reached Google's limit of cells", remedy=remedy, **context
        )
    return Permanent(f"Google Sheets refused the request: {text}", **context)


def _retry_after(err: APIError) -> float:
    header = err.response.headers.get("Retry-After", "")
    return float(header) if header.isdigit() else QUOTA_WINDOW_S
