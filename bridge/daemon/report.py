"""What ``mailbridge status`` tells: how the service does, who is connected, what waits and whose move it is. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session

from bridge.daemon import words
from bridge.daemon.waiting import ASKED, PROVIDERS, Person, Waiting, grouped, waiting
from bridge.daemon.waiting import people as everybody
from bridge.store import events, figures, meta, pauses
from bridge.store.figures import Standing
from bridge.sync.mailbox import NOT_READ
from bridge.sync.orders import scope_of_pause

ALIVE = timedelta(minutes=2)
"""A daemon that has not said a word for so long does not run."""

_MAKE_ROOM = "Make room on the disk, or let go of the database; the service goes on by itself: journalctl -u mailbridge"
"""The next step where a service runs and cannot write."""

MOST_ROWS = 20
"""How many of those who are needed are listed in the text; the report itself has all."""

MOST_AGAIN = 5
"""How many of those that are tried again by themselves are listed in the text."""


@dataclass(frozen=True, slots=True)
class People:
    """How many people are connected, are paused, must reconnect, or have connected only one of their two accounts."""

    connected: int = 0
    paused: int = 0
    reconnect: int = 0
    halfway: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """Something that needs somebody.

    ``id`` names it: a thread, what ``mailbridge answer`` takes, or "(all of cy's)". ``subject`` is '' unless subjects
    were asked for.
    """

    id: str
    address: str
    since: datetime
    move: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A mailbox that cannot be read, as a sentence.

    ``mailboxes`` is how many have the same, ``since`` the first of them, None where that is not known any more.
    """

    what: str
    mailboxes: int
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Paused:
    """What a person paused: ``what`` in words, ``why`` with who ordered it, ``resume`` the command that lifts it."""

    scope: str
    what: str
    since: datetime
    why: str
    resume: str


@dataclass(frozen=True, slots=True)
class Report:
    """How all of it does at one instant. Times are None where there never was one; ``version`` is '' likewise.

    ``mute`` is one that runs and cannot say so, since it cannot write to its database. ``mode`` is that of
    ``[safety]``. ``rows`` need somebody; ``waits`` is everything that waits, those too.
    """

    at: datetime
    running: bool
    mute: bool
    started: datetime | None
    version: str
    looked: datetime | None
    mode: str
    pauses: tuple[Paused, ...]
    troubles: tuple[Trouble, ...]
    people: People
    threads: Standing
    rows: tuple[Row, ...]
    waits: tuple[Waiting, ...]
    next_step: str


def report(session: Session, now: datetime, *, subjects: bool, mode: str = "publish", serving: bool = False) -> Report:
    """Read how all of it does.

    Args:
        session: for reading.
        now: the instant.
        subjects: whether rows carry the subjects of people's mail.
        mode: of ``[safety]``.
        serving: whether a service is at work, as its lock shows (``bridge.daemon.workers``), whatever it wrote.
    """
    everyone = everybody(session)
    last = alive_at(session)
    looks = [last] if last else []
    looks += [person.box.looked_at for person in everyone.values() if person.box and person.box.looked_at]
    people = _people(everyone.values())
    waits = waiting(session, now)
    running = is_running(session, now)
    mute = serving and not running
    return Report(
        at=now,
        running=running or mute,
        mute=mute,
        started=_instant(meta.get(session, "daemon.started")),
        version=meta.get(session, "daemon.version"),
        looked=max(looks, default=None),
        mode=mode,
        pauses=_pauses(session, now),
        troubles=_troubles(session, everyone.values()),
        people=people,
        threads=figures.standing(session),
        rows=_rows(waits, subjects=subjects),
        waits=tuple(waits if subjects else (replace(row, subject="") for row in waits)),
        next_step=_MAKE_ROOM if mute else _next_step(running=running, people=people, waits=waits),
    )


def alive_at(session: Session) -> datetime | None:
    """Return when the daemon last said that it runs, None where it never did."""
    return _instant(meta.get(session, "daemon.looked"))


