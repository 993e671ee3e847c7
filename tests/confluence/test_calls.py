from __future__ import annotations

import pytest
import requests

from bridge import errors
from bridge.clock import VirtualClock
from bridge.confluence import Confluence
from bridge.http import Endpoints, network

from support.wire import ENDPOINTS, NOW, Ledger, RawServer, Reply, Tokens, Wire, raw

G = "https://atlassian.example/ex/confluence/cloud-1"
UNAUTHORIZED = Reply(401, {"code": 401, "message": "Unauthorized"}, {"X-Failure-Category": "FAILURE_CLIENT_AUTH"})
SCOPE = Reply(401, {"code": 401, "message": "Unauthorized; scope does not match"})
BARE = Reply(404, {"errors": [{"status": 404, "code": "NOT_FOUND", "title": "Not Found", "detail": None}]})
GONE = Reply(404, {"errors": [{"status": 404, "code": "NOT_FOUND", "title": "Cannot find a page with id [9]"}]})
PAGE = {"id": "9", "status": "current", "title": "T", "version": {"number": 1}}
COMMENT = {"id": "300", "status": "current"}


def client(wire: Wire, tokens: Tokens | None = None, ledger: Ledger | None = None) -> Confluence:
    return Confluence(
        wire.transports, ENDPOINTS, "cloud-1", tokens or Tokens(), ledger or Ledger(), clock=VirtualClock(NOW)
    )


def test_a_request_carries_the_persons_token_through_the_gateway() -> None:
    wire, ledger = Wire(Reply(200, PAGE)), Ledger()
    client(wire, ledger=ledger).content("page", "9")
    assert wire.sent[0].url == f"{G}/wiki/api/v2/pages/9"
    assert wire.sent[0].headers["Authorization"] == "Bearer token-0"
    assert wire.sent[0].headers["Accept"] == "application/json"
    assert (ledger.held, ledger.open) == (1, 0)


@pytest.mark.parametrize("write", [False, True])
def test_a_401_is_refreshed_and_repeated_once(write: bool) -> None:
    wire, tokens, ledger = Wire(UNAUTHORIZED, Reply(201, COMMENT)), Tokens(), Ledger()
    made = client(wire, tokens, ledger)
    assert (made.comment_on("page", "9", "<p>x</p>") if write else made.comment("300")).id == "300"
    assert tokens.refused == ["token-0"]
    assert [sent.headers["Authorization"] for sent in wire.sent] == ["Bearer token-0", "Bearer token-1"]
    assert wire.sent[0].body == wire.sent[1].body
    assert (ledger.held, ledger.open) == (2, 0)


def test_a_new_token_that_is_refused_as_well_is_not_refreshed_again() -> None:
    wire, tokens = Wire(UNAUTHORIZED, UNAUTHORIZED), Tokens()
    with pytest.raises(errors.CredentialRefused):
        client(wire, tokens).current_user()
    assert tokens.refused == ["token-0"]


def test_a_missing_scope_is_not_refreshed() -> None:
    wire, tokens = Wire(SCOPE), Tokens(stale=True)
    with pytest.raises(errors.NeedsConsent) as caught:
        client(wire, tokens).add_labels("9", ["mail"])
    assert caught.value.scope == "write:label:confluence"
    assert tokens.refused == []


@pytest.mark.parametrize("refusal", [BARE, GONE, Reply(403, {"statusCode": 403, "message": "no"})])
def test_a_refusal_of_a_token_past_its_time_is_refreshed_once(refusal: Reply) -> None:
    wire, tokens = Wire(refusal, Reply(200, PAGE)), Tokens(stale=True)
    assert client(wire, tokens).content("page", "9").id == "9"
    assert tokens.refused == ["token-0"]


def test_a_refusal_of_a_live_token_stands() -> None:
    wire, tokens = Wire(GONE), Tokens()
    with pytest.raises(errors.NotFound):
        client(wire, tokens).content("page", "9")
    assert tokens.refused == []
    wire, tokens = Wire(GONE, GONE), Tokens(stale=True)
    with pytest.raises(errors.NotFound):
        client(wire, tokens).content("page", "9")
    assert len(wire.sent) == 2


