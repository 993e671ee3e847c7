"""The product as it runs, beside a sandbox in another process: real TLS, real clock, a real database file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from sqlmodel import select, update

from bench.sandbox import Sandbox
from bridge.clock import SystemChance, SystemClock
from bridge.config import Atlassian, Gmail, Google, Route, Safety, Settings
from bridge.config.settings import Endpoints
from bridge.daemon.dispatch import Dispatch
from bridge.daemon.wiring import make_bridge
from bridge.demo.company import Company, found
from bridge.http import Transports, network
from bridge.sandbox.world import ATLASSIAN_CLIENT, GOOGLE_CLIENT, World
from bridge.store import grants
from bridge.store.tables import Mailbox
from bridge.sync.context import Bridge
from bridge.sync.mailbox import sync_mailbox

LABEL = "Confluence/ENG"


@dataclass(frozen=True, slots=True)
class Office:
    """An installation that works for a sandbox's people."""

    sandbox: Sandbox
    transports: Transports
    company: Company
    bridge: Bridge
    dispatch: Dispatch

    def connect(self, *people: str) -> None:
        """Hire people, connect them, and let the first look at their mailboxes pass."""
        self.sandbox.ask(_hire, people)
        for address in people:
            self.company.connect(address)
        self.work()

    def work(self) -> int:
        """Make all mailboxes due and take one pass of each; return how many there were."""
        with self.company.oauth.store.write() as session:
            session.exec(update(Mailbox).values(due_at=self.bridge.clock.now()))
        return self.turn()

    def turn(self) -> int:
        """Do what a tick of the daemon does: claim what is due and make a pass of each; return how many there were."""
        claimed = self.dispatch.tick()
        for box in claimed:
            self.dispatch.done(sync_mailbox(self.bridge, box))
        return len(claimed)

    def mailboxes(self) -> list[Mailbox]:
        """Return the mailboxes as they stand in the database."""
        with self.company.oauth.store.read() as session:
            return list(session.exec(select(Mailbox)))

    def google_token(self, box: Mailbox) -> str:
        """Return the access token of a mailbox's person."""
        with self.company.oauth.store.read() as session:
            grant = grants.find(session, box.account_id, "google")
        assert grant is not None
        return self.company.tokens.of(grant.id or 0)()


@contextmanager
def office(sandbox: Sandbox, folder: Path, *, places: int) -> Iterator[Office]:
    """Give an installation without people; ``places`` mailboxes are claimed at once."""
    settings = _settings(sandbox.url)
    transports = network({"REQUESTS_CA_BUNDLE": str(sandbox.ca_file)})
    company = found(
        _far(sandbox),
        folder,
        settings=lambda: settings,
        transports=transports,
        clock=SystemClock(),
        chance=SystemChance(),
    )
    try:
        with make_bridge(company.oauth, company.tokens, folder / "spool") as bridge:
            dispatch = Dispatch(company.oauth.store, company.oauth.clock, owner="bench", places=places)
            yield Office(sandbox, transports, company, bridge, dispatch)
    finally:
        company.close()
        transports.close()


def _settings(url: str) -> Settings:
    """Return settings under which nothing waits and everything is always due."""
    return Settings(
        google=Google(client_id=GOOGLE_CLIENT, domains=("example.com",), units_per_minute=10**9),
        atlassian=Atlassian(client_id=ATLASSIAN_CLIENT, sites=(url,)),
        gmail=Gmail(poll_every=0.0, poll_idle=0.0),
        safety=Safety(wait=0.0, brake=None),
        endpoints=Endpoints(google=f"{url}/google", atlassian=f"{url}/atlassian"),
        routes=(Route(name="eng", label=LABEL, space="ENG"),),
    )


def _far(sandbox: Sandbox) -> World:
    """Return as much of a world as a company needs to connect people; what is asked of it happens over there."""
    far = SimpleNamespace(
        register=lambda urls: sandbox.ask(World.register, list(urls)),
        google=SimpleNamespace(oauth=SimpleNamespace(approve=lambda *asked: sandbox.ask(_approve_google, *asked))),
        atlassian=SimpleNamespace(approve=lambda *asked: sandbox.ask(_approve_atlassian, *asked)),
    )
    return cast("World", far)


def _approve_google(world: World, url: str, person: str) -> str:
    return world.google.oauth.approve(url, person)


def _approve_atlassian(world: World, url: str, person: str) -> str:
    return world.atlassian.approve(url, person)


def _hire(world: World, people: Iterable[str]) -> None:
    world.atlassian.add_space("ENG", "Engineering")
    for address in people:
        world.hire(address, address.partition("@")[0].title())
        world.google.gmail.create_label(address, LABEL)
