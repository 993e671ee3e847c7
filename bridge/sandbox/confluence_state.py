"""What stands in the sandbox's Confluence: people, sites, spaces, pages, comments, files; plain values to read."""

from __future__ import annotations

import copy
import hashlib
import itertools
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from bridge.sandbox.confluence_switches import Switches
from bridge.sandbox.core import Core

Status = Literal["current", "draft", "archived", "trashed"]
Kind = Literal["page", "blogpost"]
Permission = Literal["view", "page", "comment", "attach", "restrict", "delete", "admin"]

EVERYTHING: frozenset[Permission] = frozenset({"view", "page", "comment", "attach", "restrict", "delete"})
"""What everybody may do in an open space: see it, add and edit pages, comments and files, restrict, delete."""


@dataclass
class Person:
    """Somebody with an Atlassian account. ``sites`` are the cloud ids that the account may use."""

    address: str
    name: str
    account_id: str
    sites: list[str] = field(default_factory=list)


@dataclass
class Site:
    """One Confluence site."""

    cloud_id: str
    name: str
    url: str


@dataclass
class Space:
    """A space. ``default`` is what everybody may do, ``people`` what one account may do instead."""

    id: str
    key: str
    name: str
    site: str
    created_at: datetime
    homepage_id: str = ""
    kind: str = "global"
    status: str = "current"
    default: frozenset[Permission] = EVERYTHING
    people: dict[str, frozenset[Permission]] = field(default_factory=dict)


@dataclass
class Version:
    """One saved state of a page or a comment; ``body`` is storage format as read back."""

    number: int
    author: str
    at: datetime
    title: str
    body: str
    message: str = ""


@dataclass
class Property:
    """One content property."""

    id: str
    key: str
    value: Any
    number: int
    author: str
    at: datetime
    message: str = ""


@dataclass
class Restriction:
    """Who alone may do something with a page: account ids and group ids; both empty means everybody."""

    users: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Tell whether anybody is kept out."""
        return bool(self.users or self.groups)


@dataclass
class Label:
    """A label on a page."""

    id: str
    name: str
    prefix: str = "global"


@dataclass
class Page:
    """A page or a blog post. ``draft`` holds unpublished edits of something that is already published."""

    id: str
    kind: Kind
    space: str
    author: str
    created_at: datetime
    status: Status
    versions: list[Version]
    parent: str = ""
    is_home: bool = False
    draft: Version | None = None
    labels: dict[str, Label] = field(default_factory=dict)
    properties: dict[str, Property] = field(default_factory=dict)
    read: Restriction = field(default_factory=Restriction)
    update: Restriction = field(default_factory=Restriction)

    @property
    def version(self) -> Version:
        """The latest version."""
        return self.versions[-1]

    @property
    def title(self) -> str:
        """The title of the latest version."""
        return self.version.title

    @property
    def body(self) -> str:
        """The body of the latest version."""
        return self.version.body


@dataclass
class Comment:
    """A footer comment.

    ``parent`` is the comment that it answers; ``unseen`` counts the coming listings that still miss it.
    """

    id: str
    page: str
    author: str
    created_at: datetime
    versions: list[Version]
    parent: str = ""
    unseen: int = 0
    properties: dict[str, Property] = field(default_factory=dict)

    @property
    def version(self) -> Version:
        """The latest version."""
        return self.versions[-1]

    @property
    def body(self) -> str:
        """The body of the latest version."""
        return self.version.body


@dataclass
class FileVersion:
    """The bytes of one version of a file."""

    number: int
    author: str
    at: datetime
    data: bytes = field(repr=False)
    comment: str = ""
    minor: bool = False

    @property
    def sha256(self) -> str:
        """The digest of the bytes, hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass
class Attachment:
    """A file on a page; ``half`` marks an upload that broke off and left only the name."""

    id: str
    page: str
    name: str
    media_type: str
    file_id: str
    created_at: datetime
    versions: list[FileVersion]
    status: Status = "current"
    half: bool = False
    properties: dict[str, Property] = field(default_factory=dict)

    @property
    def version(self) -> FileVersion:
        """The latest version."""
        return self.versions[-1]

    @property
    def sha256(self) -> str:
        """The digest of the latest bytes."""
        return self.version.sha256


_WRITTEN = ("spaces", "content", "comments", "attachments", "tasks", "_titles", "_comments_on", "_files_on")


