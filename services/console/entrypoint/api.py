"""The table of the API: every operation with what it takes, answers and refuses."""

from __future__ import annotations

from http import HTTPStatus

from pydantic import BaseModel

from services.console.domain import drafts, verdicts, views
from services.console.domain.people import PeopleReport
from services.console.domain.problems import Fault, invalid
from services.console.domain.suggestion import Suggestion
from services.console.entrypoint.dry_runs import dry_run_operations
from services.console.entrypoint.evaluation import evaluation_operations
from services.console.entrypoint.held import held_operations
from services.console.entrypoint.history_api import history_operations
from services.console.entrypoint.operations import Call, Operation
from services.console.entrypoint.provisioning import provisioning_operations
from services.console.entrypoint.refused import refused_operations
from services.console.handlers.configuration import Configuration
from services.console.handlers.dry_runs import DryRuns
from services.console.handlers.evaluation import Evaluations
from services.console.handlers.held import HeldItemsDesk
from services.console.handlers.history import History
from services.console.handlers.links import Links
from services.console.handlers.mappings import Mappings
from services.console.handlers.people import PeopleDesk
from services.console.handlers.provisioned import ProvisionedDesk
from services.console.handlers.refused import RefusedItemsDesk
from services.console.handlers.requests import Requests
from shared.domain.ids import ConnectionId, EntityId, IntegrationId, LinkId, Side
from shared.domain.mapping import Integration

_LOOKS = (HTTPStatus.NOT_FOUND,)
_SAVES = (HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)
_JUDGES = (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.BAD_GATEWAY)
_ASKS = (
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.BAD_GATEWAY,
)


