from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from bridge import errors
from bridge.http import (
    Endpoints,
    NoBudget,
    atlassian_error,
    json_list,
    json_object,
    kept,
    lost,
    network,
    retry_after,
    token_error,
)
from bridge.http.pauses import instant_in_text
from bridge.http.transport import Proxies, SessionHttp

from support.wire import NOW, RawServer, Reply, Wire, raw

HTML = b"<html><body>Bad gateway</body></html>"
TITLE = "A page with this title already exists: A page already exists with the same TITLE in this space"


def answered(status: int, body: Any = None, headers: dict[str, str] | None = None) -> requests.Response:
    reply = Reply(status, {} if body is None else body, headers or {})
    return Wire(reply).transports.session().get("https://atlassian.example/", allow_redirects=False)


def v2(status: int, code: str, title: str) -> dict[str, Any]:
    return {"errors": [{"status": status, "code": code, "title": title, "detail": None}]}


def v1(status: int, message: str) -> dict[str, Any]:
    return {"statusCode": status, "data": {"authorized": True, "valid": True}, "message": message}


SCOPE_CHECK = {"X-Failure-Category": "FAILURE_CLIENT_SCOPE_CHECK"}
JAVA = "com.atlassian.confluence.api.service.exceptions.api."

TABLE: list[tuple[str, int, Any, dict[str, str], type[errors.RemoteError]]] = [
    ("title taken", 400, v2(400, "BAD_REQUEST", TITLE), {}, errors.TitleTaken),
    ("title taken, status as text", 400, {"errors": [{"status": "400", "title": TITLE}]}, {}, errors.TitleTaken),
    ("title taken, as a conflict", 409, v1(409, f"{JAVA}ConflictException: {TITLE}"), {}, errors.TitleTaken),
    (
        "name taken",
        400,
        v1(400, "Cannot add a new attachment with same file name as an existing attachment: a.png"),
        {},
        errors.NameTaken,
    ),
    ("bad XHTML", 400, v2(400, "BAD_REQUEST", "Error parsing xhtml: Unexpected close tag"), {}, errors.Refused),
    ("property set already", 409, v2(409, "CONFLICT", "Property with key [page] already exists"), {}, errors.Conflict),
    (
        "stale version",
        409,
        v2(409, "CONFLICT", "Version must be incremented when updating a page."),
        {},
        errors.Conflict,
    ),
    ("stale comment", 400, v2(400, "BAD_REQUEST", "Version must be incremented"), {}, errors.Conflict),
    ("lost a race", 409, v1(409, "javax.persistence.OptimisticLockException: Batch"), {}, errors.Conflict),
    ("token dead", 401, {"code": 401, "message": "Unauthorized"}, {}, errors.TokenExpired),
    ("wrong host", 401, HTML, {}, errors.TokenExpired),
    ("scope missing", 401, {"code": 401, "message": "Unauthorized; scope does not match"}, {}, errors.NeedsConsent),
    ("scope missing, by header", 401, {"code": 401, "message": "Unauthorized"}, SCOPE_CHECK, errors.NeedsConsent),
    (
        "scheme refused",
        401,
        {"code": 401},
        {"X-Failure-Category": "FAILURE_CLIENT_AUTH_MISMATCH"},
        errors.CredentialRefused,
    ),
    ("not permitted", 403, v1(403, f"{JAVA}PermissionException: no"), {}, errors.PersonMustAct),
    ("not let in", 403, v1(403, "caller cannot access Confluence"), {}, errors.CredentialRefused),
    ("not let in, other words", 403, b"Current user not permitted to use Confluence", {}, errors.CredentialRefused),
    ("XSRF", 403, b"XSRF check failed", {}, errors.Refused),
    ("a proxy's 403", 403, HTML, {}, errors.Temporary),
    ("bare Not Found", 404, v2(404, "NOT_FOUND", "Not Found"), {}, errors.CredentialRefused),
    ("empty 404", 404, b"", {}, errors.CredentialRefused),
    ("HTML 404", 404, HTML, {}, errors.CredentialRefused),
    ("page gone", 404, v2(404, "NOT_FOUND", "Cannot find a page with id [9]"), {}, errors.NotFound),
    ("content gone, v1", 404, v1(404, f"{JAVA}NotFoundException: No content found"), {}, errors.NotFound),
    ("gone route", 410, v1(410, "Gone"), {}, errors.Refused),
    ("too large", 413, HTML, {}, errors.TooLarge),
    ("redirect", 302, b"", {"Location": "https://portal.example/"}, errors.Temporary),
    ("burst", 429, {"message": "Rate limit exceeded."}, {}, errors.RateLimited),
    ("500", 500, HTML, {}, errors.Temporary),
    ("502", 502, HTML, {}, errors.Temporary),
    ("503", 503, b"", {}, errors.Temporary),
    ("504", 504, b"", {}, errors.Temporary),
    (
        "our body, as 500",
        500,
        v1(500, "Unhandled element type '{http://www.w3.org/1999/xhtml}code'"),
        {},
        errors.Refused,
    ),
    ("our macro, as 500", 500, v1(500, "The macro 'html' is unknown"), {}, errors.Refused),
]


