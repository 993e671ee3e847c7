"""Gmail's API over the sandbox's mailboxes: which call a request is, whether its token may make it, and the answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Request, Response

from bridge.sandbox import gmail_calls as calls
from bridge.sandbox import gmail_errors as errors
from bridge.sandbox.core import Answered, Core
from bridge.sandbox.gmail_calls import Call
from bridge.sandbox.gmail_errors import JSON_TYPE, ApiError
from bridge.sandbox.gmail_fields import FieldsError, trim
from bridge.sandbox.gmail_people import SandboxGmail
from bridge.sandbox.gmail_quota import Quota
from bridge.sandbox.gmail_state import Json, Mailbox
from bridge.sandbox.gmail_views import AttachmentIds
from bridge.sandbox.google_grants import AccessToken

WHOLE_MAILBOX = "https://mail.google.com/"
SCOPE = "https://www.googleapis.com/auth/gmail."
COMMON_PARAMETERS = frozenset(
    "$.xgafv access_token alt callback fields key oauth_token prettyPrint quotaUser uploadType upload_protocol".split()
)
_READ = ("metadata", "modify", "readonly")
_LABELS = ("labels", "modify")
_LIST = ("labelIds", "q", "maxResults", "pageToken", "includeSpamTrash")
_GET = ("format", "metadataHeaders")
_HISTORY = ("startHistoryId", "historyTypes", "labelId", "maxResults", "pageToken")


@dataclass(frozen=True, slots=True)
class Operation:
    """One call, as the discovery document has it: ``path`` is below ``users/{userId}/``, ``scopes`` are last words."""

    id: str
    method: str
    path: str
    scopes: tuple[str, ...]
    run: Callable[[Call], Json | None]
    query: tuple[str, ...] = ()
    write: bool = False

    def pattern(self) -> re.Pattern[str]:
        """Return what the call's paths look like, with a group for each parameter."""
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path))


def _operation(
    name: str,
    method: str,
    path: str,
    scopes: tuple[str, ...],
    run: Callable[[Call], Json | None],
    query: tuple[str, ...] = (),
    write: bool = False,
) -> Operation:
    return Operation(f"gmail.users.{name}", method, path, scopes, run, query, write)


OPERATIONS: tuple[Operation, ...] = (
    _operation("getProfile", "GET", "profile", ("compose", *_READ), calls.get_profile),
    _operation("labels.list", "GET", "labels", ("labels", *_READ), calls.list_labels),
    _operation("labels.create", "POST", "labels", _LABELS, calls.create_label, write=True),
    _operation("labels.get", "GET", "labels/{id}", ("labels", *_READ), calls.get_label),
    _operation("labels.patch", "PATCH", "labels/{id}", _LABELS, calls.patch_label, write=True),
    _operation("labels.update", "PUT", "labels/{id}", _LABELS, calls.patch_label, write=True),
    _operation("labels.delete", "DELETE", "labels/{id}", _LABELS, calls.delete_label, write=True),
    _operation("threads.list", "GET", "threads", _READ, calls.list_threads, _LIST),
    _operation("threads.get", "GET", "threads/{id}", _READ, calls.get_thread, _GET),
    _operation("threads.modify", "POST", "threads/{id}/modify", ("modify",), calls.modify_thread, write=True),
    _operation("messages.list", "GET", "messages", _READ, calls.list_messages, _LIST),
    _operation("messages.get", "GET", "messages/{id}", _READ, calls.get_message, _GET),
    _operation("messages.modify", "POST", "messages/{id}/modify", ("modify",), calls.modify_message, write=True),
    _operation(
        "messages.attachments.get",
        "GET",
        "messages/{messageId}/attachments/{id}",
        ("modify", "readonly"),
        calls.get_attachment,
    ),
    _operation("history.list", "GET", "history", _READ, calls.list_history, _HISTORY),
    _operation("watch", "POST", "watch", _READ, calls.watch),
    _operation("stop", "POST", "stop", _READ, calls.stop),
)

_PATTERNS = tuple((operation, operation.pattern()) for operation in OPERATIONS)


