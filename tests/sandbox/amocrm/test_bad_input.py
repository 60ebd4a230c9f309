"""Input nobody should send: the vendor's status and body, no trace, no 500, and nothing is changed."""

import copy
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from werkzeug.routing import Rule

from sandbox.amocrm.api import jsonbody, routes
from sandbox.amocrm.http import Response
from tests.sandbox.amocrm.direct import Direct
from tests.sandbox.amocrm.good_calls import GOOD, Good, full_account
from tests.sandbox.amocrm.running import opened

JSON = ("application/hal+json", "application/problem+json")
# What amoCRM's own front sends without JSON: bans and too many requests. Neither happens here.
KNOWN = {200, 201, 202, 204, 400, 401, 402, 403, 404, 405, 422}


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Direct]:
    directory = tmp_path_factory.mktemp("bad")
    with opened(directory, full_account(), customers_mode="segments") as simulator:
        yield Direct(simulator)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Direct]:
    """Nothing bad is sent to this one; its good calls do not stand in each other's way."""
    directory = tmp_path_factory.mktemp("fresh")
    with opened(directory, full_account(), customers_mode="segments") as simulator:
        yield Direct(simulator)


def check(direct: Direct, response: Response, before: str, method: str) -> None:
    """The answer is whole, of a known kind, and a refusal changed nothing."""
    assert response.status in KNOWN, (response.status, response.body)
    assert b"Traceback" not in response.body
    assert b'File "' not in response.body
    if response.status == 204 or (response.status == 202 and not response.content_type):
        assert response.body == b""
    else:
        assert response.content_type in JSON
        shown = json.loads(response.body.decode("utf-8"), parse_constant=lambda name: pytest.fail(name))
        if response.status >= 400:
            assert response.content_type == "application/problem+json"
            assert shown["status"] == response.status
            assert shown["title"]
    if response.status >= 400 or method in ("GET", "HEAD", "OPTIONS"):
        assert direct.digest() == before


BODIES = [
    b"",
    b"{",
    b"[",
    b"{}",
    b"[]",
    b"null",
    b"true",
    b"5",
    b'"text"',
    b"[null]",
    b"[[]]",
    b"[1]",
    b"[{}]",
    b"[{},null]",
    b'{"0":{"name":"x"}}',
    b"[NaN]",
    b'[{"price":NaN}]',
    b'[{"price":Infinity}]',
    b'[{"price":1e999}]',
    b'[{"name":"x"}',
    b'[{"name":"x"}]]',
    b"[{'name':'x'}]",
    b'[{"name":"x",}]',
    b"\xef\xbb\xbf[]",
    b'[{"name":"\xff"}]',
    b'[{"name":"\\ud800"}]',
    b'[{"name":"\x01"}]',
    b"[" * 100_000,
    b"[" * 513 + b"]" * 513,
    b'{"a":' * 100_000,
    b"[" + b"9" * 10_000 + b"]",
    b'[{"id":' + b"9" * 400 + b"}]",
    b"a=1&b[]=2",
    b"\x1f\x8b\x08\x00",
    b"\x00" * 100,
]


# A lead without any field is allowed.
NO_ITEMS = [body for body in BODIES if body != b"[{}]"]


@pytest.mark.parametrize("body", NO_ITEMS, ids=range(len(NO_ITEMS)))
@pytest.mark.parametrize(
    "call", ["POST leads", "PATCH leads", "POST tasks", "POST leads/notes", "POST leads/7001/link"]
)
def test_a_body_that_is_no_list_of_objects_is_400(direct: Direct, call: str, body: bytes) -> None:
    method, path = call.split(" ")
    before = direct.digest()
    response = direct.call(method, f"/api/v4/{path}", body=body)
    assert response.status == 400
    check(direct, response, before, method)


IDS = [
    ("0", 204), ("1", 204), ("-1", 404), ("+1", 404), ("1.5", 404), ("7001x", 404), ("true", 404),
    ("null", 404),
    ("9223372036854775807", 204), ("9223372036854775808", 204), ("9" * 50, 204), ("", 200),
    ("7001/", 200), ("7001//", 200), ("../users", 404), ("7001;x=1", 404), ("7001%00", 404), ("7001%2F", 200),
]  # fmt: skip


