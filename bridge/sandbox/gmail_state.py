"""One mailbox as Gmail keeps it: messages, threads, labels, and the history of their changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from bridge.sandbox.core import Core
from bridge.sandbox.gmail_labels import FIXED, Label, Labels
from bridge.sandbox.gmail_payload import MailPart, Shape

Json = dict[str, Any]
Kind = Literal["messagesAdded", "messagesDeleted", "labelsAdded", "labelsRemoved"]
HIDDEN = frozenset({"TRASH", "SPAM"})
NOTHING = MailPart("", "text/plain", "", (), b"", text=True)


@dataclass
class Settings:
    """What of Gmail's behaviour a test may turn; shared by all mailboxes unless one is given its own.

    ``history_window``: how long records are kept. ``history_gap``: the counter grows by 1 to this much a change.
    ``empty_history_pages``: history.list begins with so many pages that have a token and no history.
    ``record_labels``: a record shows labels as they were at the change, or as they are when it is listed.
    ``stale_reads``: after a change the next so many threads.get of the thread answer what stood before.
    ``attachment_answers``: an attachment id works until the message was given out so many times more.
    ``shape``: how payloads serve bodies. ``deleted_label_history``: deleting a label writes labelsRemoved records.
    """

    history_window: timedelta = timedelta(days=7)
    history_gap: int = 50
    empty_history_pages: int = 0
    record_labels: Literal["change", "listing"] = "change"
    stale_reads: int = 0
    attachment_answers: int = 3
    shape: Shape = field(default_factory=Shape)
    deleted_label_history: bool = True


@dataclass
class Person:
    """Somebody with a Google account.

    ``sub`` is Google's number of the account; ``hd`` the Workspace domain, '' for a private account;
    ``mail_enabled`` is false for an account without Gmail, ``blocked_by_admin`` true where the domain forbids the API.
    """

    address: str
    name: str
    sub: str
    hd: str = ""
    mail_enabled: bool = True
    blocked_by_admin: bool = False


@dataclass
class StoredMessage:
    """A message; ``given`` is an API object that is served as it stands, and then ``raw`` is empty.

    ``internal_date`` is in milliseconds since 1970; ``fixed_files`` maps attachment ids of ``given`` to their answers.
    """

    id: str
    thread_id: str
    label_ids: list[str]
    internal_date: int
    raw: bytes = field(repr=False, default=b"")
    mime: MailPart = field(repr=False, default=NOTHING)
    snippet: str = ""
    history_id: int = 0
    given: Json | None = field(repr=False, default=None)
    fixed_files: dict[str, Json] = field(repr=False, default_factory=dict)

    @property
    def hidden(self) -> bool:
        """Whether it lies in Trash or Spam."""
        return not HIDDEN.isdisjoint(self.label_ids)


@dataclass(frozen=True, slots=True)
class Change:
    """One message's part in a record: its labels after the change, and which of them came or went."""

    message_id: str
    thread_id: str
    label_ids: tuple[str, ...]
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of the history."""

    id: int
    at: datetime
    kind: Kind
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class ThreadView:
    """A thread as one answer shows it."""

    id: str
    history_id: int
    messages: tuple[StoredMessage, ...]


class Mailbox:
    """The state and its primitive changes; each change writes its history record.

    The actions that a person knows by name are ``gmail_people.SandboxGmail``'s. ``filters`` are asked at each arrival
    for labels to put on. ``scripted_history`` maps a startHistoryId to pages that are served as they stand.
    ``forgotten`` is the smallest startHistoryId that still answers.
    """

    def __init__(self, person: Person, core: Core, settings: Settings) -> None:
        self.person = person
        self.settings = settings
        self.labels = Labels()
        self.messages: dict[str, StoredMessage] = {}
        self.by_thread: dict[str, list[str]] = {}
        self.thread_history: dict[str, int] = {}
        self.by_rfc822_id: dict[str, list[str]] = {}
        self.records: list[Record] = []
        self.filters: list[Callable[[MailPart], str | None]] = []
        self.watching: Json | None = None
        self.scripted_history: dict[str, dict[str, Json]] = {}
        self._core = core
        self._stale: dict[str, tuple[ThreadView | None, int]] = {}
        self._before: dict[str, ThreadView | None] = {}
        self.history_id = core.random.randint(10_000, 90_000)
        self.forgotten = self.history_id

    def insert(self, message: StoredMessage) -> None:
        """Put a message in."""
        with self._changing([message.thread_id]):
            self.messages[message.id] = message
            self.by_thread.setdefault(message.thread_id, []).append(message.id)
            self.by_rfc822_id.setdefault(message.mime.header("Message-ID"), []).append(message.id)
            self._record("messagesAdded", [(message, ())])

    def modify(self, message_ids: Iterable[str], add: Iterable[str] = (), remove: Iterable[str] = ()) -> bool:
        """Put labels on and take labels off messages; return whether anything changed."""
        messages = [self.messages[message_id] for message_id in message_ids]
        add, remove = list(add), list(remove)
        with self._changing({message.thread_id for message in messages}):
            gone = [(m, tuple(x for x in m.label_ids if x in remove and x not in add)) for m in messages]
            come = [(m, tuple(x for x in dict.fromkeys(add) if x not in m.label_ids)) for m in messages]
            for message, changed in gone:
                message.label_ids = [x for x in message.label_ids if x not in changed]
            self._record("labelsRemoved", [pair for pair in gone if pair[1]])
            for message, changed in come:
                message.label_ids.extend(changed)
            self._record("labelsAdded", [pair for pair in come if pair[1]])
        return any(changed for _, changed in (*gone, *come))

    def delete(self, message_ids: Iterable[str]) -> None:
        """Delete messages for ever; a thread without messages is gone."""
        messages = [self.messages[message_id] for message_id in message_ids]
        with self._changing({message.thread_id for message in messages}):
            for message in messages:
                del self.messages[message.id]
                self.by_rfc822_id[message.mime.header("Message-ID")].remove(message.id)
                self.by_thread[message.thread_id].remove(message.id)
                if not self.by_thread[message.thread_id]:
                    del self.by_thread[message.thread_id]
            self._record("messagesDeleted", [(message, ()) for message in messages])

    def delete_label(self, label_id: str) -> None:
        """Take a label away from the mailbox and from every message."""
        under = [message.id for message in self.messages.values() if label_id in message.label_ids]
        if self.settings.deleted_label_history:
            self.modify(under, remove=[label_id])
        for message_id in under:
            self.messages[message_id].label_ids = [x for x in self.messages[message_id].label_ids if x != label_id]
        self.labels.remove(label_id)

    def current(self, thread_id: str) -> ThreadView | None:
        """Return a thread as it is, oldest message first; given messages keep the order in which they were given."""
        if thread_id not in self.by_thread:
            return None
        messages = [self.messages[message_id] for message_id in self.by_thread[thread_id]]
        if all(message.given is None for message in messages):
            messages.sort(key=lambda message: (message.internal_date, message.id))
        return ThreadView(thread_id, self.thread_history[thread_id], tuple(messages))

    def read(self, thread_id: str) -> ThreadView | None:
        """Return a thread as the API shows it now, which may be what stood before its last change."""
        if thread_id in self._stale:
            view, left = self._stale.pop(thread_id)
            if left > 1:
                self._stale[thread_id] = (view, left - 1)
            return view
        return self.current(thread_id)

    def forget_history(self) -> None:
        """Drop all records, so that every cursor older than this instant is refused."""
        self.records.clear()
        self.history_id += 1
        self.forgotten = self.history_id

    def drop_old_history(self, now: datetime) -> None:
        """Drop the records that are older than the window."""
        oldest = now - self.settings.history_window
        while self.records and self.records[0].at < oldest:
            self.forgotten = self.records.pop(0).id

    def user_labels(self) -> list[Label]:
        """Return the person's own labels."""
        return [label for label in self.labels if label.type == "user"]

    def check_by_hand(self, label_ids: Iterable[str]) -> str:
        """Return the first label that cannot be put on or taken off by hand, '' where all can."""
        return next((label_id for label_id in label_ids if label_id in FIXED), "")

    def show_before(self, thread_id: str) -> bool:
        """Have the next read of a thread answer what stood before its last change; false where nothing did."""
        view = self._before.get(thread_id)
        if view is None or thread_id in self._stale:
            return False
        self._stale[thread_id] = (view, 1)
        return True

    @contextmanager
    def _changing(self, thread_ids: Iterable[str]) -> Iterator[None]:
        reads = self.settings.stale_reads
        before = {thread_id: self._snapshot(thread_id) for thread_id in thread_ids}
        yield
        for thread_id, view in before.items():
            changed = view is None or self.current(thread_id) != view
            if changed:
                self._before[thread_id] = view
            if changed and reads:
                self._stale[thread_id] = (self._stale.get(thread_id, (view, 0))[0], reads)

    def _snapshot(self, thread_id: str) -> ThreadView | None:
        view = self.current(thread_id)
        if view is None:
            return None
        copies = tuple(replace(message, label_ids=list(message.label_ids)) for message in view.messages)
        return replace(view, messages=copies)

    def _record(self, kind: Kind, pairs: list[tuple[StoredMessage, tuple[str, ...]]]) -> None:
        if not pairs:
            return
        self.history_id += self._core.random.randint(1, self.settings.history_gap)
        for message, _ in pairs:
            message.history_id = self.history_id
            self.thread_history[message.thread_id] = self.history_id
        changes = tuple(Change(m.id, m.thread_id, tuple(m.label_ids), changed) for m, changed in pairs)
        self.records.append(Record(self.history_id, self._core.clock.now(), kind, changes))
