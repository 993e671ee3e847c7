"""The error answers of Gmail's API, one function a kind, for the API itself and for faults that a test switches on.

``Rule("gmail.users.threads.get", "answer", make=gmail_errors.unavailable)`` needs nothing more.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Response

JSON_TYPE = "application/json; charset=UTF-8"
_METRIC = "'Queries' and limit 'Queries per minute per user' of service 'gmail.googleapis.com'"


class ApiError(Exception):
    """Carries the answer of a request that is refused."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.get_data(as_text=True))
        self.response = response


def error(
    code: int,
    reason: str,
    message: str,
    *,
    domain: str = "global",
    status: str = "",
    short: str = "",
    more: dict[str, str] | None = None,
    details: list[dict[str, Any]] | None = None,
) -> Response:
    """Return an error answer in Google's shape.

    Args:
        code: the HTTP status.
        reason: the machine's word inside ``errors``.
        message: the sentence at the top.
        domain: "global" or "usageLimits".
        status: the canonical name; older errors have none.
        short: the sentence inside ``errors`` where it differs from the one at the top.
        more: further members of the entry in ``errors``.
        details: the ``details`` list of newer errors.
    """
    entry = {"message": short or message, "domain": domain, "reason": reason, **(more or {})}
    body: dict[str, Any] = {"code": code, "message": message, "errors": [entry]}
    if status:
        body["status"] = status
    if details:
        body["details"] = details
    return Response(json.dumps({"error": body}), status=code, content_type=JSON_TYPE)


def bad_request() -> Response:
    """400 without a reason that says more."""
    return error(400, "badRequest", "Bad Request")


def invalid_argument(message: str = "Invalid argument") -> Response:
    """400: a label, a parameter or an attachment token is wrong; the message says which."""
    return error(400, "invalidArgument", message, status="INVALID_ARGUMENT")


def mail_service_not_enabled() -> Response:
    """400: the account has no Gmail."""
    return error(400, "failedPrecondition", "Mail service not enabled", status="FAILED_PRECONDITION")


def invalid_credentials() -> Response:
    """401: the access token is unknown, past its time or revoked."""
    answer = error(
        401,
        "authError",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
        status="UNAUTHENTICATED",
        short="Invalid Credentials",
        more={"location": "Authorization", "locationType": "header"},
    )
    answer.headers["WWW-Authenticate"] = 'Bearer realm="https://accounts.google.com/", error="invalid_token"'
    return answer


def insufficient_permissions() -> Response:
    """403: the token lacks a scope."""
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        "domain": "googleapis.com",
        "metadata": {"service": "gmail.googleapis.com"},
    }
    return error(
        403,
        "insufficientPermissions",
        "Request had insufficient authentication scopes.",
        status="PERMISSION_DENIED",
        short="Insufficient Permission",
        details=[info],
    )


def forbidden(message: str = "Forbidden") -> Response:
    """403: not with this scope, or not this mailbox; the message says which."""
    return error(403, "forbidden", message, status="PERMISSION_DENIED")


def access_not_configured(project: str = "1234") -> Response:
    """403: the Gmail API is not switched on in the project."""
    page = f"https://console.developers.google.com/apis/api/gmail.googleapis.com/overview?project={project}"
    return error(
        403,
        "accessNotConfigured",
        f"Gmail API has not been used in project {project} before or it is disabled. Enable it by visiting {page} "
        "then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems "
        "and retry.",
        domain="usageLimits",
        status="PERMISSION_DENIED",
        more={"extendedHelp": "https://console.developers.google.com"},
    )


def quota_exceeded(project: str = "1234") -> Response:
    """403: the person's units of this minute are used up."""
    message = f"Quota exceeded for quota metric {_METRIC} for consumer 'project_number:{project}'."
    return error(403, "rateLimitExceeded", message, domain="usageLimits", status="RESOURCE_EXHAUSTED")


def user_rate_limit_exceeded() -> Response:
    """403: an older form of the same."""
    return error(403, "userRateLimitExceeded", "User Rate Limit Exceeded", domain="usageLimits")


def daily_limit_exceeded() -> Response:
    """403: the project's units of this day are used up."""
    return error(403, "dailyLimitExceeded", "Daily Limit Exceeded", domain="usageLimits")


def domain_policy() -> Response:
    """403: the organisation's administrators do not allow it."""
    return error(403, "domainPolicy", "The domain administrators have disabled Gmail apps.")


def not_found() -> Response:
    """404: the same body for a thread, a label and a history id that is too old."""
    return error(404, "notFound", "Requested entity was not found.", status="NOT_FOUND")


def label_exists() -> Response:
    """409: a label of that name stands already."""
    return error(409, "aborted", "Label name exists or conflicts", status="ABORTED")


def too_many_concurrent() -> Response:
    """429: too many requests at once for one person."""
    return error(429, "rateLimitExceeded", "Too many concurrent requests for user.", status="RESOURCE_EXHAUSTED")


def rate_limit_exceeded() -> Response:
    """429 without any instant."""
    return error(429, "rateLimitExceeded", "Rate Limit Exceeded", domain="usageLimits")


def resource_exhausted() -> Response:
    """429 of the newer kind."""
    message = "Resource has been exhausted (e.g. check quota)."
    return error(429, "rateLimitExceeded", message, status="RESOURCE_EXHAUSTED")


def retry_after(instant: datetime) -> Response:
    """429 whose instant stands in the text, in UTC, with no Retry-After header."""
    text = instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"
    message = f"User-rate limit exceeded.  Retry after {text}"
    return error(429, "rateLimitExceeded", message, domain="usageLimits", status="RESOURCE_EXHAUSTED")


def backend_error() -> Response:
    """500."""
    return error(500, "backendError", "Internal error encountered.", status="INTERNAL")


def unavailable() -> Response:
    """503."""
    return error(503, "backendError", "The service is currently unavailable.", status="UNAVAILABLE")


def bad_gateway() -> Response:
    """502 with the HTML of a proxy."""
    page = "<!DOCTYPE html>\n<html lang=en><title>Error 502 (Server Error)!!1</title><p>That is all we know.</html>\n"
    return Response(page, status=502, content_type="text/html; charset=UTF-8")


def captive_portal() -> Response:
    """200 with HTML, as the log-in page of a guest network answers everything."""
    return Response("<html><title>Please log in</title></html>", content_type="text/html")


def truncated() -> Response:
    """200 whose body ends before the length that was announced."""
    answer = Response('{"historyId":"20', content_type=JSON_TYPE)
    answer.headers["Content-Length"] = "480"
    return answer