@pytest.mark.parametrize(("row_id", "status"), IDS)
def test_ids_in_the_path(direct: Direct, row_id: str, status: int) -> None:
    before = direct.digest()
    response = direct.call("GET", f"/api/v4/leads/{unquote(row_id)}")
    assert response.status == status
    check(direct, response, before, "GET")


QUERIES = [
    "limit=-1", "limit=0", "limit=abc", "limit=1e3", "limit=", "limit[]=5", "limit=99999999999999999999",
    "limit=250.5", "page=-1", "page=0", "page=abc", "page=99999999999999999999", "page=1000000", "page[]=2",
    "filter=1", "filter[]=1", "filter[dogs]=1", "filter[id]=abc", "filter[id][]=", "filter[id][a][b]=1",
    "filter[id]=99999999999999999999", "filter[id]=-1", "filter[id]=7001.0", "filter[updated_at]=x",
    "filter[updated_at][from]=x", "filter[updated_at][from][]=1",
    "filter[updated_at][from]=99999999999999999999",
    "filter[statuses]=142", "filter[statuses][0]=142", "filter[statuses][0][status_id]=142",
    "filter[statuses][0][status_id][]=142", "filter[price][from]=NaN", "filter[price]=1e999",
    "filter[custom_fields_values]=1", "filter[custom_fields_values][x]=1",
    "filter[custom_fields_values][99999999999999999999][]=1", "filter[custom_fields_values][911][from]=x",
    "filter[name]=%00", "filter[name]=%ff", "filter[name][]='%20OR%201=1--", "order=id", "order[dogs]=asc",
    "order[id]=sideways", "order[id][]=asc", "order[]=id", "with=dogs", "with[]=contacts", "with[a][b]=c",
    "with=",
    "query=%25", "query=_", "query=%00", "query=%ff", "query[]=x", "query=" + "x" * 10_000, "&&&", "=",
    "[", "[]=1",
    "filter[" * 100, "filter" + "[a]" * 100 + "=1", "limit=5&limit=7", "%6C%69mit=5", "limit%5B=5", "a=%zz",
]  # fmt: skip
LISTS = ["leads", "contacts", "tasks", "events", "users", "leads/notes", "leads/unsorted", "leads/pipelines",
         "leads/custom_fields", "leads/tags", "webhooks", "leads/links", "catalogs"]  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_a_filter_that_is_not_a_filter_is_no_error(direct: Direct, path: str) -> None:
    before = direct.digest()
    for query in QUERIES:
        response = direct.call("GET", f"/api/v4/{path}", query)
        assert response.status in (200, 204, 400), query
        check(direct, response, before, "GET")


@pytest.mark.parametrize(
    ("query", "rows"),
    [("limit=-1", 3), ("limit=0", 3), ("limit=abc", 3), ("limit=251", 3), ("limit=2", 2),
    ("page=0&limit=2", 2),
     ("page=-5&limit=2", 2), ("page=2&limit=2", 1), ("page=3&limit=2", 0), ("page=99999999999999999999", 0),
     ("filter[statuses]=142", 3), ("filter[dogs]=1", 3), ("order[dogs]=desc", 3), ("filter[id]=abc", 0),
     ("filter[id]=99999999999999999999", 0), ("filter=1", 3)],
)  # fmt: skip
def test_what_wrong_numbers_and_names_mean(direct: Direct, query: str, rows: int) -> None:
    response = direct.call(
        "GET",
        "/api/v4/leads",
        f"{query}&filter[created_at][to]=1770000000",
    )
    found = json.loads(response.body)["_embedded"]["leads"] if response.status == 200 else []
    assert len(found) == rows


