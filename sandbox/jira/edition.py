"""What tells the editions of Jira apart: Cloud, and Data Center of some version, as a set of named traits.

Read through `World.edition` wherever the two differ; nothing else asks which Jira this is. What Data Center does is
told from Atlassian's pages and from real bodies (docs/assumptions.md, "Jira Data Center").
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST_SIGNING_VERSION = 10
"""Data Center signs webhooks, and has registered them at another path, since this major version."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition. The defaults are those of Jira Cloud."""

    deployment: str = "Cloud"
    """What serverInfo calls it: Cloud or Server."""
    version: str = "1001.0.0-SNAPSHOT"
    apis: tuple[int, ...] = (2, 3)
    """The versions of the REST interface."""
    webhook_path: str = "/rest/webhooks/1.0/webhook"

    epic_link: bool = False
    """Issues hang below epics by the field Epic Link (the epic's key); only sub-tasks have a `parent`, and no type has
    a hierarchyLevel.
    """
    named_users: bool = False
    """People are told by name and key and show their e-mail address; on Cloud by accountId."""
    personal_tokens: bool = False
    """A token is sent as Bearer, and Basic takes user name and password; on Cloud Basic takes address and token."""
    paged_by_number: bool = False
    """Pages are told by startAt and total: /search, and `values` in the create metadata. On Cloud /search/jql."""
    whole_changelog: bool = False
    """expand=changelog shows all entries, oldest first; on Cloud the newest 100, and more by pages of their own."""
    changelog_names_only: bool = False
    """Items of the changelog name a field as people see it; on Cloud they carry its id too."""
    keeps_wiki: bool = False
    """Wiki markup is kept as it was written; Cloud keeps a document and writes the markup anew."""
    edits_return_issue: bool = True
    """Whether PUT knows returnIssue."""
    limits_writes_per_issue: bool = True
    """Whether an issue takes only so many writes per second; Data Center limits the requests of a user, if anything."""
    signs_webhooks: bool = True
    repeats_webhooks: bool = True
    """Whether a delivery has an identifier and is tried again when it fails."""

    @property
    def version_numbers(self) -> list[int]:
        """Return the version as serverInfo shows it in parts."""
        return [int(part) for part in self.version.partition("-")[0].split(".")]


CLOUD = Edition()


def data_center(version: str = "9.12.15") -> Edition:
    """Return Data Center of a version such as 9.12.15 or 10.3.2. Raises ValueError for anything else."""
    parts = version.split(".")
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError(f"{version!r} is no version of Jira Data Center, such as 9.12.15")
    signs = int(parts[0]) >= FIRST_SIGNING_VERSION
    return Edition(
        deployment="Server",
        version=version,
        apis=(2,),
        webhook_path="/rest/jira-webhook/1.0/webhooks" if signs else "/rest/webhooks/1.0/webhook",
        epic_link=True,
        named_users=True,
        personal_tokens=True,
        paged_by_number=True,
        whole_changelog=True,
        changelog_names_only=True,
        keeps_wiki=True,
        edits_return_issue=False,
        limits_writes_per_issue=False,
        signs_webhooks=signs,
        repeats_webhooks=False,
    )
