"""The Atlassian half of the sandbox: auth.atlassian.com and api.atlassian.com with its gateway to Confluence.

Below the prefix that the half is mounted at (``/atlassian``): ``/authorize``, ``/oauth/token``,
``/oauth/token/accessible-resources``, ``/me``, ``/ex/confluence/{cloudId}/wiki/api/v2/...`` and
``.../wiki/rest/api/...``, and ``/media/...``, where downloads lead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from werkzeug.wrappers import Request, Response

from bridge.sandbox import confluence_attachments, confluence_routes
from bridge.sandbox.atlassian_consent import consent
from bridge.sandbox.atlassian_limits import Meter
from bridge.sandbox.atlassian_oauth import Access, App, OAuth
from bridge.sandbox.confluence_people import PeopleSide
from bridge.sandbox.confluence_routes import Route
from bridge.sandbox.confluence_state import Wiki
from bridge.sandbox.confluence_wire import Call, Refused, gateway_error, json_response, v1_error
from bridge.sandbox.core import Answered, Core

_GATEWAY = re.compile(r"/ex/confluence/(?P<cloud>[^/]+)(?P<path>/.*)")
_MEDIA = re.compile(r"/media/file/(?P<file>[^/]+)/(?P<number>\d+)/.*")
_PRUNED = re.compile(r"/wiki/rest/api/(?:content|space)(?:/.*)?")
_PLAIN = {
    "/authorize": "atlassian.oauth.authorize",
    "/oauth/token": "atlassian.oauth.token",
    "/oauth/token/accessible-resources": "atlassian.oauth.resources",
    "/me": "atlassian.me",
}


class AtlassianHalf(PeopleSide):
    """The service (``core.Service``), and what tests and people do on the Confluence side without HTTP.

    ``wiki`` holds what stands, ``switches`` (the wiki's) the behaviours that can be changed, ``oauth`` grants and
    tokens, ``meter`` the points. A first site stands from the start; its address is the core's base address.
    """

    name = "atlassian"

    def __init__(self, core: Core, *, app: App | None = None, prefix: str = "/atlassian") -> None:
        super().__init__(Wiki(core))
        self.core = core
        self.prefix = prefix.rstrip("/")
        self.switches = self.wiki.switches
        self.oauth = OAuth(self.wiki, app or App())
        self.meter = Meter(self.wiki.now)
        self.site = self.add_site("sandbox", url=core.base_url)

    def approve(self, authorize_url: str, person: str, scopes: Iterable[str] | None = None) -> str:
        """Accept an authorize address as a person (an address), and return where the browser goes next.

        ``scopes`` narrows what is granted, as a person may on the consent screen.

        Raises:
            ConsentFault: where Atlassian would show an error page of its own.
        """
        chosen = frozenset(scopes) if scopes is not None else None
        with self.core.lock:
            return self.oauth.approve(self.oauth.asked(authorize_url), self.person(person), chosen)

    def deny(self, authorize_url: str) -> str:
        """Press Cancel on an authorize address, and return where the browser goes next."""
        return self.oauth.deny(self.oauth.asked(authorize_url))

    def revoke(self, person: str) -> None:
        """Take a person's grant back, as on their Connected apps page."""
        with self.core.lock:
            self.oauth.revoke(self.person(person))

    def identify(self, request: Request) -> tuple[str, str]:
        """Return the operation of a request and the address of the person whose token came, each '' where unknown."""
        path = self._path(request)
        access = self._access(request)
        person = access.grant.person.address if access is not None else ""
        if path == "/oauth/token":
            person = self.oauth.whose(request)
        if path in _PLAIN:
            return _PLAIN[path], person
        if _MEDIA.fullmatch(path):
            return "atlassian.media", person
        gateway = _GATEWAY.fullmatch(path)
        found = confluence_routes.match(request.method, gateway["path"]) if gateway else None
        return (found[0].operation if found else ""), person

    def answer(self, request: Request) -> Answered:
        """Carry a request out."""
        operation, person = self.identify(request)
        try:
            response, write = self._answer(request, operation)
        except Refused as refused:
            response, write = refused.response, False
        response.headers["atl-traceid"] = f"{self.core.random.getrandbits(128):032x}"
        return Answered(response, operation, person, write)

    def _path(self, request: Request) -> str:
        path: str = request.path
        return path.removeprefix(self.prefix)

    def _access(self, request: Request) -> Access | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return self.oauth.access.get(token.strip()) if scheme.lower() == "bearer" else None

    def _answer(self, request: Request, operation: str) -> tuple[Response, bool]:
        path = self._path(request)
        if operation == "atlassian.oauth.authorize":
            return consent(self.oauth, request), False
        if operation == "atlassian.oauth.token":
            if request.method != "POST":
                return Response("Method Not Allowed", status=405), False
            return self.oauth.token(request), False
        if operation == "atlassian.oauth.resources":
            return self._resources(request), False
        if operation == "atlassian.me":
            return self._me(request), False
        media = _MEDIA.fullmatch(path)
        if media:
            token = request.args.get("token", "")
            return confluence_attachments.media(self.wiki, media["file"], media["number"], token), False
        gateway = _GATEWAY.fullmatch(path)
        if gateway:
            return self._confluence(request, gateway["cloud"], gateway["path"])
        return json_response({"code": 404, "message": "Not Found"}, 404), False

    def _living(self, request: Request) -> Access:
        access = self._access(request)
        if request.headers.get("Authorization", "").lower().startswith("basic "):
            raise gateway_error(401, "Unauthorized", "FAILURE_CLIENT_AUTH_MISMATCH")
        if access is None or access.expires <= self.wiki.now():
            raise gateway_error(401, "Unauthorized", "FAILURE_CLIENT_AUTH")
        return access

    def _resources(self, request: Request) -> Response:
        access = self._living(request)
        if access.grant.revoked:
            raise gateway_error(401, "Unauthorized", "FAILURE_CLIENT_AUTH")
        rows: list[dict[str, Any]] = []
        own = sorted(scope for scope in access.scopes if "confluence" in scope)
        for cloud_id in self._reach(access):
            site = self.wiki.sites[cloud_id]
            avatar = f"{site.url}/wiki/aa-avatar/default"
            row = {"id": site.cloud_id, "url": site.url, "name": site.name, "scopes": own, "avatarUrl": avatar}
            if self.switches.duplicate_resources:
                rows.append({**row, "scopes": ["read:jira-work"]})
            rows.append(row)
        return json_response(rows)

    def _reach(self, access: Access) -> list[str]:
        return [site for site in access.grant.sites if site in access.grant.person.sites and site in self.wiki.sites]

    def _me(self, request: Request) -> Response:
        access = self._living(request)
        if access.grant.revoked:
            raise gateway_error(401, "Unauthorized", "FAILURE_CLIENT_AUTH")
        if "read:me" not in access.scopes:
            raise gateway_error(403, "Forbidden; scope does not match", "FAILURE_CLIENT_SCOPE_CHECK")
        person = access.grant.person
        return json_response(
            {
                "account_type": "atlassian",
                "account_id": person.account_id,
                "email": person.address,
                "name": person.name,
                "picture": f"{self.core.base_url}/wiki/aa-avatar/default",
                "account_status": "active",
                "nickname": person.name,
                "locale": "en-US",
                "email_verified": True,
            }
        )

    def _confluence(self, request: Request, cloud_id: str, path: str) -> tuple[Response, bool]:
        access = self._living(request)
        found = confluence_routes.match(request.method, path)
        v2 = path.startswith(confluence_routes.V2)
        if access.grant.revoked:
            raise self._refused_credential(v2=v2)
        if cloud_id not in self._reach(access):
            raise gateway_error(404, "Not Found")
        if found is None:
            raise self._no_route(path)
        route, args = found
        if not any(scopes <= access.scopes for scopes in route.scopes):
            raise gateway_error(401, "Unauthorized; scope does not match", "FAILURE_CLIENT_SCOPE_CHECK")
        refusal = self.meter.refusal() if self.switches.enforce_quota else None
        if refusal is not None:
            return refusal, False
        site, person = self.wiki.sites[cloud_id], access.grant.person
        return self._carry_out(Call(self.wiki, request, person, site, access.scopes, args, route.kind), route)

    def _carry_out(self, call: Call, route: Route) -> tuple[Response, bool]:
        try:
            response = route.handler(call)
        except Refused as refused:
            response = refused.response
        read_cost = 0 if route.write else call.objects + 2 * call.identities
        self.meter.add(route.operation, 1 + read_cost)
        self.meter.stamp(response)
        response.headers["atl-request-id"] = self.wiki.uuid()
        return response, call.changed or (route.write and response.status_code < 400)

    def _refused_credential(self, *, v2: bool) -> Refused:
        if self.switches.revoked_answer == "gateway":
            return gateway_error(401, "Unauthorized", "FAILURE_CLIENT_AUTH")
        if v2:
            row = {"status": 404, "code": "NOT_FOUND", "title": "Not Found", "detail": None}
            return Refused(json_response({"errors": [row]}, 404))
        return v1_error(403, "Current user not permitted to use Confluence")

    def _no_route(self, path: str) -> Refused:
        if _PRUNED.fullmatch(path):
            return v1_error(410, "This API has been removed")
        return Refused(json_response({"statusCode": 404, "message": f"null for uri: {path}"}, 404))
