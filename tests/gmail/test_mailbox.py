from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httplib2
import pytest

from bridge import errors
from bridge.clock import VirtualClock
from bridge.gmail import Gmail, GmailService, Label, Profile, build_service
from bridge.http import Endpoints, network

from support.wire import ENDPOINTS, NOW, RawServer, Reply, Tokens, Wire, raw

SERVICE = build_service(ENDPOINTS, Wire())


def mailbox(wire: Wire, tokens: Tokens | None = None, meter: Callable[[int], None] | None = None) -> Gmail:
    return Gmail(SERVICE, wire, tokens or Tokens(), clock=VirtualClock(NOW), meter=meter)


def query(wire: Wire, index: int = -1) -> dict[str, list[str]]:
    return parse_qs(urlsplit(wire.sent[index].url).query)


def google(code: int, reason: str, message: str = "no") -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "errors": [{"message": message, "reason": reason}]}}


UNAUTHORIZED = Reply(401, google(401, "authError"))


def message(message_id: str, thread_id: str, *labels: str) -> dict[str, Any]:
    return {"id": message_id, "threadId": thread_id, **({"labelIds": list(labels)} if labels else {})}


def test_the_profile_and_what_is_sent_for_it() -> None:
    wire = Wire(Reply(200, {"emailAddress": "Ada@Example.com", "historyId": "20481", "messagesTotal": 3}))
    assert mailbox(wire).profile() == Profile("ada@example.com", 20481)
    assert wire.sent[0].method == "GET"
    assert wire.sent[0].url == "https://google.example/gmail/v1/users/me/profile?alt=json"
    assert wire.sent[0].headers["authorization"] == "Bearer token-0"


@pytest.mark.parametrize(
    "body", [{}, {"emailAddress": "a@example.com"}, {"emailAddress": "a@b.example", "historyId": "x"}]
)
def test_a_profile_without_what_it_must_have_is_temporary(body: dict[str, str]) -> None:
    with pytest.raises(errors.Temporary):
        mailbox(Wire(Reply(200, body))).profile()


def test_labels() -> None:
    rows = [{"id": "INBOX", "type": "system"}, {"id": "Label_7", "name": "Wiki/ENG", "type": "user"}, {"name": "no id"}]
    assert mailbox(Wire(Reply(200, {"labels": rows}))).labels() == (
        Label("INBOX", "INBOX", "system"),
        Label("Label_7", "Wiki/ENG", "user"),
    )


@pytest.mark.parametrize("answer", [{}, {"labels": []}, {"labels": None}])
def test_an_answer_without_any_label_is_no_answer(answer: dict[str, Any]) -> None:
    """Gmail's own labels are always there; believed, it would take every route's label for deleted."""
    with pytest.raises(errors.Temporary):
        mailbox(Wire(Reply(200, answer))).labels()


def test_a_listing_without_threads_is_empty_only_where_gmail_says_so() -> None:
    assert list(mailbox(Wire(Reply(200, {"resultSizeEstimate": 0}))).threads_with_label("L")) == []
    with pytest.raises(errors.Temporary):
        list(mailbox(Wire(Reply(200, {}))).threads_with_label("L"))


def test_a_file_without_bytes_is_empty_only_where_gmail_says_so() -> None:
    assert mailbox(Wire(Reply(200, {"size": 0}))).attachment("m", "a") == b""
    for answer in ({}, {"size": 3}, {"data": ""}):
        with pytest.raises(errors.Temporary):
            mailbox(Wire(Reply(200, answer))).attachment("m", "a")


