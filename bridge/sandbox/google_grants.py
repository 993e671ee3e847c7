"""Who let which client do what: Google's clients, grants, codes and tokens, with the ways in which they die."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.sandbox.core import Core

ACCESS_LIFETIME = timedelta(seconds=3599)
CODE_LIFETIME = timedelta(minutes=10)
UNUSED_LIFETIME = timedelta(days=182)
TESTING_LIFETIME = timedelta(seconds=604_799)
REFRESH_TOKENS_MAX = 100
_MAIL_SCOPES = ("https://mail.google.com/", "https://www.googleapis.com/auth/gmail.")


@dataclass
class Client:
    """A registered OAuth client.

    ``internal_domain`` admits only that Workspace's people, '' everybody. ``testing`` is the state in which refresh
    tokens die after seven days; ``test_users`` are then the only people admitted (None: everybody).
    A ``desktop`` client may use any port of the loopback address.
    """

    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
    internal_domain: str = ""
    testing: bool = False
    test_users: tuple[str, ...] | None = None
    desktop: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code, good once and for ten minutes."""

    code: str
    client_id: str
    address: str
    scopes: tuple[str, ...]
    redirect_uri: str
    challenge: str
    nonce: str
    with_refresh_token: bool
    expires: datetime


@dataclass
class RefreshToken:
    """A refresh token; it is not rotated."""

    token: str = field(repr=False)
    client_id: str
    address: str
    scopes: tuple[str, ...]
    last_used: datetime
    expires: datetime | None


@dataclass
class AccessToken:
    """An access token; kept after its end, so that a request with it can still be told whose it was."""

    token: str = field(repr=False)
    client_id: str
    address: str
    scopes: tuple[str, ...]
    expires: datetime
    revoked: bool = False

    def live(self, now: datetime) -> bool:
        """Return whether it still opens anything."""
        return not self.revoked and now < self.expires


class Grants:
    """All of it; the methods that a test calls are those that make a grant die."""

    def __init__(self, core: Core) -> None:
        self.clients: dict[str, Client] = {}
        self.codes: dict[str, Code] = {}
        self.refresh_tokens: dict[str, RefreshToken] = {}
        self.access_tokens: dict[str, AccessToken] = {}
        self.reauthenticate: set[str] = set()
        self.access_lifetime = ACCESS_LIFETIME
        self._core = core

    def consented(self, address: str, client_id: str) -> bool:
        """Return whether a person's grant to a client stands."""
        return any(t.address == address and t.client_id == client_id for t in self.refresh_tokens.values())

    def live_refresh_token(self, token: str) -> RefreshToken | None:
        """Return a refresh token that still works, None where it never was or died."""
        found, now = self.refresh_tokens.get(token), self._core.clock.now()
        if found is None:
            return None
        if now - found.last_used > UNUSED_LIFETIME or (found.expires is not None and now >= found.expires):
            del self.refresh_tokens[token]
            return None
        return found

    def new_code(self, code: Code) -> None:
        """Keep a code."""
        self.codes[code.code] = code

    def new_access_token(self, client_id: str, address: str, scopes: tuple[str, ...]) -> AccessToken:
        """Make an access token."""
        expires = self._core.clock.now() + self.access_lifetime
        made = AccessToken("ya29.a0" + self.random_text(150), client_id, address, scopes, expires)
        self.access_tokens[made.token] = made
        return made

    def new_refresh_token(self, code: Code) -> RefreshToken:
        """Make a refresh token; the oldest of more than a hundred for one person and client dies without a word."""
        now, client = self._core.clock.now(), self.clients[code.client_id]
        ends = now + TESTING_LIFETIME if client.testing else None
        made = RefreshToken("1//0" + self.random_text(75), code.client_id, code.address, code.scopes, now, ends)
        self.refresh_tokens[made.token] = made
        mine = [t.token for t in self._of(code.address, code.client_id)]
        for token in mine[: max(0, len(mine) - REFRESH_TOKENS_MAX)]:
            del self.refresh_tokens[token]
        return made

    def revoke(self, token: str) -> bool:
        """End the whole grant that an access or refresh token belongs to; false where the token is unknown."""
        found = self.refresh_tokens.get(token) or self.access_tokens.get(token)
        if found is None or (isinstance(found, AccessToken) and found.revoked):
            return False
        self.revoke_grant(found.address, found.client_id)
        return True

    def revoke_grant(self, address: str, client_id: str = "") -> None:
        """Let a person take the access of a client (or of all) away on Google's account page."""
        for refresh in list(self._of(address.lower(), client_id)):
            del self.refresh_tokens[refresh.token]
        for access in self.access_tokens.values():
            if access.address == address.lower() and client_id in ("", access.client_id):
                access.revoked = True

    def change_password(self, address: str) -> None:
        """Let a person change the password: every token with a Gmail scope dies."""
        for refresh in list(self._of(address.lower(), "")):
            if any(scope.startswith(_MAIL_SCOPES) for scope in refresh.scopes):
                del self.refresh_tokens[refresh.token]
        for access in self.access_tokens.values():
            if access.address == address.lower() and any(scope.startswith(_MAIL_SCOPES) for scope in access.scopes):
                access.revoked = True

    def expire_access_tokens(self, address: str) -> None:
        """End a person's access tokens before their time; refresh tokens stay."""
        for access in self.access_tokens.values():
            if access.address == address.lower():
                access.expires = min(access.expires, self._core.clock.now())

    def require_reauthentication(self, address: str, required: bool = True) -> None:
        """Switch a Workspace's session control on or off for a person: refreshing answers invalid_rapt."""
        (self.reauthenticate.add if required else self.reauthenticate.discard)(address.lower())

    def set_client_secret(self, client_id: str, secret: str) -> None:
        """Give a client another secret; the old one is wrong from now on."""
        self.clients[client_id].client_secret = secret

    def random_text(self, size: int) -> str:
        """Return URL-safe text of ``size`` random bytes."""
        return base64.urlsafe_b64encode(self._core.random.randbytes(size)).decode().rstrip("=")

    def _of(self, address: str, client_id: str) -> Iterator[RefreshToken]:
        for token in self.refresh_tokens.values():
            if token.address == address and client_id in ("", token.client_id):
                yield token


def full_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return scopes as Google names them in answers: short names spelled out, openid added to the address's scope."""
    userinfo = "https://www.googleapis.com/auth/userinfo."
    full = [userinfo + scope if scope in ("email", "profile") else scope for scope in scopes]
    if any(scope.startswith(userinfo) for scope in full) and "openid" not in full:
        full.append("openid")
    return tuple(dict.fromkeys(full))
