"""What asyncpg raises leaves the store as one of its own failures, or unchanged when it is a mistake of ours."""

from __future__ import annotations

import asyncpg
import pytest

from shared.store.port import Contended, InvariantBroken, StoreUnavailable
from shared.store.postgres.errors import translated


def unique(constraint: str) -> asyncpg.PostgresError:
    return asyncpg.PostgresError.new({"C": "23505", "M": "duplicate key", "n": constraint})


@pytest.mark.parametrize(
    ("raised", "left"),
    [
        (ConnectionRefusedError("refused"), StoreUnavailable),
        (TimeoutError(), StoreUnavailable),
        (asyncpg.ConnectionDoesNotExistError("closed in the middle"), StoreUnavailable),
        (asyncpg.ConnectionFailureError("lost"), StoreUnavailable),
        (asyncpg.CannotConnectNowError("starting up"), StoreUnavailable),
        (asyncpg.AdminShutdownError("terminated"), StoreUnavailable),
        (asyncpg.CrashShutdownError("crashed"), StoreUnavailable),
        (asyncpg.QueryCanceledError("statement timeout"), StoreUnavailable),
        (asyncpg.TooManyConnectionsError("full"), StoreUnavailable),
        (asyncpg.IdleInTransactionSessionTimeoutError("idle"), StoreUnavailable),
        (asyncpg.ReadOnlySQLTransactionError("a standby"), StoreUnavailable),
        (asyncpg.InvalidPasswordError("wrong"), StoreUnavailable),
        (asyncpg.InterfaceError("connection is closed"), StoreUnavailable),
        (asyncpg.DeadlockDetectedError("deadlock"), Contended),
        (asyncpg.SerializationError("serialisation"), Contended),
        (asyncpg.LockNotAvailableError("lock timeout"), Contended),
        (unique("links_jira_entity"), Contended),
        (unique("links_craft_entity"), Contended),
        (unique("operations_one_open"), InvariantBroken),
        (asyncpg.RestrictViolationError("kept for ever"), InvariantBroken),
        (asyncpg.InterfaceError("another operation is in progress"), asyncpg.InterfaceError),
        (asyncpg.ClientConfigurationError("no such setting"), asyncpg.ClientConfigurationError),
        (asyncpg.UndefinedTableError("not migrated"), StoreUnavailable),
        (asyncpg.UndefinedColumnError("restored from an old backup"), StoreUnavailable),
        (asyncpg.CharacterNotInRepertoireError("NUL"), asyncpg.CharacterNotInRepertoireError),
        (ZeroDivisionError(), ZeroDivisionError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.__name__,
)
def test_each_failure_leaves_as_what_the_services_know(raised: Exception, left: type[Exception]) -> None:
    with pytest.raises(Exception) as caught, translated():  # noqa: PT011  # which one is what is tested
        raise raised
    assert type(caught.value) is left
    assert caught.value is raised or caught.value.__cause__ is raised
    assert str(caught.value) or not str(raised)
