"""One simulation from its seed: a company, two daemons, what people do, what strikes; then everything settles.

A run's random numbers come from streams of their own for the people, the strikes, the scheduler, the sandbox and the
network, all made from the seed: so a run that ends after the k-th act is the same as a longer one up to there.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

from sqlmodel import col, update

from bridge.clock import VirtualClock
from bridge.config import Atlassian, Google, Safety, Settings
from bridge.config.settings import Endpoints, Gmail
from bridge.sandbox.journal import Seen
from bridge.sandbox.world import ATLASSIAN_CLIENT, GOOGLE_CLIENT, World
from bridge.simulator.acts import Act
from bridge.simulator.desk import Desk
from bridge.simulator.evidence import Evidence
from bridge.simulator.host import Disk, Host
from bridge.simulator.machine import Machine
from bridge.simulator.model import Violation, judge, judge_early
from bridge.simulator.people import People
from bridge.simulator.scheduler import Scheduler
from bridge.simulator.standing import collect, watch
from bridge.simulator.strikes import A_DAY, Strike, Strikes
from bridge.store.tables import Follow, FollowState, Mailbox

BASE = "http://127.0.0.1:1"
START = datetime(2026, 4, 20, 9, 0, tzinfo=UTC)
DAY = 86400.0
ALL = frozenset(A_DAY)
"""Every kind of strike."""

LONG = 10.0
"""From so many days on, mailboxes are looked at every ten minutes all the time; in a shorter run only lively ones."""

_ACTS_A_DAY = (8.0, 4.0)  # of a person in a short and in a long run
_TOKEN_LIVES = (timedelta(hours=5), timedelta(hours=12))  # fewer refreshes; faults ask for them too
_PACES = (1.0, 0.25)  # of strikes: in a month all of them come all the same
_FULL_PASSES = (6 * 3600.0, 24 * 3600.0)
_LOOKS_AT_ONCE = (0.9, 0.3)
_ROUND = 1200.0
_ROUNDS = (4, 40)
_LAST = 7 * 3600.0


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be simulated; ``acts`` is after how many acts the people stop, None for never before the days end."""

    seed: int
    days: float
    people: int
    kinds: frozenset[str] = ALL
    acts: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. ``digest`` is over every request, so that two runs can be compared; ``events`` counts mails'."""

    order: Order
    violations: tuple[Violation, ...]
    acts: tuple[Act, ...]
    strikes: tuple[Strike, ...]
    events: int
    polls: int
    faults: int
    crashes: int
    virtual_days: float
    requests: int
    digest: str


