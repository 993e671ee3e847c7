"""The embedded engine: APScheduler ticks once a second, a pool of threads works on what a tick claims."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor as TickExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from bridge.clock import Clock
from bridge.daemon.dispatch import Dispatch
from bridge.daemon.passes import Work, one_pass, untouched
from bridge.errors import StoreError
from bridge.store.mailboxes import Settled
from bridge.store.tables import Mailbox

log = structlog.get_logger()

TICK_SECONDS = 1.0
_HUNG_TICKS = 5


class EmbeddedEngine:
    """Runs mailbox syncs when they are due, in this process.

    A tick that does not come (the wall clock was set back: APScheduler waits for the old time) is started anew by
    ``guard``, which goes by the monotonic clock.
    """

    def __init__(
        self, dispatch: Dispatch, work: Work, clock: Clock, *, threads: int, each_tick: Callable[[], None]
    ) -> None:
        """Make an engine that stands still.

        Args:
            dispatch: claims what is due.
            work: makes one pass of a mailbox; called in a thread of the pool.
            clock: the time.
            threads: how many passes may run at once.
            each_tick: called before each tick (an edit of the configuration is seen there).
        """
        self._dispatch = dispatch
        self._work = work
        self._clock = clock
        self._each_tick = each_tick
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="sync")
        self._running: set[Future[None]] = set()
        self._stopping = threading.Event()
        self._turning = threading.Lock()
        self._trouble = ""
        self._scheduler = BackgroundScheduler(executors={"default": TickExecutor(1)}, timezone="UTC")

    def start(self) -> None:
        """Begin to tick."""
        self._scheduler.add_job(
            self._tick,
            "interval",
            seconds=TICK_SECONDS,
            id="tick",
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
            next_run_time=self._clock.now(),
        )
        self._scheduler.start()

    def guard(self) -> bool:
        """Start the ticks anew where none came for five intervals; return whether the engine turns."""
        still = self._clock.monotonic() - self._dispatch.pulse.turned_at
        if still > _HUNG_TICKS * TICK_SECONDS and not self._turning.locked() and not self._stopping.is_set():
            log.warning("no tick came; started anew", seconds=round(still))
            self._scheduler.modify_job("tick", next_run_time=self._clock.now())
        return still <= 6 * _HUNG_TICKS * TICK_SECONDS

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop: a pass under work ends at its next good place."""
        return self._stopping.is_set()

    @property
    def trouble(self) -> str:
        """Why the database is out of use, as a tick or a pass met it; '' where it works."""
        return self._trouble

    def aside(self, task: Callable[[], None]) -> None:
        """Run something else in the pool; a stop waits for it too."""
        self._submit(task)

    def stop(self, seconds: float) -> bool:
        """Claim nothing more and wait for what is under work; return whether all of it ended in time."""
        self._stopping.set()
        give_up_at = self._clock.monotonic() + seconds
        self._scheduler.shutdown(wait=False)
        # A tick under way may be waiting for the database.
        turned = self._turning.acquire(timeout=seconds)
        if turned:
            self._turning.release()
        left = max(give_up_at - self._clock.monotonic(), 0.0)
        unfinished = wait(tuple(self._running), timeout=left).not_done
        self._pool.shutdown(wait=False, cancel_futures=True)
        try:
            self._dispatch.flush()
        except StoreError as error:
            log.error("the database cannot be used", problem=str(error))
            return False
        return turned and not unfinished

    def _tick(self) -> None:
        with self._turning:
            if self._stopping.is_set():
                return
            try:
                self._turn()
            except StoreError as error:
                self._say_trouble(str(error))
            except Exception:
                log.exception("a tick failed")
            else:
                if not self._dispatch.in_doubt:  # a pass that this tick began may have failed already
                    self._say_trouble("")

    def _turn(self) -> None:
        self._each_tick()
        for box in self._dispatch.tick():
            if self._stopping.is_set():
                self._dispatch.done(untouched(box))
            else:
                self._submit(partial(self._pass, box))

    def _submit(self, task: Callable[[], None]) -> None:
        future = self._pool.submit(task)
        self._running.add(future)
        future.add_done_callback(self._running.discard)

    def _pass(self, box: Mailbox) -> None:
        if self._stopping.is_set():
            self._dispatch.done(untouched(box))
            return
        self._dispatch.done(one_pass(self._told, box, self._clock))

    def _told(self, box: Mailbox) -> Settled:
        """Make a pass; where the database fails it, that is told as a tick's is."""
        try:
            return self._work(box)
        except StoreError as error:
            self._dispatch.refused()
            self._say_trouble(str(error))
            raise

    def _say_trouble(self, problem: str) -> None:
        """Say once that the database is out of use, and once that it works again."""
        if problem == self._trouble:
            return
        self._trouble = problem
        if problem:
            log.error("the database cannot be used", problem=problem)
        else:
            log.info("the database works again")
