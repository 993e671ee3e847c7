"""Detect: what history (or a full pass) says may have changed, saved with the new cursor in one transaction.

A thread without a routed label and without a follow is dropped here, unread. A follow begins here too, when a routed
label is first seen on a thread: that instant starts the wait, and many at once are braked before anything is fetched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from bridge.config import Settings
from bridge.config.names import label_key
from bridge.errors import NotFound
from bridge.gmail import Gmail, History
from bridge.store import events, follows, mailboxes, threads
from bridge.store.tables import Follow, FollowState, Mailbox
from bridge.sync.context import Bridge
from bridge.sync.observed import is_observed, reason_before

HISTORY_UNUSABLE = "history unusable"
_YOUNG_CURSOR = timedelta(hours=1)
_FULL_PASS_WITHOUT_HISTORY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A thread on which a routed label was seen, or whose labels are unknown.

    ``routes`` are the names of the routes whose label was seen, ``off`` those whose label was taken off;
    ``history_id`` is the largest of the thread's records.
    """

    thread_id: str
    history_id: int
    routes: frozenset[str] = frozenset()
    off: frozenset[str] = frozenset()
    unsure: bool = False


def detect(bridge: Bridge, box: Mailbox, gmail: Gmail, settings: Settings) -> bool:
    """Bring the queue of touched threads up to date; return whether anything was touched.

    Raises:
        errors.RemoteError: Gmail could not be asked; the cursor stays where it was.
    """
    now = bridge.clock.now()
    if _full_pass_due(box, settings, now):
        return _full_pass(bridge, box, gmail, settings)
    assert box.cursor is not None
    try:
        history = gmail.history(box.cursor)
    except NotFound:
        return _cursor_lost(bridge, box, gmail, settings)
    if not history.touched:
        if history.cursor != box.cursor:
            with bridge.store.write() as session:
                session.get_one(Mailbox, box.id).cursor = history.cursor
        return False
    labels = _labels(bridge, box, gmail, settings, history)
    sightings = [
        Sighting(
            thread_id=thread_id,
            history_id=touched.history_id,
            routes=frozenset(route for route, label in labels.items() if label in touched.label_ids),
            off=frozenset(route for route, label in labels.items() if label in touched.removed),
            unsure=touched.unsure,
        )
        for thread_id, touched in history.touched.items()
    ]
    with bridge.store.write() as session:
        row = session.get_one(Mailbox, box.id)
        row.cursor = history.cursor
        return _save(session, row, sightings, settings, now, backlog=False)


def route_labels(settings: Settings, names: Mapping[str, str]) -> dict[str, str]:
    """Return the label's Gmail id by route name; upper and lower case are the same. First route of a label wins.

    Args:
        settings: whose routes.
        names: the mailbox's labels, Gmail id -> name.
    """
    by_name = {label_key(name): gmail_id for gmail_id, name in names.items()}
    found: dict[str, str] = {}
    for route in settings.routes:
        label = by_name.get(route.label_key)
        if label is not None and label not in found.values():
            found[route.name] = label
    return found


def labels_key(settings: Settings) -> str:
    """Return the set of labels that the routes look for, as text that changes with it, and with the mode of safety.

    A change of it brings about a full pass: by that, what was only observed is seen anew when it is to be published.
    """
    marks = ["", settings.safety.mode] if settings.safety.mode != "publish" else []
    return "\n".join([*sorted({route.label_key for route in settings.routes}), *marks])


def _full_pass_due(box: Mailbox, settings: Settings, now: datetime) -> bool:
    if box.cursor is None or box.full_pass_at is None or box.labels_key != labels_key(settings):
        return True
    every = timedelta(seconds=settings.gmail.full_pass_every)
    return now - box.full_pass_at >= every or box.full_pass_at > now + every


def _full_pass(bridge: Bridge, box: Mailbox, gmail: Gmail, settings: Settings) -> bool:
    """Look at every labelled thread; the new cursor is the profile's, read before it."""
    profile = gmail.profile()
    now = bridge.clock.now()
    names = {label.id: label.name for label in gmail.labels()}
    labels = route_labels(settings, names)
    seen: dict[str, tuple[int, set[str]]] = {}
    for route, label in labels.items():
        for thread_id, history_id in gmail.threads_with_label(label):
            known = seen.setdefault(thread_id, (history_id, set()))
            known[1].add(route)
    sightings = [
        Sighting(thread_id=thread_id, history_id=history_id, routes=frozenset(routes))
        for thread_id, (history_id, routes) in seen.items()
    ]
    with bridge.store.write() as session:
        row = session.get_one(Mailbox, box.id)
        first = row.full_pass_at is None
        mailboxes.save_labels(session, row.id or 0, names, now)
        fresh = [*_unread_since(session, row, sightings, settings), *_no_longer_labelled(session, row, labels, seen)]
        touched = _save(session, row, fresh, settings, now, backlog=first)
        row.cursor, row.cursor_from_profile_at = profile.history_id, now
        row.full_pass_at, row.labels_key = now, labels_key(settings)
        return touched


