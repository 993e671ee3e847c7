"""The two steps of OAuth 2.0 that are the same at both providers: the address to open, and the token endpoint.

oauthlib makes the addresses (Google's through google-auth-oauthlib) and the bodies. The POST is our own: the libraries
never give the HTTP status of an answer, and one that is sent here is sent once. Plain http is accepted on the loopback
address only, which is why oauthlib's own check, a switch for the whole process, is not relied on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from oauthlib.oauth2 import WebApplicationClient
from urllib3.exceptions import HTTPError

from bridge.clock import Clock
from bridge.config.addresses import is_loopback
from bridge.errors import ConfigError, Provider
from bridge.http import Transports, lost, token_error

_HOUR = 3600
"""Seconds: both providers' access tokens live so long; taken where an answer does not say."""


@dataclass(frozen=True, slots=True)
class Client:
    """This program as a provider knows it."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_url: str


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a token endpoint gave; ``refresh`` is '' where it gave none, ``scopes`` empty where it named none."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: datetime
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Granted:
    """A finished consent: the tokens and whose they are.

    ``subject`` is the provider's own id of the person, ``address`` '' where the provider was not asked for it, ``name``
    what they are called there, '' likewise.
    """

    pair: TokenPair
    subject: str
    address: str = ""
    name: str = ""


def consent_url(
    endpoint: str, client: Client, scopes: tuple[str, ...], *, state: str, verifier: str, **more: str
) -> str:
    """Return the address at which a person consents.

    Args:
        endpoint: the provider's authorization endpoint.
        client: who asks.
        scopes: for what.
        state: comes back with the answer.
        verifier: of PKCE, 43 to 128 characters; its SHA-256 goes along.
        more: the provider's own parameters.

    Raises:
        ConfigError: the endpoint is not encrypted.
    """
    made = WebApplicationClient(client.client_id)
    url = made.prepare_request_uri(
        https_form(endpoint),
        redirect_uri=client.redirect_url,
        scope=list(scopes),
        state=state,
        code_challenge=made.create_code_challenge(verifier, "S256"),
        code_challenge_method="S256",
        **more,
    )
    return in_scheme_of(endpoint, str(url))


def https_form(endpoint: str) -> str:
    """Return an endpoint as the OAuth libraries take it: they refuse http even for a stand-in on this machine.

    Raises:
        ConfigError: the endpoint is not encrypted, and not on this machine.
    """
    return urlsplit(_secure(endpoint))._replace(scheme="https").geturl()


def in_scheme_of(endpoint: str, url: str) -> str:
    """Return an address that was made from ``https_form`` with the endpoint's own scheme."""
    return urlsplit(url)._replace(scheme=urlsplit(endpoint).scheme).geturl()


def code_form(client: Client, code: str, verifier: str) -> str:
    """Return the body that exchanges a code for tokens, the client's secret in it."""
    return str(
        WebApplicationClient(client.client_id).prepare_request_body(
            code=code,
            redirect_uri=client.redirect_url,
            code_verifier=verifier,
            client_secret=client.client_secret,
        )
    )


def refresh_form(client: Client, refresh: str) -> str:
    """Return the body that exchanges a refresh token for an access token; it names no scopes: they stay as they are."""
    made = WebApplicationClient(client.client_id)
    return str(
        made.prepare_refresh_body(refresh_token=refresh, client_id=client.client_id, client_secret=client.client_secret)
    )


def ask_token(transports: Transports, endpoint: str, form: str, *, provider: Provider, clock: Clock) -> TokenPair:
    """Send one request to a token endpoint.

    Raises:
        errors.NeedsConsent: the grant, or the code, is no longer good.
        errors.OperatorMustAct: the client's id or secret is wrong.
        errors.Temporary: all else; ``maybe_applied`` where Atlassian may have rotated the refresh token all the same.
        ConfigError: the endpoint is not encrypted.
    """
    asked_at = clock.now()
    try:
        response = transports.session().post(
            _secure(endpoint),
            data=form,
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            allow_redirects=False,
        )
    except (requests.RequestException, HTTPError, OSError) as error:
        raise lost(error, provider=provider, write=provider == "atlassian") from error
    answer = _object(response) if response.status_code == 200 else {}
    access = answer.get("access_token")
    if not isinstance(access, str) or not access:
        raise token_error(provider, response, clock.now())
    refresh = answer.get("refresh_token")
    return TokenPair(
        access=access,
        refresh=refresh if isinstance(refresh, str) else "",
        expires_at=asked_at + timedelta(seconds=_lifetime(answer.get("expires_in"))),
        scopes=frozenset(str(answer.get("scope") or "").split()),
    )


def _secure(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        return url
    raise ConfigError(f"Tokens are never sent to {parts.scheme}://{parts.hostname}: it is not encrypted. Use https.")


def _object(response: requests.Response) -> dict[str, Any]:
    try:
        value = response.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _lifetime(value: object) -> float:
    try:
        seconds = float(str(value))
    except ValueError:
        return _HOUR
    return seconds if 0 < seconds < 365 * 24 * _HOUR else _HOUR
