"""One document model for the three languages of rich text: Jira's ADF, Jira's wiki markup, Craft.io's HTML.

All records are immutable. Two are equal if they say the same: where a part came from (`origin`) does not count, so an
ADF paragraph equals the HTML paragraph of the same words. Parsers make documents, writers read them; what a language
has and the model has not is opaque: its source, and how a person may read it where the source cannot go.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Language = Literal["adf", "wiki", "html"]
PanelKind = Literal["info", "note", "tip", "warning", "error", "success", "custom"]
Style = Literal["strong", "em", "strike", "underline", "code", "sub", "sup"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a part was read from. A writer of that language gives `source` back word by word while it is `whole`;
    of a part whose content changed, only its own attributes are used again.
    """

    language: Language
    source: Any
    """ADF: the node (never altered). Wiki: the markup, or a macro's parameters. HTML: the cleaned element."""
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Look:
    """How a piece of text looks, and where it leads."""

    styles: frozenset[Style] = frozenset()
    link: str | None = None
    color: str | None = None
    """#rrggbb in small letters."""
    background: str | None = None

    def common(self, other: Look) -> Look:
        """Return what both have."""
        if self is other:
            return self
        return Look(
            self.styles & other.styles,
            self.link if self.link == other.link else None,
            self.color if self.color == other.color else None,
            self.background if self.background == other.background else None,
        )


NO_LOOK = Look()


@dataclass(frozen=True, slots=True)
class Text:
    """Words that look the same throughout. `atom`: they stand for a node (a mention, say) that has no look.

    `own`: marks of the language they were read from that a look cannot say, such as a comment's.
    """

    text: str
    look: Look = NO_LOOK
    atom: bool = field(default=False, compare=False)
    own: tuple[Any, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Break:
    """A new line within a paragraph."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A person by id (Cloud: account id; Data Center: user name)."""

    id: str
    name: str | None = None
    by_account: bool = True
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Emoji:
    """An emoji by Atlassian's short name (`:smile:`), with its character where it has one."""

    name: str
    char: str | None = None
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Status:
    """A status lozenge."""

    text: str
    color: str = "neutral"
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Date:
    """A calendar day, YYYY-MM-DD."""

    day: str
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Card:
    """A link that Jira shows with the title of what it leads to."""

    url: str
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class OpaqueInline:
    """What only one language knows, such as an image: `content` identifies it, `fallback` can be read anywhere."""

    language: Language
    content: str
    fallback: Text
    origin: Origin | None = field(default=None, compare=False, repr=False)


Atom = Mention | Emoji | Status | Date | Card | OpaqueInline
Inline = Text | Break | Atom


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; an empty one counts for nothing."""

    inlines: tuple[Inline, ...] = ()
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 to 6."""

    level: int
    inlines: tuple[Inline, ...] = ()
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a list."""

    blocks: tuple[Block, ...] = ()
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Listing:
    """A list with bullets or numbers."""

    ordered: bool
    items: tuple[Item, ...]
    start: int = 1
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Task:
    """A line with a box to tick, and those below it."""

    done: bool
    inlines: tuple[Inline, ...] = ()
    below: tuple[Task, ...] = ()
    origin: Origin | None = field(default=None, compare=False, repr=False)
    below_origin: Origin | None = field(default=None, compare=False, repr=False)
    within: Origin | None = field(default=None, compare=False, repr=False)
    """The list that it stands in by itself, in a list of which no item stands before: people see one list."""


@dataclass(frozen=True, slots=True)
class Tasks:
    """A list of tasks."""

    items: tuple[Task, ...]
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table."""

    blocks: tuple[Block, ...] = ()
    header: bool = False
    colspan: int = 1
    rowspan: int = 1
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table."""

    cells: tuple[Cell, ...] = ()
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Table:
    """A table, row by row."""

    rows: tuple[Row, ...]
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """Text as it is, perhaps in a programming language."""

    text: str
    language: str | None = None
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Quote:
    """What somebody else said."""

    blocks: tuple[Block, ...]
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Panel:
    """A coloured box. A title, where the language has one, is its first paragraph, in bold."""

    kind: PanelKind
    blocks: tuple[Block, ...]
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Expand:
    """A part that opens when its title is clicked."""

    title: str
    blocks: tuple[Block, ...]
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across."""

    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class OpaqueBlock:
    """What only one language knows, such as a picture or a macro; see `OpaqueInline`.

    If it has parts that people can edit (a caption, a decision, the columns of a layout), the fallback is these parts,
    each with its own origin: of a node of which a part was changed the frame is written, with the parts there are now.
    """

    language: Language
    content: str
    fallback: tuple[Block, ...] = ()
    origin: Origin | None = field(default=None, compare=False, repr=False)


Block = Paragraph | Heading | Listing | Tasks | Table | CodeBlock | Quote | Panel | Expand | Rule | OpaqueBlock


@dataclass(frozen=True, slots=True)
class Document:
    """A whole description."""

    blocks: tuple[Block, ...] = ()
