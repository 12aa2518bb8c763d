"""Checks of what our accounts may do, and of what else writes there. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from services.console.domain.validation.finding import Finding, error, note, warning
from services.console.domain.validation.subject import Subject, listed, quoted, sentence
from shared.domain.ids import Side
from shared.domain.mapping import FieldKind, Shape
from shared.metadata.craft import LEVELS, Holds
from shared.metadata.jira import ADMINISTER, ASSIGN, BROWSE, CREATE, EDIT, LINK, REPORTER, SPRINTS, TRANSITION

_NAMES = {
    BROWSE: "Browse Projects",
    CREATE: "Create Issues",
    EDIT: "Edit Issues",
    TRANSITION: "Transition Issues",
    ASSIGN: "Assign Issues",
    REPORTER: "Modify Reporter",
    SPRINTS: "Manage Sprints",
    LINK: "Link Issues",
    ADMINISTER: "Administer Projects",
}


def project_not_visible(subject: Subject) -> Iterator[Finding]:
    """Nothing can be said of a project that we do not see."""
    if not subject.jira.visible:
        yield error(
            "project_not_visible",
            "jira_project",
            f"Jira shows our account no project {subject.draft.jira_project}: it does not exist, or the account may "
            "not browse it.",
            "Check the project key, and give the account of this connection the permission Browse Projects there.",
        )


def project_key_differs(subject: Subject) -> Iterator[Finding]:
    """Jira answers to more than the key; what is saved is the key that it shows now, and the id."""
    key, written = subject.jira.key, subject.draft.jira_project
    if key and key != written:
        yield note(
            "project_key_differs",
            "jira_project",
            f"Jira knows this project by the key {key} now, not {written}. It is the same project, and is saved as "
            f"{key}.",
            f"Write {key} in your own files, too.",
        )


def workspace_not_visible(subject: Subject) -> Iterator[Finding]:
    """Nothing can be said of a workspace that we do not see."""
    if not subject.craft.visible:
        yield error(
            "workspace_not_visible",
            "craft_workspace",
            "Craft.io does not show us this workspace: it does not exist, or the API key does not reach it or lacks "
            "the scopes to read it.",
            "Check the workspace, and that the API key is for it and may read workspace data and items.",
        )


def permission_missing(subject: Subject) -> Iterator[Finding]:
    """A permission in Jira that this very mapping needs."""
    needed: dict[str, str] = {BROWSE: "to see the issues"}
    if subject.creates_on(Side.JIRA):
        needed[CREATE] = "to create issues for new items of Craft.io"
    for _, pair in subject.pairs():
        if not subject.fills(pair, Side.JIRA):
            continue
        what = f"to set {subject.jira_name(pair.jira)}"
        if pair.kind is FieldKind.STATUS:
            needed.setdefault(TRANSITION, what)
            continue
        if pair.kind is FieldKind.LINKS:
            needed.setdefault(LINK, what)
            continue
        needed.setdefault(EDIT, "to change issues when their items change in Craft.io")
        if pair.jira == "assignee":
            needed.setdefault(ASSIGN, what)
        if pair.jira == "reporter":
            needed.setdefault(REPORTER, what)
        if pair.jira_shape is Shape.SPRINT:
            needed.setdefault(SPRINTS, what)
        if pair.create_missing:
            needed.setdefault(ADMINISTER, f"to create versions that {subject.jira_name(pair.jira)} is to be set to")
    for key, purpose in needed.items():
        if subject.jira.permissions.get(key) is False:
            name = subject.jira.permission_names.get(key) or _NAMES[key]
            yield error(
                "permission_missing",
                "jira_connection",
                f"Our Jira account lacks the permission {quoted(name)} in the project {subject.project_name()}. It is "
                f"needed {purpose}.",
                f"Have a Jira administrator give the account {quoted(name)} in the project's permission scheme.",
            )


def linking_off(subject: Subject) -> Iterator[Finding]:
    """Links between issues are a feature that a Jira administrator can switch off."""
    for path, pair in subject.pairs():
        if pair.kind is FieldKind.LINKS and not subject.jira.relations:
            yield error(
                "linking_off",
                f"{path}.jira",
                f"{sentence(subject.craft_name(pair.craft))} are to become links between issues, but linking is "
                "switched off on this Jira site, or there are no types of links.",
                "Have a Jira administrator switch issue linking on, or take this pair out.",
            )


def native_integration_writes(subject: Subject) -> Iterator[Finding]:
    """Two integrations on the same items write against one another."""
    keys = subject.craft.native_keys
    if keys:
        yield warning(
            "native_integration_writes",
            "craft_workspace",
            f"Craft.io's own Jira integration is at work in this workspace: {listed(keys, most=3)} "
            f"{'is' if len(keys) == 1 else 'are'} already connected by it. Both would write the same items, and items "
            "could be created twice.",
            "Switch Craft.io's own integration off for this workspace before you switch this one on.",
        )


def craft_root_missing(subject: Subject) -> Iterator[Finding]:
    """The item under which everything shall stand."""
    root = subject.draft.craft_root
    if root is None or root not in subject.craft.looked_at:
        return
    found = subject.craft.looked_at[root]
    if found is None:
        yield error(
            "craft_root_missing",
            "craft_root",
            "The Craft.io item under which issues without a parent shall stand does not exist, or our API key does not "
            "reach it.",
            "Choose another item, or none: then they stand at the top of the workspace.",
        )
        return
    if found.workspace and found.workspace != subject.draft.craft_workspace:
        yield error(
            "craft_root_elsewhere",
            "craft_root",
            f"{quoted(found.title)} shall stand above everything, but it is in another workspace.",
            "Choose an item of the workspace that is mapped, or none.",
        )
    own = subject.craft_level(found.type)
    levels = [level for _, pair in subject.types() if (level := subject.craft_level(pair.craft)) is not None]
    if own is not None and levels and own <= max(levels):
        top = next(word for word, level in LEVELS.items() if level == max(levels))
        yield error(
            "craft_root_too_low",
            "craft_root",
            f"{quoted(found.title)} shall stand above everything, but it is a {subject.craft_type_name(found.type)}, "
            f"and {subject.craft_type_name(top)} is not below that.",
            f"Choose an item that may stand above {subject.craft_type_name(top)}, or none.",
        )


def key_field_wrong(subject: Subject) -> Iterator[Finding]:
    """The text field that makes creates exact."""
    key = subject.draft.craft_key_field
    if key is None:
        if subject.creates_on(Side.CRAFT):
            yield note(
                "no_key_field",
                "craft_key_field",
                "No custom field of Craft.io is set to hold the key of items that we create. If the answer to a create "
                "is lost on the way, the item can only be recognised by its contents.",
                "Create a text field in Craft.io that nobody edits, such as Jira key, and choose it.",
            )
        return
    field = subject.craft.fields.get(key)
    if field is None or field.holds is not Holds.LINE:
        is_what = "does not exist in this workspace" if field is None else f"is {quoted(field.name)}, no text field"
        yield error(
            "key_field_wrong",
            "craft_key_field",
            f"The custom field for the key of items that we create {is_what}.",
            "Choose a custom field of Craft.io of type text, or none.",
        )
        return
    for path, pair in subject.pairs():
        if pair.craft == f"custom:{key}":
            yield error(
                "key_field_mapped",
                f"{path}.craft",
                f"Craft.io's {quoted(field.name)} holds the key of items that we create, and is mapped to "
                f"{subject.jira_name(pair.jira)} as well. One would overwrite the other.",
                "Choose another custom field for one of the two.",
            )
