"""Checks against the published schema, tokens, permissions, quotas, faults: Google's statuses and bodies."""

import time
from collections import deque
from typing import Any

import jwt
import pytest
import requests

from sandbox.sheets import schema
from sandbox.sheets.errors import GoogleError
from sandbox.sheets.quota import DEFAULTS, Quota

BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


def test_the_vendored_document_names_its_licence_and_revision() -> None:
    document = schema.document()
    assert "Apache License" in document["x-licence"]
    assert document["revision"] in document["x-licence"]
    assert (len(schema.methods()), len(document["schemas"])) == (17, 273)


def test_a_misspelt_field_is_refused_in_googles_words(caller: Any) -> None:
    error = caller.refused({"addSheet": {"properties": {"titel": "X"}}})
    text = (
        "Invalid JSON payload received. Unknown name \"titel\" at 'requests[0].add_sheet.properties': "
        "Cannot find field."
    )
    assert error == {
        "code": 400,
        "message": text,
        "status": "INVALID_ARGUMENT",
        "details": [
            {
                "@type": BAD_REQUEST,
                "fieldViolations": [{"field": "requests[0].add_sheet.properties", "description": text}],
            }
        ],
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"explode": {}}, "Unknown name \"explode\" at 'requests[0]': Cannot find field."),
        (
            {"addSheet": {"properties": {"index": "x"}}},
            "Invalid value at 'requests[0].add_sheet.properties.index'",
        ),
        ({"addSheet": {"properties": {"hidden": "yes"}}}, "(TYPE_BOOL)"),
        ({"addSheet": {"properties": {"sheetType": "PIE"}}}, "Invalid value at"),
        ({"addSheet": []}, "Invalid value at 'requests[0].add_sheet'"),
        ({"deleteSheet": {"sheetId": 99}}, "Invalid requests[0].deleteSheet: No grid with id: 99"),
        (
            {"updateSheetProperties": {"properties": {"sheetId": 0}}},
            "At least one field must be listed in 'fields'",
        ),
        ({}, "exactly one kind"),
    ],
)
def test_requests_that_do_not_fit_are_400(caller: Any, change: dict[str, Any], message: str) -> None:
    assert message in caller.refused(change)["message"]


def test_no_requests_at_all(caller: Any) -> None:
    assert caller.refused()["message"] == "Must specify at least one request."


