"""Which operation a request names, which scopes open it, and what carries it out.

Operation names and scopes are those of Atlassian's OpenAPI documents; an operation with two alternatives of scopes is
opened by either one (v1: the classic scope, or the granular ones that the document calls beta).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from bridge.sandbox import confluence_attachments as attachments
from bridge.sandbox import confluence_comments as comments
from bridge.sandbox import confluence_labels as labels
from bridge.sandbox import confluence_page_writes as page_writes
from bridge.sandbox import confluence_pages as pages
from bridge.sandbox import confluence_properties as properties
from bridge.sandbox import confluence_spaces as spaces
from bridge.sandbox.confluence_state import Kind
from bridge.sandbox.confluence_wire import Call

Family = Literal["v1", "v2"]
V2 = "/wiki/api/v2"
V1 = "/wiki/rest/api"


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: any one of ``scopes`` (sets of scope names) opens it."""

    method: str
    path: str
    operation: str
    handler: Callable[[Call], Response]
    scopes: tuple[frozenset[str], ...]
    family: Family
    kind: Kind = "page"
    write: bool = False
    args: dict[str, str] = field(default_factory=dict)


def _v2(
    method: str,
    path: str,
    operation: str,
    handler: Callable[[Call], Response],
    scopes: str,
    kind: Kind = "page",
    args: dict[str, str] | None = None,
) -> Route:
    wanted = frozenset(f"{scope}:confluence" for scope in scopes.split())
    write = method != "GET" and operation != "createBulkUserLookup"
    return Route(method, V2 + path, operation, handler, (wanted,), "v2", kind, write, args or {})


def _v1(
    method: str, path: str, operation: str, handler: Callable[[Call], Response], classic: str, granular: str
) -> Route:
    either = (frozenset(classic.split()), frozenset(f"{scope}:confluence" for scope in granular.split()))
    return Route(method, V1 + path, operation, handler, either, "v1", "page", method != "GET")


def _content(plural: str, kind: Kind, name: str) -> list[Route]:
    one, post = f"/{plural}/<id>", "Page" if kind == "page" else "BlogPost"
    read, files = "read:page", "PageAttachments" if kind == "page" else "BlogpostAttachments"
    return [
        _v2("GET", f"/{plural}", f"get{post}s", pages.list_pages, read, kind),
        _v2("GET", f"/spaces/<id>/{plural}", f"get{post}sInSpace", pages.list_pages, read, kind),
        _v2("POST", f"/{plural}", f"create{post}", page_writes.create, "write:page", kind),
        _v2("GET", one, f"get{post}ById", pages.get_page, read, kind),
        _v2("PUT", one, f"update{post}", page_writes.update, "write:page", kind),
        _v2("DELETE", one, f"delete{post}", page_writes.delete, "delete:page", kind),
        _v2("GET", f"{one}/versions", f"get{post}Versions", pages.list_versions, read, kind),
        _v2("GET", f"{one}/versions/<number>", f"get{post}VersionDetails", pages.version_details, read, kind),
        _v2(
            "GET", f"{one}/footer-comments", f"get{post}FooterComments", comments.list_on_content, "read:comment", kind
        ),
        _v2("GET", f"{one}/attachments", f"get{files}", attachments.list_on_content, "read:attachment", kind),
        _v2("GET", f"{one}/labels", f"get{post}Labels", labels.list_labels, read, kind),
        *_properties(plural, name, "page"),
    ]


def _properties(plural: str, name: str, scope: str) -> list[Route]:
    one = f"/{plural}/<id>/properties"
    read, write, args = f"read:{scope}", f"read:{scope} write:{scope}", {"what": plural}
    item = f"{one}/<property>"
    return [
        _v2("GET", one, f"get{name}ContentProperties", properties.list_all, read, args=args),
        _v2("POST", one, f"create{name}Property", properties.create, write, args=args),
        _v2("GET", item, f"get{name}ContentPropertiesById", properties.get, read, args=args),
        _v2("PUT", item, f"update{name}PropertyById", properties.update, write, args=args),
        _v2("DELETE", item, f"delete{name}PropertyById", properties.delete, write, args=args),
    ]


