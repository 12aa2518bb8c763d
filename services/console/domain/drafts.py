"""What callers send: connections, requests, queries. Unknown properties are refused, so that a slip of the pen is
noticed.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from services.console.domain.naming import Ident
from shared.domain.credentials import one_line
from shared.domain.ids import ConnectionId, IntegrationId, PairId, Side
from shared.domain.kinds import Markup
from shared.domain.mapping import ConnectionKind, Integration, Name
from shared.domain.site import MAX_LENGTH, site_of
from shared.domain.webhook_secret import misfit, weakness
from shared.messages.status import DisplayState

LAST = 2**31 - 1
"""The last revision that there can be; the number of an audit entry is no larger either."""


def site_url(text: str) -> str:
    """Return the address of a site without what people paste along with it (blanks, a slash at the end)."""
    url = text.strip().rstrip("/")
    site_of(url)
    if len(url) > MAX_LENGTH:
        raise ValueError(f"has more than {MAX_LENGTH} characters; give the address of the site, not of a page")
    return url


def sendable(text: str) -> str:
    """Return a text that can be sent in a header and stored, without line ends that were copied along with it."""
    text = text.strip("\r\n")
    if any(ord(sign) < 32 or ord(sign) == 127 or 0xD800 <= ord(sign) < 0xE000 for sign in text):
        raise ValueError("holds a line end or another character that cannot be sent")
    return text


def secret(text: str) -> str:
    """Return a secret that can be sent, and is one."""
    text = sendable(text)
    if not text:
        raise ValueError("is empty")
    return text


class Draft(BaseModel):
    """Base of what callers send. Never shows its input in errors: it may hold secrets."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


Secret = Annotated[
    str, AfterValidator(one_line), Field(min_length=1, max_length=4000, json_schema_extra={"writeOnly": True})
]


def _hard_to_guess(secret: str) -> str:
    if words := weakness(secret):
        raise ValueError(words)
    return secret


def _fit_for_a_url(token: str) -> str:
    if words := misfit(token):
        raise ValueError(words)
    return token


WebhookSecret = Annotated[Secret, AfterValidator(_hard_to_guess)]
UrlToken = Annotated[Secret, AfterValidator(_fit_for_a_url), AfterValidator(_hard_to_guess)]


class SecretsDraft(Draft):
    """Credentials, write-only. What is left out stays as it is; `url_token` null takes it away."""

    token: Annotated[Secret, AfterValidator(secret)] | None = Field(
        default=None, description="API token, personal access token or password (Jira), API key (Craft.io)."
    )
    webhook_secrets: tuple[WebhookSecret, ...] | None = Field(
        default=None,
        max_length=2,
        description="Accepted signing secrets, random ones; two while one is being replaced.",
    )
    url_token: UrlToken | None = Field(
        default=None, description="For senders that cannot sign: `?token=` in their URL, as it is."
    )


class ConnectionDraft(Draft):
    """A connection as an admin saves it. It is tried before it is saved."""

    revision: int | None = Field(
        default=None, ge=0, le=LAST, description="The revision that was edited; 0 for a new one."
    )
    kind: ConnectionKind
    name: Annotated[Name, AfterValidator(sendable)]
    url: Annotated[str, AfterValidator(site_url)]
    email: Annotated[str, AfterValidator(sendable)] | None = Field(
        default=None, max_length=320, description="Jira Cloud: the address that the API token belongs to."
    )
    username: Annotated[str, AfterValidator(sendable)] | None = Field(
        default=None,
        max_length=200,
        description="Jira Data Center: who logs in with the password in `secrets.token`. "
        "Left out: that is a personal access token.",
    )
    secrets: SecretsDraft | None = Field(default=None, description="Left out: the stored ones stay.")
    max_concurrent: int = Field(default=8, ge=1, le=64)
    requests_per_second: float = Field(default=20.0, gt=0, le=1000, allow_inf_nan=False)
    expires_on: date | None = Field(
        default=None,
        description="The day on which the token ends, as it was shown when the token was made. Left out: it stays as "
        "it is; with another token it is unknown then, since a date belongs to its token.",
    )

    @model_validator(mode="after")
    def _login_fits_the_kind(self) -> Self:
        cloud, data_center = (
            self.kind is each for each in (ConnectionKind.JIRA_CLOUD, ConnectionKind.JIRA_DATA_CENTER)
        )
        if cloud and not (self.email or "").strip():
            raise ValueError("email is missing: Jira Cloud needs the address that the API token belongs to")
        if data_center and self.email:
            raise ValueError(
                "email is not for Jira Data Center: leave it out for a personal access token, or give the username "
                "that the password in secrets.token belongs to"
            )
        if self.username and not data_center:
            raise ValueError("username is for Jira Data Center only; leave it out")
        return self


