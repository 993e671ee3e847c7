"""Fixtures of the sandbox's tests."""

from __future__ import annotations

from support.atlassian_world import http_slot, world

__all__ = ["http_slot", "world"]