@dataclass
class Simulation:
    """One run. It is made and used once."""

    order: Order
    disk: Disk
    world: World = field(init=False)
    scheduler: Scheduler = field(init=False)
    host: Host = field(init=False)
    desk: Desk = field(init=False)
    people: People = field(init=False)
    strikes: Strikes = field(init=False)
    machines: list[Machine] = field(init=False)

    def __post_init__(self) -> None:
        """Build the company and its two daemons; nobody is connected yet."""
        seeds = Random(self.order.seed)
        clock = VirtualClock(START)
        self.disk.wipe()
        self.world = World(base_url=BASE, clock=clock, seed=seeds.getrandbits(32))
        self.world.google.oauth.grants.access_lifetime = _TOKEN_LIVES[self.order.days >= LONG]
        watch(self.world)
        self.scheduler = Scheduler(Random(seeds.getrandbits(32)), clock)
        self.host = Host(self.world, self.scheduler, Random(seeds.getrandbits(32)), self.disk, _settings(self.order))
        self.world.register([self.host.settings.redirect_url("google"), self.host.settings.redirect_url("atlassian")])
        self.desk = Desk(self.host)
        self.machines = [Machine(self.host, name) for name in ("left", "right")]
        a_day = _ACTS_A_DAY[self.order.days >= LONG]
        self.people = People(self.world, Random(seeds.getrandbits(32)), self.desk, self.order.people, a_day=a_day)
        self._looks = Random(seeds.getrandbits(32))
        self.strikes = Strikes(
            self.host,
            self.machines,
            Random(seeds.getrandbits(32)),
            self.order.kinds,
            self.people.restored,
            pace=_PACES[self.order.days >= LONG],
        )

    def run(self) -> Outcome:
        """Simulate, settle, judge.

        Raises:
            BaseException: what a daemon's worker raised and nobody caught; a fault of its own.
        """
        try:
            for machine in self.machines:
                machine.start()
            self.strikes.begin()
            self._live()
            violations = self._settle()
            violations += judge(self.people.history, self._evidence())
            return self._outcome([*violations, *self._again()])
        finally:
            self.scheduler.close()

    def _live(self) -> None:
        """Let the days pass."""
        end = self.order.days * DAY
        most = self.order.acts if self.order.acts is not None else sys.maxsize
        while self.scheduler.now < end and len(self.people.history) < most:
            next_act = self.people.next_at(self.scheduler.now)
            self.scheduler.run_until(min(next_act, self.strikes.next_at, end))
            if self.scheduler.now >= next_act:
                self._act()
            if self.scheduler.now >= self.strikes.next_at:
                self.strikes.strike()

    def _act(self) -> None:
        """Let somebody do something; some mailboxes are looked at right after, as if their time had come."""
        self.world.core.catch_up()
        act = self.people.act(self.world.core.clock.now())
        if act is not None and act.conversation and self._looks.random() < _LOOKS_AT_ONCE[self.order.days >= LONG]:
            for address in self.people.concerned(act):
                self.desk.look_now(address)

    def _settle(self) -> list[Violation]:
        """Let nothing strike any more, and everything come to its end; return who waited in silence on the way."""
        self.strikes.end()
        least, most = _ROUNDS
        for number in range(most):
            mark = self.world.core.journal.mark()
            self.people.settle()
            self._wake()
            self.scheduler.run_until(self.scheduler.now + _ROUND)
            if number >= least and not self.strikes.away() and not self.world.core.journal.writes(mark):
                break
        early = judge_early(self.people.history, self._evidence())
        self.scheduler.run_until(self.scheduler.now + _LAST)
        return early

    def _evidence(self) -> Evidence:
        return collect(self.world, self.desk.status().waits, self.strikes.upsets)

    def _wake(self) -> None:
        """Look at everything anew, as after an edit of the configuration."""
        self.host.settings = replace(self.host.settings)
        self.host.stir()

    def _again(self) -> list[Violation]:
        """Lose every cursor and look at everything anew: nothing may be written."""
        mark = self.world.core.journal.mark()
        with self.desk.opened.store.write() as session:
            session.exec(update(Mailbox).values(cursor=None))
            session.exec(update(Follow).where(col(Follow.state) != FollowState.IGNORED).values(history_id=0))
        self._wake()
        self.scheduler.run_until(self.scheduler.now + _ROUND)
        return [_again_violation(seen) for seen in self.world.core.journal.writes(mark)]

    def _outcome(self, violations: Sequence[Violation]) -> Outcome:
        journal, counts = self.world.core.journal, self.strikes.counts
        return Outcome(
            order=self.order,
            violations=tuple(violations),
            acts=tuple(self.people.history),
            strikes=tuple(self.strikes.log),
            events=sum(1 for act in self.people.history if act.kind in People.MAIL_EVENTS),
            polls=sum(machine.polls for machine in self.machines),
            faults=self.strikes.struck(),
            crashes=counts["kill"] + 2 * counts["reboot"] + 2 * counts["restore"],
            virtual_days=self.scheduler.now / DAY,
            requests=journal.mark(),
            digest=_digest(journal.seen),
        )


def _settings(order: Order) -> Settings:
    """Return the installation's configuration before its routes are written."""
    every, idle = (600.0, 600.0) if order.days >= LONG else (900.0, 7200.0)
    return Settings(
        google=Google(client_id=GOOGLE_CLIENT, domains=("example.com",)),
        atlassian=Atlassian(client_id=ATLASSIAN_CLIENT, sites=(BASE,)),
        gmail=Gmail(poll_every=every, poll_idle=idle, full_pass_every=_FULL_PASSES[order.days >= LONG]),
        safety=Safety(),
        endpoints=Endpoints(google=f"{BASE}/google", atlassian=f"{BASE}/atlassian"),
    )


def _again_violation(seen: Seen) -> Violation:
    return Violation("a second look writes nothing", f"{seen.operation} as {seen.person} ({seen.path}).")


def _digest(listed: Sequence[Seen]) -> str:
    found = hashlib.sha256()
    for seen in listed:
        what = (seen.at, seen.operation, seen.method, seen.path, seen.query, seen.person, seen.status, seen.write)
        found.update(repr(what).encode())
    return found.hexdigest()
