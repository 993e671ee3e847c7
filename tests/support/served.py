"""A sandbox company served over HTTP, and the files of an installation that works for it: for the real service."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

from bridge.clock import SystemClock
from bridge.daemon.opening import Opened, open_all
from bridge.daemon.service import Service
from bridge.daemon.systemd import Notifier
from bridge.demo.company import Company
from bridge.sandbox.serve import serve
from bridge.sandbox.world import ATLASSIAN_CLIENT, GOOGLE_CLIENT, SECRET, World
from bridge.web.app import Web, make_app
from bridge.web.serve import WebServer

ADA, BEN, GUEST = "ada@example.com", "ben@example.com", "guest@partner.example"
PATIENCE = 60.0
"""How many seconds a test waits for something that comes at once."""

ENG = """\
[[routes]]
name = "eng"
label = "Confluence/ENG"
space = "ENG"
"""
HR = """\
[[routes]]
name = "hr"
label = "Confluence/HR"
space = "HR"
"""
_CONFIG = """\
[google]
client_id = "{google}"
client_secret_file = "{folder}/google_secret"
domains = ["example.com"]
[atlassian]
client_id = "{atlassian}"
client_secret_file = "{folder}/atlassian_secret"
sites = ["{url}"]
[store]
url = "sqlite:///{folder}/mailbridge.db"
seal_key_file = "{folder}/seal_key"
[gmail]
poll_every = "1s"
poll_idle = "1s"
[web]
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}"
[safety]
wait = "0s"
[endpoints]
google = "{url}/google"
atlassian = "{url}/atlassian"
"""


def until(condition: Callable[[], object], what: str = "it") -> None:
    """Wait until something holds; fail where it does not in a minute."""
    clock, never = SystemClock(), threading.Event()
    give_up_at = clock.monotonic() + PATIENCE
    while not condition():
        assert clock.monotonic() < give_up_at, f"waited for {what} in vain"
        never.wait(0.05)


def free_port() -> int:
    """Return a port of the loopback address that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@dataclass
class Served:
    """The company and its installation's folder; ``config`` is the file, ``environ`` what a process needs."""

    world: World
    url: str
    folder: Path
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        for address, name in ((ADA, "Ada Lovelace"), (BEN, "Ben Hart")):
            self.world.hire(address, name)
        self.world.atlassian.add_space("ENG", "Engineering")
        self.world.atlassian.add_space("HR", "People")
        for name in ("google_secret", "atlassian_secret"):
            path = self.folder / name
            path.write_text(f"{SECRET}\n")
            path.chmod(0o600)
        self.write(ENG)
        with self.opened() as opened:
            settings = opened.settings
            self.world.register([settings.redirect_url("google"), settings.redirect_url("atlassian")])

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "config.toml"

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a process of this installation."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MAILBRIDGE_")}
        return kept | {"MAILBRIDGE_CONFIG": str(self.config), "STATE_DIRECTORY": str(self.folder)}

    def text(self, *tables: str) -> str:
        """Return a configuration with some routes, or other tables."""
        head = _CONFIG.format(
            google=GOOGLE_CLIENT, atlassian=ATLASSIAN_CLIENT, folder=self.folder, url=self.url, port=self.port
        )
        return head + "".join(tables)

    def write(self, *tables: str) -> None:
        """Write the configuration in place."""
        self.config.write_text(self.text(*tables))

    @contextmanager
    def opened(self) -> Iterator[Opened]:
        """Open the installation in this process."""
        with open_all(self.config, make_key=True, environ=self.environ) as opened:
            yield opened

    def connect(self, opened: Opened, *people: str) -> None:
        """Connect people; what they labelled before is to be published."""
        company = Company(self.world, opened.oauth, opened.tokens, opened.consents, self.folder)
        for address in people:
            company.connect(address, backlog="publish")

    def mail(self, subject: str, text: str = "Hello.\n", *, label: str = "Confluence/ENG") -> str:
        """Let Ada send a mail to Ben and a guest and label it; return the thread in her mailbox."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = f"Ada Lovelace <{ADA}>", f"{BEN}, {GUEST}", subject
        mail.set_content(text)
        gmail = self.world.google.gmail
        _, thread = gmail.send(ADA, mail.as_bytes())[ADA]
        self.label(thread, label)
        return thread

    def reply(self, thread: str, text: str, *, to: str = f"{ADA}, {GUEST}") -> None:
        """Let Ben answer the first mail of a thread of Ada's."""
        gmail = self.world.google.gmail
        first = next(one for one in gmail.mailbox(ADA).messages.values() if one.thread_id == thread).mime
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = f"Ben Hart <{BEN}>", to, f"Re: {first.header('Subject')}"
        mail["In-Reply-To"] = mail["References"] = first.header("Message-ID")
        mail.set_content(text)
        gmail.send(BEN, mail.as_bytes())

    def label(self, thread: str, label: str) -> None:
        """Let Ada put a label on a thread."""
        gmail = self.world.google.gmail
        if gmail.mailbox(ADA).labels.find(label) is None:
            gmail.create_label(ADA, label)
        gmail.label_thread(ADA, thread, label)

    def titles(self) -> list[str]:
        """Return the titles of the pages that everybody sees, sorted."""
        return sorted(page.title for page in self.world.atlassian.pages if page.status == "current")


def service_of(opened: Opened, environ: Mapping[str, str] | None = None) -> Service:
    """Return the service of an opened installation, as ``mailbridge run`` makes it."""
    config = opened.config
    assert config is not None

    def web() -> WebServer:
        return WebServer(
            make_app(Web(opened.consents, opened.store, opened.oauth.settings)), config.settings.web.listen
        )

    return Service(
        oauth=opened.oauth,
        tokens=opened.tokens,
        config=config,
        notifier=Notifier(environ or {}, os.getpid()),
        web=web,
        spool=config.places.state / "spool",
    )


@contextmanager
def at_work(service: Service) -> Iterator[list[int]]:
    """Run a service in a thread; give the list that gets its exit code."""
    ready, code = threading.Event(), list[int]()
    thread = threading.Thread(target=lambda: code.append(service.run(signals=False, ready=ready.set)))
    thread.start()
    try:
        assert ready.wait(PATIENCE)
        yield code
    finally:
        service.stop()
        thread.join(PATIENCE)


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """Serve a company with Ada and Ben, who are not connected yet, and the spaces ENG and HR."""
    world = World()
    with serve(world.app) as server:
        world.served_at(server.url)
        yield Served(world, server.url, folder)