def is_running(session: Session, now: datetime) -> bool:
    """Say whether a daemon runs: one that ended in order said so, one that fell silent is gone after a while."""
    last = alive_at(session)
    return last is not None and now - last <= ALIVE and not meta.get(session, "daemon.stopped")


def text(found: Report) -> str:
    """Return the report as the terminal shows it."""
    lines = [_state(found)]
    for pause in found.pauses:
        ago = words.lasting(found.at - pause.since)
        lines.append(f"Paused      {pause.what}, {words.printable(pause.why)}, {ago} ago. Go on: {pause.resume}")
    for trouble in found.troubles:
        since = f" for {words.lasting(found.at - trouble.since)}" if trouble.since else ""
        lines.append(f"Services    {trouble.what} ({words.count(trouble.mailboxes, 'mailbox', 'mailboxes')}{since})")
    lines.append(f"People      {_people_words(found.people)}")
    lines.append(f"Threads     {_thread_words(found.threads)}")
    lines += _table(found)
    lines += _again(found)
    lines.append(found.next_step)
    return "\n".join(lines)


def _pauses(session: Session, now: datetime) -> tuple[Paused, ...]:
    found = []
    for row in pauses.in_force(session, now):
        if row.ordered:
            scope = scope_of_pause(session, row)
            found.append(Paused(row.scope, scope.words, row.since, row.why, f"mailbridge resume {scope.option}"))
    return tuple(found)


def _people(everyone: Iterable[Person]) -> People:
    found: Counter[str] = Counter()
    for person in everyone:
        if person.account.paused:
            found["paused"] += 1
        elif person.ended:
            found["reconnect"] += 1
        elif len(person.grants) < len(PROVIDERS):
            found["halfway"] += 1
        else:
            found["connected"] += 1
    return People(**found)


def _troubles(session: Session, everyone: Iterable[Person]) -> tuple[Trouble, ...]:
    """Return why mailboxes could not be read, the most common first; one whose person must reconnect has a row."""
    reasons: dict[str, list[datetime | None]] = {}
    for person in everyone:
        if person.box and person.box.reason and not person.account.paused and not person.ended:
            begun = events.last(session, NOT_READ, account_id=person.box.account_id)
            reasons.setdefault(person.box.reason, []).append(begun.at if begun else None)
    troubles = [
        Trouble(what, len(times), min((one for one in times if one), default=None)) for what, times in reasons.items()
    ]
    return tuple(sorted(troubles, key=lambda trouble: -trouble.mailboxes))


def _rows(found: Iterable[Waiting], *, subjects: bool) -> tuple[Row, ...]:
    """Return who is needed for what, the newest first; a pause has its own line."""
    rows = [
        Row(row.id, row.address, row.since, row.what, row.subject if subjects else "")
        for row in grouped(found)
        if row.whose != "time" and row.reason != "paused"
    ]
    return tuple(sorted(rows, key=lambda row: (row.since, row.id), reverse=True))


def _next_step(*, running: bool, people: People, waits: Sequence[Waiting]) -> str:
    if not running:
        return "Start it: systemctl start mailbridge   (in the foreground: mailbridge run)"
    if people == People():
        return "Connect the first person: mailbridge connect ADDRESS"
    mine = next((row for row in waits if row.whose == "operator" and row.thread_id), None)
    if mine is not None:
        return f"Your move: mailbridge explain {mine.thread_id}"
    if any(row.reason in ASKED for row in waits):
        return "Nothing for you to do. What may be answered, and how: mailbridge held"
    one = next((row.thread_id for row in waits if row.whose == "person" and row.thread_id), "")
    return f"Nothing for you to do. More about one: mailbridge explain {one}" if one else "Nothing for you to do."


