"""Content properties (v2) on pages, blog posts, comments and files: a key is claimed once, a value has versions."""

from __future__ import annotations

import json
from typing import Any

from werkzeug.wrappers import Response

from bridge.sandbox import confluence_shapes as shapes
from bridge.sandbox.confluence_access import can_comment, can_edit
from bridge.sandbox.confluence_attachments import find_attachment
from bridge.sandbox.confluence_comments import find_comment
from bridge.sandbox.confluence_pages import both_ways, find
from bridge.sandbox.confluence_state import Property
from bridge.sandbox.confluence_wire import Call, collection, json_response, ordered

MAX_VALUE = 32 * 1024
MAX_KEY = 255


def _held(call: Call, *, write: bool) -> dict[str, Property]:
    """Return the properties of what the path names; 404 where the person may not see it or, to write, not change it."""
    what, held_id = call.args["what"], call.args["id"]
    if what == "comments":
        comment = find_comment(call, held_id)
        allowed = comment.author == call.person.account_id
        allowed = allowed and can_comment(call.wiki, call.person, call.wiki.content[comment.page])
        properties = comment.properties
    elif what == "attachments":
        file = find_attachment(call, held_id)
        allowed, properties = can_edit(call.wiki, call.person, call.wiki.content[file.page]), file.properties
    else:
        page = find(call, held_id, "page" if what == "pages" else "blogpost")
        allowed, properties = can_edit(call.wiki, call.person, page), page.properties
    if write and not allowed:
        raise call.missing(f"Could not find page with id [{held_id}]")
    return properties


def _one(call: Call, properties: dict[str, Property]) -> Property:
    for held in properties.values():
        if held.id == call.args["property"]:
            return held
    raise call.missing(f"Could not find property with id [{call.args['property']}]")


def _checked(call: Call, sent: dict[str, Any]) -> tuple[str, Any]:
    key = sent.get("key")
    if not isinstance(key, str) or not key or len(key) > MAX_KEY or "value" not in sent:
        raise call.bad("A property needs a key of at most 255 characters and a value")
    if len(json.dumps(sent["value"])) > MAX_VALUE:
        raise call.bad(f"The value of a property cannot be longer than {MAX_VALUE} bytes")
    return key, sent["value"]


def list_all(call: Call) -> Response:
    """Answer the four list operations, also those by key (exact, upper and lower case differ)."""
    key = call.request.args.get("key")
    rows = [held for held in _held(call, write=False).values() if key in (None, held.key)]
    sort = call.one_of("sort", both_ways(("key",)))
    return collection(
        call, ordered(rows, sort, {"key": lambda held: held.key}), lambda held: held.id, shapes.content_property
    )


def get(call: Call) -> Response:
    """Answer the four operations that read one property."""
    return json_response(shapes.content_property(_one(call, _held(call, write=False))))


def create(call: Call) -> Response:
    """Answer the four create operations: 409 where the key is taken, which makes a property an atomic claim."""
    properties = _held(call, write=True)
    key, value = _checked(call, call.json_object())
    if key in properties:
        raise call.error(409, "CONFLICT", f"Property with key [{key}] already exists")
    held = Property(call.wiki.other_id(), key, value, 1, call.person.account_id, call.wiki.now())
    properties[key] = held
    return json_response(shapes.content_property(held))


def update(call: Call) -> Response:
    """Answer the four update operations: the version must be the current one plus 1."""
    held = _one(call, _held(call, write=True))
    sent = call.json_object()
    key, value = _checked(call, sent)
    if key != held.key:
        raise call.bad("The key of a property cannot be changed")
    version = sent.get("version")
    number = version.get("number") if isinstance(version, dict) else None
    if number != held.number + 1:
        raise call.error(
            409,
            "CONFLICT",
            "Version must be incremented when updating a property. "
            f"Current Version: [{held.number}]. Provided version: [{number}]",
        )
    held.value, held.number, held.author, held.at = value, held.number + 1, call.person.account_id, call.wiki.now()
    held.message = version.get("message") or "" if isinstance(version, dict) else ""
    return json_response(shapes.content_property(held))


def delete(call: Call) -> Response:
    """Answer the four delete operations."""
    properties = _held(call, write=True)
    del properties[_one(call, properties).key]
    return Response(status=204)
