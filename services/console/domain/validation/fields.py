"""Checks of each field pair by itself: do its fields exist, can they be written, do they hold what it says? Pure."""

from __future__ import annotations

from collections.abc import Iterator

from services.console.domain.fits import KIND_WORDS, Fit, craft_fits, jira_fits, kinds_in_words
from services.console.domain.validation.finding import Finding, error, note, warning
from services.console.domain.validation.subject import Subject, listed, quoted, sentence
from shared.domain.ids import Side
from shared.domain.kinds import IN_STEPS, NEVER_EMPTIED
from shared.domain.mapping import Direction, FieldKind, FieldPair
from shared.metadata.craft import CUSTOM_PREFIX, PROPERTIES, Holds

_NEVER_SET = frozenset(
    {"created", "updated", "creator", "lastViewed", "resolutiondate", "statuscategorychangedate", "status", "project"}
    | {"issuekey", "votes", "watches", "progress", "aggregateprogress", "workratio", "subtasks", "worklog", "comment"}
)
"""Jira fields that no edit sets; the status has transitions instead."""
_LINE_LIMIT = 255


def jira_field_missing(subject: Subject) -> Iterator[Finding]:
    """The site has no such field."""
    for path, pair in subject.pairs():
        if not subject.has_jira_field(pair.jira):
            yield error(
                "jira_field_missing",
                f"{path}.jira",
                f"{sentence(subject.craft_name(pair.craft))} is mapped to a field that this Jira site does not have, "
                "or does not show to our account.",
                _by_name(subject, pair.jira)
                or "Choose a field from Jira's list again: a field that was deleted and made anew has another id.",
            )


def craft_field_missing(subject: Subject) -> Iterator[Finding]:
    """The workspace has no such field."""
    for path, pair in subject.pairs():
        if subject.holds(pair.craft) is None:
            what = "custom field" if pair.craft.startswith(CUSTOM_PREFIX) else "property"
            yield error(
                "craft_field_missing",
                f"{path}.craft",
                f"{sentence(subject.jira_name(pair.jira))} is mapped to a {what} that Craft.io does not have in this "
                "workspace.",
                "Choose a field of the workspace, or create the custom field in Craft.io first.",
            )


def kind_does_not_fit(subject: Subject) -> Iterator[Finding]:
    """A pair takes a field for something that it does not hold."""
    for path, pair in subject.pairs():
        for side in Side:
            fits = _fits(subject, pair, side)
            shape = subject.shape(pair, side)
            if fits is None or any(fit == (pair.kind, shape) for fit in fits):
                continue
            name, other = subject.name_on(side, pair), subject.name_on(side.other, pair)
            right = [fit.shape for fit in fits if fit.kind is pair.kind]
            if right:
                message = (
                    f"{sentence(name)} can hold {KIND_WORDS[pair.kind]}, but not in the shape that the pair with "
                    f"{other} means: {shape}."
                )
                fix = f"Set the shape of {name} to {' or '.join(right)}."
            else:
                message = (
                    f"The pair of {name} and {other} is for {KIND_WORDS[pair.kind]}, but {name} holds "
                    f"{kinds_in_words(fits)}."
                )
                fix = f"Map {other} to a field of {side.vendor} that holds {KIND_WORDS[pair.kind]}" + (
                    ", or change what the pair is for." if fits else "."
                )
            yield error("kind_does_not_fit", f"{path}.{side}", message, fix)


def field_type_unknown(subject: Subject) -> Iterator[Finding]:
    """A field of a type that neither vendor's documents describe may work or not."""
    for path, pair in subject.pairs():
        for side in Side:
            exists = subject.has_jira_field(pair.jira) if side is Side.JIRA else subject.holds(pair.craft) is not None
            if exists and _fits(subject, pair, side) is None:
                yield note(
                    "field_type_unknown",
                    f"{path}.{side}",
                    f"{sentence(subject.name_on(side, pair))} is of a type that Tandem does not know. It is taken for "
                    f"{KIND_WORDS[pair.kind]}, which may or may not work.",
                    "Try it with one item first.",
                )


