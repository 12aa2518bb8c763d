"""What an admin has set: connections, integrations, type pairs and field pairs. Immutable; each saved change is a
new revision.

Read by the mapper (in the deciding transaction), by the writers with their claim, and by the reconciler; written by
the console.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StringConstraints, field_validator, model_validator

from shared.domain.expiry import end_of
from shared.domain.ids import AccountId, ConnectionId, EntityId, IntegrationId, PairId, Side
from shared.domain.kinds import FieldKind, Markup, Shape, shapes_of
from shared.domain.link import Json
from shared.domain.pair_rules import problems_of

__all__ = [
    "Connection",
    "ConnectionKind",
    "ConnectionSecrets",
    "Direction",
    "FieldKind",
    "FieldPair",
    "Integration",
    "Mode",
    "Name",
    "Policy",
    "Setting",
    "Shape",
    "Takes",
    "TypePair",
    "ValuePair",
    "next_revision",
    "pair_values",
]

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Setting(BaseModel):
    """Base of everything an admin can set: frozen, unknown properties are refused.

    What is written below a property describes it in the schemas, for the editors of people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Direction(StrEnum):
    """Which way a pair is carried. `ONCE` fills a new counterpart and is then left alone."""

    BOTH = "both"
    TO_JIRA = "to_jira"
    TO_CRAFT = "to_craft"
    ONCE = "once"

    def carries_to(self, target: Side) -> bool:
        """Tell whether an update may be written to `target`."""
        return self is Direction.BOTH or self is (Direction.TO_JIRA if target is Side.JIRA else Direction.TO_CRAFT)


class Policy(StrEnum):
    """Who wins when both sides changed to different values."""

    JIRA = "jira"
    CRAFT = "craft"
    LATEST = "latest"
    ASK = "ask"


