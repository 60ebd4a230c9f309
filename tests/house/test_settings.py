"""The environment: everything that is wrong with it is named at once, and nothing secret is shown."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from widget_backend.clock import offset_of
from widget_backend.errors import ConfigError
from widget_backend.settings import Settings

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
GOOD = {
    "DATABASE_URL": "postgresql://app:hush@127.0.0.1/app",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "ENCRYPTION_KEYS": KEY,
}


def problems(**changes: str) -> str:
    """What start-up says about an otherwise good environment; empty when it has nothing to say."""
    try:
        Settings.from_env({**GOOD, **changes})
    except ConfigError as error:
        return error.one_line()
    return ""


def test_a_good_environment_is_read_whole() -> None:
    other = Fernet.generate_key().decode()
    made = Settings.from_env(
        {
            **GOOD,
            "ENCRYPTION_KEYS": f"{KEY}, {other}",
            "APP_HOME": "/tmp/some home",  # noqa: S108 (only a name)
            "PUBLIC_URL": "https://kpi.example/",
            "AMOCRM_ORIGIN": "http://127.0.0.1:8081",
            "WIDGET_ORIGINS": "http://127.0.0.1:8082, https://demo.example",
            "LOG_LEVEL": "debug",
            "SYNC_EVERY_S": "5",
        }
    )
    assert made.app_home == Path("/tmp/some home")  # noqa: S108
    assert made.encryption_keys == (KEY, other)
    assert made.public_url == "https://kpi.example"
    assert made.amocrm_origin == "http://127.0.0.1:8081"
    assert made.google_origin is None
    assert made.widget_origins == ("http://127.0.0.1:8082", "https://demo.example")
    assert (made.log_level, made.sync_every_s, made.amocrm_requests_per_s) == ("DEBUG", 5, 6)


def test_everything_missing_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_env({})
    assert caught.value.remedy
    for name in ("DATABASE_URL", "REDIS_URL", "ENCRYPTION_KEYS"):
        assert f"{name} is missing" in caught.value.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://localhost/app"),
        ("DATABASE_URL", "http://[::1/app"),
        ("DATABASE_OWNER_URL", "app"),
        ("REDIS_URL", "127.0.0.1:6379"),
        ("ENCRYPTION_KEYS", "short"),
        ("ENCRYPTION_KEYS", " , "),
        ("ENCRYPTION_KEYS", f"{KEY},again"),
        ("PUBLIC_URL", "kpi.example"),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "https://[kpi"),
        ("AMOCRM_ORIGIN", "ftp://127.0.0.1"),
        ("GOOGLE_ORIGIN", "google"),
        ("WIDGET_ORIGINS", "https://demo.example/path"),
        ("WIDGET_ORIGINS", "*"),
        ("LOG_LEVEL", "loud"),
        ("AMOCRM_REQUESTS_PER_S", "8"),
        ("AMOCRM_REQUESTS_PER_S", "six"),
        ("SYNC_EVERY_S", "0"),
        ("SYNC_OVERLAP_S", "-1"),
        ("DICTIONARIES_EVERY_S", "1.5"),
        ("APP_CLOCK_OFFSET_S", "tomorrow"),
        ("APP_CLOCK_OFFSET_S", "nan"),
        ("APP_CLOCK_OFFSET_S", "1e300"),
    ],
)
def test_each_odd_value_is_named(name: str, value: str) -> None:
    assert name in problems(**{name: value})


def test_all_odd_values_are_named_together() -> None:
    said = problems(DATABASE_URL="", REDIS_URL="x", LOG_LEVEL="loud", SYNC_EVERY_S="never")
    assert all(name in said for name in ("DATABASE_URL", "REDIS_URL", "LOG_LEVEL", "SYNC_EVERY_S"))


def test_empty_values_are_as_good_as_none() -> None:
    assert problems(LOG_LEVEL="", PUBLIC_URL="", WIDGET_ORIGINS="", SYNC_EVERY_S="") == ""


def test_secrets_are_never_shown() -> None:
    shown = repr(Settings.from_env(GOOD))
    assert "hush" not in shown
    assert KEY not in shown


def test_the_clock_takes_an_offset_and_survives_an_odd_one() -> None:
    assert offset_of({"APP_CLOCK_OFFSET_S": "-3600.5"}) == timedelta(seconds=-3600.5)
    assert offset_of({}) == timedelta(0)
    assert offset_of({"APP_CLOCK_OFFSET_S": "x"}) is None