def _v2_routes() -> list[Route]:
    comment = "/footer-comments/<id>"
    return [
        _v2("GET", "/spaces", "getSpaces", spaces.list_spaces, "read:space"),
        _v2("GET", "/spaces/<id>", "getSpaceById", spaces.get_space, "read:space"),
        *_content("pages", "page", "Page"),
        *_content("blogposts", "blogpost", "Blogpost"),
        _v2("PUT", "/pages/<id>/title", "updatePageTitle", page_writes.retitle, "write:page"),
        _v2("GET", "/pages/<id>/children", "getChildPages", pages.list_children, "read:page"),
        _v2(
            "GET",
            "/pages/<id>/direct-children",
            "getPageDirectChildren",
            pages.list_children,
            "read:hierarchical-content",
        ),
        _v2("GET", "/pages/<id>/ancestors", "getPageAncestors", pages.list_ancestors, "read:content.metadata"),
        _v2("GET", "/footer-comments", "getFooterComments", comments.list_all, "read:comment"),
        _v2("POST", "/footer-comments", "createFooterComment", comments.create, "write:comment"),
        _v2("GET", comment, "getFooterCommentById", comments.get, "read:comment"),
        _v2("PUT", comment, "updateFooterComment", comments.update, "write:comment"),
        _v2("DELETE", comment, "deleteFooterComment", comments.delete, "delete:comment"),
        _v2("GET", f"{comment}/children", "getFooterCommentChildren", comments.list_children, "read:comment"),
        _v2("GET", "/attachments/<id>", "getAttachmentById", attachments.get, "read:attachment"),
        _v2("DELETE", "/attachments/<id>", "deleteAttachment", attachments.delete, "delete:attachment"),
        *_properties("comments", "Comment", "comment"),
        *_properties("attachments", "Attachment", "attachment"),
        _v2("POST", "/users-bulk", "createBulkUserLookup", spaces.users_bulk, "read:user"),
    ]


def _v1_routes() -> list[Route]:
    files, label, limits = "/content/<id>/child/attachment", "/content/<id>/label", "/content/<id>/restriction"
    put, file_scopes = "write:confluence-content", "read:content-details write:attachment"
    details, restrict = "read:content-details", "read:content-details write:content.restriction"
    upload = "write:confluence-file"
    return [
        _v1("PUT", files, "createOrUpdateAttachments", attachments.create_or_update, upload, file_scopes),
        _v1("POST", files, "createAttachment", attachments.create, upload, file_scopes),
        _v1("POST", f"{files}/<attachment>/data", "updateAttachmentData", attachments.update_data, upload, file_scopes),
        _v1(
            "GET",
            f"{files}/<attachment>/download",
            "downloadAttatchment",
            attachments.download,
            "readonly:content.attachment:confluence",
            "read:attachment",
        ),
        _v1("POST", label, "addLabelsToContent", labels.add_labels, put, "read:label write:label"),
        _v1("DELETE", label, "removeLabelFromContentUsingQueryParameter", labels.remove_label, put, "write:label"),
        _v1("DELETE", f"{label}/<label>", "removeLabelFromContent", labels.remove_label, put, "write:label"),
        _v1("GET", limits, "getRestrictions", labels.get_restrictions, "read:confluence-content.all", details),
        _v1("PUT", limits, "updateRestrictions", labels.replace_restrictions, put, restrict),
        _v1("POST", limits, "addRestrictions", labels.add_restrictions, put, restrict),
        _v1("DELETE", limits, "deleteRestrictions", labels.delete_restrictions, put, restrict),
        _v1("GET", "/user/current", "getCurrentUser", spaces.current_user, "read:confluence-user", details),
        _v1("POST", "/content/archive", "archivePages", spaces.archive, put, "read:content.metadata write:page"),
        _v1(
            "GET",
            "/longtask/<id>",
            "getTask",
            spaces.long_task,
            "read:confluence-space.summary",
            "read:content.metadata",
        ),
        _v1("GET", "/search", "searchByCQL", spaces.search, "search:confluence", details),
    ]


ROUTES: tuple[Route, ...] = (*_v2_routes(), *_v1_routes())
_MAP = Map(
    [Rule(route.path, methods=[route.method], endpoint=number) for number, route in enumerate(ROUTES)],
    strict_slashes=False,
    merge_slashes=False,
)


def match(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the route of a path below ``/ex/confluence/{cloudId}`` and the parts of the path; None where none fits."""
    try:
        number, args = _MAP.bind("sandbox").match(path, method=method)
    except HTTPException:
        return None
    route = ROUTES[int(number)]
    return route, {**route.args, **args}
