"""What ``mailbridge status`` tells: how the service does, who is connected, what waits and whose move it is. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from bridge.daemon import words
from bridge.store import accounts, figures, follows, grants, mailboxes, meta
from bridge.store.figures import Standing
from bridge.store.tables import Account, Follow, FollowState, Grant, GrantState, Mailbox
from bridge.sync.held import Held, held

ALIVE = timedelta(minutes=2)
"""A daemon that has not said a word for so long does not run."""

MOST_ROWS = 20
"""How many of those who are needed are listed in the text; the report itself has all."""

_PROVIDERS = {"google": "Gmail", "atlassian": "Confluence"}
_CROWDS = {"backlog": "labelled before connecting", "brake": "labelled in one go"}
_QUESTIONS = {
    "narrow reply": "publish or leave out a reply that did not go to everybody",
    "blind copy": "publish or leave out a mail that came as a blind copy",
}


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
    """A mailbox that could not be read, as a sentence; ``mailboxes`` is how many have the same."""

    what: str
    mailboxes: int


@dataclass(frozen=True, slots=True)
class Report:
    """How all of it does at one instant. Times are None where there never was one; ``version`` is '' likewise."""

    at: datetime
    running: bool
    started: datetime | None
    version: str
    looked: datetime | None
    troubles: tuple[Trouble, ...]
    people: People
    threads: Standing
    rows: tuple[Row, ...]
    next_step: str


@dataclass(frozen=True, slots=True)
class _Person:
    """An account with its grants and its mailbox."""

    account: Account
    grants: Mapping[str, Grant]
    box: Mailbox | None

    @property
    def ended(self) -> tuple[Grant, ...]:
        return tuple(grant for grant in self.grants.values() if grant.state is GrantState.NEEDS_CONSENT)

    @property
    def name(self) -> str:
        """The first name, else what stands before the @ of the address."""
        known = self.account.name.split()
        return known[0] if known else words.upper_first(_local_part(self.account.address))


def report(session: Session, now: datetime, *, subjects: bool) -> Report:
    """Read how all of it does.

    Args:
        session: for reading.
        now: the instant.
        subjects: whether rows carry the subjects of people's mail.
    """
    everyone = _everyone(session)
    last = alive_at(session)
    running = last is not None and now - last <= ALIVE
    looks = [last] if last else []
    looks += [person.box.looked_at for person in everyone.values() if person.box and person.box.looked_at]
    people = _people(everyone.values())
    questions = held(session)
    return Report(
        at=now,
        running=running,
        started=_instant(meta.get(session, "daemon.started")),
        version=meta.get(session, "daemon.version"),
        looked=max(looks, default=None),
        troubles=_troubles(everyone.values()),
        people=people,
        threads=figures.standing(session),
        rows=_rows(session, everyone, questions, subjects=subjects),
        next_step=_next_step(running=running, people=people, asked=bool(questions)),
    )


def alive_at(session: Session) -> datetime | None:
    """Return when the daemon last said that it runs, None where it never did."""
    return _instant(meta.get(session, "daemon.looked"))


def text(found: Report) -> str:
    """Return the report as the terminal shows it."""
    lines = [_state(found)]
    for trouble in found.troubles:
        lines.append(f"Services    {trouble.what} ({words.count(trouble.mailboxes, 'mailbox', 'mailboxes')})")
    lines.append(f"People      {_people_words(found.people)}")
    lines.append(f"Threads     {_thread_words(found.threads)}")
    lines += _table(found)
    lines.append(found.next_step)
    return "\n".join(lines)


def _everyone(session: Session) -> dict[str, _Person]:
    """Return the people who have connected anything, by address."""
    held_grants: dict[int, dict[str, Grant]] = {}
    for grant in grants.everyone(session):
        held_grants.setdefault(grant.account_id, {})[grant.provider] = grant
    boxes = {box.account_id: box for box in mailboxes.everyone(session)}
    return {
        account.address: _Person(account, held_grants.get(account.id or 0, {}), boxes.get(account.id or 0))
        for account in accounts.everyone(session)
        if account.id in held_grants
    }


def _people(everyone: Iterable[_Person]) -> People:
    found: Counter[str] = Counter()
    for person in everyone:
        if person.account.paused:
            found["paused"] += 1
        elif person.ended:
            found["reconnect"] += 1
        elif len(person.grants) < len(_PROVIDERS):
            found["halfway"] += 1
        else:
            found["connected"] += 1
    return People(**found)


def _troubles(everyone: Iterable[_Person]) -> tuple[Trouble, ...]:
    """Return why mailboxes could not be read, the most common first; one whose person must reconnect has a row."""
    reasons = Counter(
        person.box.reason
        for person in everyone
        if person.box and person.box.reason and not person.account.paused and not person.ended
    )
    return tuple(Trouble(what, many) for what, many in reasons.most_common())


def _rows(
    session: Session, everyone: Mapping[str, _Person], questions: Iterable[Held], *, subjects: bool
) -> tuple[Row, ...]:
    """Return who is needed for what, the newest first."""
    active = {address: person for address, person in everyone.items() if not person.account.paused}
    rows = [row for person in active.values() for row in _person_rows(person)]
    gone = {address for address, person in active.items() if person.ended}
    for item in questions:
        if item.address in active and item.address not in gone:
            rows.append(_held_row(item, active[item.address], subjects=subjects))
    by_box = {person.box.id: person for person in active.values() if person.box}
    for follow in follows.waiting(session):
        person = by_box.get(follow.mailbox_id)
        if follow.state is FollowState.NEEDS_SOMEBODY and person and person.account.address not in gone:
            rows.append(_follow_row(follow, person, subjects=subjects))
    return tuple(sorted(rows, key=lambda row: (row.since, row.id), reverse=True))


def _person_rows(person: _Person) -> list[Row]:
    """Return one row for a person who must connect something (again)."""
    address = person.account.address
    command = f"mailbridge connect {address}"
    whole = f"(all of {_local_part(address)}'s)"
    if person.ended:
        ended = {grant.provider for grant in person.ended}
        what = " and ".join(shown for provider, shown in _PROVIDERS.items() if provider in ended)
        when = min(grant.state_since for grant in person.ended)
        return [Row(whole, address, when, f"{person.name}: reconnect {what}: {command}")]
    missing = [shown for provider, shown in _PROVIDERS.items() if provider not in person.grants]
    if not missing:
        return []
    when = max(grant.connected_at for grant in person.grants.values())
    return [Row(whole, address, when, f"{person.name}: connect {' and '.join(missing)} too: {command}")]


def _held_row(item: Held, person: _Person, *, subjects: bool) -> Row:
    if item.reason in _CROWDS:
        many = words.count(len(item.threads), "thread")
        move = f"publish {many} {_CROWDS[item.reason]}, only what is new, or none"
    else:
        move = _QUESTIONS.get(item.reason) or f"{item.detail} {item.question}".strip()
    return Row(item.id, item.address, item.since, f"{person.name}: {move}", item.subject if subjects else "")


def _follow_row(follow: Follow, person: _Person, *, subjects: bool) -> Row:
    """Say a person's move; what is told to them as "You may not ..." is told of them here."""
    said = follow.detail.removeprefix("You ").rstrip(".") or follow.reason
    return Row(
        follow.thread_id,
        person.account.address,
        follow.since,
        f"{person.name}: {said}",
        follow.subject if subjects else "",
    )


