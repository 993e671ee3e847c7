"""Histories and evidence made by hand, for the simulator's model to judge."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.simulator.acts import Act
from bridge.simulator.evidence import Evidence, Request, StandingComment, StandingPage, Version
from bridge.simulator.model import judge

START = datetime(2026, 4, 20, 9, 0, tzinfo=UTC)
ADA, BEN, CY = "ada@example.com", "ben@example.com", "cy@example.com"
ROUTES = {
    "insiders": ADA,
    "route eng": "Confluence/ENG|ENG|page|-|space",
    "route own": "Confluence/Own|ENG|page|1001|author",
    "route desk": "Confluence/Desk|OPS|comment|1002|space",
    "route hr": "Confluence/HR|HR|page|-|space",
}
HASH = "5" * 64
OTHER = "7" * 64


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


class Told:
    """Makes a history by hand: who did what so many minutes after the start."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.done(0, "operator", "routes", **ROUTES)
        for person in (ADA, BEN, CY):
            for provider in ("google", "atlassian"):
                self.done(1, person, f"connect {provider}", outcome="connected")

    def done(self, minutes: float, who: str, kind: str, conversation: str = "", **details: str) -> None:
        self.acts.append(Act(len(self.acts) + 1, at(minutes), who, kind, conversation, details))

    def mail(
        self, minutes: float, number: int, sender: str, to: Sequence[str], *, files: str = "", **more: Any
    ) -> None:
        boxes = [one for one in (sender, *to) if one.endswith("@example.com")]
        copies = " ".join(f"{one}=i{number}-{one[:3]}/t-{one[:3]}" for one in boxes)
        word = f"kw{number:04d}abcde"
        details = {"mail": f"m{number}", "word": word, "to": " ".join(to), "files": files, "rfc822": f"m{number}@x"}
        kind = "write" if number == 1 else "reply"
        self.done(minutes, sender, kind, "c1", **details, copies=more.get("copies", copies))

    def label(
        self, minutes: float, person: str, mails: str, label: str = "Confluence/ENG", *, off: bool = False
    ) -> None:
        thread = f"t-{person[:3]}"
        kind = "unlabel" if off else "label"
        self.done(minutes, person, kind, "c1", label=label, id=f"L-{label}", thread=thread, mails=mails)


def told(*, label: bool = True) -> Told:
    """Ada wrote to Ben and Cy, labelled it; Ben replied to all."""
    made = Told()
    made.mail(10, 1, ADA, [BEN, CY])
    if label:
        made.label(11, ADA, "m1")
    made.mail(12, 2, BEN, [ADA, CY])
    return made


def comment(number: int, minutes: float, author: str = ADA, **more: Any) -> StandingComment:
    values: dict[str, Any] = {
        "id": f"{2000 + number}",
        "at": at(minutes),
        "author": author,
        "parent": "",
        "mail": f"m{number}@x",
        "key": f"key{number}",
        "words": frozenset({f"kw{number:04d}abcde"}),
        "digest": "d",
    }
    return StandingComment(**(values | more))


def page(*comments: StandingComment, **more: Any) -> StandingPage:
    values: dict[str, Any] = {
        "id": "1003",
        "kind": "page",
        "status": "current",
        "author": ADA,
        "space": "ENG",
        "parent": "",
        "private": False,
        "mail": "m1@x",
        "words": frozenset({"kw0001abcde", "ks0001abcde"}),
        "readers": (),
        "versions": (Version(1, ADA, "v1"),),
        "comments": comments,
    }
    return StandingPage(**(values | more))


def put(minutes: float = 11.5, person: str = ADA, **more: Any) -> Request:
    values: dict[str, Any] = {
        "at": at(minutes),
        "person": person,
        "operation": "updatePage",
        "page": "1003",
        "took_effect": True,
        "mail": "m1@x",
        "words": frozenset({"kw0001abcde"}),
        "publishes": True,
        "space": "ENG",
    }
    return Request(**(values | more))


def drafted(minutes: float, number: str, person: str = ADA, **more: Any) -> Request:
    return put(
        minutes,
        person,
        **{
            "operation": "createPage",
            "page": number,
            "mail": "",
            "words": frozenset({"ks0001abcde"}),
            "publishes": False,
            "draft": True,
            **more,
        },
    )


def evidence(*pages: StandingPage, **more: Any) -> Evidence:
    return Evidence(at=at(600), pages=pages, **more)


def rules(acts: Told, found: Evidence) -> list[str]:
    """Return the names of the rules that a case breaks, each once."""
    return list(dict.fromkeys(violation.rule for violation in judge(acts.acts, found)))


WHOLE = page(comment(2, 13))
