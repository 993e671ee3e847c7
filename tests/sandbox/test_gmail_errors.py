from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from jsonschema import Draft7Validator
from werkzeug.wrappers import Response

from bridge.sandbox import gmail_errors as errors

from support.discovery import ERROR


@pytest.mark.parametrize(
    ("make", "status", "reason", "message"),
    [
        (errors.bad_request, 400, "badRequest", "Bad Request"),
        (errors.invalid_argument, 400, "invalidArgument", "Invalid argument"),
        (errors.mail_service_not_enabled, 400, "failedPrecondition", "Mail service not enabled"),
        (errors.invalid_credentials, 401, "authError", "Invalid Credentials"),
        (errors.insufficient_permissions, 403, "insufficientPermissions", "Insufficient Permission"),
        (errors.forbidden, 403, "forbidden", "Forbidden"),
        (errors.user_rate_limit_exceeded, 403, "userRateLimitExceeded", "User Rate Limit Exceeded"),
        (errors.daily_limit_exceeded, 403, "dailyLimitExceeded", "Daily Limit Exceeded"),
        (errors.domain_policy, 403, "domainPolicy", "The domain administrators have disabled Gmail apps."),
        (errors.not_found, 404, "notFound", "Requested entity was not found."),
        (errors.label_exists, 409, "aborted", "Label name exists or conflicts"),
        (errors.too_many_concurrent, 429, "rateLimitExceeded", "Too many concurrent requests for user."),
        (errors.rate_limit_exceeded, 429, "rateLimitExceeded", "Rate Limit Exceeded"),
        (errors.resource_exhausted, 429, "rateLimitExceeded", "Resource has been exhausted (e.g. check quota)."),
        (errors.backend_error, 500, "backendError", "Internal error encountered."),
        (errors.unavailable, 503, "backendError", "The service is currently unavailable."),
    ],
)
def test_bodies(make: Callable[[], Response], status: int, reason: str, message: str) -> None:
    answer = make()
    body = json.loads(answer.get_data())
    Draft7Validator(ERROR).validate(body)
    assert (answer.status_code, body["error"]["code"]) == (status, status)
    assert body["error"]["errors"][0]["reason"] == reason
    assert body["error"]["errors"][0]["message"] == message
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"


def test_texts_that_name_something() -> None:
    until = datetime(2023, 3, 7, 18, 18, 23, 688_000, tzinfo=UTC)
    message = json.loads(errors.retry_after(until).get_data())["error"]["message"]
    assert message == "User-rate limit exceeded.  Retry after 2023-03-07T18:18:23.688Z"
    disabled = json.loads(errors.access_not_configured("77").get_data())["error"]
    assert "in project 77 before or it is disabled" in disabled["message"]
    assert disabled["errors"][0]["reason"] == "accessNotConfigured"
    assert "project_number:77" in errors.quota_exceeded("77").get_data(as_text=True)


def test_answers_that_are_not_json() -> None:
    assert errors.bad_gateway().status_code == 502
    assert errors.captive_portal().mimetype == "text/html"
    assert int(errors.truncated().headers["Content-Length"]) > len(errors.truncated().get_data())
