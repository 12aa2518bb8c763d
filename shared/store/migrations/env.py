"""How alembic runs a step: on the connection that `shared.store.migrate` hands over, one transaction for each step.

Loaded by alembic alone; never imported.
"""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
