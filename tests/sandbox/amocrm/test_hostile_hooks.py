"""Hooks that no subscription asked for, retries, and deliveries that are lost, late or doubled."""

import base64
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from sandbox.amocrm.hooks.delivery import PIPELINE_DELAYS_S, RETRY_DELAYS_S
from tests.sandbox.amocrm.receiver import Receiver
from tests.sandbox.amocrm.support import ACCOUNT_ID, Client
from tests.support.waiting import wait_until
from widget_backend.amocrm.form import decode, read_hook


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def subscribe(client: Client, destination: str, *names: str) -> None:
    body = {"destination": destination, "settings": list(names)}
    assert client.call("POST", "webhooks", json=body).status_code == 201


def send(client: Client, receiver: Receiver, kind: str, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.door("hooks", kind=kind, destination=receiver.url, **more)
    return answer


def deliveries(client: Client) -> Any:
    return client.http.get(f"{client.url}/_sandbox/deliveries").json()


def settled(client: Client, fits: Callable[[Any], bool], what: str) -> Any:
    """The deliveries as soon as they are so."""
    wait_until(lambda: fits(deliveries(client)), what)
    return deliveries(client)


def test_a_stranger_forges_a_hook(client: Client, receiver: Receiver) -> None:
    before = client.truth("leads")
    assert send(client, receiver, "forged", lead_id=999) == {"sent": 1, "statuses": {"200": 1}}
    content = read_hook(decode(receiver.raw[0]))
    assert ([item.id for item in content.items], content.account_id) == ([999], ACCOUNT_ID)
    assert "amoCRM" not in receiver.headers[0]["User-Agent"]
    assert client.truth("leads") == before


def test_a_hook_may_be_for_another_account(client: Client, receiver: Receiver) -> None:
    send(client, receiver, "foreign")
    send(client, receiver, "foreign", account_id=5)
    contents = [read_hook(decode(body)) for body in receiver.raw]
    assert [content.account_id for content in contents] == [ACCOUNT_ID + 1, 5]
    assert {content.subdomain for content in contents} == {"stranger"}


def test_a_burst_of_a_thousand(client: Client, receiver: Receiver) -> None:
    # A machine with other work to do may keep one of a thousand waiting; how long is not the question here.
    client.door("limits", hook_timeout_s=30)
    assert send(client, receiver, "burst") == {"sent": 1000, "statuses": {"200": 1000}}
    named = Counter(read_hook(decode(body)).items[0].id for body in receiver.raw)
    assert named == {7001: 200, 7002: 200, 7003: 200, 7004: 200, 7005: 200}


def test_a_body_of_two_megabytes(client: Client, receiver: Receiver) -> None:
    send(client, receiver, "big")
    assert len(receiver.raw[0]) == 2_000_000
    content = read_hook(decode(receiver.raw[0]))
    assert (content.items[0].id, content.account_id) == (7001, ACCOUNT_ID)


def test_a_body_of_broken_bytes(client: Client, receiver: Receiver) -> None:
    send(client, receiver, "broken")
    decoded = decode(receiver.raw[0])
    assert decoded["leads"]["update"]["0"]["name"] == "\ufffd\ufffd%zz%4"
    assert read_hook(decoded).account_id == ACCOUNT_ID


def test_any_bytes_under_any_content_type(client: Client, receiver: Receiver) -> None:
    coded = base64.b64encode(b"\x00\xff[").decode()
    send(client, receiver, "raw", body_base64=coded, content_type="application/json")
    send(client, receiver, "raw", body="leads=1", count=3)
    assert receiver.raw == [b"\x00\xff[", *[b"leads=1"] * 3]
    assert receiver.headers[0]["Content-Type"] == "application/json"


def test_the_destination_is_the_first_subscription_unless_named(client: Client, receiver: Receiver) -> None:
    url = f"{client.url}/_sandbox/hooks"
    assert client.http.post(url, json={"kind": "forged"}).status_code == 400
    subscribe(client, receiver.url, "add_lead")
    assert client.door("hooks", kind="forged")["statuses"] == {"200": 1}
    assert client.door("hooks", kind="forged", to="http://127.0.0.1:1/")["statuses"] == {"0": 1}


@pytest.mark.parametrize(
    "body",
    [{}, {"kind": "dog"}, {"kind": "burst", "count": 0}, {"kind": "big", "bytes": "x"},
     {"kind": "forged", "lead_id": []}, {"kind": "raw", "body_base64": "?"}],
)  # fmt: skip
def test_an_order_that_makes_no_sense_is_refused(client: Client, body: dict[str, Any]) -> None:
    answer = client.http.post(f"{client.url}/_sandbox/hooks", json={"to": "http://127.0.0.1:1/", **body})
    assert (answer.status_code, bool(answer.json()["error"])) == (400, True)


def through_the_plan(client: Client, receiver: Receiver, status: int, delays: tuple[int, ...]) -> int:
    """How often a hook comes that is always answered so, when the clock goes on by each delay in turn."""
    receiver.statuses = [status] * 20
    for attempts, delay_s in enumerate((*delays, 7200), start=1):
        last = settled(
            client, lambda found, n=attempts: found["last"][0]["attempts"] == n, f"attempt {attempts}"
        )["last"][0]
        assert last["last_status"] == status
        if last["state"] == "failed":
            break
        # One second too early nothing comes; the due moment is what was written down.
        assert last["due_at"] - deliveries_now(client) <= delay_s
        assert last["due_at"] - deliveries_now(client) > delay_s - 60
        client.door("clock", advance_s=delay_s)
    assert len(set(receiver.raw)) == 1
    return len(receiver.raw)


def deliveries_now(client: Client) -> float:
    return float(client.http.get(f"{client.url}/_sandbox/clock").json()["now"])


@pytest.mark.parametrize(
    ("status", "times"), [(404, 3), (301, 3), (400, 3), (429, 3), (499, 5), (500, 5), (503, 5), (599, 5)]
)
def test_retries_by_class_of_answer(client: Client, receiver: Receiver, status: int, times: int) -> None:
    subscribe(client, receiver.url, "update_lead")
    receiver.statuses = [status] * 20
    client.do("edit", id=7001, set={"price": 1})
    assert through_the_plan(client, receiver, status, RETRY_DELAYS_S) == times


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_an_answer_from_200_to_299_ends_it(client: Client, receiver: Receiver, status: int) -> None:
    subscribe(client, receiver.url, "update_lead")
    receiver.statuses = [status]
    client.do("edit", id=7001, set={"price": 1})
    settled(client, lambda found: found["states"] == {"done": 1}, "the hook is done")


def test_no_connection_counts_as_499_and_no_answer_in_time_too(client: Client, receiver: Receiver) -> None:
    subscribe(client, "http://127.0.0.1:1/closed", "update_lead")
    client.do("edit", id=7001, set={"price": 1})
    found = settled(client, lambda found: found["last"][0]["attempts"] == 1, "the first try")
    assert found["last"][0]["last_status"] == 499
    client.call("DELETE", "webhooks", json={"destination": "http://127.0.0.1:1/closed"})
    client.door("limits", hook_timeout_s=0.05)
    receiver.hold.clear()
    subscribe(client, receiver.url, "update_lead")
    client.do("edit", id=7001, set={"price": 2})
    found = settled(client, lambda found: found["last"][0]["attempts"] == 1, "the slow try")
    assert found["last"][0]["last_status"] == 499
    receiver.hold.set()


def test_a_subscription_that_is_gone_gets_no_retry(client: Client, receiver: Receiver) -> None:
    subscribe(client, receiver.url, "update_lead")
    receiver.statuses = [500]
    client.do("edit", id=7001, set={"price": 1})
    settled(client, lambda found: found["last"][0]["attempts"] == 1, "the first try")
    client.call("DELETE", "webhooks", json={"destination": receiver.url})
    client.door("clock", advance_s=301)
    settled(client, lambda found: found["states"] == {"cancelled": 1}, "the retry is cancelled")
    assert len(receiver.raw) == 1


def test_a_hundred_bad_answers_are_borne_and_one_more_is_not(client: Client, receiver: Receiver) -> None:
    subscribe(client, receiver.url, "update_lead")
    receiver.statuses = [404] * 102
    client.do("bulk_edit", ids=[7001], set={"price": 1})
    for price in range(2, 101):
        client.do("edit", id=7001, set={"price": price})
    tried = {"last": [{"attempts": 1}] * 100}
    settled(
        client,
        lambda found: [row["attempts"] for row in found["last"]] == [1] * len(tried["last"]),
        "100 tries",
    )
    assert client.rows("webhooks", "webhooks")[0]["disabled"] is False
    client.do("edit", id=7001, set={"price": 101})
    wait_until(lambda: client.rows("webhooks", "webhooks")[0]["disabled"], "the subscription is off")
    client.do("edit", id=7001, set={"price": 102})
    assert deliveries(client)["states"] == {"failed": 101}


def test_bad_answers_of_more_than_two_hours_ago_do_not_count(client: Client, receiver: Receiver) -> None:
    client.door("limits", hook_disable_after=1)
    subscribe(client, receiver.url, "update_lead")
    receiver.statuses = [404] * 3
    client.do("edit", id=7001, set={"price": 1})
    settled(client, lambda found: found["last"][0]["attempts"] == 1, "the first try")
    client.door("clock", advance_s=7300)
    settled(client, lambda found: found["last"][0]["attempts"] == 2, "the second try")
    assert client.rows("webhooks", "webhooks")[0]["disabled"] is False
    client.do("edit", id=7001, set={"price": 2})
    wait_until(lambda: client.rows("webhooks", "webhooks")[0]["disabled"], "the subscription is off")


def test_hooks_are_lost_late_or_doubled(client: Client, receiver: Receiver) -> None:
    subscribe(client, receiver.url, "update_lead")
    client.door("limits", hook_drop_pct=30, hook_duplicate_pct=30, hook_delay_s=3600, hook_delay_pct=50)
    for price in range(60):
        client.do("edit", id=7001, set={"price": price + 5000})
    found = settled(
        client,
        lambda found: all(
            row["state"] != "pending" or row["due_at"] > row["queued_at"] for row in found["last"]
        ),
        "all were handled once",
    )
    dropped = found["states"]["dropped"]
    assert 5 <= dropped <= 35
    assert 5 <= found["states"]["pending"] <= 50
    client.door("clock", advance_s=3601)
    done = settled(client, lambda found: found["states"].get("pending", 0) == 0, "the late ones came")
    assert done["states"] == {"dropped": dropped, "done": 60 - dropped}
    prices = [body["leads[update][0][price]"] for body in receiver.wait(60 - dropped)]
    assert len(prices) > len(set(prices)) == 60 - dropped
    assert prices != sorted(prices)


def test_posting_again_may_merge_and_may_leave_it_off(client: Client, receiver: Receiver) -> None:
    client.door("limits", webhook_post_merges=True, webhook_post_enables=False, hook_disable_after=0)
    subscribe(client, receiver.url, "update_lead")
    subscribe(client, receiver.url, "add_lead", "update_lead")
    assert client.rows("webhooks", "webhooks")[0]["settings"] == ["update_lead", "add_lead"]
    receiver.statuses = [500]
    client.do("edit", id=7001, set={"price": 1})
    wait_until(lambda: client.rows("webhooks", "webhooks")[0]["disabled"], "the subscription is off")
    subscribe(client, receiver.url, "update_lead")
    assert client.rows("webhooks", "webhooks")[0]["disabled"] is True


@pytest.mark.parametrize(
    "body",
    [{"destination": "http://["}, {"destination": 5}, {"destination": "ftp://a.example/"},
     {"settings": [[]]}, {"settings": [{}, None]}, {"settings": {"0": "add_lead"}}, {"sort": "x"},
     {"sort": 1e300}, {"sort": True}],
)  # fmt: skip
def test_an_odd_subscription_is_400(client: Client, body: dict[str, Any]) -> None:
    good = {"destination": "https://a.example/", "settings": ["add_lead"], "sort": 1}
    assert client.call("POST", "webhooks", json={**good, **body}).status_code == 400
    assert client.get("webhooks").status_code == 204


def pipeline_hook(client: Client, receiver: Receiver) -> None:
    client.do("add_pipeline_hook", pipeline_id=3100, status_id=4102, url=receiver.url)
    client.do("move_lead", lead_id=7001, status_id=4102)
    receiver.wait(1)


def test_a_pipeline_hook_is_sent_once(client: Client, receiver: Receiver) -> None:
    receiver.statuses = [500]
    pipeline_hook(client, receiver)
    settled(client, lambda found: found["states"] == {"failed": 1}, "it failed for good")
    assert read_hook(decode(receiver.raw[0])).items[0].id == 7001


def test_a_pipeline_hook_may_be_retried_four_times_in_an_hour(client: Client, receiver: Receiver) -> None:
    client.door("limits", pipeline_hook_retries="four")
    receiver.statuses = [404] * 20
    pipeline_hook(client, receiver)
    assert sum(PIPELINE_DELAYS_S) == 3600
    assert through_the_plan(client, receiver, 404, PIPELINE_DELAYS_S) == 5


def test_a_disconnect_hook_is_tried_once(client: Client, receiver: Receiver) -> None:
    own = client.integration
    uris = {"redirect_uri": own["redirect_uri"], "disconnect_uri": receiver.url}
    client.door("integrations", client_id=own["client_id"], **uris)
    receiver.statuses = [500]
    client.do("uninstall", client_id=own["client_id"])
    settled(client, lambda found: found["states"] == {"failed": 1}, "it failed for good")
    assert requests.get(f"{client.url}/_sandbox/ready", timeout=10).ok


def test_there_are_at_most_a_hundred_subscriptions(client: Client) -> None:
    for number in range(100):
        subscribe(client, f"https://a.example/{number}", "add_lead")
    body = {"destination": "https://a.example/100", "settings": ["add_lead"]}
    assert client.call("POST", "webhooks", json=body).status_code == 400
    subscribe(client, "https://a.example/99", "update_lead")
    assert client.get("webhooks").json()["_total_items"] == 100