class Mode(StrEnum):
    """Whether new items of one direction are created by themselves, on request only, or never."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"
    OFF = "off"


class ValuePair(Setting):
    """Two values that mean the same. Several entries may share one side; the first one found is the way back."""

    jira: str | None
    craft: str | None


class FieldPair(Setting):
    """A Jira field and a Craft field that hold the same thing.

    `jira` is a Jira field id (`summary`, `customfield_10016`); `craft` a property of Craft's item (`title`,
    `storyPoints`)
    or `custom:{id}` for a custom field.
    """

    id: Annotated[PairId, Field(min_length=1, max_length=100)]
    kind: FieldKind
    jira: Name
    craft: Name
    direction: Direction = Direction.BOTH
    policy: Policy | None = None
    """None: the integration's default."""
    values: tuple[ValuePair, ...] = ()
    jira_shape: Shape | None = None
    """None: the usual one of the kind."""
    craft_shape: Shape | None = None
    fallback: ValuePair | None = None
    """People only: who stands for somebody who is not found on the other side, on each side; null: nobody."""
    to_craft: str | None = None
    """An expression (docs/transforms.md) that makes Craft.io's value of Jira's; it stands in for the value map."""
    to_jira: str | None = None
    """The same, the other way."""
    create_missing: bool = False
    """Versions of Jira by name only: a version that the project lacks is created when it is to be set."""
    jira_name: str | None = None
    """What people call the Jira field: found out when the mapping is saved."""
    craft_name: str | None = None
    """What people call the Craft.io field: the same."""
    since: int = 0
    """The revision in which this pair got its present meaning; bases agreed before it no longer count (PROTOCOL
    F16).
    """
    fields_since: int = 0
    """The revision since which it names these two fields and reads them as it does; what was seen before it is another
    value.
    """

    _zone: str = PrivateAttr("UTC")
    _types: tuple[ValuePair, ...] = PrivateAttr(())
    _markup: Markup = PrivateAttr(Markup.ADF)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problems = problems_of(self)
        if problems:
            raise ValueError(f"pair {self.id}: {'; '.join(problems)}")
        return self

    def name_on(self, side: Side) -> str:
        """Return the field's id on one side."""
        return self.jira if side is Side.JIRA else self.craft

    def called(self, side: Side) -> str:
        """Return what people call the field on one side, as far as that is known."""
        return (self.jira_name if side is Side.JIRA else self.craft_name) or self.name_on(side)

    def expression(self, target: Side) -> str | None:
        """Return the expression for the way to `target`, if there is one."""
        return self.to_jira if target is Side.JIRA else self.to_craft

    def shape_on(self, side: Side) -> Shape:
        """Return the shape in which one side's JSON holds the value."""
        shape = self.jira_shape if side is Side.JIRA else self.craft_shape
        if shape is None and self.kind is FieldKind.USER and side is Side.JIRA and self._markup is Markup.WIKI:
            return Shape.USERNAME  # Data Center knows people by name
        return shape or shapes_of(self.kind, side, self.name_on(side))[0]

    @property
    def zone(self) -> ZoneInfo:
        """Return the time zone of the integration that the pair is part of: where its days begin."""
        return ZoneInfo(self._zone)

    @property
    def value_map(self) -> tuple[ValuePair, ...]:
        """Return what means the same: of a type, what the integration's type mapping says."""
        return self._types if self.kind is FieldKind.TYPE else self.values

    @property
    def markup(self) -> Markup:
        """Return what the documents of the integration's Jira are written in."""
        return self._markup

    def within(self, time_zone: str, types: tuple[TypePair, ...], markup: Markup = Markup.ADF) -> FieldPair:
        """Return the pair as part of an integration with that (valid) time zone, those types and that Jira.

        Only times depend on the zone, only the pair of the type on the type mapping, only texts and people on the
        markup, which tells Data Center from Cloud.
        """
        placed = (self._zone, self._types, self._markup)
        match self.kind:
            case FieldKind.DATE | FieldKind.DATETIME:
                placed = (time_zone, (), Markup.ADF)
            case FieldKind.TYPE:
                placed = (
                    "UTC",
                    tuple(ValuePair(jira=each.jira, craft=each.craft.casefold()) for each in types),
                    Markup.ADF,
                )
            case FieldKind.TEXT | FieldKind.RICH_TEXT | FieldKind.USER:
                placed = ("UTC", (), markup)
            case _:
                return self
        if placed == (self._zone, self._types, self._markup):
            return self
        moved = self.model_copy()
        moved._zone, moved._types, moved._markup = placed  # noqa: SLF001  # its own, and not handed out yet
        return moved

    @property
    def fields(self) -> tuple[object, ...]:
        """Return what decides which values are seen: the two fields, and how each is read."""
        return (
            self.kind,
            self.jira,
            self.craft,
            self.shape_on(Side.JIRA),
            self.shape_on(Side.CRAFT),
            self._zone,
            self._markup,
        )


class TypePair(Setting):
    """A Jira issue type (by id) and a Craft type (default term). The first pair of a type decides the way over."""

    jira: Name
    craft: Name


class TransitionField(Setting):
    """What to fill in where the screen of a Jira transition has this field, as in `resolution`: `{"name": "Done"}`."""

    field: Name
    """Jira field id."""
    value: Json
    """As Jira's REST API takes it."""


class Takes(Setting):
    """Which new items of one side an integration is for: those that have one of these values in a field."""

    side: Side
    field: Name
    """Jira field id (`components`), property of Craft.io's item, or `custom:{id}` for a custom field of Craft.io."""
    values: tuple[Name, ...] = Field(min_length=1)
    """By id or by name, in small letters or capitals."""


