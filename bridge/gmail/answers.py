"""From what Gmail's client library raises or returns to the error tree.

The library raises ``HttpError`` for a status of 300 and above, leaves whatever its transport raises as it is, and
returns a ``str`` without any exception where a 200 holds something other than JSON. All three come through here.
Statuses alone do not tell much: Google says in ``reason`` what a 403 means.
"""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httplib2
from google.auth.exceptions import TransportError
from googleapiclient.errors import HttpError
from httplib2.decode import DecodeLimitError, DecodeRatioError

from bridge.errors import (
    Answer,
    Conflict,
    NeedsConsent,
    NotFound,
    OperatorMustAct,
    PauseScope,
    PersonMustAct,
    RateLimited,
    Refused,
    RemoteError,
    Temporary,
    TokenExpired,
    TooLarge,
)
from bridge.http import retry_after
from bridge.http.pauses import LONGEST_HEADER, instant_in_text

READ_SCOPE = "https://www.googleapis.com/auth/gmail.readonly"

NO_ANSWER: tuple[type[Exception], ...] = (
    OSError,
    http.client.HTTPException,
    httplib2.HttpLib2Error,
    UnicodeDecodeError,
    TransportError,
)
"""What comes out of the library where no whole answer came in; each was seen against a misbehaving server."""

TOO_LARGE: tuple[type[Exception], ...] = (DecodeLimitError, DecodeRatioError)
"""What comes out of httplib2 where a compressed answer grows beyond the transport's limit; no ``HttpLib2Error``."""

_RATE = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "dailyLimitExceeded", "quotaExceeded"})
_SWITCHED_OFF = frozenset({"accessNotConfigured", "SERVICE_DISABLED"})
_NO_SCOPE = frozenset({"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"})


@dataclass(frozen=True, slots=True)
class Said:
    """What an error body says; ``json`` is false for HTML and the like, which is never Gmail's own answer."""

    reason: str = ""
    message: str = ""
    details: tuple[str, ...] = ()
    help: str = ""
    json: bool = False


def lost(exc: Exception) -> Temporary:
    """Return the error for a request without a whole answer. Only reads are sent, so none can have taken effect."""
    return Temporary(
        f"Google gave no complete answer ({type(exc).__name__}); it is tried again later.",
        provider="google",
        answer=Answer(reason=type(exc).__name__),
    )


def swollen(exc: Exception) -> TooLarge:
    """Return the error for an answer that grew beyond the transport's limit."""
    return TooLarge(
        "Gmail's answer is larger than this program takes in.",
        provider="google",
        answer=Answer(status=200, reason=type(exc).__name__),
    )


def checked(value: object) -> dict[str, Any]:
    """Return an answer that is a JSON object.

    Raises:
        Temporary: it is anything else: the page of a captive portal, a cut or an empty body.
    """
    if isinstance(value, dict):
        return value
    raise Temporary(
        "Google's answer was no JSON object; it is tried again later.",
        provider="google",
        answer=Answer(status=200, reason="not JSON", text=str(value)[:500]),
    )


def malformed(what: str) -> Temporary:
    """Return the error for an object that lacks what every such object has."""
    return Temporary(
        f"Google's answer lacks {what}; it is tried again later.",
        provider="google",
        answer=Answer(status=200, reason="malformed"),
    )


def failure(error: HttpError, now: datetime) -> RemoteError:
    """Return the error for an answer with a status of 300 and above.

    Args:
        error: as the library raised it; ``error_details`` is not used, since it means one of two things.
        now: the instant, for a pause that is given as one.
    """
    status, said = int(error.resp.status), _said(error.content)
    answer = Answer(status=status, reason=said.reason, text=error.content[:500].decode("utf-8", "replace"))
    if status == 401:
        return TokenExpired("Google no longer accepts the access token.", provider="google", answer=answer)
    if status == 429 or (status == 403 and said.reason in _RATE):
        return _limit(error, said, answer, now)
    if status < 400 or status >= 500 or status in (407, 408):
        return Temporary(
            f"Google has a fault of its own, or something in between ({status}); it is tried again later.",
            provider="google",
            answer=answer,
        )
    if status == 413:
        return TooLarge("This is larger than Gmail gives out.", provider="google", answer=answer)
    if not said.json:
        return Temporary(
            f"Something between here and Google answered {status}; it is tried again later.",
            provider="google",
            answer=answer,
        )
    if status == 403:
        return _forbidden(said, answer)
    return _objection(status, said, answer)


