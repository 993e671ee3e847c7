"""Atlassian's OAuth 2.0 (3LO): consent, codes, access tokens of one hour, refresh tokens that rotate."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from werkzeug.wrappers import Request, Response

from bridge.sandbox.confluence_state import Person, Wiki
from bridge.sandbox.confluence_wire import json_response

ACCESS_SECONDS = 3600
CODE_LIFE = timedelta(minutes=10)
LEEWAY = timedelta(minutes=10)
IDLE = timedelta(days=90)


@dataclass
class Grant:
    """What one person allowed the app; one for an app and an account. A new consent's scopes replace the old ones."""

    person: Person
    scopes: frozenset[str]
    sites: list[str]
    revoked: bool = False


@dataclass
class Code:
    """An authorization code, good for one exchange."""

    grant: Grant
    scopes: frozenset[str]
    redirect_uri: str
    challenge: str
    expires: datetime


@dataclass
class Access:
    """An access token: the scopes are those of its own consent."""

    grant: Grant
    scopes: frozenset[str]
    expires: datetime


@dataclass
class Refresh:
    """A refresh token; ``successor`` is the answer that its first use gave."""

    grant: Grant
    scopes: frozenset[str]
    issued: datetime
    used: datetime | None = None
    successor: dict[str, Any] | None = None


