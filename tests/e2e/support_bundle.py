"""A support bundle of a running system, and all that is hidden in it: plain, quoted, in base64 or in hex."""

from __future__ import annotations

import base64
import binascii
import io
import os
import re
import tarfile
from collections.abc import Iterator
from urllib.parse import unquote_plus

import pytest

from deploy.local.system import System
from shared.domain.clock import SystemClock
from tandem_ops.domain.bundle import Bundle, files
from tandem_ops.entrypoint import bundled, pack
from tandem_ops.handlers.given import given_settings

_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")


def settings_of_an_operator(system: System, monkeypatch: pytest.MonkeyPatch, **more: str) -> None:
    """Give this process the settings of the services, as in a pod of theirs, and these besides."""
    for name in [name for name in os.environ if name.startswith("TANDEM_") and "TEST" not in name]:
        monkeypatch.delenv(name)
    services = system.supervisor.services
    settings = {name: value for each in services for name, value in each.spec.env.items() if name.startswith("TANDEM_")}
    settings["TANDEM_SERVICE_URLS"] = ",".join(f"{each.spec.name}={each.spec.http}" for each in services)
    settings["TANDEM_CONSOLE_URL"] = system.content["console"]
    for name, value in {**settings, **more}.items():
        monkeypatch.setenv(name, value)


async def taken() -> tuple[Bundle, str]:
    """Return a bundle, and all that its archive says, in every form that one could read it in."""
    bundle = await bundled(given_settings(), SystemClock(), vendors=True)
    with tarfile.open(fileobj=io.BytesIO(pack(files(bundle), bundle.about.made_at))) as archive:
        texts = [f"{each.name} {(archive.extractfile(each) or io.BytesIO()).read().decode()}" for each in archive]
    return bundle, "\n".join(form for text in texts for form in _forms(text))


def _forms(text: str) -> Iterator[str]:
    yield text
    yield unquote_plus(text)
    for word in set(_ENCODED.findall(text)):
        for decode in (_base64, bytes.fromhex):
            try:
                yield decode(word).decode("utf-8", "replace")
            except (ValueError, binascii.Error):
                continue


def _base64(word: str) -> bytes:
    bare = word.rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(bare + "=" * (-len(bare) % 4))
