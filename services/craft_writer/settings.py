"""The Craft.io writer's settings."""

from __future__ import annotations

from pydantic import Field

from shared.writing.settings import WriterSettings


class CraftWriterSettings(WriterSettings):
    """Those of every writer, and what is Craft.io's own."""

    craft_index_lag_s: float = Field(default=60.0, ge=0)
    """The longest time until Craft.io's lists show a new item; a create with a lost answer is not repeated earlier."""
