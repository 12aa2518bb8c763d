"""The Jira writer's settings."""

from __future__ import annotations

from pydantic import Field

from shared.writing.settings import WriterSettings


class JiraWriterSettings(WriterSettings):
    """Those of every writer, and what is Jira's own."""

    jira_index_lag_s: float = Field(default=300.0, ge=0)
    """The longest time until Jira's search shows a new issue; a create with a lost answer is not repeated earlier."""
    jira_read_before_write: bool = False
    """Read each issue before its first write too: one call more, and a person's edit in that second is kept from being
    replaced for a moment (PROTOCOL W2). Without it the changelog tells afterwards what was replaced."""
