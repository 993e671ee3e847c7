"""One worker at a time in virtual time; a seeded ``Random`` chooses who goes on.

Workers are real threads that pass one baton: whoever has it runs, all others stand at a point of theirs (a request, a
commit, a wait). Nothing else decides the order, so one seed is one exact replay. Standing at a point costs nothing
where nobody else could go on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from random import Random
from types import TracebackType

from bridge.clock import VirtualClock

NEVER = float("inf")

Task = Callable[[], None]


class Stopped(BaseException):
    """The program that this worker belongs to was killed; nothing of it runs any more.

    No ``Exception``, so that no handler of the product takes it for a fault that it could mend.
    """


class _Party:
    """Somebody who can have the baton."""

    def __init__(self) -> None:
        self._baton = threading.Lock()
        self._baton.acquire()

    def take(self) -> None:
        """Wait until the baton is handed over."""
        self._baton.acquire()

    def give(self) -> None:
        """Hand the baton to this party; the caller must stop at once."""
        self._baton.release()


@dataclass(eq=False)
class Worker:
    """One task on its way.

    ``group`` names the program that it belongs to; ``ready_at`` is when it may go on, in seconds of the scheduler;
    ``writing`` is true while it has a transaction open, in which it must not stand at a point, and
    ``sent`` while it waits for what has left the program already; ``at`` is the point where it stands.
    """

    name: str
    group: str
    task: Task
    ready_at: float
    writing: bool = False
    sent: bool = False
    at: str = ""
    doomed: bool = False
    seat: _Seat | None = field(default=None, repr=False)
    back_to: _Party | None = field(default=None, repr=False)


class Scheduler:
    """Runs workers one at a time, and moves the clock when nobody can go on.

    ``now`` counts the virtual seconds since the start; the clock shows the same time as an instant. ``at_point`` is
    called whenever a worker stands at a point, and may kill it there.
    """

    def __init__(self, random: Random, clock: VirtualClock) -> None:
        self.clock = clock
        self.now = 0.0
        self.points = 0
        self.switches = 0
        self.at_point: Callable[[Worker, str], None] = lambda worker, what: None
        self._random = random
        self._main = _Party()
        self._waiting: list[Worker] = []
        self._current: Worker | None = None
        self._idle: list[_Seat] = []
        self._seats: list[_Seat] = []
        self._until = 0.0
        self._failure: BaseException | None = None
        self._held: dict[str, float] = {}

    @property
    def current(self) -> Worker | None:
        """The worker that has the baton; None while the caller of ``run_until`` has it."""
        return self._current

    def start(self, name: str, task: Task, *, group: str = "", delay: float = 0.0) -> Worker:
        """Let a task begin after a delay in seconds; it runs when it is chosen."""
        worker = Worker(name, group, task, max(self.now + delay, self._held.get(group, 0.0)))
        self._waiting.append(worker)
        return worker

    def run_until(self, until: float) -> None:
        """Run workers until that second, and stop with the clock there; what is under way then stays under way.

        Raises:
            BaseException: what a task raised, save ``Stopped``.
        """
        self._until = until
        following = self._choose()
        if following is not None:
            self._hand_to(following)
            self._main.take()
        self._current = None
        self._raise_failure()
        self._advance(until)

    def busy(self, group: str = "") -> int:
        """Count the workers that have not ended, of one group or of all."""
        return sum(1 for worker in self._waiting if group in ("", worker.group))

    def soonest(self) -> float:
        """Return when the first worker can go on, ``NEVER`` where there is none."""
        return min((worker.ready_at for worker in self._waiting), default=NEVER)

    def point(self, what: str, seconds: float = 0.0, *, sent: bool = False) -> None:
        """Stand at a point for so long at least; others may go on meanwhile. Outside of a worker time just passes.

        What was ``sent`` has left the program: it arrives also where the program was stopped.

        A worker that has a transaction open would keep all others from the database: ``run_until`` raises that.

        Raises:
            Stopped: the worker's program was killed.
        """
        worker = self._current
        if worker is None:
            self._advance(self.now + seconds)
            return
        if worker.doomed:
            raise Stopped
        if worker.writing:
            self._failure = RuntimeError(f"{worker.name} would wait ({what}) inside of an open transaction")
            raise Stopped
        self.points += 1
        self.at_point(worker, what)
        worker.at, worker.sent, worker.ready_at = what, sent, self.now + seconds
        if self._held and not sent:
            worker.ready_at = max(worker.ready_at, self._held.get(worker.group, 0.0))
        self._stand(worker)

    def block(self, freed: Callable[[], bool]) -> None:
        """Stand until a condition holds that another worker brings about (it calls ``wake`` then).

        Raises:
            Stopped: the worker's program was killed.
            RuntimeError: nobody could bring it about, since no worker is running.
        """
        worker = self._current
        if worker is None:
            raise RuntimeError("nobody could end this wait")
        if worker.doomed:
            raise Stopped
        while not freed():
            worker.sent, worker.ready_at = False, NEVER
            self._stand(worker)

    def wake(self) -> None:
        """Let all who are blocked look again."""
        for worker in self._waiting:
            if worker.ready_at == NEVER:
                worker.ready_at = max(self.now, self._held.get(worker.group, 0.0))

    def hasten(self, group: str, what: str, seconds: float) -> None:
        """Let the workers of a group that stand at a point of that name go on within so many seconds."""
        for worker in self._waiting:
            if worker.group == group and worker.at == what:
                worker.ready_at = min(worker.ready_at, max(self.now + seconds, self._held.get(group, 0.0)))

    def hold(self, group: str, seconds: float) -> None:
        """Let no worker of a group go on for so long: a program that was stopped, not killed."""
        until = self._held[group] = max(self._held.get(group, 0.0), self.now + seconds)
        for worker in self._waiting:
            if worker.group == group and not worker.sent:
                worker.ready_at = max(worker.ready_at, until)

    def kill(self, group: str) -> None:
        """End all workers of a group where they stand.

        Raises:
            Stopped: the caller is one of them.
        """
        self._held.pop(group, None)
        me = self._current
        mine = me is not None and me.group == group
        for worker in [worker for worker in self._waiting if worker.group == group]:
            worker.doomed = True
            if worker.seat is None:
                self._waiting.remove(worker)
                continue
            worker.back_to = me.seat if me is not None else self._main
            self._hand_to(worker)
            (self._main if me is None or me.seat is None else me.seat).take()
            self._current = me
        if me is not None and mine:
            me.doomed = True
            raise Stopped

    def lock(self) -> AbstractContextManager[object]:
        """Make a lock for the product whose waiters stand at a point instead of keeping the baton."""
        return _Lock(self)

    def close(self) -> None:
        """End every worker and every thread."""
        for group in {worker.group for worker in self._waiting}:
            self.kill(group)
        for seat in self._seats:
            seat.close()

    def _stand(self, worker: Worker) -> None:
        """Give the baton to whoever is chosen and wait for it."""
        self._waiting.append(worker)
        following = self._choose()
        if following is not worker:
            assert worker.seat is not None
            if following is None:
                self._main.give()
            else:
                self._hand_to(following)
            worker.seat.take()
        self._waiting.remove(worker)
        self._current = worker
        if worker.doomed:
            raise Stopped

    def _choose(self) -> Worker | None:
        """Return who goes on, moving the clock to the first who can; None where nobody can before ``_until``."""
        waiting = self._waiting
        if self._failure is not None or not waiting:
            return None
        soonest = min(worker.ready_at for worker in waiting)
        if soonest > self.now:
            if soonest > self._until:
                return None
            self._advance(soonest)
        ready = [worker for worker in waiting if worker.ready_at <= self.now]
        return ready[0] if len(ready) == 1 else ready[int(self._random.random() * len(ready))]

    def _advance(self, to: float) -> None:
        if to > self.now:
            self.clock.advance(to - self.now)
            self.now = to

    def _hand_to(self, worker: Worker) -> None:
        self.switches += 1
        if worker.seat is None:
            worker.seat = self._idle.pop() if self._idle else self._new_seat()
            worker.seat.worker = worker
            self._waiting.remove(worker)
            self._current = worker
        worker.seat.give()

    def _new_seat(self) -> _Seat:
        seat = _Seat(self)
        self._seats.append(seat)
        return seat

    def _ended(self, seat: _Seat, worker: Worker, failure: BaseException | None) -> None:
        """Take a seat back and hand the baton on; called by the seat's own thread."""
        if failure is not None and self._failure is None:
            self._failure = failure
        seat.worker = None
        self._idle.append(seat)
        if worker.back_to is not None:
            worker.back_to.give()
            return
        following = self._choose()
        if following is None:
            self._main.give()
        else:
            self._hand_to(following)

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure


class _Seat(_Party):
    """A thread that runs one task after another."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self.worker: Worker | None = None
        self._scheduler = scheduler
        self._thread = threading.Thread(target=self._run, name="simulated", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread; it must be idle."""
        self.give()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self.take()
            worker = self.worker
            if worker is None:
                return
            failure: BaseException | None = None
            try:
                worker.task()
            except Stopped:
                pass
            except BaseException as error:
                failure = error
            self._scheduler._ended(self, worker, failure)


class _Lock:
    """A lock that whoever waits for it hands the baton on."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._taken = False

    def __enter__(self) -> _Lock:
        if self._taken:
            self._scheduler.block(lambda: not self._taken)
        self._taken = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._taken = False
        self._scheduler.wake()
