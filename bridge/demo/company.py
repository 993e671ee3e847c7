"""An installation of the product beside a sandbox company, and its people connecting: the demo's, and every story's.

The product is told addresses and secrets as any installation is; it does not know that they are the sandbox's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from sqlmodel import select

from bridge.clock import Chance, Clock
from bridge.config import Settings
from bridge.daemon.opening import Outside, put_together
from bridge.errors import BridgeError, Provider
from bridge.http import Endpoints, Transports
from bridge.oauth.backlog import BacklogChoice, answer_backlog
from bridge.oauth.consent import Consents
from bridge.oauth.context import OAuth
from bridge.oauth.seal import make_key
from bridge.oauth.tokens import Tokens
from bridge.sandbox.world import SECRET, World
from bridge.store import accounts, grants, threads
from bridge.store.engine import open_store
from bridge.store.migrate import migrate
from bridge.store.tables import Entry, EntryState, GrantState


@dataclass(frozen=True, slots=True)
class Company:
    """A sandbox and an installation that works for its people."""

    world: World
    oauth: OAuth
    tokens: Tokens
    consents: Consents
    folder: Path

    def connect(self, address: str, *, backlog: BacklogChoice | None = None) -> None:
        """Connect a person's Gmail and Confluence, as they would with two clicks of Allow.

        Args:
            address: who.
            backlog: what they answer when asked about mail that is labelled already; None: they close the page.

        Raises:
            BridgeError: a consent did not end well.
        """
        self._consent("google", address, self.world.google.oauth.approve)
        self._consent("atlassian", address, self.world.atlassian.approve)
        if backlog is not None:
            with self.oauth.store.read() as session:
                account = accounts.by_address(session, address)
            assert account is not None
            answer_backlog(self.oauth, account.id or 0, backlog)

    def connect_again(self) -> None:
        """Connect whoever's access has ended, as they would once they are told."""
        with self.oauth.store.read() as session:
            ended = [
                account.address
                for account in accounts.everyone(session)
                if any(
                    grant.state is GrantState.NEEDS_CONSENT
                    for grant in grants.of_account(session, account.id or 0).values()
                )
            ]
        for address in ended:
            self.connect(address, backlog="publish")

    def at_rest(self) -> bool:
        """Whether nothing waits to be read or written."""
        with self.oauth.store.read() as session:
            planned = session.exec(select(Entry).where(Entry.state == EntryState.PLANNED)).first()
            return threads.count(session) == 0 and planned is None

    def close(self) -> None:
        """Close the database and the connections."""
        self.oauth.store.close()
        self.oauth.transports.close()

    def _consent(self, provider: Provider, address: str, approve: Callable[[str, str], str]) -> None:
        begun = self.consents.begin(provider, address)
        answer = parse_qs(urlsplit(approve(begun.url, address)).query)
        outcome = self.consents.finish(provider, answer["state"][0], code=answer["code"][0])
        if outcome.state != "connected":
            raise BridgeError(f"{address} could not connect: {outcome.sentence}")


def found(
    world: World,
    folder: Path,
    *,
    settings: Callable[[], Settings],
    transports: Transports,
    clock: Clock,
    chance: Chance,
    database_url: str = "",
    seal_key: str = "",
) -> Company:
    """Set up an installation in a folder: database, seal key, both clients registered.

    Args:
        world: whose people it is for; its address is known.
        folder: private; the database goes there unless ``database_url`` names another.
        settings: gives the settings in force; their endpoints are the world's.
        transports: how the product reaches the world.
        clock: the product's time.
        chance: the product's randomness.
        database_url: another database.
        seal_key: of an earlier installation in the same database; '' makes one.
    """
    now = settings()
    world.register([now.redirect_url("google"), now.redirect_url("atlassian")])
    url = database_url or f"sqlite:///{folder}/mailbridge.db"
    migrate(url)
    outside = Outside(Endpoints.of(now.endpoints.google, now.endpoints.atlassian), transports, clock, chance)
    keys = [seal_key or make_key()]
    opened = put_together(settings, open_store(url), keys, outside, lambda provider: SECRET, state=folder)
    return Company(world, opened.oauth, opened.tokens, opened.consents, folder)
