"""The cases of other programs' bug reports: rendering and quotes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bridge.mail.quotes import Earlier
from bridge.render import allowed, cut, emit
from bridge.render.page import render_comment, render_fallback, render_page
from bridge.render.read import Reader


def folded(text: str) -> str:
    return " ".join(text.split())


def body_of(row, parser, look):
    """Return the text alone, as it stands on a page."""
    if "html" in row:
        parts = cut.html_parts(Reader(look).read(parser.parse(row["html"])), Earlier())
    else:
        parts = cut.text_parts(row["text"], Earlier(), look)
    return emit.write([block for part in parts for block in part.blocks], emit.PAGE)


def test_render_rows(shared: Path, parser, look, seen, mail):
    rows = json.loads((shared / "cases/render.json").read_text("utf-8"))
    assert len(rows) >= 14
    for row in rows:
        storage = body_of(row, parser, look)
        assert allowed.check(storage) == [], row
        text = seen(storage)
        for word in row.get("keep", ()):
            assert word in folded(text), row
        for word in row.get("drop", ()):
            assert word not in folded(text), row
        for word in row.get("xml_absent", ()):
            assert word not in storage, row
        for word in row.get("xml_has", ()):
            assert word in storage, row
        if "exact" in row:
            assert text.strip() == row["exact"], row
        for line in row.get("lines", ()):
            assert line in text.replace("\u00a0", " ").split("\n"), row
        if "entities_only" in row:
            assert set(re.findall(r"&([A-Za-z]\w*);", storage)) <= set(row["entities_only"])
        message = mail(**{kind: row[kind] for kind in ("html", "text") if kind in row})
        page = render_page(message, look, parser=parser)
        assert page == render_page(message, look, parser=parser)
        for rendered in (page, render_comment(message, look, (), parser=parser), render_fallback(message, look)):
            assert allowed.check(rendered.storage) == [], row


def test_quote_rows(shared: Path, parser, look, seen, mail):
    rows = json.loads((shared / "cases/quotes.json").read_text("utf-8"))
    for row in rows:
        message = mail(**{kind: row[kind] for kind in ("html", "text") if kind in row})
        earlier = [mail(text=text, gmail_id=f"e{number}") for number, text in enumerate(row["earlier"])]
        rendered = render_comment(message, look, earlier, parser=parser)
        assert allowed.check(rendered.storage) == [], row
        text = folded(seen(rendered.storage))
        for word in row["keep"]:
            assert word in text, row
        for word in row["drop"]:
            assert word not in text, row
        if not earlier:
            page = folded(seen(render_page(message, look, parser=parser).storage))
            assert all(word in page for word in row["keep"]), row


def test_answers_keep_their_place_between_the_lines_they_answer(shared: Path, parser, look, seen, mail):
    rows = [row for row in json.loads((shared / "cases/quotes.json").read_text("utf-8")) if row["case"] == "C19"]
    for row in rows[:2]:
        message = mail(**{kind: row[kind] for kind in ("html", "text") if kind in row})
        rendered = render_comment(message, look, [mail(text=row["earlier"][0])], parser=parser)
        assert rendered.storage.endswith(
            "<blockquote><p>Is Tuesday fine?</p></blockquote><p>Yes, after ten.</p>"
            "<blockquote><p>Who brings the key?</p></blockquote><p>I do.</p>"
        )


@pytest.mark.scenario("A34")
def test_remote_pictures_are_never_loaded(parser, look, seen):
    """C57."""
    row = {
        "html": '<img src="https://track.example.com/o.gif?u=1" width="1" height="1">'
        '<img src="http://169.254.169.254/x" alt="logo"><p>text</p>'
    }
    storage = body_of(row, parser, look)
    assert storage == '<p><a href="http://169.254.169.254/x">logo</a></p><p>text</p>'
