"""A folder that files are mounted into, as Kubernetes does with a ConfigMap: names lead through the symlink `..data` to
a folder of one version, and a new version comes by swapping that link at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from services.console.ports import FolderUnreadable

_LINK: Final = "..data"
_SUFFIXES: Final = (".yaml", ".yml")
_MOST_BYTES: Final = 4 * 1024 * 1024
_TRIES: Final = 3


class MountedFolder:
    """Implements `Folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def files(self) -> Mapping[str, bytes]:
        """Return all YAML files of one version, by name. Raises `FolderUnreadable`."""
        for left in reversed(range(_TRIES)):
            try:
                return self._one_version()
            except FileNotFoundError as error:
                # A new version took its place meanwhile, and the old one is gone.
                if not left:
                    raise FolderUnreadable(f"{self._folder} cannot be read: {error.strerror}") from error
            except OSError as error:
                raise FolderUnreadable(f"{self._folder} cannot be read: {error.strerror}") from error
        raise AssertionError("the last try returns or raises")

    def _one_version(self) -> Mapping[str, bytes]:
        link = self._folder / _LINK
        version = link.resolve(strict=True) if link.is_symlink() else self._folder
        found = {}
        for path in sorted(version.iterdir()):
            if path.suffix not in _SUFFIXES or path.name.startswith(".") or not path.is_file():
                continue
            if path.stat().st_size > _MOST_BYTES:
                raise FolderUnreadable(f"{path.name} has more than {_MOST_BYTES} bytes")
            found[path.name] = path.read_bytes()
        return found
