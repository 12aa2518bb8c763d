"""What a test, the demo or a simulation can set about a stand-in Jira.

Read by every module of `sandbox.jira` through `World.settings`; changed while running with `JiraSite.configure`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JiraSiteSettings:
    """The dials of one site. The defaults are those of a healthy site whose index never lags."""

    first_issue_id: int = 10_001
    """Ids of issues count up from here; may lie beyond 2^53."""
    first_history_id: int = 20_001
    """Ids of changelog entries count up from here, over all issues."""
    first_custom_field_id: int = 10_015
    """Number of the first custom field; the others follow. No two real sites agree, so nothing may rely on it."""

    rich_fields: bool = False
    """Whether the site also has components, versions, a sprint field, multi and cascading selects, a checkbox, a URL, a
    date-time and a user field (`sandbox.jira.things`), and its projects what these choose from. Stays as built.
    """

    index_lag_s: float = 0.0
    """How long a created or edited issue takes until the search index shows it."""
    index_lag_jitter_s: float = 0.0
    """At most this much is added to each lag, at random by the site's seed."""

    write_limit: bool = True
    """Whether the limit on writes per issue holds: 20 in 2 s and 100 in 30 s."""
    requests_per_interval: int = 0
    """Data Center: how many requests a user may send in `LIMIT_INTERVAL_S` seconds; 0: no limit, as installed."""
    anonymous_reads: bool = True
    """Whether reads open to anonymous users answer 200 (and 404) to bad credentials, as Jira does, instead of 401."""
    html_401_every: int = 3
    """Every n-th 401 carries HTML instead of JSON; 0 for never."""

    return_issue_fields: str = "all"
    """What PUT ?returnIssue=true shows: `all` fields, or only those `edited`: Atlassian's words allow both readings."""
    ignored_fields: tuple[str, ...] = ()
    """Fields that edits and transitions take with a 204 and leave as they are, as where a workflow's property forbids
    it. `status`: the transition is accepted and the issue stays where it is.
    """
    put_back_fields: tuple[str, ...] = ()
    """Fields that an automation sets back to what they were in the moment of an edit, with an entry of its own."""
    history_metadata: bool = True
    """Whether the historyMetadata of an edit shows in its changelog entry."""
    expand_changelog_max: int = 100
    """Most changelog entries that expand=changelog shows (the newest ones)."""
    parent_history_name: str = "IssueParentAssociation"
    """The `field` of a parent change in the changelog. Jira Cloud sends this name and no fieldId; `Parent` has one."""

    comment_issue: str = "reduced"
    """The issue in comment events: `reduced` (a few fields) or `absent` (older sites)."""
    comment_updates_issue: bool = True
    """Whether a comment also causes jira:issue_updated with issue_commented and without changelog."""
