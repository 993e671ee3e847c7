"""What people order about the bridge itself: to rest and to go on, to try again, to let a thread go. Tables only.

Each order is one transaction of its caller's, leaves an event that says who gave it, and is in force when that
transaction is: the daemon reads it before its next write.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from bridge.config import Settings
from bridge.errors import BridgeError
from bridge.store import accounts, events, figures, followers, follows, mailboxes, pauses, publications, threads
from bridge.store.tables import EntryState, Follow, FollowState, Mailbox, Pause, Publication


@dataclass(frozen=True, slots=True)
class Scope:
    """What rests.

    ``key`` is the scope in the table of pauses, ``words`` names it for people, ``option`` is how the command line says
    it. ``account_id`` is there for a person, ``route`` for a route.
    """

    key: str
    words: str
    option: str
    account_id: int | None = None
    route: str = ""


def scope_of(session: Session, settings: Settings, *, everything: bool, route: str, address: str) -> Scope:
    """Return the one scope that an order names.

    Raises:
        BridgeError: none or several are named, or the route or person is not known.
    """
    if sum((everything, bool(route), bool(address))) != 1:
        raise BridgeError("Say what: --all, --route NAME or --account ADDRESS.")
    if everything:
        return Scope(pauses.ALL, "all writing", "--all")
    if route:
        known = settings.route(route) is not None or pauses.lasting(session, pauses.of_route(route))
        if not known:
            raise BridgeError(f'The configuration has no route "{route}". See: mailbridge config show')
        return Scope(pauses.of_route(route), f'route "{route}"', f"--route {route}", route=route)
    account = accounts.by_address(session, address.lower())
    if account is None or account.id is None:
        raise BridgeError(f"{address} is not connected here. See: mailbridge accounts list")
    return Scope(pauses.of_account(account.id), account.address, f"--account {account.address}", account_id=account.id)


def scope_of_pause(session: Session, pause: Pause) -> Scope:
    """Return the scope of a pause that a person ordered."""
    kind, _, name = pause.scope.partition(":")
    if kind == "route":
        return Scope(pause.scope, f'route "{name}"', f"--route {name}", route=name)
    if kind == "account":
        address = accounts.by_id(session, int(name)).address
        return Scope(pause.scope, address, f"--account {address}", account_id=int(name))
    return Scope(pauses.ALL, "all writing", "--all")


def pause(session: Session, scope: Scope, now: datetime, *, who: str, why: str = "") -> bool:
    """Write nothing more in a scope until it is lifted; return False where it rests already.

    Mail is still looked at, and what it asks for is planned: nothing is lost meanwhile.
    """
    told = f"by {who}: {why}" if why else f"by {who}"
    if not pauses.put(session, scope.key, now, why=told, ordered=True):
        return False
    _mark_account(session, scope, paused=True)
    if scope.account_id is not None:
        followers.call_for(session, scope.account_id, now)
    events.tell(
        session, now, "paused", route=scope.route, account_id=scope.account_id, cause=f"by {who}", outcome=scope.key
    )
    return True


def resume(session: Session, scope: Scope, now: datetime, *, who: str) -> bool:
    """Go on in a scope and make due what waited for it; return False where nothing rested."""
    rested = pauses.lift(session, scope.key)
    if scope.account_id is not None:
        rested = accounts.by_id(session, scope.account_id).paused or rested
    if not rested:
        return False
    _mark_account(session, scope, paused=False)
    events.tell(
        session, now, "resumed", route=scope.route, account_id=scope.account_id, cause=f"by {who}", outcome=scope.key
    )
    boxes = mailboxes.everyone(session)
    if scope.account_id is not None:
        boxes = [box for box in boxes if box.account_id == scope.account_id]
    for box in boxes:
        wanted = _under_route(session, box, scope.route) if scope.route else None
        if wanted is None or wanted:
            threads.wake_queued(session, box.id or 0, now, wanted)
            mailboxes.due_now(session, box.id or 0, now)
    return True


@dataclass(frozen=True, slots=True)
class Retried:
    """What came of an order to try again: the threads that are due now, and those that wait for an answer instead."""

    threads: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()


def failing(session: Session, *, account_id: int | None = None) -> list[Follow]:
    """Return the follows that wait for somebody or for a service, of everybody or of one person."""
    found = [follow for follow in follows.waiting(session) if follow.state is FollowState.NEEDS_SOMEBODY]
    found += [follow for follow, _ in figures.unfinished(session)]
    if account_id is None:
        return found
    box = mailboxes.by_account(session, account_id)
    return [follow for follow in found if box is not None and follow.mailbox_id == box.id]


def retry(session: Session, wanted: Sequence[Follow], now: datetime, *, who: str) -> Retried:
    """Make due now what waits for somebody or for a service; nothing that took effect is written again.

    What was refused for good and stands as plain words only in the plan is rendered whole once more. Whatever waits
    for an answer goes on waiting for it.
    """
    due = [follow for follow in wanted if follow.state in (FollowState.FOLLOWING, FollowState.NEEDS_SOMEBODY)]
    for follow in due:
        follow.next_try_at = None
        if follow.publication_id is not None:
            _begin_anew(session, session.get_one(Publication, follow.publication_id))
        threads.retry(session, follow.mailbox_id, follow.thread_id, now)
        mailboxes.due_now(session, follow.mailbox_id, now)
        _tell(session, follow, "retried", now, who)
    asked = [follow.thread_id for follow in wanted if _waits_for_an_answer(session, follow)]
    return Retried(tuple(dict.fromkeys(follow.thread_id for follow in due)), tuple(dict.fromkeys(asked)))


def forget(session: Session, wanted: Iterable[Follow], now: datetime, *, who: str) -> list[Follow]:
    """Stop following; what stands in Confluence stays. Return what was followed until now.

    The label on such a thread means nothing until it was taken off and put on again.
    """
    stopped = [follow for follow in wanted if follow.state not in (FollowState.IGNORED, FollowState.TAKEN_DOWN)]
    for follow in stopped:
        follow.state, follow.reason, follow.answer, follow.since = FollowState.IGNORED, follows.FORGOTTEN, "ignore", now
        follow.detail = "Not followed any more, as was ordered. What was published stays."
        follow.question, follow.next_try_at = "", None
        if not any(other.state in follows.OPEN for other in _siblings(session, follow)):
            threads.drop(session, follow.mailbox_id, follow.thread_id)
        if follow.publication_id is not None:
            followers.call_if_unfinished(session, follow.publication_id, now, but=follow.mailbox_id)
        _tell(session, follow, "forgotten", now, who)
    return stopped


def follow_again(session: Session, wanted: Iterable[Follow], now: datetime, *, who: str) -> list[Follow]:
    """Take back an order to forget; return what is followed again."""
    found = [follow for follow in wanted if follow.state is FollowState.IGNORED and follow.reason == follows.FORGOTTEN]
    for follow in found:
        follow.state, follow.reason, follow.detail, follow.answer = FollowState.FOLLOWING, "", "", ""
        follow.since, follow.not_before, follow.history_id = now, now, 0
        threads.wake(session, follow.mailbox_id, follow.thread_id, now)
        mailboxes.due_now(session, follow.mailbox_id, now)
        _tell(session, follow, "followed again", now, who)
    return found


def _siblings(session: Session, follow: Follow) -> list[Follow]:
    return [one for one in follows.of_thread(session, follow.mailbox_id, follow.thread_id) if one.id != follow.id]


def _waits_for_an_answer(session: Session, follow: Follow) -> bool:
    """Say whether a thread, or a mail of it, is held."""
    entries = publications.entries(session, follow.publication_id) if follow.publication_id is not None else []
    mine = [one for one in entries if (one.mailbox_id, one.thread_id) == (follow.mailbox_id, follow.thread_id)]
    is_held = follow.state is FollowState.HELD or any(one.state is EntryState.HELD for one in mine)
    return is_held and follow.state in follows.OPEN


def _begin_anew(session: Session, publication: Publication) -> None:
    publication.tries, publication.next_try_at = 0, None
    for entry in publications.entries(session, publication.id or 0):
        if entry.state is EntryState.PLANNED:
            entry.fallback = False


def _tell(session: Session, follow: Follow, what: str, now: datetime, who: str) -> None:
    box = session.get_one(Mailbox, follow.mailbox_id)
    events.tell(
        session,
        now,
        what,
        route=follow.route,
        account_id=box.account_id,
        thread_id=follow.thread_id,
        cause=f"by {who}",
    )


def _mark_account(session: Session, scope: Scope, *, paused: bool) -> None:
    if scope.account_id is not None:
        accounts.by_id(session, scope.account_id).paused = paused


def _under_route(session: Session, box: Mailbox, route: str) -> set[str]:
    """Return the mailbox's threads under a route, by whatever route a page that they share was made."""
    return {follow.thread_id for follow in follows.of_mailbox(session, box.id or 0) if follow.route == route}
