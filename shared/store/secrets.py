"""Credentials at rest: sealed with the first key, opened with any of them, so that keys can be replaced one after the
other.

Called by `shared.store.postgres.config` alone. Never logs, never puts a secret or a key into the words of an error.
"""

from __future__ import annotations

import base64
import os

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import ValidationError

from shared.domain.errors import OwnWords
from shared.domain.mapping import ConnectionSecrets


class SecretKeyWrong(OwnWords):
    """No key, a key of the wrong shape, or none of the keys opens what is stored. Names the setting, never the key."""


class SecretBox:
    """Seals and opens the credentials of connections (Fernet: AES-128-CBC with HMAC-SHA256)."""

    def __init__(self, keys: str) -> None:
        """Take one key or several, comma-separated, the newest first. Raises `SecretKeyWrong` for a key of a wrong
        shape.
        """
        names = [key.strip() for key in keys.split(",") if key.strip()]
        if not names:
            raise SecretKeyWrong("TANDEM_SECRET_KEY is empty; make a key with `python -m shared.store.secrets`")
        try:
            self._fernet = MultiFernet([Fernet(key) for key in names])
        except ValueError as error:
            raise SecretKeyWrong(
                "TANDEM_SECRET_KEY is no Fernet key (32 bytes in URL-safe base64); "
                "make one with `python -m shared.store.secrets`"
            ) from error

    def seal(self, secrets: ConnectionSecrets) -> bytes:
        """Return credentials as bytes that say nothing without the key."""
        return self._fernet.encrypt(secrets.model_dump_json().encode())

    def open(self, sealed: bytes) -> ConnectionSecrets:
        """Return sealed credentials. Raises `SecretKeyWrong` if no key fits."""
        try:
            return ConnectionSecrets.model_validate_json(self._fernet.decrypt(sealed))
        except InvalidToken:
            raise SecretKeyWrong(
                "no key of TANDEM_SECRET_KEY opens the stored credentials; "
                "add the key that sealed them (comma-separated), or enter the credentials of the connection again"
            ) from None
        except ValidationError:
            raise SecretKeyWrong("the stored credentials have a shape that this release does not know") from None


def new_key() -> str:
    """Return a new random key."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


if __name__ == "__main__":
    print(new_key())  # noqa: T201  # a command line prints
