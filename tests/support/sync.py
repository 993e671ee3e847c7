"""Mails, situations and settings of a sync, to put together in a test."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.config import Atlassian, Google, Route, Safety, Settings
from bridge.config import Gmail as GmailSettings
from bridge.model import File, Message, Person, Thread
from bridge.render import origin_url
from bridge.store.tables import (
    FollowState,
    PublicationState,
)
from bridge.sync.situation import KnownFollow, KnownPublication, NoPlace, Place, Situation

NOW = datetime(2026, 4, 20, 12, 0, tzinfo=UTC)


ADA, BEN, CY, EVE = "ada@example.com", "ben@example.com", "cy@example.com", "eve@acme.example"


LABEL = "Label_1"


ENG = Route(name="eng", label="Confluence/ENG", space="ENG")


HR = Route(name="hr", label="Confluence/HR", space="HR")


PLACE = Place("cloud", "https://example.atlassian.net", "100", "ENG", "page", "")


def mail(number: int = 1, **fields: Any) -> Message:
    """Return the n-th mail of a thread, an hour after the one before; from Ada to Ben, with the label."""
    sender = fields.pop("sender", ADA)
    given: dict[str, Any] = {
        "gmail_id": f"m{number}",
        "thread_id": "t1",
        "label_ids": frozenset({"INBOX", LABEL}),
        "date": NOW - timedelta(hours=24 - number),
        "sent": NOW - timedelta(hours=24 - number),
        "message_id": f"{number}@example.com",
        "in_reply_to": "",
        "references": (),
        "sender": Person("", sender),
        "to": tuple(Person("", one) for one in fields.pop("to", (BEN,))),
        "cc": tuple(Person("", one) for one in fields.pop("cc", ())),
        "subject": "Plan",
        "bodies": (),
        "files": (),
    }
    return Message(**given | fields)


def thread(*messages: Message, history_id: int = 10) -> Thread:
    """Return a thread of mails as they stand, oldest first."""
    return Thread("t1", history_id, tuple(sorted(messages, key=lambda message: message.date)))


def follow(route: str = "eng", **fields: Any) -> KnownFollow:
    """Return a follow that is past its wait and has nothing in the way."""
    given: dict[str, Any] = {
        "route": route,
        "state": FollowState.FOLLOWING,
        "reason": "",
        "answer": "",
        "since": NOW - timedelta(hours=1),
        "not_before": NOW - timedelta(hours=1),
        "publication": None,
    }
    return KnownFollow(**given | fields)


def standing(*entries: Any, **fields: Any) -> KnownPublication:
    """Return a published publication of one's own."""
    given: dict[str, Any] = {
        "id": 7,
        "state": PublicationState.PUBLISHED,
        "mine": True,
        "writer_able": True,
        "writer": ADA,
        "entries": entries,
    }
    return KnownPublication(**given | fields)


def situation(*messages: Message, follows: Iterable[KnownFollow] | None = None, **fields: Any) -> Situation:
    """Return what the planner is told: Ada's mailbox, the route ENG, its place known."""
    listed = [follow()] if follows is None else list(follows)
    places: Mapping[str, Place | NoPlace] = {"eng": PLACE}
    given: dict[str, Any] = {
        "thread": thread(*messages),
        "owner": ADA,
        "account_id": 1,
        "now": NOW,
        "routes": (ENG,),
        "labels": {"eng": LABEL},
        "follows": {one.route: one for one in listed},
        "places": places,
    }
    return Situation(**given | fields)


def settings(*routes: Route, gmail: GmailSettings | None = None, **safety: Any) -> Settings:
    """Return settings with the route ENG, no wait and no brake, unless told otherwise."""
    return Settings(
        google=Google(client_id="g", domains=("example.com",)),
        atlassian=Atlassian(client_id="a", sites=("https://example.atlassian.net",)),
        gmail=gmail or GmailSettings(),
        safety=Safety(**{"wait": 0.0, "brake": None, **safety}),
        routes=routes or (ENG,),
    )


def marked(key: str) -> str:
    """Return a body with an entry's origin link."""
    return f'<p><a href="{origin_url(key, "1@example.com")}">mail</a></p>'


def file(part_id: str, data: bytes, name: str = "report.pdf", **fields: Any) -> File:
    """Return a file whose bytes came with the payload."""
    given: dict[str, Any] = {"mime_type": "application/pdf", "content_id": "", "inline": False}
    return File(**{"part_id": part_id, "name": name, "size": len(data), "data": data, **given, **fields})


def far_file(part_id: str, attachment_id: str, size: int = 8) -> File:
    """Return a file whose bytes are behind an attachment id."""
    return replace(file(part_id, b""), data=None, attachment_id=attachment_id, size=size)


def digest(data: bytes) -> str:
    """Return the first 16 hex digits of the sha256."""
    return hashlib.sha256(data).hexdigest()[:16]