LinkRequestKind = Literal["retry", "resync", "unsync", "resolve", "decide", "push", "pull"]


class LinkRequestDraft(Draft):
    """Something to do with a link. PUSH reads the Craft.io item and carries it to Jira, PULL the other way."""

    kind: LinkRequestKind
    pair: PairId | None = Field(default=None, description="RESOLVE: the field pair in conflict.")
    winner: Side | None = Field(default=None, description="RESOLVE: the side whose value is taken.")
    conflict_at: datetime | None = Field(
        default=None,
        description="RESOLVE: `at` of the open conflict that was looked at; another one is not settled by it.",
    )

    @model_validator(mode="after")
    def _resolve_says_what(self) -> Self:
        if self.kind == "resolve" and (self.pair is None or self.winner is None):
            raise ValueError("resolve needs `pair` and `winner` (jira or craft)")
        if self.kind != "resolve" and any(each is not None for each in (self.pair, self.winner, self.conflict_at)):
            raise ValueError(f"`pair`, `winner` and `conflict_at` go with resolve, not with {self.kind}")
        return self


class LetGoDraft(Draft):
    """Which of the items that wait are to be carried over."""

    target: Side = Field(description="The side on which they are to be created.")


class ItemRequestDraft(Draft):
    """Something to do with items that may be in no link yet."""

    kind: Literal["push", "pull", "link"]
    integration_id: IntegrationId
    jira_id: Ident | None = Field(default=None, description="Issue id, key or address. For PULL and LINK.")
    craft_id: Ident | None = Field(default=None, description="Item id or address. For PUSH and LINK.")

    @model_validator(mode="after")
    def _names_its_items(self) -> Self:
        if self.kind in ("pull", "link") and self.jira_id is None:
            raise ValueError(f"{self.kind} needs `jira_id`")
        if self.kind in ("push", "link") and self.craft_id is None:
            raise ValueError(f"{self.kind} needs `craft_id`")
        return self


class IntegrationDraft(Integration):
    """An integration as an admin sends it, with whatever is wrong about it; see `saved`."""

    model_config = ConfigDict(hide_input_in_errors=True)

    findings: Any = Field(default=None, exclude=True, description="Ignored, so that an answer may be sent back.")

    @model_validator(mode="after")
    def _unique(self) -> Self:
        """Let pairs that write one field pass: the check finds them, and says it in words."""
        return self

    def integration(self, markup: Markup) -> Integration:
        """Return what is to be saved, for a Jira of that markup. Raises ValidationError for what the check would have
        found.
        """
        return Integration.model_validate({**self.model_dump(), "jira_markup": markup})


class SaveQuery(Draft):
    """How to save an integration."""

    unchecked: bool = Field(
        default=False,
        description="Save also while Jira or Craft.io cannot be asked. What was found wrong is refused all the same.",
    )
    evaluate: Literal["now", "later"] = Field(
        default="now",
        description="Whether items that nobody touches are decided again at once, or once somebody agrees "
        "(POST /integrations/{id}/evaluation). What comes in is decided by the new revision in any case.",
    )


class AgreementDraft(Draft):
    """An admin's word that existing items are decided again."""

    revision: int = Field(ge=1, le=LAST, description="The current revision, as it was looked at.")


class SuggestionDraft(Draft):
    """Between what a mapping is to be suggested."""

    name: Name
    jira_connection: ConnectionId
    craft_connection: ConnectionId
    jira_project: Name
    craft_workspace: Name
    craft_root: Ident | None = None


class LinksQuery(Draft):
    """Which links to list."""

    state: DisplayState | None = None
    integration: IntegrationId | None = None
    after: str = Field(default="", max_length=200, description="`next` of the page before.")
    limit: int = Field(default=50, ge=1, le=500)


class PeopleQuery(Draft):
    """Whose people to report on."""

    integration: IntegrationId = Field(description="Id of the integration.")


class StraysQuery(Draft):
    """How many strays to list."""

    limit: int = Field(default=100, ge=1, le=1000)


class NoQuery(Draft):
    """No query parameters."""
