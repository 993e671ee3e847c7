"""The stepped engine: the same ticks and passes as the embedded one, begun by whoever holds the time.

It starts no thread and waits for nothing. A simulation calls ``tick`` at the instants that it chooses, and runs the
passes that come of it in the order that it chooses.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import structlog

from bridge.clock import Clock
from bridge.daemon.dispatch import Dispatch
from bridge.daemon.passes import Work, one_pass, untouched
from bridge.errors import StoreError
from bridge.store.mailboxes import Settled
from bridge.store.tables import Mailbox

log = structlog.get_logger()

Begin = Callable[[str, Callable[[], None]], None]
"""Takes a pass's name and the pass; it runs at once or later, but once."""


class SteppedEngine:
    """Runs mailbox syncs when it is told to."""

    def __init__(
        self,
        dispatch: Dispatch,
        work: Work,
        clock: Clock,
        *,
        begin: Begin,
        each_tick: Callable[[], None] = lambda: None,
    ) -> None:
        """Make an engine that stands still.

        Args:
            dispatch: claims what is due.
            work: makes one pass of a mailbox.
            clock: the time.
            begin: is handed each pass that a tick claims.
            each_tick: called before each tick (an edit of the configuration is seen there).
        """
        self._dispatch = dispatch
        self._work = work
        self._clock = clock
        self._begin = begin
        self._each_tick = each_tick
        self._stopping = False

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop: a pass under work ends at its next good place."""
        return self._stopping

    def tick(self) -> int:
        """Turn once; return how many passes were handed over. A database that refuses makes it 0."""
        if self._stopping:
            return 0
        try:
            self._each_tick()
            claimed = self._dispatch.tick()
        except StoreError as error:
            log.error("the database cannot be used", problem=str(error))
            return 0
        for box in claimed:
            self._begin(f"mailbox {box.id}", partial(self._pass, box))
        return len(claimed)

    def stop(self) -> bool:
        """Claim nothing more and write down what ended; return whether nothing is under work any more."""
        self._stopping = True
        try:
            self._dispatch.flush()
        except StoreError as error:
            log.error("the database cannot be used", problem=str(error))
            return False
        return not self._dispatch.pulse.at_work

    def _pass(self, box: Mailbox) -> None:
        settled = untouched(box) if self._stopping else one_pass(self._told, box, self._clock)
        self._dispatch.done(settled)

    def _told(self, box: Mailbox) -> Settled:
        try:
            return self._work(box)
        except StoreError:
            self._dispatch.refused()
            raise
