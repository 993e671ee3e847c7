"""Which mail may stand where, and which must: what comes of labels, connections, routes, and of who got which mail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal

from bridge.simulator.evidence import StandingPage, Upset
from bridge.simulator.model_history import Destination, History, Mail, Route, Span

WAIT = timedelta(seconds=15)
"""How long a label must stand before anything is published: taken off in this time, nothing is."""

UNDER_WAY = timedelta(minutes=15)
"""What somebody ordered or took back may take so long to be known to all that is under way."""

Narrow = Literal["no", "maybe", "yes"]


@dataclass(frozen=True, slots=True)
class Follow:
    """Somebody's thread under a route; ``end`` None while label and route both stand.

    ``named`` says that the label's name is still the route's: after a renaming it may count or not.
    """

    person: str
    thread: str
    conversation: str
    route: Route
    start: datetime
    end: datetime | None
    named: bool

    @property
    def stands(self) -> bool:
        """Whether it holds now."""
        return self.end is None and self.named


class Follows:
    """All follows that a history gives, and what is allowed and owed by them."""

    def __init__(self, history: History, upsets: Iterable[Upset]) -> None:
        self.history = history
        self.upsets = tuple(upsets)
        self._narrow: dict[tuple[str, str], Narrow] = {}

    @cached_property
    def all(self) -> list[Follow]:
        """Every follow that there ever was."""
        history, found = self.history, []
        for (person, thread), spans in history.labelled.items():
            conversation = history.of_thread(person, thread)[0].conversation
            for span in spans:
                names = history.names_of(person, span.label_id)
                for route in history.routes:
                    over = route.end + self.slack(route.end) if route.end else None
                    if route.label in names and span.reaches(route.start, over):
                        ends = [one for one in (span.end, over) if one is not None]
                        named = names[-1] == route.label and not history.is_deleted(person, span.label_id)
                        start = max(span.start, route.start)
                        found.append(Follow(person, thread, conversation, route, start, min(ends, default=None), named))
        return [follow for follow in found if not self._slipped(follow, found)]

    def slack(self, at: datetime) -> timedelta:
        """Return for how long after an instant a worker may still act on what held before it."""
        stops = [u for u in self.upsets if u.kind in ("stop", "sleep")]
        held = sum(u.seconds for u in stops if u.at + timedelta(seconds=u.seconds) > at)
        return UNDER_WAY + timedelta(seconds=held)

    def of(self, mail: Mail) -> list[Follow]:
        """Return the follows by which a mail may stand: whoever has it and lets it go under a label."""
        return [follow for follow in self.by_conversation.get(mail.conversation, ()) if self._allows(follow, mail)]

    def owed(self) -> list[tuple[Follow, Mail]]:
        """Return the mails that must stand now, and by whose follow: nothing is in their way that people did."""
        return [
            (follow, mail)
            for follow in self.all
            if follow.stands and self.history.is_linked(follow.person) and not self._declined(follow)
            for mail in self.history.of_thread(follow.person, follow.thread)
            if self._is_due(follow, mail)
        ]

    @cached_property
    def by_conversation(self) -> dict[str, list[Follow]]:
        """Every follow, by conversation."""
        found: dict[str, list[Follow]] = {}
        for follow in self.all:
            found.setdefault(follow.conversation, []).append(follow)
        return found

    def narrow(self, person: str, mail: Mail) -> Narrow:
        """Say whether a mail left out somebody who was on what stands before it, as one mailbox has the thread."""
        key = (person, mail.name)
        if key not in self._narrow:
            earlier = [one for one in self._thread_of(person, mail) if one.at < mail.at]
            sure = [one for one in earlier if not self._may_be_missing(person, one)]
            maybe: Narrow = "maybe" if self._left_out(mail, earlier) else "no"
            self._narrow[key] = "yes" if self._left_out(mail, sure) else maybe
        return self._narrow[key]

    def released(self, mail: Mail) -> bool:
        """Say whether somebody who has a mail answered, after it came, that such mails of its thread be published.

        What one of them released, others who have it may write in their stead.
        """
        return any(
            act.details.get("choice") == "publish"
            and act.details.get("reason") in ("narrow reply", "blind copy")
            and mail.threads.get(act.who) in act.details["threads"].split()
            and act.at >= mail.at
            for act in self.history.answers
        )

    def restored(self, since: datetime) -> bool:
        """Say whether the database was put back after an instant to what it was before it."""
        return any(u.copied_at is not None and u.copied_at <= since <= u.at for u in self.upsets)

    def _allows(self, follow: Follow, mail: Mail) -> bool:
        if mail.threads.get(follow.person) != follow.thread:
            return False
        if follow.end is not None and follow.end < mail.at:
            return False
        if not self._was_linked(follow) or not self._was_visible(follow, mail):
            return False
        return self.narrow(follow.person, mail) != "yes" or self.released(mail)

    def _is_due(self, follow: Follow, mail: Mail) -> bool:
        """Say whether nothing excuses a mail's absence: everybody who follows got it openly, and never hid it."""
        if not self.history.is_visible(follow.person, mail):
            return False
        others = [one for one in self.by_conversation[follow.conversation] if one.person in mail.threads]
        return all(
            self.narrow(one.person, mail) == "no" and not self.history.was_hidden(one.person, mail) for one in others
        )

    def _was_linked(self, follow: Follow) -> bool:
        end = follow.end + self.slack(follow.end) if follow.end else None
        return all(
            any(span.reaches(follow.start, end) for span in self.history.linked[(follow.person, provider)])
            for provider in ("google", "atlassian")
        )

    def _was_visible(self, follow: Follow, mail: Mail) -> bool:
        """Say whether a mail was visible at some time while it was followed."""
        start = max(follow.start, mail.at)
        hidden = self.history.hidden[(follow.person, mail.name)]
        covering = [span for span in hidden if span.start <= start and (span.end is None or span.end > start)]
        if not covering:
            return True
        last = covering[-1].end
        return last is not None and (follow.end is None or last < follow.end)

    def _slipped(self, follow: Follow, found: Iterable[Follow]) -> bool:
        """Say whether a label went before the wait was over, and nothing was followed before by which it counts."""
        if follow.end is None or follow.end - follow.start >= WAIT:
            return False
        before = any(
            one.person == follow.person and one.conversation == follow.conversation and one.start < follow.start
            for one in found
        )
        reach = Span(follow.start, follow.end)
        jumped = any(u.kind == "clock" and reach.reaches(u.at, u.at) for u in self.upsets)
        return not before and not jumped

    def _declined(self, follow: Follow) -> bool:
        """Say whether somebody chose, or may have, that a thread is left alone (until something new comes)."""
        choices = [
            act.details["choice"]
            for act in self.history.answers
            if act.who == follow.person
            and (act.kind == "answer backlog" or follow.thread in act.details.get("threads", "").split())
            and act.details.get("reason") not in ("narrow reply",)
        ]
        return any(choice != "publish" for choice in choices)

    def _thread_of(self, person: str, mail: Mail) -> list[Mail]:
        return self.history.of_thread(person, mail.threads[person]) if person in mail.threads else []

    def _may_be_missing(self, person: str, mail: Mail) -> bool:
        """Say whether a mail may be missing from what stands before a later one."""
        return self.history.was_hidden(person, mail) or self.narrow(person, mail) != "no"

    @staticmethod
    def _left_out(mail: Mail, earlier: Iterable[Mail]) -> frozenset[str]:
        before = frozenset[str]().union(*(one.people for one in earlier))
        return before - mail.people - {mail.sender}


def fits(page: StandingPage, place: Destination) -> bool:
    """Say whether a page or post was made at a destination, or is the page on which its mail stands as comments."""
    if place.kind == "comment":
        return page.id == place.container
    where = (page.space, page.kind, page.parent or "-")
    return where == (place.space, place.kind, place.container if place.kind == "page" else "-")


def open_to(follow: Follow, page: StandingPage) -> bool:
    """Say whether a page stands for a follow's person: it is for everybody, or theirs alone."""
    return not page.private or page.author == follow.person