def _cursor_lost(bridge: Bridge, box: Mailbox, gmail: Gmail, settings: Settings) -> bool:
    """Answer a 404 of the cursor by a full pass; one that is young again and again makes them 15 minutes apart."""
    now = bridge.clock.now()
    given = box.cursor_from_profile_at
    young = given is not None and now - given < _YOUNG_CURSOR
    if young and box.full_pass_at is not None and now - box.full_pass_at < _FULL_PASS_WITHOUT_HISTORY:
        return False
    with bridge.store.write() as session:
        events.tell(
            session,
            now,
            "cursor lost",
            account_id=box.account_id,
            cause=HISTORY_UNUSABLE if young else "history expired",
            outcome="full pass",
        )
    return _full_pass(bridge, box, gmail, settings)


def _labels(bridge: Bridge, box: Mailbox, gmail: Gmail, settings: Settings, history: History) -> dict[str, str]:
    """Return the routes' labels, asked anew when history names one that is not known."""
    with bridge.store.read() as session:
        known = {label.gmail_id: label.name for label in mailboxes.labels(session, box.id or 0) if not label.gone_at}
    if history.label_ids - known.keys():
        known = look_at_labels(bridge, box, gmail)
    return route_labels(settings, known)


def look_at_labels(bridge: Bridge, box: Mailbox, gmail: Gmail) -> dict[str, str]:
    """Ask Gmail for the mailbox's labels and remember them; return id -> name."""
    names = {label.id: label.name for label in gmail.labels()}
    with bridge.store.write() as session:
        mailboxes.save_labels(session, box.id or 0, names, bridge.clock.now())
    return names


def sighted(
    session: Session, box: Mailbox, thread_id: str, label_ids: frozenset[str], settings: Settings, now: datetime
) -> bool:
    """Begin the follows of a thread whose labels were not in its history record; return whether it has any.

    Args:
        session: a write session.
        box: the mailbox, of that session.
        thread_id: the thread.
        label_ids: what stands on its messages now.
        settings: whose routes.
        now: the instant.
    """
    names = {label.gmail_id: label.name for label in mailboxes.labels(session, box.id or 0) if not label.gone_at}
    routes = {route for route, label in route_labels(settings, names).items() if label in label_ids}
    _save(session, box, [Sighting(thread_id, 0, frozenset(routes))], settings, now, backlog=False)
    return bool(routes)


def _unread_since(session: Session, box: Mailbox, sightings: Iterable[Sighting], settings: Settings) -> list[Sighting]:
    """Leave out what was looked at since its last change: a full pass fetches nothing a second time."""
    listed = list(sightings)
    observing = settings.safety.mode == "observe"
    known = follows.of_threads(session, box.id or 0, [sighting.thread_id for sighting in listed])
    return [
        sighting
        for sighting in listed
        if sighting.routes
        - {
            f.route
            for f in known.get(sighting.thread_id, [])
            if _is_read(f, sighting) and (observing or not is_observed(f.reason))
        }
    ]


def _is_read(follow: Follow, sighting: Sighting) -> bool:
    """Say whether the last look saw what is there; one that stopped for want of its route or label goes on again."""
    stopped = follow.state is FollowState.STOPPED and follow.reason != "removed in Confluence"
    return follow.history_id >= sighting.history_id and not stopped


def _no_longer_labelled(
    session: Session, box: Mailbox, labels: Mapping[str, str], seen: Mapping[str, tuple[int, set[str]]]
) -> list[Sighting]:
    """Return the threads that are followed under a label that exists, and that the listing did not have."""
    return [
        Sighting(thread_id=follow.thread_id, history_id=0, off=frozenset({follow.route}))
        for follow in follows.of_mailbox(session, box.id or 0)
        if follow.state in (*follows.OPEN, FollowState.IGNORED)
        and follow.route in labels
        and follow.route not in seen.get(follow.thread_id, (0, set()))[1]
    ]


def _save(
    session: Session, box: Mailbox, sightings: list[Sighting], settings: Settings, now: datetime, *, backlog: bool
) -> bool:
    """Queue what matters and begin the follows of new sightings; the brake looks at all of them at once."""
    mailbox_id = box.id or 0
    known = follows.of_threads(session, mailbox_id, [sighting.thread_id for sighting in sightings])
    touched = False
    for sighting in sightings:
        mine = {follow.route: follow for follow in known.get(sighting.thread_id, [])}
        for route in sorted(sighting.routes):
            if route not in mine:
                mine[route] = _begin(session, box, sighting, route, settings, now, backlog=backlog)
            elif mine[route].state is FollowState.STOPPED:
                _resume(mine[route], settings, now)
            elif is_observed(mine[route].reason) and settings.safety.mode == "publish":
                _let_go(mine[route], settings, now)
        due = _due(mine.values(), sighting, now)
        if due is not None:
            threads.touch(
                session,
                mailbox_id,
                sighting.thread_id,
                history_id=sighting.history_id,
                due_at=due,
                unsure=not mine,
            )
            touched = True
    if not backlog:
        _brake(session, mailbox_id, settings, now)
    if touched:
        box.news_at = now
    return touched


