"""A whole company in the sandbox: both halves under one application, people with a mailbox and a Confluence account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bridge.sandbox.atlassian import AtlassianHalf
from bridge.sandbox.atlassian_oauth import App as AtlassianApp
from bridge.sandbox.core import App, Clock, Core
from bridge.sandbox.google import GoogleHalf
from bridge.sandbox.pages_faults import FaultPage

GOOGLE_CLIENT = "sandbox.apps.googleusercontent.com"
ATLASSIAN_CLIENT = "sandbox-3lo"
SECRET = "sandbox-secret"
"""Both clients' secret. It protects nothing: the sandbox listens on the loopback address alone."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a stretch of the journal held: requests by service, and writes."""

    google: int
    atlassian: int
    writes: int


class World:
    """One core, one application, two halves.

    ``app`` is the WSGI application, ``google`` and ``atlassian`` the halves; ``core`` has clock, journal and faults;
    ``fault_page`` sets these over HTTP, under ``/sandbox``.
    """

    def __init__(self, *, base_url: str = "http://127.0.0.1:1", clock: Clock | None = None, seed: int = 1) -> None:
        """Build a company without people.

        Args:
            base_url: where it is served; may be set on ``core`` later, before anybody connects.
            clock: the time; the machine's by default.
            seed: of ids and tokens.
        """
        self.core = Core(base_url=base_url, clock=clock, seed=seed)
        self.app = App(self.core)
        self.google = GoogleHalf(self.core)
        self.atlassian = AtlassianHalf(self.core, app=AtlassianApp(ATLASSIAN_CLIENT, SECRET))
        self.app.mount_service("/google", self.google)
        self.app.mount_service("/atlassian", self.atlassian)
        self.fault_page = FaultPage(self.core)
        self.app.mount("/sandbox", self.fault_page)

    def register(self, redirect_urls: Iterable[str]) -> None:
        """Register both clients with the addresses that consents may end at."""
        listed = list(redirect_urls)
        self.google.oauth.register_client(GOOGLE_CLIENT, SECRET, listed)
        self.atlassian.oauth.app = AtlassianApp(ATLASSIAN_CLIENT, SECRET, frozenset(listed))

    def served_at(self, base_url: str) -> None:
        """Take the address at which the application is served: it is the site's address too."""
        self.core.base_url = base_url.rstrip("/")
        self.atlassian.site.url = self.core.base_url

    def hire(self, address: str, name: str) -> None:
        """Give somebody a mailbox and a Confluence account."""
        self.google.gmail.add_person(address, name)
        self.atlassian.add_person(address, name)

    def counts(self, mark: int = 0) -> Counts:
        """Count what came after a mark of the journal."""
        seen = self.core.journal.since(mark)
        return Counts(
            google=sum(1 for one in seen if one.service == "google"),
            atlassian=sum(1 for one in seen if one.service == "atlassian"),
            writes=sum(1 for one in seen if one.write),
        )