@dataclass
class App:
    """The registered 3LO app. ``redirect_uris`` None takes every address."""

    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"
    redirect_uris: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked authorize request."""

    scopes: frozenset[str]
    redirect_uri: str
    state: str
    challenge: str


class ConsentFault(ValueError):
    """An authorize request that Atlassian answers with an error page of its own, without going back to the app."""


@dataclass
class OAuth:
    """The authorization server."""

    wiki: Wiki
    app: App = field(default_factory=App)
    grants: dict[str, Grant] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    access: dict[str, Access] = field(default_factory=dict)
    refreshes: dict[str, Refresh] = field(default_factory=dict)

    def asked(self, authorize_url: str) -> Asked:
        """Check an authorize address.

        Raises:
            ConsentFault: for a wrong client, address, audience, response type or challenge method.
        """
        query = {name: values[0] for name, values in parse_qs(urlsplit(authorize_url).query).items()}
        redirect_uri = query.get("redirect_uri", "")
        if query.get("client_id") != self.app.client_id:
            raise ConsentFault("client_id is not known")
        if not redirect_uri or (self.app.redirect_uris is not None and redirect_uri not in self.app.redirect_uris):
            raise ConsentFault("redirect_uri is not registered")
        if query.get("audience") != "api.atlassian.com" or query.get("response_type") != "code":
            raise ConsentFault("audience must be api.atlassian.com and response_type code")
        if query.get("code_challenge") and query.get("code_challenge_method") != "S256":
            raise ConsentFault("code_challenge_method must be S256")
        scopes = frozenset(query.get("scope", "").split())
        if not scopes:
            raise ConsentFault("scope is missing")
        return Asked(scopes, redirect_uri, query.get("state", ""), query.get("code_challenge", ""))

    def approve(self, asked: Asked, person: Person, scopes: frozenset[str] | None = None) -> str:
        """Grant what was asked, or the part of it that ``scopes`` names; return the address to go back to."""
        given = asked.scopes if scopes is None else asked.scopes & scopes
        old = self.grants.get(person.account_id)
        if old is None or old.revoked:
            old = self.grants[person.account_id] = Grant(person, given, list(person.sites))
        old.scopes, old.sites = given, list(dict.fromkeys([*old.sites, *person.sites]))
        code = self._text(48)
        self.codes[code] = Code(old, given, asked.redirect_uri, asked.challenge, self.wiki.now() + CODE_LIFE)
        return _back(asked, {"code": code})

    def deny(self, asked: Asked) -> str:
        """Return the address to go back to after Cancel."""
        return _back(asked, {"error": "access_denied", "error_description": "User did not authorize the request"})

    def revoke(self, person: Person) -> None:
        """Take a person's grant back, as on their Connected apps page."""
        grant = self.grants.get(person.account_id)
        if grant is not None:
            grant.revoked = True

    def token(self, request: Request) -> Response:
        """Answer the token endpoint, for JSON and form bodies."""
        sent = self._sent(request)
        if sent.get("client_id") != self.app.client_id or sent.get("client_secret") != self.app.client_secret:
            return _error(401, "access_denied", "Unauthorized")
        if sent.get("grant_type") == "authorization_code":
            return self._exchange(sent)
        if sent.get("grant_type") == "refresh_token":
            return self._refresh(sent)
        return _error(403, "unsupported_grant_type", f"Unsupported grant type: {sent.get('grant_type')}")

    def whose(self, request: Request) -> str:
        """Return the address of the person whose code or refresh token a token request carries, '' where unknown."""
        sent = self._sent(request)
        held = self.refreshes.get(sent.get("refresh_token", "")) or self.codes.get(sent.get("code", ""))
        return held.grant.person.address if held is not None else ""

    def _sent(self, request: Request) -> dict[str, str]:
        if request.mimetype == "application/json":
            try:
                held = json.loads(request.get_data())
            except ValueError:
                return {}
            return {str(name): str(value) for name, value in held.items()} if isinstance(held, dict) else {}
        return request.form.to_dict()

    def _exchange(self, sent: dict[str, str]) -> Response:
        code = self.codes.pop(sent.get("code", ""), None)
        if code is None or code.expires <= self.wiki.now() or code.grant.revoked:
            return _error(403, "invalid_grant", "Invalid authorization code")
        if code.redirect_uri != sent.get("redirect_uri"):
            return _error(403, "invalid_grant", "redirect_uri differs from the one of the authorization request")
        if code.challenge and code.challenge != _s256(sent.get("code_verifier", "")):
            return _error(403, "invalid_grant", "Failed to verify code verifier")
        return json_response(self._issue(code.grant, code.scopes))

    def _refresh(self, sent: dict[str, str]) -> Response:
        now, held = self.wiki.now(), self.refreshes.get(sent.get("refresh_token", ""))
        if held is None or (held.used is not None and now - held.used > LEEWAY):
            return _error(403, "unauthorized_client", "refresh_token is invalid")
        if held.grant.revoked or now - held.issued > IDLE:
            return _error(403, "invalid_grant", "Unknown or invalid refresh token.")
        if held.successor is not None and self.wiki.switches.leeway_gives_same_token:
            return json_response(held.successor)
        held.used = held.used or now
        held.successor = self._issue(held.grant, held.scopes)
        return json_response(held.successor)

    def _issue(self, grant: Grant, scopes: frozenset[str]) -> dict[str, Any]:
        now = self.wiki.now()
        access = self._jwt(grant, scopes, now, ACCESS_SECONDS)
        self.access[access] = Access(grant, scopes, now + timedelta(seconds=ACCESS_SECONDS))
        answer: dict[str, Any] = {"access_token": access, "expires_in": ACCESS_SECONDS, "token_type": "Bearer"}
        if "offline_access" in scopes:
            refresh = self._jwt(grant, scopes, now, int(IDLE.total_seconds()))
            self.refreshes[refresh] = Refresh(grant, scopes, now)
            answer["refresh_token"] = refresh
        return {**answer, "scope": " ".join(sorted(scopes))}

    def _jwt(self, grant: Grant, scopes: frozenset[str], now: datetime, seconds: int) -> str:
        issued = int(now.timestamp())
        header = {"kid": self._text(24), "alg": "RS256"}
        payload = {
            "jti": self.wiki.uuid(),
            "sub": grant.person.account_id,
            "nbf": issued,
            "iss": "https://auth.atlassian.com",
            "iat": issued,
            "exp": issued + seconds,
            "aud": self.app.client_id,
            "scope": " ".join(sorted(scopes)),
            "https://id.atlassian.com/session_id": self._text(900),
        }
        parts = [json.dumps(part).encode() for part in (header, payload)] + [self.wiki.core.random.randbytes(256)]
        return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)

    def _text(self, length: int) -> str:
        return base64.urlsafe_b64encode(self.wiki.core.random.randbytes(length)).decode()[:length]


def _s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _back(asked: Asked, answer: dict[str, str]) -> str:
    query = answer | ({"state": asked.state} if asked.state else {})
    return f"{asked.redirect_uri}{'&' if '?' in asked.redirect_uri else '?'}{urlencode(query)}"


def _error(status: int, error: str, description: str) -> Response:
    return json_response({"error": error, "error_description": description}, status)
