"""Where a route's pages go: its space, parent or page, looked up as the person who will write there."""

from __future__ import annotations

from datetime import timedelta

from bridge.config import Route
from bridge.confluence import Confluence
from bridge.errors import NotFound
from bridge.store import spaces
from bridge.store.tables import Grant
from bridge.sync.context import Bridge
from bridge.sync.situation import NoPlace, Place

_SPACE_KNOWN_FOR = timedelta(hours=6)


def place(bridge: Bridge, grant: Grant, client: Confluence, route: Route) -> Place | NoPlace:
    """Return where a route's new publications go; a space looked up in the last 6 hours is not asked for again.

    Raises:
        errors.RemoteError: Confluence could not be asked.
    """
    known = _space(bridge, grant, client, route)
    if known is None:
        return NoPlace(
            f'Space "{route.space}" was not found on {grant.site_url}, or you may not see it. '
            "Ask its admin for access, or have the route changed."
        )
    space_id, space_key = known
    try:
        container = _container(client, route, space_id)
    except NotFound:
        wanted = route.page if route.publish_as == "comment" else route.parent
        return NoPlace(
            f'The page "{wanted}" in space {space_key} was not found, or you may not see it. '
            "Ask for access, or have the route changed."
        )
    return Place(
        cloud_id=grant.cloud_id,
        site_url=grant.site_url,
        space_id=space_id,
        space_key=space_key,
        kind=route.publish_as,
        container=container,
    )


def _space(bridge: Bridge, grant: Grant, client: Confluence, route: Route) -> tuple[str, str] | None:
    now = bridge.clock.now()
    with bridge.store.read() as session:
        row = spaces.find(session, grant.cloud_id, route.space)
    if row is not None and now - row.looked_at < _SPACE_KNOWN_FOR:
        return row.space_id, row.shown_key
    found = client.space(route.space)
    if found is None or found.status == "archived":
        return None
    with bridge.store.write() as session:
        spaces.save(session, grant.cloud_id, found.key, found.id, found.name, now)
    return found.id, found.key


def _container(client: Confluence, route: Route, space_id: str) -> str:
    """Return the id of the page to comment on, or of the parent, '' for the top of the space.

    Raises:
        NotFound: no page of that title stands in the space.
    """
    if route.publish_as == "comment":
        return route.page_id
    if route.publish_as == "blogpost" or not route.parent:
        return ""
    if route.parent_id:
        return route.parent_id
    parent = client.find_parent(space_id, route.parent)
    if parent is None:
        raise NotFound(f'No page is called "{route.parent}".', provider="atlassian")
    return parent.id
