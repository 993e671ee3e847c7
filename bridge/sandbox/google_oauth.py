"""Google's OAuth over HTTP: consent, token, revoke, userinfo."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from typing import Any

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from bridge.sandbox.core import Answered, Core
from bridge.sandbox.gmail_people import SandboxGmail
from bridge.sandbox.gmail_state import Person
from bridge.sandbox.google_consent import Asked, Consent, ConsentError, error_page, page, query_of
from bridge.sandbox.google_grants import AccessToken, Client, Code, Grants, RefreshToken

OPERATIONS = {
    "/o/oauth2/auth": "google.oauth.authorize",
    "/o/oauth2/v2/auth": "google.oauth.authorize",
    "/token": "google.oauth.token",
    "/revoke": "google.oauth.revoke",
    "/v1/userinfo": "google.oauth.userinfo",
}
_SESSION_CONTROL = {
    "error_subtype": "invalid_rapt",
    "error_uri": "https://support.google.com/a/answer/9368756",
}


class TokenError(Exception):
    """A refusal of the token endpoint: HTTP status, OAuth's word, a sentence, and what else stands in the body."""

    def __init__(self, status: int, error: str, description: str, **more: str) -> None:
        super().__init__(error)
        self.response = token_error(status, error, description, **more)


def token_error(status: int, error: str, description: str, **more: str) -> Response:
    """Return an error answer of the token endpoint, also for faults that a test switches on."""
    return _json({"error": error, "error_description": description, **more}, status)


class GoogleOAuth:
    """The endpoints, and the answers of people as methods.

    ``grants`` has the clients, the tokens, and the ways in which they die.
    """

    def __init__(self, core: Core, gmail: SandboxGmail) -> None:
        self.grants = Grants(core)
        self._core = core
        self._gmail = gmail
        self._consent = Consent(core, self.grants, self._person)

    def register_client(self, client_id: str, client_secret: str, redirect_uris: Sequence[str], **more: Any) -> Client:
        """Register a client; ``more`` are ``Client``'s other fields."""
        client = Client(client_id, client_secret, tuple(redirect_uris), **more)
        self.grants.clients[client_id] = client
        return client

    def approve(self, authorize_url: str, person: str, scopes: Iterable[str] | None = None) -> str:
        """Answer a consent page with Allow; return the address that the browser is sent to.

        Args:
            authorize_url: the address that the client would open.
            person: the address of whoever answers.
            scopes: those left ticked, by default all; the identity scopes cannot be unticked.

        Raises:
            ConsentError: Google would show an error page instead.
        """
        with self._core.lock:
            return self._consent.allow(self._consent.asked(query_of(authorize_url)), person, scopes)

    def deny(self, authorize_url: str) -> str:
        """Answer a consent page with Cancel; return the address that the browser is sent to.

        Raises:
            ConsentError: Google would show an error page instead.
        """
        with self._core.lock:
            return self._consent.refuse(self._consent.asked(query_of(authorize_url)))

    def access(self, token: str) -> AccessToken | None:
        """Return an access token by its text, also one that is dead; None where there never was one."""
        return self.grants.access_tokens.get(token)

    def identify(self, request: Request, path: str) -> tuple[str, str]:
        """Return the operation and the person whose code or token came, each '' where unknown."""
        form = request.form
        found = (
            self.grants.codes.get(form.get("code", ""))
            or self.grants.refresh_tokens.get(form.get("refresh_token", form.get("token", "")))
            or self.access(form.get("token", "") or _bearer(request))
        )
        return OPERATIONS.get(path, ""), found.address if found else ""

    def answer(self, request: Request, path: str) -> Answered:
        """Carry a request out."""
        operation = OPERATIONS.get(path, "")
        if operation == "google.oauth.authorize":
            return Answered(self._authorize(request), operation)
        if operation == "google.oauth.userinfo":
            return Answered(self._userinfo(request), operation)
        if request.method != "POST":
            return Answered(Response("Method not allowed\n", status=405), operation)
        if operation == "google.oauth.revoke":
            return Answered(self._revoke(request), operation)
        try:
            return Answered(_json(self._token(request)), operation)
        except TokenError as refused:
            return Answered(refused.response, operation)

    def _person(self, address: str) -> Person | None:
        mailbox = self._gmail.mailboxes.get(address.lower())
        return mailbox.person if mailbox else None

    def _authorize(self, request: Request) -> Response:
        try:
            asked = self._consent.asked(request.args)
            if request.method != "POST":
                return Response(page(asked, self._gmail.people), content_type="text/html; charset=utf-8")
            return redirect(self._decided(request, asked), 302)
        except ConsentError as error:
            return Response(error_page(error), status=error.status, content_type="text/html; charset=utf-8")

    def _decided(self, request: Request, asked: Asked) -> str:
        if request.form.get("decision") != "allow":
            return self._consent.refuse(asked)
        return self._consent.allow(asked, request.form.get("person", ""), request.form.getlist("granted"))

    def _token(self, request: Request) -> dict[str, Any]:
        client = self._client(request)
        grant_type = request.form.get("grant_type", "")
        if grant_type == "authorization_code":
            return self._redeem(client, request)
        if grant_type == "refresh_token":
            return self._refresh(client, request)
        raise TokenError(400, "unsupported_grant_type", f"Invalid grant_type: {grant_type}")

    def _client(self, request: Request) -> Client:
        basic = request.authorization
        if basic is not None and basic.type == "basic":
            client_id, secret = basic.username or "", basic.password or ""
        else:
            client_id, secret = request.form.get("client_id", ""), request.form.get("client_secret", "")
        client = self.grants.clients.get(client_id)
        if client is None:
            raise TokenError(401, "invalid_client", "The OAuth client was not found.")
        if not hmac.compare_digest(client.client_secret.encode(), secret.encode()):
            raise TokenError(401, "invalid_client", "Unauthorized")
        return client

    def _redeem(self, client: Client, request: Request) -> dict[str, Any]:
        code = self.grants.codes.get(request.form.get("code", ""))
        if code is None or code.expires <= self._core.clock.now():
            raise TokenError(400, "invalid_grant", "Malformed auth code.")
        if code.client_id != client.client_id:
            raise TokenError(400, "invalid_grant", "Bad Request")
        if code.redirect_uri != request.form.get("redirect_uri"):
            raise TokenError(400, "redirect_uri_mismatch", "Bad Request")
        _check_verifier(code, request.form.get("code_verifier", ""))
        del self.grants.codes[code.code]
        answer = self._access_answer(client, code.address, code.scopes, code.nonce)
        if code.with_refresh_token:
            refresh = self.grants.new_refresh_token(code)
            answer["refresh_token"] = refresh.token
            if refresh.expires is not None:
                left = refresh.expires - self._core.clock.now()
                answer["refresh_token_expires_in"] = int(left.total_seconds())
        return answer

    def _refresh(self, client: Client, request: Request) -> dict[str, Any]:
        refresh = self.grants.live_refresh_token(request.form.get("refresh_token", ""))
        if refresh is None:
            raise TokenError(400, "invalid_grant", "Token has been expired or revoked.")
        if refresh.client_id != client.client_id:
            raise TokenError(400, "invalid_grant", "Bad Request")
        if refresh.address in self.grants.reauthenticate:
            raise TokenError(400, "invalid_grant", "reauth related error (invalid_rapt)", **_SESSION_CONTROL)
        scopes = _narrowed(refresh, request.form.get("scope", "").split())
        refresh.last_used = self._core.clock.now()
        return self._access_answer(client, refresh.address, scopes, "")

    def _access_answer(self, client: Client, address: str, scopes: tuple[str, ...], nonce: str) -> dict[str, Any]:
        access = self.grants.new_access_token(client.client_id, address, scopes)
        answer: dict[str, Any] = {
            "access_token": access.token,
            "expires_in": int(self.grants.access_lifetime.total_seconds()),
            "scope": " ".join(scopes),
            "token_type": "Bearer",
        }
        person = self._person(address)
        if "openid" in scopes and person is not None:
            claims = {**_claims(person, scopes), **({"nonce": nonce} if nonce else {})}
            answer["id_token"] = self._id_token(client, access.token, claims)
        return answer

    def _id_token(self, client: Client, access_token: str, claims: dict[str, Any]) -> str:
        now = int(self._core.clock.now().timestamp())
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        whole = {
            "iss": "https://accounts.google.com",
            "azp": client.client_id,
            "aud": client.client_id,
            "at_hash": _base64url(half),
            **claims,
            "iat": now,
            "exp": now + 3600,
        }
        # Signed with the client's secret; Google signs with a key of its own, which nobody needs over a direct answer.
        signed = ".".join(_base64url(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, whole))
        return f"{signed}.{_base64url(hmac.digest(client.client_secret.encode(), signed.encode(), 'sha256'))}"

    def _revoke(self, request: Request) -> Response:
        if not self.grants.revoke(request.form.get("token", request.args.get("token", ""))):
            return token_error(400, "invalid_token", "Token expired or revoked")
        return _json({})

    def _userinfo(self, request: Request) -> Response:
        access = self.access(_bearer(request))
        person = self._person(access.address) if access else None
        if access is None or person is None or not access.live(self._core.clock.now()):
            return token_error(401, "invalid_request", "Invalid Credentials")
        if "openid" not in access.scopes:
            return token_error(403, "insufficient_scope", "The token lacks the scope openid.")
        return _json({**_claims(person, access.scopes), "picture": f"{self._core.base_url}/google/picture.png"})