class Integration(Setting):
    """One Jira project and one Craft.io workspace that are kept in step, with their mapping. `revision` grows with
    each save.
    """

    id: IntegrationId
    revision: int = Field(default=0, ge=0)
    name: Name
    jira_connection: ConnectionId
    craft_connection: ConnectionId
    jira_project: Name
    """Project key, as people know it."""
    jira_project_id: str | None = None
    """The project's id, which stays when its key is changed: found out when the integration is saved. None: not yet."""
    jira_subtasks: tuple[str, ...] = ()
    """Ids of the project's types that are sub-tasks: found out when the integration is saved."""
    craft_workspace: Name
    """Workspace id."""
    craft_root: EntityId | None = None
    """The Craft item under which items stand whose Jira issue has no parent; None: at the top of the workspace."""
    to_craft: Mode = Mode.AUTOMATIC
    to_jira: Mode = Mode.MANUAL
    policy: Policy = Policy.ASK
    craft_key_field: str | None = None
    """Id of a Craft custom text field that holds the link id of items created by Tandem; makes creates exact."""
    time_zone: str = "UTC"
    """IANA name of the zone in which a moment is turned into a day, and a day into its first moment."""
    jira_markup: Markup = Markup.ADF
    """What Jira's documents are written in: told by the connection's kind when the integration is saved."""
    types: tuple[TypePair, ...]
    pairs: tuple[FieldPair, ...]
    transition_fields: tuple[TransitionField, ...] = ()
    """Values for fields that transitions ask for when a status is carried to Jira."""
    takes: tuple[Takes, ...] = ()
    """Which new items it is for, at most one rule for each side; without one: all. An item below one that is linked
    already goes where that is, and what is linked stays, whatever the rule says.
    """

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, LookupError, OSError) as error:
            raise ValueError(f"there is no time zone {name}; use an IANA name such as Europe/Berlin") from error
        return name

    @field_validator("takes")
    @classmethod
    def _one_rule_a_side(cls, rules: tuple[Takes, ...]) -> tuple[Takes, ...]:
        if len({each.side for each in rules}) < len(rules):
            raise ValueError("there are two rules for the new items of one side; put their values into one")
        return rules

    @model_validator(mode="after")
    def _pairs_know_where_they_are(self) -> Self:
        placed = tuple(pair.within(self.time_zone, self.types, self.jira_markup) for pair in self.pairs)
        if any(new is not old for new, old in zip(placed, self.pairs, strict=True)):
            object.__setattr__(self, "pairs", placed)  # a copy: the pairs given may be another integration's too
        return self

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [pair.id for pair in self.pairs]
        twice = sorted({each for each in ids if ids.count(each) > 1})
        if twice:
            raise ValueError(f"the id {', '.join(twice)} is given to more than one pair; rename one of them")
        for side in Side:
            elsewhere = Direction.TO_CRAFT if side is Side.JIRA else Direction.TO_JIRA
            written: dict[str, list[FieldPair]] = {}
            for pair in self.pairs:
                if pair.direction is not elsewhere:
                    written.setdefault(pair.name_on(side), []).append(pair)
            for first, *more in written.values():
                if more:
                    pairs = " and ".join(pair.id for pair in (first, *more))
                    raise ValueError(f"the pairs {pairs} write {side.vendor}'s {first.called(side)}; keep one of them")
        return self

    def pair(self, pair_id: PairId) -> FieldPair | None:
        """Return the pair of that id, if it is mapped in this revision."""
        return next((p for p in self.pairs if p.id == pair_id), None)

    def policy_of(self, pair: FieldPair) -> Policy:
        """Return the conflict policy of a pair."""
        return pair.policy or self.policy

    def mode_towards(self, target: Side) -> Mode:
        """Return how new items are created on `target`."""
        return self.to_jira if target is Side.JIRA else self.to_craft

    def connection(self, side: Side) -> ConnectionId:
        """Return the connection of one side."""
        return self.jira_connection if side is Side.JIRA else self.craft_connection

    def rule(self, side: Side) -> Takes | None:
        """Return which new items of a side it is for; None: all."""
        return next((each for each in self.takes if each.side is side), None)

    def home(self, side: Side) -> str:
        """Return what people know the project or workspace of a side by."""
        return self.jira_project if side is Side.JIRA else self.craft_workspace

    def container(self, side: Side) -> str:
        """Return what calls name the project or workspace of a side by: by its id, as far as that is known."""
        return (self.jira_project_id or self.jira_project) if side is Side.JIRA else self.craft_workspace

    def type_on(self, target: Side, source_type: str) -> str | None:
        """Return the type on `target` for a type of the other side, None if it is not mapped."""
        if target is Side.CRAFT:
            return next((t.craft for t in self.types if t.jira == source_type), None)
        return next((t.jira for t in self.types if t.craft.casefold() == source_type.casefold()), None)


