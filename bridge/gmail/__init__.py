"""The Gmail API, read only, and nothing above it."""

from __future__ import annotations

from bridge.gmail.mailbox import Gmail
from bridge.gmail.service import GmailService, build_service
from bridge.gmail.values import History, Label, Profile, Touched

__all__ = ["Gmail", "GmailService", "History", "Label", "Profile", "Touched", "build_service"]
