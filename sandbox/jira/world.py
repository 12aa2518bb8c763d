"""All state of one stand-in Jira, and the look-ups over it. The only mutable thing that endpoint modules share.

Built by `sandbox.jira.site.JiraSite`. Nothing here checks permissions of a call but `visible`.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from sandbox.jira import catalog, things
from sandbox.jira.edition import Edition
from sandbox.jira.http import not_found
from sandbox.jira.model import Account, FieldDef, Issue, IssueLink, JsonObject, Kind, Option, Project, Values
from sandbox.jira.settings import JiraSiteSettings
from sandbox.kit.site import Now, WebhookDelivery

_CUSTOM_CACHE: dict[tuple[int, Edition], tuple[FieldDef, ...]] = {}


class World:
    """The state of one site."""

    def __init__(self, now: Now, base_url: str, seed: int, settings: JiraSiteSettings, edition: Edition) -> None:
        self.clock = now
        self.edition = edition
        self.base_url = base_url.rstrip("/")
        self.settings = settings
        self.random = random.Random(seed)  # a stand-in's seeded choices, no secrets
        self.accounts: dict[str, Account] = {}
        first = settings.first_custom_field_id
        if (first, edition) not in _CUSTOM_CACHE:
            _CUSTOM_CACHE[first, edition] = catalog.custom_fields(first, edition)
        self.customs = _CUSTOM_CACHE[first, edition]
        self.fields: dict[str, FieldDef] = {one.id: one for one in (*catalog.SYSTEM_FIELDS, *self.customs)}
        squad = next(one.id for one in self.customs if one.name == catalog.SELECT_FIELD)
        self.options: dict[str, dict[str, Option]] = {
            squad: {str(number): Option(str(number), name) for number, name in enumerate(catalog.SQUADS, 10_020)}
        }
        self.sprints: dict[str, things.SprintDef] = {}
        if settings.rich_fields:
            more = things.custom_fields(first + len(self.customs))
            self.customs = (*self.customs, *more)
            self.fields |= {one.id: one for one in (*things.system_fields(), *more)}
            self.options |= things.options(more)
            self.sprints = things.sprints()
        self.projects: dict[str, Project] = {}
        self.issues: dict[str, Issue] = {}
        self.ids_by_key: dict[str, str] = {}
        self.issue_links: dict[str, IssueLink] = {}
        self.deleted: list[str] = []
        self.conflicts: dict[str, int] = {}
        self.webhooks: dict[str, JsonObject] = {}
        self.outbox: list[WebhookDelivery] = []
        self.cursors: dict[str, JsonObject] = {}
        self.unauthorized_count = 0
        self.buckets: dict[str, tuple[datetime, float]] = {}
        """By account: when its bucket of requests was filled last, and how many were in it."""
        self.rendered: dict[tuple[int, str, bool], JsonObject] = {}
        """Users as JSON by API version, account and whether the e-mail shows: read-only, shared by all answers."""
        self._next_issue_id = settings.first_issue_id
        self._next_history_id = settings.first_history_id
        self._next_small_id = 10_100

    def now(self) -> datetime:
        """Return the site's time in UTC, cut to milliseconds as Jira stores it."""
        moment = self.clock().astimezone(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def new_issue_id(self) -> str:
        """Return the next issue id."""
        self._next_issue_id += 1
        return str(self._next_issue_id - 1)

    def new_history_id(self) -> str:
        """Return the next changelog id; they increase over the whole site."""
        self._next_history_id += 1
        return str(self._next_history_id - 1)

    def new_small_id(self) -> str:
        """Return the next id of a project, comment or webhook."""
        self._next_small_id += 1
        return str(self._next_small_id - 1)

    def uuid(self) -> str:
        """Return a new identifier from the site's seed."""
        text = f"{self.random.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def field_named(self, name: str) -> FieldDef:
        """Return a field by its display name; raises KeyError."""
        for one in self.fields.values():
            if one.name == name:
                return one
        raise KeyError(name)

    @property
    def epic_link(self) -> FieldDef | None:
        """Return the field Epic Link where the edition has one."""
        return next((one for one in self.customs if one.kind is Kind.EPIC_LINK), None)

    def account_named(self, name: object) -> Account | None:
        """Return the account of a Data Center's user name."""
        return next((one for one in self.accounts.values() if one.name == name), None)

    def account_by_email(self, email: str) -> Account:
        """Return an account by its address; raises KeyError."""
        for one in self.accounts.values():
            if one.email == email:
                return one
        raise KeyError(email)

    def lists(self, project: Project) -> things.Lists:
        """Return what the fields of a project choose from."""
        return things.Lists(self.options, self.sprints, project)

    def project(self, id_or_key: str) -> Project | None:
        """Return a project by id or key, whoever asks."""
        found = self.projects.get(id_or_key)
        if found:
            return found
        wanted = id_or_key.upper()
        return next((one for one in self.projects.values() if wanted in (one.key, *one.former_keys)), None)

    def visible_project(self, id_or_key: str, account: Account | None) -> Project | None:
        """Return a project if the account may see it; anonymous callers see none."""
        found = self.project(id_or_key)
        return found if found and account and account.account_id not in found.hidden_from else None

    def find(self, id_or_key: str) -> Issue | None:
        """Return an issue by id, key or an old key of it, whoever asks."""
        return self.issues.get(id_or_key) or self.issues.get(self.ids_by_key.get(id_or_key.upper(), ""))

    def visible(self, issue: Issue, account: Account | None) -> bool:
        """Return whether the account may see the issue."""
        if account is None or account.account_id in issue.hidden_from:
            return False
        return account.account_id not in self.projects[str(issue.values["project"])].hidden_from

    def issue(self, id_or_key: str, account: Account | None) -> Issue:
        """Return an issue that the account may see; raises the 404 that Jira gives for all others."""
        found = self.find(id_or_key)
        if found is None or not self.visible(found, account):
            raise not_found()
        return found

    def put_values(self, issue: Issue, values: Values) -> None:
        """Make `values` the issue's state; the search index follows after the lag that is set."""
        issue.values = values
        settings = self.settings
        lag_s = settings.index_lag_s
        if settings.index_lag_jitter_s:
            lag_s += self.random.uniform(0, settings.index_lag_jitter_s)
        if lag_s <= 0 and not issue.pending:
            issue.indexed = values
            return
        visible_at = self.clock() + timedelta(seconds=lag_s)
        if issue.pending:
            visible_at = max(visible_at, issue.pending[-1][0])
        issue.pending.append((visible_at, values))

    def indexed(self, issue: Issue) -> Values | None:
        """Return what the search index shows of the issue now; None when it does not show it yet."""
        if issue.archived_at is not None:
            return None
        if issue.pending:
            now = self.clock()
            while issue.pending and issue.pending[0][0] <= now:
                issue.indexed = issue.pending.popleft()[1]
        return issue.indexed