def _objection(status: int, said: Said, answer: Answer) -> RemoteError:
    if status == 404:
        return NotFound("Gmail does not have it any more.", provider="google", answer=answer)
    if status == 409:
        return Conflict("Gmail says that it was changed in between.", provider="google", answer=answer)
    if said.reason == "failedPrecondition" and "mail service" in said.message.lower():
        return PersonMustAct(
            "This Google account has no Gmail mailbox. Connect the account that receives the mail, "
            "or ask an administrator to switch Gmail on for it.",
            provider="google",
            answer=answer,
        )
    return Refused(f"Gmail refused the request ({status}){_quoted(said)}.", provider="google", answer=answer)


def _forbidden(said: Said, answer: Answer) -> RemoteError:
    reasons = {said.reason, *said.details}
    if reasons & _NO_SCOPE:
        return NeedsConsent(
            "The connection to Gmail lacks the permission to read mail. Connect Gmail again and tick it.",
            provider="google",
            answer=answer,
            scope=READ_SCOPE,
            reason="scope",
        )
    if reasons & _SWITCHED_OFF:
        link = f" at {said.help}" if said.help else ""
        return OperatorMustAct(
            f"The Gmail API is switched off in the Google project of this program. Switch it on{link} "
            "and wait a few minutes.",
            provider="google",
            answer=answer,
        )
    if said.reason == "domainPolicy":
        return PersonMustAct(
            "The administrators of this Google account let no program read Gmail. Ask them to allow this one.",
            provider="google",
            answer=answer,
        )
    if "metadata scope" in said.message.lower():
        return NeedsConsent(
            "An older permission keeps this connection from reading mail. Remove the program under the Google "
            "account's third-party connections, then connect Gmail again.",
            provider="google",
            answer=answer,
            scope=READ_SCOPE,
            reason="metadata",
        )
    return PersonMustAct(f"Gmail does not permit it{_quoted(said)}.", provider="google", answer=answer)


def _limit(error: HttpError, said: Said, answer: Answer, now: datetime) -> RateLimited:
    seconds = instant_in_text(said.message, now)
    if seconds is None:
        seconds = retry_after({"Retry-After": str(error.resp.get("retry-after", ""))}, now)
    scope: PauseScope = "mailbox"
    text = said.message.lower()
    if said.reason == "dailyLimitExceeded":
        scope, seconds = "app", seconds or LONGEST_HEADER
    elif "per minute" in text or "resource has been exhausted" in text:
        # Quota is counted by the minute; nothing else is said about when it comes back.
        scope, seconds = ("mailbox" if "per user" in text or answer.status == 429 else "app"), seconds or 60.0
    length = f" of {seconds:.0f} seconds" if seconds is not None else ""
    return RateLimited(
        f"Google asks for a pause{length}.", provider="google", answer=answer, retry_after=seconds, scope=scope
    )


def _said(content: bytes) -> Said:
    try:
        value: Any = json.loads(content)
    except ValueError:
        return Said()
    if isinstance(value, list) and value:
        value = value[0]
    error = value.get("error") if isinstance(value, dict) else None
    if not isinstance(error, dict):
        return Said()
    errors = [item for item in _list(error.get("errors")) if isinstance(item, dict)]
    details = [item for item in _list(error.get("details")) if isinstance(item, dict)]
    first = errors[0] if errors else {}
    codes = tuple(str(item["reason"]) for item in details if item.get("reason"))
    reason = str(first.get("reason") or next(iter(codes), "") or error.get("status") or "")
    return Said(
        reason=reason,
        message=str(error.get("message") or first.get("message") or ""),
        details=codes,
        help=str(first.get("extendedHelp") or ""),
        json=True,
    )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _quoted(said: Said) -> str:
    text = " ".join(said.message.split())[:200].rstrip(".")
    return f': "{text}"' if text else ""
