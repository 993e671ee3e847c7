"""Spaces and people (v2 and v1), archiving, long tasks and a small search."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from werkzeug.wrappers import Response

from bridge.sandbox import confluence_shapes as shapes
from bridge.sandbox.confluence_access import can_delete, can_view, may
from bridge.sandbox.confluence_pages import both_ways
from bridge.sandbox.confluence_state import Page, Person, Space
from bridge.sandbox.confluence_wire import Call, collection, json_response, ordered, stamp, v1_error

MAX_ARCHIVED = 300
_TERM = re.compile(
    r"\s*(?P<field>title|space|type|text|id)\s*(?P<sign>=|~)\s*(?:\"(?P<quoted>[^\"]*)\"|(?P<bare>[\w.~-]+))\s*"
)


def _space(call: Call, space: Space, *, single: bool = False) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": space.id,
        "key": space.key,
        "name": space.name,
        "type": space.kind,
        "status": space.status,
        "authorId": "557058:00000000-0000-0000-0000-000000000000",
        "spaceOwnerId": "557058:00000000-0000-0000-0000-000000000000",
        "currentActiveAlias": space.key,
        "createdAt": stamp(space.created_at),
        "homepageId": space.homepage_id,
        "description": None,
        "icon": None,
        "_links": {"webui": f"/spaces/{space.key}"},
    }
    if single:
        row["_links"]["base"] = f"{call.site.url}/wiki"
    return row


def list_spaces(call: Call) -> Response:
    """Answer getSpaces: what the person may see; keys match whatever their case, unknown ones give nothing."""
    keys = {key.casefold() for key in call.values("keys")}
    ids, status = call.values("ids"), call.one_of("status", ("current", "archived"))
    kind = call.request.args.get("type")
    rows = [
        space
        for space in call.wiki.spaces.values()
        if space.site == call.site.cloud_id
        and may(space, call.person, "view")
        and (not keys or space.key.casefold() in keys)
        and (not ids or space.id in ids)
        and (not status or space.status == status)
        and kind in (None, space.kind)
    ]
    sort = call.one_of("sort", both_ways(("id", "key", "name")))
    sorts = {"id": lambda row: int(row.id), "key": lambda row: row.key, "name": lambda row: row.name}
    return collection(call, ordered(rows, sort, sorts), lambda row: row.id, lambda row: _space(call, row))


def get_space(call: Call) -> Response:
    """Answer getSpaceById."""
    space = call.wiki.spaces.get(call.args["id"])
    if space is None or space.site != call.site.cloud_id or not may(space, call.person, "view"):
        raise call.missing(f"Could not find space with id [{call.args['id']}]")
    call.objects = 1
    return json_response(_space(call, space, single=True))


def users_bulk(call: Call) -> Response:
    """Answer createBulkUserLookup: the known ones of a list of account ids."""
    ids = call.json_object().get("accountIds")
    if not isinstance(ids, list) or not 1 <= len(ids) <= 250:
        raise call.bad("accountIds must hold from 1 to 250 ids")
    found = [person for person in (call.wiki.person_by_account(str(one)) for one in ids) if person is not None]
    call.identities = len(found)
    links = {"base": f"{call.site.url}/wiki"}
    return json_response({"results": [_v2_user(person) for person in found], "_links": links})


def _v2_user(person: Person) -> dict[str, Any]:
    return {
        "accountId": person.account_id,
        "displayName": person.name,
        "publicName": person.name,
        "email": "",
        "accountType": "atlassian",
        "accountStatus": "active",
        "profilePicture": {"path": "/wiki/aa-avatar/default", "isDefault": True},
        "isExternalCollaborator": False,
    }


def v1_user(call: Call, person: Person) -> dict[str, Any]:
    """Return a person as v1 writes one; the address is hidden, as it is by default."""
    return {
        "type": "known",
        "accountId": person.account_id,
        "accountType": "atlassian",
        "email": "",
        "publicName": person.name,
        "displayName": person.name,
        "profilePicture": {"path": "/wiki/aa-avatar/default", "width": 48, "height": 48, "isDefault": True},
        "isExternalCollaborator": False,
        "_links": {"self": f"{call.site.url}/wiki/rest/api/user?accountId={person.account_id}"},
    }


def current_user(call: Call) -> Response:
    """Answer getCurrentUser."""
    call.identities = 1
    return json_response(v1_user(call, call.person))


def archive(call: Call) -> Response:
    """Answer archivePages: ids are numbers; the job is done at once and its task can be asked for."""
    pages = call.json_object().get("pages")
    if not isinstance(pages, list) or not 1 <= len(pages) <= MAX_ARCHIVED:
        raise v1_error(400, f"From 1 to {MAX_ARCHIVED} pages can be archived at once")
    held = []
    for row in pages:
        number = row.get("id") if isinstance(row, dict) else None
        page = call.wiki.content.get(str(number)) if isinstance(number, int) else None
        fit = page is not None and page.kind == "page" and page.status == "current"
        if page is None or not fit or not can_delete(call.wiki, call.person, page):
            raise v1_error(400, f"Content {number!r} is not a page that can be archived")
        held.append(page)
    for page in held:
        page.status = "archived"
    task = call.wiki.uuid()
    call.wiki.tasks[task] = call.wiki.now()
    return json_response({"id": task, "links": {"status": f"/rest/api/longtask/{task}"}}, 202)


def long_task(call: Call) -> Response:
    """Answer getTask."""
    begun = call.wiki.tasks.get(call.args["id"])
    if begun is None:
        raise v1_error(404, f"No task with id {call.args['id']}")
    elapsed = int((call.wiki.now() - begun).total_seconds() * 1000)
    return json_response(
        {
            "id": call.args["id"],
            "name": {"key": "com.atlassian.confluence.archive", "args": []},
            "elapsedTime": elapsed,
            "percentageComplete": 100,
            "successful": True,
            "finished": True,
            "messages": [],
            "status": "success",
            "errors": [],
            "additionalDetails": {},
            "_links": {"base": f"{call.site.url}/wiki", "context": "/wiki"},
        }
    )


def search(call: Call) -> Response:
    """Answer searchByCQL for ``field = value`` and ``field ~ words`` joined by AND; its index lags behind."""
    cql = call.request.args.get("cql", "")
    tests = [_test(call, term) for term in re.split(r"\s+and\s+", cql, flags=re.IGNORECASE)]
    ripe = call.wiki.now() - timedelta(seconds=call.wiki.switches.search_lag_seconds)
    found = [
        page
        for page in call.wiki.content.values()
        if page.status == "current"
        and page.version.at <= ripe
        and call.wiki.site_of(page) is call.site
        and can_view(call.wiki, call.person, page)
        and all(test(page) for test in tests)
    ]
    limit = int(call.request.args.get("limit", 25))
    call.objects = len(found[:limit])
    answer = {
        "results": [_hit(call, page) for page in found[:limit]],
        "start": 0,
        "limit": limit,
        "size": len(found[:limit]),
        "totalSize": len(found),
        "cqlQuery": cql,
        "searchDuration": 12,
        "_links": {"base": f"{call.site.url}/wiki", "context": "/wiki"},
    }
    return json_response(answer)


def _test(call: Call, term: str) -> Callable[[Page], bool]:
    match = _TERM.fullmatch(term)
    if match is None:
        raise v1_error(400, f"Could not parse cql : {call.request.args.get('cql', '')}")
    wanted = (match["quoted"] if match["quoted"] is not None else match["bare"]).casefold()
    field, whole = match["field"], match["sign"] == "="

    def test(page: Page) -> bool:
        held = {
            "title": page.title,
            "space": call.wiki.spaces[page.space].key,
            "type": page.kind,
            "id": page.id,
            "text": page.title + " " + page.body,
        }[field].casefold()
        return held == wanted if whole else wanted in held

    return test


def _hit(call: Call, page: Page) -> dict[str, Any]:
    return {
        "content": {"id": page.id, "type": page.kind, "status": page.status, "title": page.title, "_links": {}},
        "title": page.title,
        "excerpt": "",
        "url": shapes.webui(call.wiki, page),
        "breadcrumbs": [],
        "entityType": "content",
        "iconCssClass": f"aui-icon content-type-{page.kind}",
        "lastModified": stamp(page.version.at),
        "score": 0.0,
    }
