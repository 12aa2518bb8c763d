"""What a suggestion says beside its draft. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from services.console.domain.validation.finding import Finding
from shared.domain.ids import ConnectionId, EntityId, IntegrationId, Side
from shared.domain.mapping import Integration


class Reason(BaseModel):
    """Why a part of the draft is proposed."""

    model_config = ConfigDict(frozen=True)

    path: str = Field(description="The part of the draft, such as `pairs[3]` or `types[0]`.")
    what: str = Field(description="What is proposed, in names.")
    confidence: float = Field(ge=0, le=1, description="How sure it is: 1 is certain.")
    reason: str


class LeftOut(BaseModel):
    """Something that is not in the draft, and why not."""

    model_config = ConfigDict(frozen=True)

    side: Side
    what: str = Field(description="Its name on that side.")
    why: str


class Suggestion(BaseModel):
    """A first mapping to start from. `findings` is what a check says of the draft."""

    model_config = ConfigDict(frozen=True)

    draft: Integration
    reasons: tuple[Reason, ...]
    left_out: tuple[LeftOut, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Identities:
    """What the draft is to be called, and between what."""

    id: IntegrationId
    name: str
    jira_connection: ConnectionId
    craft_connection: ConnectionId
    jira_project: str
    craft_workspace: str
    craft_root: EntityId | None = None
