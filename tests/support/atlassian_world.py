"""A sandbox with its Atlassian half alone, over real HTTP: two people, two spaces, a clock to move."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from werkzeug.serving import WSGIRequestHandler, make_server

from bridge.sandbox.atlassian import AtlassianHalf
from bridge.sandbox.core import App, Core

REDIRECT = "http://localhost:8765/oauth/atlassian"
GRANULAR = (
    "read:page write:page delete:page read:comment write:comment delete:comment read:attachment write:attachment "
    "delete:attachment read:label write:label read:space read:content-details write:content.restriction read:user "
    "read:content.metadata read:hierarchical-content"
)
SCOPES = (*(f"{scope}:confluence" for scope in GRANULAR.split()), "read:me", "offline_access")
ADA, BEN = "ada@example.com", "ben@example.com"


class MovableClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 3, 13, 5, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def move(self, **amount: float) -> None:
        self.at += timedelta(**amount)


@dataclass
class Client:
    """One person's access to one site."""

    session: requests.Session
    base: str

    def v2(self, method: str, path: str, **given: Any) -> requests.Response:
        return self.session.request(method, f"{self.base}/wiki/api/v2{path}", timeout=10, **given)

    def v1(self, method: str, path: str, **given: Any) -> requests.Response:
        return self.session.request(method, f"{self.base}/wiki/rest/api{path}", timeout=10, **given)

    def upload(
        self, page: str, name: str, data: bytes, *, method: str = "POST", comment: str = "", status: str = "current"
    ) -> requests.Response:
        parts: list[tuple[str, Any]] = [
            ("file", (name, data, "application/octet-stream")),
            ("minorEdit", (None, "true")),
        ]
        if comment:
            parts.append(("comment", (None, comment.encode(), "text/plain; charset=utf-8")))
        headers = {"X-Atlassian-Token": "no-check"}
        path = f"/content/{page}/child/attachment"
        return self.v1(method, path, params={"status": status}, files=parts, headers=headers)


@dataclass
class World:
    """The sandbox and the ways into it."""

    base: str
    clock: MovableClock
    core: Core
    half: AtlassianHalf
    sessions: list[requests.Session] = field(default_factory=list)

    def authorize_url(self, scopes: tuple[str, ...] = SCOPES, more: dict[str, str] | None = None) -> str:
        query = {
            "audience": "api.atlassian.com",
            "client_id": self.half.oauth.app.client_id,
            "scope": " ".join(scopes),
            "redirect_uri": REDIRECT,
            "state": "st/1",
            "response_type": "code",
            "prompt": "consent",
        }
        return f"{self.base}/atlassian/authorize?{urlencode(query | (more or {}))}"

    def code(self, person: str, scopes: tuple[str, ...] = SCOPES, more: dict[str, str] | None = None) -> str:
        back = self.half.approve(self.authorize_url(scopes, more), person)
        return parse_qs(urlsplit(back).query)["code"][0]

    def token(self, **sent: str) -> requests.Response:
        app = self.half.oauth.app
        body = {"client_id": app.client_id, "client_secret": app.client_secret, **sent}
        return self.new_session().post(f"{self.base}/atlassian/oauth/token", json=body, timeout=10)

    def tokens(self, person: str, scopes: tuple[str, ...] = SCOPES) -> dict[str, Any]:
        code = self.code(person, scopes)
        answer = self.token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT)
        held: dict[str, Any] = answer.json()
        return held

    def new_session(self, token: str = "") -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        if token:
            session.headers["Authorization"] = f"Bearer {token}"
        self.sessions.append(session)
        return session

    def client(self, person: str = ADA, scopes: tuple[str, ...] = SCOPES, site: str = "") -> Client:
        token = self.tokens(person, scopes)["access_token"]
        cloud = site or self.half.site.cloud_id
        return Client(self.new_session(token), f"{self.base}/atlassian/ex/confluence/{cloud}")

    def space_id(self, key: str = "ENG") -> str:
        space = self.half.wiki.space_by_key(key)
        assert space is not None
        return space.id


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def http_slot() -> Iterator[tuple[str, Callable[[Any], None]]]:
    """Give one running server's address, and a way to put another application behind it."""
    held: list[Any] = [None]

    def current(env: Any, start: Any) -> Any:
        return held[0](env, start)

    server = make_server("127.0.0.1", 0, current, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", lambda app: held.__setitem__(0, app)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def world(http_slot: tuple[str, Callable[[Any], None]]) -> Iterator[World]:
    """Give a fresh sandbox with ada and ben, the open space ENG and the space HR that only ada sees."""
    base, put = http_slot
    clock = MovableClock()
    core = Core(base_url=base, clock=clock, seed=7)
    half = AtlassianHalf(core)
    app = App(core)
    app.mount_service("/atlassian", half)
    put(app)
    half.add_person(ADA, "Ada Lovelace", "557058:ada")
    half.add_person(BEN, "Ben Hart", "557058:ben")
    half.add_space("ENG", "Engineering")
    half.add_space("HR", "People", open_to_all=False)
    half.allow("HR", ADA)
    made = World(base, clock, core, half)
    yield made
    for session in made.sessions:
        session.close()
