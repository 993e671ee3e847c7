"""What may have been written in the gap before the database's epoch, so that it is looked for before it is written.

See ``bridge.store.epoch``: a database that was put back from a copy does not know what it wrote since the copy.
"""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import Session

from bridge.store import epoch
from bridge.store.epoch import Epoch
from bridge.store.tables import Entry, Publication

SLACK = timedelta(minutes=15)
"""How much the clocks of this computer, of Gmail and of Confluence may differ."""


def gap_for(session: Session, publication_id: int, entry_id: int | None) -> Epoch | None:
    """Return the epoch before which a write may have been made without the database's knowledge; None where not.

    A mail that came after the epoch began was not written before it; nor was anything of a publication that was begun
    in it.
    """
    known = epoch.current(session)
    if not known.gap:
        return None
    publication = session.get_one(Publication, publication_id)
    made = session.get_one(Entry, entry_id).sent_on if entry_id is not None else None
    return known if known.may_lack(publication.epoch, made, SLACK) else None
