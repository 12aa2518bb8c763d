"""Remembering what cannot be written, so that it is not tried again and again (PROTOCOL F19)."""

from __future__ import annotations

import hashlib
import json

from shared.domain.link import Json


def block_hash(source: Json, revision: int) -> str:
    """Return what identifies a refused (source value, revision): another value or revision is tried anew."""
    return hashlib.sha256(json.dumps([source, revision], sort_keys=True).encode()).hexdigest()[:32]