@pytest.mark.parametrize(
    ("status", "body", "headers", "expected"), [row[1:] for row in TABLE], ids=[r[0] for r in TABLE]
)
def test_each_answer_of_atlassian_has_its_error(
    status: int, body: Any, headers: dict[str, str], expected: type[errors.RemoteError]
) -> None:
    error = atlassian_error(answered(status, body, headers), write=False, now=NOW)
    assert type(error) is expected
    assert error.provider == "atlassian"
    assert error.answer.status == status
    assert str(error).endswith(".")
    assert str(error)[0].isupper()


def test_the_missing_scope_is_named() -> None:
    response = answered(401, {"code": 401, "message": "Unauthorized; scope does not match"}, SCOPE_CHECK)
    error = atlassian_error(response, write=True, now=NOW, scope="write:page:confluence")
    assert isinstance(error, errors.NeedsConsent)
    assert error.scope == "write:page:confluence"
    assert "(write:page:confluence)" in str(error)


@pytest.mark.parametrize(
    ("status", "body", "write", "maybe"),
    [
        (500, HTML, True, True),
        (503, b"", True, True),
        (503, b"", False, False),
        (429, b"", True, False),
        (400, {"message": "no"}, True, False),
        (404, HTML, True, False),
        (408, b"", True, True),
        (302, b"", True, False),
    ],
)
def test_only_a_servers_fault_leaves_a_write_open(status: int, body: Any, write: bool, maybe: bool) -> None:
    assert atlassian_error(answered(status, body), write=write, now=NOW).maybe_applied is maybe


def test_what_is_kept_of_an_answer() -> None:
    response = answered(404, v2(404, "NOT_FOUND", "x" * 900), {"atl-traceid": "abc123"})
    answer = kept(response)
    assert (answer.status, answer.reason, answer.request_id, len(answer.text)) == (404, "NOT_FOUND", "abc123", 500)


@pytest.mark.parametrize(
    ("headers", "seconds", "scope"),
    [
        ({"Retry-After": "7"}, 7.0, "site"),
        ({"Retry-After": "7", "RateLimit-Reason": "confluence-burst-based"}, 7.0, "person"),
        ({"Retry-After": "7", "RateLimit-Reason": "confluence-quota-tenant-based"}, 7.0, "site"),
        ({"Retry-After": "7", "RateLimit-Reason": "conf-global-based"}, 7.0, "app"),
        ({"RateLimit-Reason": "confluence-quota-global-based"}, 55 * 60.0, "app"),
        ({"RateLimit-Reason": "confluence-burst-based"}, None, "person"),
        ({"Retry-After": "0"}, None, "site"),
        ({"Retry-After": "0", "X-RateLimit-Reset": "2026-03-03T14:06:00Z"}, 60.0, "site"),
        ({}, None, "site"),
    ],
)
def test_a_429_says_whose_pause_it_is(headers: dict[str, str], seconds: float | None, scope: str) -> None:
    error = atlassian_error(answered(429, HTML, headers), write=True, now=NOW)
    assert isinstance(error, errors.RateLimited)
    assert (error.retry_after, error.scope) == (seconds, scope)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30.0),
        (" 1.5 ", 1.5),
        ("86400", 3600.0),
        ("-3", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
        ("Tue, 03 Mar 2026 14:07:00 GMT", 120.0),
        ("Tue, 03 Mar 2026 14:07:00", 120.0),
        ("Tue, 03 Mar 2026 14:00:00 GMT", None),
        ("Wed, 04 Mar 2026 14:07:00 GMT", 3600.0),
    ],
)
def test_retry_after_in_every_form(value: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": value}, NOW) == seconds


@given(st.dictionaries(st.sampled_from(["Retry-After", "X-RateLimit-Reset"]), st.text()))
def test_retry_after_is_a_sane_number_or_none(headers: dict[str, str]) -> None:
    seconds = retry_after(headers, NOW)
    assert seconds is None or 0 < seconds <= 3600


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("User-rate limit exceeded.  Retry after 2026-03-03T14:18:23.500Z", 803.5),
        ("Retry after 2026-03-03T14:18:23Z", 803.0),
        ("User-rate limit exceeded.  Retry after 2023-03-07T18:18:23.688Z", None),
        ("Retry after 2026-03-09T14:18:23Z", 86400.0),
        ("Retry after 2026-99-09T14:18:23Z", None),
        ("Try again later", None),
    ],
)
def test_the_instant_in_gmails_text(text: str, seconds: float | None) -> None:
    assert instant_in_text(text, NOW) == seconds


