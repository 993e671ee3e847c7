"""Two fake clients: a model of one Confluence space, and a mailbox whose answers are put in by hand."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from bridge.clock import VirtualClock
from bridge.confluence import Comment, Confluence, Content, Property, RemoteFile, Space, User, Version
from bridge.errors import NameTaken, NotFound, RemoteError, Temporary, TitleTaken
from bridge.gmail import History, Label, Profile, Touched

from support.sync import ADA, BEN, LABEL, NOW


def as_client(fake: FakeConfluence) -> Confluence:
    """Return the fake as what the product takes it for."""
    return cast("Confluence", fake)


class Crash(BaseException):
    """The process ends here."""


def gone(text: str = "no such page") -> NotFound:
    """Return a 404 that names its object."""
    return NotFound(text, provider="atlassian")


def lost(*, sent: bool = True) -> Temporary:
    """Return the failure of a request whose answer did not come."""
    return Temporary("no answer", provider="atlassian", maybe_applied=sent)


@dataclass
class FakeConfluence:
    """A model of one space: what a request does is done at once and at most once.

    ``script`` holds what happens to the next writes, in turn: "ok", "lost" (effect without an answer), "dropped"
    (neither, and nobody knows), an exception that comes in the request's place, or ``Crash`` before and "crash after"
    behind the effect. An empty script means that all goes well.
    """

    clock: VirtualClock
    script: list[Any] = field(default_factory=list)
    drafts: dict[str, Content] = field(default_factory=dict)
    pages: dict[str, Content] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    all_comments: list[Comment] = field(default_factory=list)
    all_files: dict[str, list[RemoteFile]] = field(default_factory=dict)
    bytes_of: dict[str, bytes] = field(default_factory=dict)
    page_labels: dict[str, list[str]] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    allowed: dict[str, frozenset[str]] = field(default_factory=dict)
    spaces: dict[str, Space] = field(default_factory=dict)
    parents: dict[str, Content] = field(default_factory=dict)
    refuse: dict[str, RemoteError] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    subject: str = "atlassian-" + ADA
    restricts: bool = True
    fence: Callable[[], None] = field(default=lambda: None, repr=False)

    def __post_init__(self) -> None:
        self.spaces.setdefault("ENG", Space("100", "ENG", "Engineering", "current", "1"))

    def _write(self, name: str) -> Iterator[None]:
        """Play the script around an effect: a generator that is resumed behind it."""
        self.fence()
        self.calls.append(name)
        if name in self.refuse:
            raise self.refuse[name]
        step = self.script.pop(0) if self.script else "ok"
        if step == "dropped":
            raise lost()
        if isinstance(step, BaseException) or step is Crash:
            raise step
        yield
        if step == "lost":
            raise lost()
        if step == "crash after":
            raise Crash

    @contextmanager
    def fenced(self, check: Callable[[], None]) -> Iterator[None]:
        self.fence = check
        try:
            yield
        finally:
            self.fence = lambda: None

    def _read(self, name: str) -> None:
        self.calls.append(name)
        if name in self.refuse:
            raise self.refuse[name]

    def _version(self, number: int = 1, message: str = "") -> Version:
        return Version(number, message, self.subject, self.clock.now())

    def writes(self) -> list[str]:
        """Return the calls that change something."""
        changing = {"create_draft", "publish", "comment_on", "reply_to", "upload", "replace_data", "add_labels"}
        return [call for call in self.calls if call in changing | {"set_property", "restrict"}]

    def create_draft(
        self, kind: Any, *, space_id: str, title: str, parent_id: str = "", private: bool = False
    ) -> Content:
        for _ in self._write("create_draft"):
            if title in self.taken:
                raise TitleTaken("taken", provider="atlassian")
            number = str(1000 + len(self.drafts) + len(self.pages))
            made = Content(kind, number, "draft", title, space_id, parent_id, "a", self._version(), "", "")
            self.drafts[number] = made
            self.allowed[number] = frozenset({self.subject}) if private and self.restricts else frozenset()
        return made

    def publish(
        self, kind: Any, content_id: str, *, title: str, storage: str, message: str, version: int = 1
    ) -> Content:
        for _ in self._write("publish"):
            if title in self.taken:
                raise TitleTaken("taken", provider="atlassian")
            if content_id not in self.drafts and content_id not in self.pages:
                raise gone()
            url = f"https://example.atlassian.net/wiki/{content_id}"
            made = Content(kind, content_id, "current", title, "100", "", "a", self._version(1, message), storage, url)
            self.drafts.pop(content_id, None)
            self.pages[content_id] = made
        return made

    def content(self, kind: Any, content_id: str, *, draft: bool = False, body: bool = False) -> Content:
        self._read("content")
        if draft and content_id in self.drafts:
            return self.drafts[content_id]
        if content_id not in self.pages:
            raise gone()
        return self.pages[content_id]

    def versions(self, kind: Any, content_id: str) -> list[Version]:
        self._read("versions")
        return [self.pages[content_id].version]

    def _comment(self, name: str, page: str, parent: str, storage: str) -> Comment:
        for _ in self._write(name):
            number = str(5000 + len(self.all_comments))
            made = Comment(number, "current", parent, "a", self._version(), storage, f"{page}#{number}")
            self.all_comments.append(made)
        return made

    def comment_on(self, kind: Any, content_id: str, storage: str) -> Comment:
        return self._comment("comment_on", content_id, "", storage)

    def reply_to(self, comment_id: str, storage: str) -> Comment:
        return self._comment("reply_to", "", comment_id, storage)

    def comment(self, comment_id: str) -> Comment:
        self._read("comment")
        found = next((one for one in self.all_comments if one.id == comment_id), None)
        if found is None:
            raise gone("no such comment")
        return found

    def comments(self, kind: Any, content_id: str) -> list[Comment]:
        self._read("comments")
        return [one for one in reversed(self.all_comments) if not one.parent_id]

    def replies(self, comment_id: str) -> list[Comment]:
        self._read("replies")
        return [one for one in reversed(self.all_comments) if one.parent_id == comment_id]

    def upload(self, content_id: str, *, name: str, data: Any, mime_type: str, comment: str, draft: bool) -> RemoteFile:
        for _ in self._write("upload"):
            held = self.all_files.setdefault(content_id, [])
            if any(one.name.casefold() == name.casefold() for one in held):
                raise NameTaken("taken", provider="atlassian")
            bytes_ = data.read()
            made = RemoteFile(f"att{len(held)}", name, len(bytes_), mime_type, comment, 1, "current")
            held.append(made)
            self.bytes_of[name] = bytes_
        return made

    def replace_data(
        self, content_id: str, file_id: str, *, name: str, data: Any, mime_type: str, comment: str
    ) -> RemoteFile:
        for _ in self._write("replace_data"):
            held = self.all_files[content_id]
            bytes_ = data.read()
            made = RemoteFile(file_id, name, len(bytes_), mime_type, comment, 2, "current")
            held[:] = [made if one.id == file_id else one for one in held]
            self.bytes_of[name] = bytes_
        return made

    def files(self, kind: Any, content_id: str, name: str = "") -> list[RemoteFile]:
        self._read("files")
        return [one for one in self.all_files.get(content_id, []) if name in ("", one.name)]

    def add_labels(self, content_id: str, names: Iterable[str]) -> None:
        for _ in self._write("add_labels"):
            held = self.page_labels.setdefault(content_id, [])
            held += [name for name in names if name not in held]

    def labels(self, kind: Any, content_id: str) -> list[str]:
        self._read("labels")
        return self.page_labels.get(content_id, [])

    def set_property(self, kind: Any, content_id: str, key: str, value: Any) -> Property:
        for _ in self._write("set_property"):
            self.properties[content_id] = value
        return Property("1", key, value, 1)

    def property(self, kind: Any, content_id: str, key: str) -> Property | None:
        self._read("property")
        return Property("1", key, self.properties[content_id], 1) if content_id in self.properties else None

    def readers(self, content_id: str) -> frozenset[str]:
        self._read("readers")
        return self.allowed.get(content_id, frozenset())

    def restrict(self, content_id: str, account_id: str) -> None:
        for _ in self._write("restrict"):
            if self.restricts:
                self.allowed[content_id] = frozenset({account_id})

    def space(self, key: str) -> Space | None:
        self._read("space")
        return self.spaces.get(key)

    def find_parent(self, space_id: str, title: str) -> Content | None:
        self._read("find_parent")
        return self.parents.get(title)

    def current_user(self) -> User:
        self._read("current_user")
        return User(self.subject, "Ada")


@dataclass
class FakeGmail:
    """A mailbox whose answers are put in by hand; ``calls`` tells what was asked.

    ``fail`` maps a method's name, or "thread ID", to the error that it raises.
    """

    names: dict[str, str] = field(default_factory=lambda: {LABEL: "Confluence/ENG", "INBOX": "INBOX"})
    listed: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    records: dict[str, Touched] = field(default_factory=dict)
    cursor: int = 200
    threads: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    fail: dict[str, RemoteError] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def _asked(self, call: str) -> None:
        self.calls.append(call)
        for name in (call, call.partition(" ")[0]):
            if name in self.fail:
                raise self.fail[name]

    def profile(self) -> Profile:
        self._asked("profile")
        return Profile(ADA, self.cursor)

    def labels(self) -> tuple[Label, ...]:
        self._asked("labels")
        return tuple(Label(one, name, "user") for one, name in self.names.items())

    def history(self, start: int) -> History:
        self._asked("history")
        named = frozenset().union(*(one.label_ids | one.removed for one in self.records.values()))
        found, self.records = History(dict(self.records), self.cursor, named, len(self.records)), {}
        return found

    def threads_with_label(self, label_id: str) -> list[tuple[str, int]]:
        self._asked(f"threads {label_id}")
        return self.listed.get(label_id, [])

    def thread(self, thread_id: str) -> dict[str, Any]:
        self._asked(f"thread {thread_id}")
        if thread_id not in self.threads:
            raise NotFound("gone", provider="google")
        return self.threads[thread_id]

    def label_ids(self, thread_id: str) -> frozenset[str]:
        self._asked(f"label_ids {thread_id}")
        return frozenset(name for message in self.threads[thread_id]["messages"] for name in message["labelIds"])

    def message(self, message_id: str) -> dict[str, Any]:
        self._asked(f"message {message_id}")
        return next(m for one in self.threads.values() for m in one["messages"] if m["id"] == message_id)

    def attachment(self, message_id: str, attachment_id: str) -> bytes:
        self._asked(f"attachment {attachment_id}")
        return self.files[attachment_id]

    def put(self, thread_id: str, *messages: dict[str, Any], history_id: int = 150) -> None:
        """Give the mailbox a thread."""
        rows = [{**message, "threadId": thread_id} for message in messages]
        self.threads[thread_id] = {"id": thread_id, "historyId": str(history_id), "messages": rows}


def raw_mail(message_id: str, *, labels: Iterable[str] = ("INBOX", LABEL), **fields: Any) -> dict[str, Any]:
    """Return a mail as Gmail's API gives it; from Ada to Ben, an hour ago."""
    at = fields.get("at", NOW - timedelta(hours=1))
    headers = {
        "From": fields.get("sender", f"Ada <{ADA}>"),
        "To": fields.get("to", BEN),
        "Subject": fields.get("subject", "Plan"),
        "Date": at.strftime("%a, %d %b %Y %H:%M:%S +0000"),
        "Message-ID": f"<{message_id}@example.com>",
    }
    text = fields.get("text", "Hello.\n").encode()
    return {
        "id": message_id,
        "labelIds": list(labels),
        "snippet": "Hello.",
        "historyId": "150",
        "internalDate": str(int(at.timestamp() * 1000)),
        "payload": {
            "partId": "",
            "mimeType": "text/plain",
            "filename": "",
            "headers": [{"name": name, "value": value} for name, value in headers.items()],
            "body": {"size": len(text), "data": base64.urlsafe_b64encode(text).decode()},
        },
    }
