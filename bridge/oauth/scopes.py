"""What both providers are asked for, and what of it must be granted.

A new consent replaces the scopes of an older one at Atlassian, so the whole set is asked for each time. People are
known by their subject id at both: Google's comes with ``openid``; Atlassian has no ``openid`` for this, and its account
id comes from Confluence itself (``user/current``), so that ``read:me`` is not asked for.
"""

from __future__ import annotations

from collections.abc import Iterable

from bridge.config import Settings

GMAIL_READONLY = "https://www.googleapis.com/auth/gmail.readonly"
GOOGLE = ("openid", "https://www.googleapis.com/auth/userinfo.email", GMAIL_READONLY)
"""Google's scopes. The two of identity are not shown as boxes that a person could untick; the third is."""

ATLASSIAN = tuple(
    f"{name}:confluence"
    for name in (
        "read:page write:page read:comment write:comment read:attachment write:attachment "
        "read:label write:label read:space read:content-details"
    ).split()
)
"""Confluence's granular scopes for everything but restrictions."""

RESTRICTION = "write:content.restriction:confluence"
CLASSIC_ATTACHMENTS = "write:confluence-file"
OFFLINE = "offline_access"


def atlassian(settings: Settings) -> tuple[str, ...]:
    """Return Atlassian's scopes for a configuration: restrictions only where a route publishes for its author alone."""
    found = list(ATLASSIAN)
    if any(route.visibility == "author" for route in settings.routes):
        found.append(RESTRICTION)
    if settings.atlassian.scopes == "classic-attachments":
        found.append(CLASSIC_ATTACHMENTS)
    return (*found, OFFLINE)


def missing(asked: Iterable[str], granted: frozenset[str]) -> list[str]:
    """Return what was asked for and not granted, in the order of asking."""
    return [scope for scope in asked if scope not in granted]
