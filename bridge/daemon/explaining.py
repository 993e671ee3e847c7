"""Everything that is known of one thread, and all that was done with it: from the database alone. It only reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from bridge.config import Route, Settings
from bridge.daemon import telling
from bridge.daemon.waiting import Waiting, waiting
from bridge.store import accounts, events, follows, publications, writes
from bridge.store.tables import Account, Entry, Event, Follow, Mailbox, Publication, Write
from bridge.sync.named import bare_address
from bridge.sync.observed import is_observed


@dataclass(frozen=True, slots=True)
class RouteVerdict:
    """Why a route is, or is not, the thread's; ``line`` in the configuration file, 0 where that is not known."""

    name: str
    line: int
    label: str
    chosen: bool
    why: str


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened, in words, with its evidence and whose tokens were used."""

    at: datetime
    what: str
    said: str
    address: str
    route: str
    remote_id: str
    version: int
    cause: str
    outcome: str
    evidence: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """One mail inside the publication. ``kept_until`` is when a refused text, kept sealed, goes."""

    mail: str
    kind: str
    state: str
    marker: str
    posted_by: str
    remote_id: str
    reason: str
    detail: str
    question: str
    answer: str
    plain: bool
    kept_until: datetime | None


@dataclass(frozen=True, slots=True)
class WriteFacts:
    """One change in Confluence: its last status and what came back, and as whom it was sent."""

    kind: str
    target: str
    state: str
    round: int
    tries: int
    sent_at: datetime | None
    look_after: datetime | None
    status: int
    answer: str
    remote_id: str
    address: str


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What the thread became."""

    uid: str
    kind: str
    state: str
    remote: str
    space: str
    url: str
    content_id: str
    writer: str
    published_at: datetime | None
    tries: int
    next_try_at: datetime | None
    reason: str
    detail: str
    round: int
    successor: str
    followers: tuple[str, ...]
    entries: tuple[EntryFacts, ...]
    writes: tuple[WriteFacts, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """One thread of one mailbox under one route. ``subject`` is '' where it may not be shown."""

    thread: str
    address: str
    name: str
    route: str
    label: str
    mails: int
    subject: str
    subject_hidden: bool
    state: str
    reason: str
    detail: str
    question: str
    answer: str
    since: datetime
    labelled_at: datetime
    not_before: datetime
    history: int
    tries: int
    waits: tuple[Waiting, ...]
    routes: tuple[RouteVerdict, ...]
    page: PageFacts | None
    steps: tuple[Step, ...]


def explain(
    session: Session,
    wanted: Sequence[Follow],
    settings: Settings,
    now: datetime,
    *,
    lines: Mapping[str, int],
    subjects: bool,
) -> list[Explained]:
    """Return what is known of some follows, each with its whole story.

    Args:
        session: for reading.
        wanted: which.
        settings: whose routes are compared.
        now: the instant.
        lines: where each route stands in the configuration file, by name.
        subjects: whether subjects may be shown.
    """
    waits = waiting(session, now)
    people = {account.id: account for account in accounts.everyone(session)}
    return [_one(session, follow, settings, people, waits, lines, subjects=subjects) for follow in wanted]


def _one(
    session: Session,
    follow: Follow,
    settings: Settings,
    people: Mapping[int | None, Account],
    waits: Sequence[Waiting],
    lines: Mapping[str, int],
    *,
    subjects: bool,
) -> Explained:
    box = session.get_one(Mailbox, follow.mailbox_id)
    account = people[box.account_id]
    route = settings.route(follow.route)
    told = [event for event in events.of_thread(session, follow.thread_id) if event.route in ("", follow.route)]
    page = session.get(Publication, follow.publication_id) if follow.publication_id is not None else None
    mine = [row for row in waits if _is_about(row, follow, box.address)]
    return Explained(
        thread=follow.thread_id,
        address=box.address,
        name=account.name or box.address,
        route=follow.route,
        label=route.label if route is not None else "",
        mails=follow.messages,
        subject=follow.subject if subjects else "",
        subject_hidden=not subjects,
        state="observed" if is_observed(follow.reason) else str(follow.state),
        reason=follow.reason,
        detail=follow.detail,
        question=follow.question,
        answer=follow.answer,
        since=follow.since,
        labelled_at=follow.labelled_at,
        not_before=follow.not_before,
        history=follow.history_id,
        tries=follow.tries,
        waits=tuple(row if subjects else _without_subject(row) for row in mine),
        routes=_routes(settings, route, follow, told, lines),
        page=_page(session, page, people, subjects=subjects) if page is not None else None,
        steps=tuple(_step(event, people) for event in told),
    )


def _is_about(row: Waiting, follow: Follow, address: str) -> bool:
    """Say whether what waits is this follow, or all of its person's, its route's or everybody's."""
    if row.thread_id:
        return row.thread_id == follow.thread_id and row.address == address and row.route in ("", follow.route)
    return row.address in ("", address) and row.route in ("", follow.route)


def _without_subject(row: Waiting) -> Waiting:
    return Waiting(
        row.address, row.thread_id, row.since, row.whose, row.what, row.reason, row.id, row.until, row.route, ""
    )


def _routes(
    settings: Settings, chosen: Route | None, follow: Follow, told: Sequence[Event], lines: Mapping[str, int]
) -> tuple[RouteVerdict, ...]:
    """Compare the routes of the configuration, in its order, with the one that the thread goes by."""
    if chosen is None:
        why = "the configuration has it no more"
        return (RouteVerdict(follow.route, 0, "", True, why),)
    seen = {event.route for event in told if event.what == "label seen"}
    verdicts = []
    for route in settings.routes:
        if route is chosen:
            why = f"its label {route.label} was seen on the thread"
        elif route.label_key == chosen.label_key:
            first = settings.routes_of(route.label)[0]
            why = f'the label belongs to "{first.name}", which stands first'
            if first is route:
                why = f'it stands first now, and the thread keeps "{chosen.name}", which it began under'
        elif route.name in seen:
            why = "it has the thread too, for a label of its own"
        else:
            why = f"its label {route.label} was not seen on the thread"
        verdicts.append(RouteVerdict(route.name, lines.get(route.name, 0), route.label, route is chosen, why))
    return tuple(verdicts)


def _page(session: Session, page: Publication, people: Mapping[int | None, Account], *, subjects: bool) -> PageFacts:
    entries = publications.entries(session, page.id or 0)
    kept = publications.kept_until(session, [entry.id or 0 for entry in entries])
    boxes = {follow.mailbox_id: session.get_one(Mailbox, follow.mailbox_id) for follow in _followers(session, page)}
    return PageFacts(
        uid=page.uid,
        kind=page.kind,
        state=str(page.state),
        remote=page.remote,
        space=page.space_key,
        url=page.url if subjects else bare_address(page.url),
        content_id=page.content_id,
        writer=_address(people, page.account_id),
        published_at=page.published_at,
        tries=page.tries,
        next_try_at=page.next_try_at,
        reason=page.reason,
        detail=page.detail,
        round=page.round,
        successor=page.successor_uid,
        followers=tuple(sorted({box.address for box in boxes.values()})),
        entries=tuple(_entry(entry, people, kept.get(entry.id or 0)) for entry in entries),
        writes=tuple(_write(row, people) for row in writes.of_publication(session, page.id or 0)),
    )


def _followers(session: Session, page: Publication) -> list[Follow]:
    """Return those for whom a change of the thread matters."""
    return [one for one in follows.of_publication(session, page.id or 0) if one.state in follows.OPEN]


def _entry(entry: Entry, people: Mapping[int | None, Account], kept_until: datetime | None) -> EntryFacts:
    return EntryFacts(
        mail=entry.message_id,
        kind=entry.kind,
        state=str(entry.state),
        marker=entry.key,
        posted_by=_address(people, entry.account_id),
        remote_id=entry.remote_id,
        reason=entry.reason,
        detail=entry.detail,
        question=entry.question,
        answer=entry.answer,
        plain=entry.fallback,
        kept_until=kept_until,
    )


def _write(row: Write, people: Mapping[int | None, Account]) -> WriteFacts:
    return WriteFacts(
        kind=row.kind,
        target=row.target,
        state=str(row.state),
        round=row.round,
        tries=row.tries,
        sent_at=row.sent_at,
        look_after=row.look_after,
        status=row.status,
        answer=row.answer,
        remote_id=row.remote_id,
        address=_address(people, row.account_id),
    )


def _step(event: Event, people: Mapping[int | None, Account]) -> Step:
    address = _address(people, event.account_id)
    return Step(
        at=event.at,
        what=event.what,
        said=telling.sentence(event, who=address),
        address=address,
        route=event.route,
        remote_id=event.remote_id,
        version=event.version,
        cause=event.cause,
        outcome=event.outcome,
        evidence=telling.detail(event),
    )


def _address(people: Mapping[int | None, Account], account_id: int | None) -> str:
    account = people.get(account_id) if account_id is not None else None
    return account.address if account is not None else ""
