"""The rules of faults, as JSON brings them: what matches, how often, and what happens then.

Read by `sandbox.kit.control_surface` and by tests in process; `sandbox.kit.faults` decides by them. Values only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)

RequestEffect = Literal["delay", "status", "drop-response-after-doing-it", "refuse", "do-it-late"]
WebhookEffect = Literal["lose", "repeat", "reorder", "delay"]

_WEBHOOK_ONLY = frozenset({"lose", "repeat", "reorder"})


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    probability: float = Field(default=1.0, gt=0, le=1, description="chance that a match is hit")
    next: int | None = Field(default=None, ge=1, description="hit at most this many times; absent: without end")


class RequestRule(_Rule):
    """Do something to matching requests. `method`, `path` and `who` are globs (`*`, `?`, `[…]`); `*` also takes '/'.
    `contains` is a part of the body, so that a site may fail at one value alone.

    - `delay`: wait `delay_s` before doing anything (further rules still apply after it);
    - `status`: answer `status` (with `headers`, JSON `body`, `retry_after_s`) and do nothing;
    - `refuse`: close the connection and do nothing;
    - `drop-response-after-doing-it`: do it, then close the connection without an answer;
    - `do-it-late`: close the connection after `cut_after_s`, do it `delay_s` after the request came.
    """

    on: Literal["request"] = "request"
    method: str = "*"
    path: str = "*"
    who: str = "*"
    contains: str = ""
    effect: RequestEffect
    delay_s: float | None = Field(default=None, ge=0)
    cut_after_s: float = Field(default=0, ge=0)
    status: int | None = Field(default=None, ge=200, le=599)
    retry_after_s: int | None = Field(default=None, ge=0)
    headers: Mapping[str, str] = Field(default_factory=dict)
    body: JsonValue = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.effect in {"delay", "do-it-late"} and self.delay_s is None:
            raise ValueError(f"the effect {self.effect!r} needs delay_s")
        if self.effect not in {"delay", "do-it-late"} and self.delay_s is not None:
            raise ValueError(
                f"delay_s has no meaning for the effect {self.effect!r}; add a rule with the effect 'delay'"
            )
        if (self.effect == "status") != (self.status is not None):
            raise ValueError("the effect 'status' needs a status, and only it takes one")
        return self


class WebhookRule(_Rule):
    """Do something to matching webhooks, once per event, not per retry. `url` is a glob, `contains` a part of the body.

    - `lose`: never deliver it; - `repeat`: deliver it `times` more; - `delay`: deliver it `delay_s` later;
    - `reorder`: deliver it after the webhook that follows it, or after `delay_s` (default 2 s) when none does.
    """

    on: Literal["webhook"] = "webhook"
    url: str = "*"
    contains: str = ""
    effect: WebhookEffect
    delay_s: float | None = Field(default=None, ge=0)
    times: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.effect == "delay" and self.delay_s is None:
            raise ValueError("the effect 'delay' needs delay_s")
        if self.effect in {"lose", "repeat"} and self.delay_s is not None:
            raise ValueError(f"delay_s has no meaning for the effect {self.effect!r}")
        return self


class TokenRule(BaseModel):
    """Revoke one of the site's tokens, at once and until the faults are replaced or deleted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on: Literal["token"] = "token"
    effect: Literal["revoke"] = "revoke"
    token: str


def _kind(value: object) -> str | None:
    """Tell the kind of a rule, also where `on` is left out and the rest can only mean one."""
    if isinstance(value, RequestRule | WebhookRule | TokenRule):
        return value.on
    if not isinstance(value, Mapping):
        return None
    if "on" in value:
        return str(value["on"])
    if value.get("effect") == "revoke":
        return "token"
    return "webhook" if value.get("effect") in _WEBHOOK_ONLY else "request"


Rule = Annotated[
    Annotated[RequestRule, Tag("request")]
    | Annotated[WebhookRule, Tag("webhook")]
    | Annotated[TokenRule, Tag("token")],
    Discriminator(_kind, custom_error_type="kind", custom_error_message="`on` is one of request, webhook, token"),
]
_RULES: TypeAdapter[list[Rule]] = TypeAdapter(list[Rule])


class RulesError(ValueError):
    """The rules cannot be put in force. The text names each rule by its place and says what is wrong with it."""


def parse_rules(value: object) -> list[Rule]:
    """Return the rules of a JSON list. Raises `RulesError`."""
    try:
        return _RULES.validate_python(value)
    except ValidationError as error:
        lines = (
            f"rule {'.'.join(str(part) for part in e['loc'])}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors()
        )
        raise RulesError("; ".join(lines)) from error