def test_the_budget_is_told_of_pauses() -> None:
    ledger = Ledger()
    wire = Wire(
        Reply(429, {}, {"Retry-After": "7", "RateLimit-Reason": "confluence-burst-based"}),
        Reply(503, b"", {"Retry-After": "9"}),
        Reply(503, b""),
    )
    made = client(wire, ledger=ledger)
    with pytest.raises(errors.RateLimited):
        made.content("page", "9")
    for _ in range(2):
        with pytest.raises(errors.Temporary):
            made.content("page", "9")
    assert ledger.pauses == [(7.0, "person"), (9.0, "site")]
    assert ledger.open == 0


@pytest.mark.parametrize(
    ("failure", "maybe"),
    [
        (requests.ConnectTimeout(), False),
        (requests.ReadTimeout(), True),
        (requests.exceptions.ChunkedEncodingError(), True),
        (requests.ConnectionError("reset"), True),
        (ConnectionResetError(), True),
        (ConnectionRefusedError(), False),
        (Reply(502, b"<html>"), True),
        (Reply(200, b"<html>"), True),
        (Reply(200, {"status": "current"}), True),
        (Reply(400, b"no"), False),
    ],
)
def test_a_write_is_sent_once_and_says_whether_it_may_stand(failure: Reply | Exception, maybe: bool) -> None:
    wire, ledger = Wire(failure), Ledger()
    made = client(wire, ledger=ledger)
    with pytest.raises(errors.RemoteError) as caught:
        made.comment_on("page", "9", "<p>x</p>")
    assert caught.value.maybe_applied is maybe
    assert len(wire.sent) == 1
    assert ledger.open == 0


def test_a_dropped_write_is_sent_once_over_a_real_connection() -> None:
    with RawServer(b"") as server:
        made = Confluence(
            network({}), Endpoints.of(server.base, server.base), "c", Tokens(), Ledger(), clock=VirtualClock(NOW)
        )
        with pytest.raises(errors.Temporary) as caught:
            made.create_draft("page", space_id="1", title="T")
        made.close()
        assert caught.value.maybe_applied
        assert len(server.requests) == 1


def test_no_redirect_is_followed() -> None:
    with RawServer(raw("302 Found", location="/portal", content_length="0")) as server:
        made = Confluence(
            network({}), Endpoints.of(server.base, server.base), "c", Tokens(), Ledger(), clock=VirtualClock(NOW)
        )
        with pytest.raises(errors.Temporary):
            made.content("page", "9")
        made.close()
        assert len(server.requests) == 1


def test_an_address_without_tls_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OAUTHLIB_INSECURE_TRANSPORT", raising=False)
    base = "http://confluence.example"
    made = Confluence(network({}), Endpoints.of(base, base), "c", Tokens(), Ledger(), clock=VirtualClock(NOW))
    with pytest.raises(errors.ConfigError, match="https"):
        made.content("page", "9")


def page(*ids: str, following: str = "", base: str = "https://site.example/wiki") -> Reply:
    links = {"base": base, **({"next": following} if following else {})}
    return Reply(200, {"results": [{"id": name, "_links": {"webui": f"/c/{name}"}} for name in ids], "_links": links})


def test_paging_puts_the_gateway_before_the_link() -> None:
    second = "/wiki/api/v2/pages/9/footer-comments?cursor=eyJpZCI6IjEifQ==&limit=50"
    wire = Wire(page("1", "2", following=second), page("3"))
    found = list(client(wire).comments("page", "9"))
    assert [(comment.id, comment.url) for comment in found] == [
        (name, f"https://site.example/wiki/c/{name}") for name in ("1", "2", "3")
    ]
    assert wire.sent[1].url == G + second


def test_paging_never_leaves_the_gateway() -> None:
    wire = Wire(page("1", following="https://elsewhere.example/wiki/api/v2/x?cursor=2"), page("2"))
    assert [comment.id for comment in client(wire).replies("5")] == ["1", "2"]
    assert wire.sent[1].url == f"{G}/wiki/api/v2/x?cursor=2"


def test_paging_ends_where_a_cursor_comes_again() -> None:
    again = "/wiki/api/v2/x?cursor=1"
    with pytest.raises(errors.Temporary, match="again and again"):
        list(client(Wire(page("1", following=again), page("2", following=again))).comments("page", "9"))


def test_a_list_is_read_no_further_than_it_is_looked_at() -> None:
    wire = Wire(page("1", "2", following="/wiki/api/v2/x?cursor=2"))
    assert next(client(wire).comments("blogpost", "9")).id == "1"
    assert len(wire.sent) == 1