class GmailApi:
    """Answers ``/gmail/v1/users/...``; ``quota`` is the meter, ``enabled`` whether the project's API is switched on."""

    def __init__(self, core: Core, people: SandboxGmail, access: Callable[[str], AccessToken | None]) -> None:
        self.quota = Quota()
        self.enabled = True
        self._core = core
        self._people = people
        self._access = access
        self._attachment_ids: dict[str, AttachmentIds] = {}

    def identify(self, request: Request, path: str) -> tuple[str, str]:
        """Return the operation's id and the token's person, each '' where unknown."""
        operation, _ = _find(request, path)
        token = self._access(_bearer(request))
        return (operation.id if operation else "", token.address if token else "")

    def answer(self, request: Request, path: str) -> Answered:
        """Carry a request out; ``path`` is what stands after ``/gmail/v1/users/``, percent-encoding removed."""
        operation, ids = _find(request, path)
        if operation is None:
            return Answered(Response("<html><title>Error 404 (Not Found)!!1</title></html>", 404, mimetype="text/html"))
        try:
            body = self._run(operation, request, ids)
        except ApiError as refused:
            return Answered(refused.response, operation.id)
        if body is None:
            return Answered(Response(status=204), operation.id, write=operation.write)
        return Answered(Response(json.dumps(body), content_type=JSON_TYPE), operation.id, write=operation.write)

    def _run(self, operation: Operation, request: Request, ids: dict[str, str]) -> Json | None:
        token = self._access(_bearer(request))
        if token is None or not token.live(self._core.clock.now()):
            raise ApiError(errors.invalid_credentials())
        query = _query(request)
        mailbox = self._allowed(operation, token, query, ids.pop("userId"))
        if not self.quota.take(token.address, operation.id, self._core.clock.now()):
            raise ApiError(errors.quota_exceeded())
        held = self._attachment_ids.setdefault(token.address, AttachmentIds(self._core, mailbox))
        metadata = SCOPE + "metadata" in token.scopes
        call = Call(mailbox, held, ids, query, _body(request), metadata, self._core.clock.now())
        answer = operation.run(call)
        fields = query.get("fields", "")
        try:
            return trim(answer, fields) if answer is not None and fields else answer
        except FieldsError:
            raise ApiError(errors.error(400, "invalidParameter", f"Invalid field selection {fields}")) from None

    def _allowed(self, operation: Operation, token: AccessToken, query: Mapping[str, str], user_id: str) -> Mailbox:
        if not {WHOLE_MAILBOX, *(SCOPE + name for name in operation.scopes)} & set(token.scopes):
            raise ApiError(errors.insufficient_permissions())
        if not self.enabled:
            raise ApiError(errors.access_not_configured())
        mailbox = self._people.mailbox(token.address)
        if mailbox.person.blocked_by_admin:
            raise ApiError(errors.domain_policy())
        if user_id.casefold() not in ("me", token.address):
            raise ApiError(errors.forbidden(f"Delegation denied for {token.address}"))
        if not mailbox.person.mail_enabled:
            raise ApiError(errors.mail_service_not_enabled())
        unknown = sorted(set(query) - COMMON_PARAMETERS - set(operation.query))
        if unknown:
            text = f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot bind query parameter.'
            raise ApiError(errors.invalid_argument(text))
        return mailbox


def _find(request: Request, path: str) -> tuple[Operation | None, dict[str, str]]:
    user_id, _, rest = path.partition("/")
    operation, found = _matched(request.headers.get("X-HTTP-Method-Override", request.method).upper(), rest)
    return operation, ({"userId": user_id, **dict(found)} if operation else {})


@lru_cache(maxsize=4096)
def _matched(method: str, path: str) -> tuple[Operation | None, tuple[tuple[str, str], ...]]:
    for operation, pattern in _PATTERNS:
        found = pattern.fullmatch(path) if operation.method == method else None
        if found is not None:
            return operation, tuple(found.groupdict().items())
    return None, ()


def _bearer(request: Request) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.casefold() == "bearer":
        return token.strip()
    return request.args.get("access_token", request.args.get("oauth_token", ""))


def _query(request: Request) -> MultiDict[str, str]:
    """Return the query; a client sends one that is too long for an address as the form of a POST."""
    query: MultiDict[str, str] = MultiDict(request.args)
    if "X-HTTP-Method-Override" in request.headers:
        query.update(request.form)
    return query


def _body(request: Request) -> Json:
    if request.mimetype != "application/json" or not request.get_data():
        return {}
    try:
        body = json.loads(request.get_data())
    except ValueError:
        raise ApiError(errors.error(400, "parseError", "Parse Error", status="INVALID_ARGUMENT")) from None
    if not isinstance(body, dict):
        raise ApiError(errors.invalid_argument("Invalid JSON payload received."))
    return body
