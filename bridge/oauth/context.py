"""What consents and refreshes work with, handed down as one value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.clock import Chance, Clock
from bridge.config import Settings
from bridge.errors import Provider
from bridge.http import Endpoints, Transports
from bridge.oauth.exchange import Client
from bridge.oauth.seal import Seal
from bridge.store.engine import Store


@dataclass(frozen=True, slots=True)
class OAuth:
    """Everything outside of a consent or a refresh that it needs.

    Args:
        settings: gives the settings in force now.
        secret: gives a provider's client secret, read anew each time so that a changed file takes effect; raises
            ``ConfigError`` where there is none.
    """

    store: Store
    seal: Seal
    settings: Callable[[], Settings]
    secret: Callable[[Provider], str]
    endpoints: Endpoints
    transports: Transports
    clock: Clock
    chance: Chance

    def client(self, provider: Provider) -> Client:
        """Return this program as a provider knows it.

        Raises:
            ConfigError: the client secret cannot be had.
        """
        settings = self.settings()
        section = settings.google if provider == "google" else settings.atlassian
        return Client(section.client_id, self.secret(provider), settings.redirect_url(provider))

    def token_endpoint(self, provider: Provider) -> str:
        """Return a provider's token endpoint."""
        return self.endpoints.google_token if provider == "google" else self.endpoints.atlassian_token
