"""What the sandbox writes down of every request, so that a test can count them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as the sandbox saw it, and its answer.

    ``service`` is "google" or "atlassian"; ``operation`` the official document's name ("gmail.users.threads.get",
    "createPage"), '' where no operation matched; ``person`` the address whose token came ('' for none); ``write`` is
    true where the request changed what a person could see in Gmail or Confluence. ``status`` is 0 where no answer
    came; ``late`` is true for the effect, some time after, of a request that stands in the journal before.
    """

    at: datetime
    service: str
    operation: str
    method: str
    path: str
    query: str
    person: str
    status: int
    write: bool
    request_headers: dict[str, str] = field(repr=False, default_factory=dict)
    request_body: bytes = field(repr=False, default=b"")
    response_headers: dict[str, str] = field(repr=False, default_factory=dict)
    response_body: bytes = field(repr=False, default=b"")
    late: bool = False


class Journal:
    """Every request in order, so that a test can count them.

    Args:
        keep_bytes: how much of each body is kept.
        keep: how many requests are kept at least, the newest; None keeps all. Marks stay good: what is gone is missing
            from ``since``. Bound it, and keep no bytes, where a run makes very many requests.
    """

    def __init__(self, keep_bytes: int = 1 << 20, keep: int | None = None) -> None:
        self.seen: list[Seen] = []
        self.keep_bytes = keep_bytes
        self.keep = keep
        self.gone = 0

    def add(self, seen: Seen) -> None:
        """Write one down."""
        self.seen.append(seen)
        if self.keep is not None and len(self.seen) > 2 * self.keep:
            self.gone += len(self.seen) - self.keep
            self.seen = self.seen[-self.keep :] if self.keep else []

    def mark(self) -> int:
        """Return a place in the journal, for ``since``."""
        return self.gone + len(self.seen)

    def since(self, mark: int = 0) -> list[Seen]:
        """Return what came after a mark."""
        return self.seen[max(0, mark - self.gone) :]

    def writes(self, mark: int = 0) -> list[Seen]:
        """Return the requests after a mark that changed Gmail or Confluence."""
        return [seen for seen in self.since(mark) if seen.write]


def headers_of(environ: WSGIEnvironment) -> dict[str, str]:
    """Return a request's headers; werkzeug's own view of them is ten times slower to copy."""
    return {name: value for key, value in environ.items() if (name := _header(key))}


@lru_cache(maxsize=512)
def _header(key: str) -> str:
    """Return the header that a key of an environ stands for, '' where it is none."""
    if key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        return key.replace("_", "-").title()
    return key[5:].replace("_", "-").title() if key.startswith("HTTP_") else ""