def test_a_request_kind_that_is_not_simulated_says_so(caller: Any) -> None:
    answer = caller.send("POST", ":batchUpdate", {"requests": [{"refreshDataSource": {"isAll": True}}]})
    assert (answer.status_code, answer.json()["error"]["status"]) == (501, "UNIMPLEMENTED")


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[1]", b'"x"'])
def test_malformed_json_is_400(caller: Any, body: bytes) -> None:
    answer = caller.session.post(
        f"{caller.url}/v4/spreadsheets/{caller.book_id}:batchUpdate", data=body, timeout=10
    )
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_unknown_query_names_and_values_are_400(caller: Any) -> None:
    answer = caller.send("GET", "/values/A1", valueRender="X")
    assert 'Unknown name "valueRender": Cannot bind query parameter.' in answer.json()["error"]["message"]
    assert caller.send("GET", "/values/A1", majorDimension="DIAGONAL").status_code == 400


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", ""), ("GET", "/nothing"), ("POST", "/values/A1:explode")]
)
def test_unknown_routes_are_the_front_ends_page(caller: Any, method: str, path: str) -> None:
    answer = caller.send(method, path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=UTF-8")
    assert "was not found on this server" in answer.text


def test_a_failed_batch_changes_nothing(caller: Any) -> None:
    before = caller.dump()
    caller.put("A1", [["kept"]])
    caller.refused({"addSheet": {"properties": {"title": "New"}}}, {"deleteSheet": {"sheetId": 5}})
    after = caller.dump()
    assert [tab["title"] for tab in after["tabs"]] == [tab["title"] for tab in before["tabs"]]
    assert caller.values("A1") == [["kept"]]


def test_field_masks_cut_the_answer(caller: Any) -> None:
    caller.put("A1", [["x"]])
    assert caller.get(fields="sheets(properties(title)),spreadsheetId") == {
        "sheets": [{"properties": {"title": "Sheet1"}}],
        "spreadsheetId": caller.book_id,
    }
    rows = caller.get(fields="sheets.data.rowData.values.formattedValue")["sheets"][0]["data"][0]["rowData"]
    assert rows == [{"values": [{"formattedValue": "x"}]}]
    assert caller.send("GET", fields="sheets(properties").status_code == 400


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic eDp5"])
def test_without_a_good_token_401(caller: Any, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    answer = requests.get(f"{caller.url}/v4/spreadsheets/{caller.book_id}", headers=headers, timeout=10)
    assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")


def test_a_revoked_token_is_401_and_a_small_scope_403(caller: Any) -> None:
    token = caller.token(["https://www.googleapis.com/auth/userinfo.email"])
    url = f"{caller.url}/v4/spreadsheets/{caller.book_id}"
    answer = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert answer.json()["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    caller.door("POST", "revoke", {"email": caller.email})
    assert caller.send("GET").status_code == 401


def _claims(caller: Any, **changed: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {
        "iss": caller.email,
        "scope": "https://www.googleapis.com/auth/drive",
        "iat": now,
        "exp": now + 3600,
    }
    return claims | {"aud": "https://oauth2.googleapis.com/token"} | changed


def _grant(caller: Any, assertion: str, grant: str = "urn:ietf:params:oauth:grant-type:jwt-bearer") -> Any:
    form = {"grant_type": grant, "assertion": assertion}
    return requests.post(f"{caller.url}/token", data=form, timeout=10)


def test_the_grant_needs_this_key_this_audience_and_a_fresh_assertion(caller: Any) -> None:
    key = caller.key["private_key"]
    stranger = caller.door("POST", "service_accounts")["private_key"]
    good = _grant(caller, jwt.encode(_claims(caller), key, "RS256"))
    assert (good.status_code, good.json()["token_type"]) == (200, "Bearer")
    bad = [
        jwt.encode(_claims(caller), stranger, "RS256"),
        jwt.encode(_claims(caller), "guessed-secret-of-thirty-two-bytes!", "HS256"),
        jwt.encode(_claims(caller, aud=f"{caller.url}/token"), key, "RS256"),
        jwt.encode(_claims(caller, exp=int(time.time()) - 1), key, "RS256"),
        jwt.encode(_claims(caller, exp=int(time.time()) + 90_000), key, "RS256"),
        jwt.encode(_claims(caller, iss="nobody@nowhere.iam.gserviceaccount.com"), key, "RS256"),
        "not.a.jwt",
        "",
    ]
    for assertion in bad:
        answer = _grant(caller, assertion)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    other = _grant(caller, jwt.encode(_claims(caller), key, "RS256"), "password")
    assert other.json()["error"] == "unsupported_grant_type"


def test_spreadsheets_of_others_are_403_and_unknown_ones_404(caller: Any) -> None:
    own = caller.book_id
    caller.book_id = caller.door("POST", "spreadsheets", {"title": "Private"})["spreadsheet_id"]
    assert caller.send("GET").json() == {
        "error": {
            "code": 403,
            "message": "The caller does not have permission",
            "status": "PERMISSION_DENIED",
        }
    }
    caller.door(
        "POST",
        f"spreadsheets/{caller.book_id}/share",
        {"share_with": [{"email": caller.email, "role": "reader"}]},
    )
    assert caller.send("GET").status_code == 200
    assert caller.put("A1", [[1]]).status_code == 403
    caller.book_id = own + "x"
    assert caller.send("GET").json()["error"]["message"] == "Requested entity was not found."


def test_service_accounts_create_files_only_when_switched_on(caller: Any) -> None:
    url = f"{caller.url}/v4/spreadsheets"
    body = {"properties": {"title": "Mine"}, "sheets": [{"properties": {"title": "First"}}]}
    assert caller.session.post(url, json=body, timeout=10).status_code == 403
    files = caller.session.post(f"{caller.url}/drive/v3/files", json={"name": "Mine"}, timeout=10).json()
    assert files["error"]["errors"][0]["reason"] == "storageQuotaExceeded"
    caller.door("POST", "limits", {"service_accounts_may_create": True})
    made = caller.session.post(url, json=body, timeout=10).json()
    assert [s["properties"]["title"] for s in made["sheets"]] == ["First"]
    caller.door("DELETE", f"spreadsheets/{caller.book_id}")
    listed = caller.session.get(
        f"{caller.url}/drive/v3/files", params={"q": "name = 'mine' and trashed = false"}, timeout=10
    )
    assert [f["id"] for f in listed.json()["files"]] == [made["spreadsheetId"]]


class Clock:
    """A clock that the test drives."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_sixty_writes_in_any_sliding_minute_and_user() -> None:
    clock = Clock()
    quota = Quota(clock)
    granted: deque[float] = deque()
    refused = 0
    for _ in range(400):
        clock.now += 0.7
        try:
            quota.take("write", "a", "p", DEFAULTS)
        except GoogleError:
            refused += 1
            continue
        granted.append(clock.now)
        assert len([at for at in granted if at > clock.now - 60]) <= 60
    assert refused > 0


def test_reads_and_writes_count_apart_and_a_project_has_its_own_quota() -> None:
    quota = Quota(Clock())
    for user in range(5):
        for _ in range(60):
            quota.take("write", f"u{user}", "p", DEFAULTS)
    quota.take("read", "u0", "p", DEFAULTS)
    quota.take("write", "u9", "other", DEFAULTS)
    with pytest.raises(GoogleError, match="Write requests per minute' of service"):
        quota.take("write", "u9", "p", DEFAULTS)
    for _ in range(59):
        quota.take("read", "u0", "p", DEFAULTS)
    with pytest.raises(GoogleError, match="per minute per user") as caught:
        quota.take("read", "u0", "p", DEFAULTS)
    assert (caught.value.code, caught.value.details[0]["reason"]) == (429, "RATE_LIMIT_EXCEEDED")
    quota.take("write", "u9", "p", DEFAULTS | {"quotas": False})


def test_a_used_up_quota_over_http(caller: Any) -> None:
    caller.door("POST", "limits", {"reads_per_user": 2})
    assert [caller.send("GET").status_code for _ in range(3)] == [200, 200, 429]
    assert caller.put("A1", [[1]]).status_code == 200
    caller.door("POST", "limits", {})
    assert caller.send("GET").status_code == 200


def test_ten_million_cells_and_no_more(caller: Any) -> None:
    grid = {"rowCount": 9_999_000, "columnCount": 1}
    error = caller.refused({"addSheet": {"properties": {"gridProperties": grid}}})
    assert "above the limit of 10000000 cells" in error["message"]
    caller.batch({"addSheet": {"properties": {"gridProperties": grid | {"rowCount": 9_974_000}}}})
    assert (
        "above the limit"
        in caller.refused({"appendDimension": {"dimension": "ROWS", "length": 1}})["message"]
    )


def test_large_bodies_and_cells_are_refused(caller: Any) -> None:
    caller.door("POST", "limits", {"max_body_bytes": 100_000})
    assert "payload size exceeds" in caller.put("A1", [["x" * 100_001]]).json()["error"]["message"]
    assert "50000 characters" in caller.put("A1", [["x" * 50_001]]).json()["error"]["message"]
    assert caller.put("A1", [["x" * 50_000]]).status_code == 200


def test_faults_come_in_order_and_after_lets_the_call_take_effect(caller: Any) -> None:
    faults = [
        {"method": "spreadsheets.values.update", "status": 503, "skip": 1, "after": True},
        {"method": "spreadsheets.values.get", "status": 429, "retry_after": 5, "times": 2},
    ]
    caller.door("POST", "faults", faults)
    assert [caller.put("A1", [[n]]).status_code for n in range(3)] == [200, 503, 200]
    answers = [caller.send("GET", "/values/A1") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "5"
    assert caller.door("GET", "faults") == []


def test_a_fault_that_is_none_is_refused(caller: Any) -> None:
    answer = caller.session.post(f"{caller.url}/_sandbox/faults", json=[{"kind": "fire"}], timeout=10)
    assert (answer.status_code, answer.json()) == (400, {"error": "unknown kind of fault: fire"})


def test_the_request_log_tells_calls_and_statuses(caller: Any) -> None:
    seen = caller.door("GET", "requests")["requests"][-1]["seq"]
    caller.put("A1", [[1]])
    caller.send("GET", "/values/nowhere!A1")
    logged = caller.door("GET", f"requests?since={seen}")["requests"]
    assert [(e["call"], e["status"]) for e in logged] == [
        ("spreadsheets.values.update", 200),
        ("spreadsheets.values.get", 400),
    ]
