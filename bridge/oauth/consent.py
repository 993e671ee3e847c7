"""One consent from its link to its end. The table row remembers it in between, since the answer is another request.

The link's ``state`` is random, kept as a digest only, good once and for ten minutes; whoever knows it is taken for the
person who got the link. Terminal, web page and a pasted address all end here.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.exc import IntegrityError

from bridge.errors import BridgeError, ConsentFailed, Provider, StoreError
from bridge.oauth import atlassian, google
from bridge.oauth.context import OAuth
from bridge.oauth.exchange import Granted, TokenPair
from bridge.oauth.keeping import keep, open_pair, seal_pair
from bridge.store import accounts, consents, events
from bridge.store.tables import Consent

State = Literal["connected", "choose site", "failed"]

_VERIFIER, _WAITING = "verifier", "waiting"
_NAMES: dict[Provider, str] = {"google": "Google", "atlassian": "Atlassian"}
_PRODUCTS: dict[Provider, str] = {"google": "Gmail", "atlassian": "Confluence"}


@dataclass(frozen=True, slots=True)
class Begun:
    """A link to open; ``state`` is its secret half, by which its end is asked for."""

    url: str
    state: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A site that may be chosen."""

    cloud_id: str
    url: str
    name: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a consent stands: ``sentence`` is for its person, ``choices`` are the sites where one must be chosen."""

    state: State
    provider: Provider
    address: str
    sentence: str
    choices: tuple[Choice, ...] = ()


class Consents:
    """Begins and ends consents; any thread may call it."""

    def __init__(self, oauth: OAuth) -> None:
        self._oauth = oauth

    def begin(self, provider: Provider, address: str, *, browser: str = "") -> Begun:
        """Make a link for a person.

        Args:
            provider: whom they connect.
            address: the Google address that they are known by.
            browser: the session of the browser that alone may answer, '' where any may (a terminal's link).

        Raises:
            ConsentFailed: people of the address's domain may not connect.
            ConfigError: the provider's client secret cannot be had.
        """
        oauth, address = self._oauth, address.strip().lower()
        self._check_domain(address)
        state, verifier = oauth.chance.token(32), oauth.chance.token(48)
        if provider == "google":
            url = google.address_to_open(oauth, address, state=state, verifier=verifier)
        else:
            url = atlassian.address_to_open(oauth, state=state, verifier=verifier)
        sealed = oauth.seal.seal({"verifier": verifier}, account=address, provider=provider, kind=_VERIFIER)
        with oauth.store.write() as session:
            consents.add(
                session,
                _digest(state),
                provider=provider,
                address=address,
                sealed=sealed,
                browser=browser,
                now=oauth.clock.now(),
            )
        return Begun(url, state)

    def finish(self, provider: Provider, state: str, *, code: str = "", error: str = "", browser: str = "") -> Outcome:
        """Take the answer that came back with a redirect; what goes wrong at the provider is an outcome too.

        Args:
            provider: whose redirect address was called.
            state: what came back.
            code: likewise, '' where the person or the provider refused.
            error: the provider's word for that.
            browser: the session of the browser that answers.

        Raises:
            ConsentFailed: the link is unknown, too old, answered already, or another browser's.
            StoreError: the database cannot be used.
        """
        row = self._take(provider, state, browser)
        return self._ended(row, lambda: self._answered(row, provider, code, error))

    def choose_site(self, state: str, cloud_id: str, *, browser: str = "") -> Outcome:
        """Go on with one of the sites of an outcome "choose site".

        Raises:
            ConsentFailed: no choice waits under this link any more, or the site is none of its choices.
            StoreError: the database cannot be used.
        """
        row = self._found(state, browser)
        if row is None or row.outcome != "choose site" or row.expires_at <= self._oauth.clock.now():
            raise ConsentFailed("There is nothing to choose under this link any more. Start again.")
        if cloud_id not in {choice["id"] for choice in row.choices}:
            raise ConsentFailed("This site is none of those to choose from. Go back and choose one of them.")
        with self._oauth.store.write() as session:
            if not consents.choose(session, row.id or 0):
                raise ConsentFailed("A site was chosen already.")
        site = next(_choice(choice) for choice in row.choices if choice["id"] == cloud_id)
        return self._ended(row, lambda: self._at_site(row, self._waiting_pair(row), site))

    def outcome(self, state: str) -> Outcome | None:
        """Return how a consent stands, None while nobody has answered.

        Raises:
            ConsentFailed: its time is over, or there is no such link.
        """
        row = self._found(state)
        if row is None or (row.outcome in ("", "choose site") and row.expires_at <= self._oauth.clock.now()):
            raise ConsentFailed("Nobody answered within ten minutes, so the link is no longer good. Start again.")
        return None if row.outcome in ("", "choosing") else _outcome(row)

    def _check_domain(self, address: str) -> None:
        domains = self._oauth.settings().google.domains
        name, _, domain = address.rpartition("@")
        if not name or domain not in domains:
            allowed = ", ".join(f"@{one}" for one in domains)
            raise ConsentFailed(f"{address} cannot connect here; only addresses that end in {allowed} can.")

    def _found(self, state: str, browser: str = "") -> Consent | None:
        with self._oauth.store.read() as session:
            row = consents.by_digest(session, _digest(state))
        if row is not None and browser and not hmac.compare_digest(row.session.encode(), browser.encode()):
            return None
        return row

    def _take(self, provider: Provider, state: str, browser: str) -> Consent:
        row = self._found(state)
        if row is None or row.provider != provider:
            raise ConsentFailed("This link was not made here, or too long ago. Start again.")
        if row.session and not hmac.compare_digest(row.session.encode(), browser.encode()):
            raise ConsentFailed("This link was made for another browser. Start again in this one.")
        with self._oauth.store.write() as session:
            taken = consents.take(session, row.id or 0, self._oauth.clock.now())
        if not taken:
            used = row.used_at is not None or row.expires_at > self._oauth.clock.now()
            raise ConsentFailed(
                "This link was answered already." if used else "This link is older than ten minutes. Start again."
            )
        return row

    def _answered(self, row: Consent, provider: Provider, code: str, error: str) -> Outcome:
        if error or not code:
            raise ConsentFailed(_refusal(provider, error))
        opened = self._oauth.seal.open(row.sealed, account=row.address, provider=provider, kind=_VERIFIER)
        verifier = str(opened["verifier"])
        if provider == "google":
            return self._kept(row, provider, google.granted(self._oauth, row.address, code, verifier))
        pair = atlassian.exchanged(self._oauth, code, verifier)
        found = [Choice(site.cloud_id, site.url, site.name) for site in atlassian.allowed_sites(self._oauth, pair)]
        if len(found) == 1:
            return self._at_site(row, pair, found[0])
        return self._ask_site(row, pair, tuple(found))

    def _ask_site(self, row: Consent, pair: TokenPair, found: tuple[Choice, ...]) -> Outcome:
        sealed = seal_pair(self._oauth, pair, address=row.address, provider="atlassian", kind=_WAITING)
        listed = [{"id": site.cloud_id, "url": site.url, "name": site.name} for site in found]
        with self._oauth.store.write() as session:
            consents.wait_for_choice(session, row.id or 0, listed, sealed, self._oauth.clock.now())
        return Outcome("choose site", "atlassian", row.address, _CHOOSE, found)

    def _waiting_pair(self, row: Consent) -> TokenPair:
        return open_pair(self._oauth, row.sealed, address=row.address, provider="atlassian", kind=_WAITING)

    def _at_site(self, row: Consent, pair: TokenPair, site: Choice) -> Outcome:
        granted = atlassian.granted(self._oauth, pair, site.cloud_id)
        return self._kept(row, "atlassian", granted, site)

    def _kept(self, row: Consent, provider: Provider, granted: Granted, site: Choice | None = None) -> Outcome:
        if provider == "google":
            sentence = f"Gmail of {row.address} is connected."
        else:
            host = site.url.partition("://")[2] if site else ""
            sentence = f"Connected as {granted.name or granted.subject} on {host}."
        with self._oauth.store.write() as session:
            keep(
                self._oauth,
                session,
                provider=provider,
                address=row.address,
                granted=granted,
                cloud_id=site.cloud_id if site else "",
                site_url=site.url if site else "",
            )
            consents.end(session, row.id or 0, "connected", sentence)
        return Outcome("connected", provider, row.address, sentence)

    def _ended(self, row: Consent, step: Callable[[], Outcome]) -> Outcome:
        """Take a step; where it fails, write that down and return it."""
        try:
            return step()
        except StoreError:
            raise
        except IntegrityError:
            cause, sentence = "IntegrityError", "Two answers came at once, and the other one was kept."
        except BridgeError as error:
            cause, sentence = type(error).__name__, str(error)
        provider: Provider = "google" if row.provider == "google" else "atlassian"
        with self._oauth.store.write() as session:
            consents.end(session, row.id or 0, "failed", sentence)
            account = accounts.by_address(session, row.address)
            events.tell(
                session,
                self._oauth.clock.now(),
                "not connected",
                account_id=account.id if account else None,
                cause=cause,
                outcome=provider,
            )
        return Outcome("failed", provider, row.address, sentence)


_CHOOSE = "Your Atlassian account reaches several sites. Choose the one whose pages are meant."
_REFUSALS = {
    "admin_policy_enforced": "An administrator of your company blocks this program. Ask them to allow it.",
    "org_internal": "This program is for people of its own company only. Sign in with your company's account.",
}


def _refusal(provider: Provider, error: str) -> str:
    if error in ("", "access_denied"):
        return f"{_PRODUCTS[provider]} is not connected: it was not allowed at {_NAMES[provider]}. Nothing was kept."
    known = _REFUSALS.get(error)
    if known:
        return known
    word = "".join(sign for sign in error if sign.isascii() and (sign.isalnum() or sign in "_-"))[:60]
    return f"{_NAMES[provider]} refused ({word or 'without a reason'}). Nothing was kept. Start again."


def _outcome(row: Consent) -> Outcome:
    state: State = "failed"
    if row.outcome == "connected":
        state = "connected"
    elif row.outcome == "choose site":
        state = "choose site"
    provider: Provider = "google" if row.provider == "google" else "atlassian"
    sentence = _CHOOSE if state == "choose site" else row.detail
    return Outcome(state, provider, row.address, sentence, tuple(_choice(choice) for choice in row.choices))


def _choice(kept: dict[str, str]) -> Choice:
    return Choice(kept["id"], kept["url"], kept["name"])


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()
