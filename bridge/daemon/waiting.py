"""Everything that waits: for whom or for what, since when, and what would move it. Pure; it only reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlmodel import Session

from bridge.daemon import words
from bridge.store import accounts, figures, follows, grants, mailboxes, pauses, threads
from bridge.store.tables import Account, Follow, FollowState, Grant, GrantState, Mailbox, Publication, TouchedThread
from bridge.sync.held import Held, held
from bridge.sync.mailbox import PERSON_AGAIN
from bridge.sync.observed import is_observed
from bridge.sync.orders import scope_of_pause

Whose = Literal["person", "operator", "time"]

PROVIDERS = {"google": "Gmail", "atlassian": "Confluence"}
ASKED = ("backlog", "brake", "narrow reply", "blind copy", "vanished")
"""The reasons of what ``mailbridge answer`` decides."""

_CROWDS = {"backlog": "labelled before connecting", "brake": "labelled in one go"}
_QUESTIONS = {
    "narrow reply": "publish or leave out a reply that did not go to everybody",
    "blind copy": "publish or leave out a mail that came as a blind copy",
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that does not go on at once.

    ``whose`` says whose move it is: the person's whose mail it is, the operator's, or nobody's but time's. ``address``
    is '' where it is everybody's, ``thread_id`` '' where it is all that the address (or ``route``) has. ``id`` is what
    to name it by: a thread, what ``mailbridge answer`` takes, or "(all of ada's)". ``reason`` is a word for programs,
    ``what`` the words for people. ``until`` is when it is taken up again by itself, None for never.
    """

    address: str
    thread_id: str
    since: datetime
    whose: Whose
    what: str
    reason: str
    id: str
    until: datetime | None = None
    route: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """An account with its grants, by provider, and its mailbox."""

    account: Account
    grants: Mapping[str, Grant]
    box: Mailbox | None

    @property
    def ended(self) -> tuple[Grant, ...]:
        """The grants that only a new consent brings back."""
        return tuple(grant for grant in self.grants.values() if grant.state is GrantState.NEEDS_CONSENT)

    @property
    def name(self) -> str:
        """The first name, else what stands before the @ of the address."""
        known = self.account.name.split()
        return known[0] if known else words.upper_first(local_part(self.account.address))


def people(session: Session) -> dict[str, Person]:
    """Return the people who have connected anything, by address."""
    held_grants: dict[int, dict[str, Grant]] = {}
    for grant in grants.everyone(session):
        held_grants.setdefault(grant.account_id, {})[grant.provider] = grant
    boxes = {box.account_id: box for box in mailboxes.everyone(session)}
    return {
        account.address: Person(account, held_grants.get(account.id or 0, {}), boxes.get(account.id or 0))
        for account in accounts.everyone(session)
        if account.id in held_grants
    }


def waiting(session: Session, now: datetime) -> list[Waiting]:
    """Return all that waits, the longest waiting first.

    What belongs to a person who is paused or must connect again is told once, for all of theirs.
    """
    everyone = people(session)
    whole = [*_paused(session, everyone, now), *(row for one in everyone.values() for row in _connections(one))]
    covered = {row.address for row in whole if row.address}
    active = {address: one for address, one in everyone.items() if address not in covered}
    found = [*whole, *(row for one in active.values() for row in _mailbox(one))]
    for item in held(session):
        if item.address in active:
            found += _question(item, active[item.address])
    found += _threads(session, active, now)
    return sorted(found, key=lambda row: (row.since, row.id))


def local_part(address: str) -> str:
    """Return what stands before the @."""
    return address.partition("@")[0]


def _paused(session: Session, everyone: Mapping[str, Person], now: datetime) -> list[Waiting]:
    """Return what people paused, and what a provider asked to leave alone for a while."""
    found: list[Waiting] = []
    for row in pauses.in_force(session, now):
        if not row.ordered:
            found.append(Waiting("", "", row.since, "time", row.why, "service paused", row.scope, row.until))
            continue
        scope = scope_of_pause(session, row)
        address = scope.words if scope.account_id is not None else ""
        name = f"(all of {local_part(address)}'s)" if address else f"({scope.words})"
        what = f"paused {row.why}. Go on: mailbridge resume {scope.option}"
        found.append(Waiting(address, "", row.since, "operator", what, "paused", name, row.until, scope.route))
    told = {row.address for row in found}
    for address, one in everyone.items():
        if one.account.paused and address not in told:
            what = f"paused. Go on: mailbridge resume --account {address}"
            name = f"(all of {local_part(address)}'s)"
            found.append(Waiting(address, "", one.account.created_at, "operator", what, "paused", name))
    return found


def _connections(person: Person) -> list[Waiting]:
    """Return one row for a person who must connect something, or must do it again."""
    address = person.account.address
    command = f"mailbridge connect {address}"
    whole = f"(all of {local_part(address)}'s)"
    if person.ended:
        ended = {grant.provider for grant in person.ended}
        what = " and ".join(shown for provider, shown in PROVIDERS.items() if provider in ended)
        when = min(grant.state_since for grant in person.ended)
        said = f"{person.name}: reconnect {what}: {command}"
        return [Waiting(address, "", when, "person", said, "needs consent", whole)]
    missing = [shown for provider, shown in PROVIDERS.items() if provider not in person.grants]
    if not missing:
        return []
    when = max(grant.connected_at for grant in person.grants.values())
    said = f"{person.name}: connect {' and '.join(missing)} too: {command}"
    return [Waiting(address, "", when, "person", said, "not connected", whole)]


