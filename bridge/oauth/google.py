"""Google's consent: the address to open, and whose mailbox came of it."""

from __future__ import annotations

from typing import Any

import requests
from google_auth_oauthlib.flow import Flow
from urllib3.exceptions import HTTPError

from bridge.errors import ConsentFailed, NeedsConsent, WrongAccount
from bridge.gmail import Gmail, build_service
from bridge.http import json_object, lost, token_error
from bridge.oauth import scopes
from bridge.oauth.context import OAuth
from bridge.oauth.exchange import Granted, TokenPair, ask_token, code_form, https_form, in_scheme_of


def address_to_open(oauth: OAuth, address: str, *, state: str, verifier: str) -> str:
    """Return the link for a person.

    ``prompt=consent`` brings a refresh token each time; older grants are not added (``include_granted_scopes``), since
    a token with a metadata scope in it cannot read mail.
    """
    client, endpoint = oauth.client("google"), oauth.endpoints.google_authorize
    web = {
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "auth_uri": https_form(endpoint),
        "token_uri": oauth.endpoints.google_token,
    }
    flow = Flow.from_client_config(
        {"web": web}, list(scopes.GOOGLE), redirect_uri=client.redirect_url, state=state, code_verifier=verifier
    )
    url, _ = flow.authorization_url(
        access_type="offline", prompt="consent", include_granted_scopes="false", login_hint=address
    )
    return in_scheme_of(endpoint, str(url))


def granted(oauth: OAuth, address: str, code: str, verifier: str) -> Granted:
    """Exchange a code, and see that it is the expected person's whole consent.

    A person may untick Gmail on Google's screen, and may pick another account than the one that was proposed.

    Raises:
        WrongAccount: somebody else signed in. Their tokens are forgotten, not revoked: revoking ends every connection
            of that person to this program.
        ConsentFailed: Gmail was not allowed, or the code is no longer good.
        errors.RemoteError: Google failed.
    """
    form = code_form(oauth.client("google"), code, verifier)
    try:
        pair = ask_token(oauth.transports, oauth.endpoints.google_token, form, provider="google", clock=oauth.clock)
    except NeedsConsent as error:
        raise ConsentFailed("Google did not accept the answer: it is too old or used up. Start again.") from error
    if pair.scopes and scopes.GMAIL_READONLY not in pair.scopes:
        raise ConsentFailed(
            "Reading mail was not allowed. Start again and leave the box at "
            '"View your email messages and settings" ticked.'
        )
    if not pair.refresh:
        raise ConsentFailed("Google gave no lasting connection. Start again.")
    person = _userinfo(oauth, pair)
    subject, signed_in = str(person.get("sub") or ""), str(person.get("email") or "").lower()
    mailbox = _mailbox(oauth, pair)
    for found in (signed_in, mailbox):
        if found != address:
            raise WrongAccount(
                f"You signed in as {found or 'somebody without an address'}, not as {address}. "
                f"Nothing was kept. Start again and choose {address}."
            )
    if not subject:
        raise ConsentFailed("Google did not say who signed in. Start again.")
    return Granted(pair, subject=subject, address=signed_in, name=str(person.get("name") or ""))


def _userinfo(oauth: OAuth, pair: TokenPair) -> dict[str, Any]:
    try:
        response = oauth.transports.session().get(
            oauth.endpoints.google_userinfo,
            headers={"Authorization": f"Bearer {pair.access}", "Accept": "application/json"},
            allow_redirects=False,
        )
    except (requests.RequestException, HTTPError, OSError) as error:
        raise lost(error, provider="google", write=False) from error
    if response.status_code != 200:
        raise token_error("google", response, oauth.clock.now())
    return json_object(response, provider="google", write=False)


def _mailbox(oauth: OAuth, pair: TokenPair) -> str:
    """Return the address of the mailbox that the token really opens."""
    http = oauth.transports.http()
    try:
        service = build_service(oauth.endpoints, http)
        return Gmail(service, http, OneToken(pair.access), clock=oauth.clock).profile().address
    finally:
        http.close()


class OneToken:
    """A token source with one token that is only minutes old; fits ``http.TokenSource``."""

    def __init__(self, access: str) -> None:
        self._access = access

    def __call__(self, refused: str = "") -> str:
        """Return it; a second time after it was refused there is no other."""
        if refused == self._access:
            raise ConsentFailed("The new connection was refused at once. Start again.")
        return self._access

    def stale(self, token: str) -> bool:
        """Say that it is fresh."""
        return False
