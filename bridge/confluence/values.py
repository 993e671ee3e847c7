"""What Confluence's answers become.

They are read leniently: the service adds fields without notice, leaves documented ones out, sends ids as strings in
one place and as numbers in another. What is missing is '' or None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

Kind = Literal["page", "blogpost"]


@dataclass(frozen=True, slots=True)
class Site:
    """A site that a grant reaches; ``scopes`` are those granted for Confluence there."""

    cloud_id: str
    url: str
    name: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class User:
    """A person at Atlassian."""

    account_id: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Space:
    """A space; ``status`` is "current" or "archived"."""

    id: str
    key: str
    name: str
    status: str
    homepage_id: str


@dataclass(frozen=True, slots=True)
class Version:
    """One version; ``message`` is the note in the history, '' for none."""

    number: int
    message: str
    author_id: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Content:
    """A page or blog post.

    ``status`` is "current", "draft", "archived", "trashed" or "deleted". ``storage`` is the body in storage format
    where it was asked for, else ''. ``url`` is for people: the site's own address, '' where the answer has none.
    ``labels`` are in lower case, None where the answer does not have all of them.
    """

    kind: Kind
    id: str
    status: str
    title: str
    space_id: str
    parent_id: str
    author_id: str
    version: Version
    storage: str = field(repr=False)
    url: str
    labels: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """A footer comment or a reply to one; ``parent_id`` is '' for a root comment."""

    id: str
    status: str
    parent_id: str
    author_id: str
    version: Version
    storage: str = field(repr=False)
    url: str


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """An attachment as it stands on a page; ``size`` in bytes, ``comment`` the note beside it."""

    id: str
    name: str
    size: int
    mime_type: str
    comment: str
    version: int
    status: str


@dataclass(frozen=True, slots=True)
class Property:
    """A content property; ``value`` is any JSON."""

    id: str
    key: str
    value: Any
    version: int


def dig(data: object, *path: str) -> Any:
    """Return what stands at a path of keys, None where the path ends early."""
    for key in path:
        if not isinstance(data, Mapping):
            return None
        data = data.get(key)
    return data


def text(data: object, *path: str) -> str:
    """Return the text (or number, as text) at a path, '' where there is none."""
    value = dig(data, *path)
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def number(data: object, *path: str) -> int:
    """Return the whole number at a path, 0 where there is none."""
    value = text(data, *path)
    return int(value) if value.isascii() and value.isdigit() else 0


def rows(data: object, *path: str) -> list[dict[str, Any]]:
    """Return the objects of the list at a path, none where there is no list."""
    value = dig(data, *path)
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def instant(data: object, *path: str) -> datetime | None:
    """Return the instant at a path, aware, UTC; None where there is none."""
    try:
        value = datetime.fromisoformat(text(data, *path))
    except ValueError:
        return None
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)


def as_space(data: object) -> Space:
    """Read a space."""
    return Space(
        id=text(data, "id"),
        key=text(data, "key"),
        name=text(data, "name"),
        status=text(data, "status") or "current",
        homepage_id=text(data, "homepageId"),
    )


def as_version(data: object) -> Version:
    """Read a version."""
    return Version(
        number=number(data, "number"),
        message=text(data, "message"),
        author_id=text(data, "authorId"),
        created_at=instant(data, "createdAt"),
    )


def as_content(kind: Kind, data: object, base: str = "") -> Content:
    """Read a page or blog post; ``base`` is the site's address where the row itself does not carry it."""
    return Content(
        kind=kind,
        id=text(data, "id"),
        status=text(data, "status"),
        title=text(data, "title"),
        space_id=text(data, "spaceId"),
        parent_id=text(data, "parentId"),
        author_id=text(data, "authorId"),
        version=as_version(dig(data, "version")),
        storage=text(data, "body", "storage", "value"),
        url=public_url(data, base),
        labels=_labels(dig(data, "labels")),
    )


def _labels(listed: object) -> frozenset[str] | None:
    if not isinstance(listed, Mapping) or "results" not in listed or dig(listed, "meta", "hasMore") is True:
        return None
    return frozenset(text(row, "name").casefold() for row in rows(listed, "results"))


def as_comment(data: object, base: str = "") -> Comment:
    """Read a footer comment; its author is that of its newest version, since rows name no other."""
    version = as_version(dig(data, "version"))
    return Comment(
        id=text(data, "id"),
        status=text(data, "status"),
        parent_id=text(data, "parentCommentId"),
        author_id=text(data, "authorId") or version.author_id,
        version=version,
        storage=text(data, "body", "storage", "value"),
        url=public_url(data, base),
    )


def as_file(data: object) -> RemoteFile:
    """Read an attachment in the form of either version of the API."""
    return RemoteFile(
        id=text(data, "id"),
        name=text(data, "title"),
        size=number(data, "fileSize") or number(data, "extensions", "fileSize"),
        mime_type=text(data, "mediaType")
        or text(data, "extensions", "mediaType")
        or text(data, "metadata", "mediaType"),
        comment=text(data, "comment") or text(data, "extensions", "comment") or text(data, "metadata", "comment"),
        version=number(data, "version", "number"),
        status=text(data, "status"),
    )


def as_property(data: object) -> Property:
    """Read a content property."""
    return Property(
        id=text(data, "id"), key=text(data, "key"), value=dig(data, "value"), version=number(data, "version", "number")
    )


def public_url(data: object, base: str = "") -> str:
    """Return the address for people: the site's own base (also behind the gateway) and the path of the item."""
    site, path = text(data, "_links", "base") or base, text(data, "_links", "webui")
    return site + path if site and path else ""
