"""Two hundred edits of documents by people on both sides: what an edit did not touch survives it, node by node.

People change a word, add a node, or put back what their side showed before. A node is gone only if a person took it
out; a word likewise; the vendors' own values are read by what stands here, by BeautifulSoup and by pandoc.
"""

from __future__ import annotations

from random import Random
from typing import Any

from bs4 import BeautifulSoup

from shared.domain.ids import EntityId, Side
from shared.domain.mapping import Policy
from shared.messages.status import DisplayState
from tests.simulation.foreign_documents import WORD, Cloud, DataCenter, Dialect
from tests.simulation.stage import Stage
from tests.simulation.test_two_hundred_edits import Items, at_rest, on_record, two_hundred
from tests.unit.richtext.pandoc_reader import read_by_pandoc

MARKS = ("refused", "denied", "broken")
ITEMS = 2
SELDOM = ("",) * 40


class Ledger:
    """What people have written into one item, and what they have taken out again."""

    def __init__(self) -> None:
        self.signs: dict[str, str] = {}
        self.words: set[str] = set()
        self.taken: set[str] = set()
        """Nodes and words that a person took out and nobody put back."""
        self.past: dict[Side, list[Any]] = {side: [] for side in Side}

    def turn(self, before: tuple[set[str], set[str]], after: tuple[set[str], set[str]]) -> None:
        """Note the nodes and words that an edit of one side took out, and those that it put in."""
        for was, now in zip(before, after, strict=True):
            self.taken |= was - now
            self.taken -= now - was
        self.words |= after[1]


class Play:
    """The people of one story."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.ledgers: dict[EntityId, Ledger] = {}

    def begin(self, stage: Stage, items: Items) -> None:
        for number, ids in enumerate(items):
            ledger = self.ledgers[ids[Side.CRAFT]] = Ledger()
            value = self.dialect.document(number)
            ledger.signs |= self.dialect.signs(value)
            ledger.turn((set(), set()), (set(ledger.signs), self.dialect.words(value)))
            stage.edit(Side.JIRA, ids[Side.JIRA], description=value)

    def edit(self, stage: Stage, side: Side, ids: dict[Side, EntityId], number: int, dice: Random) -> None:
        ledger = self.ledgers[ids[Side.CRAFT]]
        value = stage.show(side, ids[side], "description")
        new = self._new(ledger, side, value, f"w{number:03}{dice.choice((*SELDOM, *MARKS))}", dice)
        ledger.past[side].append(value)
        self._turn(stage, side, ids, value, new)

    def _turn(self, stage: Stage, side: Side, ids: dict[Side, EntityId], value: Any, new: Any) -> None:
        ledger = self.ledgers[ids[Side.CRAFT]]
        if side is Side.JIRA:
            ledger.signs |= self.dialect.signs(new)
        ledger.turn(self._seen(ledger, side, value), self._seen(ledger, side, new))
        stage.edit(side, ids[side], description=new)

    def _new(self, ledger: Ledger, side: Side, value: Any, told: str, dice: Random) -> Any:
        kind = dice.random()
        if kind < 0.08 and ledger.past[side]:
            return dice.choice(ledger.past[side])
        if kind < 0.2:
            if side is Side.JIRA:
                return self.dialect.more(value, int(told[1:4]), dice)
            return f"{value}<p>{told} added</p>"
        words = sorted(self.dialect.words(value) if side is Side.JIRA else set(WORD.findall(value)))
        ill = [word for word in words if word.endswith(MARKS)]
        old = dice.choice(ill if ill and dice.random() < 0.6 else words)  # people mend what they are told of
        return self.dialect.changed(value, old, told) if side is Side.JIRA else value.replace(old, told)

    def _seen(self, ledger: Ledger, side: Side, value: Any) -> tuple[set[str], set[str]]:
        """Return which nodes and words a person sees on a side."""
        if side is Side.JIRA:
            return set(self.dialect.signs(value)), self.dialect.words(value)
        text = _text(value)
        return {node for node, sign in ledger.signs.items() if sign and sign in text}, set(WORD.findall(text))

    async def judge(self, stage: Stage, items: Items) -> None:
        stage.faults()
        for number, ids in enumerate(items):
            value = stage.show(Side.JIRA, ids[Side.JIRA], "description")
            self._turn(stage, Side.JIRA, ids, value, self.dialect.more(value, 900 + number, Random(number)))
        await at_rest(stage)
        for ids in items:
            ledger = self.ledgers[ids[Side.CRAFT]]
            jira, craft = (stage.show(side, ids[side], "description") for side in (Side.JIRA, Side.CRAFT))
            text, record = _text(craft), await on_record(stage, ids)
            there, words = (
                set(self.dialect.signs(jira)),
                {
                    Side.JIRA: self.dialect.words(jira),
                    Side.CRAFT: set(WORD.findall(text)),
                },
            )
            for node in ledger.signs.keys() - ledger.taken - there:
                assert node in record, (node, "is gone, and nobody took it out")
            for word in ledger.words - ledger.taken - words[Side.JIRA] - words[Side.CRAFT]:
                assert word in record, (word, "is gone, and nobody took it out")
            status = await stage.told(ids[Side.CRAFT])
            if status.state is DisplayState.IN_SYNC:
                assert words[Side.JIRA] == words[Side.CRAFT]
                assert {node for node in there if (sign := ledger.signs[node]) and sign not in text} == set()
            else:
                assert status.problems
                assert status.next_step
            if isinstance(self.dialect, DataCenter):
                _as_pandoc_reads(jira, words[Side.JIRA])


def _text(craft: str) -> str:
    return BeautifulSoup(craft, "html.parser").get_text(" ")


def _as_pandoc_reads(wiki: str, words: set[str]) -> None:
    """Check that what people built is what another reader sees: three rows, steps with a list below, all words."""
    (blocks,) = read_by_pandoc([wiki])
    told = repr(blocks)
    assert {word for word in words if word not in told} == set()
    (table,) = [block for block in blocks if block[0] == "table"]
    assert len(table[1:]) == 3
    assert {len(row[1:]) for row in table[1:]} == {2}
    (steps,) = [block for block in blocks if block[0] == "ol"]
    assert [part[0] for part in steps[1][1:]] == ["p", "ul"]


def test_no_node_of_a_document_goes_without_a_word() -> None:
    play = Play(Cloud())
    two_hundred(play.edit, play.judge, Policy.ASK, MARKS, items=ITEMS, begin=play.begin)


def test_no_part_of_markup_goes_without_a_word() -> None:
    play = Play(DataCenter())
    two_hundred(play.edit, play.judge, Policy.JIRA, MARKS, items=ITEMS, begin=play.begin, data_center=True)
