"""What is written while the daemon is killed: a page, a post, comments, replies to one, files, labels, a restriction.

The company is prepared in one process, with everybody connected and nothing to do; then its people act. From there on
the sandbox is served by a process of its own, and the daemon lives and dies in others.
"""

from __future__ import annotations

import mmap
import struct
import threading
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

from bridge.clock import SeededChance
from bridge.config import Gmail, Route, Settings
from bridge.config.settings import Atlassian as AtlassianSettings
from bridge.config.settings import Endpoints
from bridge.demo.company import found
from bridge.http import Transports
from bridge.oauth.seal import make_key
from bridge.sandbox.inprocess import WsgiAdapter, WsgiHttp
from bridge.sandbox.world import World

from support.stories import ADA, BEN, CY, ENG, NAMES, START, Story, settings
from support.thread_t3 import PDF, send_t3

NEWS = Route(name="news", label="Confluence/News", space="ENG", publish_as="blogpost")
SECRET = Route(name="secret", label="Confluence/Secret", space="ENG", visibility="author", page_labels=("secret",))
DECISIONS = "Confluence/Decisions"
PLAN = ("plan.pdf", "application/pdf", PDF)
BIG = ("big.bin", "application/octet-stream", bytes(range(256)) * 64)
POLLS = Gmail(poll_every=20.0, poll_idle=30.0)


class SharedClock:
    """A clock in memory that all forked processes share: one of them moves it."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 8)
        self._memory[:] = struct.pack("d", 0.0)

    def now(self) -> datetime:
        """Return the instant, aware, UTC."""
        return START.astimezone(UTC) + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return the seconds that it was advanced so far."""
        return float(struct.unpack("d", self._memory[:])[0])

    def boot(self) -> str:
        """Return one name: all the processes are on one machine, which is never turned off."""
        return "shared"

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Advance by the seconds unless the event is set; return whether it is set."""
        if not event.is_set():
            self.advance(seconds)
        return event.is_set()

    def advance(self, seconds: float) -> None:
        """Move it on."""
        self._memory[:] = struct.pack("d", self.monotonic() + seconds)


class CrashCompany(Story):
    """A story whose site stands at a real address and whose clock is shared; ``people_act`` gives it what to write."""

    def __init__(self, folder: Path, url: str) -> None:
        self.clock: SharedClock = SharedClock()  # type: ignore[assignment]
        self.world = World(base_url=url, clock=self.clock)
        for address, name in NAMES.items():
            self.world.hire(address, name)
        self.world.atlassian.add_space("ENG", "Engineering")
        self.settings = self._settings(url)
        self.folder, self._database_url, self.seal_key = folder, "", make_key()
        self._stack = ExitStack()
        folder.mkdir(parents=True, exist_ok=True)
        self.company = found(
            self.world,
            folder,
            settings=lambda: self.settings,
            transports=Transports(session=self._session, http=lambda: WsgiHttp(self.world.app)),
            clock=self.clock,
            chance=SeededChance(7),
            seal_key=self.seal_key,
        )

    def _settings(self, url: str) -> Settings:
        page = self.wiki.create_page(CY, "ENG", "Decisions", "<p>What was decided.</p>")
        decisions = Route(
            name="decisions", label=DECISIONS, space="ENG", publish_as="comment", page=page.id, page_labels=()
        )
        chosen = settings(ENG, NEWS, SECRET, decisions)
        return replace(
            chosen,
            gmail=POLLS,
            atlassian=AtlassianSettings(client_id=chosen.atlassian.client_id, sites=(url,)),
            endpoints=Endpoints(google=f"{url}/google", atlassian=f"{url}/atlassian"),
        )

    def people_act(self) -> None:
        """Let them write and label; their tokens have ended meanwhile, so the run begins with their renewal."""
        self.clock.advance(2 * 3600)
        first, _, _ = send_t3(self)
        self.label(ADA, first[ADA][1])
        news = self.send(ADA, BEN, "We have moved", "The new address is below.\n", files=[PLAN])
        self.reply(BEN, ADA, news, "See you there.\n", files=[BIG])
        self.label(ADA, news[ADA][1], NEWS.label)
        decided = self.send(ADA, BEN, "Blue it is", "The door is painted blue.\n", files=[PLAN])
        answer = self.reply(BEN, ADA, decided, "Agreed.\n")
        self.reply(ADA, BEN, answer, "Done.\n")
        self.label(ADA, decided[ADA][1], DECISIONS)
        secret = self.send(ADA, BEN, "For me alone", "Nobody else reads this.\n", files=[PLAN])
        self.label(ADA, secret[ADA][1], SECRET.label)

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.mount("http://", WsgiAdapter(self.world.app))
        return session
