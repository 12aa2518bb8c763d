"""What the oracle looks at once everybody is quiet: both vendors, all links with their records, all edits and calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sandbox.craft.site import CraftSite
from sandbox.jira.site import JiraSite
from shared.domain.ids import EntityId, LinkId, Side
from shared.domain.link import Json, Link
from shared.domain.mapping import FieldKind, FieldPair, Integration
from shared.domain.person import Person
from shared.fields import equivalent, same
from shared.fields.people import directory_of
from shared.fields.translate import Parents
from shared.store.port import LinkView
from tests.simulation.fate import Fate
from tests.simulation.network import MARK, SimNetwork
from tests.simulation.people import People
from tests.simulation.witness import Witness


@dataclass(slots=True)
class Evidence:
    """All that the oracle looks at."""

    jira: JiraSite
    craft: CraftSite
    integration: Integration
    people: People
    network: SimNetwork
    fate: Fate
    views: list[LinkView]
    flagged: Mapping[tuple[Side, EntityId], LinkId | None]
    """Items of our own making that people are told of, since they are in no link, and the link they were made for."""
    quiet_since_s: float
    directory: Iterable[Person]
    """Everybody whom Tandem has heard of."""
    witness: Witness
    by_entity: dict[tuple[Side, EntityId], LinkView] = field(init=False)
    parents: Parents = field(init=False)

    def __post_init__(self) -> None:
        self.by_entity = {
            (side, entity_id): view
            for view in self.views
            for side in Side
            if (entity_id := view.link.entity_id(side)) is not None
        }
        known = {
            key: other
            for key, view in self.by_entity.items()
            if (other := view.link.entity_id(key[0].other)) is not None
        }
        connections = {self.integration.connection(side): side for side in Side}
        self.parents = Parents(known, self.integration.craft_root, directory_of(self.directory, connections))

    def same(self, pair: FieldPair, left: Json, right: Json) -> bool:
        """Tell whether two values of one side are the same, given how these vendors keep titles."""
        return same(pair.kind, *self._bare(pair, left, right))

    def equivalent(self, pair: FieldPair, jira: Json, craft: Json) -> bool:
        """Tell whether two values mean the same: one of a list by its map alone, all else as the product has it."""
        if pair.kind in (FieldKind.OPTION, FieldKind.STATUS) and not (pair.to_craft or pair.to_jira):
            return jira is craft is None or any(value.jira == jira and value.craft == craft for value in pair.values)
        return equivalent(pair, *self._bare(pair, jira, craft), self.parents)

    def _bare(self, pair: FieldPair, left: Json, right: Json) -> tuple[Json, Json]:
        if not self.fate.normalises or pair.id != "title":
            return left, right
        return str(left or "").rstrip(MARK), str(right or "").rstrip(MARK)


def name_of(link: Link) -> str:
    """Return how a link is named in reports."""
    return f"{link.id[:6]} (Jira {link.jira_id}, Craft {link.craft_id})"
