"""Events as sentences, for ``mailbridge log`` and ``mailbridge explain``. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bridge.daemon.words import count, upper_first
from bridge.store.tables import Event

WRITES = {
    "draft": "draft made",
    "restrict": "restricted to its author",
    "upload": "file uploaded",
    "upload bytes": "file's missing bytes uploaded",
    "publish": "published",
    "comment": "comment posted",
    "page label": "labels put on",
    "origin property": "property with its origin set",
}
"""The kinds of write, as what was done."""

_SAID = {
    "label seen": "label seen",
    "mail read": "mail read",
    "observed": "observed; nothing is written",
    "read back": "read back from Confluence",
    "write failed": "not written",
    "body refused": "Confluence refused the text",
    "page labels refused": "Confluence refused the labels; the page stands without them",
    "origin property failed": "the property with its origin could not be set; the page stands without it",
    "page away": "the page cannot be written to",
    "page back": "the page can be written to again",
    "entry held": "a mail is held",
    "entry given up": "a mail is left out",
    "entry taken over": "another follower's mail is written by this person",
    "entry passed over": "a mail that only another follower has was passed over",
    "draft left behind": "a draft without text was left behind",
    "orphan draft possible": "an empty draft may have been left behind; only its author can see it",
    "follow stopped": "not followed any more",
    "follow following": "followed from here on",
    "follow held": "held",
    "follow needs somebody": "needs somebody",
    "follow ignored": "left alone",
    "follow taken down": "taken down",
    "answered": "answered",
    "retried": "to be tried again",
    "forgotten": "not followed any more",
    "followed again": "followed again",
    "published again": "to be published anew",
    "comment removed": "people deleted the comment; it is not posted again",
    "paused": "paused",
    "resumed": "goes on",
    "connected": "connected",
    "connection ended": "the connection ended",
    "backlog": "answered about mail from before",
    "cursor lost": "Gmail's history did not reach back far enough",
    "mailbox not read": "the mailbox could not be read",
    "mailbox read again": "the mailbox can be read again",
}
"""What an event's name means; one that is not here is told by its name."""

_TOLD_BY_EVIDENCE = ("mail read", "planned", "rendered")
_NOT_SAID = ("done", "nowhere", "own")

_PARTS = {
    "own": ("own words", ""),
    "answered": ("quoted words that are answered", "kept"),
    "quote": ("quoted text that stands in no earlier mail", "kept"),
    "signature": ("a signature", ""),
    "cut": ("quoted text", "cut: it stands in an earlier mail"),
}


def sentence(event: Event, *, who: str = "") -> str:
    """Return what happened in words, without subjects and texts.

    Args:
        event: as it is stored.
        who: the address of the person as whom it was done, '' where that is told beside it.
    """
    if event.what in _TOLD_BY_EVIDENCE and event.detail:
        return _evidence(event)
    what = WRITES.get(event.what) or _SAID.get(event.what) or event.what
    what = f"{what} as {who}" if who and event.what in WRITES else what
    if event.remote_id:
        what += f": {event.remote_id}{f', version {event.version}' if event.version else ''}"
    aside = [one for one in (event.cause, event.outcome) if one and one not in _NOT_SAID]
    return f"{what} ({'; '.join(aside)})" if aside else what


def detail(event: Event) -> dict[str, Any]:
    """Return the evidence of an event, {} where it has none."""
    try:
        found = json.loads(event.detail) if event.detail else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _evidence(event: Event) -> str:
    found = detail(event)
    if event.what == "mail read":
        mails, files = len(found.get("mails", ())), int(found.get("files", 0))
        said = f"{count(mails, 'mail')} read, {count(files, 'file')} (history {found.get('history', 0)})"
        return f"{said}; {event.outcome}" if event.outcome else said
    if event.what == "rendered":
        return f"rendered {event.cause}: {_rendered(found)}"
    return f"planned: {_planned(found)}"


def _rendered(found: Mapping[str, Any]) -> str:
    told = []
    for part in found.get("parts", ()):
        name, fate = _PARTS.get(part.get("part"), (str(part.get("part")), ""))
        told.append(f"{name} ({count(int(part.get('lines', 0)), 'line')}{f', {fate}' if fate else ''})")
    told += [f"left out: {why}" for why in found.get("left_out", ())]
    return ", ".join(told) or "no text"


def _planned(found: Mapping[str, Any]) -> str:
    told = []
    if label := found.get("label_id"):
        told.append(f"label {label} stands on {count(len(found.get('labelled', ())), 'mail')}")
    entries = found.get("entries", ())
    new = sum(entry.get("state") == "planned" for entry in entries)
    held = [entry for entry in entries if entry.get("state") == "held"]
    if found.get("where") == "join":
        joined = found.get("joined", {})
        told.append(f"joins {joined.get('publication', '')} by mail key {', '.join(joined.get('by', ()))}")
    if new:
        told.append(f"{count(new, 'mail')} to publish{_where(found)}")
    told += [f"mail {entry['mail']} held: {entry['reason']}" for entry in held]
    told += [f"mail {skipped['mail']} skipped: {skipped['why']}" for skipped in found.get("skipped", ())]
    if not told[1:] and (found.get("reason") or found.get("state") != "following"):
        told.append(str(found.get("reason") or found.get("state")))
    return "; ".join(told) or "nothing new"


def _where(found: Mapping[str, Any]) -> str:
    return f" in {found['space']}" if found.get("space") else ""


def as_object(event: Event, address: str) -> dict[str, object]:
    """Return an event as JSON tells it; ``who`` is whose order or mailbox it was, ``as`` whose tokens were used."""
    ordered = event.cause.removeprefix("by ") if event.cause.startswith("by ") else ""
    return {
        "id": event.id,
        "at": event.at,
        "what": event.what,
        "said": upper_first(sentence(event)),
        "who": ordered or address,
        "as": address if event.what in WRITES else "",
        "thread": event.thread_id,
        "route": event.route,
        "remote_id": event.remote_id,
        "version": event.version,
        "cause": event.cause,
        "outcome": event.outcome,
        "detail": detail(event),
    }
