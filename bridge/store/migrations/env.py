"""Run by Alembic: brings the connection that it is given to the newest revision."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

import bridge.store.tables  # noqa: F401  (fills the metadata)


def _ours(name: str | None, kind: str, parents: object) -> bool:
    return not (kind == "table" and (name or "").startswith("procrastinate"))


connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    include_name=_ours,
)
with context.begin_transaction():
    context.run_migrations()
