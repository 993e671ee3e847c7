"""One pass of every mailbox now, whatever its due time: what ``mailbridge sync`` does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from sqlmodel import Session

from bridge.clock import Clock
from bridge.daemon.words import count
from bridge.errors import BridgeError, StoreError
from bridge.store import accounts, figures, follows, grants, mailboxes, threads
from bridge.store.engine import Store
from bridge.store.figures import Standing
from bridge.store.mailboxes import Settled
from bridge.store.tables import FollowState, GrantState, Mailbox

log = structlog.get_logger()

Work = Callable[[Mailbox], Settled]
Tell = Callable[[str], None]

_MANY = 100_000
_MISTAKE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Failure:
    """A mailbox that could not be read to its end, and why."""

    address: str
    reason: str


@dataclass(frozen=True, slots=True)
class Pass:
    """What came of it.

    ``busy`` are mailboxes that another process (the service) was at work on. ``paused`` are those of paused people:
    they were looked at, and nothing was written. ``unconnected`` are those whose person must connect Confluence (again)
    before anything of theirs can be published, with what to do.
    ``threads`` is how all threads of the mailboxes stand afterwards; ``waiting`` of them were labelled a moment ago and
    wait for ``safety.wait`` to pass, ``held`` wait for an answer, ``needs_somebody`` for a permission or a connection.
    """

    looked_at: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    paused: tuple[str, ...] = ()
    failed: tuple[Failure, ...] = ()
    unconnected: tuple[Failure, ...] = ()
    pages: int = 0
    comments: int = 0
    attachments: int = 0
    held: int = 0
    needs_somebody: int = 0
    waiting: int = 0
    threads: Standing = field(default_factory=Standing)

    @property
    def complete(self) -> bool:
        """Whether every mailbox was read and nothing was put off."""
        return not self.failed and not self.unconnected and not self.threads.put_off


def chosen(store: Store, addresses: Sequence[str]) -> list[Mailbox]:
    """Return the mailboxes of some addresses, or all of them.

    Raises:
        BridgeError: an address has no mailbox here, or there is none at all.
    """
    with store.read() as session:
        known = {box.address: box for box in mailboxes.everyone(session)}
    if not known:
        raise BridgeError("Nobody is connected yet. Connect the first person: mailbridge connect ADDRESS")
    unknown = [address for address in addresses if address.lower() not in known]
    if unknown:
        raise BridgeError(f"{unknown[0]} is not connected here. See: mailbridge accounts list")
    wanted = dict.fromkeys(address.lower() for address in addresses) or known
    return [known[address] for address in wanted]


class Once:
    """Makes one pass of mailboxes in a pool of threads; each is under a lease of ``owner`` meanwhile."""

    def __init__(self, store: Store, clock: Clock, work: Work, *, owner: str, places: int) -> None:
        """Make it ready.

        Args:
            store: the database.
            clock: the time.
            work: makes one pass of a mailbox; called in a thread of the pool.
            owner: names this process in leases; no other may have the same name.
            places: how many mailboxes may be under work at once.
        """
        self._store = store
        self._clock = clock
        self._work = work
        self._owner = owner
        self._places = places

    def run(self, boxes: Sequence[Mailbox], done: Tell = lambda address: None) -> Pass:
        """Look at every mailbox until nothing of it is due at once; ``done`` is told each address that is finished."""
        with self._store.read() as session:
            resting = {account.id for account in accounts.everyone(session) if account.paused}
        active = list(boxes)
        account_ids = {box.account_id for box in active}
        before = self._written(account_ids)
        outcomes = self._all(active, done)
        after = self._written(account_ids)
        read = tuple(box.address for box in active if outcomes[box.id or 0] == "")
        return self._summary(
            active,
            looked_at=read,
            busy=tuple(box.address for box in active if outcomes[box.id or 0] is None),
            paused=tuple(box.address for box in boxes if box.account_id in resting),
            failed=tuple(Failure(box.address, why) for box in active if (why := outcomes[box.id or 0])),
            written={kind: number - before.get(kind, 0) for kind, number in after.items()},
        )

    def _all(self, boxes: Sequence[Mailbox], done: Tell) -> dict[int, str | None]:
        """Return how each mailbox ended: '' for well, None for busy, else why it failed."""
        outcomes: dict[int, str | None] = {}
        with ThreadPoolExecutor(self._places, thread_name_prefix="sync") as pool:
            under_way: dict[Future[str | None], Mailbox] = {pool.submit(self._one, box): box for box in boxes}
            try:
                for future in as_completed(under_way):
                    box = under_way[future]
                    outcomes[box.id or 0] = future.result()
                    done(box.address)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return outcomes

    def _one(self, box: Mailbox) -> str | None:
        box_id = box.id or 0
        with self._store.write() as session:
            claimed = mailboxes.claim_one(session, box_id, owner=self._owner, now=self._clock.now())
        if claimed is None:
            return None
        settled = Settled(box_id, self._clock.now() + _MISTAKE, "A fault of mailbridge; see its log.", box.tries + 1)
        try:
            settled = self._until_quiet(claimed)
        except StoreError:
            raise
        except Exception:
            log.exception("a mailbox's pass failed", mailbox=box_id)
        finally:
            with self._store.write() as session:
                mailboxes.settle(session, [settled], owner=self._owner, now=self._clock.now())
        return settled.reason

    def _until_quiet(self, box: Mailbox) -> Settled:
        """Look again while threads are due at once and become fewer: a long queue takes several passes."""
        left = _MANY
        while True:
            settled = self._work(box)
            due = self._due(box.id or 0)
            if settled.reason or not due or due >= left:
                return settled
            left = due
            with self._store.write() as session:
                if not mailboxes.renew(session, box.id or 0, owner=self._owner, now=self._clock.now()):
                    return settled

    def _due(self, box_id: int) -> int:
        with self._store.read() as session:
            return len(threads.due(session, box_id, self._clock.now(), _MANY))

    def _written(self, account_ids: Collection[int]) -> dict[str, int]:
        with self._store.read() as session:
            return figures.writes_done(session, account_ids)

    def _summary(
        self,
        active: Sequence[Mailbox],
        *,
        looked_at: tuple[str, ...],
        busy: tuple[str, ...],
        paused: tuple[str, ...],
        failed: tuple[Failure, ...],
        written: dict[str, int],
    ) -> Pass:
        box_ids = {box.id or 0 for box in active}
        now = self._clock.now()
        with self._store.read() as session:
            standing = figures.standing(session, box_ids)
            needs = [
                follow
                for follow in follows.waiting(session)
                if follow.mailbox_id in box_ids and follow.state is FollowState.NEEDS_SOMEBODY
            ]
            waiting = figures.not_yet(session, box_ids, now)
            unconnected = tuple(_unconnected(session, box) for box in active if not _publishes(session, box))
        return Pass(
            looked_at=looked_at,
            busy=busy,
            paused=paused,
            failed=failed,
            unconnected=tuple(one for one in unconnected if one.address not in {other.address for other in failed}),
            pages=written.get("publish", 0),
            comments=written.get("comment", 0),
            attachments=written.get("upload", 0),
            held=standing.somebody - len(needs),
            needs_somebody=len(needs),
            waiting=waiting,
            threads=standing,
        )


def _publishes(session: Session, box: Mailbox) -> bool:
    grant = grants.find(session, box.account_id, "atlassian")
    return grant is not None and grant.state is GrantState.LIVE


def _unconnected(session: Session, box: Mailbox) -> Failure:
    again = " again" if grants.find(session, box.account_id, "atlassian") is not None else ""
    return Failure(box.address, f"Confluence must be connected{again}: mailbridge connect {box.address}")


def text(found: Pass, wait: float) -> str:
    """Return what came of a pass as the terminal shows it; ``wait`` is ``safety.wait`` in seconds."""
    wrote = (
        f"{count(found.pages, 'page')}, {count(found.comments, 'comment')}, {count(found.attachments, 'attachment')}"
    )
    lines = [f"Looked at {_boxes(len(found.looked_at))}, wrote {wrote}."]
    lines += [f"  Not read: {failure.address}. {failure.reason}" for failure in found.failed]
    lines += [f"  Not published: {failure.address}. {failure.reason}" for failure in found.unconnected]
    if found.busy:
        lines.append(f"  Left to the service, which is at work on it: {', '.join(found.busy)}")
    if found.paused:
        lines.append(f"  Paused, so nothing is written as {', '.join(found.paused)}")
    if found.waiting:
        lines.append(f"  {_threads(found.waiting, 'waits', 'wait')} {wait:g} s, as each does that was just labelled.")
    if found.threads.put_off:
        lines.append(f"  {_threads(found.threads.put_off, 'is', 'are')} tried again later: a service failed.")
    if found.held:
        lines.append(f"  {_threads(found.held, 'waits', 'wait')} for an answer.")
    if found.needs_somebody:
        lines.append(f"  {_threads(found.needs_somebody, 'needs', 'need')} somebody.")
    lines.append(_next_step(found))
    return "\n".join(lines)


def _next_step(found: Pass) -> str:
    if found.failed or found.unconnected or found.needs_somebody:
        return "Whose move it is: mailbridge status"
    if found.held:
        return "What may be answered, and how: mailbridge held"
    if found.waiting or found.threads.put_off:
        return "Run this again in a while, or let the service do it: mailbridge run"
    return "Nothing for you to do."


def _boxes(number: int) -> str:
    return count(number, "mailbox", "mailboxes")


def _threads(number: int, one: str, many: str) -> str:
    """Return "1 thread waits", "2 threads wait"."""
    return f"{count(number, 'thread')} {one if number == 1 else many}"
