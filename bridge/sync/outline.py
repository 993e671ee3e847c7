"""What a renderer is told of an entry besides its mail, and the sentences that people read in a page's history."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge.config import Route, Settings
from bridge.model import LeftOut, Look, Message, PlacedFile
from bridge.render import origin_url
from bridge.render import people as shown_people
from bridge.store.tables import Entry, Grant, Publication


def look(
    settings: Settings,
    route: Route,
    grant: Grant,
    publication: Publication,
    entry: Entry,
    message: Message,
    files: Mapping[str, PlacedFile],
    left_out: tuple[LeftOut, ...],
) -> Look:
    """Return how an entry is to be rendered."""
    base = settings.web.public_url.rstrip("/")
    pages = route.pages
    return Look(
        published_by=grant.name,
        mail_url=origin_url(entry.key, message.message_id),
        about_url=f"{base}/p/{publication.uid}" if base else "",
        timezone=pages.timezone,
        own_domains=tuple(settings.google.domains),
        show_addresses=pages.show_addresses,
        signatures=pages.signatures,
        collapse_quotes=pages.collapse_quotes,
        remote_images=pages.remote_images,
        action_links=pages.action_links,
        max_body=settings.safety.max_body,
        replies_follow=route.replies == "comments",
        files=files,
        left_out=left_out,
    )


def history_message(message: Message, timezone: str) -> str:
    """Return what stands in the page's history and at its files: "From Petra's mail, 3 Mar 2026"."""
    words = shown_people.name(message.sender).split()
    first = words[0].rstrip(",") if words else ""
    return f"From {first or 'a stranger'}'s mail, {short_date(message.date, timezone)}"


def short_date(instant: datetime, timezone: str) -> str:
    """Return "3 Mar 2026" in a time zone."""
    local = instant.astimezone(ZoneInfo(timezone))
    return f"{local.day} {local:%b %Y}"
