"""What is checked: a draft with the metadata of both sides, and the names of everything in it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shared.domain.ids import Side
from shared.domain.kinds import Shape, shapes_of
from shared.domain.mapping import Direction, FieldPair, Integration, Mode, TypePair
from shared.metadata.choice import Choice, Choices
from shared.metadata.craft import CUSTOM_PREFIX, LEVELS, PROPERTIES, CraftMetadata, Holds
from shared.metadata.jira import JiraMetadata, JiraType, Schema


@dataclass(frozen=True, slots=True)
class Subject:
    """A draft and what both sides consist of."""

    draft: Integration
    jira: JiraMetadata
    craft: CraftMetadata

    # Pairs

    def pairs(self) -> Iterator[tuple[str, FieldPair]]:
        """Yield each field pair with its path."""
        for number, pair in enumerate(self.draft.pairs):
            yield f"pairs[{number}]", pair

    def types(self) -> Iterator[tuple[str, TypePair]]:
        """Yield each type pair with its path."""
        for number, pair in enumerate(self.draft.types):
            yield f"types[{number}]", pair

    @staticmethod
    def fills(pair: FieldPair, side: Side) -> bool:
        """Tell whether a pair is ever written to a side: by updates, or once on creation."""
        return pair.direction is Direction.ONCE or pair.direction.carries_to(side)

    def creates_on(self, side: Side) -> bool:
        """Tell whether items are ever created on a side, by themselves or on request."""
        return self.draft.mode_towards(side) is not Mode.OFF

    # Types

    def jira_types(self) -> list[JiraType]:
        """Return the mapped Jira types that exist, each once."""
        wanted = dict.fromkeys(pair.jira for pair in self.draft.types)
        return [one for each in wanted if (one := self.jira.type(each)) is not None]

    def created_types(self) -> list[JiraType]:
        """Return the Jira types that items of Craft.io are created as: the first one of each Craft.io type."""
        chosen = (self.draft.type_on(Side.JIRA, pair.craft) for pair in self.draft.types)
        wanted = dict.fromkeys(each for each in chosen if each is not None)
        return [one for each in wanted if (one := self.jira.type(each)) is not None]

    def craft_level(self, craft_type: str) -> int | None:
        """Return the level of a Craft.io type, higher is above; None if it is no type of items."""
        return LEVELS.get(craft_type.casefold())

    # Fields

    def jira_schema(self, field_id: str) -> Schema | None:
        """Return what a Jira field holds."""
        known = self.jira.fields.get(field_id)
        return known.schema if known is not None else None

    def has_jira_field(self, field_id: str) -> bool:
        """Tell whether the site has a field."""
        return field_id in self.jira.fields

    def holds(self, craft_field: str) -> Holds | None:
        """Return what a Craft.io field holds, None if there is no such field."""
        return self.craft.holds(craft_field)

    def choices(self, pair: FieldPair, side: Side) -> Choices | None:
        """Return the values that a pair's field can take on a side, keyed as a value map names them."""
        found = self.jira.choices(pair.jira) if side is Side.JIRA else self.craft.choices(pair.craft)
        shape = self.shape(pair, side)
        return Choices(tuple(keyed(found.values, shape)), found.complete) if found is not None else None

    @staticmethod
    def shape(pair: FieldPair, side: Side) -> Shape | None:
        """Return the shape that a pair means on a side, None if its field there has none for its kind."""
        given = pair.jira_shape if side is Side.JIRA else pair.craft_shape
        return given or next(iter(shapes_of(pair.kind, side, pair.name_on(side))), None)

    # Names

    def jira_name(self, field_id: str) -> str:
        """Return a Jira field for people."""
        known = self.jira.fields.get(field_id)
        return f"Jira's {quoted(known.name)}" if known is not None else "a Jira field that does not exist"

    def craft_name(self, craft_field: str) -> str:
        """Return a Craft.io field for people."""
        if craft_field.startswith(CUSTOM_PREFIX):
            custom = self.craft.fields.get(craft_field.removeprefix(CUSTOM_PREFIX))
            name = custom.name if custom is not None else None
        else:
            name = PROPERTIES[craft_field].name if craft_field in PROPERTIES else None
        return f"Craft.io's {quoted(name)}" if name is not None else "a Craft.io field that does not exist"

    def name_on(self, side: Side, pair: FieldPair) -> str:
        """Return a pair's field on a side, for people."""
        return self.jira_name(pair.jira) if side is Side.JIRA else self.craft_name(pair.craft)

    def pair_name(self, pair: FieldPair) -> str:
        """Return a pair for people: both fields."""
        return f"{self.jira_name(pair.jira)} and {self.craft_name(pair.craft)}"

    def craft_type_name(self, craft_type: str) -> str:
        """Return a Craft.io type for people, in the workspace's own word."""
        return quoted(self.craft.term(craft_type.casefold()))

    def jira_type_name(self, type_id: str) -> str:
        """Return a Jira type for people."""
        known = self.jira.type(type_id)
        return quoted(known.name) if known is not None else "an issue type that does not exist"

    def project_name(self) -> str:
        """Return the project for people: its name and its key, which people know too."""
        name = self.jira.name
        return f"{quoted(name)} ({self.draft.jira_project})" if name else quoted(self.draft.jira_project)


def keyed(choices: Iterable[Choice], shape: Shape | None) -> Iterator[Choice]:
    """Yield choices with the ids that a value map uses for a shape: names, or `parent/child`."""
    for each in choices:
        match shape:
            case Shape.NAME | Shape.NAMES | Shape.WORDS | Shape.TEXT:
                yield Choice(each.name, each.name)
            case Shape.CASCADE:
                yield each
                yield from (Choice(f"{each.id}/{below.id}", f"{each.name} / {below.name}") for below in each.children)
            case _:
                yield each


def quoted(name: str) -> str:
    """Return a name in quotation marks."""
    return f'"{name}"'


def sentence(name: str) -> str:
    """Return a name as the beginning of a sentence."""
    return name[0].upper() + name[1:]


def listed(names: Iterable[str], *, most: int = 6) -> str:
    """Return names as a list in words, cut where it gets long."""
    found = list(names)
    shown, more = found[:most], len(found) - most
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))
