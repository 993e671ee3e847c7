"""Every message of the bridge stands in docs/troubleshooting.md by its words, with its cause and what to do."""

from __future__ import annotations

import re

import pytest

from support.messages import DOCUMENT, Message, messages, missing

TEXT = DOCUMENT.read_text(encoding="utf-8")


def test_every_message_is_explained() -> None:
    lacking = [f"{message.path}:{message.line}: {message.words}" for message in missing(TEXT)]
    assert lacking == [], "Explain these in docs/troubleshooting.md."


def test_the_messages_are_found_in_all_rooms() -> None:
    found = messages()
    assert len(found) > 180
    assert {message.path.split("/")[1] for message in found} >= {
        "cli", "config", "confluence", "daemon", "gmail", "http", "oauth", "render", "store", "sync", "web",
    }  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        "Another process renews this connection; it is tried again later.",
        "You may not add pages in space … (or the parent page is gone).",
        "Stopped: the label … was taken off.",
        "This reply did not go to ….",
        "is not a duration. Write a number and s, min, h or d",
        "Say what: --all, --route NAME or --account ADDRESS.",
        "Would publish to … as …: …",
    ],
)
def test_some_by_their_words(words: str) -> None:
    parts = [re.escape(part) for part in words.split("…")]
    assert re.search(".{0,80}?".join(parts), " ".join(TEXT.split()))


def test_a_message_that_is_not_there_is_missed() -> None:
    assert len(missing("")) == len(messages())
    changed = TEXT.replace("Stopped: the label", "Stopped, since the label")
    assert "Stopped: the label " in {message.parts[0] for message in missing(changed)}


def test_every_heading_is_in_the_list_at_the_top() -> None:
    headings = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    linked = re.findall(r"^- \[(.+)\]\(#(.+)\)$", TEXT, re.MULTILINE)
    assert [name for name, _ in linked] == headings
    assert [anchor for _, anchor in linked] == [
        re.sub(r"[^a-z -]", "", one.lower()).replace(" ", "-") for one in headings
    ]


def test_a_message_knows_where_it_stands() -> None:
    one = next(message for message in messages() if message.words.startswith("Another process renews"))
    assert one == Message("bridge/oauth/tokens.py", one.line, one.parts)
