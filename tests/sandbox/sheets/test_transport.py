"""What lies around a call: discovery, long reads, large bodies, scopes, field masks, faults of every kind."""

import json
import threading
import time
from typing import Any

import pytest
import requests

from sandbox.sheets import batch, calls, schema


def test_every_method_of_the_document_is_simulated() -> None:
    assert {method.id for method in schema.methods()} == set(calls.METHODS)


def test_the_kinds_of_requests_that_are_not_simulated_are_known() -> None:
    kinds = set(schema.document()["schemas"]["Request"]["properties"])
    assert set(batch.HANDLERS) <= kinds
    assert kinds - set(batch.HANDLERS) == {
        "addDataSource",
        "updateDataSource",
        "deleteDataSource",
        "refreshDataSource",
        "cancelDataSourceRefresh",
        "insertComment",
        "updateCommentPost",
        "deleteComment",
        "addCommentReply",
        "deleteCommentReply",
        "updateEmbeddedObjectBorder",
    }


@pytest.mark.parametrize("path", ["/$discovery/rest?version=v4", "/discovery/v1/apis/sheets/v4/rest"])
def test_the_discovery_document_leads_back_here(caller: Any, path: str) -> None:
    document = requests.get(caller.url + path, timeout=10).json()
    assert (document["rootUrl"], document["revision"]) == (f"{caller.url}/", "20261019")
    assert document["resources"]["spreadsheets"]["methods"]["get"]["path"]


def test_a_long_read_comes_as_a_post(caller: Any) -> None:
    caller.put("A1", [["x"]])
    url = f"{caller.url}/v4/spreadsheets/{caller.book_id}/values:batchGet"
    headers = {"X-HTTP-Method-Override": "GET", "Content-Type": "application/x-www-form-urlencoded"}
    answer = caller.session.post(url, data="&".join(["ranges=A1"] * 300), headers=headers, timeout=10)
    assert len(answer.json()["valueRanges"]) == 300


def test_a_token_may_stand_in_the_query(caller: Any) -> None:
    url = f"{caller.url}/v4/spreadsheets/{caller.book_id}"
    token = caller.session.headers["Authorization"].removeprefix("Bearer ")
    assert requests.get(url, params={"access_token": token, "alt": "json"}, timeout=10).status_code == 200
    refused = requests.get(url, timeout=10)
    assert (refused.status_code, "Bearer" in refused.headers["WWW-Authenticate"]) == (401, True)


def test_a_chunked_body_is_read_and_measured(caller: Any) -> None:
    url = f"{caller.url}/v4/spreadsheets/{caller.book_id}/values/A1"
    body = json.dumps({"values": [["x" * 1000]] * 50}).encode()
    pieces = [body[i : i + 4096] for i in range(0, len(body), 4096)]
    params = {"valueInputOption": "RAW"}
    assert caller.session.put(url, data=iter(pieces), params=params, timeout=10).status_code == 200
    caller.door("POST", "limits", {"max_body_bytes": 10_000})
    answer = caller.session.put(url, data=iter(pieces), params=params, timeout=10)
    assert (answer.status_code, "payload size exceeds" in answer.text) == (400, True)


