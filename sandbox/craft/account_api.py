"""The reads of the stand-in of Craft.io that are not about items: keys, workspaces, fields, words, the portfolio.

Used by `sandbox.craft.site`.
"""

from __future__ import annotations

from sandbox.craft import render
from sandbox.craft.account import Account
from sandbox.craft.listing import BadQueryError, cut_page
from sandbox.craft.refusal import Refusal
from sandbox.kit.router import Handler, json_response, query_value
from sandbox.kit.site import SiteRequest, SiteResponse


class AccountApi:
    """Answers what the API tells about an account. All of it is read only."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def routes(self) -> tuple[tuple[str, str, Handler], ...]:
        """Return the routes (method, template, handler)."""
        return (
            ("GET", "/me/api-key", self._me),
            ("GET", "/workspaces", self._list_workspaces),
            ("GET", "/workspaces/{account_id}", self._list_workspaces),
            ("GET", "/workspace/{workspace_id}/custom_fields", self._custom_fields),
            ("GET", "/workspace/{workspace_id}/terminology", self._terminology),
            ("GET", "/portfolios/{account_id}", self._portfolios),
            ("GET", "/portfolio/{portfolio_id}/portfolio_fields", self._portfolio_fields),
            ("GET", "/portfolio/{portfolio_id}/terminology", self._portfolio_terminology),
            ("GET", "/portfolio/{portfolio_id}/items", self._initiative_list),
            ("GET", "/portfolio_item/{item_id}", self._initiative),
        )

    def _me(self, request: SiteRequest) -> SiteResponse:
        key = self._account.allowed(request)
        workspaces = None if key.workspaces is None else sorted(key.workspaces)
        introspection = {
            "userId": self._account.users[key.name].id,
            "accountId": self._account.id,
            "scopes": list(key.scopes),
            "resourceScope": {"feedback_portals": None, "portfolios": None, "workspaces": workspaces},
            "mcpAccess": False,
        }
        return json_response(200, introspection)

    def _list_workspaces(self, request: SiteRequest, account_id: str | None = None) -> SiteResponse:
        key = self._account.allowed(request, "read:workspace-meta:craft")
        self._check_account(account_id)
        seen = [
            each for each in self._account.workspaces.values() if key.workspaces is None or each.id in key.workspaces
        ]
        return json_response(200, [render.workspace_json(each, self._account.base_url) for each in seen])

    def _check_account(self, account_id: str | None) -> None:
        if account_id not in (None, self._account.id):
            raise Refusal(403, "No access to this account")

    def _custom_fields(self, request: SiteRequest, workspace_id: str) -> SiteResponse:
        workspace = self._account.workspace_for(
            self._account.allowed(request, "read:workspace-meta:craft"), workspace_id
        )
        shown = render.custom_fields_json(
            workspace,
            include_options=query_value(request, "includeOptions") == "true",
            with_system_fields=self._account.settings.lists_system_fields,
        )
        return json_response(200, shown)

    def _terminology(self, request: SiteRequest, workspace_id: str) -> SiteResponse:
        workspace = self._account.workspace_for(
            self._account.allowed(request, "read:workspace-meta:craft"), workspace_id
        )
        return json_response(200, render.terminology_json(workspace))

    def _portfolios(self, request: SiteRequest, account_id: str) -> SiteResponse:
        self._account.allowed(request, "read:portfolios:craft")
        self._check_account(account_id)
        workspaces = [render.workspace_json(each, self._account.base_url) for each in self._account.workspaces.values()]
        return json_response(200, [{"id": self._account.portfolio_id, "name": "Portfolio", "workspaces": workspaces}])

    def _check_portfolio(self, request: SiteRequest, portfolio_id: str) -> None:
        self._account.allowed(request, "read:portfolios:craft")
        if portfolio_id != self._account.portfolio_id:
            raise Refusal(403, "No access to this portfolio")

    def _portfolio_fields(self, request: SiteRequest, portfolio_id: str) -> SiteResponse:
        self._check_portfolio(request, portfolio_id)
        return json_response(200, [])

    def _portfolio_terminology(self, request: SiteRequest, portfolio_id: str) -> SiteResponse:
        self._check_portfolio(request, portfolio_id)
        term = {"category": "item", "default": "initiative", "customSingle": "Initiative"}
        return json_response(200, {"initiative": term})

    def _initiative_list(self, request: SiteRequest, portfolio_id: str) -> SiteResponse:
        self._check_portfolio(request, portfolio_id)
        try:
            page = cut_page(request, list(self._account.initiatives.values()), self._account.settings.max_page_limit)
        except BadQueryError as error:
            raise Refusal(400, str(error)) from error
        items = [render.initiative(each, self._account.portfolio_id, self._account.base_url) for each in page.records]
        return json_response(200, {"items": items, "metadata": page.metadata()})

    def _initiative(self, request: SiteRequest, item_id: str) -> SiteResponse:
        self._account.allowed(request, "read:portfolios:craft")
        record = self._account.initiatives.get(item_id)
        if record is None:
            raise Refusal(404, "Initiative not found")
        return json_response(200, render.initiative(record, self._account.portfolio_id, self._account.base_url))
