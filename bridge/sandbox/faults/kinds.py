"""What a kind of fault is, and what it sees of the request that it strikes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from werkzeug.wrappers import Request, Response

from bridge.sandbox.core import Core, Service

Effect = Literal["none", "took effect", "half", "later", "nothing happened but said so"]

AUTHORIZE = frozenset({"google.oauth.authorize", "atlassian.oauth.authorize"})
TOKEN = frozenset({"google.oauth.token", "atlassian.oauth.token"})
_BEARER = frozenset({"google.oauth.userinfo", "atlassian.me", "atlassian.oauth.resources"})
_BARE = frozenset({"atlassian.media", "google.oauth.revoke"})


class FaultError(ValueError):
    """A fault that was described wrongly; the message is a sentence for the person who wrote it."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request at the moment that a fault may strike it.

    ``service`` is the half that would answer; ``argument`` what stands after ``=`` in the rule, '' for nothing;
    ``memory`` is the rule's own, kept from one request to the next.
    """

    core: Core
    service: Service
    request: Request
    operation: str
    person: str
    argument: str = ""
    memory: dict[Any, Any] = field(default_factory=dict, repr=False)
    lasting: bool = False

    @property
    def google(self) -> bool:
        """Whether it goes to Google."""
        return self.service.name == "google"

    @property
    def family(self) -> str:
        """Of Confluence's two APIs the one that is asked: "v2", "v1", '' for what is neither."""
        path = self.request.path
        return "v2" if "/wiki/api/v2/" in path else "v1" if "/wiki/rest/api/" in path else ""

    @property
    def seconds(self) -> float:
        """The argument as seconds."""
        return float(self.argument)


Outcome = Response | bool
"""An answer in the service's place; True: it struck, and the service answers; False: it had nothing to strike."""

Before = Callable[[Visit], Outcome]
After = Callable[[Visit, Response], Outcome]
Applies = Callable[[str, str, str], bool]


def _any(text: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault.

    Attributes:
        name: how a rule names it.
        words: what happens, in one sentence.
        effect: what becomes of the request that is struck.
        applies: tells by service ("google", "atlassian"), method and operation which requests it can befall.
        before: strikes before the service is asked; may raise ``Dropped``.
        after: strikes once it has answered; likewise.
        watch: is shown every request of every person first, also those that the rule does not strike.
        unit: what its argument is, '' where it takes none.
        default: the argument where a rule gives none; '' where it may be left out.
        takes: whether an argument is a good one.
    """

    name: str
    words: str
    effect: Effect
    applies: Applies
    before: Before | None = None
    after: After | None = None
    watch: Callable[[Visit], None] | None = None
    unit: str = ""
    default: str = ""
    takes: Callable[[str], bool] = _any


def every(service: str, method: str, operation: str) -> bool:
    """Any request that a program makes; the pages at which a person consents are none."""
    return bool(operation) and operation not in AUTHORIZE


def with_body(service: str, method: str, operation: str) -> bool:
    """A request that a JSON body answers."""
    return every(service, method, operation) and method != "DELETE" and operation not in _BARE


def api(service: str, method: str, operation: str) -> bool:
    """A request with an access token, to Gmail or to Confluence."""
    return operation.startswith("gmail.") or confluence(service, method, operation)


def bearer(service: str, method: str, operation: str) -> bool:
    """A request with an access token, to whomever."""
    return api(service, method, operation) or operation in _BEARER


def gmail(service: str, method: str, operation: str) -> bool:
    """A request to Gmail."""
    return operation.startswith("gmail.")


def confluence(service: str, method: str, operation: str) -> bool:
    """A request to Confluence, v2 or v1."""
    return service == "atlassian" and bool(operation) and not operation.startswith("atlassian.")


def tokens(service: str, method: str, operation: str) -> bool:
    """A request to a token endpoint."""
    return operation in TOKEN


def atlassian_tokens(service: str, method: str, operation: str) -> bool:
    """A request to Atlassian's token endpoint."""
    return operation == "atlassian.oauth.token"


def seconds_between(least: float, most: float) -> Callable[[str], bool]:
    """Return a check that a text is a number of seconds in a range."""

    def takes(text: str) -> bool:
        try:
            return least <= float(text) <= most
        except ValueError:
            return False

    return takes
