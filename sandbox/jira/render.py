"""Records as Jira's JSON: users, types, statuses, issues and changelogs, in v2 and v3 shapes.

Called by every endpoint and by the webhooks. Reads the world and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime, tzinfo

from sandbox.jira import catalog, things
from sandbox.jira.model import (
    Account,
    ChangeItem,
    Comment,
    FieldDef,
    History,
    Issue,
    IssueLink,
    IssueType,
    JsonObject,
    Kind,
    Option,
    Project,
    RichText,
    Status,
    Value,
    Values,
)
from sandbox.jira.world import World

_SIZES = ("48x48", "24x24", "16x16", "32x32")
ISSUE_EXPAND = "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations"


def moment(value: datetime, zone: tzinfo = UTC) -> str:
    """Return a time as Jira writes it: milliseconds and an offset without colon."""
    text = value.astimezone(zone).isoformat(timespec="milliseconds")
    return text[:-3] + text[-2:]


class Renderer:
    """Renders for one API version and one reader. `reader` None shows what a webhook or an anonymous caller may see."""

    def __init__(self, world: World, api: int, reader: Account | None = None, zone: tzinfo = UTC) -> None:
        self.world = world
        self.api = api
        self.reader = reader
        self.zone = zone
        self.rest = f"{world.base_url}/rest/api/{api}"
        self._shows: dict[Kind, Callable[[FieldDef, Value], object]] = {
            Kind.RICH: self._rich,
            Kind.NUMBER: lambda _, value: value,
            Kind.MOMENT: lambda _, value: moment(value, zone) if isinstance(value, datetime) else None,
            Kind.DATETIME: lambda _, value: moment(value, zone) if isinstance(value, datetime) else None,
            Kind.LABELS: lambda _, value: list(value) if isinstance(value, tuple) else [],
            Kind.USER: lambda _, value: self.user(world.accounts[str(value)]),
            Kind.PRIORITY: lambda _, value: self.priority(catalog.PRIORITIES[str(value)]),
            Kind.RESOLUTION: lambda _, __: self.resolution(catalog.RESOLVED),
            Kind.TYPE: lambda _, value: self.issue_type(catalog.TYPES[str(value)]),
            Kind.PROJECT: lambda _, value: self.project_ref(world.projects[str(value)]),
            Kind.STATUS: lambda _, value: self.status(catalog.STATUSES[str(value)]),
            Kind.PARENT: lambda _, value: self.issue_ref(world.issues[str(value)]),
            Kind.EPIC_LINK: lambda _, value: self._key(str(value)),
            Kind.OPTION: lambda field, value: self.option(world.options[field.id][str(value)]),
        }

    def _rich(self, _: FieldDef, value: Value) -> object:
        if not isinstance(value, RichText):
            return None
        return value.adf if self.api >= 3 else value.wiki  # the API version

    def _key(self, issue_id: str) -> object:
        found = self.world.issues.get(issue_id)
        return found.values["key"] if found else None

    def user(self, account: Account) -> JsonObject:
        """Return a user; on Cloud the e-mail only where its owner shows it, and never in webhooks."""
        named = self.world.edition.named_users
        ours = self.reader and (account.email_visible or account.account_id == self.reader.account_id)
        with_email = named or bool(ours)
        cached = self.world.rendered.get((self.api, account.account_id, with_email))
        if cached is not None:
            return cached
        host = self.world.base_url
        told: JsonObject = (
            {"self": f"{self.rest}/user?username={account.name}", "name": account.name, "key": account.account_id}
            if named
            else {
                "self": f"{self.rest}/user?accountId={account.account_id}",
                "accountId": account.account_id,
                "accountType": account.account_type,
            }
        )
        shown: JsonObject = {
            **told,
            "avatarUrls": {size: f"{host}/avatar/{account.account_id}?size={size[:2]}" for size in _SIZES},
            "displayName": account.display_name,
            "active": account.active,
            "timeZone": "Etc/UTC",
        }
        if with_email:
            shown["emailAddress"] = account.email
        self.world.rendered[self.api, account.account_id, with_email] = shown
        return shown

    def issue_type(self, one: IssueType) -> JsonObject:
        """Return an issue type."""
        shown: JsonObject = {
            "self": f"{self.rest}/issuetype/{one.id}",
            "id": one.id,
            "description": one.description,
            "iconUrl": f"{self.world.base_url}/images/icons/issuetypes/{one.id}.svg",
            "name": one.name,
            "subtask": one.level < 0,
        }
        return shown if self.world.edition.epic_link else {**shown, "hierarchyLevel": one.level}

    def status(self, one: Status) -> JsonObject:
        """Return a status with its category."""
        number, name, colour = catalog.CATEGORIES[one.category]
        return {
            "self": f"{self.rest}/status/{one.id}",
            "description": "",
            "iconUrl": f"{self.world.base_url}/",
            "name": one.name,
            "id": one.id,
            "statusCategory": {
                "self": f"{self.rest}/statuscategory/{number}",
                "id": number,
                "key": one.category,
                "colorName": colour,
                "name": name,
            },
        }

    def priority(self, one: Option) -> JsonObject:
        """Return a priority as it shows inside an issue."""
        icon = f"{self.world.base_url}/images/icons/priorities/{one.name.lower()}.svg"
        return {"self": f"{self.rest}/priority/{one.id}", "iconUrl": icon, "name": one.name, "id": one.id}

    def resolution(self, one: Option) -> JsonObject:
        """Return a resolution."""
        return {
            "self": f"{self.rest}/resolution/{one.id}",
            "id": one.id,
            "description": one.description,
            "name": one.name,
        }

    def option(self, one: Option) -> JsonObject:
        """Return an option of a single select."""
        return {"self": f"{self.rest}/customFieldOption/{one.id}", "value": one.name, "id": one.id}

    def project_ref(self, one: Project) -> JsonObject:
        """Return a project as it shows inside an issue."""
        return {
            "self": f"{self.rest}/project/{one.id}",
            "id": one.id,
            "key": one.key,
            "name": one.name,
            "projectTypeKey": "software",
            "simplified": False,
            "avatarUrls": {size: f"{self.world.base_url}/avatar/project/{one.id}?size={size[:2]}" for size in _SIZES},
        }

    def issue_ref(self, issue: Issue) -> JsonObject:
        """Return an issue as it shows inside its parent or child."""
        fields = {name: self.world.fields[name] for name in ("summary", "status", "priority", "issuetype")}
        shown = {name: self.value(field, issue.values.get(name)) for name, field in fields.items()}
        return {"id": issue.id, "key": issue.values["key"], "self": f"{self.rest}/issue/{issue.id}", "fields": shown}

    def issue_link_head(self, link: IssueLink) -> JsonObject:
        """Return what a link shows besides its ends."""
        ident, name, inward, outward = next(one for one in catalog.LINK_TYPES if one[0] == link.type_id)
        kind = {"id": ident, "name": name, "inward": inward, "outward": outward}
        own = {"self": f"{self.rest}/issueLinkType/{ident}"}
        return {"id": link.id, "self": f"{self.rest}/issueLink/{link.id}", "type": {**kind, **own}}

    def issue_link(self, link: IssueLink, issue: Issue) -> JsonObject:
        """Return a link as one of its issues shows it: with the other one."""
        way, other = ("outwardIssue", link.target) if link.source == issue.id else ("inwardIssue", link.source)
        return {**self.issue_link_head(link), way: self.issue_ref(self.world.issues[other])}

    def _lists(self, values: Values | None) -> things.Lists:
        projects = self.world.projects
        return self.world.lists(projects[str(values["project"])] if values else next(iter(projects.values())))

    def value(self, field: FieldDef, value: Value, issue: Values | None = None) -> object:
        """Return the value of one field; `issue` are all values of the issue, where the project matters."""
        if value is None or value == ():
            return [] if field.kind in things.EMPTY_LISTS else None
        if field.kind in things.KINDS and field.kind is not Kind.MOMENT:
            return things.show(field, value, self._lists(issue), self.rest)
        show = self._shows.get(field.kind)
        return show(field, value) if show else value

    def fields(self, issue: Issue, values: Values, only: Collection[str] | None = None) -> JsonObject:
        """Return the fields of an issue.

        Empty is null; missing is what does not apply: a parent that is not there, a field outside its context.
        """
        level = catalog.TYPES[str(values["issuetype"])].level
        shown: JsonObject = {}
        for field in self.world.fields.values():
            if only is not None and field.id not in only:
                continue
            value = values.get(field.id)
            if field.kind is Kind.PARENT and str(value) not in self.world.issues:
                continue
            if level not in field.levels:
                continue
            shown[field.id] = self.value(field, value, values)
        if only is None or "subtasks" in only:
            shown["subtasks"] = [self.issue_ref(self.world.issues[child]) for child in self._subtasks(issue)]
        if only is None or "issuelinks" in only:
            shown["issuelinks"] = [
                self.issue_link(one, issue)
                for one in self.world.issue_links.values()
                if issue.id in (one.source, one.target)
            ]
        if only is not None and "comment" in only:
            shown["comment"] = self.comments(issue, issue.comments, 0, max(1, len(issue.comments)))
        return shown

    def _subtasks(self, issue: Issue) -> Iterable[str]:
        issues = self.world.issues
        return (one for one in issue.children if catalog.TYPES[str(issues[one].values["issuetype"])].level < 0)

    def issue(self, issue: Issue, values: Values | None = None, only: Collection[str] | None = None) -> JsonObject:
        """Return an issue without expansions; `values` when an older state is to be shown."""
        values = issue.values if values is None else values
        return {
            "expand": ISSUE_EXPAND,
            "id": issue.id,
            "self": f"{self.rest}/issue/{issue.id}",
            "key": values["key"],
            "fields": self.fields(issue, values, only),
        }

    def change(self, item: ChangeItem) -> JsonObject:
        """Return one changed field."""
        shown: JsonObject = {"field": item.field, "fieldtype": "custom" if item.custom else "jira"}
        if item.field_id is not None and not self.world.edition.changelog_names_only:
            shown["fieldId"] = item.field_id
        shown |= {"from": item.from_id, "fromString": item.from_string, "to": item.to_id, "toString": item.to_string}
        return shown

    def history(self, entry: History) -> JsonObject:
        """Return one changelog entry."""
        shown: JsonObject = {
            "id": entry.id,
            "author": self.user(self.world.accounts[entry.author]),
            "created": moment(entry.created, self.zone),
            "items": [self.change(item) for item in entry.items],
        }
        if entry.metadata is not None:
            shown["historyMetadata"] = entry.metadata
        return shown

    def recent_changes(self, issue: Issue) -> JsonObject:
        """Return what expand=changelog shows: all, oldest first; on Cloud the newest entries, newest first."""
        shown = issue.histories
        if not self.world.edition.whole_changelog:
            shown = issue.histories[: -self.world.settings.expand_changelog_max - 1 : -1]
        return {
            "startAt": 0,
            "maxResults": len(shown),
            "total": len(issue.histories),
            "histories": [self.history(entry) for entry in shown],
        }

    def comment(self, issue: Issue, one: Comment) -> JsonObject:
        """Return a comment."""
        author = self.user(self.world.accounts[one.author])
        return {
            "self": f"{self.rest}/issue/{issue.id}/comment/{one.id}",
            "id": one.id,
            "author": author,
            "body": one.body.adf if self.api >= 3 else one.body.wiki,  # the API version
            "updateAuthor": author,
            "created": moment(one.created, self.zone),
            "updated": moment(one.created, self.zone),
            "jsdPublic": True,
        }

    def comments(self, issue: Issue, page: list[Comment], start: int, limit: int) -> JsonObject:
        """Return a page of comments."""
        return {
            "startAt": start,
            "maxResults": limit,
            "total": len(issue.comments),
            "comments": [self.comment(issue, one) for one in page],
        }