def _next_step(*, running: bool, people: People, asked: bool) -> str:
    if not running:
        return "Start it: systemctl start mailbridge   (in the foreground: mailbridge run)"
    if people == People():
        return "Connect the first person: mailbridge connect ADDRESS"
    if asked:
        return "Nothing for you to do. What may be answered, and how: mailbridge held"
    return "Nothing for you to do."


def _state(found: Report) -> str:
    if not found.running:
        if found.looked is None:
            return "Not running. It has not looked at any mailbox yet."
        return f"Not running. Last look at the mailboxes: {words.lasting(found.at - found.looked)} ago."
    began = "Running."
    if found.started is not None:
        span = found.at - found.started
        recent = span < timedelta(days=1)
        began = f"Running {f'for {words.lasting(span)}' if recent else f'since {words.date(found.started, found.at)}'}"
        began += f", version {found.version}."
    services = "Not all services answer." if found.troubles else "All services answer."
    looked = f" Last look at the mailboxes: {words.lasting(found.at - found.looked)} ago." if found.looked else ""
    return f"{began} {services}{looked}"


def _people_words(people: People) -> str:
    said = f"{people.connected:,} connected, {people.paused:,} paused, {people.reconnect:,} must reconnect"
    return f"{said}, {people.halfway:,} half connected" if people.halfway else said


def _thread_words(threads: Standing) -> str:
    waiting = threads.somebody + threads.put_off
    verb = "waits" if waiting == 1 else "wait"
    return f"{threads.published:,} published, {threads.publishing:,} publishing now, {waiting:,} {verb}"


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


def _local_part(address: str) -> str:
    return address.partition("@")[0]


def _instant(written: str) -> datetime | None:
    return datetime.fromisoformat(written) if written else None