@pytest.mark.parametrize("body", [HTML, b"", b'{"id": "1', b"[1]", b'"text"', b"\xff\xfe"])
def test_a_success_that_is_no_object_is_temporary(body: bytes) -> None:
    with pytest.raises(errors.Temporary) as caught:
        json_object(answered(200, body), provider="atlassian", write=True)
    assert caught.value.maybe_applied
    with pytest.raises(errors.Temporary) as caught:
        json_object(answered(200, body), provider="google", write=False)
    assert not caught.value.maybe_applied


def test_objects_and_lists_of_a_success() -> None:
    assert json_object(answered(200, {"a": 1}), provider="atlassian", write=True) == {"a": 1}
    assert json_object(answered(204, b""), provider="atlassian", write=True) == {}
    assert json_list(answered(200, [{"a": 1}, 2]), provider="atlassian") == [{"a": 1}]
    with pytest.raises(errors.Temporary):
        json_list(answered(200, {"a": 1}), provider="atlassian")


def said(code: str, description: str = "", subtype: str = "") -> dict[str, str]:
    body = {"error": code, "error_description": description, "error_subtype": subtype}
    return {name: value for name, value in body.items() if value}


TOKEN_TABLE: list[tuple[errors.Provider, int, Any, type[errors.RemoteError], str]] = [
    ("google", 400, said("invalid_grant", "Token has been expired or revoked."), errors.NeedsConsent, "invalid_grant"),
    (
        "google",
        400,
        said("invalid_grant", "reauth related error (invalid_rapt)", subtype="invalid_rapt"),
        errors.NeedsConsent,
        "rapt",
    ),
    ("google", 400, said("invalid_grant", subtype="rapt_required"), errors.NeedsConsent, "rapt"),
    ("google", 401, said("unauthorized_client"), errors.NeedsConsent, "unauthorized_client"),
    ("google", 400, said("admin_policy_enforced"), errors.NeedsConsent, "admin"),
    ("google", 401, said("invalid_client"), errors.OperatorMustAct, ""),
    ("google", 400, said("redirect_uri_mismatch"), errors.OperatorMustAct, ""),
    ("google", 403, said("rate_limit_exceeded"), errors.RateLimited, ""),
    ("google", 429, HTML, errors.RateLimited, ""),
    ("google", 500, said("invalid_grant"), errors.Temporary, ""),
    ("google", 503, HTML, errors.Temporary, ""),
    ("google", 400, said("never_seen"), errors.Temporary, ""),
    ("google", 200, HTML, errors.Temporary, ""),
    ("google", 200, {"token_type": "Bearer"}, errors.Temporary, ""),
    (
        "atlassian",
        403,
        said("unauthorized_client", "refresh_token is invalid"),
        errors.NeedsConsent,
        "unauthorized_client",
    ),
    (
        "atlassian",
        403,
        said("invalid_grant", "Unknown or invalid refresh token."),
        errors.NeedsConsent,
        "invalid_grant",
    ),
    ("atlassian", 401, said("invalid_grant"), errors.NeedsConsent, "invalid_grant"),
    ("atlassian", 401, said("access_denied", "Unauthorized"), errors.OperatorMustAct, ""),
    ("atlassian", 400, said("temporarily_unavailable"), errors.Temporary, ""),
    ("atlassian", 403, HTML, errors.Temporary, ""),
    ("atlassian", 400, ["invalid_grant"], errors.Temporary, ""),
    ("atlassian", 502, HTML, errors.Temporary, ""),
]


