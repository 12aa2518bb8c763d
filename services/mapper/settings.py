"""The mapper's settings: those of every service."""

from __future__ import annotations

from shared.runtime.settings import ServiceSettings


class MapperSettings(ServiceSettings):
    """Nothing of its own."""
