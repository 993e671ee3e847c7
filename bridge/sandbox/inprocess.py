"""The sandbox without sockets: a ``requests`` adapter and an ``httplib2.Http`` over a WSGI application."""

from __future__ import annotations

import http.client
import io
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httplib2
import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

from bridge.sandbox.core import Dropped

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class WsgiAdapter(BaseAdapter):
    """Mount it in a ``requests`` session: ``session.mount("http://127.0.0.1:1", WsgiAdapter(app))``.

    A connection that the sandbox drops is a ``requests.ConnectionError``, as a reset would be.
    """

    def __init__(self, app: WSGIApplication) -> None:
        super().__init__()
        self._app = app
        self._builder = HTTPAdapter()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Carry one request; time-outs, certificates and proxies have no meaning here."""
        headers = {name: _text(value) for name, value in request.headers.items()}
        try:
            status, answer, body = _call(
                self._app, request.url or "", request.method or "GET", headers, _bytes(request.body)
            )
        except Dropped:
            raise requests.ConnectionError("Connection reset by peer", request=request) from None
        raw = HTTPResponse(
            body=io.BytesIO(body),
            headers=HTTPHeaderDict(answer.items()),
            status=status,
            reason=http.client.responses.get(status, ""),
            preload_content=False,
            request_method=request.method,
        )
        return self._builder.build_response(request, raw)

    def close(self) -> None:
        """Close nothing."""


class WsgiHttp:
    """Has as much of ``httplib2.Http`` as the Google client and google-auth use.

    A connection that the sandbox drops is a ``ConnectionResetError``; unlike httplib2, nothing is sent a second time.
    An answer shorter than its Content-Length is ``http.client.IncompleteRead``.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self.connections: dict[str, object] = {}
        self.follow_redirects = False
        self.redirect_codes: frozenset[int] = frozenset()
        self.timeout: float | None = None

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: str | bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        redirections: int = 5,
        connection_type: object = None,
    ) -> tuple[httplib2.Response, bytes]:
        """Carry one request; redirects are not followed."""
        sent = {name: _text(value) for name, value in (headers or {}).items()}
        try:
            status, answer, data = _call(self._app, uri, method, sent, _bytes(body))
        except Dropped:
            raise ConnectionResetError("Connection reset by peer") from None
        announced = int(answer.get("Content-Length", str(len(data))))
        if announced > len(data) and method != "HEAD":
            raise http.client.IncompleteRead(data, announced - len(data))
        info = {name.casefold(): value for name, value in answer.items()}
        response = httplib2.Response({**info, "status": str(status), "content-location": uri})
        response.reason = http.client.responses.get(status, "")
        return response, data

    def close(self) -> None:
        """Close nothing."""


def _call(
    app: WSGIApplication, url: str, method: str, headers: Mapping[str, str], body: bytes
) -> tuple[int, Headers, bytes]:
    parts = urlsplit(url)
    framing = ("content-length", "transfer-encoding")
    fields = Headers([(name, value) for name, value in headers.items() if name.casefold() not in framing])
    builder = EnvironBuilder(
        path=parts.path or "/",
        query_string=parts.query,
        base_url=f"{parts.scheme}://{parts.netloc}/",
        method=method,
        headers=fields,
        input_stream=io.BytesIO(body),
        content_length=len(body),
    )
    try:
        chunks, status, answer = run_wsgi_app(app, builder.get_environ(), buffered=True)
        return int(status.split(None, 1)[0]), answer, b"".join(chunks)
    finally:
        builder.close()


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode("utf-8")
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    if hasattr(body, "read"):
        return _bytes(body.read())
    return b"".join(_bytes(chunk) for chunk in body)
