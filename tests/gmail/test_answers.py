from __future__ import annotations

import json
from http.client import BadStatusLine, IncompleteRead, RemoteDisconnected
from pathlib import Path
from typing import Any

import httplib2
import pytest
from google.auth.exceptions import TransportError
from googleapiclient.errors import HttpError

from bridge import errors
from bridge.gmail.answers import NO_ANSWER, READ_SCOPE, checked, failure, lost

from support.wire import NOW

HTML = b"<html><body>Welcome to the hotel</body></html>"
PER_USER = (
    "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service "
    "'gmail.googleapis.com' for consumer 'project_number:1'."
)


def refused(status: int, body: Any, headers: dict[str, str] | None = None) -> HttpError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpError(httplib2.Response({**(headers or {}), "status": str(status)}), content, uri="https://x/")


def google(code: int, reason: str, message: str = "no", **more: Any) -> dict[str, Any]:
    first = {"message": message, "domain": "global", "reason": reason, **more.pop("first", {})}
    return {"error": {"code": code, "message": message, "errors": [first], **more}}


TABLE: list[tuple[int, Any, type[errors.RemoteError]]] = [
    (400, google(400, "badRequest"), errors.Refused),
    (400, google(400, "invalidArgument", "Invalid attachment token"), errors.Refused),
    (400, google(400, "failedPrecondition", "Mail service not enabled"), errors.PersonMustAct),
    (400, HTML, errors.Temporary),
    (401, google(401, "authError", "Invalid Credentials"), errors.TokenExpired),
    (401, HTML, errors.TokenExpired),
    (403, google(403, "insufficientPermissions"), errors.NeedsConsent),
    (403, google(403, "forbidden", "Metadata scope doesn't allow format FULL"), errors.NeedsConsent),
    (403, google(403, "accessNotConfigured"), errors.OperatorMustAct),
    (403, google(403, "rateLimitExceeded", PER_USER), errors.RateLimited),
    (403, google(403, "userRateLimitExceeded"), errors.RateLimited),
    (403, google(403, "dailyLimitExceeded"), errors.RateLimited),
    (403, google(403, "domainPolicy"), errors.PersonMustAct),
    (403, google(403, "forbidden", "Delegation denied for a@example.com"), errors.PersonMustAct),
    (403, HTML, errors.Temporary),
    (404, google(404, "notFound", "Requested entity was not found."), errors.NotFound),
    (404, [google(404, "notFound")], errors.NotFound),
    (404, HTML, errors.Temporary),
    (404, b"", errors.Temporary),
    (409, google(409, "aborted"), errors.Conflict),
    (413, HTML, errors.TooLarge),
    (429, google(429, "rateLimitExceeded", "Too many concurrent requests for user."), errors.RateLimited),
    (429, HTML, errors.RateLimited),
    (500, google(500, "backendError"), errors.Temporary),
    (502, HTML, errors.Temporary),
    (503, google(503, "backendError"), errors.Temporary),
    (302, b"", errors.Temporary),
    (308, b"", errors.Temporary),
]


@pytest.mark.parametrize(("status", "body", "expected"), TABLE)
def test_each_answer_of_gmail_has_its_error(status: int, body: Any, expected: type[errors.RemoteError]) -> None:
    error = failure(refused(status, body), NOW)
    assert type(error) is expected
    assert (error.provider, error.answer.status, error.maybe_applied) == ("google", status, False)
    assert str(error).endswith(".")


def test_a_missing_scope_is_known_by_the_details_too() -> None:
    body = {"error": {"code": 403, "message": "no", "details": [{"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}}
    error = failure(refused(403, body), NOW)
    assert isinstance(error, errors.NeedsConsent)
    assert (error.scope, error.reason) == (READ_SCOPE, "scope")


def test_the_reason_is_the_first_errors_and_not_the_details() -> None:
    body = google(
        403, "accessNotConfigured", details=[{"reason": "SERVICE_DISABLED"}], first={"extendedHelp": "https://g/1"}
    )
    error = failure(refused(403, body), NOW)
    assert isinstance(error, errors.OperatorMustAct)
    assert error.answer.reason == "accessNotConfigured"
    assert "https://g/1" in str(error)


@pytest.mark.parametrize(
    ("status", "reason", "message", "headers", "seconds", "scope"),
    [
        (429, "rateLimitExceeded", "User-rate limit exceeded.  Retry after 2026-03-03T14:06:00Z", {}, 60.0, "mailbox"),
        (429, "rateLimitExceeded", "User-rate limit exceeded.  Retry after 2020-03-03T14:06:00Z", {}, None, "mailbox"),
        (429, "rateLimitExceeded", "Too many concurrent requests for user.", {}, None, "mailbox"),
        (429, "rateLimitExceeded", "Too many concurrent requests for user.", {"retry-after": "9"}, 9.0, "mailbox"),
        (429, "rateLimitExceeded", "Resource has been exhausted (e.g. check quota).", {}, 60.0, "mailbox"),
        (403, "rateLimitExceeded", PER_USER, {}, 60.0, "mailbox"),
        (403, "rateLimitExceeded", "Quota exceeded for limit 'Queries per minute'.", {}, 60.0, "app"),
        (403, "userRateLimitExceeded", "User Rate Limit Exceeded", {}, None, "mailbox"),
        (403, "dailyLimitExceeded", "Daily Limit Exceeded", {}, 3600.0, "app"),
    ],
)  # fmt: skip
def test_a_limit_says_whose_and_how_long(
    status: int, reason: str, message: str, headers: dict[str, str], seconds: float | None, scope: str
) -> None:
    error = failure(refused(status, google(status, reason, message), headers), NOW)
    assert isinstance(error, errors.RateLimited)
    assert (error.retry_after, error.scope) == (seconds, scope)


def test_each_answer_that_others_reported(shared: Path) -> None:
    cases = {case["what"]: case for case in json.loads((shared / "cases" / "answers.json").read_text())}
    expected: dict[str, type[errors.RemoteError]] = {
        "Gmail history cursor too old": errors.NotFound,
        "Gmail rate limit": errors.RateLimited,
        "account without Gmail": errors.PersonMustAct,
        "Gmail per-minute quota": errors.RateLimited,
        "Gmail user rate limit with a time in the message": errors.RateLimited,
    }
    for what, error in expected.items():
        case = cases[what]
        body = case.get("json") or google(case["status"], "rateLimitExceeded", case["match"])
        assert type(failure(refused(case["status"], body), NOW)) is error, what


@pytest.mark.parametrize(
    "exc",
    [
        RemoteDisconnected("x"),
        BadStatusLine("x"),
        IncompleteRead(b""),
        ConnectionResetError(),
        TimeoutError(),
        httplib2.ServerNotFoundError(),
        httplib2.RedirectLimit("x", httplib2.Response({"status": "302"}), b""),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"),
        TransportError("x"),
    ],
)
def test_no_answer_is_temporary(exc: Exception) -> None:
    assert isinstance(exc, NO_ANSWER)
    error = lost(exc)
    assert not error.maybe_applied
    assert error.answer.reason == type(exc).__name__


@pytest.mark.parametrize("value", ["", "<html>", '{"historyId": "1', [], None, 3])
def test_a_result_that_is_no_object_is_temporary(value: object) -> None:
    with pytest.raises(errors.Temporary):
        checked(value)
    assert checked({"a": 1}) == {"a": 1}
