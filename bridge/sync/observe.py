"""``[safety] mode = "observe"``: what would be published is planned and told, and nothing is written.

A follow that was planned so has the reason "observed". In the mode "publish" the first full pass, which the change of
the mode brings about, takes it for one that was labelled in this moment: it waits, and very many are asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from bridge.model import Thread
from bridge.store import events, follows, publications
from bridge.store.tables import EntryState, Follow, FollowState, Mailbox, Publication, PublicationState
from bridge.sync.apply import Applied, apply
from bridge.sync.observed import is_observed, reason_before, reason_of
from bridge.sync.plan import Decision

_KINDS = {"page": "a page", "blogpost": "a blog post", "comment": "a comment"}


def observe(
    session: Session,
    decisions: Sequence[Decision],
    *,
    thread: Thread,
    box: Mailbox,
    now: datetime,
    installation: str,
    writer: str,
) -> datetime | None:
    """Write down what was decided, save for what would have to be written in Confluence: that is only told.

    Args:
        session: a write session.
        decisions: the plan.
        thread: whose.
        box: in which mailbox.
        now: the instant.
        installation: as ``apply`` takes it.
        writer: who would write, by the name that Confluence shows.

    Returns:
        When the thread must be looked at again although nothing changed, None for never.
    """
    rows = {follow.route: follow for follow in follows.of_thread(session, box.id or 0, thread.thread_id)}
    kept: list[Decision] = []
    for decision in decisions:
        told = "" if decision.forget else _would(session, decision, writer)
        if told:
            _tell(session, rows[decision.route], decision, told, thread, box, now)
        else:
            kept.append(decision)
    applied: Applied = apply(session, kept, thread=thread, box=box, now=now, installation=installation)
    return applied.look_again_at


def _would(session: Session, decision: Decision, writer: str) -> str:
    """Return what would be written, '' where nothing would be."""
    if decision.state is not FollowState.FOLLOWING or decision.where == "nowhere":
        return ""
    own = session.get(Publication, decision.publication_id) if decision.publication_id is not None else None
    known = {entry.message_key: entry for entry in publications.entries(session, own.id or 0)} if own else {}
    left = [entry for entry in known.values() if entry.state is EntryState.PLANNED]
    new = [entry for entry in decision.entries if entry.message_key not in known]
    held = sum(entry.state is EntryState.HELD for entry in new)
    count = len(new) - held + len(left)
    standing = own is not None and own.state is PublicationState.PUBLISHED
    if not count and not held:
        return ""
    kind = decision.place.kind if decision.place is not None else own.kind if own is not None else "page"
    space = decision.place.space_key if decision.place is not None else own.space_key if own is not None else ""
    what = [] if standing else [_KINDS[kind]]
    replies = count if standing else count - 1
    if replies > 0:
        what.append("1 reply" if replies == 1 else f"{replies} replies")
    asked = f" {held} more would be asked about first." if held else ""
    return f"Would publish to {space} as {writer}: {' and '.join(what) or 'nothing yet'}.{asked}"


def _tell(
    session: Session,
    follow: Follow,
    decision: Decision,
    told: str,
    thread: Thread,
    box: Mailbox,
    now: datetime,
) -> None:
    follow.history_id, follow.messages = thread.history_id, len(thread.messages)
    follow.subject = thread.messages[0].subject[:255] if thread.messages else ""
    if is_observed(follow.reason) and follow.detail == told:
        return
    before = reason_before(follow.reason)
    follow.state, follow.since = FollowState.FOLLOWING, now
    follow.reason = reason_of(before)
    follow.detail, follow.question = told, ""
    events.tell(
        session,
        now,
        "observed",
        route=decision.route,
        account_id=box.account_id,
        thread_id=thread.thread_id,
        outcome=told,
    )
