"""Every error that the bridge raises on purpose, as one tree.

    BridgeError                     a sentence for a person: what happened and what to do
    ├── ConfigError                 the configuration file or a secret is wrong (exit code 2)
    ├── StoreError                  the database cannot be used
    │   ├── SchemaTooNew            written by a newer program (exit code 78)
    │   ├── StoreDamaged            its file is damaged (exit code 65)
    │   └── StoreLocked             another process holds it (exit code 11)
    ├── SealError                   a sealed value does not open with the keys at hand
    ├── WrongAccount                somebody else signed in than the one who was expected
    ├── ConsentFailed               a consent was refused, is too old or was answered twice
    └── RemoteError                 Google or Atlassian answered, or failed to
        ├── Temporary               try again later: connection, time-out, 5xx, an answer that is no JSON object
        │   └── RateLimited         429 and Google's rate reasons; says whose pause it is
        ├── TokenExpired            401 of a token past its time: refresh once, repeat once
        ├── NeedsConsent            only the person can mend it: connect again, or allow a scope
        ├── CredentialRefused       bare "Not Found" or "cannot access": probe the grant, keep everything
        ├── OperatorMustAct         the client secret is wrong or an API is switched off: all of a provider waits
        ├── PersonMustAct           403, or a 404 that names its object: permission, space, parent
        │   └── NotFound            the 404 half of it
        ├── Refused                 400: the request itself is wrong
        │   ├── TitleTaken          the title stands in the space already
        │   └── NameTaken           an attachment of that name stands on the page already
        ├── Conflict                409: read again, plan again
        └── TooLarge                413 or the site's limit for one file

Answers are mapped to these classes in ``bridge.http`` (Atlassian, both token endpoints) and ``bridge.gmail.answers``
(Gmail, whose client library has an error type of its own); ``bridge.sync.failures`` has what follows from each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Provider = Literal["google", "atlassian"]
PauseScope = Literal["mailbox", "person", "site", "app"]


class BridgeError(Exception):
    """A sentence for a person: what happened and what to do."""


class ConfigError(BridgeError):
    """The configuration file or a secret that it names is wrong."""


class StoreError(BridgeError):
    """The database cannot be used."""


class SchemaTooNew(StoreError):
    """The database was written by a newer version of the program."""


class StoreDamaged(StoreError):
    """The file of the database is damaged; it is left as it is."""


class StoreLocked(StoreError):
    """Another process holds the database."""


class SealError(BridgeError):
    """A sealed value does not open with the keys at hand."""


class WrongAccount(BridgeError):
    """Somebody else signed in than the one who was expected."""


class ConsentFailed(BridgeError):
    """A consent was refused, is too old or was answered twice."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is kept of a failed HTTP answer, safe to log and to store.

    ``status`` is the HTTP status, 0 where no answer came. ``reason`` is the provider's own code or title, ``text`` the
    body cut to 500 characters (never of a token endpoint), ``request_id`` the provider's trace id.
    """

    status: int = 0
    reason: str = ""
    text: str = ""
    request_id: str = ""


class RemoteError(BridgeError):
    """Google or Atlassian answered with a failure, or did not answer.

    Args:
        message: a sentence for a person.
        provider: whose answer it is.
        answer: what is kept of it.
        maybe_applied: true where a request that changes something was sent and may have taken effect although its
            answer was lost; such a write is looked for before it is sent again.
    """

    def __init__(
        self, message: str, *, provider: Provider, answer: Answer = Answer(), maybe_applied: bool = False
    ) -> None:
        super().__init__(message)
        self.provider: Provider = provider
        self.answer = answer
        self.maybe_applied = maybe_applied


class Temporary(RemoteError):
    """Try again later."""


class RateLimited(Temporary):
    """A limit was reached; ``retry_after`` is in seconds (None: not said), ``scope`` whose pause it is."""

    def __init__(
        self,
        message: str,
        *,
        provider: Provider,
        answer: Answer = Answer(),
        retry_after: float | None = None,
        scope: PauseScope = "person",
    ) -> None:
        super().__init__(message, provider=provider, answer=answer)
        self.retry_after = retry_after
        self.scope: PauseScope = scope


class TokenExpired(RemoteError):
    """The access token is past its time."""


class NeedsConsent(RemoteError):
    """Only the person can mend it, by connecting again; ``scope`` names a missing scope, or is ''."""

    def __init__(
        self, message: str, *, provider: Provider, answer: Answer = Answer(), scope: str = "", reason: str = ""
    ) -> None:
        super().__init__(message, provider=provider, answer=answer)
        self.scope = scope
        self.reason = reason


class CredentialRefused(RemoteError):
    """The credential itself may be refused: probe it before anything is concluded."""


class OperatorMustAct(RemoteError):
    """The operator's client secret or project is wrong: all of that provider waits."""


class PersonMustAct(RemoteError):
    """A permission, a space or a parent is missing."""


class NotFound(PersonMustAct):
    """A 404 that names its object: gone, or invisible to this person."""


class Refused(RemoteError):
    """400: the request itself is wrong."""


class TitleTaken(Refused):
    """The title stands in the space already."""


class NameTaken(Refused):
    """An attachment of that name stands on the page already."""


class Conflict(RemoteError):
    """409: somebody else changed it in between."""


class TooLarge(RemoteError):
    """413, or over the site's limit for one file."""
