from __future__ import annotations

import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from structlog.testing import capture_logs

from bridge import __version__
from bridge.clock import SystemClock
from bridge.daemon.dispatch import Dispatch
from bridge.daemon.embedded import EmbeddedEngine
from bridge.daemon.opening import Opened
from bridge.daemon.service import Service
from bridge.daemon.systemd import Notifier
from bridge.errors import StoreLocked
from bridge.store import events, meta
from bridge.store.tables import Follow, FollowState, Grant, Publication
from bridge.sync import orders

from support.served import ADA, ENG, HR, PATIENCE, Served, at_work, served, service_of, until


@dataclass
class Running:
    """A service at work in a thread of this process, and what it logs."""

    site: Served
    opened: Opened
    service: Service
    lines: list[Any]

    def told(self, event: str) -> list[Any]:
        return [line for line in list(self.lines) if line["event"] == event]

    def follows(self) -> dict[str, Follow]:
        with self.opened.store.read() as session:
            return {follow.thread_id: follow for follow in session.exec(select(Follow))}

    def meta(self, key: str) -> str:
        with self.opened.store.read() as session:
            return meta.get(session, key)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as found:
        yield found


@contextmanager
def run(site: Served, environ: dict[str, str] | None = None) -> Iterator[Running]:
    with ExitStack() as stack:
        lines = stack.enter_context(capture_logs())
        opened = stack.enter_context(site.opened())
        if ADA not in _connected(opened):
            site.connect(opened, ADA)
        service = service_of(opened, environ or {})
        stack.enter_context(at_work(service))
        yield Running(site, opened, service, lines)


def _connected(opened: Opened) -> set[str]:
    with opened.store.read() as session:
        return {ADA} if session.exec(select(Grant)).first() else set()


def test_it_publishes_serves_its_page_signs_and_ends(site: Served) -> None:
    begun = SystemClock().now()
    with run(site) as running:
        site.mail("Release plan")
        until(lambda: site.titles() == ["Release plan"], "the page")
        with running.opened.store.read() as session:
            uid = session.exec(select(Publication.uid)).one()
        with urllib.request.urlopen(f"http://127.0.0.1:{site.port}/p/{uid}") as page:
            assert page.status == 200
        running.service.stop()
        until(lambda: running.told("stopped"), "the end")
        assert running.told("running")[0]["version"] == __version__
        assert running.told("stopped")[0]["finished"] is True
        assert running.meta("daemon.version") == __version__
        assert running.meta("daemon.started") == running.meta("daemon.looked") >= begun.isoformat()
        assert running.meta("daemon.stopped") >= running.meta("daemon.started")


def test_a_pause_is_in_force_at_once_and_ends_at_once(site: Served) -> None:
    with run(site) as running:
        with running.opened.store.write() as session:
            scope = orders.scope_of(session, running.opened.settings, everything=True, route="", address="")
            orders.pause(session, scope, SystemClock().now(), who="root")
        site.mail("Under the pause")
        until(lambda: _planned(running.opened), "the plan")
        assert site.titles() == []
        with running.opened.store.write() as session:
            orders.resume(session, scope, SystemClock().now(), who="root")
        until(lambda: site.titles() == ["Under the pause"], "the page")


def test_old_events_go_when_it_starts(site: Served) -> None:
    with site.opened() as opened, opened.store.write() as session:
        events.tell(session, SystemClock().now() - events.KEPT - timedelta(days=1), "long ago")
        events.tell(session, SystemClock().now() - events.KEPT + timedelta(days=1), "not so long ago")
    with run(site) as running:
        until(lambda: "long ago" not in _told(running.opened), "the old one to go")
        assert "not so long ago" in _told(running.opened)


def _planned(opened: Opened) -> bool:
    with opened.store.read() as session:
        return session.exec(select(Publication)).first() is not None


def _told(opened: Opened) -> list[str]:
    with opened.store.read() as session:
        return [event.what for event in events.after(session, 0)]


def test_a_running_service_takes_edits_in_place_and_by_rename(site: Served) -> None:
    with run(site) as running:
        site.mail("For people", label="Confluence/HR")
        site.write(ENG, HR)
        until(lambda: site.titles() == ["For people"], "the page of the new route")
        assert running.told("configuration applied")[-1]["changed"] == ["routes[hr]"]

        other = site.folder / "edited.toml"
        other.write_text(site.text("[pages]\ntimezone = 'Europe/Berlin'\n", ENG, HR))
        other.replace(site.config)
        until(lambda: len(running.told("configuration applied")) == 2, "the second edit")
        assert "pages.timezone" in running.told("configuration applied")[-1]["changed"]
        assert running.opened.settings.pages.timezone == "Europe/Berlin"

        site.write(ENG, HR)
        until(lambda: len(running.told("configuration applied")) == 3, "the third edit")
        assert "pages.timezone" in running.told("configuration applied")[-1]["changed"]
    assert running.told("some of it takes effect at the next start") == []