class ConnectionKind(StrEnum):
    """What a connection speaks."""

    JIRA_CLOUD = "jira_cloud"
    JIRA_DATA_CENTER = "jira_data_center"
    CRAFT = "craft"

    @property
    def side(self) -> Side:
        """Return the side that it belongs to."""
        return Side.CRAFT if self is ConnectionKind.CRAFT else Side.JIRA

    @property
    def markup(self) -> Markup:
        """Return what the documents of such a Jira are written in."""
        return Markup.WIKI if self is ConnectionKind.JIRA_DATA_CENTER else Markup.ADF


class Connection(Setting):
    """How to reach one Jira site or Craft.io account; secrets are kept apart (`ConnectionSecrets`)."""

    id: ConnectionId
    revision: int = Field(default=0, ge=0)
    kind: ConnectionKind
    name: Name
    url: Name
    """Site or API address, without a trailing slash."""
    email: str | None = None
    """Jira Cloud: the address that the API token belongs to."""
    username: str | None = None
    """Jira Data Center: who logs in with a password; None: the token is a personal access token."""
    account_id: AccountId | None = None
    """Who we are there, as the vendor told us (`/myself`, `/me/api-key`)."""
    max_concurrent: int = Field(default=8, ge=1, le=64)
    requests_per_second: float = Field(default=20.0, gt=0)
    paused_reason: str | None = None
    """Set while the credentials do not work: writes wait, observations go on."""
    expires_on: date | None = None
    """The day on which the token ends, as it was shown when the token was made. Tandem warns before it."""
    expires_told: datetime | None = None
    """When the credentials end, as the vendor tells."""

    @property
    def expires_at(self) -> datetime | None:
        """Return when the credentials end, as far as anybody knows; the vendor knows best."""
        if self.expires_told is not None or self.expires_on is None:
            return self.expires_told
        return end_of(self.expires_on)


class ConnectionSecrets(Setting):
    """The credentials of a connection. Never logged, never published, encrypted at rest."""

    token: str = Field(repr=False)
    webhook_secrets: tuple[str, ...] = Field(default=(), repr=False, max_length=2)
    """Accepted signing secrets: two while one is being replaced."""
    url_token: str | None = Field(default=None, repr=False)
    """For senders that cannot sign: a long random token in the webhook's URL (`?token=`)."""


def pair_values(values: tuple[ValuePair, ...], source: Side, value: Json) -> list[str | None]:
    """Return what a value of `source` is mapped to on the other side: first the preferred one; empty if not mapped."""
    if source is Side.JIRA:
        return [v.craft for v in values if v.jira == value]
    return [v.jira for v in values if v.craft == value]


_NOT_ITS_MEANING = ("policy", "create_missing", "jira_name", "craft_name")


def next_revision(current: Integration | None, draft: Integration) -> Integration:
    """Return `draft` as the revision after `current`, each pair marked with the revision that gave it its present
    meaning.
    """
    revision = (current.revision if current else 0) + 1
    before = {pair.id: pair for pair in current.pairs} if current else {}

    def dated(pair: FieldPair) -> FieldPair:
        old = before.get(pair.id)
        # who wins a conflict, what Jira may be given and what people call the fields are no part of what the pair means
        if old is None or old.fields != pair.fields:
            return pair.model_copy(update={"since": revision, "fields_since": revision})
        kept = {"since": old.since, "fields_since": old.fields_since}
        beside = {name: getattr(old, name) for name in _NOT_ITS_MEANING}
        same = pair.model_copy(update={**kept, **beside}) == old
        return pair.model_copy(update=kept if same else {**kept, "since": revision})

    return draft.model_copy(update={"revision": revision, "pairs": tuple(dated(pair) for pair in draft.pairs)})
