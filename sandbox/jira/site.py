"""The stand-in Jira itself: requests in, answers and webhooks out, and what tests and a simulation may do to it.

Implements `sandbox.kit.controllable.ControllableSite`. Synchronous and without I/O; time is the `now` it is given.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from sandbox.jira import catalog, changes, scene, state, things, webhooks
from sandbox.jira.accounts import FAILED, LOGIN_REASON, Tokens, authenticate, unauthorized
from sandbox.jira.edition import CLOUD, Edition
from sandbox.jira.http import Call, Refusal, answer
from sandbox.jira.limits import check_requests
from sandbox.jira.model import Account, ChangeItem, History, JsonObject, Project, Screen
from sandbox.jira.person import Person
from sandbox.jira.render import moment
from sandbox.jira.routes import Endpoint, routes
from sandbox.jira.settings import JiraSiteSettings
from sandbox.jira.world import World
from sandbox.kit.router import Router
from sandbox.kit.site import Now, SiteRequest, SiteResponse, WebhookDelivery

SYNC_EMAIL, SYNC_TOKEN = "sync@example.com", "sync-token"  # a stand-in's account
ADA_EMAIL, GRACE_EMAIL = "ada@example.com", "grace@example.com"
_DEFAULTS = JiraSiteSettings()


class JiraSite:
    """One site (Jira Cloud unless told otherwise) with a sync account, two people and no project yet."""

    def __init__(
        self,
        *,
        now: Now,
        base_url: str,
        seed: int = 0,
        settings: JiraSiteSettings = _DEFAULTS,
        edition: Edition = CLOUD,
    ) -> None:
        self.world = World(now, base_url, seed, settings, edition)
        self._tokens = Tokens()
        self._person_tokens: dict[str, str] = {}
        self._call: Call | None = None
        self._router = Router(self._no_route)
        if edition.personal_tokens:
            self._router.add("GET", "/rest/pat/latest/tokens", self._bound(self._list_tokens))
        for method, path, endpoint in routes(edition):
            self._router.add(method, path, self._bound(endpoint))
        self.add_account(SYNC_EMAIL, "Sync Service", token=SYNC_TOKEN, admin=True)
        self.add_account(ADA_EMAIL, "Ada Moreno")
        self.add_account(GRACE_EMAIL, "Grace Okafor", email_visible=False)

    # The site

    def handle(self, request: SiteRequest) -> SiteResponse:
        """Do the request at once, completely or not at all, and return the answer. Never raises for bad input."""
        account, refused = authenticate(self.world, self._tokens, request)
        newest = max(self.world.edition.apis)
        call = Call(request, 2 if request.path.startswith("/rest/api/2/") else newest, account)
        call.headers["date"] = format_datetime(self.world.now(), usegmt=True)
        if refused:
            call.headers[LOGIN_REASON] = FAILED
        elif account:
            call.headers[LOGIN_REASON] = "OK"
            if self.world.edition.named_users:
                call.headers["x-ausername"] = account.name
            else:
                call.headers["x-aaccountid"] = account.account_id
        response = self._answer(call, refused=refused)
        return SiteResponse(response.status, {**response.headers, **call.headers}, response.body)

    def _answer(self, call: Call, *, refused: bool) -> SiteResponse:
        if refused and not self.world.settings.anonymous_reads:
            return unauthorized(self.world)
        self._call = call
        try:
            check_requests(self.world, call)
            return self._router.handle(call.request)
        except Refusal as refusal:
            if refusal.status == 401:
                return unauthorized(self.world)
            return answer(refusal.status, refusal.body(), refusal.headers)
        finally:
            self._call = None

    def _bound(self, endpoint: Endpoint) -> Endpoint:
        def handler(_: SiteRequest, **params: str) -> SiteResponse:
            return endpoint(self.world, self._call, **params)

        return handler

    @staticmethod
    def _no_route(status: int, request: SiteRequest, allowed: frozenset[str]) -> SiteResponse:
        headers = {"allow": ", ".join(sorted(allowed))} if allowed else {}
        words = "null for uri" if status == 404 else "Method Not Allowed"
        return answer(status, {"errorMessages": [f"{words}: {request.path}"], "errors": {}}, headers)

    def drain_webhooks(self) -> list[WebhookDelivery]:
        """Return and forget the webhooks caused since the last call, oldest first."""
        outbox, self.world.outbox = self.world.outbox, []
        return outbox

    def state(self) -> dict[str, object]:
        """Return all issues with their values as plain data; see `sandbox.jira.state` for the shape."""
        return state.snapshot(self.world)

    # Accounts and tokens

    def add_account(
        self,
        email: str,
        name: str,
        *,
        token: str | None = None,
        admin: bool = False,
        email_visible: bool = True,
        utc_offset_min: int = 0,
    ) -> Account:
        """Add someone who can log in; the token is `<local part>-token` unless given.

        Where people log in by name, the password is `<local part>-password`.
        """
        number = len(self.world.accounts) + 1
        named = self.world.edition.named_users
        account = Account(
            f"JIRAUSER{10_100 + number}" if named else f"712020:{number:08d}-0000-4000-8000-000000000000",
            email,
            name,
            admin=admin,
            email_visible=email_visible,
            utc_offset_min=utc_offset_min,
        )
        self.world.accounts[account.account_id] = account
        if self.world.edition.personal_tokens:
            self._tokens.add(f"{account.name}-password", account.account_id, password=True)
        self.add_token(email, token or email.partition("@")[0] + "-token")
        return account

    def add_token(self, email: str, token: str, *, ends_at: datetime | None = None) -> None:
        """Give an account one more token, or make a revoked one good again; it ends at a time, or never (None).

        Raises KeyError for an unknown address.
        """
        self._tokens.add(token, self.world.account_by_email(email).account_id, ends_at=ends_at)
        self._person_tokens[email] = token

    def _list_tokens(self, world: World, call: Call) -> SiteResponse:
        """GET tokens: one's own personal access tokens, without the tokens themselves."""
        listed = [
            {
                "id": number,
                "name": f"token {number}",
                "createdAt": moment(world.now(), call.zone),
                **({"expiringAt": moment(ends_at, call.zone)} if ends_at is not None else {}),
            }
            for number, ends_at in self._tokens.personal(call.caller.account_id)
        ]
        return answer(200, listed)

    def revoke_token(self, token: str) -> None:
        """Refuse a token from now on. Idempotent. Raises KeyError when the site never had it."""
        self._tokens.revoke(token)

    def restore_token(self, token: str) -> None:
        """Take a revoked token again. Idempotent. Raises KeyError when the site never had it."""
        self._tokens.restore(token)

    def who(self, request: SiteRequest) -> str:
        """Return the address of the account that a request comes from; '' when nobody known calls."""
        account, _ = authenticate(self.world, self._tokens, request)
        return account.email if account else ""

    def person(self, email: str) -> Person:
        """Return someone who acts on this site through its REST interface. Raises KeyError for an unknown address."""
        return Person(self.world, self.world.account_by_email(email), self._person_tokens[email], self.handle)

    # What tests and the control surface set

    @property
    def settings(self) -> JiraSiteSettings:
        """The dials now in force."""
        return self.world.settings

    def configure(self, **changed: Any) -> JiraSiteSettings:
        """Change settings while running; raises TypeError for an unknown one. Ids and field numbers stay as built."""
        self.world.settings = replace(self.world.settings, **changed)
        return self.world.settings

    def apply_settings(self, data: object) -> object:
        """Change settings from JSON (PUT settings of the control surface); raises ValueError with words."""
        return scene.apply_settings(self, data)

    def seed_scene(self, data: object) -> object:
        """Seed projects, accounts, webhooks and issues; see `sandbox.jira.scene`. Raises ValueError with words."""
        return scene.seed(self, data)

    def seed_project(self, key: str, name: str) -> Project:
        """Add a project with all issue types, their screens and the workflow."""
        customs, edition = self.world.customs, self.world.edition
        project = Project(
            self.world.new_small_id(),
            key,
            name,
            next(iter(self.world.accounts)),
            tuple(catalog.TYPES),
            catalog.TRANSITIONS,
            {one.id: catalog.screen("create", one, customs, edition) for one in catalog.TYPES.values()},
            {one.id: catalog.screen("edit", one, customs, edition) for one in catalog.TYPES.values()},
        )
        if self.world.settings.rich_fields:
            project.components, project.versions = things.components(), things.versions()
            for screen in (*project.create_screens.values(), *project.edit_screens.values()):
                for field_id in things.SYSTEM:
                    screen.add(field_id)
        self.world.projects[project.id] = project
        return project

    def screen(self, project: str, issue_type: str, operation: str) -> Screen:
        """Return the `create` or `edit` screen of a project's type, to add, remove or require fields on it."""
        found = self.world.project(project)
        if found is None:
            raise KeyError(project)
        screens = found.create_screens if operation == "create" else found.edit_screens
        return screens[next(one.id for one in catalog.TYPES.values() if one.name == issue_type)]

    def transition_screen(self, project: str, transition_id: str, *required: str) -> Screen:
        """Put a screen on a transition, with fields that it requires; return it."""
        found = self.world.project(project)
        if found is None:
            raise KeyError(project)
        found.transition_screens[transition_id] = Screen(dict.fromkeys(required, True))
        return found.transition_screens[transition_id]

    def field_id(self, name: str) -> str:
        """Return the id of a field by its display name. Raises KeyError."""
        return self.world.field_named(name).id

    def register_webhook(
        self, url: str, *, secret: str | None = None, events: tuple[str, ...] = webhooks.EVENTS, jql: str = ""
    ) -> str:
        """Register an admin webhook as the sync account and return its id."""
        body: JsonObject = {
            "name": f"Webhook to {url}",
            "url": url,
            "events": list(events),
            "filters": {"issue-related-events-section": jql},
            "secret": secret,
        }
        return str(webhooks.add(self.world, body, next(iter(self.world.accounts.values())))["id"])

    def hide_project(self, key: str, email: str) -> None:
        """Take the permission to browse a project from someone. Raises KeyError."""
        found = self.world.project(key)
        if found is None:
            raise KeyError(key)
        found.hidden_from.add(self.world.account_by_email(email).account_id)

    def deny(self, key: str, email: str, *permissions: str) -> None:
        """Take permissions in a project from someone, by their keys (`CREATE_ISSUES`). Raises KeyError."""
        found = self.world.project(key)
        if found is None:
            raise KeyError(key)
        account = self.world.account_by_email(email).account_id
        found.denied.update((account, each) for each in permissions)

    def hide_issue(self, issue_id: str, email: str) -> None:
        """Hide one issue from someone, as a security level does. Raises KeyError."""
        self.world.issues[issue_id].hidden_from.add(self.world.account_by_email(email).account_id)

    def show_issue(self, issue_id: str) -> None:
        """Take back what `hide_issue` did, for everybody. Raises KeyError."""
        self.world.issues[issue_id].hidden_from.clear()

    def archive_issue(self, issue_id: str, *, archived: bool = True) -> None:
        """Archive one issue, or restore it: no webhook tells of either. Raises KeyError."""
        self.world.issues[issue_id].archived_at = self.world.now() if archived else None

    def conflict_next(self, times: int = 1, *, issue_id: str = "*") -> None:
        """Answer the next edits (of one issue, or of any) with 409 and without effect."""
        self.world.conflicts[issue_id] = times

    def rename_key(self, old: str, new: str) -> None:
        """Change a project's key, as an administrator does: its issues get new keys, their ids stay, and no webhook
        tells of it. Old keys are answered to as before. Raises KeyError.
        """
        found = self.world.project(old)
        if found is None:
            raise KeyError(old)
        found.former_keys.add(found.key)
        found.key = new
        for issue in self.world.issues.values():
            if issue.values["project"] == found.id:
                key = f"{new}-{str(issue.values['key']).rpartition('-')[2]}"
                self.world.ids_by_key[key] = issue.id
                self.world.put_values(issue, {**issue.values, "key": key})

    def move_issue(self, issue_id: str, project_key: str, *, actor: str = ADA_EMAIL) -> str:
        """Move an issue to another project as a person does in the browser; the id stays, the new key is returned."""
        world = self.world
        issue, target = world.issues[issue_id], world.project(project_key)
        if target is None:
            raise KeyError(project_key)
        account = world.account_by_email(actor)
        old = world.projects[str(issue.values["project"])]
        key = f"{target.key}-{target.next_number}"
        target.next_number += 1
        items = (
            ChangeItem("project", False, "project", old.id, old.name, target.id, target.name),
            ChangeItem("Key", False, None, None, str(issue.values["key"]), None, key),
        )
        now = world.now()
        entry = History(world.new_history_id(), account.account_id, now, items)
        changes.move_child(world, issue, None)
        world.ids_by_key[key] = issue.id
        world.put_values(issue, {**issue.values, "project": target.id, "key": key, "parent": None, "updated": now})
        issue.histories.append(entry)
        webhooks.issue_updated(world, issue, account, entry, type_name="issue_moved")
        return key