def _mailbox(person: Person) -> list[Waiting]:
    """Return one row for a mailbox that could not be read."""
    box = person.box
    if box is None or not box.reason:
        return []
    whole = f"(all of {local_part(box.address)}'s)"
    since = box.looked_at or box.due_at
    # No fault of a service puts a mailbox off for so long: somebody must allow that it is read.
    whose: Whose = "person" if box.due_at - since > PERSON_AGAIN / 2 else "time"
    said = f"{person.name}: {box.reason}" if whose == "person" else box.reason
    return [Waiting(box.address, "", since, whose, said, "mailbox not read", whole, box.due_at)]


def _question(item: Held, person: Person) -> list[Waiting]:
    """Return a row for each thread that a question is about, one for a whole mailbox; all have the id to answer."""
    if item.reason in _CROWDS:
        many = words.count(len(item.threads), "thread")
        move = f"publish {many} {_CROWDS[item.reason]}, only what is new, or none"
    else:
        move = _QUESTIONS.get(item.reason) or f"{item.detail} {item.question}".strip()
    said = f"{person.name}: {move}"
    return [
        Waiting(item.address, one, item.since, "person", said, item.reason, item.id, None, item.route, item.subject)
        for one in item.threads or ("",)
    ]


def _threads(session: Session, active: Mapping[str, Person], now: datetime) -> list[Waiting]:
    """Return the threads that wait for somebody, for a service, for their time; and those that nothing would move."""
    by_box = {one.box.id or 0: one for one in active.values() if one.box}
    resting = {row.scope for row in pauses.in_force(session, now) if row.ordered}
    queue = {(row.mailbox_id, row.thread_id): row for box_id in by_box for row in threads.of_mailbox(session, box_id)}
    found: list[Waiting] = []
    for follow in follows.waiting(session):
        person = by_box.get(follow.mailbox_id)
        row = queue.pop((follow.mailbox_id, follow.thread_id), None)
        if person is not None and follow.state is FollowState.NEEDS_SOMEBODY:
            found.append(_needs_somebody(follow, person, row))
    for follow, publication in figures.unfinished(session):
        person = by_box.get(follow.mailbox_id)
        row = queue.pop((follow.mailbox_id, follow.thread_id), None)
        if person is not None and not is_observed(follow.reason):
            at_rest = {pauses.ALL, pauses.of_route(follow.route)} & resting
            found.append(_unfinished(follow, publication, person, row, now, at_rest=bool(at_rest)))
    for row in queue.values():
        if row.failures or row.tries:
            address = by_box[row.mailbox_id].account.address
            found.append(_row(address, row.thread_id, row.due_at, _why_queued(row, None, now), "queued", row))
    return found


def _needs_somebody(follow: Follow, person: Person, row: TouchedThread | None) -> Waiting:
    """Say a person's move; what is told to them as "You may not ..." is told of them here."""
    said = follow.detail.removeprefix("You ").rstrip(".") or follow.reason
    return Waiting(
        person.account.address,
        follow.thread_id,
        follow.since,
        "operator" if follow.reason == "nobody" else "person",
        f"{person.name}: {said}",
        follow.reason,
        follow.thread_id,
        row.due_at if row is not None else follow.next_try_at,
        follow.route,
        follow.subject,
    )


def _unfinished(
    follow: Follow,
    publication: Publication | None,
    person: Person,
    row: TouchedThread | None,
    now: datetime,
    *,
    at_rest: bool,
) -> Waiting:
    address = person.account.address
    if row is not None and at_rest:
        what, thread = "writing is paused", follow.thread_id
        return Waiting(address, thread, follow.since, "time", what, "at rest", thread, None, follow.route)
    if row is None:
        what = f"nothing would take it up again. Do it: mailbridge retry {follow.thread_id}"
        return Waiting(
            address, follow.thread_id, follow.since, "operator", what, "stuck", follow.thread_id, None, follow.route
        )
    reason = "put off" if publication is not None and publication.tries else "queued"
    what = (publication.detail if publication is not None else "") or _why_queued(row, follow, now)
    return _row(address, follow.thread_id, follow.since, what, reason, row, follow.route)


def _row(
    address: str, thread_id: str, since: datetime, what: str, reason: str, row: TouchedThread, route: str = ""
) -> Waiting:
    if row.failures or row.tries > 1:
        reason = "put off"
    return Waiting(address, thread_id, since, "time", what, reason, thread_id, row.due_at, route)


def _why_queued(row: TouchedThread, follow: Follow | None, now: datetime) -> str:
    if row.failures:
        return f"a service failed {words.count(row.failures, 'time')} in a row; it is tried again"
    if row.tries:
        return f"its mail was begun {words.count(row.tries, 'time')} and not finished; it is tried again"
    if follow is not None and follow.publication_id is None and follow.not_before > now:
        return "its label was seen a moment ago; taken off now, nothing would be published"
    return "it is to be looked at"


def grouped(rows: Iterable[Waiting]) -> list[Waiting]:
    """Return one row of those that say the same under one id: a question about a crowd is one for people."""
    found: dict[tuple[str, str, str], Waiting] = {}
    for row in rows:
        found.setdefault((row.id, row.address, row.what), row)
    return list(found.values())