class Wiki:
    """Everything that stands, and the numbers that new things get."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.switches = Switches()
        self.people: dict[str, Person] = {}
        self.groups: dict[str, set[str]] = {}
        self.sites: dict[str, Site] = {}
        self.spaces: dict[str, Space] = {}
        self.content: dict[str, Page] = {}
        self.comments: dict[str, Comment] = {}
        self.attachments: dict[str, Attachment] = {}
        self.tasks: dict[str, datetime] = {}
        self._titles: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._comments_on: dict[str, list[str]] = defaultdict(list)
        self._files_on: dict[str, list[str]] = defaultdict(list)
        self._content_ids = itertools.count(1001)
        self._other_ids = itertools.count(65537)

    def memory(self) -> dict[str, Any]:
        """Return a copy of everything that people and programs wrote, for ``remembering``."""
        return copy.deepcopy({name: getattr(self, name) for name in _WRITTEN})

    @contextmanager
    def remembering(self, memory: dict[str, Any]) -> Iterator[None]:
        """Have a copy stand in the place of what stands, for as long as the ``with`` block lasts."""
        stands = {name: getattr(self, name) for name in _WRITTEN}
        vars(self).update(memory)
        try:
            yield
        finally:
            vars(self).update(stands)

    def now(self) -> datetime:
        """Return the instant by the sandbox's clock."""
        return self.core.clock.now()

    def content_id(self) -> str:
        """Return the next id for a page, a comment or a file (decimal digits)."""
        return str(next(self._content_ids))

    def other_id(self) -> str:
        """Return the next id for a space, a label or a property (decimal digits)."""
        return str(next(self._other_ids))

    def uuid(self) -> str:
        """Return a UUID by the sandbox's chance."""
        return str(uuid.UUID(int=self.core.random.getrandbits(128), version=4))

    def person_by_account(self, account_id: str) -> Person | None:
        """Return the person with an account id."""
        return next((person for person in self.people.values() if person.account_id == account_id), None)

    def space_by_key(self, key: str, site: str | None = None) -> Space | None:
        """Return the space with a key, upper and lower case being the same."""
        for space in self.spaces.values():
            if space.key.casefold() == key.casefold() and site in (None, space.site):
                return space
        return None

    def site_of(self, page: Page) -> Site:
        """Return the site that a page stands on."""
        return self.sites[self.spaces[page.space].site]

    def children(self, page_id: str, statuses: Iterable[str] = ("current", "archived")) -> list[Page]:
        """Return the direct children of a page, in the order in which they were made."""
        wanted = frozenset(statuses)
        return [page for page in self.content.values() if page.parent == page_id and page.status in wanted]

    def ancestors(self, page: Page) -> Iterator[Page]:
        """Yield the pages above one, nearest first."""
        seen = {page.id}
        above = self.content.get(page.parent)
        while above is not None and above.id not in seen:
            yield above
            seen.add(above.id)
            above = self.content.get(above.parent)

    def comments_on(self, page_id: str) -> list[Comment]:
        """Return every comment on a page, replies too, oldest first."""
        return [self.comments[held] for held in self._comments_on.get(page_id, ()) if held in self.comments]

    def files_on(self, page_id: str) -> list[Attachment]:
        """Return the files on a page that are not in the trash."""
        return [file for file in self.attachments_of(page_id) if file.status != "trashed"]

    def attachments_of(self, page_id: str) -> list[Attachment]:
        """Return every file on a page, those in the trash too."""
        return [self.attachments[held] for held in self._files_on.get(page_id, ()) if held in self.attachments]

    def media_token(self, file_id: str, number: int) -> str:
        """Return the token that the media address of one version of a file wants."""
        return hashlib.sha256(f"{file_id}/{number}".encode()).hexdigest()

    def put_page(self, page: Page) -> None:
        """Keep a new page."""
        self.content[page.id] = page
        self.note_title(page)

    def note_title(self, page: Page) -> None:
        """Have a page found by its title; call after every change of it."""
        self._titles[(page.space, page.title.casefold())].add(page.id)

    def put_comment(self, comment: Comment) -> None:
        """Keep a new comment."""
        self.comments[comment.id] = comment
        self._comments_on[comment.page].append(comment.id)

    def put_file(self, file: Attachment) -> None:
        """Keep a new file."""
        self.attachments[file.id] = file
        self._files_on[file.page].append(file.id)

    def titled(self, space: str, title: str) -> list[Page]:
        """Return whatever has a title in a space, upper and lower case being the same, in the order of ids."""
        folded = title.casefold()
        held = (self.content.get(page) for page in self._titles.get((space, folded), ()))
        return sorted(
            (page for page in held if page and page.title.casefold() == folded), key=lambda page: int(page.id)
        )

    def title_holder(self, space: str, kind: Kind, title: str, but: str = "") -> Page | None:
        """Return what already has a title in a space: current and archived ones, trashed ones by a switch."""
        statuses = {"current", "archived"} | ({"trashed"} if self.switches.trashed_titles_taken else set())
        for page in self.titled(space, title):
            if page.id != but and page.kind == kind and page.status in statuses:
                return page
        return None

    def drop(self, page: Page) -> None:
        """Remove a page for good, with its comments and files; its children move up."""
        for child in self.content.values():
            if child.parent == page.id:
                child.parent = page.parent
        for comment in self._comments_on.pop(page.id, []):
            self.comments.pop(comment, None)
        for file in self._files_on.pop(page.id, []):
            self.attachments.pop(file, None)
        del self.content[page.id]
