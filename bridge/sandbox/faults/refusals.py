"""Faults that an answer's status tells: 400 to 413, 500 and 503, and the refusals of the token endpoints."""

from __future__ import annotations

from werkzeug.wrappers import Response

from bridge.sandbox import gmail_errors
from bridge.sandbox.confluence_wire import gateway_error, html_error, json_response, v1_error
from bridge.sandbox.faults.kinds import (
    Kind,
    Visit,
    api,
    atlassian_tokens,
    bearer,
    confluence,
    every,
    tokens,
)
from bridge.sandbox.google_oauth import token_error

_BODIES = frozenset(
    "createPage updatePage createBlogPost updateBlogPost createFooterComment updateFooterComment".split()
)
_V1 = frozenset(
    "createOrUpdateAttachments createAttachment updateAttachmentData downloadAttatchment addLabelsToContent "
    "removeLabelFromContentUsingQueryParameter removeLabelFromContent getRestrictions updateRestrictions "
    "addRestrictions deleteRestrictions getCurrentUser archivePages getTask searchByCQL".split()
)


def _v2_error(status: int, code: str, title: str) -> Response:
    return json_response({"errors": [{"status": status, "code": code, "title": title, "detail": None}]}, status)


def _v1_error(status: int, message: str) -> Response:
    return v1_error(status, message).response


def _bad(visit: Visit) -> Response:
    if visit.google:
        return gmail_errors.bad_request()
    if visit.operation in _BODIES:
        text = "Error parsing xhtml: Unexpected close tag </p>; expected </em>.\n at [row,col]: [1,405]"
        return _v2_error(400, "BAD_REQUEST", text)
    text = "Invalid message: the request cannot be carried out"
    return _v1_error(400, text) if visit.family == "v1" else _v2_error(400, "BAD_REQUEST", text)


def _scope(visit: Visit) -> Response:
    if visit.google:
        return gmail_errors.insufficient_permissions()
    return gateway_error(401, "Unauthorized; scope does not match", "FAILURE_CLIENT_SCOPE_CHECK").response


def _unauthorized(visit: Visit) -> Response:
    if visit.operation == "google.oauth.userinfo":
        return token_error(401, "invalid_request", "Invalid Credentials")
    if visit.google:
        return gmail_errors.invalid_credentials()
    return gateway_error(401, "Unauthorized", "FAILURE_CLIENT_AUTH").response


def _blocked(visit: Visit) -> Response:
    if visit.google:
        return gmail_errors.domain_policy()
    if visit.family == "v1":
        return _v1_error(403, "Current user not permitted to use Confluence")
    return _bare(visit)  # as for every credential that the site refuses


def _not_permitted(visit: Visit) -> Response:
    if visit.google:
        return gmail_errors.forbidden("Delegation denied for " + (visit.person or "this account"))
    if visit.family == "v1":
        return _v1_error(403, "User not permitted to change the content")
    return _v2_error(403, "FORBIDDEN", "The user does not have the permission for this")


def _object_missing(visit: Visit) -> Response:
    if visit.google:
        return gmail_errors.not_found()
    if visit.family == "v1":
        return _v1_error(404, "No content found with id: ContentId{id=999999999999}")
    return _v2_error(404, "NOT_FOUND", "Cannot find a page with id [999999999999]")


def _bare(visit: Visit) -> Response:
    return _v2_error(404, "NOT_FOUND", "Not Found")


def _cannot_access(visit: Visit) -> Response:
    return _v1_error(403, "caller cannot access Confluence")


def _conflict(visit: Visit) -> Response:
    if visit.request.method == "PUT" and visit.family == "v2":
        text = "Version must be incremented when updating a page. Current Version: [3]. Provided version: [3]"
        return _v2_error(409, "CONFLICT", text)
    text = "javax.persistence.OptimisticLockException: Batch update returned unexpected row count"
    return _v1_error(409, text) if visit.family == "v1" else _v2_error(409, "CONFLICT", text)


def _too_large(visit: Visit) -> Response:
    return html_error(413)


def _broken(visit: Visit) -> Response:
    return gmail_errors.backend_error() if visit.google else html_error(500)


def _broken_after(visit: Visit, answer: Response) -> Response:
    return _broken(visit)


def _down(visit: Visit) -> Response:
    return gmail_errors.unavailable() if visit.google else html_error(503)


def _down_after(visit: Visit, answer: Response) -> Response:
    return _down(visit)


def _invalid_grant(visit: Visit) -> Response:
    if visit.google:
        return token_error(400, "invalid_grant", "Token has been expired or revoked.")
    return token_error(403, "invalid_grant", "Unknown or invalid refresh token.")


def _unauthorized_client(visit: Visit) -> Response:
    if visit.google:
        return token_error(401, "unauthorized_client", "Unauthorized")
    return token_error(403, "unauthorized_client", "refresh_token is invalid")


def _invalid_client(visit: Visit) -> Response:
    return token_error(401, "invalid_client", "Unauthorized")


def _access_denied(visit: Visit) -> Response:
    return token_error(401, "access_denied", "Unauthorized")


def _google_tokens(service: str, method: str, operation: str) -> bool:
    return operation == "google.oauth.token"


def _v1_only(service: str, method: str, operation: str) -> bool:
    return operation in _V1


def _v2_only(service: str, method: str, operation: str) -> bool:
    return confluence(service, method, operation) and operation not in _V1


def _writes(service: str, method: str, operation: str) -> bool:
    reads = ("createBulkUserLookup",)
    return confluence(service, method, operation) and method in ("POST", "PUT") and operation not in reads


KINDS: tuple[Kind, ...] = (
    Kind("400", "The request is refused as wrong in itself.", "none", api, before=_bad),
    Kind("401", "The access token is refused, though it lives.", "none", bearer, before=_unauthorized),
    Kind("401-scope", "The token is said to lack the permission for this.", "none", api, before=_scope),
    Kind("403-admin-block", "An administrator has blocked the program.", "none", api, before=_blocked),
    Kind("403-permission", "The person may not do this.", "none", api, before=_not_permitted),
    Kind("404-object", "The object is not there, and the answer names it.", "none", api, before=_object_missing),
    Kind("404-bare", "A bare Not Found, as for a refused credential.", "none", _v2_only, before=_bare),
    Kind(
        "404-v1-cannot-access",
        "403 from Confluence's older API: the caller cannot access Confluence.",
        "none",
        _v1_only,
        before=_cannot_access,
    ),
    Kind("409", "Somebody is said to have changed it in between.", "none", _writes, before=_conflict),
    Kind("413", "What is sent is refused as too large.", "none", _writes, before=_too_large),
    Kind("500", "The server has a fault of its own.", "none", every, before=_broken),
    Kind("500-after", "The request takes effect, and 500 answers it.", "took effect", every, after=_broken_after),
    Kind("503", "The service is unavailable.", "none", every, before=_down),
    Kind("503-after", "The request takes effect, and 503 answers it.", "took effect", every, after=_down_after),
    Kind("invalid_grant", "The token endpoint says that the grant has ended.", "none", tokens, before=_invalid_grant),
    Kind(
        "unauthorized_client",
        "The token endpoint does not know the refresh token.",
        "none",
        tokens,
        before=_unauthorized_client,
    ),
    Kind(
        "invalid_client",
        "Google's token endpoint refuses the program's own id or secret.",
        "none",
        _google_tokens,
        before=_invalid_client,
    ),
    Kind(
        "access_denied",
        "Atlassian's token endpoint refuses the program's own secret.",
        "none",
        atlassian_tokens,
        before=_access_denied,
    ),
)
