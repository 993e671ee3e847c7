"""The Google half of the sandbox on its own, with one client and two people."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build

from bridge.clock import VirtualClock
from bridge.sandbox.core import App, Core
from bridge.sandbox.google import GoogleHalf
from bridge.sandbox.inprocess import WsgiAdapter, WsgiHttp

READONLY = "https://www.googleapis.com/auth/gmail.readonly"
MODIFY = "https://www.googleapis.com/auth/gmail.modify"
EMAIL = "https://www.googleapis.com/auth/userinfo.email"
CLIENT_ID = "1234-abc.apps.googleusercontent.com"
SECRET = "sandbox-secret"
REDIRECT = "https://mailbridge.example.com/oauth/google"
BASE = "http://sandbox.test"
ADA, BEN = "ada@example.com", "ben@example.com"


class Google:
    """A core, an app and a Google half; ``session`` and ``service`` reach it in process, or at ``base`` over HTTP."""

    def __init__(self, base: str = BASE) -> None:
        self.clock = VirtualClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
        self.core = Core(base_url=base, clock=self.clock)
        self.half = GoogleHalf(self.core)
        self.app = App(self.core)
        self.app.mount_service("/google", self.half)
        self.half.gmail.add_person(ADA, "Ada Lovelace")
        self.half.gmail.add_person(BEN, "Ben Hart")
        self.client = self.half.oauth.register_client(CLIENT_ID, SECRET, [REDIRECT])

    @property
    def gmail(self) -> Any:
        """The people and their mailboxes."""
        return self.half.gmail

    @property
    def url(self) -> str:
        """The half's address."""
        return f"{self.core.base_url}/google"

    def session(self) -> requests.Session:
        """Return a requests session whose requests reach the app in process."""
        session = requests.Session()
        session.mount(self.core.base_url, WsgiAdapter(self.app))
        return session

    def authorize_url(self, scopes: tuple[str, ...] = (READONLY,), **more: str) -> str:
        """Return an authorization address."""
        query = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT,
            "scope": " ".join(scopes),
            "state": "S",
            "access_type": "offline",
            **more,
        }
        return f"{self.url}/o/oauth2/auth?{urlencode(query)}"

    def code(self, person: str = ADA, scopes: tuple[str, ...] = (READONLY,), **more: str) -> str:
        """Return an authorization code."""
        return query_of(self.half.oauth.approve(self.authorize_url(scopes, **more), person))["code"]

    def post_token(self, **form: str) -> requests.Response:
        """Post to the token endpoint, client credentials in the body."""
        body = {"client_id": CLIENT_ID, "client_secret": SECRET, **form}
        return self.session().post(f"{self.url}/token", data=body)

    def tokens(self, person: str = ADA, scopes: tuple[str, ...] = (READONLY,), **more: str) -> dict[str, Any]:
        """Go through consent and exchange; return the token answer."""
        code = self.code(person, scopes, **more)
        answer = self.post_token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def service(self, person: str = ADA, scopes: tuple[str, ...] = (MODIFY,), http: Any = None) -> Any:
        """Return the official client for a person, in process unless an ``httplib2.Http`` is given."""
        credentials = Credentials(self.tokens(person, scopes)["access_token"])
        authorized = AuthorizedHttp(credentials, http=http or WsgiHttp(self.app), refresh_status_codes=())
        return build("gmail", "v1", http=authorized, client_options={"api_endpoint": self.url})


def query_of(url: str) -> dict[str, str]:
    """Return an address's query."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def mail(
    subject: str, *, text: str = "Hello.", reply_to: str = "", sender: str = ADA, to: str = BEN, **more: str
) -> bytes:
    """Return a small mail; ``more`` are headers, ``_`` in their names standing for ``-``."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    if reply_to:
        message["In-Reply-To"] = message["References"] = reply_to
    for name, value in more.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def load(path: Path) -> Any:
    """Return a JSON file's value."""
    return json.loads(path.read_text("utf-8"))
