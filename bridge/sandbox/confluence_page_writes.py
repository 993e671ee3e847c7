"""Writing pages and blog posts (v2): create, update, retitle, delete; the rules on titles and versions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from werkzeug.wrappers import Response

from bridge.sandbox import confluence_shapes as shapes
from bridge.sandbox import storage
from bridge.sandbox.confluence_access import can_delete, can_edit, can_view, may
from bridge.sandbox.confluence_pages import WORD, find
from bridge.sandbox.confluence_state import Kind, Page, Property, Restriction, Space, Status, Version
from bridge.sandbox.confluence_wire import MAX_BODY, Call, Refused, html_error, json_response

RESTRICT_SCOPES = frozenset({"write:content.restriction:confluence", "write:confluence-content"})
OWN_PROPERTIES = {"editor": "v2", "content-appearance-draft": "default", "content-appearance-published": "default"}
MAX_TITLE = 255


def _sized(call: Call) -> None:
    if len(call.request.get_data()) > MAX_BODY:
        raise Refused(html_error(413))


def sent_body(call: Call, given: Any) -> str:
    """Return the storage text of a request's ``body``, in either of its two shapes; '' where none was sent."""
    if given is None:
        return ""
    if isinstance(given, dict) and "representation" not in given and "storage" in given:
        given = given["storage"]
    if not isinstance(given, dict):
        raise call.bad("Invalid body")
    if given.get("representation", "storage") != "storage":
        raise call.bad("The sandbox takes representation storage only")
    value = given.get("value", "")
    if not isinstance(value, str):
        raise call.bad("Invalid body value")
    return value


def saved_body(call: Call, given: Any, *, place: storage.Place = "page", on: Page | None = None) -> str:
    """Check a request's body and return it as it will be read back.

    ``on`` is the page whose files the body may name; None where they are not looked at. Raises a 400 with the text of
    the first fault.
    """
    value = sent_body(call, given)
    switches = call.wiki.switches
    files = None
    if on is not None and switches.files_must_exist:
        files = {file.name for file in call.wiki.files_on(on.id) if not file.half}
    try:
        storage.check(value, strict=switches.strict_storage, place=place, files=files)
    except storage.StorageFault as fault:
        raise call.bad(str(fault)) from None
    return storage.saved(value, call.wiki.uuid)


def _title(call: Call, given: Any, *, needed: bool) -> str:
    if given is not None and not isinstance(given, str):
        raise call.bad("Invalid title")
    title = (given or "").strip()
    if needed and not title:
        raise call.bad("Title is required")
    if len(title) > MAX_TITLE:
        raise call.bad(f"Title cannot be longer than {MAX_TITLE} characters")
    return title


def _free(call: Call, space: str, kind: Kind, title: str, but: str = "") -> None:
    if call.wiki.title_holder(space, kind, title, but) is not None:
        what = WORD[kind]
        raise call.bad(
            f"A {what} with this title already exists: A {what} already exists with the same TITLE in this space"
        )


def _status(call: Call, sent: dict[str, Any], default: str | None) -> Status:
    status = sent.get("status", default)
    if status == "current":
        return "current"
    if status == "draft":
        return "draft"
    raise call.bad(f"Invalid status {status!r}: current or draft")


def _parent(call: Call, sent: dict[str, Any], space: Space, default: str) -> str:
    given = sent.get("parentId")
    if given is None:
        return default
    parent = call.wiki.content.get(str(given))
    known = parent is not None and parent.space == space.id and parent.kind == "page" and parent.status == "current"
    if parent is None or not known or not can_view(call.wiki, call.person, parent):
        raise call.missing(f"Cannot find a page with id [{given}]")
    return parent.id


def create(call: Call) -> Response:
    """Answer createPage and createBlogPost."""
    _sized(call)
    kind, sent = call.kind, call.json_object()
    space = call.wiki.spaces.get(str(sent.get("spaceId")))
    if space is None or space.site != call.site.cloud_id or not may(space, call.person, "page"):
        raise call.missing(f"Could not find space with id [{sent.get('spaceId')}]")
    status = _status(call, sent, "current")
    root, private = kind == "page" and call.flag("root-level"), call.flag("private")
    if root and sent.get("parentId") is not None:
        raise call.bad("parentId cannot be given with root-level")
    if private:
        _may_be_private(call, space)
    title = _title(call, sent.get("title"), needed=status == "current")
    if title and (status == "current" or call.wiki.switches.draft_titles_checked):
        _free(call, space.id, kind, title)
    page = Page(
        id=call.wiki.content_id(),
        kind=kind,
        space=space.id,
        author=call.person.account_id,
        created_at=_created_at(call, sent, kind),
        status=status,
        versions=[],
        parent=_parent(call, sent, space, "" if root else space.homepage_id) if kind == "page" else "",
    )
    body = saved_body(call, sent.get("body"), on=page if status == "current" else None)
    page.versions.append(_version(call, 1, title, body, ""))
    if private:
        page.read = Restriction(users=[call.person.account_id])
        page.update = Restriction(users=[call.person.account_id])
    for key, value in OWN_PROPERTIES.items():
        page.properties[key] = Property(call.wiki.other_id(), key, value, 1, page.author, page.created_at)
    call.wiki.put_page(page)
    return json_response(shapes.page(call.wiki, page, with_body=True, single=True))