@pytest.mark.parametrize(("provider", "status", "body", "expected", "reason"), TOKEN_TABLE)
def test_each_answer_of_a_token_endpoint_has_its_error(
    provider: errors.Provider, status: int, body: Any, expected: type[errors.RemoteError], reason: str
) -> None:
    error = token_error(provider, answered(status, body), NOW)
    assert type(error) is expected
    assert error.provider == provider
    assert error.answer.text == ""
    assert getattr(error, "reason", "") == reason


def test_a_lost_answer_of_atlassians_token_endpoint_may_have_rotated() -> None:
    assert token_error("atlassian", answered(502, HTML), NOW).maybe_applied
    assert token_error("atlassian", answered(200, HTML), NOW).maybe_applied
    assert not token_error("atlassian", answered(403, HTML), NOW).maybe_applied
    assert not token_error("google", answered(502, HTML), NOW).maybe_applied


def test_no_token_endpoints_words_are_kept() -> None:
    secret = "eyJhbGciOi.secret"
    body = {"error": "invalid_grant", "error_description": f"token {secret}", "access_token": secret}
    error = token_error("atlassian", answered(403, body), NOW)
    assert secret not in str(error) + repr(error.answer)


def failed(base: str) -> Exception:
    session = network({}).session()
    with pytest.raises(requests.RequestException) as caught:
        session.post(base, data=b"x", timeout=(2, 0.5)).json()
    return caught.value


def test_a_connection_that_was_never_made_applied_nothing() -> None:
    with RawServer(b"") as server:
        base = server.base
    error = lost(failed(base), provider="atlassian", write=True)
    assert not error.maybe_applied
    assert str(error).startswith("Confluence could not be reached (ConnectionError)")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="closed before the answer"),
        pytest.param(b"garbage\r\n\r\n", id="garbage"),
        pytest.param(raw("200 OK", b'{"id": ', content_length="500"), id="cut off"),
        pytest.param(raw("200 OK", b"5\r\nab", transfer_encoding="chunked"), id="cut off in a chunk"),
    ],
)
def test_a_lost_answer_leaves_a_write_open_and_is_not_sent_again(answer: bytes) -> None:
    with RawServer(answer) as server:
        error = lost(failed(server.base), provider="atlassian", write=True)
        assert error.maybe_applied
        assert len(server.requests) == 1
    assert not lost(requests.ReadTimeout(), provider="google", write=False).maybe_applied
    assert lost(requests.ReadTimeout(), provider="google", write=True).maybe_applied
    assert not lost(requests.ConnectTimeout(), provider="google", write=True).maybe_applied


def test_no_redirect_is_followed_by_anything() -> None:
    away = raw("302 Found", location="/elsewhere", content_length="0")
    with RawServer(away) as server:
        assert network({}).session().get(server.base).status_code == 302
        head, _ = network({}).http().request(server.base + "/x")
        assert head.status == 302
        assert len(server.requests) == 2


def test_endpoints_of_a_stand_in() -> None:
    made = Endpoints.of("http://127.0.0.1:1/google/", "http://127.0.0.1:1/atlassian")
    assert made == Endpoints(
        gmail="http://127.0.0.1:1/google",
        google_authorize="http://127.0.0.1:1/google/o/oauth2/auth",
        google_token="http://127.0.0.1:1/google/token",
        google_userinfo="http://127.0.0.1:1/google/v1/userinfo",
        google_revoke="http://127.0.0.1:1/google/revoke",
        atlassian_authorize="http://127.0.0.1:1/atlassian/authorize",
        atlassian_token="http://127.0.0.1:1/atlassian/oauth/token",
        atlassian_api="http://127.0.0.1:1/atlassian",
    )


