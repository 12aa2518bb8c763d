"""One thing that is wrong, or worth knowing, about a draft of a mapping: found by the console, kept with dry runs."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Severity(StrEnum):
    """What a finding means for saving."""

    ERROR = "error"
    """It cannot work: nothing is saved."""
    WARNING = "warning"
    """Some items or values will not be synced."""
    NOTE = "note"
    """Good to know."""


class Finding(BaseModel):
    """One finding, in the words of those who use the two tools: fields, types and values by their names."""

    model_config = ConfigDict(frozen=True)

    code: str = Field(description="For programs: stays the same when the words change.")
    severity: Severity
    path: str = Field(description="Where in the draft, such as `pairs[3].craft`; empty: the whole.")
    message: str = Field(description="What is wrong.")
    fix: str = Field(description="What to do about it.")
