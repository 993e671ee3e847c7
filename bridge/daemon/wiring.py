"""Puts a sync's surroundings together from an opened installation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bridge.confluence import Confluence
from bridge.gmail import Gmail, GmailService, build_service
from bridge.http import HttpLike
from bridge.oauth.context import OAuth
from bridge.oauth.tokens import Tokens
from bridge.render import HtmlParser
from bridge.store import meta
from bridge.store.tables import Grant, Mailbox
from bridge.sync.budget import Budgets
from bridge.sync.context import Bridge
from bridge.sync.outages import Outages
from bridge.sync.quota import QuotaMeters


@contextmanager
def make_bridge(
    oauth: OAuth, tokens: Tokens, spool: Path, *, ending: Callable[[], bool] = lambda: False
) -> Iterator[Bridge]:
    """Give what syncs work with; the child process that parses large HTML ends with the context.

    Args:
        oauth: the installation: store, settings, clock, chance and the way to both providers.
        tokens: everybody's tokens.
        spool: a private folder for attachments under way.
        ending: says whether passes are to end at their next good place.
    """
    clients = Clients(oauth, tokens)
    with oauth.store.write() as session:
        installation = meta.installation(session, oauth.chance)
    with closing(clients), HtmlParser() as parser:
        yield Bridge(
            store=oauth.store,
            clock=oauth.clock,
            chance=oauth.chance,
            settings=oauth.settings,
            gmail=clients.gmail,
            confluence=clients.confluence,
            parser=parser,
            installation=installation,
            spool=spool,
            seal=oauth.seal,
            outages=Outages(oauth.store, oauth.clock),
            ending=ending,
        )


@dataclass
class Clients:
    """Opens API clients: one Gmail service a process, one Http a thread, one budget a site, one meter a mailbox."""

    oauth: OAuth
    tokens: Tokens
    _service: GmailService = field(init=False)
    _budgets: Budgets = field(init=False)
    _meters: QuotaMeters = field(init=False)
    _local: threading.local = field(init=False, default_factory=threading.local)
    _opened: list[HttpLike] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        """Build what all clients share."""
        self._service = build_service(self.oauth.endpoints, self.oauth.transports.http())
        self._budgets = Budgets(self.oauth.clock)
        self._meters = QuotaMeters(self.oauth.clock)

    def close(self) -> None:
        """End every thread's connection."""
        for http in self._opened:
            http.close()

    def gmail(self, box: Mailbox, grant: Grant) -> Gmail:
        """Open a mailbox for the calling thread, with its person's grant as it was just read."""
        return Gmail(
            self._service,
            self._http(),
            self.tokens.of(grant.id or 0, generation=grant.generation),
            clock=self.oauth.clock,
            meter=self._meters.of(box.id or 0, self.oauth.settings().google.units_per_minute),
        )

    def confluence(self, grant: Grant) -> Confluence:
        """Open Confluence with a person's grant as it was just read."""
        return Confluence(
            self.oauth.transports,
            self.oauth.endpoints,
            grant.cloud_id,
            self.tokens.of(grant.id or 0, generation=grant.generation),
            self._budgets.of(grant.cloud_id, grant.id or 0),
            clock=self.oauth.clock,
        )

    def _http(self) -> HttpLike:
        http: HttpLike | None = getattr(self._local, "http", None)
        if http is None:
            http = self.oauth.transports.http()
            self._local.http = http
            self._opened.append(http)
        return http