@pytest.mark.parametrize(
    "body", [b'{"values": [[NaN]]}', b'{"values": [[Infinity]]}', b"[" * 100_000, b'{"values": "x"}', b"\xd0"]
)
def test_json_that_is_none_is_400(caller: Any, body: bytes) -> None:
    url = f"{caller.url}/v4/spreadsheets/{caller.book_id}/values/A1"
    answer = caller.session.put(url, data=body, params={"valueInputOption": "RAW"}, timeout=10)
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_a_read_only_token_reads_only(caller: Any) -> None:
    token = caller.token(["https://www.googleapis.com/auth/spreadsheets.readonly"])
    caller.session.headers["Authorization"] = f"Bearer {token}"
    assert caller.send("GET").status_code == 200
    assert (
        caller.put("A1", [[1]]).json()["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    )


def test_an_expired_token_is_401(server: Any, caller: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert caller.send("GET").status_code == 200
    monkeypatch.setattr(server.app, "now", lambda: time.time() + 3601)
    assert caller.send("GET").status_code == 401


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ("sheets.colour", "sheets.colour"),
        ("spreadsheetId,x", "x"),
        ("sheets(data(cells))", "sheets.data.cells"),
    ],
)
def test_a_field_mask_that_leads_nowhere_is_400(caller: Any, fields: str, path: str) -> None:
    answer = caller.send("GET", fields=fields)
    assert answer.status_code == 400
    assert f"Cannot find matching fields for path '{path}'" in answer.json()["error"]["message"]


def test_masks_of_values_and_of_batch_answers(caller: Any) -> None:
    caller.put("A1", [["x"]])
    assert caller.get("/values/A1", fields="values") == {"values": [["x"]]}
    body = {
        "requests": [{"addSheet": {"properties": {"title": "T"}}}],
        "includeSpreadsheetInResponse": True,
        "responseRanges": ["T"],
        "responseIncludeGridData": True,
    }
    answer = caller.send("POST", ":batchUpdate", body).json()
    assert [s["properties"]["title"] for s in answer["updatedSpreadsheet"]["sheets"]] == ["T"]
    assert answer["updatedSpreadsheet"]["sheets"][0]["data"]


METHODS = {
    "spreadsheets.get": ("GET", "", None, {}),
    "spreadsheets.values.get": ("GET", "/values/A1", None, {}),
    "spreadsheets.values.update": ("PUT", "/values/A1", {"values": [["new"]]}, {"valueInputOption": "RAW"}),
    "spreadsheets.batchUpdate": (
        "POST",
        ":batchUpdate",
        {"requests": [{"addSheet": {"properties": {"title": "new"}}}]},
        {},
    ),
}


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
@pytest.mark.parametrize("method_id", METHODS)
def test_each_status_strikes_the_wanted_call_so_many_times(caller: Any, method_id: str, status: int) -> None:
    caller.door("POST", "faults", [{"method": method_id, "status": status, "times": 2}])
    method, path, body, params = METHODS[method_id]
    assert caller.send("GET", "/developerMetadata/1").status_code == 404
    answers = [caller.send(method, path, body, **params) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert answers[0].json()["error"]["code"] == status


def test_a_lost_answer_has_taken_effect_and_a_lost_request_has_not(caller: Any) -> None:
    for after, kind in ((True, "drop"), (False, "drop"), (True, "truncate"), (True, "html")):
        title = f"{kind} {after}"
        fault = {"method": "spreadsheets.batchUpdate", "kind": kind, "after": after, "status": 502}
        caller.door("POST", "faults", [fault])
        changes = {"requests": [{"addSheet": {"properties": {"title": title}}}]}
        if kind == "drop":
            with pytest.raises(requests.ConnectionError):
                caller.send("POST", ":batchUpdate", changes)
        else:
            with pytest.raises(requests.JSONDecodeError):
                caller.send("POST", ":batchUpdate", changes).json()
        assert (title in [tab["title"] for tab in caller.dump()["tabs"]]) is after


def test_a_slow_answer_holds_up_nobody_else(caller: Any, server: Any) -> None:
    fault = {"method": "spreadsheets.values.update", "kind": "slow", "delay_s": 300}
    caller.door("POST", "faults", [fault])
    with pytest.raises(requests.ReadTimeout):
        caller.session.put(
            f"{caller.url}/v4/spreadsheets/{caller.book_id}/values/A1",
            json={"values": [["late"]]},
            params={"valueInputOption": "RAW"},
            timeout=0.5,
        )
    assert caller.values("A1") == []
    try:
        server.app.stopping.set()  # what lets it wait no longer
        guard = threading.Event()
        for _ in range(200):
            if caller.values("A1") == [["late"]]:
                break
            guard.wait(0.05)
        assert caller.values("A1") == [["late"]]
    finally:
        server.app.stopping.clear()


def test_faults_by_path_for_ever_and_added_to_the_queue(caller: Any) -> None:
    own = caller.book_id
    caller.door("POST", "faults", [{"path": own, "status": 403, "times": None, "reason": "SERVICE_DISABLED"}])
    caller.door("POST", "faults", {"add": [{"method": "drive", "status": 500}]})
    refused = [caller.send("GET") for _ in range(3)]
    assert [answer.status_code for answer in refused] == [403] * 3
    assert refused[0].json()["error"]["details"][0]["reason"] == "SERVICE_DISABLED"
    caller.book_id = caller.new_book()
    assert caller.send("GET").status_code == 200
    files = f"{caller.url}/drive/v3/files"
    assert [caller.session.get(files, timeout=10).status_code for _ in range(2)] == [500, 200]
    assert len(caller.door("GET", "faults")) == 1


@pytest.mark.parametrize(
    "fault", [{"status": 200}, {"times": 0}, {"path": "("}, {"delay_s": -1}, {"skip": -1}, {"colour": "red"}]
)
def test_faults_that_are_none(caller: Any, fault: dict[str, Any]) -> None:
    answer = caller.session.post(f"{caller.url}/_sandbox/faults", json=[fault], timeout=10)
    assert answer.status_code == 400


def test_a_token_fault_refuses_the_grant(caller: Any) -> None:
    caller.door("POST", "faults", [{"method": "token", "status": 503}])
    answer = caller.session.post(f"{caller.url}/token", data={"grant_type": "x"}, timeout=10)
    assert answer.status_code == 503


def test_no_answer_departs_from_the_schema_and_none_is_a_500(caller: Any) -> None:
    """Requests of every kind with nothing in them: each is an answer or a refusal, never an accident."""
    caller.door("POST", "limits", {"quotas": False})
    caller.put("A1", [["x", 1], ["y", 2]])
    for kind in sorted(batch.HANDLERS):
        answer = caller.send("POST", ":batchUpdate", {"requests": [{kind: {}}]})
        assert answer.status_code in (200, 400), (kind, answer.text)
    span = {"sheetId": 0, "startRowIndex": -1, "endRowIndex": 3, "startColumnIndex": 0, "endColumnIndex": 1}
    for kind in (
        "repeatCell",
        "mergeCells",
        "sortRange",
        "setBasicFilter",
        "setDataValidation",
        "findReplace",
    ):
        inner = {"filter": {"range": span}} if kind == "setBasicFilter" else {"range": span, "fields": "note"}
        inner = {"range": span, "find": "x"} if kind == "findReplace" else inner
        inner = {k: v for k, v in inner.items() if k != "fields" or kind == "repeatCell"}
        answer = caller.send("POST", ":batchUpdate", {"requests": [{kind: inner}]})
        assert answer.status_code == 400, (kind, answer.text)