WRONG_ITEMS: list[tuple[str, Any, str]] = [
    ("leads", {"id": None}, "id"),
    ("leads", {"id": "7001x"}, "id"),
    ("leads", {"id": 1.5}, "id"),
    ("leads", {"id": True}, "id"),
    ("leads", {"id": -1}, "id"),
    ("leads", {"id": 2**70}, "id"),
    ("leads", {"id": []}, "id"),
    ("leads", {"id": 7001, "price": "1000"}, "price"),
    ("leads", {"id": 7001, "price": [1]}, "price"),
    ("leads", {"id": 7001, "price": True}, "price"),
    ("leads", {"id": 7001, "name": 5}, "name"),
    ("leads", {"id": 7001, "status_id": 5}, "status_id"),
    ("leads", {"id": 7001, "status_id": "142"}, "status_id"),
    ("leads", {"id": 7001, "pipeline_id": 5}, "pipeline_id"),
    ("leads", {"id": 7001, "responsible_user_id": 5}, "responsible_user_id"),
    ("leads", {"id": 7001, "custom_fields_values": {"0": {}}}, "custom_fields_values"),
    ("leads", {"id": 7001, "custom_fields_values": "x"}, "custom_fields_values"),
    ("leads", {"id": 7001, "custom_fields_values": [5]}, "custom_fields_values"),
    (
        "leads",
        {"id": 7001, "custom_fields_values": [{"field_id": 5, "values": [{"value": 1}]}]},
        "custom_fields_values",
    ),
    (
        "leads",
        {"id": 7001, "custom_fields_values": [{"field_id": 911, "values": "x"}]},
        "custom_fields_values",
    ),
    (
        "leads",
        {"id": 7001, "custom_fields_values": [{"field_id": 911, "values": [5]}]},
        "custom_fields_values",
    ),
    ("leads", {"id": 7001, "_embedded": []}, "_embedded"),
    ("leads", {"id": 7001, "_embedded": {"tags": "x"}}, "_embedded"),
    ("leads", {"id": 7001, "tags_to_add": "x"}, "tags_to_add"),
    ("leads", {"id": 7001, "price": 10**16}, "price"),
    ("leads", {"id": 7001, "price_with_minor_units": "x"}, "price_with_minor_units"),
    ("leads", {"id": 7001, "price_with_minor_units": [1]}, "price_with_minor_units"),
    ("leads", {"id": 7001, "price_with_minor_units": 1e300}, "price_with_minor_units"),
    ("leads", {"id": 7001, "source_id": [1]}, "source_id"),
    ("leads", {"id": 7001, "created_at": 2**63}, "created_at"),
    ("leads", {"id": 7001, "closed_at": -1}, "closed_at"),
    ("tasks", {"id": 120001, "complete_till": 2**53}, "complete_till"),
    ("tasks", {"id": 120001, "complete_till": "x"}, "complete_till"),
    ("tasks", {"id": 120001, "is_completed": "1"}, "is_completed"),
    ("leads/notes", {"id": 660001, "params": []}, "params"),
]


@pytest.mark.parametrize(("path", "item", "at"), WRONG_ITEMS)
def test_a_wrong_field_refuses_the_whole_batch_and_is_named(
    direct: Direct, path: str, item: Any, at: str
) -> None:
    before = direct.digest()
    good = {"id": 7002, "name": "gut"} if path == "leads" else item
    response = direct.call("PATCH", f"/api/v4/{path}", body=json.dumps([good, item]).encode())
    assert response.status == 400
    check(direct, response, before, "PATCH")
    errors = json.loads(response.body)["validation-errors"]
    assert errors[-1]["request_id"] == "1"
    assert errors[-1]["errors"][0]["path"].split(".")[0] == at


def test_a_batch_of_251_and_a_body_of_two_megabytes(direct: Direct) -> None:
    before = direct.digest()
    for body in (b'[{"name":"x"}' + b',{"name":"x"}' * 250 + b"]", b"[" + b" " * 2_000_000, b"x" * 2_000_000):
        response = direct.call("POST", "/api/v4/leads", body=body)
        assert response.status == 400
        check(direct, response, before, "POST")


@pytest.mark.parametrize(
    "token", ["", "x", "Bearer", "Bearer ", "Basic eDp5", "Bearer \xff\u20ac", "Bearer a b"]
)
def test_no_token_no_answer(direct: Direct, token: str) -> None:
    before = direct.digest()
    for path in ("/api/v4/leads", "/api/v4/nonsense", "/api/v4/users"):
        response = direct.call("GET", path, authorization=token)
        assert response.status == 401
        check(direct, response, before, "GET")


def test_json_is_read_as_php_reads_it() -> None:
    assert jsonbody.parse(b'{"a":1,"a":2}') == {"a": 2}
    assert jsonbody.parse(b"[9223372036854775807,-9223372036854775808]") == [2**63 - 1, -(2**63)]
    assert jsonbody.parse(b"[9223372036854775808]") == [float(2**63)]
    assert jsonbody.parse(b'"\\ud83d\\ude00"') == "\U0001f600"
    assert jsonbody.parse(b"[" * 512 + b"]" * 512)


