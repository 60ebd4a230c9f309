"""Drive: what clients do with spreadsheets as files: search, create, rename, share, copy, export, delete."""

from typing import Any

import pytest
import requests


def drive(caller: Any, method: str, path: str = "", body: Any = None, **params: Any) -> requests.Response:
    url = f"{caller.url}/drive/v3/files{path}"
    answer: requests.Response = caller.session.request(method, url, json=body, params=params, timeout=10)
    return answer


def error(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["errors"][0]["reason"]


def test_files_are_listed_by_query_order_and_page(newcomer: Any) -> None:
    newcomer.door("POST", "limits", {"service_accounts_may_create": True})
    for name in ("План на год", "план Б", "it's"):
        assert drive(newcomer, "POST", body={"name": name}).status_code == 200

    def names(query: str, **params: Any) -> list[str]:
        return [file["name"] for file in drive(newcomer, "GET", q=query, **params).json()["files"]]

    sheets = "mimeType='application/vnd.google-apps.spreadsheet'"
    assert names(sheets, orderBy="name") == ["Book", "it's", "План на год", "план Б"]
    assert names(f"{sheets} and name contains 'ПЛАН'") == ["План на год", "план Б"]
    assert names("name = 'it\\'s' or name = 'book'") == ["Book", "it's"]
    assert names("not (name contains 'план') and trashed = false") == ["Book", "it's"]
    assert names(f"'{newcomer.email}' in owners and trashed=false", orderBy="name desc")[-1] == "it's"
    assert names("mimeType = 'text/csv'") == []
    page = drive(newcomer, "GET", pageSize=3, fields="nextPageToken,files(id,name,webViewLink)").json()
    assert [*page["files"][0]] == ["id", "name", "webViewLink"]
    rest = drive(newcomer, "GET", pageSize=3, pageToken=page["nextPageToken"]).json()
    assert (len(page["files"]), len(rest["files"]), "nextPageToken" in rest) == (3, 1, False)


@pytest.mark.parametrize(
    "params", [{"q": "name ="}, {"q": "colour = 'red'"}, {"q": "name = x"}, {"q": "("}, {"pageSize": "x"}]
)
def test_queries_that_are_none(caller: Any, params: dict[str, str]) -> None:
    assert error(drive(caller, "GET", **params)) == (400, "invalid")


def test_files_are_renamed_trashed_copied_and_deleted(newcomer: Any) -> None:
    newcomer.door("POST", "limits", {"service_accounts_may_create": True})
    newcomer.put("A1", [["x"]])
    copy = drive(newcomer, "POST", f"/{newcomer.book_id}/copy", {"name": "Second"}).json()
    assert copy["name"] == "Second"
    assert drive(newcomer, "PATCH", f"/{copy['id']}", {"name": "Third"}).json()["name"] == "Third"
    shared = newcomer.book_id
    newcomer.book_id = copy["id"]
    assert newcomer.values("A1") == [["x"]]
    assert newcomer.get()["properties"]["title"] == "Third"
    assert drive(newcomer, "PATCH", f"/{copy['id']}", {"trashed": True}).status_code == 200
    assert newcomer.send("GET").status_code == 404
    assert drive(newcomer, "DELETE", f"/{copy['id']}").status_code == 204
    assert error(drive(newcomer, "GET", f"/{copy['id']}")) == (404, "notFound")
    assert error(drive(newcomer, "DELETE", f"/{shared}")) == (403, "insufficientFilePermissions")


def test_without_space_nothing_is_created(caller: Any) -> None:
    assert error(drive(caller, "POST", body={"name": "X"})) == (403, "storageQuotaExceeded")
    assert error(drive(caller, "POST", f"/{caller.book_id}/copy", {})) == (403, "storageQuotaExceeded")


def test_a_file_is_shared_with_people_and_with_the_link(caller: Any, other: Any) -> None:
    path = f"/{caller.book_id}/permissions"
    caller.door("POST", f"spreadsheets/{caller.book_id}/unshare", {"emails": [other.email]})
    assert other.send("GET").status_code == 403
    made = drive(caller, "POST", path, {"type": "user", "role": "reader", "emailAddress": other.email}).json()
    assert (other.send("GET").status_code, other.put("A1", [[1]]).status_code) == (200, 403)
    one = f"{path}/{made['id']}"
    assert drive(caller, "PATCH", one, {"role": "writer"}).json()["role"] == "writer"
    assert other.put("A1", [[1]]).status_code == 200
    listed = drive(caller, "GET", path, fields="permissions(emailAddress,role)").json()["permissions"]
    assert {"emailAddress": other.email, "role": "writer"} in listed
    assert drive(caller, "DELETE", one).status_code == 204
    assert other.send("GET").status_code == 403
    assert drive(caller, "POST", path, {"type": "anyone", "role": "reader"}).json()["id"] == "anyoneWithLink"
    assert other.send("GET").status_code == 200
    assert drive(caller, "DELETE", f"{path}/anyoneWithLink").status_code == 204
    assert error(drive(caller, "GET", f"{path}/1")) == (404, "notFound")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"type": "user", "role": "king", "emailAddress": "a@b"}, (400, "invalid")),
        ({"type": "user", "role": "writer", "emailAddress": "nobody"}, (400, "invalidSharingRequest")),
        ({"type": "user", "role": "owner", "emailAddress": "a@b"}, (403, "forbidden")),
    ],
)
def test_sharing_that_cannot_be(caller: Any, body: dict[str, str], expected: tuple[int, str]) -> None:
    assert error(drive(caller, "POST", f"/{caller.book_id}/permissions", body)) == expected


