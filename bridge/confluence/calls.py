"""One person's requests to one site: token, budget, errors and paging, the same for every call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NoReturn, Protocol
from urllib.parse import quote, urlsplit

import requests
from oauthlib.oauth2 import InsecureTransportError
from requests_oauthlib import OAuth2Session
from urllib3.exceptions import HTTPError

from bridge.clock import Clock
from bridge.confluence.values import text
from bridge.errors import ConfigError, CredentialRefused, RateLimited, Temporary, TokenExpired
from bridge.http import (
    CONNECT_SECONDS,
    READ_SECONDS,
    Budget,
    Endpoints,
    TokenSource,
    Transports,
    atlassian_error,
    json_object,
    lost,
    retry_after,
)

V2 = "/wiki/api/v2"
V1 = "/wiki/rest/api"

MOST_PAGES = 1000
"""A listing of more pages than this is taken for a server that turns in circles."""

WRITE_SECONDS = 60.0
"""Without a byte of an answer to a write: a large body takes Confluence long."""


class Readable(Protocol):
    """A body that is read while it is sent."""

    def __len__(self) -> int:
        """Return how many bytes there are."""
        ...

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, none at the end."""
        ...


Body = tuple[bytes | Readable, str]
"""What is sent, and its Content-Type."""


class Calls:
    """What all topics of the client share.

    The session is requests-oauthlib's, over the adapters of the transport. It never refreshes by itself (the token
    source does, under the grant's lease), never retries and follows no redirect. One object serves one thread at a
    time.

    Args:
        transports: the seam that gives the adapters.
        endpoints: where Atlassian is.
        cloud_id: the site.
        token: gives the person's access token.
        budget: at most so many requests at once on this site; is told of pauses.
        clock: for pauses that Atlassian gives as an instant.
    """

    def __init__(
        self,
        transports: Transports,
        endpoints: Endpoints,
        cloud_id: str,
        token: TokenSource,
        budget: Budget,
        *,
        clock: Clock,
    ) -> None:
        self.cloud_id = cloud_id
        self._gateway = f"{endpoints.atlassian_api}/ex/confluence/{quote(cloud_id, safe='')}"
        self._session = _oauth_session(transports.session(), self._gateway)
        self._token = token
        self._budget = budget
        self._clock = clock
        self._fence: Callable[[], None] = _no_fence

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    @contextmanager
    def fenced(self, check: Callable[[], None]) -> Iterator[None]:
        """Have ``check`` called right before each write leaves, within the context; what it raises stops the write.

        Between the decision to write and the request there may be a refresh, a queue, or a process that was stopped.
        """
        self._fence = check
        try:
            yield
        finally:
            self._fence = _no_fence

    def _call(
        self,
        method: str,
        path: str,
        *,
        write: bool = False,
        scope: str = "",
        params: Mapping[str, Any] | None = None,
        json: object = None,
        body: Callable[[], Body] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send one request and return the object that answers it.

        A 401 is answered by one refresh and one repetition, and so are a 403 and a 404 while the recorded expiry of
        the token has passed: a refusal changes nothing, so a write may be repeated after it. Nothing else is ever
        sent twice.

        Args:
            method: of HTTP.
            path: from ``/wiki`` on, with or without a query.
            write: whether it changes something in Confluence.
            scope: the OAuth scope that the call needs, for the person who must allow it.
            params: the query; a list gives a repeated key, None leaves a key out.
            json: a JSON body.
            body: makes a body of another kind, anew for each time that it is sent.
            headers: further headers.
        """

        def send(token: str) -> requests.Response:
            data, more = None, dict(headers or {})
            if body is not None:
                data, more["Content-Type"] = body()
            return self._send(method, path, token, write, params=params, json=json, data=data, headers=more)

        token = self._token()
        response = send(token)
        if self._past_its_time(response, token, scope):
            token = self._token(refused=token)
            response = send(token)
        if response.status_code not in (200, 201, 202, 204):
            self._fail(response, write, scope)
        return json_object(response, provider="atlassian", write=write)

    def _pages(self, path: str, *, scope: str, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield each page of a list.

        The link to the next page begins at the site's root and lacks the gateway's prefix, so the two are put
        together as they are; of an absolute one the host is dropped, since the token belongs to nobody else.

        Raises:
            Temporary: the same link came again; what was listed may be incomplete.
        """
        asked: Mapping[str, Any] | None = params
        seen: set[str] = set()
        for _ in range(MOST_PAGES):
            page = listed(self._call("GET", path, scope=scope, params=asked))
            yield page
            following = text(page, "_links", "next")
            if not following:
                return
            if following in seen or "/wiki/" not in following:
                break
            seen.add(following)
            path, asked = following[following.index("/wiki/") :], None
        raise Temporary("Confluence gives the same page of a list again and again.", provider="atlassian")

    def _send(self, method: str, path: str, token: str, write: bool, **more: Any) -> requests.Response:
        more["headers"].setdefault("Accept", "application/json")
        if isinstance(self._session, OAuth2Session):
            self._session.token = {"access_token": token, "token_type": "Bearer"}
        else:
            more["headers"]["Authorization"] = f"Bearer {token}"
        timeout = (CONNECT_SECONDS, WRITE_SECONDS if write else READ_SECONDS)
        with self._budget.hold():
            if write:
                self._fence()
            try:
                return self._session.request(
                    method, self._gateway + path, allow_redirects=False, timeout=timeout, **more
                )
            except InsecureTransportError:
                raise ConfigError(
                    "The address of Atlassian does not begin with https. Mend endpoints.atlassian in the configuration."
                ) from None
            except (requests.RequestException, HTTPError, OSError) as exc:
                raise lost(exc, provider="atlassian", write=write) from exc

    def _past_its_time(self, response: requests.Response, token: str, scope: str) -> bool:
        if response.status_code not in (401, 403, 404):
            return False
        error = atlassian_error(response, write=False, now=self._clock.now(), scope=scope)
        return isinstance(error, TokenExpired) or (response.status_code != 401 and self._token.stale(token))

    def _fail(self, response: requests.Response, write: bool, scope: str) -> NoReturn:
        now = self._clock.now()
        error = atlassian_error(response, write=write, now=now, scope=scope)
        if isinstance(error, TokenExpired):
            # A new token was refused as well: whether the grant still lives must be probed.
            raise CredentialRefused(
                "Confluence refuses even a new access token.", provider="atlassian", answer=error.answer
            )
        if isinstance(error, RateLimited):
            self._budget.paused(error.retry_after, error.scope)
        elif response.status_code == 503 and (seconds := _asked_pause(response, now)) is not None:
            self._budget.paused(seconds, "site")
        raise error


def listed(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer that has a list.

    Raises:
        Temporary: it has none; taken for an empty one, what stands would be taken for gone.
    """
    if isinstance(answer.get("results"), list):
        return answer
    raise Temporary("Confluence's answer lacks its list; it is tried again later.", provider="atlassian")


def _no_fence() -> None:
    return


def _asked_pause(response: requests.Response, now: datetime) -> float | None:
    """Return the seconds that an outage asks to wait: Retry-After alone, since every answer tells the quota's hour."""
    return retry_after({"Retry-After": response.headers.get("Retry-After", "")}, now)


def _oauth_session(plain: requests.Session, gateway: str) -> requests.Session:
    """Return requests-oauthlib's session, or the plain one for a stand-in on this machine that is without TLS.

    The library sends no token over plain HTTP but by a switch in the environment that would hold for every address.
    """
    parts = urlsplit(gateway)
    if parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"):
        return plain
    session = OAuth2Session()
    session.adapters = plain.adapters
    session.trust_env, session.verify, session.proxies = plain.trust_env, plain.verify, plain.proxies
    return session
