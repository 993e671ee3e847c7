"""What a history of acts comes to: where each mail lies, what was labelled when, who was connected, which routes stood.

Nothing here knows how the bridge works; it replays what people did, as Gmail and the configuration file have it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bridge.simulator.acts import Act

Key = tuple[str, str]
"""A person and a thread of their mailbox."""


@dataclass
class Span:
    """A time in which something held; ``end`` is None while it still does."""

    start: datetime
    end: datetime | None = None

    def reaches(self, start: datetime, end: datetime | None) -> bool:
        """Say whether it overlaps another time."""
        return (self.end is None or self.end >= start) and (end is None or self.start <= end)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail; ``threads`` says by mailbox in which thread it lies."""

    name: str
    conversation: str
    rfc822: str
    word: str
    sender: str
    people: frozenset[str]
    at: datetime
    files: tuple[str, ...]
    threads: dict[str, str]


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a route's mail goes: a space, a kind of content, and the page above or below which it stands."""

    space: str
    kind: str
    container: str


@dataclass
class Route(Span):
    """A route, for as long as it stood in the configuration with this label, destination and visibility."""

    name: str = ""
    label: str = ""
    destination: Destination = field(default_factory=lambda: Destination("", "", ""))
    private: bool = False


@dataclass
class Labelled(Span):
    """A thread of somebody's mailbox, for as long as a label of theirs stood on a mail of it that counts."""

    label_id: str = ""


