"""The one table from an answer of Atlassian's API to an error class, and what belongs to it.

Three kinds of body come from one address: v2 (``{"errors": [{"status", "code", "title", "detail"}]}``), v1
(``{"statusCode", "message", "data"}``) and the gateway in front of both (``{"code", "message"}``); a proxy or an
overloaded front end answers HTML or nothing. Status and headers decide first, the text only where the status leaves
it open.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProxyError

from bridge.errors import (
    Answer,
    Conflict,
    CredentialRefused,
    NameTaken,
    NeedsConsent,
    NotFound,
    PersonMustAct,
    Provider,
    RateLimited,
    Refused,
    RemoteError,
    Temporary,
    TitleTaken,
    TokenExpired,
    TooLarge,
)
from bridge.http.pauses import atlassian_pause

TEXT_KEPT = 500

_NAMES: dict[Provider, str] = {"google": "Google", "atlassian": "Confluence"}
_SCOPE_GATE = "scope does not match"
_REFUSED_CREDENTIAL = re.compile(r"cannot access Confluence|not permitted to use Confluence", re.IGNORECASE)
_NAME_TAKEN = re.compile(r"same file ?name as an existing attachment", re.IGNORECASE)
_TITLE_TAKEN = re.compile(r"already exists", re.IGNORECASE)
_PROPERTY = re.compile(r"property with key", re.IGNORECASE)
_STALE_VERSION = re.compile(r"version must be incremented|must supply an incremented version", re.IGNORECASE)
_BAD_BODY = re.compile(r"unhandled element type|the macro '[^']*' is unknown|error parsing xhtml", re.IGNORECASE)
_JAVA_CLASS = re.compile(r"^(?:[a-z]\w*\.)+[A-Z]\w*:\s*")


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer says in words: ``text`` for a person ('' where the body is no JSON object), ``code`` for us."""

    text: str = ""
    code: str = ""
    json: bool = False


def kept(response: requests.Response) -> Answer:
    """Return what is kept of a failed answer: safe to log and to store; not for token endpoints."""
    told = _told(response)
    request_id = response.headers.get("atl-request-id") or response.headers.get("atl-traceid") or ""
    return Answer(
        status=response.status_code,
        reason=told.code or response.headers.get("X-Failure-Category", ""),
        text=response.text[:TEXT_KEPT],
        request_id=request_id,
    )


def atlassian_error(response: requests.Response, *, write: bool, now: datetime, scope: str = "") -> RemoteError:
    """Return the error for an answer of Atlassian's API that is not a success.

    Args:
        response: the answer, its body read.
        write: whether the request changes something; then a 5xx may have taken effect.
        now: the instant, for pauses that are given as one.
        scope: the OAuth scope that the call needs, named to the person where the gateway says that it is missing.
    """
    status, answer, told = response.status_code, kept(response), _told(response)
    if status == 429:
        seconds, whose = atlassian_pause(response.headers, now)
        return RateLimited(
            _pause_sentence(seconds), provider="atlassian", answer=answer, retry_after=seconds, scope=whose
        )
    if status >= 500:
        return _server_fault(answer, told, write)
    if status == 401:
        return _unauthorized(response, answer, told, scope)
    if status == 403:
        return _forbidden(answer, told)
    if status == 404:
        return _missing(answer, told)
    if status in (400, 409):
        return _objection(status, answer, told)
    if status == 413:
        return TooLarge("This is larger than Confluence accepts.", provider="atlassian", answer=answer)
    if status in (407, 408, 425) or status < 400:
        return Temporary(
            f"Something between here and Confluence answered {status}; it is tried again later.",
            provider="atlassian",
            answer=answer,
            maybe_applied=write and status == 408,
        )
    return Refused(f"Confluence refused the request ({status}){_quoted(told)}.", provider="atlassian", answer=answer)


def lost(exc: Exception, *, provider: Provider, write: bool) -> Temporary:
    """Return the error for a request without a whole answer.

    Args:
        exc: what requests (or an adapter under it) raised.
        provider: who was asked.
        write: whether the request changes something. It may have taken effect, unless no connection was made.
    """
    unsent = _never_sent(exc)
    how = "could not be reached" if unsent else "gave no complete answer"
    return Temporary(
        f"{_NAMES[provider]} {how} ({type(exc).__name__}); it is tried again later.",
        provider=provider,
        answer=Answer(reason=type(exc).__name__),
        maybe_applied=write and not unsent,
    )


def json_object(response: requests.Response, *, provider: Provider, write: bool) -> dict[str, Any]:
    """Return the object in the body of a success; a 204 is an empty one.

    Raises:
        Temporary: the body is anything else, as a captive portal or a cut connection leaves it.
    """
    if response.status_code == 204:
        return {}
    value = _json(response)
    if not isinstance(value, dict):
        raise _no_json(response, provider, write)
    return value


def json_list(response: requests.Response, *, provider: Provider) -> list[dict[str, Any]]:
    """Return the objects of a success whose body is a bare list; what is no object in it is passed over.

    Raises:
        Temporary: the body is anything else.
    """
    value = _json(response)
    if not isinstance(value, list):
        raise _no_json(response, provider, False)
    return [item for item in value if isinstance(item, dict)]