class Api:
    """Binds the operations to the use cases."""

    def __init__(
        self,
        links: Links,
        requests: Requests,
        configuration: Configuration,
        mappings: Mappings,
        people: PeopleDesk,
        history: History,
        dry_runs: DryRuns,
        evaluations: Evaluations,
        held: HeldItemsDesk,
        refused: RefusedItemsDesk,
        provisioned: ProvisionedDesk,
    ) -> None:
        self._links = links
        self._people = people
        self._requests = requests
        self._configuration = configuration
        self._mappings = mappings
        self._history = history
        self._dry_runs = dry_runs
        self._evaluations = evaluations
        self._held = held
        self._refused = refused
        self._provisioned = provisioned

    def operations(self) -> tuple[Operation, ...]:
        """Return the whole table."""
        return (
            *self._of_links(),
            *self._of_requests(),
            *self._of_configuration(),
            *self._of_mappings(),
            *history_operations(self._history, self._configuration),
            *dry_run_operations(self._dry_runs),
            *evaluation_operations(self._evaluations),
            *held_operations(self._held),
            *refused_operations(self._refused),
            *provisioning_operations(self._provisioned),
        )

    def _of_links(self) -> tuple[Operation, ...]:
        async def links(call: Call) -> BaseModel:
            return await self._links.list(call.query)

        async def link(call: Call) -> BaseModel:
            return await self._links.detail(LinkId(call.path["link_id"]))

        async def item(call: Call) -> BaseModel:
            return await self._links.by_item(_side(call), EntityId(call.path["entity_id"]))

        async def summary(_: Call) -> BaseModel:
            return await self._links.summary()

        async def strays(call: Call) -> BaseModel:
            return await self._links.strays(call.query)

        async def people(call: Call) -> BaseModel:
            return await self._people.unmatched(call.query)

        return (
            Operation("GET", "/links", "List links", links, views.LinkList, query=drafts.LinksQuery),
            Operation("GET", "/links/{link_id}", "Show a link", link, views.LinkDetail, refusals=_LOOKS),
            Operation(
                "GET",
                "/items/{side}/{entity_id}",
                "Show the link of an item, by its id or (Jira key, Craft.io short id) by its name",
                item,
                views.LinkDetail,
                refusals=_LOOKS,
            ),
            Operation("GET", "/summary", "Count links by state", summary, views.Summary),
            Operation(
                "GET",
                "/people",
                "List people who are not found on the other side",
                people,
                PeopleReport,
                query=drafts.PeopleQuery,
                refusals=_LOOKS,
            ),
            Operation("GET", "/strays", "List possible duplicates", strays, views.StrayList, query=drafts.StraysQuery),
        )

    def _of_requests(self) -> tuple[Operation, ...]:
        async def on_link(call: Call) -> BaseModel:
            return await self._requests.on_link(LinkId(call.path["link_id"]), call.body)

        async def on_items(call: Call) -> BaseModel:
            return await self._requests.on_items(call.body)

        async def request(call: Call) -> BaseModel:
            return await self._requests.show(call.path["request_id"])

        return (
            Operation(
                "GET",
                "/requests/{request_id}",
                "Show what became of a request",
                request,
                views.RequestView,
                refusals=_LOOKS,
            ),
            Operation(
                "POST",
                "/links/{link_id}/requests",
                "Ask for something to be done with a link",
                on_link,
                views.Accepted,
                status=HTTPStatus.ACCEPTED,
                body=drafts.LinkRequestDraft,
                refusals=_ASKS,
            ),
            Operation(
                "POST",
                "/requests",
                "Push, pull or join items that may be in no link yet",
                on_items,
                views.Accepted,
                status=HTTPStatus.ACCEPTED,
                body=drafts.ItemRequestDraft,
                refusals=_ASKS,
            ),
        )

    def _of_configuration(self) -> tuple[Operation, ...]:
        known = self._configuration

        async def connections(_: Call) -> BaseModel:
            return await known.connections()

        async def connection(call: Call) -> BaseModel:
            return await known.connection(ConnectionId(call.path["connection_id"]))

        async def put_connection(call: Call) -> BaseModel:
            return await known.put_connection(ConnectionId(call.path["connection_id"]), call.body, call.if_match)

        async def integrations(_: Call) -> BaseModel:
            return await known.integrations()

        async def integration(call: Call) -> BaseModel:
            return await known.integration(IntegrationId(call.path["integration_id"]))

        async def put_integration(call: Call) -> BaseModel:
            return await known.put_integration(
                IntegrationId(call.path["integration_id"]),
                call.body,
                call.if_match,
                how=call.query,
            )

        one, another = "/connections/{connection_id}", "/integrations/{integration_id}"
        return (
            Operation("GET", "/connections", "List connections", connections, views.ConnectionList),
            Operation("GET", one, "Show a connection", connection, views.ConnectionView, refusals=_LOOKS, revised=True),
            Operation(
                "PUT",
                one,
                "Try and save a connection",
                put_connection,
                views.ConnectionView,
                body=drafts.ConnectionDraft,
                refusals=_SAVES,
                revised=True,
            ),
            Operation("GET", "/integrations", "List integrations", integrations, views.IntegrationList),
            Operation("GET", another, "Show an integration", integration, Integration, refusals=_LOOKS, revised=True),
            Operation(
                "PUT",
                another,
                "Check and save an integration",
                put_integration,
                verdicts.SavedIntegration,
                query=drafts.SaveQuery,
                body=drafts.IntegrationDraft,
                refusals=(*_SAVES, HTTPStatus.BAD_GATEWAY),
                revised=True,
            ),
        )

    def _of_mappings(self) -> tuple[Operation, ...]:
        async def check(call: Call) -> BaseModel:
            return await self._mappings.check(IntegrationId(call.path["integration_id"]), call.body)

        async def suggest(call: Call) -> BaseModel:
            return await self._mappings.suggest(IntegrationId(call.path["integration_id"]), call.body)

        return (
            Operation(
                "POST",
                "/integrations/{integration_id}/check",
                "Check a draft of an integration without saving it",
                check,
                verdicts.CheckedMapping,
                body=drafts.IntegrationDraft,
                refusals=_JUDGES,
            ),
            Operation(
                "POST",
                "/integrations/{integration_id}/suggestion",
                "Suggest a first mapping between a project and a workspace",
                suggest,
                Suggestion,
                body=drafts.SuggestionDraft,
                refusals=_JUDGES,
            ),
        )


def _side(call: Call) -> Side:
    try:
        return Side(call.path["side"])
    except ValueError as error:
        raise invalid(Fault(path="side", message="is jira or craft")) from error