def _begin(
    session: Session,
    box: Mailbox,
    sighting: Sighting,
    route: str,
    settings: Settings,
    now: datetime,
    *,
    backlog: bool,
) -> Follow:
    follow = Follow(
        mailbox_id=box.id or 0,
        thread_id=sighting.thread_id,
        route=route,
        state=FollowState.FOLLOWING,
        reason="wait",
        since=now,
        labelled_at=now,
        not_before=now + timedelta(seconds=settings.safety.wait),
    )
    events.tell(
        session,
        now,
        "label seen",
        route=route,
        account_id=box.account_id,
        thread_id=sighting.thread_id,
        cause=f"history {sighting.history_id}",
    )
    if backlog:
        choice = box.backlog if box.backlog != "ask" else settings.safety.backlog
        _answer_backlog(follow, choice, now)
    if follow.state is FollowState.HELD:
        follow.history_id = sighting.history_id  # it is not queued, so this is where it is kept
    session.add(follow)
    return follow


def _answer_backlog(follow: Follow, choice: str, now: datetime) -> None:
    follow.reason, follow.not_before = "backlog", now
    if choice == "publish":
        follow.answer = "publish"
    elif choice in ("ignore", "new"):
        follow.state, follow.answer = FollowState.IGNORED, choice
        follow.detail = "Labelled before its person connected; left alone as they chose."
    else:
        follow.state = FollowState.HELD
        follow.detail = "Labelled before you connected."
        follow.question = "Publish it, publish only when something new comes, or ignore it?"


def _resume(follow: Follow, settings: Settings, now: datetime) -> None:
    follow.state, follow.reason, follow.detail, follow.since = FollowState.FOLLOWING, "", "", now
    if follow.publication_id is None:
        follow.reason, follow.labelled_at, follow.answer = "wait", now, ""
        follow.not_before = now + timedelta(seconds=settings.safety.wait)


def _let_go(follow: Follow, settings: Settings, now: datetime) -> None:
    """Take a thread that was only observed so far for one that was labelled now; an answer that was given stands."""
    follow.reason = reason_before(follow.reason) or ("wait" if follow.publication_id is None else "")
    follow.detail, follow.since, follow.labelled_at = "", now, now
    follow.not_before = now + timedelta(seconds=settings.safety.wait)


def _due(mine: Iterable[Follow], sighting: Sighting, now: datetime) -> datetime | None:
    """Return when a thread must be looked at: None where nothing of it matters."""
    times = [
        max(now, follow.not_before) if follow.publication_id is None else now
        for follow in mine
        if _matters(follow, sighting)
    ]
    if times:
        return min(times)
    return now if sighting.unsure else None


def _matters(follow: Follow, sighting: Sighting) -> bool:
    """Say whether a change of its thread matters to a follow; what waits for an answer is not fetched for nothing."""
    if follow.state is FollowState.HELD and follow.reason in ("backlog", "brake"):
        return follow.route in sighting.off
    if follow.state is FollowState.IGNORED:
        return follow.answer == "new" or follow.route in sighting.off
    return follow.state in follows.OPEN


def _brake(session: Session, mailbox_id: int, settings: Settings, now: datetime) -> None:
    """Hold every new thread of a mailbox when more came in one go than the operator allows."""
    if settings.safety.brake is None:
        return
    most, seconds = settings.safety.brake
    session.flush()
    fresh = follows.fresh(session, mailbox_id, now - timedelta(seconds=seconds))
    if len({follow.thread_id for follow in fresh}) <= most:
        return
    known = follows.of_threads(session, mailbox_id, [follow.thread_id for follow in fresh])
    for follow in fresh:
        if follow.publication_id is None and follow.state is FollowState.FOLLOWING:
            follow.state, follow.reason, follow.since = FollowState.HELD, "brake", now
            follow.detail = f"One of {len(fresh)} threads that were labelled in one go."
            follow.question = "Publish it, publish only when something new comes, or ignore it?"
            queued = threads.of_thread(session, mailbox_id, follow.thread_id)
            follow.history_id = max(follow.history_id, queued.history_id if queued is not None else 0)
            if all(other.publication_id is None for other in known[follow.thread_id]):
                threads.drop(session, mailbox_id, follow.thread_id)
