"""Footer comments (v2): create, reply, read, update, delete, and the lists that show root comments only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from werkzeug.wrappers import Response

from bridge.sandbox import confluence_shapes as shapes
from bridge.sandbox.confluence_access import can_comment, can_view, may
from bridge.sandbox.confluence_page_writes import saved_body
from bridge.sandbox.confluence_pages import both_ways, find, wants_body
from bridge.sandbox.confluence_state import Comment, Page, Version
from bridge.sandbox.confluence_wire import Call, collection, json_response, ordered

CONTAINERS = ("pageId", "blogPostId", "parentCommentId", "attachmentId", "customContentId")
SORTS = ("created-date", "modified-date")

_LAGS = timedelta(minutes=10)
"""For so long after a comment was made a list may miss it, however seldom anybody looks."""


def find_comment(call: Call, comment_id: str) -> Comment:
    """Return a comment on a page that the person may see; 404 else."""
    comment = call.wiki.comments.get(comment_id)
    page = call.wiki.content.get(comment.page) if comment is not None else None
    if comment is None or page is None or not _visible(call, page):
        raise call.missing(f"Could not find comment with id [{comment_id}]")
    return comment


def _visible(call: Call, page: Page) -> bool:
    here = call.wiki.site_of(page).cloud_id == call.site.cloud_id
    return here and page.status in ("current", "archived") and can_view(call.wiki, call.person, page)


def _target(call: Call, sent: dict[str, Any]) -> tuple[Page, str]:
    given = [name for name in CONTAINERS if sent.get(name) is not None]
    if len(given) != 1:
        raise call.bad(f"Exactly one of {', '.join(CONTAINERS)} must be given")
    name, value = given[0], str(sent[given[0]])
    if name == "parentCommentId":
        above = find_comment(call, value)
        return call.wiki.content[above.page], above.id
    if name not in ("pageId", "blogPostId"):
        raise call.missing(f"Content with id: [{value}] not found")
    page = find(call, value, "page" if name == "pageId" else "blogpost")
    if not _visible(call, page):
        raise call.missing(f"Cannot find a page with id [{value}]")
    return page, ""


def create(call: Call) -> Response:
    """Answer createFooterComment: 201 and a location. The next ``comment_lag`` listings miss it."""
    sent = call.json_object()
    page, parent = _target(call, sent)
    if not can_comment(call.wiki, call.person, page) or page.status != "current":
        raise call.missing(f"Cannot find a page with id [{page.id}]")
    body = saved_body(call, sent.get("body"), place="comment", on=page)
    now = call.wiki.now()
    comment = Comment(
        id=call.wiki.content_id(),
        page=page.id,
        author=call.person.account_id,
        created_at=now,
        versions=[Version(1, call.person.account_id, now, "", body)],
        parent=parent,
        unseen=call.wiki.switches.comment_lag,
    )
    call.wiki.put_comment(comment)
    location = f"/wiki/api/v2/footer-comments/{comment.id}"
    return json_response(shapes.comment(call.wiki, comment, with_body=True, single=True), 201, {"location": location})


def get(call: Call) -> Response:
    """Answer getFooterCommentById."""
    comment = find_comment(call, call.args["id"])
    call.objects = 1
    return json_response(shapes.comment(call.wiki, comment, with_body=wants_body(call), single=True))


def update(call: Call) -> Response:
    """Answer updateFooterComment; a person changes their own comments only."""
    comment, sent = find_comment(call, call.args["id"]), call.json_object()
    page = call.wiki.content[comment.page]
    if comment.author != call.person.account_id or not can_comment(call.wiki, call.person, page):
        raise call.missing(f"Could not find comment with id [{comment.id}]")
    version = sent.get("version")
    number = version.get("number") if isinstance(version, dict) else None
    if number != comment.version.number + 1:
        status = call.wiki.switches.stale_comment_status
        text = (
            "Version must be incremented when updating a comment. "
            f"Current Version: [{comment.version.number}]. Provided version: [{number}]"
        )
        raise call.error(status, "CONFLICT" if status == 409 else "BAD_REQUEST", text)
    body = saved_body(call, sent.get("body"), place="comment", on=page)
    message = version.get("message") if isinstance(version, dict) else ""
    comment.versions.append(
        Version(comment.version.number + 1, call.person.account_id, call.wiki.now(), "", body, message or "")
    )
    return json_response(shapes.comment(call.wiki, comment, with_body=True, single=True))


def delete(call: Call) -> Response:
    """Answer deleteFooterComment: for good, its replies too. Others' comments need the permission to delete."""
    comment = find_comment(call, call.args["id"])
    space = call.wiki.spaces[call.wiki.content[comment.page].space]
    if comment.author != call.person.account_id and not may(space, call.person, "delete"):
        raise call.missing(f"Could not find comment with id [{comment.id}]")
    remove(call.wiki.comments, comment)
    return Response(status=204)


def remove(comments: dict[str, Comment], comment: Comment) -> None:
    """Remove a comment and everything that answers it."""
    for reply in [held for held in comments.values() if held.parent == comment.id]:
        remove(comments, reply)
    comments.pop(comment.id, None)


def list_on_content(call: Call) -> Response:
    """Answer getPageFooterComments and getBlogPostFooterComments: root comments, no replies."""
    page = find(call, call.args["id"], call.kind)
    statuses = call.values("status")
    held = [] if statuses and "current" not in statuses else call.wiki.comments_on(page.id)
    return _listed(call, [comment for comment in held if not comment.parent])


def list_children(call: Call) -> Response:
    """Answer getFooterCommentChildren: the direct replies to a comment."""
    above = find_comment(call, call.args["id"])
    return _listed(call, [comment for comment in call.wiki.comments_on(above.page) if comment.parent == above.id])


def list_all(call: Call) -> Response:
    """Answer getFooterComments: every root comment that the person may see."""
    held = [comment for comment in call.wiki.comments.values() if not comment.parent]
    return _listed(call, [comment for comment in held if _visible(call, call.wiki.content[comment.page])])


def _listed(call: Call, comments: list[Comment]) -> Response:
    with_body = wants_body(call)
    sort = call.one_of("sort", both_ways(SORTS))
    seen = []
    for comment in comments:
        if comment.unseen > 0 and call.wiki.now() - comment.created_at < _LAGS:
            comment.unseen -= 1
        else:
            seen.append(comment)
    keys = {
        "created-date": lambda held: (held.created_at, int(held.id)),
        "modified-date": lambda held: (held.version.at, int(held.id)),
    }
    return collection(
        call,
        ordered(seen, sort, keys),
        lambda held: held.id,
        lambda held: shapes.comment(call.wiki, held, with_body=with_body, single=False),
    )
