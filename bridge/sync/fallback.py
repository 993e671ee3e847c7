"""What is written down when Confluence does not take a body: from then on it is the mail's bare words."""

from __future__ import annotations

from typing import Any

from bridge.config import Route
from bridge.errors import Refused, TooLarge
from bridge.model import Message, Rendered
from bridge.oauth.seal import Seal
from bridge.store import accounts, events, kept
from bridge.store.tables import Entry, KeptInput, Publication
from bridge.sync.context import Bridge
from bridge.sync.writes.perform import Performer

_KIND = "kept input"
_PROVIDER = "atlassian"
_MOST = 2 * 1024 * 1024
"""Characters of a mail's parts, and of the body that was sent, that are kept at most."""


def fall_back(
    bridge: Bridge,
    performer: Performer,
    route: Route,
    publication: Publication,
    entry: Entry,
    message: Message,
    sent: Rendered,
    refused: Refused | TooLarge,
) -> None:
    """Remember that an entry is plain text, so that its refused body is not sent again, and tell why as an event.

    What the body was made from is kept sealed for 14 days: the fault is ours, and can be found by nothing else.
    """
    now, cause = bridge.clock.now(), refused.answer.reason[:200]
    with bridge.store.write() as session:
        session.get_one(Entry, entry.id).fallback = True
        address = accounts.by_id(session, performer.account_id).address
        sealed = bridge.seal.seal(_input(message, sent, refused), account=address, provider=_PROVIDER, kind=_KIND)
        kept.keep(session, entry.id or 0, now, cause=cause, sealed=sealed)
        events.tell(
            session,
            now,
            "body refused",
            route=route.name,
            account_id=performer.account_id,
            thread_id=performer.thread_id,
            remote_id=publication.content_id,
            cause=cause,
            outcome="plain text instead",
        )


def opened(seal: Seal, row: KeptInput, address: str) -> dict[str, Any]:
    """Return what was kept of a refused body: ``mail``, ``parts`` (kind and text), ``sent`` and ``answer``.

    Args:
        seal: the installation's.
        row: what is kept.
        address: of the person as whom it was sent.

    Raises:
        errors.SealError: no key at hand opens it, or it was somebody else's.
    """
    return seal.open(row.sealed, account=address, provider=_PROVIDER, kind=_KIND)


def _input(message: Message, sent: Rendered, refused: Refused | TooLarge) -> dict[str, Any]:
    left, parts = _MOST, []
    for body in message.bodies:
        parts.append({"kind": body.kind, "text": body.text[:left]})
        left -= len(parts[-1]["text"])
    return {
        "mail": message.gmail_id,
        "parts": parts,
        "sent": sent.storage[:_MOST],
        "answer": refused.answer.text,
    }