def test_history_reads_all_pages_and_keeps_the_smallest_cursor() -> None:
    first = {
        "history": [
            {
                "id": "101",
                "messages": [message("m1", "t1")],
                "messagesAdded": [{"message": message("m1", "t1", "INBOX", "Label_7")}],
            },
            {"id": "104", "labelsAdded": [{"message": message("m2", "t2", "Label_9"), "labelIds": ["Label_9"]}]},
        ],
        "nextPageToken": "p2",
        "historyId": "110",
    }
    empty = {"nextPageToken": "p3", "historyId": "112"}
    last = {
        "history": [
            {"id": "107", "messagesDeleted": [{"message": message("m3", "t1")}]},
            {"id": "109", "labelsRemoved": [{"message": message("m4", "t3"), "labelIds": ["Label_1"]}]},
        ],
        "historyId": "115",
    }
    wire = Wire(Reply(200, first), Reply(200, empty), Reply(200, last))
    history = mailbox(wire).history(100)
    assert {name: one.history_id for name, one in history.touched.items()} == {"t1": 107, "t2": 104, "t3": 109}
    assert history.cursor == 110
    assert history.label_ids == {"INBOX", "Label_7", "Label_9", "Label_1"}
    assert history.records == 4
    assert query(wire, 0) == {
        "startHistoryId": ["100"],
        "historyTypes": ["messageAdded", "messageDeleted", "labelAdded", "labelRemoved"],
        "maxResults": ["500"],
        "alt": ["json"],
    }
    assert [query(wire, index)["pageToken"] for index in (1, 2)] == [["p2"], ["p3"]]


def test_history_without_news() -> None:
    history = mailbox(Wire(Reply(200, {"historyId": "1710"}))).history(1700)
    assert (history.touched, history.cursor, history.label_ids, history.records) == ({}, 1710, frozenset(), 0)


def test_a_cursor_that_is_too_old() -> None:
    with pytest.raises(errors.NotFound):
        mailbox(Wire(Reply(404, google(404, "notFound")))).history(1)
    bad = google(400, "invalidArgument", "Missing/invalid parameter: startHistoryId")
    with pytest.raises(errors.NotFound):
        mailbox(Wire(Reply(400, bad))).history(0)
    with pytest.raises(errors.Refused):
        mailbox(Wire(Reply(400, google(400, "badRequest")))).history(1)


def test_a_page_token_that_comes_again() -> None:
    again = {"nextPageToken": "p2", "historyId": "9"}
    assert mailbox(Wire(Reply(200, again), Reply(200, again))).history(1).cursor == 9
    full = {**again, "history": [{"id": "8", "messages": [message("m1", "t1")]}]}
    with pytest.raises(errors.Temporary, match="again and again"):
        mailbox(Wire(Reply(200, full), Reply(200, full))).history(1)


def test_threads_with_a_label() -> None:
    wire = Wire(
        Reply(200, {"threads": [{"id": "t1", "historyId": "7"}, {"id": "t2", "historyId": "5"}], "nextPageToken": "n"}),
        Reply(200, {"threads": [{"id": "t3", "historyId": "4"}]}),
    )
    assert list(mailbox(wire).threads_with_label("Label_7")) == [("t1", 7), ("t2", 5), ("t3", 4)]
    assert query(wire) == {"labelIds": ["Label_7"], "maxResults": ["500"], "pageToken": ["n"], "alt": ["json"]}
    assert list(mailbox(Wire(Reply(200, {"resultSizeEstimate": 0}))).threads_with_label("Label_7")) == []


def test_a_thread_must_be_the_one_and_whole() -> None:
    whole = {"id": "t1", "historyId": "9", "messages": [{"id": "m1", "payload": {"partId": ""}}]}
    wire = Wire(Reply(200, whole))
    assert mailbox(wire).thread("t1") == whole
    assert query(wire)["format"] == ["full"]
    with pytest.raises(errors.Temporary):
        mailbox(Wire(Reply(200, whole))).thread("t2")
    with pytest.raises(errors.Temporary):
        mailbox(Wire(Reply(200, {"id": "t1", "messages": [{"id": "m1"}]}))).thread("t1")
    with pytest.raises(errors.NotFound):
        mailbox(Wire(Reply(404, google(404, "notFound")))).thread("t1")


def test_a_message() -> None:
    body = {"id": "m1", "payload": {"partId": ""}}
    assert mailbox(Wire(Reply(200, body))).message("m1") == body
    with pytest.raises(errors.Temporary):
        mailbox(Wire(Reply(200, {"id": "m1"}))).message("m1")


