"""Secrets from the environment and from files, of the machine that runs the command."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from shared.as_code.ports import SecretUnreadable
from shared.as_code.workspace import SecretReference
from shared.domain.credentials import one_line


class SecretPlaces:
    """Implements `Secrets`. Paths are relative to the folder of the YAML file."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self._environment = environment
        self._folder = folder

    def read(self, reference: SecretReference) -> str:
        """Return a secret, without the line end that editors put behind it."""
        secret = self._from_environment(reference) if reference.env is not None else self._from_file(reference)
        try:
            secret = one_line(secret)
        except ValueError as error:
            raise SecretUnreadable(f"{reference} {error}") from error
        if not secret:
            raise SecretUnreadable(f"{reference} is empty")
        return secret

    def _from_environment(self, reference: SecretReference) -> str:
        found = self._environment.get(reference.env or "")
        if found is None:
            raise SecretUnreadable(f"{reference} is not set")
        return found

    def _from_file(self, reference: SecretReference) -> str:
        try:
            return (self._folder / (reference.file or "")).read_text(encoding="utf-8")
        except OSError as error:
            raise SecretUnreadable(f"{reference} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise SecretUnreadable(f"{reference} is no text in UTF-8") from error
