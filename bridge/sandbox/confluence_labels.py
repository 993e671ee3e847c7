"""Labels (read by v2, written by v1) and restrictions (v1)."""

from __future__ import annotations

import re
from typing import Any

from werkzeug.wrappers import Response

from bridge.sandbox.confluence_access import can_edit, can_restrict, can_view
from bridge.sandbox.confluence_pages import both_ways, find
from bridge.sandbox.confluence_spaces import v1_user
from bridge.sandbox.confluence_state import Label, Page, Restriction
from bridge.sandbox.confluence_wire import Call, collection, json_response, ordered, v1_error

_ILLEGAL = re.compile(r"[\s!#&()*,.:;<>?@\[\]^]")
MAX_LABEL = 255
PREFIXES = ("my", "team", "global", "system")
OPERATIONS = ("read", "update")


def list_labels(call: Call) -> Response:
    """Answer getPageLabels and getBlogPostLabels."""
    page = find(call, call.args["id"], call.kind)
    prefix = call.one_of("prefix", PREFIXES)
    rows = [label for label in page.labels.values() if prefix in ("", label.prefix)]
    sort = call.one_of("sort", both_ways(("created-date", "id", "name")))
    keys = {"name": lambda row: row.name, "id": lambda row: int(row.id), "created-date": lambda row: int(row.id)}
    return collection(
        call,
        ordered(rows, sort, keys),
        lambda row: row.id,
        lambda row: {"id": row.id, "name": row.name, "prefix": row.prefix},
    )


def _page(call: Call, *, edit: bool) -> Page:
    page = call.wiki.content.get(call.args["id"])
    here = page is not None and call.wiki.site_of(page).cloud_id == call.site.cloud_id
    if page is None or not here or page.status == "trashed" or not can_view(call.wiki, call.person, page):
        raise v1_error(404, f"No content found with id: ContentId{{id={call.args['id']}}}")
    if edit and not can_edit(call.wiki, call.person, page):
        raise v1_error(403, "User may view but not edit the content")
    return page


def add_labels(call: Call) -> Response:
    """Answer addLabelsToContent: naturally repeatable; the answer lists all labels of the page."""
    page, sent = _page(call, edit=True), call.json()
    rows = sent if isinstance(sent, list) else [sent]
    wanted = []
    for row in rows:
        name = row.get("name") if isinstance(row, dict) else None
        if not isinstance(name, str) or not name:
            raise v1_error(400, "Could not parse Labels")
        if _ILLEGAL.search(name) or len(name) > MAX_LABEL:
            raise v1_error(400, f"The label {name} has illegal characters or is too long")
        wanted.append((row.get("prefix") or "global", name.lower()))
    for prefix, name in wanted:
        if name not in page.labels:
            page.labels[name] = Label(call.wiki.other_id(), name, prefix)
            call.changed = True
    results = [
        {"prefix": held.prefix, "name": held.name, "id": held.id, "label": held.name} for held in page.labels.values()
    ]
    return json_response({"results": results, "start": 0, "limit": 200, "size": len(results), "_links": {}})


def remove_label(call: Call) -> Response:
    """Answer removeLabelFromContent and removeLabelFromContentUsingQueryParameter."""
    page = _page(call, edit=True)
    name = (call.args.get("label") or call.request.args.get("name", "")).lower()
    if name not in page.labels:
        raise v1_error(404, f"The page has no label {name}")
    del page.labels[name]
    return Response(status=204)


def get_restrictions(call: Call) -> Response:
    """Answer getRestrictions: always both operations, also where everybody may."""
    return _restrictions(call, _page(call, edit=False))


def _restrictions(call: Call, page: Page) -> Response:
    rows = [_row(call, page, name) for name in OPERATIONS]
    links = {"base": f"{call.site.url}/wiki", "context": "/wiki"}
    call.identities = len(page.read.users) + len(page.update.users)
    answer = {"results": rows, "start": 0, "limit": 100, "size": 2, "restrictionsHash": "", "_links": links}
    return json_response(answer)


def _row(call: Call, page: Page, name: str) -> dict[str, Any]:
    held = page.read if name == "read" else page.update
    found = (call.wiki.person_by_account(account) for account in held.users)
    users = [v1_user(call, person) for person in found if person is not None]
    groups = [{"type": "group", "name": group, "id": group} for group in held.groups]
    return {
        "operation": name,
        "restrictions": {
            "user": {"results": users, "start": 0, "limit": 100, "size": len(users)},
            "group": {"results": groups, "start": 0, "limit": 100, "size": len(groups)},
        },
        "_expandable": {"content": f"/rest/api/content/{page.id}"},
        "_links": {"self": f"{call.site.url}/wiki/rest/api/content/{page.id}/restriction/byOperation/{name}"},
    }


def replace_restrictions(call: Call) -> Response:
    """Answer updateRestrictions (PUT): what is sent takes the place of everything."""
    page, sent = _restrictable(call), _sent(call)
    page.read, page.update = sent.get("read", Restriction()), sent.get("update", Restriction())
    return _restrictions(call, page)


def add_restrictions(call: Call) -> Response:
    """Answer addRestrictions (POST): what is sent is added."""
    page, sent = _restrictable(call), _sent(call)
    for name, more in sent.items():
        held = page.read if name == "read" else page.update
        held.users += [user for user in more.users if user not in held.users]
        held.groups += [group for group in more.groups if group not in held.groups]
    return _restrictions(call, page)


def delete_restrictions(call: Call) -> Response:
    """Answer deleteRestrictions: everybody who sees the space sees the page again."""
    page = _restrictable(call)
    page.read, page.update = Restriction(), Restriction()
    return _restrictions(call, page)


def _restrictable(call: Call) -> Page:
    page = _page(call, edit=False)
    if not call.wiki.switches.restrictions_available or not can_restrict(call.wiki, call.person, page):
        raise v1_error(403, "User not permitted to change the restrictions of the content")
    return page


def _sent(call: Call) -> dict[str, Restriction]:
    sent = call.json()
    rows = sent.get("results") if isinstance(sent, dict) else sent
    if not isinstance(rows, list):
        raise v1_error(400, "A list of restrictions is needed")
    found: dict[str, Restriction] = {}
    for row in rows:
        if not isinstance(row, dict) or row.get("operation") not in OPERATIONS:
            raise v1_error(400, "operation must be read or update")
        lists = row.get("restrictions")
        if not isinstance(lists, dict) or not lists or not all(lists.values()):
            raise v1_error(400, "The lists of a restriction must not be empty")
        users, groups = lists.get("user", []), lists.get("group", [])
        users = users.get("results", []) if isinstance(users, dict) else users
        found[row["operation"]] = Restriction(
            [_known(call, user) for user in users], [_group(call, one) for one in groups]
        )
    return found


def _known(call: Call, user: Any) -> str:
    account = user.get("accountId") if isinstance(user, dict) else None
    if not isinstance(account, str) or call.wiki.person_by_account(account) is None:
        raise v1_error(404, f"No user found with account id {account}")
    return account


def _group(call: Call, group: Any) -> str:
    name = (group.get("id") or group.get("name")) if isinstance(group, dict) else None
    if not isinstance(name, str) or name not in call.wiki.groups:
        raise v1_error(404, f"No group found with id {name}")
    return name