@pytest.mark.parametrize(
    ("body", "data"),
    [
        ({"size": 2, "data": "-_8="}, b"\xfb\xff"),
        ({"size": 2, "data": "-_8"}, b"\xfb\xff"),
        ({"size": 0}, b""),
    ],
)
def test_an_attachments_bytes(body: dict[str, Any], data: bytes) -> None:
    wire = Wire(Reply(200, body))
    assert mailbox(wire).attachment("m1", "ANGjdJ") == data
    assert urlsplit(wire.sent[0].url).path == "/gmail/v1/users/me/messages/m1/attachments/ANGjdJ"


@pytest.mark.parametrize("body", [{"size": 5}, {"size": 5, "data": 7}, {"size": 5, "data": "abcde"}])
def test_an_attachment_without_its_bytes_is_temporary(body: dict[str, Any]) -> None:
    with pytest.raises(errors.Temporary):
        mailbox(Wire(Reply(200, body))).attachment("m1", "a1")


def test_a_401_is_refreshed_and_repeated_once() -> None:
    tokens = Tokens()
    wire = Wire(UNAUTHORIZED, Reply(200, {"historyId": "5"}))
    assert mailbox(wire, tokens).history(4).cursor == 5
    assert tokens.refused == ["token-0"]
    assert [sent.headers["authorization"] for sent in wire.sent] == ["Bearer token-0", "Bearer token-1"]


def test_a_new_token_that_is_refused_as_well_is_not_refreshed_again() -> None:
    tokens = Tokens()
    wire = Wire(UNAUTHORIZED, UNAUTHORIZED)
    with pytest.raises(errors.CredentialRefused):
        mailbox(wire, tokens).labels()
    assert (tokens.refused, len(wire.sent)) == (["token-0"], 2)


def test_a_missing_scope_is_not_refreshed() -> None:
    tokens = Tokens()
    with pytest.raises(errors.NeedsConsent):
        mailbox(Wire(Reply(403, google(403, "insufficientPermissions"))), tokens).labels()
    assert tokens.refused == []


def test_the_meter_is_told_before_each_request() -> None:
    units: list[int] = []
    wire = Wire(
        Reply(200, {"emailAddress": "a@example.com", "historyId": "1"}),
        Reply(200, {"labels": [{"id": "INBOX", "type": "system"}]}),
        Reply(200, {"historyId": "1"}),
        Reply(200, {"resultSizeEstimate": 0}),
        Reply(200, {"id": "t", "messages": []}),
        Reply(200, {"id": "m", "payload": {}}),
        UNAUTHORIZED,
        Reply(200, {"size": 0}),
    )
    gmail = mailbox(wire, meter=units.append)
    gmail.profile()
    gmail.labels()
    gmail.history(1)
    list(gmail.threads_with_label("L"))
    gmail.thread("t")
    gmail.message("m")
    gmail.attachment("m", "a")
    assert units == [1, 1, 2, 10, 40, 20, 20, 20]


def test_the_meters_own_error_is_no_lost_answer() -> None:
    def meter(units: int) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        mailbox(Wire(), meter=meter).labels()


def test_a_limit_is_told_with_the_clocks_instant() -> None:
    text = "User-rate limit exceeded.  Retry after 2026-03-03T14:15:00Z"
    with pytest.raises(errors.RateLimited) as caught:
        mailbox(Wire(Reply(429, google(429, "rateLimitExceeded", text)))).labels()
    assert (caught.value.retry_after, caught.value.scope) == (600.0, "mailbox")


JSON = json.dumps({"historyId": "17"}).encode()
ZIPPED = gzip.compress(JSON * 200)


