"""Reading pages and blog posts (v2): one, lists, versions, children, ancestors."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from bridge.sandbox import confluence_shapes as shapes
from bridge.sandbox.confluence_access import can_view
from bridge.sandbox.confluence_state import Kind, Page, Version
from bridge.sandbox.confluence_wire import Call, collection, json_response, ordered

LIST_STATUSES = ("current", "archived", "deleted", "trashed")
SINGLE_STATUSES = ("current", "archived", "trashed", "deleted", "historical", "draft")
SORTS = ("id", "created-date", "modified-date", "title")
WORD = {"page": "page", "blogpost": "blog post"}


def both_ways(names: tuple[str, ...]) -> list[str]:
    """Return sort names ascending and descending."""
    return [sign + name for name in names for sign in ("", "-")]


def find(call: Call, page_id: str, kind: Kind | None = None) -> Page:
    """Return a page that the person may see.

    Raises:
        Refused: 400 for an id that is no number, 404 for everything that is not there or not theirs to see.
    """
    if not page_id.isdecimal():
        raise call.bad(f"Provided value {{{page_id}}} for 'id' is not the correct type. Expected type is long")
    page = call.wiki.content.get(page_id)
    if page is None or kind not in (None, page.kind) or page.space not in _spaces_here(call):
        raise call.missing(f"Cannot find a {WORD[kind or 'page']} with id [{page_id}]")
    if not can_view(call.wiki, call.person, page):
        raise call.missing(f"Cannot find a {WORD[kind or 'page']} with id [{page_id}]")
    return page


def _spaces_here(call: Call) -> set[str]:
    return {space.id for space in call.wiki.spaces.values() if space.site == call.site.cloud_id}


def wants_body(call: Call) -> bool:
    """Tell whether a body was asked for; 400 for a format that the sandbox cannot give."""
    form = call.request.args.get("body-format")
    if form not in (None, "storage"):
        raise call.bad(f"The sandbox gives body-format storage only, not {form}")
    return form == "storage"


def get_page(call: Call) -> Response:
    """Answer getPageById and getBlogPostById."""
    page = find(call, call.args["id"], call.kind)
    with_body = wants_body(call)
    statuses = call.values("status")
    if not set(statuses) <= set(SINGLE_STATUSES):
        raise call.bad("Invalid status")
    shown = _shown(call, page)
    row = shapes.page(call.wiki, page, with_body=with_body, single=True, shown=shown)
    if statuses and row["status"] not in statuses:
        raise call.missing(f"Cannot find a {WORD[call.kind]} with id [{page.id}]")
    _includes(call, page, row)
    call.objects = 1
    return json_response(row)


def _shown(call: Call, page: Page) -> Version | None:
    draft = call.flag("get-draft")
    if page.status == "draft" and not draft and call.wiki.switches.draft_needs_get_draft:
        raise call.missing(f"Cannot find a {WORD[call.kind]} with id [{page.id}]")
    number = call.request.args.get("version")
    if number is not None:
        held = next((at for at in page.versions if str(at.number) == number), None)
        if held is None:
            raise call.missing(f"Cannot find a {WORD[call.kind]} with id [{page.id}] and version [{number}]")
        return held
    if draft and page.draft is not None and page.draft.author == call.person.account_id:
        return page.draft
    return None


def _includes(call: Call, page: Page, row: dict[str, Any]) -> None:
    if not call.flag("include-version", default=True):
        del row["version"]
    parts: dict[str, list[dict[str, Any]]] = {
        "labels": [{"id": held.id, "name": held.name, "prefix": held.prefix} for held in page.labels.values()],
        "properties": [shapes.content_property(held) for held in page.properties.values()],
        "versions": [shapes.version(held) for held in reversed(page.versions)],
    }
    for name, rows in parts.items():
        if call.flag(f"include-{name}"):
            meta = {"hasMore": len(rows) > 50, "cursor": ""}
            row[name] = {"results": rows[:50], "meta": meta, "_links": {"self": f"/wiki/api/v2/pages/{page.id}/{name}"}}


def list_pages(call: Call) -> Response:
    """Answer getPages, getBlogPosts, getPagesInSpace and getBlogPostsInSpace. Drafts are in no list."""
    allowed = LIST_STATUSES if call.kind == "page" else ("current", "deleted", "trashed")
    statuses = call.values("status") or (["current", "archived"] if call.kind == "page" else ["current"])
    if not set(statuses) <= set(allowed):
        raise call.bad(f"Invalid status. Allowed: {', '.join(allowed)}")
    spaces = [call.args["id"]] if "id" in call.args else call.values("space-id")
    if "id" in call.args and call.args["id"] not in _spaces_here(call):
        raise call.missing(f"Cannot find a space with id [{call.args['id']}]")
    ids = call.values("id")
    for value in (*spaces, *ids):
        if not value.isdecimal():
            raise call.bad(f"Provided value {{{value}}} is not the correct type. Expected type is long")
    with_body = wants_body(call)
    sort = call.one_of("sort", both_ways(SORTS))
    rows = [
        page
        for page in _candidates(call, spaces)
        if page.kind == call.kind
        and page.status in statuses
        and (not spaces or page.space in spaces)
        and (not ids or page.id in ids)
        and can_view(call.wiki, call.person, page)
    ]
    return collection(
        call,
        ordered(rows, sort, SORT_KEYS),
        lambda page: page.id,
        lambda page: shapes.page(call.wiki, page, with_body=with_body, single=False),
    )


SORT_KEYS = {
    "id": lambda page: int(page.id),
    "created-date": lambda page: (page.created_at, int(page.id)),
    "modified-date": lambda page: (page.version.at, int(page.id)),
    "title": lambda page: page.title.casefold(),
}


def _candidates(call: Call, spaces: list[str]) -> list[Page]:
    title = call.request.args.get("title")
    here = _spaces_here(call)
    if title is None:
        return [page for page in call.wiki.content.values() if page.space in here]
    wanted = [space for space in (spaces or sorted(here)) if space in here]
    return [page for space in wanted for page in call.wiki.titled(space, title)] if title else []


def list_versions(call: Call) -> Response:
    """Answer getPageVersions and getBlogPostVersions, newest first."""
    page = find(call, call.args["id"], call.kind)
    with_body = wants_body(call)
    sort = call.one_of("sort", both_ways(("modified-date",)), "-modified-date")
    rows = ordered(page.versions, sort, {"modified-date": lambda at: at.number})
    return collection(
        call, rows, lambda at: str(at.number), lambda at: shapes.page_version(page, at, with_body=with_body)
    )


def version_details(call: Call) -> Response:
    """Answer getPageVersionDetails and getBlogPostVersionDetails."""
    page = find(call, call.args["id"], call.kind)
    for at in page.versions:
        if str(at.number) == call.args["number"]:
            row = shapes.version(at) | {"contentTypeModified": False, "collaborators": [at.author]}
            numbers = [held.number for held in page.versions]
            row |= {"prevVersion": at.number - 1} if at.number > 1 else {}
            row |= {"nextVersion": at.number + 1} if at.number + 1 in numbers else {}
            return json_response(row)
    raise call.missing(f"Cannot find version [{call.args['number']}] of content with id [{page.id}]")


def list_children(call: Call) -> Response:
    """Answer getChildPages and getPageDirectChildren: what the person may see directly below a page."""
    page = find(call, call.args["id"], "page")
    rows = [child for child in call.wiki.children(page.id) if can_view(call.wiki, call.person, child)]
    sort = call.one_of("sort", both_ways(("id", "created-date", "modified-date", "child-position", "title")))
    direct = call.request.path.endswith("/direct-children")

    def shape(child: Page) -> dict[str, Any]:
        row = {"id": child.id, "status": child.status, "title": child.title, "spaceId": child.space}
        return row | {"childPosition": int(child.id)} | ({"type": "page"} if direct else {})

    return collection(
        call, ordered(rows, sort, SORT_KEYS | {"child-position": SORT_KEYS["id"]}), lambda row: row.id, shape
    )


def list_ancestors(call: Call) -> Response:
    """Answer getPageAncestors, topmost first."""
    page = find(call, call.args["id"], "page")
    rows = [{"id": above.id, "type": "page"} for above in call.wiki.ancestors(page)]
    call.objects = len(rows)
    return json_response({"results": rows[::-1], "_links": {"base": f"{call.site.url}/wiki"}})
