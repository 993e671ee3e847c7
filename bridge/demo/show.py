"""``mailbridge demo``: the sandbox, the real service and sample mail on this machine, in a folder that goes with it."""

from __future__ import annotations

import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from bridge.clock import SystemChance, SystemClock
from bridge.config import ConfigFile
from bridge.daemon.service import Service
from bridge.daemon.systemd import Notifier
from bridge.demo import samples
from bridge.demo.company import Company, found
from bridge.demo.mishaps import Mishaps
from bridge.demo.narrator import Narrator
from bridge.demo.setting import write_config
from bridge.demo.stage import Stage
from bridge.http import network
from bridge.oauth.seal import make_key
from bridge.sandbox.faults import Rule
from bridge.sandbox.serve import RunningServer, serve
from bridge.sandbox.world import World
from bridge.web.app import Web, make_app
from bridge.web.serve import WebServer

PORT = 8765
_LOOK_SECONDS = 0.2


@dataclass
class Show:
    """A demo that is set up: everybody is connected, nothing is labelled."""

    stage: Stage
    company: Company
    config: ConfigFile
    url: str
    lines: list[str] = field(default_factory=list)

    def service(self) -> Service:
        """Return the real service for this company, not started."""
        company = self.company
        listen = self.config.settings.web.listen

        def web() -> WebServer:
            return WebServer(make_app(Web(company.consents, company.oauth.store, company.oauth.settings)), listen)

        return Service(
            oauth=company.oauth,
            tokens=company.tokens,
            config=self.config,
            notifier=Notifier({}, 0),
            web=web,
            spool=company.folder / "spool",
        )


@contextmanager
def set_up(*, port: int = PORT, faults: Sequence[Rule] = ()) -> Iterator[Show]:
    """Build the demo in a temporary folder; the folder and the servers go when the context ends.

    Args:
        port: where the two pages are served; another free one is taken where it is in use.
        faults: what goes wrong, from when everybody is connected.
    """
    with tempfile.TemporaryDirectory(prefix="mailbridge-demo-") as name, _served(port) as (world, server):
        folder = Path(name)
        stage = Stage(world)
        stage.fill()
        places = write_config(folder, site=server.url, web_port=_free_port())
        config = ConfigFile(places, {}, strict=True)
        company = found(
            world,
            folder,
            settings=lambda: config.settings,
            transports=network({}),
            clock=SystemClock(),
            chance=SystemChance(),
            seal_key=make_key(),
        )
        show = Show(stage, company, config, server.url)
        stage.mount_pages(lambda: tuple(show.lines))
        world.fault_page.mended = company.connect_again
        try:
            for address in samples.PEOPLE:
                company.connect(address, backlog="publish")
            world.core.faults.extend(faults)
            yield show
        finally:
            company.close()


def play(
    say: Callable[[str], None],
    *,
    port: int = PORT,
    opened: Callable[[str], object] | None = None,
    interrupted: Callable[[], bool] = lambda: False,
    faults: Sequence[Rule] = (),
) -> int:
    """Run the demo until it is told to stop; return the exit code.

    Args:
        say: takes each line for the terminal.
        port: see ``set_up``.
        opened: is given the address of the mailbox page when it can be looked at; None for nobody.
        interrupted: whether it was told to stop before it could listen for that itself.
        faults: see ``set_up``.
    """
    with set_up(port=port, faults=faults) as show:
        for line in first_screen(show):
            say(line)
        for rule in faults:
            say(f"Will go wrong: {rule}")
        company = show.company
        mishaps = Mishaps(show.stage.world.core, company.at_rest)
        narrator = Narrator(company.oauth.store, show.config.places.config, show.stage.subject, say, mishaps.news)

        def ready() -> None:
            if opened is not None:
                opened(f"{show.url}/mail")

        service = show.service()
        with _narrated(narrator, show), _until_interrupted(service):
            if interrupted():
                # Python drops what a signal raises inside a finalizer; the visitor pressed Ctrl-C all the same.
                service.stop()
            return service.run(signals=False, ready=ready)


def first_screen(show: Show) -> Sequence[str]:
    """Return what a visitor reads first."""
    count = len(samples.threads())
    return (
        "Everything here is made up and stays on this machine.",
        f"  Mailbox   {show.url}/mail     three people, {count} threads: label one",
        f"  Wiki      {show.url}/wiki     its page appears here within 3 seconds",
        'Then press "A reply arrives" and see the comment.           Ctrl-C ends the demo and removes it.',
    )


@contextmanager
def _until_interrupted(service: Service) -> Iterator[None]:
    """Let Ctrl-C end the service in good order, and likewise ``kill`` and a terminal that is closed."""

    def stop(number: int, frame: FrameType | None) -> None:
        service.stop()

    heard = [one for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) != signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _narrated(narrator: Narrator, show: Show) -> Iterator[None]:
    """Tell what happens, from a thread of its own."""
    clock, stop = show.company.oauth.clock, threading.Event()

    def tell() -> None:
        while not clock.wait(stop, _LOOK_SECONDS):
            narrator.look()
            show.lines[:] = narrator.lines

    thread = threading.Thread(target=tell, name="narrator", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def _served(port: int) -> Iterator[tuple[World, RunningServer]]:
    world = World()
    with _server(world, port) as server:
        world.served_at(server.url)
        yield world, server


def _server(world: World, port: int) -> RunningServer:
    with suppress(OSError):
        return serve(world.app, port=port)
    return serve(world.app)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