def _created_at(call: Call, sent: dict[str, Any], kind: Kind) -> datetime:
    """Return when a page is made; a blog post may be back-dated."""
    given = sent.get("createdAt") if kind == "blogpost" else None
    if given is None:
        return call.wiki.now()
    try:
        return datetime.fromisoformat(str(given)).astimezone(UTC)
    except ValueError:
        raise call.bad(f"Invalid createdAt {given!r}") from None


def _may_be_private(call: Call, space: Space) -> None:
    allowed = call.wiki.switches.restrictions_available and may(space, call.person, "restrict")
    if not allowed or not call.scopes & RESTRICT_SCOPES:
        raise call.missing(f"Could not find space with id [{space.id}]")


def _version(call: Call, number: int, title: str, body: str, message: Any) -> Version:
    text = message if isinstance(message, str) else ""
    return Version(number, call.person.account_id, call.wiki.now(), title, body, text)


def update(call: Call) -> Response:
    """Answer updatePage and updateBlogPost: a new version, a first publication, a draft, or a restored page."""
    _sized(call)
    kind, sent = call.kind, call.json_object()
    page = find(call, call.args["id"], kind)
    for name in ("id", "status", "title", "body", "version"):
        if name not in sent:
            raise call.bad(f"{name} is required")
    if str(sent["id"]) != page.id:
        raise call.bad("The id in the body differs from the id in the path")
    if not can_edit(call.wiki, call.person, page) or page.status == "archived":
        raise call.missing(f"Cannot find a {WORD[kind]} with id [{page.id}]")
    status = _status(call, sent, None)
    if page.status == "trashed":
        return _restore(call, page)
    number = sent["version"].get("number") if isinstance(sent["version"], dict) else None
    expected = 1 if "draft" in (status, page.status) else page.version.number + 1
    if number != expected:
        raise _stale(call, page.version.number, number)
    if sent.get("spaceId") not in (None, page.space):
        raise call.bad("Moving to another space is not supported")
    title = _title(call, sent["title"], needed=status == "current")
    if status == "current":
        _free(call, page.space, kind, title, but=page.id)
    parent = _parent(call, sent, call.wiki.spaces[page.space], page.parent) if kind == "page" else ""
    body = saved_body(call, sent["body"], on=page if status == "current" else None)
    _save(call, page, status, _version(call, expected, title, body, sent["version"].get("message")))
    page.parent = parent
    shown = page.draft if status == "draft" and page.status != "draft" else None
    return json_response(shapes.page(call.wiki, page, with_body=True, single=True, shown=shown))


def _save(call: Call, page: Page, status: Status, version: Version) -> None:
    if page.status == "draft":
        page.versions = [version]
        page.status = status
    elif status == "draft":
        page.draft = version
    else:
        page.versions.append(version)
        if page.draft is not None and page.draft.author == version.author:
            page.draft = None
    call.wiki.note_title(page)


def _stale(call: Call, current: int, given: Any) -> Refused:
    return call.error(
        409,
        "CONFLICT",
        f"Version must be incremented when updating a page. Current Version: [{current}]. Provided version: [{given}]",
    )


def _restore(call: Call, page: Page) -> Response:
    _free(call, page.space, page.kind, page.title, but=page.id)
    page.status = "current"
    return json_response(shapes.page(call.wiki, page, with_body=True, single=True))


def retitle(call: Call) -> Response:
    """Answer updatePageTitle: a new version with the same body."""
    sent = call.json_object()
    page = find(call, call.args["id"], "page")
    if not can_edit(call.wiki, call.person, page) or page.status not in ("current", "draft"):
        raise call.missing(f"Cannot find a page with id [{page.id}]")
    if _status(call, sent, None) != page.status:
        raise call.bad("The status differs from the page's status")
    title = _title(call, sent.get("title"), needed=True)
    if page.status == "current":
        _free(call, page.space, "page", title, but=page.id)
    number = page.version.number + (1 if page.status == "current" else 0)
    _save(call, page, page.status, _version(call, number, title, page.body, ""))
    return json_response(shapes.page(call.wiki, page, with_body=True, single=True))


def delete(call: Call) -> Response:
    """Answer deletePage and deleteBlogPost: to the trash, a draft for good, or out of the trash for good."""
    kind = call.kind
    page = find(call, call.args["id"], kind)
    draft, purge = call.flag("draft"), call.flag("purge")
    missing = call.missing(f"Cannot find a {WORD[kind]} with id [{page.id}]")
    if draft:
        if page.status == "draft":
            call.wiki.drop(page)
        elif page.draft is not None and page.draft.author == call.person.account_id:
            page.draft = None
        else:
            raise missing
    elif purge:
        if page.status != "trashed" or not may(call.wiki.spaces[page.space], call.person, "admin"):
            raise missing
        call.wiki.drop(page)
    elif page.status not in ("current", "archived") or not can_delete(call.wiki, call.person, page):
        raise missing
    else:
        trash(call, page)
    return Response(status=204)


def trash(call: Call, page: Page) -> None:
    """Put a page into the trash; its children move up to its parent."""
    for child in call.wiki.children(page.id, ("current", "archived", "draft")):
        child.parent = page.parent
    page.status = "trashed"
