"""Google's consent: what a client asks for, the page on which a person answers, and where the browser goes then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit

from bridge.sandbox.core import Core
from bridge.sandbox.gmail_state import Person
from bridge.sandbox.google_grants import CODE_LIFETIME, Client, Code, Grants, full_scopes

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_IDENTITY = {
    "openid": "Associate you with your personal info on Google",
    "https://www.googleapis.com/auth/userinfo.email": "See your primary Google Account email address",
    "https://www.googleapis.com/auth/userinfo.profile": "See your personal info",
}
_TEXTS = {
    "https://mail.google.com/": "Read, compose, send, and permanently delete all your email from Gmail",
    "https://www.googleapis.com/auth/gmail.readonly": "View your email messages and settings",
    "https://www.googleapis.com/auth/gmail.modify": "Read, compose, and send emails from your Gmail account",
    "https://www.googleapis.com/auth/gmail.labels": "See and edit your email labels",
    "https://www.googleapis.com/auth/gmail.metadata": "View your email message metadata such as labels and headers",
}
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;background:#f0f4f9;margin:0}"
    "main{max-width:30rem;margin:8vh auto;padding:2rem;background:#fff;border-radius:1rem}"
    "h1{font-size:1.4rem;margin:0 0 1rem}label{display:block;padding:.35rem 0}"
    "fieldset{border:1px solid #c4c7c5;border-radius:.5rem;margin:0 0 1rem}"
    "button{font:inherit;padding:.5rem 1.5rem;border-radius:1.5rem;border:1px solid #747775;background:#fff}"
    ".yes{background:#0b57d0;color:#fff}"
)


class ConsentError(Exception):
    """Google shows an error page and never comes back to the client: the HTTP status, Google's word, a sentence."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.status = status
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class Asked:
    """What an authorization address asks for, checked."""

    client: Client
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str
    challenge: str
    nonce: str
    login_hint: str
    offline: bool
    prompt: str


class Consent:
    """Reads authorization addresses and gives the answers of people."""

    def __init__(self, core: Core, grants: Grants, find: Callable[[str], Person | None]) -> None:
        self._core = core
        self._grants = grants
        self._find = find

    def asked(self, query: Mapping[str, str]) -> Asked:
        """Check an authorization address's query.

        Raises:
            ConsentError: Google would show an error page.
        """
        client = self._grants.clients.get(query.get("client_id", ""))
        if client is None:
            raise ConsentError(401, "invalid_client", "The OAuth client was not found.")
        redirect_uri = query.get("redirect_uri", "")
        if not _registered(client, redirect_uri):
            raise ConsentError(400, "redirect_uri_mismatch", f"{redirect_uri} is not registered for this client.")
        if query.get("response_type") != "code":
            raise ConsentError(400, "unsupported_response_type", "This sandbox answers response_type=code alone.")
        scopes = full_scopes(query.get("scope", "").split())
        if not scopes:
            raise ConsentError(400, "invalid_request", "Missing required parameter: scope")
        unknown = [scope for scope in scopes if scope not in _IDENTITY and scope not in _TEXTS]
        if unknown:
            raise ConsentError(400, "invalid_scope", f"Some requested scopes were invalid. {unknown}")
        challenge = query.get("code_challenge", "")
        if challenge and query.get("code_challenge_method") != "S256":
            raise ConsentError(400, "invalid_request", "This sandbox knows code_challenge_method=S256 alone.")
        return Asked(
            client=client,
            redirect_uri=redirect_uri,
            scopes=scopes,
            state=query.get("state", ""),
            challenge=challenge,
            nonce=query.get("nonce", ""),
            login_hint=query.get("login_hint", "").lower(),
            offline=query.get("access_type") == "offline",
            prompt=query.get("prompt", ""),
        )

    def allow(self, asked: Asked, address: str, scopes: Iterable[str] | None = None) -> str:
        """Grant what was asked, or a part of it; return where the browser goes.

        Raises:
            ConsentError: the person is unknown or not admitted to this client.
        """
        person = self._find(address)
        if person is None:
            raise ConsentError(400, "invalid_request", f"Nobody here has the address {address}.")
        if asked.client.internal_domain not in ("", person.hd):
            raise ConsentError(403, "org_internal", "This client is for people of its own organization only.")
        if asked.client.test_users is not None and person.address not in asked.client.test_users:
            raise ConsentError(403, "access_denied", "The app is being tested, and this person is no tester.")
        kept = asked.scopes if scopes is None else full_scopes(scopes)
        granted = tuple(scope for scope in asked.scopes if scope in kept or scope in _IDENTITY)
        first = not self._grants.consented(person.address, asked.client.client_id)
        code = Code(
            code="4/0A" + self._grants.random_text(52),
            client_id=asked.client.client_id,
            address=person.address,
            scopes=granted,
            redirect_uri=asked.redirect_uri,
            challenge=asked.challenge,
            nonce=asked.nonce,
            with_refresh_token=asked.offline and (first or "consent" in asked.prompt.split()),
            expires=self._core.clock.now() + CODE_LIFETIME,
        )
        self._grants.new_code(code)
        answer = {"state": asked.state} if asked.state else {}
        answer |= {"code": code.code, "scope": " ".join(granted), "authuser": "0"}
        answer |= {"hd": person.hd} if person.hd else {}
        return _with_query(asked.redirect_uri, {**answer, "prompt": asked.prompt or "none"})

    def refuse(self, asked: Asked) -> str:
        """Return where the browser goes after Cancel."""
        state = {"state": asked.state} if asked.state else {}
        return _with_query(asked.redirect_uri, {"error": "access_denied", **state})


