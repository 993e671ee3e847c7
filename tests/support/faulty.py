"""Ada's Gmail and Confluence, reached by the product's own clients, in process and over real sockets alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httplib2
import requests
from requests.adapters import HTTPAdapter

from bridge import errors
from bridge.clock import VirtualClock
from bridge.confluence import Confluence
from bridge.gmail import Gmail, build_service
from bridge.http import Endpoints, Transports
from bridge.oauth.exchange import Client, ask_token, refresh_form
from bridge.sandbox.atlassian_oauth import Access
from bridge.sandbox.faults import CATALOGUE, OPERATIONS
from bridge.sandbox.inprocess import WsgiAdapter, WsgiHttp
from bridge.sandbox.serve import serve
from bridge.sandbox.world import ATLASSIAN_CLIENT, GOOGLE_CLIENT, SECRET, World

from support.wire import NOW, Ledger

ADA = "ada@example.com"
BASE = "http://127.0.0.1:1"
PATIENCE = 0.3
"""Seconds that a client over real sockets waits here, where the product's waits half a minute."""

_GMAIL = ("https://www.googleapis.com/auth/gmail.readonly",)
_CONFLUENCE = frozenset(
    f"{name}:confluence"
    for name in "read:page write:page read:comment write:comment read:attachment write:attachment read:label "
    "write:label read:space read:content-details write:content.restriction".split()
) | {"offline_access"}
_REDIRECT = "http://localhost/back"


class _Impatient(HTTPAdapter):
    """Waits but a moment, whatever its caller says."""

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:  # type: ignore[override]
        return super().send(request, **{**more, "timeout": (5.0, PATIENCE)})


class _Tokens:
    """A living token; another one when it is refused."""

    def __init__(self, make: Callable[[], str]) -> None:
        self._make, self._token = make, make()

    def __call__(self, refused: str = "") -> str:
        if refused:
            self._token = self._make()
        return self._token

    def stale(self, token: str) -> bool:
        return False


@dataclass
class Faulty:
    """The world, the clients, and one call for each operation that ``CALLS`` names."""

    world: World
    clock: VirtualClock
    gmail: Gmail
    confluence: Confluence
    page: str
    space: str
    refreshes: Mapping[str, Callable[[], object]]

    @property
    def calls(self) -> Mapping[str, Callable[[], object]]:
        """What makes a request of an operation."""
        return {
            "createFooterComment": lambda: self.confluence.comment_on("page", self.page, "<p>Hello.</p>"),
            "gmail.users.history.list": lambda: self.gmail.history(self.world.google.gmail.mailbox(ADA).forgotten),
            "createAttachment": self._upload,
            "addLabelsToContent": lambda: self.confluence.add_labels(self.page, ["plan"]),
            "getPageById": lambda: self.confluence.content("page", self.page),
            "getPageFooterComments": lambda: list(self.confluence.comments("page", self.page)),
            "createPage": lambda: self.confluence.create_draft("page", space_id=self.space, title="T", private=True),
            **self.refreshes,
        }

    def error_of(self, operation: str) -> errors.RemoteError | None:
        """Make a request of an operation; return how it failed, None where it did not."""
        try:
            self.calls[operation]()
        except errors.RemoteError as error:
            return error
        return None

    def _upload(self) -> object:
        name = f"plan{len(self.world.atlassian.attachments)}.txt"
        return self.confluence.upload(
            self.page, name=name, data=b"The plan.", mime_type="text/plain", comment="", draft=False
        )


def operations_of(kind: str) -> list[str]:
    """Return those of the calls' operations that a kind of fault can befall."""
    names = (
        "createFooterComment gmail.users.history.list createAttachment addLabelsToContent getPageById "
        "getPageFooterComments createPage google.oauth.token atlassian.oauth.token"
    ).split()
    return [name for name in names if CATALOGUE[kind].applies(*OPERATIONS[name], name)]


def in_process() -> Faulty:
    """Return the clients over the in-process transports."""
    world, clock = _world()

    def session() -> requests.Session:
        made = requests.Session()
        made.mount("http://", WsgiAdapter(world.app))
        return made

    return _faulty(world, clock, Transports(session=session, http=lambda: WsgiHttp(world.app)))


