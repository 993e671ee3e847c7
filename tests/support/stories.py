"""A company in virtual time, for stories: people act in Gmail and Confluence, ``passes`` let the product work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests
from sqlalchemy import Engine, event
from sqlmodel import col, select, update

from bridge.clock import SeededChance, VirtualClock
from bridge.config import Atlassian, Google, Route, Safety, Settings
from bridge.config.settings import Endpoints
from bridge.daemon.dispatch import Dispatch
from bridge.daemon.wiring import make_bridge
from bridge.demo.company import Company, found
from bridge.http import Transports
from bridge.oauth.seal import make_key
from bridge.sandbox.atlassian import AtlassianHalf
from bridge.sandbox.gmail_people import SandboxGmail
from bridge.sandbox.inprocess import WsgiAdapter, WsgiHttp
from bridge.sandbox.journal import Seen
from bridge.sandbox.world import ATLASSIAN_CLIENT, GOOGLE_CLIENT, World
from bridge.store.migrate import migrate
from bridge.store.tables import Event, Follow, Mailbox
from bridge.sync.context import Bridge
from bridge.sync.held import Held, answer, held
from bridge.sync.mailbox import sync_mailbox

BASE = "http://127.0.0.1:1"
START = datetime(2026, 4, 20, 9, 0, tzinfo=UTC)
ADA, BEN, CY = "ada@example.com", "ben@example.com", "cy@example.com"
NAMES = {ADA: "Ada Lovelace", BEN: "Ben Hart", CY: "Cy Moreno"}
ENG = Route(name="eng", label="Confluence/ENG", space="ENG")


def settings(*routes: Route, **safety: Any) -> Settings:
    """Settings for the sandbox: no wait, no brake, unless ``safety`` says otherwise."""
    return Settings(
        google=Google(client_id=GOOGLE_CLIENT, domains=("example.com",)),
        atlassian=Atlassian(client_id=ATLASSIAN_CLIENT, sites=(BASE,)),
        safety=Safety(**{"wait": 0.0, "brake": None, **safety}),
        endpoints=Endpoints(google=f"{BASE}/google", atlassian=f"{BASE}/atlassian"),
        routes=routes or (ENG,),
    )


class Story:
    """One company and one installation, both at the same virtual time."""

    def __init__(self, folder: Path, chosen: Settings, *, database_url: str = "") -> None:
        self.clock = VirtualClock(START)
        self.settings = chosen
        self.world = World(base_url=BASE, clock=self.clock)
        self.world.google.api.quota.limit = None
        for address, name in NAMES.items():
            self.world.hire(address, name)
        self.world.atlassian.add_space("ENG", "Engineering")
        self.world.atlassian.add_space("HR", "People", open_to_all=False)
        self.world.atlassian.allow("HR", ADA)
        self.folder, self._database_url, self._seal_key = folder, database_url, make_key()
        self._stack = ExitStack()
        self._threads: dict[str, str] = {}
        self.install()

    def install(self) -> None:
        """Start the product (anew): what it held in memory is gone, what it committed is there."""
        self._stack.close()
        database = self.folder / "mailbridge.db"
        if not self._database_url and not database.exists():
            self.folder.mkdir(exist_ok=True)
            database.write_bytes(_empty_database())
        self.company: Company = found(
            self.world,
            self.folder,
            settings=lambda: self.settings,
            transports=Transports(session=self._session, http=lambda: WsgiHttp(self.world.app)),
            clock=self.clock,
            chance=SeededChance(self.world.core.random.getrandbits(32)),
            database_url=self._database_url,
            seal_key=self._seal_key,
        )
        self._stack.callback(self.company.close)
        if self.company.oauth.store.dialect == "sqlite":
            _without_fsync(self.company.oauth.store.engine)
        self.bridge: Bridge = self._stack.enter_context(
            make_bridge(self.company.oauth, self.company.tokens, self.folder / "spool")
        )
        self.dispatch = Dispatch(
            self.company.oauth.store,
            self.clock,
            owner=f"test-{self.world.core.random.getrandbits(32)}",
            places=50,
        )

    def close(self) -> None:
        """End the product."""
        self._stack.close()

    def connect(self, *people: str) -> None:
        """Connect people, and let the first look at their mailboxes pass."""
        for address in people:
            self.company.connect(address)
        with self.company.oauth.store.write() as session:
            session.exec(update(Mailbox).values(due_at=self.clock.now()))
        self.passes()

    def passes(self, count: int = 2, seconds: float = 60.0) -> None:
        """Let the product work: each pass begins after so many seconds and takes every mailbox that is due."""
        for _ in range(count):
            self.clock.advance(seconds)
            for box in self.dispatch.tick():
                self.dispatch.done(sync_mailbox(self.bridge, box))
        self.dispatch.flush()

    def again_from_scratch(self) -> list[Seen]:
        """Lose every cursor and look at every thread anew; return the writes that this made: none, in a good story."""
        mark = self.world.core.journal.mark()
        with self.company.oauth.store.write() as session:
            session.exec(update(Mailbox).values(cursor=None, due_at=self.clock.now()))
            session.exec(update(Follow).values(history_id=0))
        self.passes(3)
        return self.world.core.journal.writes(mark)

    def send(
        self,
        sender: str,
        to: str,
        subject: str = "Plan",
        text: str = "Hello.\n",
        *,
        cc: str = "",
        reply_to: str = "",
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> dict[str, tuple[str, str]]:
        """Send a mail of our own making; return (message id, thread id) by mailbox.

        ``reply_to`` is a Message-ID without brackets; ``more`` may have ``html``, ``files`` ((name, type, bytes), ...)
        and ``images`` ((content id, name, bytes), ...).
        """
        mail = EmailMessage()
        mail["From"] = f"{NAMES.get(sender, sender)} <{sender}>"
        mail["To"] = to
        if cc:
            mail["Cc"] = cc
        mail["Subject"] = subject
        for name, value in (headers or {}).items():
            mail[name] = value
        if reply_to:
            mail["In-Reply-To"] = mail["References"] = f"<{reply_to}>"
        mail.set_content(text)
        if "html" in more:
            mail.add_alternative(more["html"], subtype="html")
            for content_id, name, data in more.get("images", ()):
                body = mail.get_body(("html",))
                assert isinstance(body, EmailMessage)
                body.add_related(data, "image", "png", cid=f"<{content_id}>", filename=name)
        for name, kind, data in more.get("files", ()):
            main, _, sub = kind.partition("/")
            mail.add_attachment(data, maintype=main, subtype=sub, filename=name)
        self.clock.advance(1)
        gmail = self.world.google.gmail
        if sender in NAMES:
            return gmail.send(sender, mail.as_bytes())
        mail["Message-ID"] = f"<{self.world.core.random.getrandbits(64):x}@{sender.partition('@')[2]}>"
        mail["Date"] = self.clock.now()
        addresses = [one.addr_spec for value in (mail["To"], mail["Cc"]) if value for one in value.addresses]
        return {one: gmail.deliver(one, mail.as_bytes()) for one in addresses if one in gmail.mailboxes}

    def label(self, person: str, thread_id: str, label: str = "Confluence/ENG") -> None:
        """Put a label on a thread, made where it does not exist."""
        gmail = self.world.google.gmail
        if gmail.mailbox(person).labels.find(label) is None:
            gmail.create_label(person, label)
        gmail.label_thread(person, thread_id, label)

    def unlabel(self, person: str, thread_id: str, label: str = "Confluence/ENG") -> None:
        """Take a label off a thread."""
        self.world.google.gmail.unlabel_thread(person, thread_id, label)

    def message_id(self, person: str, message_id: str) -> str:
        """Return a mail's Message-ID header, without brackets."""
        raw = self.world.google.gmail.mailbox(person).messages[message_id].raw
        line = next(line for line in raw.splitlines() if line.lower().startswith(b"message-id:"))
        return line.partition(b":")[2].strip().strip(b"<>").decode()

    def reply(
        self, sender: str, to: str, sent: dict[str, tuple[str, str]], text: str, **more: Any
    ) -> dict[str, tuple[str, str]]:
        """Answer a mail that ``send`` sent (or ``reply``); return as ``send`` does."""
        person, (message, _) = next(iter(sent.items()))
        mime = self.gmail.mailbox(person).messages[message].mime
        subject = more.pop("subject", f"Re: {mime.header('Subject').removeprefix('Re: ')}")
        return self.send(sender, to, subject, text, reply_to=self.message_id(person, message), **more)

    def change(self, **parts: Any) -> None:
        """Put other settings in force, as a reload would."""
        self.settings = replace(self.settings, **parts)

    def follows(self) -> list[Follow]:
        """Return every follow, oldest first."""
        with self.company.oauth.store.read() as session:
            return list(session.exec(select(Follow).order_by(col(Follow.id))))

    def held(self) -> list[Held]:
        """Return every open question."""
        with self.company.oauth.store.read() as session:
            return held(session)

    def answer(self, item: Held, choice: str) -> None:
        """Answer an open question."""
        answer(self.company.oauth.store, item.id, choice, self.clock.now())

    def events(self, what: str) -> list[Event]:
        """Return the events of a name, oldest first."""
        with self.company.oauth.store.read() as session:
            return list(session.exec(select(Event).where(Event.what == what).order_by(col(Event.id))))

    def calls(self, mark: int = 0, *, service: str = "", person: str = "") -> Counter[str]:
        """Count the requests after a mark by the official names of their operations."""
        return Counter(
            seen.operation
            for seen in self.world.core.journal.since(mark)
            if service in ("", seen.service) and person in ("", seen.person)
        )

    @property
    def wiki(self) -> AtlassianHalf:
        """What stands in Confluence, and what its people do there."""
        return self.world.atlassian

    @property
    def gmail(self) -> SandboxGmail:
        """The mailboxes, and what their people do there."""
        return self.world.google.gmail

    def mark(self) -> int:
        """Return a place in the journal of requests."""
        return self.world.core.journal.mark()

    def wait(self, seconds: float) -> None:
        """Let time pass in which the product does not work."""
        self.clock.advance(timedelta(seconds=seconds).total_seconds())

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.mount("http://", WsgiAdapter(self.world.app))
        return session


@cache
def _empty_database() -> bytes:
    """Return a SQLite file with the newest schema; each story begins with a copy, which is faster than migrating."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "mailbridge.db"
        migrate(f"sqlite:///{file}")
        return file.read_bytes()


def _without_fsync(engine: Engine) -> None:
    """Spare the disk: no story turns the power off, and what a killed program committed the system still has."""

    def connected(connection: Any, record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    event.listen(engine, "connect", connected)
    engine.dispose()


@contextmanager
def story(folder: Path, *routes: Route, **safety: Any) -> Iterator[Story]:
    """Give a company with three people who are not connected yet, and two spaces (HR is Ada's alone)."""
    made = Story(folder, settings(*routes, **safety))
    try:
        yield made
    finally:
        made.close()
