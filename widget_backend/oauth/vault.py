"""Encryption of secrets and tokens at rest, with several keys so that one can be retired."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from widget_backend.errors import ConfigError

_REMEDY = (
    "Set ENCRYPTION_KEYS to one or more keys made by "
    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())".'
)


class Vault:
    """Encrypts with the first key, decrypts with any of them."""

    def __init__(self, keys: Sequence[str]):
        if not keys:
            raise ConfigError("There is no encryption key.", remedy=_REMEDY, field="ENCRYPTION_KEYS")
        self._fernet = MultiFernet([_fernet(key, number) for number, key in enumerate(keys, 1)])

    def encrypt(self, text: str) -> bytes:
        """What to store instead of ``text``."""
        return self._fernet.encrypt(text.encode())

    def decrypt(self, stored: bytes) -> str:
        """The text again. Raises ConfigError if none of the keys made it."""
        try:
            return self._fernet.decrypt(stored).decode()
        except InvalidToken as error:
            raise ConfigError(
                "A stored secret cannot be decrypted.",
                remedy="Put the key it was encrypted with back into ENCRYPTION_KEYS.",
                field="ENCRYPTION_KEYS",
            ) from error

    def rotate(self, stored: bytes) -> bytes:
        """The same text encrypted with the first key, so that older keys can go. Raises as ``decrypt``."""
        return self.encrypt(self.decrypt(stored))


def _fernet(key: str, number: int) -> Fernet:
    try:
        return Fernet(key.strip().encode())
    except ValueError as error:
        # The message must not show the key, nor may the chained exception.
        raise ConfigError(
            f"Encryption key number {number} is not 32 bytes in URL-safe base64.",
            remedy=_REMEDY,
            field="ENCRYPTION_KEYS",
        ) from error
