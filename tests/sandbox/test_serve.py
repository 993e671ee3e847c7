from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable, Iterator

import httplib2
import pytest
import requests
import trustme
from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build
from werkzeug.wrappers import Request, Response

from bridge.sandbox import gmail_errors
from bridge.sandbox.core import Dropped
from bridge.sandbox.faults import Rule
from bridge.sandbox.serve import RunningServer, serve

from support.discovery import check_all
from support.google import ADA, MODIFY, Google, mail


@pytest.fixture
def started() -> Iterator[Callable[..., RunningServer]]:
    running: list[RunningServer] = []

    def start(handler: Callable[[Request], Response], **more: ssl.SSLContext) -> RunningServer:
        running.append(serve(lambda environ, begin: handler(Request(environ))(environ, begin), **more))
        return running[-1]

    yield start
    for server in running:
        server.close()


def test_connection_is_kept(started: Callable[..., RunningServer]) -> None:
    server = started(lambda request: Response(f"{request.method} {request.path} {request.get_data().decode()}"))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("POST", "/a?b=c", body=b"one")
        first = connection.getresponse()
        assert first.read() == b"POST /a one"
        socket = connection.sock
        connection.request(
            "POST", "/b", body=iter([b"tw", b"o"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"}
        )
        assert connection.getresponse().read() == b"POST /b two"
        assert connection.sock is socket is not None
        assert first.version == 11
    finally:
        connection.close()


def test_body_that_nobody_reads_does_not_disturb_the_next_request(started: Callable[..., RunningServer]) -> None:
    server = started(lambda request: Response(request.path))
    with requests.Session() as session:
        answers = [session.post(f"{server.url}/{n}", data=b"x" * 100_000, timeout=10).text for n in range(3)]
    assert answers == ["/0", "/1", "/2"]


def test_no_body_where_there_is_none(started: Callable[..., RunningServer]) -> None:
    server = started(lambda request: Response(status=204) if request.path == "/204" else Response("text"))
    with requests.Session() as session:
        assert session.get(f"{server.url}/204", timeout=10).status_code == 204
        head = session.head(f"{server.url}/", timeout=10)
        assert (head.headers["Content-Length"], head.content) == ("4", b"")
        assert session.get(f"{server.url}/", timeout=10).text == "text"


def drop(request: Request) -> Response:
    raise Dropped


def test_dropped_is_a_reset(started: Callable[..., RunningServer]) -> None:
    server = started(drop)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/")
    with pytest.raises(ConnectionResetError) as caught:
        connection.getresponse()
    connection.close()
    assert type(caught.value) is ConnectionResetError


def test_short_and_streamed_answers(started: Callable[..., RunningServer]) -> None:
    def handler(request: Request) -> Response:
        if request.path == "/short":
            return gmail_errors.truncated()
        return Response(iter([b"drip ", b"drop"]))

    server = started(handler)
    assert requests.get(f"{server.url}/drip", timeout=10).text == "drip drop"
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(f"{server.url}/short", timeout=10)


def test_failing_application_is_a_500(started: Callable[..., RunningServer], caplog: pytest.LogCaptureFixture) -> None:
    def handler(request: Request) -> Response:
        raise RuntimeError("a fault of ours")

    server = started(handler)
    assert requests.get(f"{server.url}/x", timeout=10).status_code == 500
    assert "The sandbox failed at GET /x" in caplog.text


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com", "::", ""])
def test_only_loopback(host: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        serve(lambda environ, begin: [], host=host)


def test_tls(started: Callable[..., RunningServer]) -> None:
    authority = trustme.CA()
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server_side)
    server = started(lambda request: Response(request.scheme), ssl_context=server_side)
    assert server.url.startswith("https://127.0.0.1:")
    with authority.cert_pem.tempfile() as trusted:
        assert requests.get(server.url, verify=trusted, timeout=10).text == "https"


def test_tls_with_a_certificate_for_the_occasion() -> None:
    with serve(Response("ok"), tls=True) as server:
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=client, timeout=10)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"ok"
        connection.close()


def test_closed_server_takes_no_more() -> None:
    server = serve(Response("ok"))
    with requests.Session() as session:
        assert session.get(server.url, timeout=10).text == "ok"
        server.close()
        with pytest.raises(requests.ConnectionError):
            session.get(server.url, timeout=10)


def test_google_client_over_http() -> None:
    google = Google()
    with serve(google.app) as server:
        google.core.base_url = server.url
        plain = httplib2.Http(proxy_info=None, timeout=10)
        users = google.service(http=plain).users()
        google.gmail.create_label(ADA, "Wiki")
        _, thread = google.gmail.deliver(ADA, mail("Plan", text="x" * 200_000))
        body = {"addLabelIds": ["Label_1"]}
        users.threads().modify(userId="me", id=thread, body=body).execute()
        answer = users.threads().get(userId="me", id=thread).execute()
        assert answer["messages"][0]["labelIds"] == ["INBOX", "UNREAD", "Label_1"]
        assert len(plain.connections) == 1
        assert check_all(google.core.journal.seen) == 2
        google.core.faults.append(Rule("gmail.users.threads.get", "drop-before"))
        with pytest.raises(ConnectionResetError):
            users.threads().get(userId="me", id=thread).execute()
        assert users.threads().get(userId="me", id=thread).execute()["id"] == thread
        assert [seen.status for seen in google.core.journal.since(2)][-2:] == [0, 200]
        plain.close()


def test_dropped_after_the_effect_over_http() -> None:
    google = Google()
    with serve(google.app) as server:
        google.core.base_url = server.url
        token = google.tokens(scopes=(MODIFY,))["access_token"]
        _, thread = google.gmail.deliver(ADA, mail("Plan"))
        google.core.faults.append(Rule("gmail.users.threads.modify", "drop-after", times=1))
        plain = httplib2.Http(proxy_info=None, timeout=10)
        http_ = AuthorizedHttp(Credentials(token), http=plain, refresh_status_codes=())
        service = build("gmail", "v1", http=http_, client_options={"api_endpoint": google.url})
        request = service.users().threads().modify(userId="me", id=thread, body={"addLabelIds": ["STARRED"]})
        with pytest.raises(ConnectionResetError):
            request.execute()
        assert [seen.write for seen in google.core.journal.seen if "threads" in seen.path] == [True]
        (message,) = google.gmail.mailbox(ADA).current(thread).messages
        assert "STARRED" in message.label_ids
        plain.close()
