"""What goes wrong in Postgres, as the two failures that services know: away (`StoreUnavailable`) and in each other's
way (`Contended`).

Called by every module of this package around every statement. Anything else is a bug or bad data, and keeps its own
class.

    asyncpg here
    ├── no connection, lost, shutting down, read only, time out   → StoreUnavailable
    ├── a table or column of ours that is not there               → StoreUnavailable, too: another schema than ours
    ├── deadlock, serialisation, lock time out, entity taken      → Contended
    ├── a second open operation of a link, a row kept for ever    → InvariantBroken
    └── any other                                                 → unchanged
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from shared.store.port import Contended, InvariantBroken, StoreUnavailable

CONNECTION_LOST: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutdowns, crash, statement time out
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InternalClientError,
)
NOT_OUR_SCHEMA: tuple[type[Exception], ...] = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)
"""Restored from an older backup, or begun anew: no message may be given up for that."""
IN_THE_WAY: tuple[type[Exception], ...] = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
)
ENTITY_INDEXES = frozenset({"links_jira_entity", "links_craft_entity"})


@contextmanager
def translated() -> Iterator[None]:
    """Let what asyncpg raises within leave as a failure of `shared.store.port`."""
    try:
        yield
    except IN_THE_WAY as error:
        raise Contended(str(error)) from error
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name in ENTITY_INDEXES:
            raise Contended(str(error.detail or error)) from error
        raise InvariantBroken(str(error.detail or error)) from error
    except asyncpg.RestrictViolationError as error:
        raise InvariantBroken(str(error)) from error
    except NOT_OUR_SCHEMA as error:
        raise StoreUnavailable(
            f"the database has another schema than this release ({error}); run `python -m shared.store.migrate`"
        ) from error
    except CONNECTION_LOST as error:
        raise StoreUnavailable(away(error)) from error
    except asyncpg.InterfaceError as error:
        if isinstance(error, ValueError) or "another operation is in progress" in str(error):
            raise  # a mistake of ours: a wrong setting, two statements at once on one connection
        raise StoreUnavailable(away(error)) from error


def away(error: Exception) -> str:
    """Return why the database cannot be reached, with the setting to look at where one is at fault."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the database's certificate is not accepted ({error.verify_message}); sslrootcert in TANDEM_DATABASE_URL"
            " has to name the authority that signed it, and its name has to be the host in that address"
        )
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return f"the database refuses us ({error}); look at user and password in TANDEM_DATABASE_URL"
    if isinstance(error, ConnectionError) and "rejected SSL upgrade" in str(error):
        return "the database speaks no TLS, and sslmode in TANDEM_DATABASE_URL asks for it"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