def craft_read_only(subject: Subject) -> Iterator[Finding]:
    """Craft.io lets nobody write some properties from outside."""
    for path, pair in subject.pairs():
        known = PROPERTIES.get(pair.craft)
        if (
            known is not None
            and not known.writable
            and subject.fills(pair, Side.CRAFT)
            and known.holds is not Holds.TYPE
        ):
            yield error(
                "craft_read_only",
                f"{path}.craft",
                f"Craft.io's {quoted(known.name)} cannot be written from outside, but the pair with "
                f"{subject.jira_name(pair.jira)} carries values to Craft.io.",
                "Carry this pair to Jira only, or map another field of Craft.io.",
            )


def jira_read_only(subject: Subject) -> Iterator[Finding]:
    """Jira sets some fields itself; they are on no screen or take no `set`."""
    for path, pair in subject.pairs():
        written = subject.fills(pair, Side.JIRA) and pair.kind not in IN_STEPS
        if not written or not is_read_only(subject, pair.jira):
            continue
        yield error(
            "jira_read_only",
            f"{path}.jira",
            f"{sentence(subject.jira_name(pair.jira))} cannot be written: Jira sets it itself. But the pair with "
            f"{subject.craft_name(pair.craft)} carries values to Jira.",
            "Carry this pair to Craft.io only, or map another field of Jira.",
        )


def is_read_only(subject: Subject, field_id: str) -> bool:
    """Tell whether Jira lets nobody set a field, whatever the screens say."""
    if field_id in _NEVER_SET:
        return True
    screens = [screen for one in subject.jira.types for screen in (one.create, one.edit) if screen is not None]
    shown = [screen[field_id] for screen in screens if field_id in screen]
    return bool(shown) and not any("set" in each.operations for each in shown)


def written_twice(subject: Subject) -> Iterator[Finding]:
    """Two pairs that write one field undo one another's work."""
    for side in Side:
        writers: dict[str, list[tuple[str, FieldPair]]] = {}
        for path, pair in subject.pairs():
            # a pair that fills once and one that updates meet on creation, too
            if subject.fills(pair, side):
                writers.setdefault(pair.name_on(side), []).append((path, pair))
        for pairs in writers.values():
            if len(pairs) > 1:
                path, last = pairs[-1]
                sources = listed(subject.name_on(side.other, pair) for _, pair in pairs)
                yield error(
                    "written_twice",
                    f"{path}.{side}",
                    f"{sentence(subject.name_on(side, last))} is written by {len(pairs)} pairs: {sources}. "
                    "They would overwrite one another for ever.",
                    f"Keep one of them, or carry the others only from {side.vendor} to {side.other.vendor}.",
                )


def pair_id_twice(subject: Subject) -> Iterator[Finding]:
    """Each pair has an id of its own, by which its state is kept."""
    seen: dict[str, str] = {}
    for path, pair in subject.pairs():
        if pair.id in seen:
            yield error(
                "pair_id_twice",
                f"{path}.id",
                f"The pair of {subject.pair_name(pair)} has the same id as another pair.",
                "Give each pair an id of its own.",
            )
        seen.setdefault(pair.id, path)


def no_title_pair(subject: Subject) -> Iterator[Finding]:
    """Neither tool makes an item without a title."""
    for side, field in ((Side.JIRA, "summary"), (Side.CRAFT, "title")):
        filled = any(pair.name_on(side) == field and subject.fills(pair, side) for _, pair in subject.pairs())
        if subject.creates_on(side) and not filled:
            yield error(
                "no_title_pair",
                "pairs",
                f"No pair gives a new item of {side.vendor} its title ({'Summary' if side is Side.JIRA else 'Title'}), "
                "and without one nothing can be created there.",
                "Add a pair for Jira's Summary and Craft.io's Title in both directions.",
            )


def nothing_is_created(subject: Subject) -> Iterator[Finding]:
    """What a pair can do where its direction creates nothing."""
    off = [side for side in Side if not subject.creates_on(side)]
    if len(off) == 2:
        yield note(
            "nothing_is_created",
            "",
            "New items are created in neither direction: only items that somebody links by hand are kept in step.",
            "Set a direction to automatic or manual if new items shall come over.",
        )
    for path, pair in subject.pairs():
        if pair.direction is Direction.ONCE and len(off) == 2:
            yield warning(
                "pair_without_effect",
                f"{path}.direction",
                f"The pair of {subject.pair_name(pair)} fills new items only, and new items are created in neither "
                "direction. It never does anything.",
                "Carry the pair in both directions, or switch a direction on.",
            )
        elif len(off) == 1 and pair.direction is not Direction.BOTH and pair.direction.carries_to(off[0]):
            yield note(
                "pair_without_effect",
                f"{path}.direction",
                f"The pair of {subject.pair_name(pair)} is carried to {off[0].vendor} only, where new items are "
                f"switched off. It works on items that came from {off[0].vendor} or were linked by hand.",
                f"Switch new items in {off[0].vendor} on if that is not meant.",
            )


