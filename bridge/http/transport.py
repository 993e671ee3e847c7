"""The two seams through which every request leaves the program, with time-outs, proxy and CA.

Atlassian, both token endpoints and everything else go through a ``requests.Session``; Gmail's client library wants an
object like ``httplib2.Http``. Neither follows a redirect and neither resends a request that changes something: an API
does not redirect, a captive portal does; and only the caller knows whether a request may be sent twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import httplib2
import requests
from requests.adapters import HTTPAdapter

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
"""Seconds without a byte, not seconds for the whole answer."""

LARGEST_ANSWER = 256 * 1024 * 1024
"""Bytes of one answer of Gmail after decompression; mail is at most 50 MB, its largest answers a third more."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class HttpLike(Protocol):
    """As much of ``httplib2.Http`` as Google's client library uses."""

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: Any = None,
        headers: Any = None,
        redirections: int = 5,
        connection_type: Any = None,
    ) -> tuple[httplib2.Response, bytes]:
        """Send one request; return the answer's head (a mapping of lower-case names) and its body."""
        ...

    def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        ...


def _nothing() -> None:
    return


@dataclass(frozen=True, slots=True)
class Transports:
    """Both seams, as factories.

    ``session`` gives a session for one person's calls, ``http`` an object that must never serve two threads at once:
    a shared ``httplib2.Http`` was measured to hand answers to the wrong caller. ``close`` ends the connections that
    sessions share; an object of ``http`` is closed by whoever has it.
    """

    session: Callable[[], requests.Session]
    http: Callable[[], HttpLike]
    close: Callable[[], None] = _nothing


@dataclass(frozen=True, slots=True)
class Proxies:
    """The operator's proxy settings; addresses or '' for none."""

    https: str = ""
    http: str = ""
    no_proxy: str = ""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Proxies:
        """Take them from ``https_proxy``, ``http_proxy``, ``all_proxy`` and ``no_proxy``, in either case of letters."""

        def value(name: str) -> str:
            return environ.get(name) or environ.get(name.upper()) or ""

        every = value("all_proxy")
        return cls(https=value("https_proxy") or every, http=value("http_proxy") or every, no_proxy=value("no_proxy"))

    def of(self, url: str) -> dict[str, str]:
        """Return the proxies for one address in the form that requests takes; empty for a direct connection."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        proxy = self.https if parts.scheme == "https" else self.http
        return {parts.scheme: proxy} if proxy and not self._direct(host) else {}

    def _direct(self, host: str) -> bool:
        names = [name.strip().lstrip("*").lstrip(".").lower() for name in self.no_proxy.split(",")]
        if host in _LOOPBACK or "*" in self.no_proxy.split(","):
            return True
        return any(name and (host == name or host.endswith("." + name)) for name in names)


def network(environ: Mapping[str, str]) -> Transports:
    """Return the seams over the real network.

    Args:
        environ: read once, here: the proxy variables and ``REQUESTS_CA_BUNDLE`` (or ``CURL_CA_BUNDLE``,
            ``SSL_CERT_FILE``), which companies with an inspecting proxy need. Nothing else of it has an effect; a
            ``.netrc`` has none either.
    """
    proxies = Proxies.read(environ)
    bundle = next((environ[n] for n in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE") if environ.get(n)), "")
    adapter = _Adapter(proxies)

    def session() -> requests.Session:
        made = _Session()
        made.trust_env = False
        made.verify = bundle or True
        made.mount("https://", adapter)
        made.mount("http://", adapter)
        return made

    def http() -> HttpLike:
        if proxies.https:
            # httplib2 needs another package (PySocks) for a proxy; requests does not.
            return SessionHttp(session())
        # By itself httplib2 refuses what was compressed a hundredfold, as dull but honest mail is.
        made = httplib2.Http(
            timeout=READ_SECONDS,
            proxy_info=None,
            ca_certs=bundle or None,
            decode_limit_hard=LARGEST_ANSWER,
            decode_limit_safe=LARGEST_ANSWER,
        )
        made.follow_redirects = False
        return made

    return Transports(session=session, http=http, close=adapter.close)


class SessionHttp:
    """An ``httplib2.Http`` in looks, a requests session inside."""

    def __init__(self, session: requests.Session) -> None:
        self._session = session

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: Any = None,
        headers: Any = None,
        redirections: int = 5,
        connection_type: Any = None,
    ) -> tuple[httplib2.Response, bytes]:
        """Send one request.

        Raises:
            requests.RequestException: no answer, or not a whole one; an OSError.
        """
        answer = self._session.request(method, uri, data=body, headers=headers, allow_redirects=False)
        head = {name.lower(): value for name, value in answer.headers.items()}
        # The body is decoded and whole by now.
        head.pop("content-encoding", None)
        response = httplib2.Response({**head, "status": str(answer.status_code)})
        response.reason = answer.reason
        return response, answer.content

    def close(self) -> None:
        """Close the session's connections."""
        self._session.close()


class _Session(requests.Session):
    """Never follows a redirect, whoever calls it; libraries above do not pass ``allow_redirects``."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


class _Adapter(HTTPAdapter):
    """Shared by all sessions, so that connections are reused: urllib3's pool is made for threads."""

    def __init__(self, proxies: Proxies) -> None:
        self._routes = proxies
        super().__init__(pool_connections=16, pool_maxsize=32, max_retries=0)

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        return super().send(
            request,
            stream=stream,
            timeout=timeout if timeout is not None else (CONNECT_SECONDS, READ_SECONDS),
            verify=verify,
            cert=cert,
            proxies=self._routes.of(request.url or ""),
        )
