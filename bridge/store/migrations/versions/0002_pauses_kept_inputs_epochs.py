"""Pauses, kept inputs, what people made of a page, and the epoch in which that was known."""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "pause",
        sa.Column("scope", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("since", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("until", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("why", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("ordered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("scope"),
    )
    op.create_table(
        "kept_input",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("expires_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("cause", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_kept_input_entry_id", "kept_input", ["entry_id"])
    op.create_index("ix_kept_input_expires_at", "kept_input", ["expires_at"])
    _add("event", sa.Column("detail", sa.Text(), nullable=False, server_default=""))
    _add("publication", _text("remote"))
    _add("publication", sa.Column("remote_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
    _add("publication", _text("epoch"))
    _add("publication", sa.Column("round", sa.Integer(), nullable=False, server_default="0"))
    _add("publication", _text("successor_uid"))
    _add("write", _text("sent_boot"))
    _add("write", sa.Column("sent_tick", sa.Float(), nullable=False, server_default="0"))
    _add("write", sa.Column("looks", sa.Integer(), nullable=False, server_default="0"))


def _add(table: str, column: sa.Column[object]) -> None:
    """Add a column in place: SQLite needs no copy of the table for one with a default."""
    op.add_column(table, column)


def _text(name: str) -> sa.Column[object]:
    return sa.Column(name, sqlmodel.sql.sqltypes.AutoString(), nullable=False, server_default="")
