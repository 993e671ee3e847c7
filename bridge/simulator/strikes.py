"""What befalls the company's computers and network: faults, kills, stops, wrong clocks, yesterday's database.

All of it is chosen by one ``Random``. Each strike is written down, so that a person can read what happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from bridge.sandbox.faults import CATALOGUE, Rule, befallen
from bridge.simulator.evidence import Upset
from bridge.simulator.host import Host
from bridge.simulator.machine import Machine
from bridge.simulator.scheduler import NEVER, Worker

A_DAY = {
    "fault": 24.0,
    "kill": 8.0,
    "stop": 3.0,
    "sleep": 0.5,
    "reboot": 1.0,
    "clock": 2.0,
    "backup": 2.0,
    "restore": 0.5,
}
"""How many of each kind befall one day, on average."""

_HOUR = 3600.0
_DAY = 24 * _HOUR
_NOTABLE = frozenset(
    {"before commit", "after commit", "before POST", "after POST", "before PUT", "after PUT", "before DELETE"}
)
_LONGEST_ERROR = 600.0
_RULES_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Strike:
    """One of them: when, and what, as a person reads it."""

    at: datetime
    what: str


@dataclass
class Strikes:
    """Chooses and carries out.

    Args:
        host: what it strikes.
        machines: likewise.
        random: chooses.
        kinds: the names of ``A_DAY`` that may happen.
        pace: how often they come, as a multiple of ``A_DAY``.
        restored: is told from when the database is that was put back, by the services' clock.
    """

    host: Host
    machines: list[Machine]
    random: Random
    kinds: frozenset[str]
    restored: Callable[[datetime], None]
    pace: float = 1.0
    log: list[Strike] = field(default_factory=list)
    upsets: list[Upset] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    _next_at: float = field(default=NEVER, init=False)
    _kill_in: int = field(default=0, init=False)
    _stop_in: int = field(default=0, init=False)
    _any_point: bool = field(default=False, init=False)
    _operations: frozenset[str] = field(default=frozenset(), init=False)
    _mark: int = field(default=0, init=False)
    _copy: bytes = field(default=b"", init=False)
    _copied_at: datetime | None = field(default=None, init=False)

    def begin(self) -> None:
        """Begin to strike."""
        self.host.scheduler.at_point = self._at_point
        self._plan()

    def end(self) -> None:
        """Strike no more; what was broken is whole again."""
        self._next_at, self._kill_in, self._stop_in = NEVER, 0, 0
        self.host.world.core.faults.clear()
        for machine in self.machines:
            if not machine.up:
                machine.start()

    def away(self) -> bool:
        """Say whether a daemon is still stopped, or the computer asleep."""
        stops = [one for one in self.upsets if one.kind in ("stop", "sleep")]
        return any(one.at + timedelta(seconds=one.seconds) > self._now for one in stops)

    @property
    def next_at(self) -> float:
        """When the next one is due, in seconds of the scheduler."""
        return self._next_at

    def strike(self) -> None:
        """Carry out the one that is due."""
        kinds = sorted(self.kinds)
        kind = self.random.choices(kinds, [A_DAY[kind] for kind in kinds])[0]
        act: Callable[[], str] = getattr(self, f"_{kind}")
        said = act()
        if said:
            self._note(kind, said)
        self._plan()

    def struck(self) -> int:
        """Count the requests that a fault befell so far."""
        return self.counts["fault"] + sum(rule.struck for rule in self._rules())

    def _plan(self) -> None:
        rate = self.pace * sum(A_DAY[kind] for kind in self.kinds)
        self._next_at = self.host.scheduler.now + self.random.expovariate(rate / _DAY) if rate else NEVER

    def _note(self, kind: str, said: str) -> None:
        if kind != "fault":
            self.counts[kind] += 1
        self.log.append(Strike(self._now, said))

    @property
    def _now(self) -> datetime:
        return self.host.world.core.clock.now()

    def _upset(self, kind: str, seconds: float = 0.0, copied_at: datetime | None = None) -> None:
        self.upsets.append(Upset(self._now, kind, seconds, copied_at))

    def _rules(self) -> Iterator[Rule]:
        return (fault for fault in self.host.world.core.faults if isinstance(fault, Rule))

    def _fault(self) -> str:
        """Let one kind of fault befall some of the next requests of one operation."""
        faults = self.host.world.core.faults
        for rule in [rule for rule in self._rules() if rule.over or len(faults) > _RULES_AT_ONCE]:
            self.counts["fault"] += rule.struck
            faults.remove(rule)
        kind = self.random.choice(sorted(CATALOGUE))
        struck = befallen(Rule("*", kind))
        operation = self.random.choice(["*", *[name for name in struck if name in self._asked()]])
        times = self.random.choice((1, 1, 1, 2, 3, 8))
        nth = 1 if kind == "no-private-200" else self.random.choice((1, 1, 2, 4))  # private pages are few
        rule = Rule(operation, kind, nth=nth, times=times)
        faults.append(rule)
        if kind == "no-private-200" and self.random.random() < 0.7:
            faults.append(Rule("updateRestrictions", "no-effect-200", times=3))
            return f"fault: {rule}, and what is to make up for it has no effect either"
        return f"fault: {rule}"

    def _asked(self) -> frozenset[str]:
        """Return the operations that were asked for so far."""
        journal = self.host.world.core.journal
        self._operations |= {seen.operation for seen in journal.since(self._mark)}
        self._mark = journal.mark()
        return self._operations

    def _kill(self) -> str:
        """Kill a daemon at one of its next points; said when it happens."""
        self._any_point = self.random.random() < 0.2
        self._kill_in = self.random.randint(1, 30)
        return ""

    def _stop(self) -> str:
        """Stop a daemon at one of the next points of its passes, and let it go on later; said when it happens."""
        self._stop_in = self.random.randint(1, 16)
        return ""

    def _sleep(self) -> str:
        """Let the computer sleep."""
        seconds = self.random.uniform(60.0, 6 * _HOUR)
        if not self.host.clock.sleep(seconds):
            return ""
        for machine in self.machines:
            self.host.scheduler.hold(machine.name, seconds)
        self._upset("sleep", seconds)
        return f"the computer sleeps for {seconds / 60:.0f} minutes"

    def _reboot(self) -> str:
        """Switch the computer off and on."""
        for machine in self.machines:
            machine.crash()
        self.host.clock.start_anew()
        self._upset("reboot")
        self._start_again()
        return "the computer is switched off and on"

    def _clock(self) -> str:
        """Set the clock wrong, or right."""
        error = self.random.choice((0.0, self.random.uniform(-_LONGEST_ERROR, _LONGEST_ERROR)))
        self.host.clock.set_wrong(timedelta(seconds=error))
        self._upset("clock", error)
        return f"the clock is set {error:+.0f} s wrong" if error else "the clock is set right"

    def _backup(self) -> str:
        self._copy, self._copied_at = self.host.disk.read(), self._now
        return "the database is copied"

    def _restore(self) -> str:
        """Put the earlier copy in the database's place."""
        if self._copied_at is None:
            return ""
        for machine in self.machines:
            machine.crash()
        self.host.disk.write(self._copy)
        self._upset("restore", copied_at=self._copied_at)
        self.restored(self._copied_at)
        self._start_again()
        return f"the database is put back as it was at {self._copied_at:%d %H:%M:%S}"

    def _at_point(self, worker: Worker, what: str) -> None:
        if not (self._kill_in or self._stop_in) or not (self._any_point or what in _NOTABLE):
            return
        machine = next((machine for machine in self.machines if machine.name == worker.group), None)
        if machine is None:
            return
        if self._stop_in and not worker.name.endswith(" ticks"):
            self._stop_in -= 1
            if not self._stop_in:
                self._stop_at(machine, worker, what)
        if self._kill_in:
            self._kill_in -= 1
            if not self._kill_in:
                self._kill_at(machine, worker, what)

    def _stop_at(self, machine: Machine, worker: Worker, what: str) -> None:
        """Stop a daemon where a worker of it stands, mostly for longer than its leases."""
        seconds = self.random.uniform(30.0, 1500.0)
        self.host.scheduler.hold(machine.name, seconds)
        self._upset("stop", seconds)
        self._note("stop", f"{machine.name} is stopped in {worker.name} {what} for {seconds:.0f} s")

    def _kill_at(self, machine: Machine, worker: Worker, what: str) -> None:
        self._upset("kill")
        self._note("kill", f"{machine.name} is killed in {worker.name} {what}")
        try:
            machine.crash()
        finally:
            machine.start(self._pause())

    def _start_again(self) -> None:
        for machine in self.machines:
            machine.start(self._pause())

    def _pause(self) -> float:
        return self.random.choice((1.0, 5.0, 5.0, self.random.uniform(5.0, 2 * _HOUR)))
