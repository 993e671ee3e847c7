"""How the sandbox's Confluence speaks HTTP: one call, refusals in each family's shape, collections with cursors."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

from bridge.sandbox.confluence_state import Kind, Person, Site, Wiki

T = TypeVar("T")

MAX_LIMIT = 250
MAX_BODY = 5 * 1024 * 1024


class Refused(Exception):
    """A request that is answered with an error; carries the answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


@dataclass
class Call:
    """One request behind the gateway: who asks, with which scopes, on which site.

    ``args`` are the parts of the path, ``kind`` what the path is about. A handler sets ``changed`` where something
    changed although it answers an error, and ``objects`` and ``identities`` to what its answer holds (they cost
    points).
    """

    wiki: Wiki
    request: Request
    person: Person
    site: Site
    scopes: frozenset[str]
    args: Mapping[str, str]
    kind: Kind = "page"
    changed: bool = False
    objects: int = 0
    identities: int = 0

    def json(self) -> Any:
        """Return the request's JSON.

        Raises:
            Refused: 415 without a JSON content type, 400 for what is no JSON.
        """
        if self.request.mimetype != "application/json":
            raise Refused(Response("HTTP 415 Unsupported Media Type", status=415))
        try:
            return json.loads(self.request.get_data())
        except ValueError:
            raise self.bad("Invalid message: the request body is not JSON") from None

    def json_object(self) -> dict[str, Any]:
        """Return the request's JSON object; 400 for anything else."""
        value = self.json()
        if not isinstance(value, dict):
            raise self.bad("Invalid message: the request body is not a JSON object")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a boolean query parameter."""
        text = self.request.args.get(name)
        if text is None:
            return default
        if text.lower() not in ("true", "false"):
            raise self.bad(f"Provided value {{{text}}} for '{name}' is not the correct type. Expected type is boolean")
        return text.lower() == "true"

    def values(self, name: str) -> list[str]:
        """Return a list parameter: repeated, comma-separated or both."""
        given = self.request.args.getlist(name)
        return [part.strip() for text in given for part in text.split(",") if part.strip()]

    def one_of(self, name: str, allowed: Sequence[str], default: str = "") -> str:
        """Return an enumerated query parameter; 400 for a value that the official document does not list."""
        value = self.request.args.get(name, default)
        if value != default and value not in allowed:
            raise self.bad(f"Provided value {{{value}}} for '{name}' is not one of {', '.join(allowed)}")
        return value

    def error(self, status: int, code: str, title: str) -> Refused:
        """Return a refusal in the v2 shape."""
        shown: int | str = str(status) if self.wiki.switches.status_as_text else status
        row = {"status": shown, "code": code, "title": title, "detail": None}
        return Refused(json_response({"errors": [row]}, status))

    def bad(self, title: str) -> Refused:
        """Return a 400 in the v2 shape."""
        return self.error(400, "BAD_REQUEST", title)

    def missing(self, title: str) -> Refused:
        """Return a 404 in the v2 shape."""
        return self.error(404, "NOT_FOUND", title)


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer; lone surrogates stay escaped."""
    text = json.dumps(value, separators=(",", ":"))
    return Response(text, status=status, content_type="application/json", headers=dict(headers or {}))


def v1_error(status: int, message: str) -> Refused:
    """Return a refusal in the v1 shape."""
    names = {400: "BadRequestException", 403: "PermissionException", 404: "NotFoundException"}
    name = names.get(status, "ServiceException")
    text = message if status == 410 else f"com.atlassian.confluence.api.service.exceptions.api.{name}: {message}"
    data = {"authorized": status != 403, "valid": True, "errors": [], "successful": status != 403}
    return Refused(json_response({"statusCode": status, "data": data, "message": text}, status))


def gateway_error(status: int, message: str, category: str = "") -> Refused:
    """Return a refusal of the gateway, with its failure category."""
    headers = {"X-Failure-Category": category, "server": "AtlassianEdge"} if category else {"server": "AtlassianEdge"}
    return Refused(json_response({"code": status, "message": message}, status, headers))


def rate_limited(reason: str, retry_after: int | None) -> Response:
    """Return a 429; reasons are ``confluence-burst-based`` and ``confluence-quota-global-based``."""
    headers = {"RateLimit-Reason": reason, "X-RateLimit-Remaining": "0", "X-RateLimit-NearLimit": "true"}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return json_response({"code": 429, "message": "Rate limit exceeded."}, 429, headers)


def html_error(status: int) -> Response:
    """Return an HTML page such as a proxy puts in the service's place."""
    return Response(f"<html><body><h1>{status}</h1>Upstream trouble</body></html>", status=status, mimetype="text/html")


def stamp(at: datetime) -> str:
    """Return an instant as Confluence writes it: milliseconds and Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _limit(call: Call, default: int) -> int:
    text = call.request.args.get("limit", str(default))
    if not text.isdecimal() or int(text) < 1:
        raise call.bad(f"Provided value {{{text}}} for 'limit' is not a number from 1 to {MAX_LIMIT}")
    return min(int(text), MAX_LIMIT)


def _after(call: Call, ids: Sequence[str]) -> int:
    cursor = call.request.args.get("cursor")
    if cursor is None:
        return 0
    try:
        held = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        last, place = str(held["id"]), int(held["n"])
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise call.bad("Invalid cursor") from None
    return ids.index(last) + 1 if last in ids else place


def collection(
    call: Call,
    rows: Sequence[T],
    key: Callable[[T], str],
    shape: Callable[[T], dict[str, Any]],
    default_limit: int = 25,
) -> Response:
    """Answer one page of a list, with ``_links.next`` and the Link header where there is more.

    The next address is absolute on the site and lacks the gateway's prefix, as the real one does.
    """
    limit = _limit(call, default_limit)
    start = _after(call, [key(row) for row in rows])
    part = rows[start : start + limit]
    call.objects += len(part)
    links = {"base": f"{call.site.url}/wiki"}
    headers = {}
    if start + limit < len(rows):
        cursor = json.dumps({"id": key(part[-1]), "n": start + limit})
        query = [
            (name, value) for name, value in call.request.args.items(multi=True) if name not in ("cursor", "limit")
        ]
        query += [("limit", str(limit)), ("cursor", base64.urlsafe_b64encode(cursor.encode()).decode())]
        path = "/wiki/api/v2/" + call.request.path.split("/wiki/api/v2/", 1)[1]
        links["next"] = f"{path}?{urlencode(query)}"
        headers["Link"] = f'<{links["next"]}>; rel="next"'
    return json_response({"results": [shape(row) for row in part], "_links": links}, headers=headers)


def ordered(rows: Sequence[T], sort: str, keys: Mapping[str, Callable[[T], Any]]) -> list[T]:
    """Return rows in the order of a sort parameter (``-`` first: newest or last first); '' keeps them."""
    if not sort:
        return list(rows)
    return sorted(rows, key=keys[sort.removeprefix("-")], reverse=sort.startswith("-"))
