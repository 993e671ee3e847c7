"""Spaces, sites and the person themselves."""

from __future__ import annotations

import requests
from urllib3.exceptions import HTTPError

from bridge.clock import Clock
from bridge.confluence.calls import V1, V2, Calls, listed
from bridge.confluence.values import Site, Space, User, as_space, rows, text
from bridge.errors import Temporary
from bridge.http import Endpoints, Transports, atlassian_error, json_list, lost

READ_SPACE = "read:space:confluence"
READ_DETAILS = "read:content-details:confluence"


class Spaces(Calls):
    """Where people may write, and who they are."""

    def space(self, key: str) -> Space | None:
        """Return the space of a key (upper and lower case are the same), None where it is unknown or invisible."""
        answer = listed(self._call("GET", f"{V2}/spaces", scope=READ_SPACE, params={"keys": key}))
        found = [as_space(row) for row in rows(answer, "results")]
        return next((space for space in found if space.key.casefold() == key.casefold()), None)

    def current_user(self) -> User:
        """Return the person whose token it is; the probe of a grant.

        Raises:
            CredentialRefused: the credential is no longer accepted.
        """
        answer = self._call("GET", f"{V1}/user/current", scope=READ_DETAILS)
        account_id = text(answer, "accountId")
        if not account_id:
            raise Temporary("Confluence did not say who this is; it is tried again later.", provider="atlassian")
        return User(account_id, text(answer, "displayName") or text(answer, "publicName"))


def sites(transports: Transports, endpoints: Endpoints, token: str, *, clock: Clock) -> list[Site]:
    """Return the Confluence sites that an access token reaches, in Atlassian's order.

    One site may be listed twice, once for Jira's scopes and once for Confluence's: only entries with a Confluence
    scope count, and those of one id are put together.

    Raises:
        TokenExpired: the token is dead.
        RemoteError: any other failure.
    """
    session = transports.session()
    try:
        response = session.get(
            f"{endpoints.atlassian_api}/oauth/token/accessible-resources",
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            allow_redirects=False,
        )
    except (requests.RequestException, HTTPError, OSError) as exc:
        raise lost(exc, provider="atlassian", write=False) from exc
    if response.status_code != 200:
        raise atlassian_error(response, write=False, now=clock.now())
    found: dict[str, Site] = {}
    for entry in json_list(response, provider="atlassian"):
        cloud_id, listed = text(entry, "id"), entry.get("scopes")
        scopes = frozenset(str(name) for name in listed) if isinstance(listed, list) else frozenset()
        if cloud_id and any("confluence" in name for name in scopes):
            known = found[cloud_id].scopes if cloud_id in found else frozenset()
            url = text(entry, "url").rstrip("/")
            found[cloud_id] = Site(cloud_id, url, text(entry, "name"), known | scopes)
    return list(found.values())
