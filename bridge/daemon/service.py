"""The service itself: the engine, the web page, reloads, signals and what systemd is told."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import structlog

from bridge import __version__
from bridge.config import Change, ConfigFile
from bridge.daemon.dispatch import Dispatch
from bridge.daemon.embedded import EmbeddedEngine
from bridge.daemon.systemd import Notifier
from bridge.daemon.waking import wake_all
from bridge.daemon.wiring import make_bridge
from bridge.daemon.workers import SERVICE, Worker, sign_on
from bridge.errors import BridgeError, StoreError
from bridge.oauth.context import OAuth
from bridge.oauth.tokens import Tokens
from bridge.store import events, kept, meta
from bridge.sync.context import Bridge
from bridge.sync.mailbox import sync_mailbox
from bridge.web.serve import WebServer

log = structlog.get_logger()

STOP_SECONDS = 20.0
_THREADS = 16
_PLACES = 32
_SIGN_SECONDS = 30.0
_QUIET_SECONDS = 600.0
_TIDY_SECONDS = 86_400.0
_WATCH_SECONDS = 1.0
_AT_START = ("endpoints.", "store.", "web.listen")
_STATUS = "Looking at mailboxes."
_STALE = "Looking at mailboxes. The configuration is faulty; the last good one stays."


@dataclass
class Service:
    """One daemon. ``run`` returns when it was told to stop.

    Args:
        oauth: the installation; its settings are those of ``config``.
        tokens: everybody's tokens.
        config: the file that it follows.
        notifier: the service manager.
        web: makes the web server, for the current settings.
        spool: a private folder for attachments under way.
    """

    oauth: OAuth
    tokens: Tokens
    config: ConfigFile
    notifier: Notifier
    web: Callable[[], WebServer]
    spool: Path
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _reload: threading.Event = field(default_factory=threading.Event, init=False)
    _problem: str = field(default="", init=False)
    _keep_problem: str = field(default="", init=False)
    _unwoken: bool = field(default=False, init=False)
    _worker: Worker | None = field(default=None, init=False)
    _trouble: str = field(default="", init=False)

    def stop(self) -> None:
        """Tell the service to end; safe from a signal handler and from any thread."""
        self._stop.set()

    def reload(self) -> None:
        """Tell the service to read its configuration again."""
        self._reload.set()

    def run(self, *, signals: bool = True, ready: Callable[[], None] = lambda: None) -> int:
        """Work until told to stop.

        Args:
            signals: whether SIGTERM, SIGINT and SIGHUP are this service's to answer (main thread only).
            ready: called once when everything works.

        Returns:
            The exit code: 0, or 1 where a pass did not end within 20 s of the stop (it is finished at the next start).
        """
        if signals:
            self._listen()
        server = self.web()
        server.start()
        try:
            with make_bridge(self.oauth, self.tokens, self.spool, ending=self._stop.is_set) as bridge:
                return self._work(bridge, ready)
        finally:
            server.stop()

    def _work(self, bridge: Bridge, ready: Callable[[], None]) -> int:
        worker = sign_on(SERVICE, self.oauth.store, self.config.places.state, self.oauth.clock, self.oauth.chance)
        self._worker = worker
        dispatch = Dispatch(self.oauth.store, self.oauth.clock, owner=worker.name, places=_PLACES)
        engine = EmbeddedEngine(
            dispatch,
            lambda box: sync_mailbox(bridge, box),
            self.oauth.clock,
            threads=_THREADS,
            each_tick=self._follow_config,
        )
        self._say_problem()
        self._sign(started=True)
        engine.start()
        try:
            self.notifier.ready(self._status)
            log.info("running", version=__version__, config=str(self.config.places.config))
            ready()
            self._watch(engine)
        finally:
            self.notifier.stopping()
            finished = engine.stop(STOP_SECONDS - 2)
            self._sign_off()
            if finished:
                worker.sign_off()
            log.info("stopped", finished=finished)
        return 0 if finished else 1

    def _watch(self, engine: EmbeddedEngine) -> None:
        """Guard the engine until the stop: the watchdog is fed only while ticks come."""
        clock = self.oauth.clock
        fed = signed = clock.monotonic()
        quiet = fed - _QUIET_SECONDS
        tidied = fed - _TIDY_SECONDS
        while not clock.wait(self._stop, _WATCH_SECONDS):
            now = clock.monotonic()
            turns = engine.guard()
            self._say_trouble(engine.trouble)
            if turns and self.notifier.watchdog_seconds and now - fed >= self.notifier.watchdog_seconds / 2:
                self.notifier.alive()
                fed = now
            if turns and now - signed >= _SIGN_SECONDS:
                self._sign(started=False)
                self._take_over()
                signed = now
            if now - quiet >= _QUIET_SECONDS:
                engine.aside(self._refresh_quiet)
                quiet = now
            if now - tidied >= _TIDY_SECONDS:
                engine.aside(self._tidy)
                tidied = now

    def _say_trouble(self, trouble: str) -> None:
        """Tell the service manager that the database is out of use, and that it works again."""
        if trouble != self._trouble:
            self._trouble = trouble
            self.notifier.status(f"Degraded, nothing is written. {trouble}" if trouble else self._status)

    @property
    def _status(self) -> str:
        return _STALE if self.config.stale else _STATUS

    def _sign(self, *, started: bool) -> None:
        """Leave word in the database for ``mailbridge status``."""
        now = self.oauth.clock.now().isoformat()
        try:
            with self.oauth.store.write() as session:
                meta.put(session, "daemon.looked", now)
                meta.put(session, "daemon.stopped", "")
                if started:
                    meta.put(session, "daemon.started", now)
                    meta.put(session, "daemon.version", __version__)
        except StoreError as error:
            log.error("the database cannot be used", problem=str(error))

    def _sign_off(self) -> None:
        """Leave word that it ended in order, so that nobody takes it for running until its silence is noticed."""
        try:
            with self.oauth.store.write() as session:
                meta.put(session, "daemon.stopped", self.oauth.clock.now().isoformat())
        except StoreError as error:
            log.error("the database cannot be used", problem=str(error))

    def _take_over(self) -> None:
        """Go on with what another program of this machine was at work on when it was killed."""
        try:
            if self._worker is not None:
                self._worker.take_over(self.oauth.store)
        except StoreError as error:
            log.error("the database cannot be used", problem=str(error))

    def _tidy(self) -> None:
        """Let go what is kept for a time only: refused texts, and events older than 400 days, some thousands a time."""
        before = self.oauth.clock.now() - events.KEPT
        try:
            with self.oauth.store.write() as session:
                kept.purge(session, self.oauth.clock.now())
            gone = True
            while gone and not self._stop.is_set():
                with self.oauth.store.write() as session:
                    gone = bool(events.purge(session, before))
        except StoreError as error:
            log.error("the database cannot be used", problem=str(error))

    def _refresh_quiet(self) -> None:
        try:
            for grant_id, error in self.tokens.refresh_quiet(self.oauth.clock.now()).items():
                log.warning("a quiet connection could not be refreshed", grant=grant_id, problem=str(error))
        except BridgeError as error:
            log.warning("quiet connections could not be refreshed", problem=str(error))

    def _follow_config(self) -> None:
        """Apply an edit of the configuration, whole, between two ticks; or keep the last good one and say why."""
        asked = self._reload.is_set()
        if asked:
            self._reload.clear()
            self.notifier.reloading(self.oauth.clock.monotonic())
            change = self.config.reload()
            self.notifier.ready(self._status)
        else:
            change = self.config.poll()
        self._say_problem(again=asked)
        if change is not None:
            self._say_change(change)
            self._unwoken |= asked or bool(change.changed_keys)
        if self._unwoken:
            self._wake()

    def _say_problem(self, *, again: bool = False) -> None:
        if self.config.log_line != self._problem or (again and self._problem):
            self._problem = self.config.log_line
            if self._problem:
                log.error("configuration not applied; the last good one stays", problem=self._problem)
            else:
                log.info("the configuration is in order again")
        if self.config.keep_problem != self._keep_problem:
            self._keep_problem = self.config.keep_problem
            if self._keep_problem:
                log.warning("the last good configuration could not be kept", problem=self._keep_problem)

    def _say_change(self, change: Change) -> None:
        log.info("configuration applied", changed=list(change.changed_keys))
        later = [key for key in change.changed_keys if key.startswith(_AT_START)]
        if later:
            log.warning("some of it takes effect at the next start", keys=later)

    def _wake(self) -> None:
        """Make everything due that another configuration may have mended; where it fails, the next tick does it."""
        now = self.oauth.clock.now()
        try:
            with self.oauth.store.write() as session:
                wake_all(session, now)
        except StoreError as error:
            log.error("the database cannot be used", problem=str(error))
        else:
            self._unwoken = False

    def _listen(self) -> None:
        def stop(number: int, frame: FrameType | None) -> None:
            self.stop()

        def reload(number: int, frame: FrameType | None) -> None:
            self.reload()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGHUP, reload)