def _state(found: Report) -> str:
    if not found.running:
        if found.looked is None:
            return f"Not running. {_resting(found)}It has not looked at any mailbox yet."
        return (
            f"Not running. {_resting(found)}Last look at the mailboxes: {words.lasting(found.at - found.looked)} ago."
        )
    if found.mute:
        silence = f" for {words.lasting(found.at - found.looked)}" if found.looked else ""
        return f"Running, but it could not write to its database{silence}. Its log says why."
    began = "Running."
    if found.started is not None:
        span = found.at - found.started
        recent = span < timedelta(days=1)
        began = f"Running {f'for {words.lasting(span)}' if recent else f'since {words.date(found.started, found.at)}'}"
        began += f", version {found.version}."
    failing = found.troubles or any(row.reason in ("put off", "service paused") for row in found.waits)
    services = "Not all services answer." if failing else "All services answer."
    services = f"{_resting(found)}{services}"
    looked = f" Last look at the mailboxes: {words.lasting(found.at - found.looked)} ago." if found.looked else ""
    return f"{began} {services}{looked}"


def _resting(found: Report) -> str:
    """Return what is not written at all for now, to stand in the first line."""
    told = "It observes, and writes nothing. " if found.mode == "observe" else ""
    return told + (f"Paused: {', '.join(pause.what for pause in found.pauses)}. " if found.pauses else "")


def _people_words(people: People) -> str:
    said = f"{people.connected:,} connected, {people.paused:,} paused, {people.reconnect:,} must reconnect"
    return f"{said}, {people.halfway:,} half connected" if people.halfway else said


def _thread_words(threads: Standing) -> str:
    left = threads.somebody + threads.put_off
    verb = "waits" if left == 1 else "wait"
    said = f"{threads.published:,} published, {threads.publishing:,} publishing now, {left:,} {verb}"
    return f"{said}, {threads.observed:,} would be published" if threads.observed else said


def _table(found: Report) -> list[str]:
    if not found.rows:
        return []
    shown = found.rows[:MOST_ROWS]
    first = max(len(row.id) for row in shown)
    second = max(len(row.address) for row in shown)
    waits = [words.since(row.since, found.at) for row in shown]
    third = max(len("since"), *(len(wait) for wait in waits))
    lines = [f"{'Needs somebody':<{first + second + 4}}     {'since':<{third}}   whose move"]
    for row, wait in zip(shown, waits, strict=True):
        move = words.printable(f'{row.move} ("{row.subject}")' if row.subject else row.move)
        lines.append(f"  {row.id:<{first}}  {row.address:<{second}}     {wait:<{third}}   {move}")
    if len(found.rows) > MOST_ROWS:
        lines.append(f"  and {len(found.rows) - MOST_ROWS:,} more: mailbridge status --json has all")
    return lines


def _again(found: Report) -> list[str]:
    """Return what is tried again by itself after a failure, the next first."""
    rows = [row for row in grouped(found.waits) if row.whose == "time" and row.reason == "put off"]
    rows.sort(key=lambda row: (row.until or found.at, row.id))
    shown = rows[:MOST_AGAIN]
    if not shown:
        return []
    first = max(len(row.id) for row in shown)
    second = max(len(row.address) for row in shown)
    times = [_until(row, found.at) for row in shown]
    third = max(len("again"), *(len(time) for time in times))
    lines = [f"{'Tried again by itself':<{max(first + second + 4, 21)}}     {'again':<{third}}   why"]
    width = max(first + second + 4, 21) - 4 - first
    for row, time in zip(shown, times, strict=True):
        lines.append(f"  {row.id:<{first}}  {row.address:<{width}}     {time:<{third}}   {words.printable(row.what)}")
    if len(rows) > MOST_AGAIN:
        lines.append(f"  and {len(rows) - MOST_AGAIN:,} more: mailbridge status --json has all")
    return lines


def _until(row: Waiting, now: datetime) -> str:
    return "now" if row.until is None or row.until <= now else f"in {words.lasting(row.until - now)}"


def _instant(written: str) -> datetime | None:
    return datetime.fromisoformat(written) if written else None
