"""The lead-view right of the CRM decides what a viewer sees: A all, G own group, M own, D nothing."""

import pytest

from tests.api.callers import JANUARY, Caller
from tests.api.conftest import OTHER

EVERYTHING = {7001, 7002, 7003, 7004, 7005, 7006}


@pytest.mark.parametrize(
    ("user_id", "right", "leads", "calls"),
    [
        (501, "A", EVERYTHING, 2),  # an administrator
        (506, "A", EVERYTHING, 2),  # the right itself
        (502, "G", {7001, 7002, 7003}, 1),  # the leads of group 88
        (503, "M", {7004, 7005, 7006}, 1),  # own ones
    ],
)
def test_each_right_limits_numbers_rows_and_tables_alike(
    call: Caller, user_id: int, right: str, leads: set[int], calls: int
) -> None:
    assert call.value("won_count", user_id) == len(leads)
    assert call.value("revenue", user_id) == f"{sum(leads)}.00"
    assert call.value("calls_total", user_id) == calls
    rows = call.get("kpis/won_count/rows", user_id, **JANUARY).json
    assert rows is not None
    assert {item["id"] for item in rows["items"]} == leads
    assert rows["total"] == len(leads)
    table = call.get("kpis", user_id, metric="won_count", by="user", **JANUARY).json
    assert table is not None
    assert sum(row["value"] for row in table["metrics"][0]["rows"]) == len(leads)
    panel = call.get("panel", user_id).json
    assert panel is not None
    assert panel["viewer"]["scope"] == right


def test_nothing_is_shown_without_the_right(call: Caller) -> None:
    answer = call.get("kpis", 504, **JANUARY).json
    assert answer is not None
    for metric in answer["metrics"]:
        assert [(row["value"], row["n"], row["reason"]) for row in metric["rows"]] == [(None, 0, "no_access")]
    rows = call.get("kpis/won_count/rows", 504, **JANUARY).json
    assert rows is not None
    assert (rows["items"], rows["total"]) == ([], 0)
    panel = call.get("panel", 504, lead_id=7001).json
    assert panel is not None
    assert (panel["sections"], panel["chart"], panel["lead"]) == ([], None, None)


@pytest.mark.parametrize("user_id", [505, 999])
def test_dismissed_and_unknown_users_get_nothing_at_all(call: Caller, user_id: int) -> None:
    for path in ("panel", "kpis", "kpis/won_count/rows"):
        answer = call.get(path, user_id, **JANUARY)
        assert answer.status_code == 403
        assert answer.json["error"]["code"] == "forbidden"  # type: ignore[index]


@pytest.mark.parametrize(
    ("user_id", "lead_id", "seen"),
    [(501, 7004, True), (502, 7001, True), (502, 7004, False), (503, 7004, True), (503, 7001, False)],
)
def test_the_open_lead_is_shown_to_those_who_may_see_it(
    call: Caller, user_id: int, lead_id: int, seen: bool
) -> None:
    panel = call.get("panel", user_id, lead_id=lead_id).json
    assert panel is not None
    assert (panel["lead"] is not None) is seen


def test_a_filter_cannot_widen_the_view(call: Caller) -> None:
    assert call.value("won_count", 503, where="user=501") == 0


def test_another_account_sees_its_own(call: Caller) -> None:
    answer = call.get("kpis", 501, OTHER, metric="won_count", **JANUARY).json
    assert answer is not None
    assert answer["metrics"][0]["rows"][0]["value"] == 6
    mine = call.get("kpis/won_count/rows", 501, **JANUARY).json
    assert mine is not None
    assert mine["total"] == 6, "and never both"