# What the property below has found.
FOUND: list[tuple[str, str, str, Any]] = [
    (
        "POST",
        "leads/unsorted/sip",
        "",
        [{"source_uid": "s", "source_name": "n", "_embedded": {"leads": [501]}}],
    ),
    (
        "POST",
        "leads/unsorted/forms",
        "",
        [{"source_uid": "s", "source_name": "n", "_embedded": {"leads": 5}}],
    ),
    ("POST", "leads/complex", "", [{"_embedded": {"tags": [{"name": {"a": 1}}]}}]),
    ("POST", "contacts", "", [{"_embedded": {"leads": 9223372036854775807}}]),
    ("POST", "calls", "", [{"direction": [7001], "duration": 5, "phone": "+7", "source": "s"}]),
    ("POST", "leads", "", [{"_embedded": {"tags": [{"id": {"a": 1}}]}}]),
    ("PATCH", "leads", "", [{"id": 7001, "custom_fields_values": [{"field_id": [], "values": None}]}]),
    ("PATCH", "leads", "", [{"id": 7001, "_embedded": {"tags": [{"name": [4101]}]}}]),
    ("POST", "leads/tags", "", [{"name": "t", "color": []}]),
    (
        "POST",
        "leads/complex",
        "",
        [{"_embedded": {"metadata": {"category": "forms"}, "source": "site"}}],
    ),
    ("POST", "leads/complex", "", [{"_embedded": {"contacts": [{"name": "x", "created_at": "x"}]}}]),
    (
        "POST",
        "leads/unsorted/forms",
        "",
        [
            {
                "source_uid": "s",
                "source_name": "n",
                "metadata": {"form_id": 1, "form_name": "f", "form_page": "p"},
                "_embedded": {"leads": [{"price_with_minor_units": "x"}]},
            }
        ],
    ),
]


@pytest.mark.parametrize(("method", "path", "query", "body"), FOUND)
def test_what_was_found(direct: Direct, method: str, path: str, query: str, body: Any) -> None:
    before = direct.digest()
    response = direct.call(method, f"/api/v4/{path}", query, json.dumps(body).encode())
    assert response.status == 400
    check(direct, response, before, method)


SEGMENTS = {
    "int": ["7001", "8001", "120001", "660001", "3100", "142", "0", "1", str(2**63)],
    "string": ["x", "0", "é"],
}


def addresses(rule: Rule) -> st.SearchStrategy[str]:
    """Addresses of a route, with ids that exist and ids that do not."""
    parts: list[st.SearchStrategy[str]] = []
    for is_name, part in rule._trace:
        if not is_name:
            parts.append(st.just(part.lstrip("|")))
            continue
        converter = rule._converters[part]
        known = getattr(converter, "items", None)
        if known is None:
            kind = "int" if type(converter).__name__.startswith("I") else "string"
            parts.append(st.sampled_from(SEGMENTS[kind]))
        else:
            parts.append(st.sampled_from(sorted(known)))
    return st.tuples(*parts).map("".join)


