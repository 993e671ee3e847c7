"""Which mailboxes are worked on now. The core that every engine shares; it starts nothing by itself.

One tick is one transaction: what ended since the last tick is written down, and what is due now is claimed. An idle
poll of a mailbox therefore costs a share of a transaction and adds no row; an idle tick only reads.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.clock import Clock
from bridge.store import mailboxes, meta, threads
from bridge.store.engine import Store
from bridge.store.mailboxes import LEASE, Settled
from bridge.store.tables import Mailbox

_SET_BACK = timedelta(minutes=1)
"""A wall clock that goes back by more than this was set; less is how clocks are kept right."""

_SLACK = timedelta(hours=7)
"""More than the longest time that a mailbox is ever put off: whatever is due later than this was written by a clock
that has been set back since."""

_PROOF, _PROOF_BYTES = "daemon.proof", 16_384

_RENEW_SECONDS = LEASE.total_seconds() / 3


@dataclass(frozen=True, slots=True)
class Pulse:
    """When the dispatcher last turned, by the monotonic clock, in seconds; and how many mailboxes are under work.

    A turn that the database refused counts: a start anew would not mend the database.
    """

    turned_at: float
    at_work: int


class Dispatch:
    """Claims what is due, and takes back what is done. Any thread may call ``done``; one calls ``tick``."""

    def __init__(self, store: Store, clock: Clock, *, owner: str, places: int) -> None:
        """Make a dispatcher.

        Args:
            store: the database.
            clock: the time.
            owner: names this process in leases; no other may have the same name.
            places: how many mailboxes may be under work at once.
        """
        self._store = store
        self._clock = clock
        self._owner = owner
        self._places = places
        self._lock = threading.Lock()
        self._at_work: dict[int, float] = {}  # by id: when it was last leased, monotonic
        self._ended: list[Settled] = []
        self._refused = threading.Event()
        self._turned_at = clock.monotonic()
        self._offset = self._wall_offset()

    def tick(self) -> list[Mailbox]:
        """Write down what ended and return what is to be worked on now, single flight per mailbox.

        The lease of a pass that takes long is renewed; one that lapsed all the same (the wall clock was set forward) is
        taken again, but not worked on a second time.

        Raises:
            StoreError: the database cannot be used; nothing is lost by that.
        """
        turned_at = self._clock.monotonic()
        with self._lock:
            ended, self._ended = self._ended, []
            before = dict(self._at_work)
        long = [box_id for box_id, leased_at in before.items() if turned_at - leased_at > _RENEW_SECONDS]
        offset = self._wall_offset()
        try:
            if self._refused.is_set():
                self._prove()
            if offset < self._offset - _SET_BACK:
                self._wake_all()
            self._offset = offset
            claimed = self._turn(ended, long, max(self._places - len(before), 0), self._clock.now())
        except BaseException:
            with self._lock:
                self._ended = ended + self._ended
            raise
        finally:
            with self._lock:
                self._turned_at = turned_at
        fresh = {box.id or 0: box for box in claimed if box.id not in before}
        with self._lock:
            self._at_work |= dict.fromkeys([*fresh, *(one for one in long if one in self._at_work)], turned_at)
        return list(fresh.values())

    def done(self, settled: Settled) -> None:
        """Take a mailbox back; it is written down by the next tick."""
        with self._lock:
            self._at_work.pop(settled.mailbox_id, None)
            self._ended.append(settled)

    def flush(self) -> None:
        """Write down what ended without claiming anything: the last act of a stop.

        Raises:
            StoreError: the database cannot be used; what ended is kept.
        """
        with self._lock:
            ended = list(self._ended)
        if ended:
            with self._store.write() as session:
                mailboxes.settle(session, ended, owner=self._owner, now=self._clock.now())
        with self._lock:
            del self._ended[: len(ended)]

    def refused(self) -> None:
        """Take word that the database failed a pass: nothing is begun before it has proven to take new rows again."""
        self._refused.set()

    @property
    def in_doubt(self) -> bool:
        """Whether the database failed a pass and has not proven since that it takes new rows."""
        return self._refused.is_set()

    def _prove(self) -> None:
        """Find out whether the database takes new rows, and not only changes in place.

        Raises:
            StoreError: it does not.
        """
        with self._store.write() as session:
            meta.put(session, _PROOF, "." * _PROOF_BYTES)
            session.flush()
            meta.drop(session, _PROOF)
        self._refused.clear()

    @property
    def pulse(self) -> Pulse:
        """How it does."""
        with self._lock:
            return Pulse(self._turned_at, len(self._at_work))

    def _wall_offset(self) -> datetime:
        """Return what the wall clock showed when the monotonic one was at 0: it moves only when a clock is set."""
        return self._clock.now() - timedelta(seconds=self._clock.monotonic())

    def _wake_all(self) -> None:
        """Make everything due: the wall clock was set back, and what was due in a minute would be due in hours."""
        now = self._clock.now()
        with self._store.write() as session:
            mailboxes.all_due(session, now)
            threads.all_due(session, now)

    def _turn(self, ended: Sequence[Settled], long: Sequence[int], free: int, now: datetime) -> list[Mailbox]:
        if not ended and not long and not (free and self._any_due(now)):
            return []
        with self._store.write() as session:
            mailboxes.settle(session, ended, owner=self._owner, now=now)
            for box_id in long:
                mailboxes.renew(session, box_id, owner=self._owner, now=now)
            if not free:
                return []
            return mailboxes.claim_due(session, now=now, owner=self._owner, limit=free, horizon=_SLACK)

    def _any_due(self, now: datetime) -> bool:
        with self._store.read() as session:
            return mailboxes.any_due(session, now=now, horizon=_SLACK)
