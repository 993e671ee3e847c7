"""Faults that lie in the state of things: tokens and grants that end, uploads that stay half, answers that are old."""

from __future__ import annotations

from datetime import timedelta

from werkzeug.wrappers import Response

from bridge.sandbox import gmail_errors
from bridge.sandbox.atlassian import AtlassianHalf
from bridge.sandbox.core import Dropped
from bridge.sandbox.faults.kinds import (
    Kind,
    Outcome,
    Visit,
    atlassian_tokens,
    bearer,
    confluence,
    every,
    seconds_between,
    tokens,
)
from bridge.sandbox.gmail_state import Mailbox
from bridge.sandbox.google import GoogleHalf

_UPLOADS = frozenset({"createAttachment", "createOrUpdateAttachments"})
_MARKS = frozenset(
    "addLabelsToContent removeLabelFromContent removeLabelFromContentUsingQueryParameter updateRestrictions "
    "addRestrictions deleteRestrictions".split()
)
_FRESH = frozenset({"getPages", "getBlogPosts", "getPagesInSpace", "getBlogPostsInSpace", "getSpaces", "getSpaceById"})
"""Lookups by title or key come from the database and are fresh at once (measured)."""
_STALE = frozenset({"gmail.users.threads.get", "gmail.users.history.list"})


def _expire(visit: Visit) -> bool:
    now, half = visit.core.clock.now(), visit.service
    if isinstance(half, GoogleHalf):
        half.oauth.grants.expire_access_tokens(visit.person)
    elif isinstance(half, AtlassianHalf):
        for access in half.oauth.access.values():
            if access.grant.person.address == visit.person:
                access.expires = min(access.expires, now)
    return bool(visit.person)


def _revoke(visit: Visit) -> bool:
    half = visit.service
    if not visit.person:
        return False
    if isinstance(half, GoogleHalf):
        half.oauth.grants.revoke_grant(visit.person)
    elif isinstance(half, AtlassianHalf):
        half.revoke(visit.person)
    return True


def _halve(visit: Visit) -> bool:
    if isinstance(visit.service, AtlassianHalf):
        visit.service.switches.half_uploads += 1
    return True


def _no_effect(visit: Visit) -> Outcome:
    half = visit.service
    if not isinstance(half, AtlassianHalf):
        return False
    with half.wiki.remembering(half.wiki.memory()):
        return half.answer(visit.request).response


def _public(visit: Visit) -> bool:
    """Let a page be made that was asked for as a private one, and not be private."""
    if visit.request.args.get("private") != "true":
        return False
    environ = visit.request.environ
    environ["QUERY_STRING"] = environ["QUERY_STRING"].replace("private=true", "private=false")
    visit.request.query_string = environ["QUERY_STRING"].encode("latin-1")
    visit.request.__dict__.pop("args", None)
    return True


def _remember(visit: Visit) -> None:
    half = visit.service
    writes = visit.request.method not in ("GET", "HEAD") and confluence(half.name, "", visit.operation)
    if isinstance(half, AtlassianHalf) and writes:
        visit.memory["before"] = half.wiki.memory()


def _stale(visit: Visit) -> Outcome:
    half = visit.service
    if isinstance(half, AtlassianHalf):
        return _stale_confluence(visit, half)
    mailbox = half.gmail.mailboxes.get(visit.person) if isinstance(half, GoogleHalf) else None
    if mailbox is None:
        return False
    if visit.operation == "gmail.users.history.list":
        return _stale_history(visit, mailbox)
    return _stale_thread(visit, mailbox)


def _stale_confluence(visit: Visit, half: AtlassianHalf) -> Outcome:
    before = visit.memory.get("before")
    if before is None:
        return False
    fresh = half.answer(visit.request).response
    with half.wiki.remembering(before):
        old = half.answer(visit.request).response
    if old.status_code != 200 or old.get_data() == fresh.get_data():
        return False
    if visit.lasting:
        del visit.memory["before"]
    return old


def _stale_thread(visit: Visit, mailbox: Mailbox) -> bool:
    thread = visit.request.path.rpartition("/")[2]
    return _anew(visit, thread, mailbox.thread_history.get(thread)) and mailbox.show_before(thread)


def _stale_history(visit: Visit, mailbox: Mailbox) -> Outcome:
    start = visit.request.args.get("startHistoryId", "")
    last = mailbox.records[-1].id if mailbox.records else 0
    if not start.isdecimal() or int(start) >= last or not _anew(visit, "history", last):
        return False
    records, current = mailbox.records, mailbox.history_id
    previous = records[-2].id if len(records) > 1 else 0
    mailbox.records, mailbox.history_id = records[:-1], max(previous, int(start))
    try:
        return visit.service.answer(visit.request).response
    finally:
        mailbox.records, mailbox.history_id = records, current


def _anew(visit: Visit, what: str, change: int | None) -> bool:
    """Tell whether a change may be missed: by a rule that lasts only once."""
    key = (visit.person, what)
    missed = visit.memory.get(key) == change
    visit.memory[key] = change
    return not (missed and visit.lasting)


def _expired_cursor(visit: Visit) -> Outcome:
    if visit.operation == "gmail.users.history.list":
        return gmail_errors.not_found()
    return False


def _lose_refresh(visit: Visit, answer: Response) -> bool:
    if b"refresh_token" not in visit.request.get_data() or b"authorization_code" in visit.request.get_data():
        return False
    raise Dropped


def _set_clock(visit: Visit) -> bool:
    visit.core.skew(timedelta(seconds=visit.seconds))
    return True


def _credential(service: str, method: str, operation: str) -> bool:
    return bearer(service, method, operation) or tokens(service, method, operation)


def _uploads(service: str, method: str, operation: str) -> bool:
    return operation in _UPLOADS


def _marks(service: str, method: str, operation: str) -> bool:
    return operation in _MARKS


def _creates(service: str, method: str, operation: str) -> bool:
    return operation in ("createPage", "createBlogPost")


def _reads(service: str, method: str, operation: str) -> bool:
    if operation in _STALE:
        return True
    return confluence(service, method, operation) and method == "GET" and operation not in _FRESH


def _history(service: str, method: str, operation: str) -> bool:
    return operation == "gmail.users.history.list"


KINDS: tuple[Kind, ...] = (
    Kind("401-expired", "The person's access tokens have come to their end.", "none", bearer, before=_expire),
    Kind(
        "401-revoked",
        "The person has taken the program's access away, and must connect again.",
        "none",
        _credential,
        before=_revoke,
    ),
    Kind("503-half", "503, and an upload leaves an entry without its bytes.", "half", _uploads, before=_halve),
    Kind(
        "no-effect-200",
        "200, though the label or the restriction is as it was.",
        "nothing happened but said so",
        _marks,
        before=_no_effect,
    ),
    Kind(
        "no-private-200",
        "200 for a page that was to be private from the start and is not.",
        "half",
        _creates,
        before=_public,
    ),
    Kind(
        "stale",
        "A read answers what stood before the last change.",
        "none",
        _reads,
        before=_stale,
        watch=_remember,
    ),
    Kind("expired-cursor", "Gmail's history does not reach back so far.", "none", _history, before=_expired_cursor),
    Kind(
        "lost-refresh",
        "The refresh token is exchanged, and the answer with the new one is lost.",
        "took effect",
        atlassian_tokens,
        after=_lose_refresh,
    ),
    Kind(
        "skew",
        "The service's clock differs from the real one.",
        "took effect",
        every,
        before=_set_clock,
        unit="seconds from -600 to 600",
        default="600",
        takes=seconds_between(-600, 600),
    ),
)