def text_may_be_cut(subject: Subject) -> Iterator[Finding]:
    """Jira's one-line fields hold 255 characters."""
    for path, pair in subject.pairs():
        schema = subject.jira_schema(pair.jira)
        one_line = schema is not None and (schema.system == "summary" or schema.custom_kind == "textfield")
        if pair.kind is FieldKind.STRING and one_line and subject.fills(pair, Side.JIRA):
            yield note(
                "text_may_be_cut",
                f"{path}.jira",
                f"{sentence(subject.jira_name(pair.jira))} holds at most {_LINE_LIMIT} characters in one line. A "
                f"longer text of {subject.craft_name(pair.craft)} is refused by Jira, and the item says so.",
                "Keep it short in Craft.io.",
            )


def cannot_be_emptied(subject: Subject) -> Iterator[Finding]:
    """Craft.io's API takes no null for its numbers."""
    for path, pair in subject.pairs():
        if pair.craft in NEVER_EMPTIED and pair.direction.carries_to(Side.CRAFT):
            yield warning(
                "cannot_be_emptied",
                f"{path}.craft",
                f"{sentence(subject.craft_name(pair.craft))} can be changed from outside, but not emptied: when "
                f"somebody empties {subject.jira_name(pair.jira)}, the old value stays in Craft.io, and the item says "
                "so.",
                "Nothing, if that is rare: empty it in Craft.io as well. Otherwise map a custom field of Craft.io.",
            )


def formatting_lost(subject: Subject) -> Iterator[Finding]:
    """Plain text that is written into a formatted field takes its formatting away."""
    for path, pair in subject.pairs():
        for side in Side if pair.kind is FieldKind.TEXT else ():
            formatted = any(fit.kind is FieldKind.RICH_TEXT for fit in _fits(subject, pair, side) or ())
            if not formatted or not pair.direction.carries_to(side):
                continue
            other = _fits(subject, pair, side.other) or ()
            both = any(fit.kind is FieldKind.RICH_TEXT for fit in other)
            yield warning(
                "formatting_lost",
                f"{path}.kind",
                f"{sentence(subject.name_on(side, pair))} holds formatted text and is mapped as plain text: each "
                f"change in {side.other.vendor} takes its headings, lists, links, pictures and the like away"
                + (", and Jira may delete files that nothing shows any more." if side is Side.JIRA else "."),
                "Map it as formatted text (kind rich_text)."
                if both
                else f"Carry this pair to {side.other.vendor} only, if that matters.",
            )


def transition_field_missing(subject: Subject) -> Iterator[Finding]:
    """A value for a field of transition screens that the site does not have is never asked for."""
    for number, each in enumerate(subject.draft.transition_fields):
        if not subject.has_jira_field(each.field):
            yield error(
                "transition_field_missing",
                f"transition_fields[{number}].field",
                "A value is given for transitions to a field that this Jira site does not have, or does not show to "
                "our account.",
                _by_name(subject, each.field) or "Choose a field from Jira's list, or take this line out.",
            )


def _by_name(subject: Subject, written: str) -> str | None:
    """Return what to write instead of a field's name, None if no field, or several, are called so."""
    found = [each.id for each in subject.jira.fields.values() if each.name.casefold() == written.casefold()]
    return f"Fields are told by their ids: instead of {quoted(written)} write {found[0]}." if len(found) == 1 else None


def _fits(subject: Subject, pair: FieldPair, side: Side) -> tuple[Fit, ...] | None:
    """Return what a pair's field on a side can be part of; None if it is not there or of an unknown type."""
    if side is Side.JIRA:
        return jira_fits(subject.jira_schema(pair.jira))
    holds = subject.holds(pair.craft)
    return craft_fits(pair.craft, holds) if holds is not None else None
