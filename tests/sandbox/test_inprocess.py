from __future__ import annotations

import http.client
import io
import json

import pytest
import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError
from werkzeug.wrappers import Request, Response

from bridge.sandbox import gmail_errors
from bridge.sandbox.core import App, Core, Dropped, NeverConnected, NoAnswer
from bridge.sandbox.faults import Rule
from bridge.sandbox.inprocess import WsgiAdapter, WsgiHttp
from bridge.sandbox.journal import Journal

from support.google import ADA, Google

BASE = "http://sandbox.test"


def app_of(handler: object) -> App:
    app = App(Core(base_url=BASE))
    app.mount("/x", handler)  # type: ignore[arg-type]
    return app


def echo(request: Request) -> Response:
    body = {
        "method": request.method,
        "url": request.url,
        "body": request.get_data().decode(),
        "type": request.headers.get("Content-Type", ""),
        "length": request.headers.get("Content-Length", ""),
        "token": request.headers.get("Authorization", ""),
        "files": {name: file.read().decode() for name, file in request.files.items()},
    }
    answer = Response(json.dumps(body), status=201, content_type="application/json")
    answer.headers["X-Site"] = "here"
    return answer


def session_of(app: App) -> requests.Session:
    session = requests.Session()
    session.mount(BASE, WsgiAdapter(app))
    return session


def test_requests_session_reaches_the_app() -> None:
    session = session_of(app_of(echo))
    answer = session.post(f"{BASE}/x/a%20b?q=1&q=2", json={"a": "ä"}, headers={"Authorization": "Bearer t"})
    assert (answer.status_code, answer.reason, answer.headers["x-site"]) == (201, "Created", "here")
    body = answer.json()
    assert (body["method"], body["url"]) == ("POST", f"{BASE}/x/a%20b?q=1&q=2")
    assert json.loads(body["body"]) == {"a": "ä"}
    assert (body["type"], body["token"]) == ("application/json", "Bearer t")
    assert answer.url == f"{BASE}/x/a%20b?q=1&q=2"


def test_uploads_of_every_kind() -> None:
    session = session_of(app_of(echo))
    assert session.post(f"{BASE}/x", data=io.BytesIO(b"stream")).json()["body"] == "stream"
    assert session.post(f"{BASE}/x", data=iter([b"a", b"b"])).json()["body"] == "ab"
    assert session.post(f"{BASE}/x", data="text").json()["body"] == "text"
    assert session.get(f"{BASE}/x").json()["body"] == ""
    form = session.post(f"{BASE}/x", files={"file": ("a.txt", b"inside")}).json()
    assert form["files"] == {"file": "inside"}
    assert form["type"].startswith("multipart/form-data; boundary=")


def test_answers_can_be_streamed() -> None:
    session = session_of(app_of(lambda request: Response(b"x" * 100_000)))
    with session.get(f"{BASE}/x", stream=True) as answer:
        assert sum(len(chunk) for chunk in answer.iter_content(1 << 14)) == 100_000


def test_redirects_are_followed_by_requests_alone() -> None:
    def handler(request: Request) -> Response:
        if request.path == "/x/from":
            return Response(status=302, headers={"Location": f"{BASE}/x/to"})
        return Response(request.path)

    app = app_of(handler)
    assert session_of(app).get(f"{BASE}/x/from").text == "/x/to"
    response, _ = WsgiHttp(app).request(f"{BASE}/x/from")
    assert (response.status, response["location"]) == (302, f"{BASE}/x/to")


def test_httplib2_like_request() -> None:
    response, data = WsgiHttp(app_of(echo)).request(
        f"{BASE}/x?y=1", "POST", body='{"k": 1}', headers={"content-type": "application/json", "content-length": "8"}
    )
    assert (response.status, response.reason, response["x-site"]) == (201, "Created", "here")
    body = json.loads(data)
    assert (body["body"], body["length"]) == ('{"k": 1}', "8")


def dropped(request: Request) -> Response:
    raise Dropped


def test_dropped_connections() -> None:
    app = app_of(dropped)
    with pytest.raises(requests.exceptions.ConnectionError):
        session_of(app).get(f"{BASE}/x")
    with pytest.raises(ConnectionResetError):
        WsgiHttp(app).request(f"{BASE}/x")


def refused(request: Request) -> Response:
    raise NeverConnected


def test_refused_connections_are_what_the_libraries_raise() -> None:
    with pytest.raises(requests.exceptions.ConnectionError) as caught:
        session_of(app_of(refused)).get(f"{BASE}/x")
    assert isinstance(caught.value.args[0], MaxRetryError)
    assert isinstance(caught.value.args[0].reason, NewConnectionError)
    with pytest.raises(ConnectionRefusedError):
        WsgiHttp(app_of(refused)).request(f"{BASE}/x")


def test_silence_lasts_as_long_as_the_client_waits() -> None:
    waited: list[float] = []

    def silent(request: Request) -> Response:
        raise NoAnswer(waited.append)

    session, http = session_of(app_of(silent)), WsgiHttp(app_of(silent))
    for timeout in ((5.0, 60.0), 7.0, None):
        with pytest.raises(requests.exceptions.ReadTimeout):
            session.get(f"{BASE}/x", timeout=timeout)
    with pytest.raises(TimeoutError):
        http.request(f"{BASE}/x")
    http.timeout = 12.0
    with pytest.raises(TimeoutError):
        http.request(f"{BASE}/x")
    assert waited == [60.0, 7.0, 30.0, 30.0, 12.0]


def test_a_bounded_journal_keeps_the_newest_and_its_marks() -> None:
    google = Google()
    journal = google.core.journal = Journal(keep=3)
    users = google.service().users()
    marks = []
    for _ in range(10):
        marks.append(journal.mark())
        users.getProfile(userId="me").execute()
    assert [marks[-1] - mark for mark in marks] == list(range(9, -1, -1))
    assert 3 <= len(journal.seen) <= 6
    assert len(journal.since(marks[-2])) == 2
    assert journal.since(marks[0]) == journal.seen


def test_short_answers() -> None:
    app = app_of(lambda request: gmail_errors.truncated())
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        session_of(app).get(f"{BASE}/x")
    with pytest.raises(http.client.IncompleteRead):
        WsgiHttp(app).request(f"{BASE}/x")


def test_one_request_where_httplib2_would_send_two() -> None:
    google = Google()
    users = google.service().users()
    google.core.faults.append(Rule("gmail.users.getProfile", "drop-before"))
    mark = google.core.journal.mark()
    with pytest.raises(ConnectionResetError):
        users.getProfile(userId="me").execute()
    assert [seen.status for seen in google.core.journal.since(mark)] == [0]
    assert users.getProfile(userId="me").execute()["emailAddress"] == ADA
