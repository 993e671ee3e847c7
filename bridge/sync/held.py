"""What waits for a person's decision, and what an answer changes. A crowd that one filter made is asked about once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from bridge.errors import BridgeError
from bridge.store import accounts, events, follows, mailboxes, publications, threads
from bridge.store.engine import Store
from bridge.store.tables import Entry, EntryState, Follow, FollowState, Mailbox

_CROWDS = ("backlog", "brake")
CROWD_CHOICES = ("publish", "new", "ignore")
ONE_CHOICES = ("publish", "leave-out")


@dataclass(frozen=True, slots=True)
class Held:
    """One question to one person.

    ``id`` is what an answer names. ``threads`` are the threads that it is about (one, or a crowd), ``subject`` the
    mail's, shown only to its person (or where the operator allows it).
    """

    id: str
    address: str
    reason: str
    detail: str
    question: str
    choices: tuple[str, ...]
    since: datetime
    route: str
    threads: tuple[str, ...]
    subject: str


def held(session: Session) -> list[Held]:
    """Return every open question, the longest waiting first."""
    found: list[Held] = []
    crowds: dict[tuple[int, str, str], list[Follow]] = {}
    for follow in follows.waiting(session):
        if follow.state is not FollowState.HELD:
            continue
        if follow.reason in _CROWDS:
            crowds.setdefault((follow.mailbox_id, follow.reason, follow.route), []).append(follow)
        else:
            found.append(_single(session, follow))
    found += [_crowd(session, members) for members in crowds.values()]
    for entry in publications.held_entries(session):
        owner = _follow_of(session, entry)
        if owner is not None and owner.state in follows.OPEN:
            # What is not followed any more asks nothing; followed again, it asks again.
            found.append(_entry(session, entry, owner))
    return sorted(found, key=lambda item: (item.since, item.id))


def answer(store: Store, item_id: str, choice: str, now: datetime) -> Held:
    """Carry out a person's answer and make what it is about due at once; return what was answered.

    Raises:
        BridgeError: no such question waits, or the choice is none of its choices.
    """
    with store.write() as session:
        item = next((item for item in held(session) if item.id == item_id), None)
        if item is None:
            raise BridgeError(f'Nothing waits under "{item_id}". See: mailbridge held')
        if choice not in item.choices:
            raise BridgeError(f'"{choice}" is no answer to this. Use {_listed(item.choices)}.')
        if item.reason in _CROWDS:
            _answer_crowd(session, item, choice, now)
        else:
            _answer_one(session, item, choice, now)
        account = accounts.by_address(session, item.address)
        events.tell(
            session,
            now,
            "answered",
            route=item.route,
            account_id=account.id if account else None,
            thread_id=item.threads[0] if len(item.threads) == 1 else "",
            cause=item.reason,
            outcome=f"{choice} ({len(item.threads)})",
        )
        return item


def _answer_crowd(session: Session, item: Held, choice: str, now: datetime) -> None:
    box = _box_of(session, item.address)
    for thread_id in item.threads:
        for follow in follows.of_thread(session, box.id or 0, thread_id):
            if follow.route != item.route or follow.state is not FollowState.HELD or follow.reason != item.reason:
                continue
            follow.answer, follow.question, follow.since = choice, "", now
            if choice == "publish":
                follow.state, follow.not_before, follow.detail = FollowState.FOLLOWING, now, ""
                threads.wake(session, box.id or 0, thread_id, now)
            else:
                follow.state = FollowState.IGNORED
                follow.detail = "Left alone, as its person chose."
    mailboxes.due_now(session, box.id or 0, now)


def _answer_one(session: Session, item: Held, choice: str, now: datetime) -> None:
    box = _box_of(session, item.address)
    for entry in publications.held_entries(session):
        if entry.key == item.id:
            _release(session, entry, choice, now)
    for follow in follows.of_thread(session, box.id or 0, item.threads[0]):
        if follow.state is FollowState.HELD and follow.route == item.route and follow.reason == item.reason:
            follow.answer, follow.question, follow.since = choice, "", now
            follow.state = FollowState.FOLLOWING if choice == "publish" else FollowState.IGNORED
            follow.detail = "" if choice == "publish" else "Left out, as its person chose."
    threads.wake(session, box.id or 0, item.threads[0], now)
    mailboxes.due_now(session, box.id or 0, now)


def _release(session: Session, entry: Entry, choice: str, now: datetime) -> None:
    """A released entry comes last; its date says when it was written."""
    entry.answer, entry.question, entry.since = choice, "", now
    if choice == "publish":
        entry.state = EntryState.PLANNED
        entry.ordinal = 1 + max(other.ordinal for other in publications.entries(session, entry.publication_id))
    else:
        entry.state = EntryState.GIVEN_UP


def _single(session: Session, follow: Follow) -> Held:
    return Held(
        id=follow.thread_id,
        address=session.get_one(Mailbox, follow.mailbox_id).address,
        reason=follow.reason,
        detail=follow.detail,
        question=follow.question,
        choices=ONE_CHOICES,
        since=follow.since,
        route=follow.route,
        threads=(follow.thread_id,),
        subject=follow.subject,
    )


def _crowd(session: Session, members: Sequence[Follow]) -> Held:
    first = members[0]
    address = session.get_one(Mailbox, first.mailbox_id).address
    many = f"{len(members)} threads" if len(members) > 1 else "1 thread"
    verb = "were" if len(members) > 1 else "was"
    cause = f"that {verb} labelled {'before you connected' if first.reason == 'backlog' else 'in one go'}"
    return Held(
        id=f"{first.reason}:{address}:{first.route}",
        address=address,
        reason=first.reason,
        detail=f"{many} {cause}.",
        question="Publish them, publish only where something new comes, or ignore them?",
        choices=CROWD_CHOICES,
        since=first.since,
        route=first.route,
        threads=tuple(member.thread_id for member in members),
        subject="",
    )


def _follow_of(session: Session, entry: Entry) -> Follow | None:
    return next(
        (
            f
            for f in follows.of_publication(session, entry.publication_id)
            if f.mailbox_id == entry.mailbox_id and f.thread_id == entry.thread_id
        ),
        None,
    )


def _entry(session: Session, entry: Entry, follow: Follow) -> Held:
    return Held(
        id=entry.key,
        address=session.get_one(Mailbox, entry.mailbox_id).address,
        reason=entry.reason,
        detail=entry.detail,
        question=entry.question,
        choices=ONE_CHOICES,
        since=entry.since,
        route=follow.route,
        threads=(entry.thread_id,),
        subject=follow.subject,
    )


def _box_of(session: Session, address: str) -> Mailbox:
    account = accounts.by_address(session, address)
    box = mailboxes.by_account(session, account.id or 0) if account else None
    if box is None:
        raise BridgeError(f"{address} has no mailbox here any more.")
    return box


def _listed(choices: Sequence[str]) -> str:
    return ", ".join(f'"{choice}"' for choice in choices[:-1]) + f' or "{choices[-1]}"'
