"""The sample mail of the demo: three people, eighteen threads, and the replies that wait to arrive.

The mails are real ``.eml`` files under ``bridge/demo/mail``, described by ``manifest.toml`` beside them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

PEOPLE: Mapping[str, str] = {
    "ada@example.com": "Ada Lovelace",
    "ben@example.com": "Ben Hart",
    "cy@example.com": "Cy Moreno",
}
"""Address to name of the three people whose mailboxes and wiki accounts the demo has."""

_LINES = (
    "Thank you, that is clear now. I take the first half and write again on Friday.",
    "Good. One small thing: could we put the date into the first line, so that nobody has to search for it?",
    "Done as you say. It was less work than I feared, and it looks tidy.",
    "I have asked next door as well. They are fine with it and send their greetings.",
    "Then we are complete. I close my list here; thanks to everybody.",
)


@dataclass(frozen=True, slots=True)
class SampleMail:
    """One mail.

    ``eml`` holds its bytes (RFC 5322, CRLF); ``sender``, ``to`` and ``cc`` are lower-case addresses in header order;
    ``date`` is the instant of its Date header, UTC; ``mailboxes`` are the people who hold it, the sender among them.
    ``held`` and ``skipped`` say why it must not appear by itself, '' where it must.
    """

    name: str
    eml: bytes
    sender: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    subject: str
    message_id: str
    date: datetime
    mailboxes: tuple[str, ...]
    held: str = ""
    skipped: str = ""

    @property
    def recipients(self) -> tuple[str, ...]:
        """The addresses of To, then Cc."""
        return self.to + self.cc


@dataclass(frozen=True, slots=True)
class SampleThread:
    """A thread: ``messages`` lie in the mailboxes from the start, oldest first; ``next`` arrive one by one.

    ``label`` is the Gmail label that suggests itself, ``labelled_by`` who puts it on when all threads are labelled at
    once, ``lists`` who gets mail through the mailing list that the thread runs on, ``note`` what the thread shows.
    """

    slug: str
    subject: str
    label: str
    labelled_by: tuple[str, ...]
    lists: tuple[str, ...]
    note: str
    messages: tuple[SampleMail, ...]
    next: tuple[SampleMail, ...]

    @property
    def mailboxes(self) -> tuple[str, ...]:
        """Everybody who holds a mail of it from the start."""
        return tuple(person for person in PEOPLE if any(person in mail.mailboxes for mail in self.messages))


@cache
def threads() -> tuple[SampleThread, ...]:
    """Return every sample thread in the order of the manifest; read once."""
    root = files(__package__) / "mail"
    manifest = tomllib.loads((root / "manifest.toml").read_text(encoding="utf-8"))
    return tuple(_thread(root, table) for table in manifest["threads"])


def labels() -> tuple[str, ...]:
    """Return the labels that the sample threads suggest, in the order of their first use."""
    return tuple(dict.fromkeys(thread.label for thread in threads()))


def arriving(thread: SampleThread, so_far: tuple[SampleMail, ...], now: datetime) -> SampleMail:
    """Return the reply that arrives next, dated now.

    Args:
        thread: where it arrives.
        so_far: what has arrived already, of this function's answers, oldest first.
        now: the instant for its Date header, aware.

    While the thread has replies of its own waiting these come first; then a reply is made that quotes the newest
    mail which everybody got and goes to all of its people.
    """
    if len(so_far) < len(thread.next):
        return _dated(thread.next[len(so_far)], now)
    shown = [mail for mail in thread.messages if not mail.held and not mail.skipped]
    return _made(thread, (shown + list(so_far))[-1], len(so_far), now)


def _thread(root: Traversable, table: dict[str, Any]) -> SampleThread:
    folder = root / table["slug"]
    lists = tuple(table.get("lists", ()))
    held: dict[str, str] = table.get("held", {})
    skipped: dict[str, str] = table.get("skipped", {})

    def mails(place: Traversable, *, first: bool) -> tuple[SampleMail, ...]:
        found = sorted((f for f in place.iterdir() if f.name.endswith(".eml")), key=lambda f: f.name)
        read = [(f.name.removesuffix(".eml"), f.read_bytes()) for f in found]
        return tuple(
            replace(_mail(n, eml, lists), held=held.get(n, ""), skipped=skipped.get(n, ""))
            if first
            else _mail(n, eml, lists)
            for n, eml in read
        )

    messages = mails(folder, first=True)
    after = folder / "next"
    return SampleThread(
        slug=table["slug"],
        subject=messages[0].subject,
        label=table["label"],
        labelled_by=tuple(table["labelled_by"]),
        lists=lists,
        note=table["note"],
        messages=messages,
        next=mails(after, first=False) if after.is_dir() else (),
    )


def _parsed(eml: bytes) -> EmailMessage:
    return message_from_bytes(eml, policy=policy.default)


def _mail(name: str, eml: bytes, lists: tuple[str, ...]) -> SampleMail:
    message = _parsed(eml)
    sender, *_ = _addresses(message, "From")
    to, cc = _addresses(message, "To"), _addresses(message, "Cc")
    on = {sender, *to, *cc, *(lists if message["List-Id"] else ())}
    return SampleMail(
        name=name,
        eml=eml,
        sender=sender,
        to=to,
        cc=cc,
        subject=str(message["Subject"]),
        message_id=str(message["Message-ID"]).strip().strip("<>"),
        date=message["Date"].datetime.astimezone(UTC),
        mailboxes=tuple(person for person in PEOPLE if person in on),
    )


def _addresses(message: EmailMessage, header: str) -> tuple[str, ...]:
    return tuple(a.addr_spec.lower() for value in message.get_all(header, []) for a in value.addresses)


def _dated(mail: SampleMail, now: datetime) -> SampleMail:
    date = f"Date: {format_datetime(now.astimezone(UTC))}".encode("ascii")
    eml = re.sub(rb"(?m)^Date: [^\r\n]*", lambda _: date, mail.eml, count=1)
    return replace(mail, eml=eml, date=now.astimezone(UTC).replace(microsecond=0))


def _made(thread: SampleThread, last: SampleMail, number: int, now: datetime) -> SampleMail:
    """Make a reply to all of the newest mail's people, by the first of ours who did not write that mail."""
    before = _parsed(last.eml)
    ours = [person for person in PEOPLE if person in (*last.recipients, *last.mailboxes) and person != last.sender]
    writer = ours[number % len(ours)] if ours else last.sender
    body = before.get_body(("plain", "html"))
    quoted = body.get_content() if body is not None else ""
    said = _LINES[number % len(_LINES)]
    name = PEOPLE.get(writer, writer)
    message = EmailMessage(policy=policy.SMTP)
    message["Date"] = format_datetime(now.astimezone(UTC))
    message["From"] = f"{name} <{writer}>" if writer in PEOPLE else str(before["From"])
    message["To"] = str(before["From"]) if writer != last.sender else str(before["To"])
    others = [a for a in last.recipients if a not in (writer, *([] if writer != last.sender else last.to))]
    if others:
        message["Cc"] = ", ".join(f"{PEOPLE[a]} <{a}>" if a in PEOPLE else a for a in others)
    message["Subject"] = last.subject if last.subject.lower().startswith("re:") else f"Re: {last.subject}"
    message["Message-ID"] = f"<{thread.slug}.{number + 1}.{int(now.timestamp())}@mail.example.com>"
    message["In-Reply-To"] = f"<{last.message_id}>"
    message["References"] = " ".join([*str(before["References"] or "").split(), f"<{last.message_id}>"])
    for header in ("List-Id", "List-Post"):
        if before[header]:
            message[header] = str(before[header])
    attribution = f"On {last.date:%a}, {last.date.day} {last.date:%b %Y} at {last.date:%H:%M}, {before['From']} wrote:"
    history = "\n".join(f"> {line}".rstrip() for line in quoted.strip().splitlines())
    message.set_content(f"{said}\n\n{name.split()[0]}\n\n{attribution}\n\n{history}\n")
    return _mail(f"made-{number + 1:02}", message.as_bytes(), thread.lists)
