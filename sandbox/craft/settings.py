"""What a test may set about the stand-in of Craft.io: who may call, how its clock and its lists behave, its webhook.

Used by `sandbox.craft.site`. Values only; nothing here has behaviour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

SCOPES = (
    "read:workspace-meta:craft",
    "read:items:craft",
    "write:items:craft",
    "delete:items:craft",
    "read:portfolios:craft",
)


@dataclass(frozen=True, slots=True)
class CraftKey:
    """One API key: bound to a user, with scopes, perhaps narrowed to workspaces (None: all). `name` is safe to show."""

    key: str
    name: str
    scopes: tuple[str, ...] = SCOPES
    workspaces: frozenset[str] | None = None


SYNC_KEY = CraftKey("craft-key-of-tandem", "Tandem Sync")
ADA_KEY = CraftKey("craft-key-of-ada", "Ada Example")
BEN_KEY = CraftKey("craft-key-of-ben", "Ben Example")


@dataclass(frozen=True, slots=True)
class CraftWebhook:
    """The webhook that Craft.io's public description does not have (assumed): where to, how signed, how much.

    `thin` sends only the item's id. Without a secret there is no signature header.
    """

    url: str
    secret: str | None = None
    thin: bool = False
    max_retries: int = 5


@dataclass(frozen=True, slots=True)
class WriteLimit:
    """At most `writes` per `per_s` seconds over the whole account; beyond it 429 with Retry-After."""

    writes: int
    per_s: float


@dataclass(frozen=True, slots=True)
class CraftSiteSettings:
    """How the stand-in behaves where Craft.io is silent. The defaults are the plain case.

    - `keys`: the API keys; each gets a user of its name.
    - `visibility_lag`: the longest time until a write shows in lists; each write draws its own, so later writes may
      show first. A read by id is immediate.
    - `clock_step`: `creationTime` and `updateTime` are rounded down to it, so several edits may share one.
    - `list_order`: what the pages run over; with `updated`, an edit moves an item to the end, and a page skips another.
    - `write_limit`: none by default, as Craft.io publishes none and declares no 429.
    - `accepts_null_numbers`: whether null empties storyPoints and the like over the API; its description says no.
    - `adjacent_parents_only`: a parent must be exactly one level above, else any level above will do.
    - `trims_text`: titles, descriptions and text values lose blanks at their ends, as a target that normalises.
    - `ignored_fields`: properties, and custom fields by id, that a PUT over the API takes with a 200 and leaves alone.
    - `lists_system_fields`: custom_fields also carries status and importance, for accounts that see them there.
    """

    keys: tuple[CraftKey, ...] = (SYNC_KEY, ADA_KEY, BEN_KEY)
    visibility_lag: timedelta = timedelta(0)
    clock_step: timedelta = timedelta(milliseconds=1)
    list_order: Literal["updated", "created"] = "updated"
    max_page_limit: int = 100
    write_limit: WriteLimit | None = None
    webhook: CraftWebhook | None = None
    accepts_null_numbers: bool = False
    adjacent_parents_only: bool = False
    trims_text: bool = False
    ignored_fields: tuple[str, ...] = ()
    lists_system_fields: bool = False