def _server_fault(answer: Answer, told: Told, write: bool) -> RemoteError:
    if _BAD_BODY.search(told.text or answer.text):
        # Seen as 500 though the sent body is the cause; trying again cannot help.
        return Refused(f"Confluence cannot read the text{_quoted(told)}.", provider="atlassian", answer=answer)
    return Temporary(
        f"Confluence has a fault of its own ({answer.status}); it is tried again later.",
        provider="atlassian",
        answer=answer,
        maybe_applied=write,
    )


def _unauthorized(response: requests.Response, answer: Answer, told: Told, scope: str) -> RemoteError:
    category = response.headers.get("X-Failure-Category", "")
    if category == "FAILURE_CLIENT_SCOPE_CHECK" or _SCOPE_GATE in told.text:
        name = f" ({scope})" if scope else ""
        return NeedsConsent(
            f"The connection to Confluence lacks a permission{name}. Connect Confluence again and allow it.",
            provider="atlassian",
            answer=answer,
            scope=scope,
            reason="scope",
        )
    if category == "FAILURE_CLIENT_AUTH_MISMATCH":
        return CredentialRefused(
            "Confluence does not take this kind of credential.", provider="atlassian", answer=answer
        )
    return TokenExpired("Confluence no longer accepts the access token.", provider="atlassian", answer=answer)


def _forbidden(answer: Answer, told: Told) -> RemoteError:
    said = told.text or answer.text
    if _REFUSED_CREDENTIAL.search(said):
        return CredentialRefused("Confluence does not let this person in at all.", provider="atlassian", answer=answer)
    if "xsrf check failed" in said.lower():
        return Refused("Confluence took the upload for a forged one.", provider="atlassian", answer=answer)
    if not told.json and said.lstrip().startswith("<"):
        return Temporary(
            "Something between here and Confluence answered 403; it is tried again later.",
            provider="atlassian",
            answer=answer,
        )
    return PersonMustAct(f"Confluence does not permit it{_quoted(told)}.", provider="atlassian", answer=answer)


def _missing(answer: Answer, told: Told) -> RemoteError:
    if told.text in ("", "Not Found"):
        # Measured: a refused credential looks so on v2. It never means that a page is gone.
        return CredentialRefused(
            "Confluence answered a bare Not Found, as it does when a connection is no longer accepted.",
            provider="atlassian",
            answer=answer,
        )
    return NotFound(
        f"Confluence does not have it, or does not show it to this person{_quoted(told)}.",
        provider="atlassian",
        answer=answer,
    )


def _objection(status: int, answer: Answer, told: Told) -> RemoteError:
    said = told.text or answer.text
    if _NAME_TAKEN.search(said):
        return NameTaken("A file of that name stands on the page already.", provider="atlassian", answer=answer)
    if _STALE_VERSION.search(said):
        return Conflict("Somebody else changed it in between.", provider="atlassian", answer=answer)
    if _TITLE_TAKEN.search(said) and not _PROPERTY.search(said):
        return TitleTaken("The title stands in the space already.", provider="atlassian", answer=answer)
    if status == 409 or _PROPERTY.search(said):
        return Conflict(f"It was changed in between{_quoted(told)}.", provider="atlassian", answer=answer)
    return Refused(f"Confluence refused the request (400){_quoted(told)}.", provider="atlassian", answer=answer)


def _never_sent(exc: Exception) -> bool:
    if isinstance(exc, (requests.ConnectTimeout, requests.exceptions.ProxyError, ConnectionRefusedError)):
        return True
    if isinstance(exc, (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema)):
        return True
    reason: object = exc
    for _ in range(4):
        if isinstance(reason, (NewConnectionError, ConnectTimeoutError, ProxyError, ConnectionRefusedError)):
            return True
        if "CERTIFICATE_VERIFY_FAILED" in str(reason):
            return True
        inner = getattr(reason, "reason", None) or next(iter(getattr(reason, "args", ())), None)
        if inner is None or inner is reason:
            return False
        reason = inner
    return False


def _no_json(response: requests.Response, provider: Provider, write: bool) -> Temporary:
    return Temporary(
        f"{_NAMES[provider]} answered {response.status_code} with something unreadable; it is tried again later.",
        provider=provider,
        answer=Answer(status=response.status_code, reason="not JSON", text=response.text[:TEXT_KEPT]),
        maybe_applied=write,
    )


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _told(response: requests.Response) -> Told:
    value = _json(response)
    if not isinstance(value, dict):
        return Told()
    errors = value.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        first = errors[0]
        text = " ".join(str(first[key]) for key in ("title", "detail") if first.get(key))
        return Told(text=text.strip(), code=str(first.get("code") or ""), json=True)
    message = str(value.get("message") or "")
    code = str(value.get("reason") or value.get("code") or value.get("statusCode") or "")
    return Told(text=_JAVA_CLASS.sub("", message).strip(), code=code, json=True)


def _quoted(told: Told) -> str:
    text = " ".join(told.text.split())[:200].rstrip(".")
    return f': "{text}"' if text else ""


def _pause_sentence(seconds: float | None) -> str:
    if seconds is None:
        return "Confluence asks for a pause."
    return f"Confluence asks for a pause of {seconds:.0f} seconds."