@contextmanager
def served() -> Iterator[Faulty]:
    """Give the clients over real sockets, with the libraries' own transports."""
    world, clock = _world()
    adapter = _Impatient(max_retries=0)

    def session() -> requests.Session:
        made = requests.Session()
        made.trust_env = False
        made.mount("http://", adapter)
        return made

    https: list[httplib2.Http] = []

    def http() -> httplib2.Http:
        made = httplib2.Http(timeout=PATIENCE, proxy_info=None)
        https.append(made)
        return made

    with serve(world.app) as server:
        world.served_at(server.url)
        try:
            yield _faulty(world, clock, Transports(session=session, http=http))
        finally:
            adapter.close()
            for one in https:
                one.close()


def _world() -> tuple[World, VirtualClock]:
    clock = VirtualClock(NOW)
    world = World(base_url=BASE, clock=clock)
    world.hire(ADA, "Ada Lovelace")
    world.atlassian.add_space("ENG", "Engineering")
    world.register([_REDIRECT])
    return world, clock


def _faulty(world: World, clock: VirtualClock, transports: Transports) -> Faulty:
    base = world.core.base_url
    endpoints = Endpoints.of(f"{base}/google", f"{base}/atlassian")
    oauth, grants = world.atlassian.oauth, world.google.oauth.grants
    asked = oauth.asked(
        f"{base}/authorize?client_id={ATLASSIAN_CLIENT}&redirect_uri={_REDIRECT}&audience=api.atlassian.com"
        f"&response_type=code&scope={'+'.join(sorted(_CONFLUENCE))}"
    )
    oauth.approve(asked, world.atlassian.person(ADA))
    grant = oauth.grants[world.atlassian.person(ADA).account_id]
    made = iter(range(1000))

    def atlassian_token() -> str:
        token = f"access-{next(made)}"
        oauth.access[token] = Access(grant, _CONFLUENCE, clock.now() + timedelta(hours=1))
        return token

    def refresh(provider: errors.Provider, client_id: str, endpoint: str, token: str) -> Callable[[], object]:
        form = refresh_form(Client(client_id, SECRET, _REDIRECT), token)
        return lambda: ask_token(transports, endpoint, form, provider=provider, clock=clock)

    google_tokens = _Tokens(lambda: grants.new_access_token(GOOGLE_CLIENT, ADA, _GMAIL).token)
    atlassian_tokens = _Tokens(atlassian_token)
    atlassian_refresh = oauth._issue(grant, _CONFLUENCE)["refresh_token"]
    google_refresh = _google_refresh(world)
    page = world.atlassian.create_page(ADA, "ENG", "Plan", "<p>The plan.</p>")
    return Faulty(
        world=world,
        clock=clock,
        gmail=Gmail(build_service(endpoints, transports.http()), transports.http(), google_tokens, clock=clock),
        confluence=Confluence(
            transports, endpoints, world.atlassian.site.cloud_id, atlassian_tokens, Ledger(), clock=clock
        ),
        page=page.id,
        space=page.space,
        refreshes={
            "google.oauth.token": refresh("google", GOOGLE_CLIENT, f"{base}/google/token", google_refresh),
            "atlassian.oauth.token": refresh(
                "atlassian", ATLASSIAN_CLIENT, f"{base}/atlassian/oauth/token", atlassian_refresh
            ),
        },
    )


def _google_refresh(world: World) -> str:
    query = {
        "response_type": "code",
        "client_id": GOOGLE_CLIENT,
        "redirect_uri": _REDIRECT,
        "scope": " ".join(_GMAIL),
        "state": "S",
        "access_type": "offline",
    }
    back = world.google.oauth.approve(f"{world.core.base_url}/google/o/oauth2/v2/auth?{urlencode(query)}", ADA)
    code = world.google.oauth.grants.codes[parse_qs(urlsplit(back).query)["code"][0]]
    return world.google.oauth.grants.new_refresh_token(code).token
