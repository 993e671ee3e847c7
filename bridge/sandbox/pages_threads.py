"""What the mailbox page shows of a thread: its row, its mails, and what it became in Confluence."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import getaddresses
from urllib.parse import unquote

from bridge.sandbox.confluence_access import can_view
from bridge.sandbox.confluence_shapes import webui
from bridge.sandbox.confluence_state import Page, Wiki
from bridge.sandbox.gmail_people import SandboxGmail
from bridge.sandbox.gmail_state import Mailbox, StoredMessage
from bridge.sandbox.pages import name_of, reader_of

_MSGID_LINK = re.compile(r"rfc822msgid%3A([^\"'&#<>\s]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Published:
    """What a thread became in Confluence: a page, a post, or comments on a page; ``url`` is a path of this server."""

    page_id: str
    kind: str
    title: str
    space: str
    author: str
    url: str
    comments: int
    files: int
    private: bool


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A thread as the list shows it; ``senders`` are short names, the person's own being "me"; times are UTC."""

    id: str
    subject: str
    senders: tuple[str, ...]
    snippet: str
    date: str
    messages: int
    unread: bool
    labels: tuple[str, ...]
    published: tuple[Published, ...]


@dataclass(frozen=True, slots=True)
class MailView:
    """A mail as the thread's page shows it: the plain text, or the snippet of a mail that has none.

    ``quoted`` is the earlier mail that stands quoted at its end, with the line that introduces it.
    """

    sender: str
    to: str
    date: datetime
    subject: str
    text: str
    quoted: str
    files: tuple[tuple[str, int], ...]
    labels: tuple[str, ...]


def thread_rows(gmail: SandboxGmail, wiki: Wiki, person: str) -> list[ThreadRow]:
    """Return a person's threads, the newest mail first; without Spam, Trash and drafts."""
    today = gmail.core.clock.now()
    mailbox = gmail.mailbox(person)
    found = published(wiki, person)
    rows = []
    for thread in mailbox.by_thread:
        view = mailbox.current(thread)
        shown = [m for m in view.messages if not m.hidden and "DRAFT" not in m.label_ids] if view else []
        if shown:
            rows.append((shown[-1].internal_date, _row(mailbox, thread, shown, found, today)))
    return [row for _, row in sorted(rows, key=lambda pair: -pair[0])]


def published(wiki: Wiki, person: str) -> dict[str, list[Published]]:
    """Return, by Message-ID, the pages that name it in an origin link and that a person may see."""
    reader = reader_of(wiki, person)
    found: dict[str, list[Published]] = {}
    for page in wiki.content.values():
        if page.status != "current" or reader is None or not can_view(wiki, reader, page):
            continue
        comments = wiki.comments_on(page.id)
        bodies = [page.body, *(comment.body for comment in comments)]
        ids = dict.fromkeys(message_id for body in bodies for message_id in message_ids(body))
        if ids:
            what = _published(wiki, page, len(comments))
            for message_id in ids:
                found.setdefault(message_id, []).append(what)
    return found


def message_ids(storage: str) -> list[str]:
    """Return the Message-IDs that the origin links of a body in storage format name, in their order."""
    return [unquote(found) for found in _MSGID_LINK.findall(html.unescape(storage))]


def thread_with(mailbox: Mailbox, message_id: str) -> str:
    """Return the thread that holds a Message-ID (without angle brackets), '' where none does."""
    for message in mailbox.messages.values():
        if message_id and _message_id(message) == message_id:
            return message.thread_id
    return ""


def without_history(text: str) -> tuple[str, str]:
    """Part a plain text into what is said and the quoted mail at its end ('' where there is none)."""
    lines = text.split("\n")
    end = len(lines)
    while end and (not lines[end - 1].strip() or lines[end - 1].startswith(">")):
        end -= 1
    if not any(line.startswith(">") for line in lines[end:]) or not end:
        return text, ""
    if lines[end - 1].rstrip().endswith(":"):
        end -= 1
    return "\n".join(lines[:end]).rstrip(), "\n".join(lines[end:]).strip()


