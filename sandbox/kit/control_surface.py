"""The control surface of a stand-in, apart from the vendor's own paths: journal, state, faults, settings, scene.

Called by `sandbox.kit.server`, which serves it under `/_control`. Synchronous as the sites are.

- `GET journal?after=N` the vendor calls in the order of their effects; `GET webhooks?after=N` the delivery attempts
- `GET state` all items with their values
- `GET faults`, `DELETE faults`, `PUT faults[?seed=N]` rules (`sandbox.kit.fault_rules`) instead of the former
- `PUT settings` changes the site's settings, `POST scene` seeds items
"""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.kit.controllable import ControllableSite
from sandbox.kit.fault_rules import Rule, RulesError, TokenRule, parse_rules
from sandbox.kit.faults import FaultPlan
from sandbox.kit.journal import Attempt, Call, Journal, as_json
from sandbox.kit.router import JsonBodyError, Router, json_response, query_value, read_json
from sandbox.kit.site import SiteRequest, SiteResponse


class ControlSurface:
    """Answers control requests; `handle` gets paths relative to the control URL, such as `/journal`."""

    def __init__(
        self,
        site: ControllableSite,
        *,
        plan: FaultPlan,
        calls: Journal[Call],
        attempts: Journal[Attempt],
    ) -> None:
        self._site = site
        self._plan = plan
        self._calls = calls
        self._attempts = attempts
        self._revoked: list[str] = []
        self._router = Router(_no_route)
        for method, path, handler in (
            ("GET", "/journal", self._journal),
            ("GET", "/webhooks", self._webhooks),
            ("GET", "/state", self._state),
            ("GET", "/faults", self._get_faults),
            ("PUT", "/faults", self._put_faults),
            ("DELETE", "/faults", self._delete_faults),
            ("PUT", "/settings", self._put_settings),
            ("POST", "/scene", self._post_scene),
        ):
            self._router.add(method, path, handler)

    def handle(self, request: SiteRequest) -> SiteResponse:
        """Answer one control request; 400 with `{"error": words}` for what cannot be done."""
        try:
            return self._router.handle(request)
        except ValueError as error:  # JsonBodyError, RulesError and what a site refuses: all carry words for the caller
            return json_response(400, {"error": str(error)})

    def put_faults(self, rules: Sequence[Rule], *, seed: int | None = None) -> None:
        """Put rules in force instead of all before, whose revoked tokens are restored.

        Raises RulesError for a token that the site never had.
        """
        tokens = [rule.token for rule in rules if isinstance(rule, TokenRule)]
        self._restore_tokens()
        for token in tokens:
            try:
                self._site.revoke_token(token)
            except KeyError as error:
                self._restore_tokens()
                raise RulesError("no such token at this site") from error
            self._revoked.append(token)
        self._plan.replace(rules, seed=seed)

    def _restore_tokens(self) -> None:
        for token in self._revoked:
            self._site.restore_token(token)
        self._revoked.clear()

    def _journal(self, request: SiteRequest) -> SiteResponse:
        return json_response(200, [as_json(call) for call in self._calls.after(_number(request, "after") or 0)])

    def _webhooks(self, request: SiteRequest) -> SiteResponse:
        return json_response(
            200, [as_json(attempt) for attempt in self._attempts.after(_number(request, "after") or 0)]
        )

    def _state(self, _request: SiteRequest) -> SiteResponse:
        return json_response(200, self._site.state())

    def _get_faults(self, _request: SiteRequest) -> SiteResponse:
        return json_response(200, [rule.model_dump(mode="json", exclude_defaults=False) for rule in self._plan.rules])

    def _put_faults(self, request: SiteRequest) -> SiteResponse:
        rules = parse_rules(read_json(request))
        self.put_faults(rules, seed=_number(request, "seed"))
        return self._get_faults(request)

    def _delete_faults(self, request: SiteRequest) -> SiteResponse:
        self.put_faults([])
        return self._get_faults(request)

    def _put_settings(self, request: SiteRequest) -> SiteResponse:
        return json_response(200, self._site.apply_settings(read_json(request)))

    def _post_scene(self, request: SiteRequest) -> SiteResponse:
        return json_response(200, self._site.seed_scene(read_json(request)))


def _number(request: SiteRequest, name: str) -> int | None:
    text = query_value(request, name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise JsonBodyError(f"{name} is a whole number, not {text!r}")
    return int(text)


def _no_route(status: int, request: SiteRequest, allowed: frozenset[str]) -> SiteResponse:
    known = f"; it takes {', '.join(sorted(allowed))}" if allowed else ""
    return json_response(status, {"error": f"no control endpoint {request.method} {request.path}{known}"})
