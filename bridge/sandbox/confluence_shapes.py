"""How the sandbox's Confluence writes pages, comments and files as JSON (v2)."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote, quote_plus

from bridge.sandbox.confluence_state import Attachment, Comment, FileVersion, Page, Property, Version, Wiki
from bridge.sandbox.confluence_wire import stamp


def version(held: Version | Property) -> dict[str, Any]:
    """Return the version object of a page, a comment or a property."""
    return {
        "number": held.number,
        "message": held.message,
        "minorEdit": False,
        "authorId": held.author,
        "createdAt": stamp(held.at),
        "ncsStepVersion": None,
    }


def body(value: str) -> dict[str, Any]:
    """Return a body in storage format."""
    return {"storage": {"representation": "storage", "value": value}}


def webui(wiki: Wiki, page: Page) -> str:
    """Return the path of a page below ``/wiki``, as people see it."""
    space = wiki.spaces[page.space]
    if page.is_home:
        return f"/spaces/{space.key}/overview"
    if page.kind == "blogpost":
        return f"/spaces/{space.key}/blog/{page.created_at:%Y/%m/%d}/{page.id}/{quote_plus(page.title)}"
    return f"/spaces/{space.key}/pages/{page.id}/{quote_plus(page.title)}"


def _links(wiki: Wiki, page: Page) -> dict[str, Any]:
    key = wiki.spaces[page.space].key
    tiny = base64.urlsafe_b64encode(int(page.id).to_bytes(6, "little").rstrip(b"\0")).decode().rstrip("=")
    return {
        "webui": webui(wiki, page),
        "editui": f"/pages/resumedraft.action?draftId={page.id}",
        "edituiv2": f"/spaces/{key}/pages/edit-v2/{page.id}",
        "tinyui": f"/x/{tiny}",
    }


def page(wiki: Wiki, held: Page, *, with_body: bool, single: bool, shown: Version | None = None) -> dict[str, Any]:
    """Return a page or a blog post.

    Args:
        wiki: where it stands.
        held: the page.
        with_body: put the body in; else ``body`` is empty.
        single: the answer about one page, which also carries the site's base address.
        shown: another version than the latest, or the draft.
    """
    at = shown or held.version
    status: str = held.status
    if at is not held.version:
        status = "draft" if at is held.draft else "historical"
    row: dict[str, Any] = {
        "id": held.id,
        "status": status,
        "title": at.title,
        "spaceId": held.space,
        "authorId": held.author,
        "createdAt": stamp(held.created_at),
        "version": version(at),
        "body": body(at.body) if with_body else {},
        "_links": _links(wiki, held),
    }
    if held.kind == "page":
        placed = bool(held.parent) and held.status != "trashed"
        row |= {
            "parentId": held.parent if placed else None,
            "parentType": "page" if placed else None,
            "position": int(held.id) % 10000 if held.status != "trashed" else None,
            "ownerId": held.author,
            "lastOwnerId": None,
        }
    if single:
        row["_links"]["base"] = f"{wiki.site_of(held).url}/wiki"
    return row


def page_version(held: Page, at: Version, *, with_body: bool) -> dict[str, Any]:
    """Return a row of a page's version list."""
    entity: dict[str, Any] = {"id": held.id, "title": at.title}
    if with_body:
        entity["body"] = body(at.body)
    return {**version(at), held.kind: entity}


def comment(wiki: Wiki, held: Comment, *, with_body: bool, single: bool) -> dict[str, Any]:
    """Return a footer comment; list rows of root comments have no parent."""
    on = wiki.content[held.page]
    row: dict[str, Any] = {
        "id": held.id,
        "status": "current",
        "title": f"Re: {on.title}",
        "pageId" if on.kind == "page" else "blogPostId": on.id,
        "version": version(held.version),
        "body": body(held.body) if with_body else {},
        "resolutionStatus": None,
        "_links": {"webui": f"{webui(wiki, on)}?focusedCommentId={held.id}"},
    }
    if held.parent:
        row["parentCommentId"] = held.parent
    elif single:
        row["parentCommentId"] = None
    if single:
        row["_links"]["base"] = f"{wiki.site_of(on).url}/wiki"
    return row


def download_link(held: Attachment) -> str:
    """Return where a file is downloaded, below ``/wiki``."""
    return f"/rest/api/content/{held.page}/child/attachment/{held.id}/download"


def attachment(wiki: Wiki, held: Attachment, *, single: bool) -> dict[str, Any]:
    """Return a file (v2)."""
    on = wiki.content[held.page]
    link = f"/pages/viewpageattachments.action?pageId={on.id}&preview={quote(f'/{on.id}/{held.id}/{held.name}')}"
    row: dict[str, Any] = {
        "id": held.id,
        "status": held.status,
        "title": held.name,
        "createdAt": stamp(held.created_at),
        "pageId" if on.kind == "page" else "blogPostId": on.id,
        "mediaType": held.media_type,
        "mediaTypeDescription": held.media_type.partition("/")[2].upper() + " File",
        "comment": held.version.comment,
        "fileId": held.file_id,
        "fileSize": len(held.version.data),
        "webuiLink": link,
        "downloadLink": download_link(held),
        "version": file_version(held.version),
        "_links": {"webui": link, "download": download_link(held)},
    }
    if single:
        row["_links"]["base"] = f"{wiki.site_of(on).url}/wiki"
    return row


def file_version(held: FileVersion) -> dict[str, Any]:
    """Return the version object of a file."""
    return {
        "number": held.number,
        "message": held.comment,
        "minorEdit": held.minor,
        "authorId": held.author,
        "createdAt": stamp(held.at),
    }


def content_property(held: Property) -> dict[str, Any]:
    """Return a content property."""
    return {"id": held.id, "key": held.key, "value": held.value, "version": version(held)}
