"""What was found of ours in Confluence after a database was put back or lost, and where it was looked for."""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "mark",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("cloud_id"),
        _text("space_id"),
        _text("kind"),
        _text("content_id"),
        _text("page_id"),
        _text("parent_id"),
        _text("key"),
        _text("mail"),
        _text("uid"),
        _text("author"),
        _text("status"),
        _text("title"),
        _text("url"),
        _text("epoch"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("cloud_id", "content_id"),
    )
    op.create_index("mark_mail", "mark", ["cloud_id", "mail"])
    op.create_index("ix_mark_page_id", "mark", ["page_id"])
    op.create_table(
        "search",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("epoch"),
        _text("cloud_id"),
        _text("space_id"),
        _text("kind"),
        _text("container"),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("done_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("epoch", "cloud_id", "space_id", "kind", "container", "account_id"),
    )


def _text(name: str) -> sa.Column[object]:
    return sa.Column(name, sqlmodel.sql.sqltypes.AutoString(), nullable=False)
