"""What the model judges by, as values: what stands, who asked for what on the way there, what waits, what befell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Request:
    """A request to Confluence that was to change something.

    ``page`` is the id of the page or post that it was about, ``mail`` the Message-ID that its text links to first,
    ``words`` those in what was sent. ``took_effect`` says whether it changed anything; ``answered`` whether whoever
    asked could read in the answer what came of it, ``status`` is 0 for none. ``readers`` are who alone could see the
    page right after, empty for everybody of the space. ``publishes`` is true for a page's step from draft to
    published, and ``draft`` for the making of one; ``space`` and ``parent`` say where its page was made.
    """

    at: datetime
    person: str
    operation: str
    page: str
    took_effect: bool
    answered: bool = True
    status: int = 200
    mail: str = ""
    words: frozenset[str] = frozenset()
    readers: tuple[str, ...] = ()
    publishes: bool = False
    draft: bool = False
    late: bool = False
    space: str = ""
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """One request with a person's token, to either service."""

    at: datetime
    person: str
    service: str
    status: int


@dataclass(frozen=True, slots=True)
class Refresh:
    """A request for new tokens: ``token`` is a digest of the refresh token, ``answered`` as a request's."""

    at: datetime
    person: str
    token: str
    answered: bool


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a page's text, or of a file's bytes; ``author`` is an address."""

    number: int
    author: str
    digest: str


@dataclass(frozen=True, slots=True)
class StandingComment:
    """A comment; ``mail`` is the Message-ID that it links to first, '' for one that people wrote by hand."""

    id: str
    at: datetime
    author: str
    parent: str
    mail: str
    key: str
    words: frozenset[str]
    digest: str


@dataclass(frozen=True, slots=True)
class StandingFile:
    """A file on a page, with all its versions."""

    name: str
    versions: tuple[Version, ...]


@dataclass(frozen=True, slots=True)
class StandingPage:
    """A page or a blog post, published or not. ``mail`` is as a comment's.

    ``space`` and ``parent`` are where it was made ('' for what people made by hand, wherever it is now); ``private``
    says that nobody but its author could see it when it was published. ``words`` are those of every version, of the
    titles and of unpublished edits.
    """

    id: str
    kind: str
    status: str
    author: str
    space: str
    parent: str
    private: bool
    mail: str
    words: frozenset[str]
    readers: tuple[str, ...]
    versions: tuple[Version, ...]
    comments: tuple[StandingComment, ...] = ()
    files: tuple[StandingFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """A row of ``mailbridge status``: what waits, and whose move it is ("person", "operator", "time")."""

    address: str
    thread: str
    whose: str
    reason: str
    what: str


@dataclass(frozen=True, slots=True)
class Upset:
    """What befell the bridge's computer, for so many seconds; ``copied_at`` is of a database that was put back."""

    at: datetime
    kind: str
    seconds: float = 0.0
    copied_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the model judges by, beside what people did.

    ``unseen`` are the people and pages where a person was told that a page is not there, or not for them, ``unread``
    the people to whom Gmail did not give a file of theirs. ``refused`` counts the requests that a service refused
    because a quota was used up.
    """

    at: datetime
    pages: tuple[StandingPage, ...] = ()
    requests: tuple[Request, ...] = ()
    uses: tuple[Use, ...] = ()
    refreshes: tuple[Refresh, ...] = ()
    unseen: frozenset[tuple[str, str]] = frozenset()
    unread: frozenset[str] = frozenset()
    waits: tuple[Wait, ...] = ()
    upsets: tuple[Upset, ...] = ()
    refused: int = 0