@pytest.mark.parametrize(
    ("environ", "url", "proxy"),
    [
        ({}, "https://a.example/", {}),
        ({"HTTPS_PROXY": "http://p:3128"}, "https://a.example/", {"https": "http://p:3128"}),
        ({"https_proxy": "http://p:3128"}, "http://a.example/", {}),
        ({"ALL_PROXY": "http://p:1"}, "http://a.example/", {"http": "http://p:1"}),
        ({"HTTPS_PROXY": "http://p:3128"}, "https://127.0.0.1/", {}),
        ({"HTTPS_PROXY": "http://p:3128"}, "https://localhost:8/", {}),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "b.example, .a.example"}, "https://x.a.example/", {}),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "a.example"}, "https://ba.example/", {"https": "http://p:3128"}),
        ({"HTTPS_PROXY": "http://p:3128", "no_proxy": "*"}, "https://a.example/", {}),
    ],
)
def test_the_proxy_of_an_address(environ: dict[str, str], url: str, proxy: dict[str, str]) -> None:
    assert Proxies.read(environ).of(url) == proxy


def test_through_a_proxy_gmail_goes_by_a_session() -> None:
    proxied = network({"HTTPS_PROXY": "http://p:3128", "REQUESTS_CA_BUNDLE": "/etc/ca.pem"})
    assert isinstance(proxied.http(), SessionHttp)
    assert proxied.session().verify == "/etc/ca.pem"
    assert not proxied.session().trust_env


def test_a_session_looks_like_httplib2() -> None:
    body = json.dumps({"a": 1}).encode()
    with RawServer(raw("200 OK", body, content_length=str(len(body)), X_Thing="y")) as server:
        http = SessionHttp(network({}).session())
        head, content = http.request(server.base + "/p?q=1", headers={"authorization": "Bearer t"})
        http.close()
        assert (head.status, head["x-thing"], content) == (200, "y", body)
        assert server.requests[0].startswith(b"GET /p?q=1 HTTP/1.1")
        assert b"authorization: Bearer t" in server.requests[0]


def test_no_budget_waits_for_nothing() -> None:
    budget = NoBudget()
    budget.paused(5.0, "site")
    with budget.hold() as first, budget.hold() as second:
        assert (first, second) == (None, None)


REACTIONS: dict[str, type[errors.RemoteError]] = {
    "create/rename page, title taken (v2)": errors.TitleTaken,
    "page unknown, restricted, or credentials wrong (v2)": errors.CredentialRefused,
    "update of an archived page (v1)": errors.NotFound,
    "attachment POST, name exists (v1)": errors.NameTaken,
    "body not well-formed (v1, Server wording)": errors.Refused,
    "body cannot be turned into the new editor's form (v1 Cloud)": errors.Refused,
    "foreign namespace on an element (v1 Cloud)": errors.Refused,
    "unknown macro (Server)": errors.Refused,
    "lost the race on an update (v1 Cloud)": errors.Conflict,
    "update without version (v1)": errors.Conflict,
    "bad cursor (v2)": errors.Refused,
    "page update by a user without edit right": errors.CredentialRefused,
    "attachment upload without the X-Atlassian-Token header": errors.PersonMustAct,
    "rate limit with a useless Retry-After": errors.RateLimited,
}


def test_each_answer_that_others_reported(shared: Path) -> None:
    cases = {case["what"]: case for case in json.loads((shared / "cases" / "answers.json").read_text())}
    assert set(REACTIONS) <= set(cases)
    for what, expected in REACTIONS.items():
        case = cases[what]
        body = case.get("json") or (v1(case["status"], case["match"]) if "match" in case else b"")
        name, _, value = case.get("header", "X-None: ").partition(": ")
        error = atlassian_error(answered(case["status"], body, {name: value}), write=False, now=NOW)
        assert type(error) is expected, what
        assert getattr(error, "retry_after", None) is None


def test_the_clock_may_be_far_off() -> None:
    late = datetime(2030, 1, 1, tzinfo=UTC)
    assert retry_after({"X-RateLimit-Reset": "2026-03-03T15:00:00Z"}, late) is None
    assert retry_after({"X-RateLimit-Reset": "2026-03-03T15:00:00Z"}, NOW - timedelta(days=900)) == 3600.0
