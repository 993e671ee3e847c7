"""The table from an answer of a token endpoint to an error class.

The status is read from the answer itself: the OAuth libraries' exceptions carry a constant 400, take a 500 with an
``invalid_grant`` body for a lost grant, and cannot tell an HTML page from a missing token. Nothing of a token
endpoint's body is kept but its error code.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import requests

from bridge.errors import Answer, NeedsConsent, OperatorMustAct, Provider, RateLimited, RemoteError, Temporary
from bridge.http.pauses import retry_after

_NAMES: dict[Provider, str] = {"google": "Google", "atlassian": "Atlassian"}
_SETTINGS: dict[Provider, str] = {"google": "[google]", "atlassian": "[atlassian]"}
_TEMPORARY_CODES = frozenset({"temporarily_unavailable", "server_error", "internal_failure", "slow_down"})
_RATE_CODES = frozenset({"rate_limit_exceeded", "rateLimitExceeded"})
_OPERATOR_CODES = frozenset(
    {"invalid_client", "redirect_uri_mismatch", "unsupported_grant_type", "invalid_scope", "deleted_client"}
)
_ADMIN_CODES = frozenset({"admin_policy_enforced", "org_internal"})


def token_error(provider: Provider, response: requests.Response, now: datetime) -> RemoteError:
    """Return the error for an answer of a token endpoint that brought no token.

    A failure that the table does not know is temporary, so that no grant is given up by mistake. A server's fault at
    Atlassian may have rotated the refresh token: then ``maybe_applied`` is true.

    Args:
        provider: whose endpoint it is.
        response: the answer; also a 200 whose body holds no access token.
        now: the instant, for a pause that is given as one.
    """
    code, hint = _code(response)
    answer = Answer(status=response.status_code, reason=code)
    status, name = response.status_code, _NAMES[provider]
    if status == 429 or code in _RATE_CODES:
        seconds = retry_after(response.headers, now)
        return RateLimited(
            f"{name} asks for a pause before it gives another token.",
            provider=provider,
            answer=answer,
            retry_after=seconds,
            scope="app",
        )
    if status >= 500 or status < 400 or not code or code in _TEMPORARY_CODES:
        return Temporary(
            f"{name} gave no token ({status}); it is tried again later.",
            provider=provider,
            answer=answer,
            maybe_applied=provider == "atlassian" and (status >= 500 or status < 300),
        )
    if code in _OPERATOR_CODES or (code == "access_denied" and status == 401):
        return OperatorMustAct(
            f"{name} does not accept this program's client id, secret or redirect URL ({code}). "
            f"Put the right ones into the section {_SETTINGS[provider]} of the configuration.",
            provider=provider,
            answer=answer,
        )
    if code in ("invalid_grant", "unauthorized_client", "access_denied") or code in _ADMIN_CODES:
        return _consent(provider, answer, code, hint)
    return Temporary(
        f"{name} gave no token ({status}, {code}); it is tried again later.", provider=provider, answer=answer
    )


def _consent(provider: Provider, answer: Answer, code: str, hint: str) -> NeedsConsent:
    product = "Gmail" if provider == "google" else "Confluence"
    if "rapt" in hint:
        return NeedsConsent(
            "The company's Google settings end connections after some hours. Connect Gmail again; "
            "an administrator can exempt this program under Google Cloud session control.",
            provider=provider,
            answer=answer,
            reason="rapt",
        )
    if code in _ADMIN_CODES:
        return NeedsConsent(
            f"An administrator blocks this program. Ask them to allow it, then connect {product} again.",
            provider=provider,
            answer=answer,
            reason="admin",
        )
    return NeedsConsent(
        f"{_NAMES[provider]} ended the connection. Connect {product} again.",
        provider=provider,
        answer=answer,
        reason=code,
    )


def _code(response: requests.Response) -> tuple[str, str]:
    """Return the error code, and what says more about it (in lower case, never kept)."""
    try:
        value: Any = response.json()
    except ValueError:
        return "", ""
    if not isinstance(value, dict):
        return "", ""
    hint = f"{value.get('error_subtype', '')} {value.get('error_description', '')}".lower()
    code = value.get("error")
    return (code if isinstance(code, str) else ""), hint