def _narrowed(refresh: RefreshToken, wanted: Sequence[str]) -> tuple[str, ...]:
    if not wanted:
        return refresh.scopes
    if not set(wanted) <= set(refresh.scopes):
        raise TokenError(400, "invalid_scope", "Bad Request")
    return tuple(scope for scope in refresh.scopes if scope in wanted)


def _check_verifier(code: Code, verifier: str) -> None:
    if not code.challenge and not verifier:
        return
    if not verifier:
        raise TokenError(400, "invalid_grant", "Missing code verifier.")
    digest = hashlib.sha256(verifier.encode()).digest()
    if not code.challenge or not hmac.compare_digest(_base64url(digest), code.challenge):
        raise TokenError(400, "invalid_grant", "Invalid code verifier.")


def _claims(person: Person, scopes: Iterable[str]) -> dict[str, Any]:
    claims: dict[str, Any] = {"sub": person.sub}
    if "https://www.googleapis.com/auth/userinfo.email" in scopes:
        claims |= {"email": person.address, "email_verified": True}
    if "https://www.googleapis.com/auth/userinfo.profile" in scopes:
        claims |= {"name": person.name}
    return {**claims, **({"hd": person.hd} if person.hd else {})}


def _bearer(request: Request) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.casefold() == "bearer" else request.args.get("access_token", "")


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _json(body: dict[str, Any], status: int = 200) -> Response:
    answer = Response(json.dumps(body), status=status, content_type="application/json; charset=utf-8")
    answer.headers["Cache-Control"] = "no-cache, no-store, max-age=0, must-revalidate"
    return answer
