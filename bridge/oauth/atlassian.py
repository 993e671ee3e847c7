"""Atlassian's consent: the address to open, the sites that came of it, and who it is on one of them."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from bridge.config import Settings
from bridge.confluence import Confluence, Site, sites
from bridge.errors import ConsentFailed, NeedsConsent
from bridge.http import NoBudget
from bridge.oauth import scopes
from bridge.oauth.context import OAuth
from bridge.oauth.exchange import Granted, TokenPair, ask_token, code_form, consent_url
from bridge.oauth.google import OneToken


def address_to_open(oauth: OAuth, *, state: str, verifier: str) -> str:
    """Return the link for a person. Atlassian has no hint for whom it is meant."""
    return consent_url(
        oauth.endpoints.atlassian_authorize,
        oauth.client("atlassian"),
        scopes.atlassian(oauth.settings()),
        state=state,
        verifier=verifier,
        audience="api.atlassian.com",
        prompt="consent",
    )


def exchanged(oauth: OAuth, code: str, verifier: str) -> TokenPair:
    """Exchange a code, and see that everything was allowed.

    Raises:
        ConsentFailed: a scope is missing, or the code is no longer good.
        errors.RemoteError: Atlassian failed.
    """
    form = code_form(oauth.client("atlassian"), code, verifier)
    try:
        pair = ask_token(
            oauth.transports, oauth.endpoints.atlassian_token, form, provider="atlassian", clock=oauth.clock
        )
    except NeedsConsent as error:
        raise ConsentFailed("Atlassian did not accept the answer: it is too old or used up. Start again.") from error
    lacking = scopes.missing(scopes.atlassian(oauth.settings()), pair.scopes) if pair.scopes else []
    if lacking:
        raise ConsentFailed(
            f"Atlassian did not grant {', '.join(lacking)}. Let the operator add it to the app's permissions "
            "(mailbridge setup prints them all), then start again."
        )
    if not pair.refresh:
        raise ConsentFailed("Atlassian gave no lasting connection. Start again.")
    return pair


def allowed_sites(oauth: OAuth, pair: TokenPair) -> list[Site]:
    """Return the sites that a person reaches and the configuration allows, in Atlassian's order; at least one.

    Raises:
        ConsentFailed: there is none.
        errors.RemoteError: Atlassian failed.
    """
    reached = sites(oauth.transports, oauth.endpoints, pair.access, clock=oauth.clock)
    settings = oauth.settings()
    wanted = {_site_key(url) for url in settings.atlassian.sites}
    found = [site for site in reached if _site_key(site.url) in wanted]
    if not found:
        raise ConsentFailed(_no_site(settings, reached))
    return found


def granted(oauth: OAuth, pair: TokenPair, cloud_id: str) -> Granted:
    """Return whose tokens these are, as a site knows the person.

    Raises:
        errors.RemoteError: Confluence failed, or does not let the person in.
    """
    client = Confluence(
        oauth.transports, oauth.endpoints, cloud_id, OneToken(pair.access), NoBudget(), clock=oauth.clock
    )
    person = client.current_user()
    return Granted(pair, subject=person.account_id, name=person.display_name)


def _site_key(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _no_site(settings: Settings, reached: Sequence[Site]) -> str:
    wanted = " or ".join(_host(url) for url in settings.atlassian.sites)
    if not reached:
        return (
            f"The Atlassian account that signed in reaches no Confluence site. Ask an administrator of {wanted} "
            "for access to Confluence, then start again."
        )
    others = ", ".join(_host(site.url) for site in reached)
    return f"You chose {others}; pages go to {wanted} only. Nothing was kept. Start again and choose {wanted}."


def _host(url: str) -> str:
    return urlsplit(url).netloc or url