@pytest.mark.scenario("A9")
def test_a_faulty_edit_keeps_the_last_good_one_and_is_told_once(site: Served) -> None:
    with run(site) as running:
        before = running.opened.settings
        problems = "configuration not applied; the last good one stays"
        site.write(ENG, "[gmail\n")
        until(lambda: running.told(problems), "word of the fault")
        line = site.config.read_text().splitlines().index("[gmail") + 1
        assert running.told(problems)[0]["problem"].startswith(f"{site.config}:{line}:")
        assert running.opened.settings is before

        site.mail("Release plan")
        until(lambda: site.titles() == ["Release plan"], "the page under the last good configuration")
        assert len(running.told(problems)) == 1

        site.config.write_text(site.text(ENG).replace("poll_idle", "poll_idel"))
        running.service.reload()
        until(lambda: len(running.told(problems)) == 2, "word of the unknown key")
        assert '"poll_idle"' in running.told(problems)[1]["problem"]
        running.service.reload()
        until(lambda: len(running.told(problems)) == 3, "word again, since it was asked again")

        site.write(ENG)
        running.service.reload()
        until(lambda: running.told("the configuration is in order again"), "word that it is mended")
        assert running.opened.config is not None
        assert not running.opened.config.stale


def test_a_reload_wakes_what_waits_for_somebody(site: Served) -> None:
    site.write(ENG.replace('space = "ENG"', 'space = "GONE"'))
    with run(site) as running:
        thread = site.mail("Release plan")
        until(lambda: thread in running.follows(), "the follow")
        until(lambda: running.follows()[thread].state is FollowState.NEEDS_SOMEBODY, "the space to be missed")
        site.world.atlassian.add_space("GONE", "No longer gone")
        running.service.reload()
        until(lambda: site.titles() == ["Release plan"], "the page")
        until(lambda: running.follows()[thread].state is FollowState.FOLLOWING, "the follow to be well")


def test_what_needs_a_start_anew_is_told(site: Served) -> None:
    with run(site) as running:
        site.config.write_text(site.text(ENG).replace(f'listen = "127.0.0.1:{site.port}"', 'listen = "127.0.0.1:1"'))
        running.service.reload()
        until(lambda: running.told("some of it takes effect at the next start"), "the remark")
        assert running.told("some of it takes effect at the next start")[0]["keys"] == ["web.listen"]


def test_a_wake_that_the_database_refuses_is_made_up_for(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    site.write(ENG.replace('space = "ENG"', 'space = "GONE"'))
    with run(site) as running:
        thread = site.mail("Release plan")
        until(lambda: thread in running.follows(), "the follow")
        until(lambda: running.follows()[thread].state is FollowState.NEEDS_SOMEBODY, "the space to be missed")
        site.world.atlassian.add_space("GONE", "No longer gone")
        refused = threading.Event()
        wake = "bridge.daemon.waking.threads.wake"

        def locked(*arguments: object) -> None:
            refused.set()
            raise StoreLocked("Another process holds the database.")

        with monkeypatch.context() as patched:
            patched.setattr(wake, locked)
            running.service.reload()
            assert refused.wait(PATIENCE)
        until(lambda: site.titles() == ["Release plan"], "the page")


def test_what_the_service_manager_is_told(site: Served, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "2000000"}

        def next_but_watchdog() -> str:
            while (said := manager.recv(4096).decode()) == "WATCHDOG=1":
                pass
            return said

        with run(site, environ) as running:
            assert next_but_watchdog() == "READY=1\nSTATUS=Looking at mailboxes."
            assert manager.recv(4096) == b"WATCHDOG=1"
            running.service.reload()
            assert next_but_watchdog().startswith("RELOADING=1\nMONOTONIC_USEC=")
            assert next_but_watchdog() == "READY=1\nSTATUS=Looking at mailboxes."
            site.write("[gmail\n")
            running.service.reload()
            assert next_but_watchdog().startswith("RELOADING=1")
            assert "the last good one stays" in next_but_watchdog()
            running.service.stop()
            assert next_but_watchdog() == "STOPPING=1"


class Said(Notifier):
    """Keeps what would be said to the service manager."""

    def __init__(self) -> None:
        super().__init__({}, 1)
        self.watchdog_seconds = 10.0
        self.fed: list[float] = []
        self.now: Callable[[], float] = lambda: 0.0

    def alive(self) -> None:
        self.fed.append(self.now())


class Watch(SystemClock):
    """Monotonic time that passes by waiting alone; ``end`` after so many waits."""

    def __init__(self, waits: int) -> None:
        self.elapsed = 0.0
        self.left = waits

    def monotonic(self) -> float:
        return self.elapsed

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.elapsed += seconds
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize(("ticks_until", "fed"), [(60.0, 12), (0.0, 6)])
def test_the_watchdog_is_fed_only_while_ticks_come(site: Served, ticks_until: float, fed: int) -> None:
    """Half a minute without a tick is borne; after it the watchdog goes hungry, and nobody signs either."""
    with site.opened() as opened:
        clock, notifier = Watch(60), Said()
        notifier.now = clock.monotonic
        service = service_of(opened, {})
        service.notifier = notifier
        service.oauth = _at(opened, clock)
        dispatch = Dispatch(opened.store, clock, owner="me", places=1)

        class Engine(EmbeddedEngine):
            def guard(self) -> bool:
                if clock.elapsed <= ticks_until:
                    dispatch.tick()
                return clock.monotonic() - dispatch.pulse.turned_at <= 30.0

            def aside(self, task: Callable[[], None]) -> None:
                asides.append(clock.monotonic())

        asides: list[float] = []
        engine = Engine(dispatch, lambda box: pytest.fail("no work"), clock, threads=1, each_tick=lambda: None)
        service._watch(engine)
    assert len(notifier.fed) == fed
    # quiet connections are looked after at once, then every ten minutes; what is old goes at once, then every day
    assert asides == [1.0, 1.0]


def _at(opened: Opened, clock: SystemClock) -> Any:
    return replace(opened.oauth, clock=clock)