def _published(wiki: Wiki, page: Page, comments: int) -> Published:
    return Published(
        page_id=page.id,
        kind=page.kind,
        title=page.title,
        space=wiki.spaces[page.space].key,
        author=name_of(wiki, page.author),
        url="/wiki" + webui(wiki, page),
        comments=comments,
        files=len(wiki.files_on(page.id)),
        private=bool(page.read),
    )


def _row(
    mailbox: Mailbox, thread: str, shown: list[StoredMessage], found: dict[str, list[Published]], today: datetime
) -> ThreadRow:
    last = shown[-1]
    where = {what.page_id: what for message in shown for what in found.get(_message_id(message), ())}
    return ThreadRow(
        id=thread,
        subject=_header(shown[0], "Subject") or "(no subject)",
        senders=_senders(mailbox, shown),
        snippet=html.unescape(last.snippet),
        date=_short(_at(last), today),
        messages=len(shown),
        unread=any("UNREAD" in message.label_ids for message in shown),
        labels=_labels(mailbox, shown),
        published=tuple(where.values()),
    )


def _labels(mailbox: Mailbox, messages: Iterable[StoredMessage]) -> tuple[str, ...]:
    on = {label_id for message in messages for label_id in message.label_ids}
    return tuple(sorted(label.name for label in mailbox.user_labels() if label.id in on))


def _header(message: StoredMessage, name: str) -> str:
    headers = (message.given or {}).get("payload", {}).get("headers", ())
    given = next((h["value"] for h in headers if h["name"].casefold() == name.casefold()), "")
    return given or message.mime.header(name)


def _message_id(message: StoredMessage) -> str:
    return _header(message, "Message-ID").strip().strip("<>")


def _name(value: str) -> str:
    name, address = next(iter(getaddresses([value])), ("", ""))
    return name or address.partition("@")[0] or "(unknown)"


def _senders(mailbox: Mailbox, messages: list[StoredMessage]) -> tuple[str, ...]:
    """Return the writers in the order of their first mail, first names where there are several, as Gmail does."""
    names: dict[str, str] = {}
    for message in messages:
        value = _header(message, "From")
        address = next(iter(getaddresses([value])), ("", ""))[1].lower()
        names.setdefault(address, "me" if address == mailbox.person.address else _name(value))
    if len(names) == 1:
        return tuple(names.values())
    return tuple(_first_name(name) for name in names.values())


def _first_name(name: str) -> str:
    words = name.split()
    return words[1] if len(words) > 1 and words[0].endswith(".") else words[0]


def _at(message: StoredMessage) -> datetime:
    return datetime.fromtimestamp(message.internal_date / 1000, UTC)


def _short(at: datetime, today: datetime) -> str:
    """Return the time of today's mail, the day of this year's, the whole date of older."""
    if at.date() == today.date():
        return f"{at:%H:%M}"
    return f"{at.day} {at:%b}" if at.year == today.year else f"{at.day} {at:%b %Y}"


def mail_view(mailbox: Mailbox, message: StoredMessage) -> MailView:
    """Return a mail as the page of its thread shows it."""
    parts = list(message.mime.walk())
    plain = [p.content.decode(errors="replace") for p in parts if p.text and p.content and p.mime_type == "text/plain"]
    people = getaddresses([_header(message, "To"), _header(message, "Cc")])
    text = "\n\n".join(plain).replace("\r\n", "\n").strip() or html.unescape(message.snippet)
    said, quoted = without_history(text)
    return MailView(
        sender=_name(_header(message, "From")),
        to=", ".join(name or address for name, address in people if name or address),
        date=_at(message),
        subject=_header(message, "Subject"),
        text=said,
        quoted=quoted,
        files=tuple((p.filename, len(p.content)) for p in parts if p.filename and p.content is not None),
        labels=_labels(mailbox, [message]),
    )
