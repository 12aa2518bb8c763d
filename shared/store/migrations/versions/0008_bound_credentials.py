"""Credentials that open for their own connection and address only (ADR 0022), and refused tries in the audit trail.

What earlier releases sealed (Fernet, bound to nothing) is opened here, once, and sealed for the connection in whose
row it lies. Nothing else of this release reads the old form, and the table takes it no more: an old row that is put
back, here or in the row of another connection, does not open.
"""

from __future__ import annotations

from alembic import context, op
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import text

from shared.domain.binding import Binding
from shared.domain.mapping import Connection, ConnectionSecrets
from shared.store.secrets import SecretBox, SecretKeyWrong

revision = "0008"
down_revision = "0007"

STORED = (
    "SELECT s.connection_id, s.sealed, CAST(c.body AS text) AS body"
    " FROM connection_secrets s JOIN connections c ON c.id = s.connection_id"
    " ORDER BY s.connection_id FOR UPDATE OF s, c"
)


def upgrade() -> None:
    """Add the column, seal anew, and refuse the old form from now on. Raises `SecretKeyWrong`, changing nothing."""
    op.execute("ALTER TABLE audit ADD COLUMN refused text")
    op.execute("DELETE FROM connection_secrets WHERE connection_id NOT IN (SELECT id FROM connections)")
    stored = op.get_bind().execute(text(STORED)).all()
    if stored:
        keys: str | None = context.config.attributes.get("secret_key")
        if not keys:
            raise SecretKeyWrong(
                f"TANDEM_SECRET_KEY is not set: this upgrade seals the credentials of {len(stored)} connections anew, "
                "and needs the key once"
            )
        box = SecretBox(keys)
        before = MultiFernet([Fernet(key.strip()) for key in keys.split(",") if key.strip()])
        for connection_id, sealed, body in stored:
            secrets = _opened(before, bytes(sealed), connection_id)
            binding = Binding.of(Connection.model_validate_json(body))
            op.get_bind().execute(
                text("UPDATE connection_secrets SET sealed = :sealed WHERE connection_id = :id"),
                {"sealed": box.seal(secrets, binding), "id": connection_id},
            )
    op.execute(
        "ALTER TABLE connection_secrets ADD CONSTRAINT sealed_for_its_connection"
        " CHECK (substring(sealed from 1 for 1) = decode('02', 'hex'))"
    )


def _opened(before: MultiFernet, sealed: bytes, connection_id: str) -> ConnectionSecrets:
    try:
        return ConnectionSecrets.model_validate_json(before.decrypt(sealed))
    except InvalidToken:
        raise SecretKeyWrong(
            f"no key of TANDEM_SECRET_KEY opens the stored credentials of the connection {connection_id}; add the key "
            "that sealed them (comma-separated), or delete its row from connection_secrets and enter them again "
            "afterwards. Nothing was changed"
        ) from None
