"""The values that travel between rooms. No I/O, no clock, nothing that can fail.

Times are aware and UTC. Addresses are lower-case. Text that comes from mail holds no NUL and no lone surrogate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Proof = Literal["sent", "dmarc", "failed", "none"]
"""How far a sender is proven: SENT in the connected mailbox of that address, dmarc=pass, dmarc=fail, nothing known."""

ContentKind = Literal["page", "blogpost", "comment"]


@dataclass(frozen=True, slots=True)
class Person:
    """A mailbox in a header: decoded display name ('' where there is none) and lower-case address ('' likewise)."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Body:
    r"""One part that the reader sees as text, in the order in which it stands in the mail.

    ``kind`` is "html", "text" or "file": the last marks the place of a file that stands between text parts
    (Apple Mail), and then ``text`` is '' and ``part_id`` names the file. ``text`` is decoded; line ends are ``\n``.
    """

    kind: Literal["html", "text", "file"]
    text: str
    part_id: str


@dataclass(frozen=True, slots=True)
class File:
    """A part that is kept as a file: an attachment or an inline image.

    ``name`` is decoded and may be unsafe, doubled or invented ("image.png") where the mail has none; a safe, unique
    name is chosen when it is reserved on a page. ``content_id`` is without angle brackets, '' where there is none.
    ``size`` is in bytes, as the payload says. ``data`` is there where the payload carried it, else
    ``attachment_id`` tells Gmail which bytes are meant (short-lived: fetch it in the pass that read the thread).
    """

    part_id: str
    name: str
    mime_type: str
    content_id: str
    size: int
    inline: bool
    data: bytes | None = field(default=None, repr=False)
    attachment_id: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """One mail. Bcc is never read, so it can never be shown.

    ``date`` is Gmail's internalDate (of an .eml: the Date header, else the last hop's Received); ``sent`` is the
    Date header's instant or None. ``to`` and ``cc`` are in header order. ``message_id``, ``in_reply_to`` and
    ``references`` are without angle brackets. ``list_id`` is '' where the mail came through no list. ``automatic``
    says why the mail is not a person's own ("out of office", "delivery report", "notification of Confluence", ...),
    '' for a person's.
    """

    gmail_id: str
    thread_id: str
    label_ids: frozenset[str]
    date: datetime
    sent: datetime | None
    message_id: str
    in_reply_to: str
    references: tuple[str, ...]
    sender: Person
    to: tuple[Person, ...]
    cc: tuple[Person, ...]
    subject: str
    bodies: tuple[Body, ...]
    files: tuple[File, ...]
    list_id: str = ""
    automatic: str = ""
    proof: Proof = "none"
    snippet: str = field(default="", repr=False)

    @property
    def key(self) -> str:
        """The message key: the same mail has the same key in every mailbox.

        sha256 of Message-ID, From address and Date as an instant; without a Message-ID of From, Date, subject and
        text size, prefixed ``weak:`` since such a key must never join two mailboxes.
        """
        sent = self.sent.isoformat() if self.sent else ""
        if self.message_id:
            return _digest(self.message_id, self.sender.address, sent)
        size = sum(len(body.text) for body in self.bodies)
        return "weak:" + _digest(self.sender.address, sent or self.date.isoformat(), self.subject, str(size))

    @property
    def people(self) -> frozenset[str]:
        """The addresses of From, To and Cc."""
        return frozenset(p.address for p in (self.sender, *self.to, *self.cc) if p.address)


@dataclass(frozen=True, slots=True)
class Thread:
    """A Gmail thread with its messages, oldest first by ``date``; ``history_id`` is as large as Gmail's answer says."""

    thread_id: str
    history_id: int
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class PlacedFile:
    """A file as it stands (or will stand) on the page: its name there, its size in bytes, its MIME type."""

    name: str
    size: int
    mime_type: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something of a mail that is not on the page, and why, as a sentence part for its reader."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Look:
    """What a renderer must know besides the mail (config ``[pages]`` and the entry's own facts).

    ``published_by`` is the display name of the person whose tokens write. ``mail_url`` is the origin link with the
    marker. ``about_url`` is the "What is this page?" address, '' where the bridge has no public one. ``files`` maps
    part ids to the files as they stand on the page; a file that is not in it is named in ``left_out``.
    ``replies_follow`` says whether the route posts replies, which the panel promises.
    """

    published_by: str
    mail_url: str
    about_url: str = ""
    timezone: str = "UTC"
    own_domains: tuple[str, ...] = ()
    show_addresses: Literal["never", "own-domains", "always"] = "never"
    signatures: Literal["fold", "keep", "drop"] = "fold"
    collapse_quotes: bool = True
    remote_images: Literal["link", "drop"] = "link"
    action_links: Literal["drop", "keep"] = "drop"
    max_body: int = 4 * 1024 * 1024
    files: Mapping[str, PlacedFile] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()
    replies_follow: bool = True


PartKind = Literal["own", "answered", "quote", "signature", "cut"]
"""A part of a mail: its writer's own words, quoted words that are answered, quoted mail that stands in no earlier mail
of the thread, a signature, or quoted mail that stands in one and is cut."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a part of a mail was taken for, and how many lines it has."""

    part: PartKind
    lines: int


@dataclass(frozen=True, slots=True)
class Rendered:
    """A body in storage format, and what had to stay off it; ``plain`` marks the fallback where rendering failed.

    ``verdicts`` says what each part of the mail was taken for, in the order of the mail.
    """

    storage: str
    left_out: tuple[LeftOut, ...] = ()
    plain: bool = False
    verdicts: tuple[Verdict, ...] = ()


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
