"""The sample threads as they read in Confluence: each sentence once, no address in the byline."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from bridge.demo import samples
from bridge.demo.samples import SampleThread
from bridge.mail import eml
from bridge.mail.quotes import Earlier
from bridge.model import Look, PlacedFile
from bridge.render import HtmlParser, render_comment
from bridge.render.allowed import check

LONG = 6


@pytest.fixture(scope="module")
def parser() -> Iterator[HtmlParser]:
    """One for all."""
    with HtmlParser() as made:
        yield made


@pytest.mark.parametrize("thread", samples.threads(), ids=lambda thread: thread.slug)
def test_no_comment_repeats_what_stands_above_it(thread: SampleThread, parser: HtmlParser) -> None:
    messages = [eml.message(mail.eml) for mail in thread.messages]
    for number, message in enumerate(messages[1:], 1):
        files = {file.part_id: PlacedFile(file.name, file.size, file.mime_type) for file in message.files}
        look = Look(published_by="Ada Lovelace", mail_url="https://mail.google.com/mail/", files=files)
        storage = render_comment(message, look, messages[:number], parser=parser).storage
        assert check(storage) == []
        shown = re.sub(r"<blockquote>.*?</blockquote>", "", storage, flags=re.DOTALL)
        lines = [re.sub(r"<[^>]+>", " ", line) for line in re.split(r"</p>|<br/>|</t[dhr]>|</li>", shown)]
        earlier = Earlier.of(messages[:number])
        assert [line for line in lines if len(line.split()) >= LONG and earlier.stands(line)] == []
        assert "<table" not in storage
        byline = re.sub(r'href="[^"]*"', "", storage.partition("</p>")[0])
        assert "@" not in byline
