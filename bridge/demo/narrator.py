"""Tells a visitor what the service does, a line for each thing, as it happens."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlmodel import Session

from bridge.store import events, publications
from bridge.store.engine import Store
from bridge.store.tables import Account, EntryState, Event, Publication, PublicationState

_KEPT = 20


@dataclass
class Narrator:
    """Reads the product's own events.

    Args:
        store: the product's database.
        config: the demo's configuration file, which the other commands can be given.
        subject_of: gives the subject of a person's thread, by address and Gmail thread id.
        say: takes each line.
        elsewhere: gives the lines of what happened outside the product since it was last asked.
    """

    store: Store
    config: Path
    subject_of: Callable[[str, str], str]
    say: Callable[[str], None]
    elsewhere: Callable[[], Sequence[str]] = tuple
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _told_to: int = 0
    _standing: dict[int, int] = field(default_factory=dict)

    def look(self) -> None:
        """Tell what happened since the last look."""
        with self.store.read() as session:
            news = events.after(session, self._told_to)
            told = [line for event in news for line in self._lines(session, event)]
            told += self._published(session)
        if news:
            self._told_to = news[-1].id or self._told_to
        for line in (*told, *self.elsewhere()):
            self.lines.append(line)
            self.say(line)

    def _lines(self, session: Session, event: Event) -> Iterator[str]:
        at = f"{event.at.astimezone():%H:%M:%S}"
        if event.what == "label seen":
            address = self._address(session, event.account_id)
            yield f'{at}  {_called(address)} labelled "{self.subject_of(address, event.thread_id)}"'
        elif event.what == "entry held":
            yield f"{at}  Held until its person decides: a {event.cause}. See: mailbridge --config {self.config} held"
        elif event.what in ("write failed", "body refused"):
            yield f"{at}  {event.what.capitalize()} ({event.cause}): {event.outcome}"

    def _published(self, session: Session) -> Iterator[str]:
        """Tell of each publication that has nothing more to write, once, and again when it has grown."""
        for publication in publications.everyone(session):
            if publication.state is not PublicationState.PUBLISHED or publication.id is None:
                continue
            entries = publications.entries(session, publication.id)
            if any(entry.state is EntryState.PLANNED for entry in entries):
                continue
            done = sum(1 for entry in entries if entry.state is EntryState.DONE)
            before = self._standing.get(publication.id, 0)
            if done > before:
                self._standing[publication.id] = done
                yield self._line(session, publication, done, before)

    def _line(self, session: Session, publication: Publication, done: int, before: int) -> str:
        newest = max(entry.since for entry in publications.entries(session, publication.id or 0))
        at, url = f"{newest.astimezone():%H:%M:%S}", _short(publication.url)
        name = _called(self._address(session, publication.account_id))
        files = len(publications.attachments(session, publication.id or 0))
        if before:
            return f"{at}  {_count(done - before, 'new comment')} as {name}: {url}"
        parts = [_count(number, thing) for number, thing in ((done - 1, "comment"), (files, "file")) if number]
        extent = f"        ({', '.join(parts)})" if parts else ""
        return f"{at}  Published as {name}: {url}{extent}"

    def _address(self, session: Session, account_id: int | None) -> str:
        account = session.get(Account, account_id) if account_id is not None else None
        return account.address if account else ""


def _called(address: str) -> str:
    return address.partition("@")[0].capitalize() or "Somebody"


def _short(url: str) -> str:
    """Return a page's address without its title, which is long and means nothing to the server."""
    return re.sub(r"(/pages/\d+)/[^?#]*", r"\1", url)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
