"""``mailbridge demo --once``: labels every sample thread, lets the service publish, runs again, and counts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from email import message_from_bytes

from sqlmodel import select, update

from bridge.demo import samples
from bridge.demo.samples import SampleMail
from bridge.demo.show import Show, set_up
from bridge.errors import BridgeError
from bridge.sandbox.faults import Rule
from bridge.store import publications
from bridge.store.tables import Follow, Mailbox
from bridge.sync.held import held

_PATIENCE = 120.0
_PATIENCE_WITH_FAULTS = 600.0
_STEP = 0.1


@dataclass(frozen=True, slots=True)
class Report:
    """What happened. ``requests`` are all that Google and Atlassian saw; the last field must be 0."""

    threads: int
    pages: int
    comments: int
    attachments: int
    held: int
    requests: int
    writes_on_second_run: int

    @property
    def whole(self) -> bool:
        """Whether all that is not held was published, and the second run wrote nothing."""
        return self == expected(self.requests)

    def as_json(self) -> dict[str, int]:
        """Return it for printing."""
        return asdict(self)


def expected(requests: int) -> Report:
    """Return the report of a run in which nothing went wrong; how many requests it took is taken as it is."""
    listed = samples.threads()
    shown = [[mail for mail in thread.messages if not (mail.held or mail.skipped)] for thread in listed]
    return Report(
        threads=len(listed),
        pages=len(listed),
        comments=sum(len(mails) - 1 for mails in shown),
        attachments=sum(len(_files(mails)) for mails in shown),
        held=sum(1 for thread in listed for mail in thread.messages if mail.held),
        requests=requests,
        writes_on_second_run=0,
    )


def once(*, port: int = 0, faults: Sequence[Rule] = ()) -> Report:
    """Run the whole demo by itself.

    Args:
        port: where the sandbox is served, 0 for any free one.
        faults: what goes wrong in it; a comment whose answer is lost alone is waited for two minutes.

    Raises:
        BridgeError: it did not come to rest within two minutes, or ten with faults.
    """
    patience = _PATIENCE_WITH_FAULTS if faults else _PATIENCE
    with set_up(port=port, faults=faults) as show:
        journal = show.stage.world.core.journal
        with _running(show) as service:
            _until(show, service, patience, lambda: _looked_at_once(show))
            count = show.stage.label_all()
            _until(show, service, patience, lambda: _published(show))
        mark = journal.mark()
        _forget_what_was_read(show)
        with _running(show) as service:
            _until(show, service, patience, lambda: _looked_at_once(show) and _at_rest(show))
        wiki = show.stage.world.atlassian
        with show.company.oauth.store.read() as session:
            waiting = len(held(session))
        return Report(
            threads=count,
            pages=len(wiki.pages),
            comments=len(wiki.comments),
            attachments=len(wiki.attachments),
            held=waiting,
            requests=len(journal.seen),
            writes_on_second_run=len(journal.writes(mark)),
        )


def _files(mails: Sequence[SampleMail]) -> set[bytes]:
    """Return the files and images of a thread's mails; the same bytes are attached once."""
    parts = [part for mail in mails for part in message_from_bytes(mail.eml).walk()]
    files = [part for part in parts if part.get_filename() or part.get_content_maintype() == "image"]
    return {bytes(data) for part in files if isinstance(data := part.get_payload(decode=True), bytes)}


@contextmanager
def _running(show: Show) -> Iterator[Future[int]]:
    service = show.service()
    with ThreadPoolExecutor(1, thread_name_prefix="service") as pool:
        try:
            yield pool.submit(service.run, signals=False)
        finally:
            service.stop()


def _until(show: Show, service: Future[int], patience: float, done: Callable[[], bool]) -> None:
    clock, never = show.company.oauth.clock, threading.Event()
    give_up_at = clock.monotonic() + patience
    while not done():
        if service.done():
            service.result()
            raise BridgeError("The service of the demo ended early. Run it again with --verbose.")
        if clock.monotonic() > give_up_at:
            minutes = "ten" if patience == _PATIENCE_WITH_FAULTS else "two"
            raise BridgeError(f"The demo did not come to rest within {minutes} minutes. Run it again with --verbose.")
        clock.wait(never, _STEP)


def _looked_at_once(show: Show) -> bool:
    with show.company.oauth.store.read() as session:
        return all(box.cursor is not None for box in session.exec(select(Mailbox)))


def _published(show: Show) -> bool:
    """Say whether every labelling is followed to its end."""
    wanted = sum(len(thread.labelled_by) for thread in samples.threads())
    with show.company.oauth.store.read() as session:
        known = session.exec(select(Follow)).all()
        return len(known) == wanted and all(f.publication_id is not None for f in known) and _at_rest(show)


def _at_rest(show: Show) -> bool:
    with show.company.oauth.store.read() as session:
        return bool(publications.everyone(session)) and show.company.at_rest()


def _forget_what_was_read(show: Show) -> None:
    """Lose every cursor, so that the second run looks at each thread anew."""
    with show.company.oauth.store.write() as session:
        session.exec(update(Mailbox).values(cursor=None, due_at=show.company.oauth.clock.now()))
        session.exec(update(Follow).values(history_id=0))