def page(asked: Asked, people: Iterable[Person]) -> str:
    """Return the page on which a person chooses an account, ticks scopes, and answers; it posts to its own address."""
    rows = list(people)
    chosen = asked.login_hint if any(person.address == asked.login_hint for person in rows) else ""
    accounts = "".join(
        f'<label><input type="radio" name="person" value="{escape(person.address)}" required'
        f"{' checked' if person.address == chosen else ''}> {escape(person.name)} "
        f"<small>{escape(person.address)}</small></label>"
        for person in rows
    )
    ticked = [scope for scope in asked.scopes if scope in _TEXTS]
    scopes = "".join(
        f'<label><input type="checkbox" name="granted" value="{escape(scope)}" checked> {escape(_TEXTS[scope])}</label>'
        for scope in ticked
    )
    identity = "".join(f"<li>{escape(_IDENTITY[scope])}</li>" for scope in asked.scopes if scope in _IDENTITY)
    host = escape(urlsplit(asked.redirect_uri).netloc)
    body = (
        f"<h1>Sign in with Google <small>(sandbox)</small></h1><p>to continue to <b>{host}</b></p><form method='post'>"
        f"<fieldset><legend>Account</legend>{accounts}</fieldset>"
        f"<fieldset><legend>What {host} wants to do</legend><ul>{identity}</ul>{scopes}</fieldset>"
        "<button name='decision' value='deny' formnovalidate>Cancel</button> "
        "<button class='yes' name='decision' value='allow'>Allow</button></form>"
    )
    return _html("Sign in - Google accounts (sandbox)", body)


def error_page(error: ConsentError) -> str:
    """Return the page that a person sees where the client did something wrong."""
    body = (
        "<h1>Access blocked: authorization error</h1>"
        f"<p>{escape(error.description)}</p><p>Error {error.status}: {escape(error.error)}</p>"
    )
    return _html("Error", body)


def query_of(authorize_url: str) -> dict[str, str]:
    """Return the query of an authorization address."""
    return dict(parse_qsl(urlsplit(authorize_url).query, keep_blank_values=True))


def _html(title: str, body: str) -> str:
    head = f"<!DOCTYPE html><html lang='en'><meta charset='utf-8'><title>{title}</title><style>{_STYLE}</style>"
    return f"{head}<meta name='viewport' content='width=device-width'><main>{body}</main></html>\n"


def _registered(client: Client, redirect_uri: str) -> bool:
    if redirect_uri in client.redirect_uris:
        return True
    parts = urlsplit(redirect_uri)
    return client.desktop and parts.scheme == "http" and parts.hostname in _LOOPBACK


def _with_query(uri: str, query: dict[str, str]) -> str:
    return f"{uri}{'&' if urlsplit(uri).query else '?'}{urlencode(query)}"