RULES = list(routes.url_map().iter_rules())
scalars = st.sampled_from(
    [None, True, False, 0, 1, -1, 501, 999, 7001, 7002, 8001, 9001, 120001, 660001, 3100, 4101, 4102, 142,
    143, 911, 77,
     1760000000, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63), 1.5, 1e300, "", "x", "7001", "é😀", "\x00", "<b>",
     "a" * 300, "2025-01-01",
     "leads", "contacts", "catalogs", "common", "call_in", "select", "PHONE", "https://a.example/"]
)  # fmt: skip
names = st.sampled_from(
    ["id", "name", "price", "status_id", "pipeline_id", "responsible_user_id", "created_by", "updated_by",
    "created_at",
     "updated_at", "closed_at", "loss_reason_id", "custom_fields_values", "_embedded", "tags",
     "contacts", "companies",
     "field_id", "field_code", "values", "value", "enum_id", "enum_code", "text", "complete_till",
     "task_type_id",
     "entity_id", "entity_type", "to_entity_id", "to_entity_type", "metadata", "is_main", "quantity",
     "catalog_id",
     "is_completed", "result", "note_type", "params", "phone", "duration", "direction", "source", "uniq",
     "link",
     "call_status", "call_responsible", "tags_to_add", "tags_to_delete", "request_id", "destination",
     "settings", "sort",
     "color", "type", "enums", "is_main", "statuses", "mode", "is_enabled", "email", "rights", "user_id",
     "source_uid",
     "source_name", "leads", "first_name", "last_name", "price_with_minor_units", "external_id",
     "next_price", "code",
     "descriptions", "elements", "points", "redeem", "earn", "0", "1"]
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5),
    max_leaves=12,
)
items = st.dictionaries(names, values, max_size=8)
bodies = st.one_of(
    st.lists(items, min_size=1, max_size=3).map(lambda value: json.dumps(value).encode()),
    items.map(lambda value: json.dumps(value).encode()),
    values.map(lambda value: json.dumps(value).encode()),
    st.sampled_from(BODIES),
    st.binary(max_size=40),
)
queries = st.lists(st.sampled_from(QUERIES) | st.text(max_size=20).map(quote), max_size=3).map("&".join)
calls = st.sampled_from(RULES).flatmap(
    lambda rule: st.tuples(
        st.sampled_from(sorted(rule.methods or {"GET"}))
        | st.sampled_from(["GET", "POST", "PATCH", "PUT", "DELETE"]),
        addresses(rule),
    )
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in the value with a key of it."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(pairs):
        yield value, key
        yield from places(inner)


def bent(call: Good, changes: list[tuple[int, Any]]) -> tuple[str, str, bytes]:
    """A good call with some of its values replaced, in turn."""
    method, path, good = call
    body = [copy.deepcopy(good)]
    for number, value in changes:
        found = list(places(body))
        container, key = found[number % len(found)]
        container[key] = value
    return method, f"/api/v4/{path}", json.dumps(body[0]).encode()


bent_calls = st.builds(
    bent, st.sampled_from(GOOD), st.lists(st.tuples(st.integers(0, 40), values), min_size=1, max_size=3)
)


@pytest.mark.parametrize("call", GOOD, ids=lambda call: f"{call[0]} {call[1]}")
def test_a_good_call_is_taken(fresh: Direct, call: Good) -> None:
    method, path, body = call
    sent = b"" if body is None else json.dumps(body).encode()
    if (method, path) == ("DELETE", "webhooks"):
        fresh.call("POST", "/api/v4/webhooks", body=json.dumps({**body, "settings": ["add_lead"]}).encode())
    response = fresh.call(method, f"/api/v4/{path}", body=sent)
    assert response.status in (200, 201, 202, 204), response.body


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(call=bent_calls)
def test_no_bent_call_makes_it_stumble(direct: Direct, call: tuple[str, str, bytes]) -> None:
    method, path, body = call
    before = direct.digest()
    check(direct, direct.call(method, path, "", body), before, method)


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(call=calls, query=queries, body=bodies)
@example(call=("POST", "/api/v4/leads"), query="", body=b"[{}]")
def test_no_request_makes_it_stumble(direct: Direct, call: tuple[str, str], query: str, body: bytes) -> None:
    method, path = call
    before = direct.digest()
    check(direct, direct.call(method, path, query, body), before, method)


@settings(max_examples=100)
@given(
    method=st.sampled_from(["GET", "POST", "HEAD", "X"]),
    path=st.sampled_from(["/oauth", "/oauth/", "/oauth2/access_token", "/oauth2/exchange_api_key",
                          "/oauth2/account/current/subdomain", "/", "", "/api", "/api/v4", "/api/v5/leads"])
    | st.text(max_size=20),
    query=st.lists(
        st.sampled_from(["client_id=i", "client_id[]=i", "state=x", "state[]=x", "deny=1",
        "user_id=x", "from_widget=1",
                         "subdomain=demo", "subdomain[]=demo", "secrets_uri=x",
                         "redirect_uri=http://[", "%ff", "a[b"])
    ).map("&".join),
    body=bodies,
)  # fmt: skip
def test_no_request_outside_the_lists_makes_it_stumble(
    direct: Direct, method: str, path: str, query: str, body: bytes
) -> None:
    response = direct.call(method, path, query, body)
    assert response.status in KNOWN | {302}
    assert b"Traceback" not in response.body