def test_a_reader_does_not_share_or_rename(caller: Any, other: Any) -> None:
    share = {"share_with": [{"email": other.email, "role": "reader"}]}
    caller.door("POST", f"spreadsheets/{caller.book_id}/share", share)
    body = {"type": "anyone", "role": "reader"}
    refused = (403, "insufficientFilePermissions")
    assert error(drive(other, "POST", f"/{caller.book_id}/permissions", body)) == refused
    assert error(drive(other, "PATCH", f"/{caller.book_id}", {"name": "Mine"})) == refused


def test_ownership_is_handed_over(newcomer: Any, second_account: dict[str, Any]) -> None:
    newcomer.door("POST", "limits", {"service_accounts_may_create": True})
    made = drive(newcomer, "POST", body={"name": "Mine"}).json()["id"]
    body = {"type": "user", "role": "owner", "emailAddress": second_account["client_email"]}
    assert drive(newcomer, "POST", f"/{made}/permissions", body, transferOwnership="true").status_code == 200
    file = drive(newcomer, "GET", f"/{made}", fields="ownedByMe,owners,capabilities").json()
    assert (file["ownedByMe"], file["owners"][0]["emailAddress"]) == (False, second_account["client_email"])
    assert error(drive(newcomer, "DELETE", f"/{made}")) == (403, "insufficientFilePermissions")


def test_the_first_tab_is_exported_as_people_see_it(russian: Any) -> None:
    russian.put("A1", [["Имя", 'a "b", c'], ["1,5"], ["", "=A2*2"]], "USER_ENTERED")
    answer = drive(russian, "GET", f"/{russian.book_id}/export", mimeType="text/csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.content.decode() == 'Имя,"a ""b"", c"\r\n"1,5",\r\n,3'
    answer = drive(russian, "GET", f"/{russian.book_id}/export", mimeType="application/pdf")
    assert error(answer) == (501, "notImplemented")
    assert error(drive(russian, "GET", f"/{russian.book_id}/export")) == (400, "required")


def test_a_csv_becomes_the_only_tab(caller: Any) -> None:
    caller.batch({"addSheet": {"properties": {"title": "More"}}})
    url = f"{caller.url}/upload/drive/v2/files/{caller.book_id}"
    headers = {"Content-Type": "text/csv"}
    answer = caller.session.put(
        url, data="a,1\nб,2".encode(), params={"convert": "true"}, headers=headers, timeout=10
    )
    assert answer.status_code == 200
    assert [s["properties"]["gridProperties"] for s in caller.get()["sheets"]] == [
        {"rowCount": 2, "columnCount": 2}
    ]
    assert caller.values("A1:B2", valueRenderOption="UNFORMATTED_VALUE") == [["a", 1], ["б", 2]]
    assert caller.session.put(url, data=b"\xff\xfe", timeout=10).status_code == 400


def test_drive_needs_its_own_scope_and_says_who_asks(caller: Any) -> None:
    token = caller.token(["https://www.googleapis.com/auth/spreadsheets"])
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.get(f"{caller.url}/drive/v3/files", headers=headers, timeout=10)
    assert answer.json()["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    about = caller.session.get(f"{caller.url}/drive/v3/about", params={"fields": "user"}, timeout=10).json()
    assert about["user"]["emailAddress"] == caller.email
    assert caller.session.get(f"{caller.url}/drive/v3/about", timeout=10).status_code == 400
    assert error(caller.session.get(f"{caller.url}/drive/v3/changes", timeout=10)) == (501, "notImplemented")
