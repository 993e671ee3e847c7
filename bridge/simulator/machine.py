"""One daemon on the host: what it holds in memory, its ticks and passes, and how it is killed and started anew."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta

from bridge.clock import SeededChance
from bridge.daemon.dispatch import Dispatch
from bridge.daemon.opening import Opened, Outside, put_together
from bridge.daemon.stepped import SteppedEngine
from bridge.daemon.waking import wake_all
from bridge.daemon.wiring import make_bridge
from bridge.http import Endpoints
from bridge.oauth.consent import Consents
from bridge.oauth.tokens import Tokens
from bridge.sandbox.world import SECRET
from bridge.simulator.host import Host, PacedStore
from bridge.store import leftover
from bridge.store.mailboxes import Settled
from bridge.store.tables import Mailbox
from bridge.sync.context import Bridge
from bridge.sync.mailbox import sync_mailbox

PLACES = 5
"""Passes at once in one daemon: as many as may ask one site at once, so that none waits for another's place."""

_TICK = 1.0
_IN_A_WHILE = 120.0
_QUIET = 240.0
_SOON = timedelta(minutes=1)
_PROVEN = 0.5
"""How often the death of the last incarnation can be proven (``daemon.workers``); else its leases run out."""
_LONGEST_TICK = 600.0


class Program:
    """One process of the product on the host, with memory of its own; ``name`` is its group at the scheduler."""

    def __init__(self, host: Host, name: str) -> None:
        self.host = host
        self.name = name
        self.store: PacedStore | None = None
        self._opened: Opened | None = None

    @property
    def opened(self) -> Opened:
        """The installation as this process has it open."""
        assert self._opened is not None
        return self._opened

    def open(self) -> Opened:
        """Open the installation, as every command does."""
        host = self.host
        chance = SeededChance(host.random.getrandbits(32))
        points = host.settings.endpoints
        outside = Outside(Endpoints.of(points.google, points.atlassian), host.transports(), host.clock, chance)
        self.store = host.opened()
        opened = put_together(lambda: host.settings, self.store, [host.disk.seal_key], outside, lambda provider: SECRET)
        self._opened = opened
        return opened

    def tokens(self) -> Tokens:
        """Return everybody's tokens, with locks that hand the baton on."""
        return Tokens(self.opened.oauth, make_lock=self.host.scheduler.lock)

    def consents(self) -> Consents:
        """Return what connects people."""
        return self.opened.consents

    def close(self) -> None:
        """End the process; nothing of it reaches the database or the network any more."""
        if self.store is not None:
            self.store.ended = True
        self.store, self._opened = None, None


class Machine(Program):
    """A daemon. ``start`` boots it, ``crash`` throws its memory away where it stands."""

    def __init__(self, host: Host, name: str) -> None:
        super().__init__(host, name)
        self.incarnation = 0
        self.polls = 0
        self._engine: SteppedEngine | None = None
        self._stack = ExitStack()
        self._ended = False
        self._idle_ticks = 0
        host.stirred.append(self.nudge)

    @property
    def up(self) -> bool:
        """Whether it was started and not killed since; it may still be at its first steps."""
        return self.host.scheduler.busy(self.name) > 0

    def start(self, delay: float = 0.0) -> None:
        """Start it as a new incarnation, after a delay in seconds."""
        self.incarnation += 1
        self.host.scheduler.start(f"{self.name} ticks", self._live, group=self.name, delay=delay)

    def crash(self) -> None:
        """Kill it where it stands.

        Raises:
            Stopped: the caller is a worker of it.
        """
        if self.store is not None:
            self.store.ended = True
        self._engine, self._ended = None, False
        try:
            self.host.scheduler.kill(self.name)
        finally:
            self._stack.close()
            self._stack = ExitStack()
            self.close()

    def nudge(self) -> None:
        """Let it look soon at what is due: something may have changed."""
        self._idle_ticks = 0
        self.host.scheduler.hasten(self.name, "tick", self.host.random.random() * _TICK)

    def _live(self) -> None:
        """Be a daemon: open the installation, then tick when something may be due."""
        host = self.host
        opened = self.open()
        bridge = self._stack.enter_context(make_bridge(opened.oauth, self.tokens(), host.disk.folder / self.name))
        if self.incarnation > 1 and host.random.random() < _PROVEN:
            with opened.store.write() as session:
                leftover.give_back(session, f"{self.name}-{self.incarnation - 1}")
        dispatch = Dispatch(opened.store, host.clock, owner=f"{self.name}-{self.incarnation}", places=PLACES)
        watch = _Watch(self)
        engine = self._engine = SteppedEngine(
            dispatch,
            lambda box: self._pass(box, bridge),
            host.clock,
            begin=self._begin,
            each_tick=watch.look,
        )
        while True:
            if self._ended or watch.sees_edit() or self._until_due() <= 0:
                self._ended = False
                begun = engine.tick()
                self.polls += begun
                self._idle_ticks = 0 if begun else self._idle_ticks + 1
            host.scheduler.point("tick", self._until_next())

    def _pass(self, box: Mailbox, bridge: Bridge) -> Settled:
        """Make a pass; what it brought is written down soon, or with that of others where nothing came of it."""
        settled = sync_mailbox(bridge, box)
        self._ended = True
        quiet = not settled.reason and settled.due_at - self.host.clock.now() > _SOON
        self.host.scheduler.hasten(self.name, "tick", _QUIET if quiet else self.host.random.random() * _TICK)
        return settled

    def _begin(self, name: str, task: Callable[[], None]) -> None:
        self.host.scheduler.start(f"{self.name} {name}", task, group=self.name)

    def _until_due(self) -> float:
        """Return in how many seconds a mailbox is due or a lease runs out; less than 0 for one that is already."""
        due = self.host.next_due()
        return _LONGEST_TICK if due is None else (due - self.host.clock.now()) / timedelta(seconds=1)

    def _until_next(self) -> float:
        """Return the seconds until a tick may find something: it would only read till then."""
        wait = self._until_due()
        if wait <= 0:  # paused, or no place is free
            wait = _TICK * 2 ** max(self._idle_ticks - 3, 0)
        scheduler = self.host.scheduler
        # What is due in a while may be due together with others: fewer transactions, where polls are all alike.
        gmail = self.host.settings.gmail
        grid = gmail.poll_idle / 15 if wait > _IN_A_WHILE and gmail.poll_every == gmail.poll_idle else _TICK
        at = scheduler.now + wait + self.host.random.random() * _TICK
        return min(-(-at // grid) * grid - scheduler.now, _LONGEST_TICK)


class _Watch:
    """Sees an edit of the configuration between two ticks, as the service does."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._known = machine.host.settings

    def sees_edit(self) -> bool:
        """Say whether there was one."""
        return self._machine.host.settings is not self._known

    def look(self) -> None:
        """Wake everything after an edit."""
        host, store = self._machine.host, self._machine.store
        if not self.sees_edit() or store is None:
            return
        with store.write() as session:
            wake_all(session, host.clock.now())
        self._known = host.settings
