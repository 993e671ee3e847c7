"""Pages and blog posts: found, drafted, published, trashed; their versions, labels and properties."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from bridge.confluence.calls import V1, V2, Calls, listed
from bridge.confluence.values import (
    Content,
    Kind,
    Property,
    Version,
    as_content,
    as_property,
    as_version,
    rows,
    text,
)
from bridge.errors import CredentialRefused, NotFound, PersonMustAct, Temporary

READ_PAGE = "read:page:confluence"
WRITE_PAGE = "write:page:confluence"
DELETE_PAGE = "delete:page:confluence"
WRITE_COMMENT = "write:comment:confluence"
READ_COMMENT = "read:comment:confluence"
WRITE_LABEL = "write:label:confluence"

FOLDERS: dict[str, str] = {"page": "pages", "blogpost": "blogposts", "comment": "comments"}
"""A kind's name in the paths of version 2."""


class Contents(Calls):
    """Pages and blog posts. A *kind* is "page" or "blogpost"; ids are decimal text."""

    def content(self, kind: Kind, content_id: str, *, draft: bool = False, body: bool = False) -> Content:
        """Return a page or post in whatever status it has; one in the bin answers too, with ``status`` "trashed".

        Args:
            kind: which of both.
            content_id: its id.
            draft: return its draft; a draft that was never published is found in no other way.
            body: with ``storage`` and ``labels``.

        Raises:
            NotFound: gone for good, or invisible to this person.
        """
        params = {
            "get-draft": "true" if draft else None,
            "body-format": "storage" if body else None,
            "include-labels": "true" if body else None,
        }
        answer = self._call("GET", _path(kind, content_id), scope=READ_PAGE, params=params)
        return _read(kind, answer)

    def by_title(
        self, space_id: str, title: str, statuses: Sequence[str] = ("current", "archived"), *, kind: Kind = "page"
    ) -> list[Content]:
        """Return the pages (or posts) of a title in a space; upper and lower case are the same.

        Right after a write it is right, unlike search. Drafts cannot be found so. Posts are never archived.
        """
        wanted = [status for status in statuses if kind == "page" or status != "archived"]
        params = {"title": title, "space-id": space_id, "status": wanted, "limit": "250"}
        found: list[Content] = []
        for page in self._pages(f"{V2}/{FOLDERS[kind]}", scope=READ_PAGE, params=params):
            base = text(page, "_links", "base")
            found += [as_content(kind, row, base) for row in rows(page, "results")]
        return [item for item in found if item.title.strip().casefold() == title.strip().casefold()]

    def newest(self, kind: Kind, space_id: str) -> Iterator[Content]:
        """Yield the pages (or posts) of a space with their texts, what was changed last first.

        What is in the archive and in the bin is among them; drafts are in no list.
        """
        statuses = ["current", "archived", "trashed"] if kind == "page" else ["current", "trashed"]
        params = {"space-id": space_id, "status": statuses, "sort": "-modified-date", "body-format": "storage"}
        for page in self._pages(f"{V2}/{FOLDERS[kind]}", scope=READ_PAGE, params={**params, "limit": "50"}):
            base = text(page, "_links", "base")
            for row in rows(page, "results"):
                yield as_content(kind, row, base)

    def find_parent(self, space_id: str, title: str) -> Content | None:
        """Return the current page of a title in a space, None where there is none."""
        return next(iter(self.by_title(space_id, title, ("current",))), None)

    def create_draft(
        self, kind: Kind, *, space_id: str, title: str, parent_id: str = "", private: bool = False
    ) -> Content:
        """Create an empty draft, which only its author sees and no list shows.

        Args:
            kind: page or post.
            space_id: where.
            title: checked against other titles at the latest when it is published.
            parent_id: the page above it; '' for the top of the space, and for posts.
            private: readable by its author alone from the first moment.

        Raises:
            PersonMustAct: the space or parent is missing or invisible, or the person may not add pages; with
                ``private`` also: restricting is not allowed to them, or not part of the site's plan.
            TitleTaken: the title stands in the space already.
        """
        data = {"spaceId": space_id, "status": "draft", "title": title}
        if parent_id:
            data["parentId"] = parent_id
        params = {"private": "true" if private else None}
        try:
            answer = self._call("POST", f"{V2}/{FOLDERS[kind]}", write=True, scope=WRITE_PAGE, params=params, json=data)
        except (NotFound, CredentialRefused) as refused:
            if not private or refused.answer.status != 404:
                raise
            raise PersonMustAct(
                "Confluence refused a page that only its author may read. Either the space is missing or closed to "
                "this person, or they may not restrict pages there, or the site's plan has no restrictions.",
                provider="atlassian",
                answer=refused.answer,
            ) from None
        return _read(kind, answer, write=True)

    def publish(
        self, kind: Kind, content_id: str, *, title: str, storage: str, message: str, version: int = 1
    ) -> Content:
        """Make a draft current with its whole body, or write a further version of what is current.

        Args:
            kind: page or post.
            content_id: of the draft or of what stands there.
            title: also the old one must be said.
            storage: the whole body.
            message: the note in the history; by it a write is found again whose answer was lost.
            version: 1 for a draft's first publication, else the number that stands there plus one.

        Raises:
            TitleTaken: the title stands in the space already.
            Conflict: another version came in between.
            TooLarge: the body is over Confluence's limit (5 MB).
            NotFound: gone, invisible, or not editable for this person.
            Refused: the body is not well-formed.
        """
        data = {
            "id": content_id,
            "status": "current",
            "title": title,
            "body": {"representation": "storage", "value": storage},
            "version": {"number": version, "message": message},
        }
        answer = self._call("PUT", _path(kind, content_id), write=True, scope=WRITE_PAGE, json=data)
        return _read(kind, answer, write=True)

    def versions(self, kind: Kind, content_id: str) -> list[Version]:
        """Return all versions, newest first."""
        params = {"sort": "-modified-date", "limit": "250"}
        pages = self._pages(f"{_path(kind, content_id)}/versions", scope=READ_PAGE, params=params)
        found = [as_version(row) for page in pages for row in rows(page, "results")]
        return sorted(found, key=lambda version: -version.number)

    def trash(self, kind: Kind, content_id: str, *, draft: bool = False) -> None:
        """Put a page or post into the bin; with ``draft``, delete a draft for good.

        Raises:
            NotFound: gone, in the bin already, a draft that is not said to be one, or not this person's to delete.
        """
        params = {"draft": "true" if draft else None}
        self._call("DELETE", _path(kind, content_id), write=True, scope=DELETE_PAGE, params=params)

    def labels(self, kind: Kind, content_id: str) -> list[str]:
        """Return the names of all labels."""
        pages = self._pages(f"{_path(kind, content_id)}/labels", scope=READ_PAGE, params={"limit": "250"})
        return [text(row, "name") for page in pages for row in rows(page, "results")]

    def add_labels(self, content_id: str, names: Iterable[str]) -> None:
        """Put labels on a page or post; one that is there stays. No names: nothing is sent.

        Raises:
            Refused: a name is too long or holds characters that no label may have.
        """
        data = [{"prefix": "global", "name": name} for name in names]
        if data:
            self._call("POST", f"{V1}/content/{content_id}/label", write=True, scope=WRITE_LABEL, json=data)

    def property(self, kind: Kind | Literal["comment"], content_id: str, key: str) -> Property | None:
        """Return the property of a key, which is matched exactly; None where it is not set."""
        scope = READ_COMMENT if kind == "comment" else READ_PAGE
        answer = listed(self._call("GET", f"{_path(kind, content_id)}/properties", scope=scope, params={"key": key}))
        found = [as_property(row) for row in rows(answer, "results")]
        return next((item for item in found if item.key == key), None)

    def set_property(self, kind: Kind | Literal["comment"], content_id: str, key: str, value: Any) -> Property:
        """Set a property that is not set yet: of two who try, one wins.

        Args:
            kind: what carries it.
            content_id: its id.
            key: all programs share one space of keys.
            value: any JSON, at most 32 KB.

        Raises:
            Conflict: it is set already.
        """
        scope = WRITE_COMMENT if kind == "comment" else WRITE_PAGE
        data = {"key": key, "value": value}
        path = f"{_path(kind, content_id)}/properties"
        return as_property(self._call("POST", path, write=True, scope=scope, json=data))


def _path(kind: str, content_id: str) -> str:
    return f"{V2}/{FOLDERS[kind]}/{content_id}"


def _read(kind: Kind, answer: dict[str, Any], *, write: bool = False) -> Content:
    content = as_content(kind, answer)
    if not content.id:
        raise Temporary(
            "Confluence's answer names no page; it is tried again later.", provider="atlassian", maybe_applied=write
        )
    return content
