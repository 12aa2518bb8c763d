"""Showing who is shown in an integration's fields of people and was not found on the other side."""

from __future__ import annotations

from services.console.domain.drafts import PeopleQuery
from services.console.domain.people import PeopleReport, accounts_of, people_pairs, report
from services.console.domain.problems import not_found
from shared.domain.ids import Side
from shared.store.people import PeopleReports, look_up
from shared.store.port import ConfigReader


class PeopleDesk:
    """Reads about people."""

    def __init__(self, reader: PeopleReports, config: ConfigReader) -> None:
        self._reader = reader
        self._config = config

    async def unmatched(self, query: PeopleQuery) -> PeopleReport:
        """Return the report of one integration. Raises a 404."""
        integration = next((i for i in await self._config.integrations() if i.id == query.integration), None)
        if integration is None:
            raise not_found(f"There is no integration {query.integration}.", "GET /api/v1/integrations lists them.")
        shown = await self._reader.people_shown(integration.id, [pair.id for pair in people_pairs(integration)])
        accounts = accounts_of(integration, shown)
        connections = {side: integration.connection(side) for side in Side}
        people = await look_up(self._reader, accounts, connections)
        known = {
            (side, person.account_id): person
            for side in Side
            for person in await self._reader.people(connections[side], accounts=sorted(accounts[side]))
        }
        return report(integration, shown, people, known)
