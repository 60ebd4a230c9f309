"""Encryption at rest and its keys."""

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from widget_backend.errors import ConfigError
from widget_backend.oauth.vault import Vault

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_what_goes_in_comes_out_and_is_not_readable_between(text: str) -> None:
    stored = Vault([NEW]).encrypt(text)
    assert Vault([NEW]).decrypt(stored) == text
    assert len(text) < 8 or text.encode() not in stored


def test_any_key_decrypts_and_the_first_encrypts() -> None:
    stored = Vault([OLD]).encrypt("secret")
    assert Vault([NEW, OLD]).decrypt(stored) == "secret"
    rotated = Vault([NEW, OLD]).rotate(stored)
    assert Vault([NEW]).decrypt(rotated) == "secret"
    with pytest.raises(ConfigError):
        Vault([OLD]).decrypt(rotated)


@pytest.mark.parametrize("keys", [[], [""], ["short"], [NEW, "ключ"], [NEW[:-2]]])
def test_bad_keys_are_named_without_showing_them(keys: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        Vault(keys)
    assert caught.value.field == "ENCRYPTION_KEYS"
    assert "generate_key" in (caught.value.remedy or "")
    assert all(not key or key not in caught.value.one_line() for key in keys)


@pytest.mark.parametrize("stored", [b"", b"garbage", b"\x00\xff"])
def test_damaged_secrets_are_a_clear_error(stored: bytes) -> None:
    with pytest.raises(ConfigError):
        Vault([NEW]).decrypt(stored)
