"""An installation beside a sandbox company in process and in virtual time, for tests of consents and tokens."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from werkzeug.wrappers import Response

from bridge.clock import SeededChance, VirtualClock
from bridge.config import Atlassian, Google, Route, Safety, Settings
from bridge.config.settings import Endpoints
from bridge.daemon.opening import Opened, Outside, put_together
from bridge.errors import Provider
from bridge.http import Endpoints as Addresses
from bridge.http import Transports
from bridge.oauth.consent import Begun, Outcome
from bridge.oauth.seal import make_key
from bridge.sandbox.faults import Plain, Rule
from bridge.sandbox.inprocess import WsgiAdapter, WsgiHttp
from bridge.sandbox.world import ATLASSIAN_CLIENT, GOOGLE_CLIENT, SECRET, World
from bridge.store import accounts, grants, mailboxes
from bridge.store.engine import open_store
from bridge.store.migrate import migrate
from bridge.store.tables import Grant, Mailbox

BASE = "http://127.0.0.1:1"
START = datetime(2026, 4, 20, 9, 0, tzinfo=UTC)
ADA, BEN = "ada@example.com", "ben@example.com"
ENG = Route(name="eng", label="Confluence/ENG", space="ENG")


class OfficeClock(VirtualClock):
    """A virtual clock; each wait may also take ``pause`` real seconds, for tests whose threads wait for each other."""

    pause = 0.0

    def wait(self, event: threading.Event, seconds: float) -> bool:
        if self.pause:
            event.wait(self.pause)
        return super().wait(event, seconds)


class Office:
    """Ada and Ben, one space, and the installation ``opened``; ``chosen`` are the settings that it sees."""

    def __init__(self, folder: Path, *, url: str = "", keys: tuple[str, ...] = ()) -> None:
        self.clock = OfficeClock(START)
        self.world = World(base_url=BASE, clock=self.clock)
        self.world.google.api.quota.limit = None
        for address, name in ((ADA, "Ada Lovelace"), (BEN, "Ben Hart")):
            self.world.hire(address, name)
        self.world.atlassian.add_space("ENG", "Engineering")
        self.chosen = Settings(
            google=Google(client_id=GOOGLE_CLIENT, domains=("example.com",)),
            atlassian=Atlassian(client_id=ATLASSIAN_CLIENT, sites=(BASE,)),
            endpoints=Endpoints(google=f"{BASE}/google", atlassian=f"{BASE}/atlassian"),
            routes=(ENG,),
        )
        self.world.register([self.chosen.redirect_url("google"), self.chosen.redirect_url("atlassian")])
        self.secrets: dict[Provider, str] = {"google": SECRET, "atlassian": SECRET}
        self.url = url or f"sqlite:///{folder}/mailbridge.db"
        self.keys = keys or (make_key(),)
        migrate(self.url)
        self.store = open_store(self.url)
        self.opened = self.install(seed=1)

    def install(self, seed: int) -> Opened:
        """Return the installation as another process would open it: nothing in memory, another name in leases."""
        transports = Transports(session=self.session, http=lambda: WsgiHttp(self.world.app))
        outside = Outside(
            Addresses.of(f"{BASE}/google", f"{BASE}/atlassian"), transports, self.clock, SeededChance(seed)
        )
        return put_together(
            lambda: self.chosen, self.store, self.keys, outside, lambda provider: self.secrets[provider]
        )

    def session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.mount(BASE, WsgiAdapter(self.world.app))
        return session

    def safety(self, **keys: Any) -> None:
        self.chosen = replace(self.chosen, safety=Safety(**keys))

    def sites(self, *urls: str) -> None:
        self.chosen = replace(self.chosen, atlassian=replace(self.chosen.atlassian, sites=urls))

    def approve(self, provider: Provider, begun: Begun, person: str, scopes: list[str] | None = None) -> dict[str, str]:
        """Press Allow as somebody; return what comes back with the redirect."""
        half: Any = self.world.google.oauth if provider == "google" else self.world.atlassian
        return query(half.approve(begun.url, person, scopes))

    def consent(
        self, provider: Provider, address: str, *, person: str = "", scopes: list[str] | None = None
    ) -> Outcome:
        """Go through a whole consent for an address, as ``person`` where somebody else answers."""
        begun = self.opened.consents.begin(provider, address)
        answer = self.approve(provider, begun, person or address, scopes)
        return self.opened.consents.finish(provider, answer["state"], code=answer["code"])

    def connect(self, address: str = ADA) -> None:
        """Connect both."""
        for provider in ("google", "atlassian"):
            outcome = self.consent("google" if provider == "google" else "atlassian", address)
            assert outcome.state == "connected", outcome

    def grant(self, provider: Provider, address: str = ADA) -> Grant:
        with self.store.read() as session:
            account = accounts.by_address(session, address)
            assert account is not None
            found = grants.find(session, account.id or 0, provider)
        assert found is not None
        return found

    def has_grant(self, provider: Provider, address: str = ADA) -> bool:
        with self.store.read() as session:
            account = accounts.by_address(session, address)
            return account is not None and grants.find(session, account.id or 0, provider) is not None

    def box(self, address: str = ADA) -> Mailbox:
        with self.store.read() as session:
            account = accounts.by_address(session, address)
            found = mailboxes.by_account(session, account.id or 0) if account else None
        assert found is not None
        return found

    def strike(self, operation: str, kind: Plain, response: Response | None = None, **more: Any) -> Rule:
        rule = Rule(operation, kind, (lambda: response) if response is not None else None, **more)
        self.world.core.faults.append(rule)
        return rule

    def posts(self, operation: str, mark: int = 0) -> int:
        return sum(seen.operation == operation for seen in self.world.core.journal.since(mark))

    def secrets_of_the_world(self) -> list[str]:
        """Return every token and code that the sandbox ever gave."""
        google, atlassian = self.world.google.oauth.grants, self.world.atlassian.oauth
        return [*google.access_tokens, *google.refresh_tokens, *google.codes, *atlassian.access, *atlassian.refreshes]


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def refusal(status: int, error: str, **more: str) -> Response:
    """Return an answer of a token endpoint that brings no token."""
    return Response(json.dumps({"error": error, **more}), status=status, content_type="application/json")
