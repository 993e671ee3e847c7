"""What people do in the sandbox's Confluence with their own hands, and what a test may look at; no HTTP.

People are named by address, spaces by key, pages, comments and files by id. Every method takes the sandbox's lock, so
that a test may act while requests are served.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from bridge.sandbox import storage
from bridge.sandbox.confluence_comments import remove
from bridge.sandbox.confluence_snapshot import snapshot
from bridge.sandbox.confluence_state import (
    EVERYTHING,
    Attachment,
    Comment,
    FileVersion,
    Kind,
    Page,
    Permission,
    Person,
    Restriction,
    Site,
    Space,
    Status,
    Version,
    Wiki,
)

P = ParamSpec("P")
T = TypeVar("T")


def locked(
    method: Callable[Concatenate[PeopleSide, P], T],
) -> Callable[Concatenate[PeopleSide, P], T]:
    """Have a method run under the sandbox's lock."""

    @wraps(method)
    def run(self: PeopleSide, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self.wiki.core.lock:
            return method(self, *args, **kwargs)

    return run


class PeopleSide:
    """The wiki seen by its people and by tests."""

    def __init__(self, wiki: Wiki) -> None:
        self.wiki = wiki

    @locked
    def add_site(self, name: str, url: str = "") -> Site:
        """Make a site; without ``url`` it is a path of the base address."""
        site = Site(self.wiki.uuid(), name, url or f"{self.wiki.core.base_url}/{name}")
        self.wiki.sites[site.cloud_id] = site
        return site

    @locked
    def add_person(
        self, address: str, name: str, account_id: str = "", *, sites: Iterable[Site] | None = None
    ) -> Person:
        """Make somebody who may use the given sites; the first site where none are given."""
        chosen = list(self.wiki.sites.values())[:1] if sites is None else list(sites)
        account = account_id or f"557058:{self.wiki.uuid()}"
        person = Person(address.lower(), name, account, [site.cloud_id for site in chosen])
        self.wiki.people[person.address] = person
        return person

    def person(self, address: str) -> Person:
        """Return the person with an address; KeyError where there is none."""
        return self.wiki.people[address.lower()]

    @locked
    def add_group(self, group_id: str, people: Iterable[str]) -> None:
        """Make a group of people, for restrictions."""
        self.wiki.groups[group_id] = {self.person(address).account_id for address in people}

    @locked
    def add_space(self, key: str, name: str, *, open_to_all: bool = True, site: Site | None = None) -> Space:
        """Make a space with its homepage; a closed one lets nobody in until ``allow``."""
        now, wiki = self.wiki.now(), self.wiki
        owner = site or next(iter(wiki.sites.values()))
        default = EVERYTHING if open_to_all else frozenset[Permission]()
        space = Space(wiki.other_id(), key, name, owner.cloud_id, now, default=default)
        first = Version(1, "", now, name, "")
        home = Page(wiki.other_id(), "page", space.id, "", now, "current", [first], is_home=True)
        space.homepage_id = home.id
        wiki.spaces[space.id] = space
        wiki.put_page(home)
        return space

    @locked
    def allow(self, key: str, person: str, permissions: Iterable[Permission] = EVERYTHING) -> None:
        """Let a person do exactly these things in a space, whatever it lets everybody do."""
        self._space(key).people[self.person(person).account_id] = frozenset(permissions)

    @locked
    def forbid(self, key: str, person: str, *permissions: Permission) -> None:
        """Take these permissions in a space from a person; all of them where none are named."""
        space, account = self._space(key), self.person(person).account_id
        held = space.people.get(account, space.default)
        space.people[account] = held - frozenset(permissions) if permissions else frozenset()

    def _space(self, key: str) -> Space:
        space = self.wiki.space_by_key(key)
        if space is None:
            raise KeyError(key)
        return space

    @locked
    def create_page(
        self,
        person: str,
        key: str,
        title: str,
        body: str = "",
        *,
        parent: str | None = None,
        kind: Kind = "page",
        status: Status = "current",
    ) -> Page:
        """Have a person make a page or a blog post; ``parent`` None puts it below the homepage, '' at the top."""
        space, now = self._space(key), self.wiki.now()
        if status == "current" and self.wiki.title_holder(space.id, kind, title) is not None:
            raise ValueError(f"{title!r} is taken in {key}")
        account = self.person(person).account_id
        version = Version(1, account, now, title, storage.saved(body, self.wiki.uuid))
        above = "" if kind == "blogpost" else space.homepage_id if parent is None else parent
        page = Page(self.wiki.content_id(), kind, space.id, account, now, status, [version], above)
        self.wiki.put_page(page)
        return page

    @locked
    def edit_page(self, person: str, page_id: str, body: str | None = None, *, title: str | None = None) -> None:
        """Have a person publish a new version with another body, another title or both."""
        page, account = self.wiki.content[page_id], self.person(person).account_id
        text = page.body if body is None else storage.saved(body, self.wiki.uuid)
        name = page.title if title is None else title
        if title is not None and self.wiki.title_holder(page.space, page.kind, title, but=page.id) is not None:
            raise ValueError(f"{title!r} is taken")
        page.versions.append(Version(page.version.number + 1, account, self.wiki.now(), name, text))
        self.wiki.note_title(page)

    @locked
    def rename_page(self, person: str, page_id: str, title: str) -> None:
        """Have a person give a page another title."""
        self.edit_page(person, page_id, title=title)

    @locked
    def move_page(self, page_id: str, *, parent: str = "", key: str = "") -> None:
        """Move a page below another one, or to another space."""
        page = self.wiki.content[page_id]
        if key:
            space = self._space(key)
            page.space, page.parent = space.id, parent or space.homepage_id
            self.wiki.note_title(page)
        else:
            page.parent = parent

    @locked
    def restrict_page(
        self, page_id: str, *, read: Iterable[str] = (), update: Iterable[str] = (), read_groups: Iterable[str] = ()
    ) -> None:
        """Let only these people (and groups) see, and only these change, a page; nothing given opens it."""
        page = self.wiki.content[page_id]
        page.read = Restriction([self.person(one).account_id for one in read], list(read_groups))
        page.update = Restriction([self.person(one).account_id for one in update])

    @locked
    def archive_page(self, page_id: str) -> None:
        """Archive a page."""
        self.wiki.content[page_id].status = "archived"

    @locked
    def trash_page(self, page_id: str) -> None:
        """Put a page into the trash; its children move up."""
        page = self.wiki.content[page_id]
        for child in self.wiki.children(page_id, ("current", "archived", "draft")):
            child.parent = page.parent
        page.status = "trashed"

    @locked
    def restore_page(self, page_id: str) -> None:
        """Take a page out of the trash or the archive."""
        page = self.wiki.content[page_id]
        if self.wiki.title_holder(page.space, page.kind, page.title, but=page.id) is not None:
            raise ValueError(f"{page.title!r} is taken")
        page.status = "current"

    @locked
    def purge_page(self, page_id: str) -> None:
        """Remove a page for good."""
        self.wiki.drop(self.wiki.content[page_id])

    @locked
    def add_comment(self, person: str, page_id: str, body: str, *, parent: str = "") -> Comment:
        """Have a person comment on a page, or answer a comment."""
        account, now = self.person(person).account_id, self.wiki.now()
        version = Version(1, account, now, "", storage.saved(body, self.wiki.uuid))
        comment = Comment(self.wiki.content_id(), page_id, account, now, [version], parent)
        self.wiki.put_comment(comment)
        return comment

    @locked
    def edit_comment(self, person: str, comment_id: str, body: str) -> None:
        """Have a person change a comment."""
        comment, account = self.wiki.comments[comment_id], self.person(person).account_id
        text = storage.saved(body, self.wiki.uuid)
        comment.versions.append(Version(comment.version.number + 1, account, self.wiki.now(), "", text))

    @locked
    def delete_comment(self, comment_id: str) -> None:
        """Remove a comment and its replies."""
        remove(self.wiki.comments, self.wiki.comments[comment_id])

    @locked
    def upload_file(self, person: str, page_id: str, name: str, data: bytes, media_type: str = "") -> Attachment:
        """Have a person add a file to a page, or a new version of one."""
        account, now = self.person(person).account_id, self.wiki.now()
        for held in self.wiki.files_on(page_id):
            if held.name == name:
                held.versions.append(FileVersion(held.version.number + 1, account, now, data))
                return held
        kind = media_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        versions = [FileVersion(1, account, now, data)]
        file = Attachment(f"att{self.wiki.content_id()}", page_id, name, kind, self.wiki.uuid(), now, versions)
        self.wiki.put_file(file)
        return file

    @property
    @locked
    def pages(self) -> list[Page]:
        """Every page that was published at some time: current, archived and trashed; no drafts, no homepages."""
        return [page for page in self.wiki.content.values() if _published(page, "page")]

    @property
    @locked
    def blogposts(self) -> list[Page]:
        """Every blog post that was published at some time."""
        return [page for page in self.wiki.content.values() if _published(page, "blogpost")]

    @locked
    def drafts(self) -> list[Page]:
        """Return every draft that was never published, pages and blog posts."""
        return [page for page in self.wiki.content.values() if page.status == "draft"]

    @property
    @locked
    def comments(self) -> list[Comment]:
        """Every comment, in the order in which they were made."""
        return list(self.wiki.comments.values())

    @property
    @locked
    def attachments(self) -> list[Attachment]:
        """Every file that is not in the trash, in the order in which they were uploaded."""
        return [file for file in self.wiki.attachments.values() if file.status != "trashed"]

    @locked
    def snapshot(self) -> dict[str, Any]:
        """Return everything that stands as plain data without ids and times, so that two runs can be compared."""
        return snapshot(self.wiki)


def _published(page: Page, kind: Kind) -> bool:
    return page.kind == kind and page.status != "draft" and not page.is_home
