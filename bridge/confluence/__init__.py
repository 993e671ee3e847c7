"""The Confluence Cloud REST API, and nothing above it."""

from __future__ import annotations

from bridge.confluence.client import Confluence
from bridge.confluence.spaces import sites
from bridge.confluence.values import Comment, Content, Kind, Property, RemoteFile, Site, Space, User, Version

__all__ = [
    "Comment",
    "Confluence",
    "Content",
    "Kind",
    "Property",
    "RemoteFile",
    "Site",
    "Space",
    "User",
    "Version",
    "sites",
]