@pytest.mark.parametrize(
    ("answer", "requests"),
    [
        pytest.param(b"", 2, id="closed before the answer: httplib2 asks again, once"),
        pytest.param(b"garbage\r\n\r\n", 2, id="garbage"),
        pytest.param(raw("200 OK", JSON[:8], content_length="900"), 1, id="cut off"),
        pytest.param(raw("200 OK", b"5\r\nab", transfer_encoding="chunked"), 1, id="cut off in a chunk"),
        pytest.param(raw("200 OK", JSON[:8]), 1, id="cut off, without a length"),
        pytest.param(raw("200 OK", b"<html>sign in</html>", content_type="text/html"), 1, id="HTML"),
        pytest.param(raw("200 OK", b"", content_length="0"), 1, id="empty"),
        pytest.param(raw("200 OK", b"\xff\xfe\xff", content_length="3"), 1, id="not UTF-8"),
        pytest.param(
            raw("200 OK", ZIPPED[:-10], content_encoding="gzip", content_length=str(len(ZIPPED) - 10)), 1, id="cut gzip"
        ),
        pytest.param(raw("302 Found", location="/portal", content_length="0"), 1, id="redirect"),
        pytest.param(raw("307 Moved", location="/portal", content_length="0"), 1, id="another redirect"),
        pytest.param(raw("502 Bad Gateway", b"<html>", content_length="6"), 1, id="502"),
    ],
)
def test_whatever_comes_over_the_wire_is_temporary(answer: bytes, requests: int) -> None:
    with RawServer(answer) as server:
        transports = network({})
        service = build_service(Endpoints.of(server.base, server.base), transports.http())
        gmail = Gmail(service, transports.http(), Tokens(), clock=VirtualClock(NOW))
        with pytest.raises(errors.Temporary):
            gmail.history(1)
        assert len(server.requests) == requests


def test_the_same_http_is_good_after_a_lost_answer() -> None:
    good = raw("200 OK", JSON, content_length=str(len(JSON)))
    with RawServer(raw("200 OK", b"x", content_length="900"), good) as server:
        transports = network({})
        service = build_service(Endpoints.of(server.base + "/google", server.base), transports.http())
        gmail = Gmail(service, transports.http(), Tokens(), clock=VirtualClock(NOW))
        with pytest.raises(errors.Temporary):
            gmail.history(1)
        assert gmail.history(1).cursor == 17
        assert server.requests[1].startswith(b"GET /google/gmail/v1/users/me/history?")


def zipped(size: int) -> bytes:
    body = gzip.compress(json.dumps({"id": "m1", "payload": {"body": {"data": "QUFB" * (size // 4)}}}).encode())
    return raw("200 OK", body, content_encoding="gzip", content_length=str(len(body)))


def test_dull_mail_that_compresses_well_comes_through() -> None:
    with RawServer(zipped(12 << 20)) as server:
        http = network({}).http()
        service = build_service(Endpoints.of(server.base, server.base), http)
        message = Gmail(service, http, Tokens(), clock=VirtualClock(NOW)).message("m1")
        assert len(message["payload"]["body"]["data"]) == 12 << 20


def test_an_answer_that_swells_beyond_the_limit_is_too_large() -> None:
    with RawServer(zipped(1 << 20)) as server:
        http = httplib2.Http(timeout=5, proxy_info=None, decode_limit_hard=1 << 16, decode_limit_safe=1 << 16)
        service = build_service(Endpoints.of(server.base, server.base), http)
        with pytest.raises(errors.TooLarge):
            Gmail(service, http, Tokens(), clock=VirtualClock(NOW)).message("m1")
        http.close()


def test_nobody_there_is_temporary() -> None:
    with RawServer(b"") as server:
        base = server.base
    transports = network({})
    service: GmailService = build_service(Endpoints.of(base, base), transports.http())
    with pytest.raises(errors.Temporary, match="ConnectionRefusedError"):
        Gmail(service, transports.http(), Tokens(), clock=VirtualClock(NOW)).profile()


def test_a_shared_service_holds_no_credentials() -> None:
    wires = [Wire(Reply(200, {"historyId": "1"})), Wire(Reply(200, {"historyId": "2"}))]
    assert [mailbox(wire).history(1).cursor for wire in wires] == [1, 2]
    assert [len(wire.sent) for wire in wires] == [1, 1]
