"""The planner: what must become of a thread, as data. Pure; nothing here reads a clock, a table or a network.

For each route it answers three questions: does this thread (still) belong to it, is something in the way that a person
must decide or that time will settle, and which messages lack an entry. ``bridge.sync.apply`` writes the answer to the
tables, ``bridge.sync.publish`` acts on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from bridge.config import Route
from bridge.model import Message
from bridge.store.tables import EntryState, FollowState, PublicationState
from bridge.sync.people import blind_copy, left_out, names, not_there
from bridge.sync.situation import KnownEntry, KnownFollow, KnownPublication, NoPlace, Place, Situation

Where = Literal["nowhere", "own", "new", "join"]

_BLOCKING = ("backlog", "brake")
_NOT_SHOWN = (EntryState.HELD, EntryState.GIVEN_UP)
_PLACE_AGAIN = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A message that gets an entry: the body of a new publication, or what follows it."""

    message_key: str
    message_id: str
    sent_on: datetime
    state: EntryState = EntryState.PLANNED
    reason: str = ""
    detail: str = ""
    question: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A message that gets no entry, and why; told by ``explain``."""

    message_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a thread under one route.

    ``forget`` means that the follow goes as if it had never been (a label that was taken off in time). ``where`` says
    which publication the entries belong to: the follow's own, a new one at ``place`` for ``audience``, or one that is
    joined. ``look_again_at`` is when the thread must be looked at again although nothing changed.
    """

    route: str
    state: FollowState = FollowState.FOLLOWING
    reason: str = ""
    detail: str = ""
    question: str = ""
    forget: bool = False
    where: Where = "nowhere"
    publication_id: int | None = None
    place: Place | None = None
    audience: str = ""
    entries: tuple[NewEntry, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    look_again_at: datetime | None = None


def plan(situation: Situation) -> tuple[Decision, ...]:
    """Decide for every route that follows the thread, or whose label stands on it."""
    decided = tuple(
        _later(situation, _decide(situation, route, follow))
        for route in situation.routes
        if (follow := situation.follows.get(route.name)) is not None
    )
    return decided + _without_route(situation)


def needs_place(situation: Situation) -> tuple[Route, ...]:
    """Return the routes whose place must be known before ``plan``: labelled, not held, nothing written yet."""
    return tuple(
        route
        for route in situation.routes
        if (follow := situation.follows.get(route.name)) is not None
        and follow.publication is None
        and _labelled(situation, route)
        and not _waits(situation, follow)
    )


def _decide(situation: Situation, route: Route, follow: KnownFollow) -> Decision:
    if route.name not in situation.labels:
        return _stopped(
            follow, route, "label gone", f"The label {route.label} does not exist in this mailbox any more."
        )
    counts = _labelled(situation, route)
    if not counts and follow.publication is not None:
        return _stopped(follow, route, "label removed", f"Stopped: the label {route.label} was taken off.")
    if not counts and not _labelled_aside(situation, route):
        return Decision(route=route.name, forget=True)
    waits = _waits(situation, follow)
    if waits is not None:
        return waits
    messages, skipped = _visible(situation, route)
    if not messages or not counts:
        return Decision(
            route=route.name,
            where="own" if follow.publication else "nowhere",
            publication_id=follow.publication.id if follow.publication else None,
            reason="nothing to publish",
            detail="Nothing to publish: every mail of the thread is a draft, in the trash, automatic, or dated ahead.",
            skipped=skipped,
        )
    if follow.publication is not None:
        return _grow(situation, route, follow.publication, messages, skipped, where="own")
    return _first(situation, route, follow, messages, skipped)


def _later(situation: Situation, decision: Decision) -> Decision:
    """Have a thread looked at again when a message comes due that Gmail dates ahead (a scheduled one)."""
    ahead = [message.date for message in situation.thread.messages if message.date > situation.now]
    if not ahead or decision.state is not FollowState.FOLLOWING or decision.forget:
        return decision
    times = [*ahead, *([decision.look_again_at] if decision.look_again_at else [])]
    return replace(decision, look_again_at=min(times))


def _first(
    situation: Situation,
    route: Route,
    follow: KnownFollow,
    messages: Sequence[Message],
    skipped: tuple[Skipped, ...],
) -> Decision:
    """Decide for a thread that has no publication yet."""
    joined = situation.joinable.get(route.name)
    if joined is not None:
        return _grow(situation, route, joined, messages, skipped, where="join")
    if not _asked_already(follow) and blind_copy(messages[0], situation.owner):
        return Decision(
            route=route.name,
            state=FollowState.HELD,
            reason="blind copy",
            detail="You stand in no header of this mail: publishing it shows that you had it.",
            question="Publish it all the same?",
            skipped=skipped,
        )
    place = situation.places.get(route.name)
    if place is None or isinstance(place, NoPlace):
        return Decision(
            route=route.name,
            state=FollowState.NEEDS_SOMEBODY,
            reason="no place",
            detail=place.detail if place is not None else "The place of this route is not known yet.",
            skipped=skipped,
            look_again_at=situation.now + _PLACE_AGAIN,
        )
    entries = _entries(situation, route, messages, None, released=_asked_already(follow))
    return Decision(
        route=route.name,
        where="new",
        place=place,
        audience=situation.audiences.get(route.name, ""),
        entries=entries,
        skipped=skipped,
    )


def _asked_already(follow: KnownFollow) -> bool:
    """Say whether the person released this thread itself; an answer about a whole crowd is none about a blind copy."""
    return follow.answer == "publish" and follow.state is not FollowState.HELD and follow.reason not in _BLOCKING


def _grow(
    situation: Situation,
    route: Route,
    publication: KnownPublication,
    messages: Sequence[Message],
    skipped: tuple[Skipped, ...],
    *,
    where: Where,
) -> Decision:
    """Decide which messages a publication lacks; its own writer goes first where that person can write."""
    if publication.state is PublicationState.REMOVED:
        return Decision(
            route=route.name,
            state=FollowState.STOPPED,
            reason="removed in Confluence",
            detail="Removed in Confluence; nothing is written again.",
            where=where,
            publication_id=publication.id,
            skipped=skipped,
        )
    entries = _entries(situation, route, messages, publication)
    new = tuple(entry for entry in entries if publication.entry(entry.message_key) is None)
    missing = {message.key: message for message in messages}
    yields = tuple(
        entry
        for entry in new
        if not publication.mine
        and publication.writer_able
        and publication.writer in missing[entry.message_key].people
        and missing[entry.message_key].date + timedelta(seconds=situation.look_again) > situation.now
    )
    again = situation.now + timedelta(seconds=situation.look_again) if yields else None
    ready = new[: new.index(yields[0])] if yields else new
    return Decision(
        route=route.name,
        where=where,
        publication_id=publication.id,
        entries=ready,
        skipped=skipped,
        look_again_at=again,
    )


def _entries(
    situation: Situation,
    route: Route,
    messages: Sequence[Message],
    publication: KnownPublication | None,
    *,
    released: bool = False,
) -> tuple[NewEntry, ...]:
    """Return an entry for each message; with ``replies = "none"`` only the first has one.

    ``released`` says that the person, asked about a blind copy, let the whole thread go: it is not asked about again.
    """
    made: list[NewEntry] = []
    earlier: list[Message] = []
    seen: set[str] = set()
    for message in messages:
        if message.key in seen:
            continue
        seen.add(message.key)
        known = publication.entry(message.key) if publication else None
        is_body = known.ordinal == 0 if known else (publication is None and not made)
        if not is_body and route.replies == "none":
            continue
        entry = _entry(situation, message, earlier, is_body=is_body, known=known, released=released)
        made.append(entry)
        if entry.state is EntryState.PLANNED and not (known and known.state in _NOT_SHOWN):
            # Who got a mail that is not on the page missed nothing on it.
            earlier.append(message)
    return tuple(entry for entry in made if entry.state is not EntryState.GIVEN_UP)


def _entry(
    situation: Situation,
    message: Message,
    earlier: Sequence[Message],
    *,
    is_body: bool,
    known: KnownEntry | None,
    released: bool,
) -> NewEntry:
    entry = NewEntry(message_key=message.key, message_id=message.gmail_id, sent_on=message.date)
    if is_body or known is not None:
        return entry
    missed = left_out(message, earlier)
    if missed and situation.narrow_replies != "publish":
        return NewEntry(
            message_key=message.key,
            message_id=message.gmail_id,
            sent_on=message.date,
            state=EntryState.HELD if situation.narrow_replies == "hold" else EntryState.GIVEN_UP,
            reason="narrow reply",
            detail=f"This reply did not go to {names(missed)}.",
            question="Publish it, or leave it out?",
        )
    if not released and blind_copy(message, situation.owner):
        return NewEntry(
            message_key=message.key,
            message_id=message.gmail_id,
            sent_on=message.date,
            state=EntryState.HELD,
            reason="blind copy",
            detail="You stand in no header of this mail: publishing it shows that you had it.",
            question="Publish it, or leave it out?",
        )
    return entry


def _visible(situation: Situation, route: Route) -> tuple[list[Message], tuple[Skipped, ...]]:
    """Part a thread's messages into those that are published and those that are skipped."""
    shown: list[Message] = []
    skipped: list[Skipped] = []
    for message in situation.thread.messages:
        why = not_there(message, situation.now)
        if not why and message.automatic and route.pages.skip_automatic:
            why = f"automatic mail: {message.automatic}"
        if why:
            skipped.append(Skipped(message.gmail_id, why))
        else:
            shown.append(message)
    return shown, tuple(skipped)


def _labelled(situation: Situation, route: Route) -> bool:
    """Say whether a message that counts has the route's label: a thread is under it if one of its messages is."""
    label = situation.labels.get(route.name)
    return any(
        label in message.label_ids
        for message in situation.thread.messages
        if not message.label_ids & {"TRASH", "SPAM", "DRAFT"}
    )


def _labelled_aside(situation: Situation, route: Route) -> bool:
    """Say whether only a message that does not count has the label: one in the trash, in spam, or a draft."""
    label = situation.labels.get(route.name)
    return any(label in message.label_ids for message in situation.thread.messages)


def _waits(situation: Situation, follow: KnownFollow) -> Decision | None:
    """Return the decision for a follow that waits for time or for an answer; None where nothing is in the way."""
    if follow.state is FollowState.IGNORED and not (follow.answer == "new" and _news(situation, follow.since)):
        return Decision(route=follow.route, state=FollowState.IGNORED, reason=follow.reason)
    if follow.state is FollowState.TAKEN_DOWN:
        return Decision(route=follow.route, state=FollowState.TAKEN_DOWN, reason=follow.reason)
    if follow.state is FollowState.HELD and follow.reason in _BLOCKING:
        return Decision(route=follow.route, state=FollowState.HELD, reason=follow.reason)
    if follow.publication is None and situation.now < follow.not_before:
        return Decision(route=follow.route, reason="wait", look_again_at=follow.not_before)
    return None


def _news(situation: Situation, since: datetime) -> bool:
    return any(message.date > since and not not_there(message, situation.now) for message in situation.thread.messages)


def _stopped(follow: KnownFollow, route: Route, reason: str, detail: str) -> Decision:
    own = follow.publication
    return Decision(
        route=route.name,
        state=FollowState.STOPPED,
        reason=reason,
        detail=detail,
        where="own" if own else "nowhere",
        publication_id=own.id if own else None,
    )


def _without_route(situation: Situation) -> tuple[Decision, ...]:
    """Decide for follows whose route is not in the configuration any more: their pages stay as they are."""
    names_now = {route.name for route in situation.routes}
    return tuple(
        Decision(
            route=follow.route,
            state=FollowState.STOPPED,
            reason="no route",
            detail=f'Stopped: the configuration has no route "{follow.route}" any more.',
            where="own" if follow.publication else "nowhere",
            publication_id=follow.publication.id if follow.publication else None,
        )
        for name, follow in situation.follows.items()
        if name not in names_now
    )
