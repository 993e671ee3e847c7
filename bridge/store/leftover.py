"""What a program that was killed leaves under lease."""

from __future__ import annotations

from sqlalchemy import update
from sqlmodel import Session, col

from bridge.store.tables import Mailbox, Publication


def give_back(session: Session, owner: str) -> int:
    """Give back every lease of a program that is gone, so that others go on at once.

    What it had sent is safe without a lease: a write without a result is looked for, and not sent again before its
    settle time is over.

    Args:
        session: a write session.
        owner: its name in the leases of mailboxes; those of publications begin with it.

    Returns:
        How many mailboxes and publications it had.
    """
    free = {"lease": "", "lease_until": None}
    boxes = session.exec(update(Mailbox).where(col(Mailbox.lease) == owner).values(free))
    theirs = col(Publication.lease).startswith(f"{owner}/", autoescape=True)
    written = session.exec(update(Publication).where(theirs).values(free))
    return int(boxes.rowcount) + int(written.rowcount)
