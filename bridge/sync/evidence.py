"""What a decision was made on, kept as events for ``explain`` and ``log``: ids, counts and verdicts, never a text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlmodel import Session

from bridge.model import Rendered, Thread
from bridge.store import events
from bridge.store.tables import Mailbox, Publication
from bridge.sync.plan import Decision
from bridge.sync.situation import Situation

READ, PLANNED, RENDERED = "mail read", "planned", "rendered"


def tell_read(session: Session, thread: Thread, box: Mailbox, now: datetime, *, plainly: bool) -> None:
    """Keep that a thread's mails were read; ``plainly`` says that only their headers were looked at."""
    events.tell(
        session,
        now,
        READ,
        account_id=box.account_id,
        thread_id=thread.thread_id,
        cause=f"history {thread.history_id}",
        outcome="headers alone" if plainly else "",
        detail=_json(
            {
                "history": thread.history_id,
                "mails": [message.gmail_id for message in thread.messages],
                "files": sum(len(message.files) for message in thread.messages),
            }
        ),
    )


def tell_planned(
    session: Session, situation: Situation, decisions: Iterable[Decision], box: Mailbox, now: datetime
) -> None:
    """Keep what was decided under each route and on what; the same decision is not written down twice."""
    for decision in decisions:
        events.tell_news(
            session,
            now,
            PLANNED,
            route=decision.route,
            account_id=box.account_id,
            thread_id=situation.thread.thread_id,
            detail=_json(_decided(session, situation, decision)),
        )


def tell_rendered(
    session: Session,
    rendered: Rendered,
    *,
    route: str,
    account_id: int,
    thread_id: str,
    message_id: str,
    now: datetime,
) -> None:
    """Keep what became of a mail's parts, and what stayed off the page."""
    detail = {
        "mail": message_id,
        "parts": [{"part": verdict.part, "lines": verdict.lines} for verdict in rendered.verdicts],
        "left_out": [item.why for item in rendered.left_out],
        "bytes": len(rendered.storage.encode()),
        "plain": rendered.plain,
    }
    events.tell_news(
        session,
        now,
        RENDERED,
        route=route,
        account_id=account_id,
        thread_id=thread_id,
        cause=f"mail {message_id}",
        detail=_json(detail),
    )


def _decided(session: Session, situation: Situation, decision: Decision) -> dict[str, object]:
    label = situation.labels.get(decision.route, "")
    known = situation.follows.get(decision.route)
    joined = situation.joinable.get(decision.route) if decision.where == "join" else None
    told: dict[str, object] = {
        "label_id": label,
        "labelled": [m.gmail_id for m in situation.thread.messages if label and label in m.label_ids],
        "state": str(decision.state),
        "reason": decision.reason,
        "where": decision.where,
        "entries": [
            {"mail": e.message_id, "key": e.message_key[:16], "state": str(e.state), "reason": e.reason}
            for e in decision.entries
            if known is None or known.publication is None or known.publication.entry(e.message_key) is None
        ],
        "skipped": [{"mail": skipped.message_id, "why": skipped.why} for skipped in decision.skipped],
    }
    if decision.place is not None:
        told["place"] = decision.place.destination
        told["space"] = decision.place.space_key
    if joined is not None:
        publication = session.get_one(Publication, joined.id)
        shared = [m.key for m in situation.thread.messages if joined.entry(m.key) is not None]
        told["joined"] = {"publication": publication.uid, "by": [key[:16] for key in shared[:1]]}
    return told


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
