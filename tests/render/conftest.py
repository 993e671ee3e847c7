"""A mail, a look and a parser for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest

from bridge.model import Body, Look, Message, Person, PlacedFile
from bridge.render.names import free_name
from bridge.render.parse import HtmlParser

MAIL = Message(
    gmail_id="m1",
    thread_id="t1",
    label_ids=frozenset(),
    date=datetime(2026, 3, 3, 13, 5, tzinfo=UTC),
    sent=datetime(2026, 3, 3, 13, 5, tzinfo=UTC),
    message_id="x1@acme.example",
    in_reply_to="",
    references=(),
    sender=Person("Petra Novak", "petra@acme.example"),
    to=(Person("Ada Lovelace", "ada@example.com"), Person("Ben Hart", "ben@example.com")),
    cc=(),
    subject="Release plan",
    bodies=(),
    files=(),
)
LOOK = Look(
    published_by="Ada Lovelace",
    mail_url="https://mail.google.com/mail/?mailbridge=k7Qx2mP9aB#search/rfc822msgid%3Ax1%40acme.example",
    about_url="https://mailbridge.example.com/p/7k2q",
    timezone="Europe/Berlin",
    own_domains=("example.com",),
)


@pytest.fixture(scope="session")
def parser() -> Iterator[HtmlParser]:
    with HtmlParser(time_limit=20) as shared_parser:
        yield shared_parser


@pytest.fixture
def look() -> Look:
    return LOOK


@pytest.fixture
def mail() -> Callable[..., Message]:
    """Make a message: ``mail(html="...")``, ``mail(text="...")`` or any field."""

    def make(html: str | None = None, text: str | None = None, **fields: Any) -> Message:
        bodies = [Body("html", html, "1")] if html is not None else []
        bodies += [Body("text", text, "2")] if text is not None else []
        return replace(MAIL, **({"bodies": tuple(bodies)} | fields))

    return make


@pytest.fixture
def placed() -> Callable[[Message], Look]:
    """Make a look in which every file of a message stands on the page."""

    def place(message: Message) -> Look:
        taken: set[str] = set()
        files: dict[str, PlacedFile] = {}
        for file in message.files:
            name = free_name(file.name, taken)
            taken.add(name.casefold())
            files[file.part_id] = PlacedFile(name, file.size, file.mime_type)
        return replace(LOOK, files=files)

    return place


@pytest.fixture
def seen() -> Callable[[str], str]:
    """Return what a reader sees of storage format: a line for each block and break."""

    def read(storage: str) -> str:
        root = ElementTree.fromstring(f'<r xmlns:ac="a" xmlns:ri="b">{storage}</r>')
        parts: list[str] = []
        stack: list[Any] = [root]
        while stack:
            item = stack.pop()
            if isinstance(item, str):
                parts.append(item)
                continue
            if item.tag == "{a}parameter" and item.get("{a}name") != "title":
                continue
            block = item.tag in {"p", "h2", "h3", "h4", "h5", "h6", "br", "{a}plain-text-body", "{a}image"}
            after = (["\n"] if block else []) + ([item.tail] if item.tail else [])
            stack.extend(reversed(after))
            stack.extend(reversed(item))
            if item.tag == "{a}image":
                parts.append(item.get("{a}alt"))
            if item.text:
                parts.append(item.text)
        return "".join(parts).strip("\n")

    return read