class History:
    """The acts replayed. Everything is by name: mails, people, pages; times are those of the acts."""

    def __init__(self, acts: Sequence[Act]) -> None:
        self.acts = acts
        self.mails: dict[str, Mail] = {}
        self.routes: list[Route] = []
        self.label_names: dict[Key, list[str]] = defaultdict(list)
        self.labelled: dict[Key, list[Labelled]] = defaultdict(list)
        self.linked: dict[tuple[str, str], list[Span]] = defaultdict(list)
        self.paused: dict[str, list[Span]] = defaultdict(list)
        self.hidden: dict[Key, list[Span]] = defaultdict(list)
        self.on_pages: dict[str, list[Act]] = defaultdict(list)
        self.answers: list[Act] = []
        self.people: set[str] = set()
        self.insiders: frozenset[str] = frozenset()
        self._threads: dict[Key, list[Mail]] = defaultdict(list)
        self._conversations: dict[str, list[Mail]] = defaultdict(list)
        self._labels: dict[Key, set[str]] = defaultdict(set)
        self._deleted_labels: set[Key] = set()
        for act in acts:
            self._take(act)
        self.by_rfc822 = {mail.rfc822: mail for mail in self.mails.values()}
        self.by_word = {mail.word: mail for mail in self.mails.values()}

    @property
    def desks(self) -> frozenset[str]:
        """The pages on which mail stands as comments."""
        return frozenset(r.destination.container for r in self.routes if r.destination.kind == "comment")

    def of_thread(self, person: str, thread: str) -> list[Mail]:
        """Return the mails that lie or lay in a thread, oldest first."""
        return self._threads.get((person, thread), [])

    def of_conversation(self, name: str) -> list[Mail]:
        """Return the mails of a conversation, oldest first."""
        return self._conversations.get(name, [])

    def is_visible(self, person: str, mail: Mail) -> bool:
        """Say whether a mail lies in somebody's mailbox now, neither in the trash nor in spam."""
        return person in mail.threads and not any(span.end is None for span in self.hidden[(person, mail.name)])

    def was_hidden(self, person: str, mail: Mail) -> bool:
        """Say whether somebody's copy of a mail ever was in the trash, in spam or deleted."""
        return bool(self.hidden[(person, mail.name)])

    def is_linked(self, person: str) -> bool:
        """Say whether both of somebody's accounts are connected now, and nobody paused them."""
        both = all(self._open(self.linked[(person, provider)]) for provider in ("google", "atlassian"))
        return both and not self._open(self.paused[person])

    def names_of(self, person: str, label_id: str) -> list[str]:
        """Return the names that one of somebody's labels ever had, the present one last; none for a deleted label."""
        return self.label_names[(person, label_id)]

    def is_deleted(self, person: str, label_id: str) -> bool:
        """Say whether somebody deleted a label."""
        return (person, label_id) in self._deleted_labels

    @staticmethod
    def _open(spans: Iterable[Span]) -> bool:
        return any(span.end is None for span in spans)

    def _take(self, act: Act) -> None:
        kind, said = act.kind, act.details
        if kind in ("write", "reply"):
            self._mail(act)
        elif kind in ("label", "unlabel"):
            self._label(act)
        elif kind in ("trash", "spam", "delete for ever"):
            self._hide(act)
        elif kind == "untrash":
            self._close(self.hidden[(act.who, said["mail"])], act.at)
            self._look(act.who, self.mails[said["mail"]].threads[act.who], act.at)
        elif kind == "rename label":
            self.label_names[(act.who, said["id"])].append(said["to"].casefold())
        elif kind == "delete label":
            self._delete_label(act)
        elif kind == "routes":
            self._routes(act)
        elif kind in ("connect google", "connect atlassian", "lose google", "lose atlassian"):
            self._link(act)
        elif kind == "pause":
            self.paused[act.who].append(Span(act.at))
        elif kind == "resume":
            self._close(self.paused[act.who], act.at)
        elif kind in ("answer", "answer backlog"):
            self.answers.append(act)
        if "page" in said:
            self.on_pages[said["page"]].append(act)

    def _mail(self, act: Act) -> None:
        said = act.details
        places = dict(one.split("=") for one in said["copies"].split())
        people = frozenset([act.who, *said["to"].split()])
        threads = {person: place.partition("/")[2] for person, place in places.items()}
        files = tuple(said["files"].split())
        mail = Mail(
            said["mail"], act.conversation, said["rfc822"], said["word"], act.who, people, act.at, files, threads
        )
        self.mails[mail.name] = mail
        self._conversations[mail.conversation].append(mail)
        for person, thread in threads.items():
            self._threads[(person, thread)].append(mail)
            self._look(person, thread, act.at)

    def _label(self, act: Act) -> None:
        said, label_id = act.details, act.details["id"]
        names = self.label_names[(act.who, label_id)]
        if not names:
            names.append(said["label"].casefold())
        for mail in said["mails"].split():
            held = self._labels[(act.who, mail)]
            (held.add if act.kind == "label" else held.discard)(label_id)
        self._look(act.who, said["thread"], act.at)

    def _hide(self, act: Act) -> None:
        mail = act.details["mail"]
        spans = self.hidden[(act.who, mail)]
        if not self._open(spans):
            spans.append(Span(act.at))
        self._look(act.who, self.mails[mail].threads[act.who], act.at)

    def _delete_label(self, act: Act) -> None:
        self._deleted_labels.add((act.who, act.details["id"]))
        threads = set()
        for (person, mail), held in self._labels.items():
            if person == act.who and act.details["id"] in held:
                held.discard(act.details["id"])
                threads.add(self.mails[mail].threads[person])
        for thread in threads:
            self._look(act.who, thread, act.at)

    def _look(self, person: str, thread: str, now: datetime) -> None:
        """Open and close the spans of a thread's labels: a label counts on a mail that is visible."""
        on = {
            label
            for mail in self.of_thread(person, thread)
            if self.is_visible(person, mail)
            for label in self._labels[(person, mail.name)]
        }
        spans = self.labelled[(person, thread)]
        for span in spans:
            if span.end is None and span.label_id not in on:
                span.end = now
        standing = {span.label_id for span in spans if span.end is None}
        spans += [Labelled(now, label_id=label) for label in sorted(on - standing)]

    def _routes(self, act: Act) -> None:
        """Take over a whole configuration; what is as before goes on. The first says who may use the closed space."""
        self.insiders = self.insiders or frozenset(act.details.get("insiders", "").split())
        told = {}
        for name, text in act.details.items():
            if name.startswith("route "):
                label, space, kind, container, visibility = text.split("|")
                told[name.removeprefix("route ")] = (
                    label.casefold(),
                    Destination(space, kind, container),
                    visibility == "author",
                )
        for route in self.routes:
            same = told.get(route.name) == (route.label, route.destination, route.private)
            if route.end is None and same:
                del told[route.name]
            elif route.end is None:
                route.end = act.at
        self.routes += [Route(act.at, None, name, *parts) for name, parts in told.items()]

    def _link(self, act: Act) -> None:
        verb, _, provider = act.kind.partition(" ")
        self.people.add(act.who)
        spans = self.linked[(act.who, provider)]
        if verb == "lose":
            self._close(spans, act.at)
        elif act.details.get("outcome") == "connected" and not self._open(spans):
            spans.append(Span(act.at))

    @staticmethod
    def _close(spans: Iterable[Span], now: datetime) -> None:
        for span in spans:
            if span.end is None:
                span.end = now
