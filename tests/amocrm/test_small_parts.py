"""Small pure parts of the client: waiting times, query strings, counted names, hosts."""

from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from widget_backend import clock
from widget_backend.amocrm.answers import parse_retry_after
from widget_backend.amocrm.hosts import clean_referer, is_amocrm_host
from widget_backend.amocrm.phpquery import encode_query
from widget_backend.amocrm.resources import OWNERS, RESOURCES, entity_of
from widget_backend.amocrm.retry import is_repeatable, retry_delay_s
from widget_backend.errors import AmoRateLimited, AmoUnavailable, InputError, Retriable


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3.0), (2, 2.0), ("0.5", 0.5), ("-1", 0.0), ("1e9", 86_400.0)]
    + [(odd, None) for odd in (None, "", "soon", "nan", True, [], {})],
)
def test_retry_after_in_seconds(value: Any, seconds: float | None) -> None:
    assert parse_retry_after(value) == seconds


def test_retry_after_as_a_date() -> None:
    seconds = parse_retry_after(format_datetime(clock.now() + timedelta(seconds=60)))
    assert seconds is not None
    assert 50 < seconds <= 61


def test_delays_double_up_to_a_ceiling_and_never_undercut_what_was_asked() -> None:
    longest = [retry_delay_s(n, None, max) for n in range(1, 8)]
    assert longest == [1, 2, 4, 8, 16, 30, 30]
    assert retry_delay_s(1, 7.0, min) == 7.0


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (AmoUnavailable("x", method="GET", status=503), True),
        (AmoUnavailable("x", method="PATCH"), True),
        (AmoUnavailable("x", method="POST", sent=True), False),
        (AmoUnavailable("x", method="POST", sent=False), True),
        (AmoUnavailable("a refresh waited for its lock"), False),
        (AmoRateLimited("x", method="POST", status=429), True),
        (AmoRateLimited("our own budget"), False),
    ],
)
def test_what_may_be_sent_again(error: Retriable, again: bool) -> None:
    assert is_repeatable(error) is again


@pytest.mark.parametrize(
    ("params", "query"),
    [
        (None, ""),
        ({}, ""),
        ("page=2&limit=250", "page=2&limit=250"),
        ({"limit": 250, "skip": None, "on": True}, "limit=250&on=1"),
        ({"filter": {"updated_at": {"from": 1, "to": 2}}},
         "filter%5Bupdated_at%5D%5Bfrom%5D=1&filter%5Bupdated_at%5D%5Bto%5D=2"),
        ({"filter": {"statuses": [{"status_id": 142, "pipeline_id": 3100}]}},
         "filter%5Bstatuses%5D%5B0%5D%5Bstatus_id%5D=142&filter%5Bstatuses%5D%5B0%5D%5Bpipeline_id%5D=3100"),
    ],
)  # fmt: skip
def test_queries_are_what_php_reads(params: Any, query: str) -> None:
    assert encode_query(params) == query


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("leads", "leads"),
        ("leads/7001", "leads"),
        ("/api/v4/leads?page=2", "leads"),
        ("contacts/notes", "notes_contacts"),
        ("contacts/8001/notes", "notes_contacts"),
        ("leads/7001/links", "links"),
        ("leads/loss_reasons", "loss_reasons"),
        ("leads/unsorted", "unsorted"),
        ("leads/unsorted/summary", "unsorted"),
        ("companies/custom_fields", "custom_fields_companies"),
        ("webhooks", "webhooks"),
        ("events/types", "events"),
        ("account", "account"),
    ],
)
def test_requests_are_counted_under_the_name_of_the_list(path: str, name: str) -> None:
    assert entity_of(path) == name


def test_page_caps_are_amocrms() -> None:
    caps = {name: resource.limit for name, resource in RESOURCES.items()}
    assert caps.pop("events") == 100
    assert caps.pop("pipelines") is None
    assert set(caps.values()) == {250}
    assert {f"notes_{owner}" for owner in OWNERS} <= set(caps)


@pytest.mark.parametrize("host", ["demo.amocrm.ru", "a.amocrm.com", "x-1.kommo.com", "api-b.amocrm.ru"])
def test_hosts_of_amocrm(host: str) -> None:
    assert is_amocrm_host(host)


@pytest.mark.parametrize(
    "host",
    ["", "amocrm.ru", ".amocrm.ru", "a.b.amocrm.ru", "demo.amocrm.ru.evil.com", "evil.com/demo.amocrm.ru",
     "demo.amocrm.ru\n", "demo.amocrm.ru:80", "DEMO.amocrm.ru", "-a.amocrm.ru", "demo-amocrm.ru",
     "demo.amocrmxru",
     "дёмо.amocrm.ru", "demo.amocrm.ru.", "user@demo.amocrm.ru", "demo.amocrm.com.kz",
     "a" * 250 + ".amocrm.ru"],
)  # fmt: skip
def test_all_other_hosts(host: str) -> None:
    assert not is_amocrm_host(host)


@pytest.mark.parametrize(
    "referer", ["demo.amocrm.ru", "https://demo.amocrm.ru", "https://Demo.amocrm.ru/", " demo.amocrm.ru "]
)
def test_a_referer_comes_with_or_without_a_scheme(referer: str) -> None:
    assert clean_referer(referer) == "demo.amocrm.ru"


@pytest.mark.parametrize(
    "referer",
    ["", "http://demo.amocrm.ru", "https://evil.com", "https://demo.amocrm.ru@evil.com", "demo.amocrm.ru/x",
     "https://https://demo.amocrm.ru", "demo.amocrm.ru\\@evil.com"],
)  # fmt: skip
def test_a_foreign_referer_is_refused(referer: str) -> None:
    with pytest.raises(InputError) as caught:
        clean_referer(referer)
    assert caught.value.field == "referer"
