"""Every real mail renders: well-formed, inside the allow-list, the same twice, and no word of it is lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bridge.mail.eml import message
from bridge.mail.quotes import Earlier, split
from bridge.render import allowed
from bridge.render.page import render_comment, render_fallback, render_page

from support.shared import shared_files

WORD = re.compile(r"\w+")
SINGLE = {path.parent.name: [] for path in shared_files("mails/*/*.eml")}
for path in shared_files("mails/*/*.eml"):
    SINGLE[path.parent.name].append(path)


@pytest.mark.scenario("P8")
@pytest.mark.parametrize("source", sorted(SINGLE))
def test_single_mails(source, parser, placed):
    for path in SINGLE[source]:
        mail = message(path.read_bytes())
        look = placed(mail)
        page = render_page(mail, look, parser=parser)
        assert page == render_page(mail, look, parser=parser), path
        assert not page.plain, path
        for rendered in (page, render_comment(mail, look, (), parser=parser), render_fallback(mail, look)):
            assert allowed.check(rendered.storage) == [], path
        names = re.findall('ri:filename="([^"]*)"', page.storage)
        assert len(set(names)) >= len(look.files), path


@pytest.mark.scenario("P8")
def test_no_own_word_of_a_plain_text_mail_is_lost(shared: Path, parser, placed, seen):
    """What an attribution says stands in the quote's title instead, and "-- " marks a signature."""
    lost = total = 0
    for path in shared_files("mails/*/*.eml"):
        mail = message(path.read_bytes())
        if any(body.kind == "html" for body in mail.bodies):
            continue
        text = "\n".join(body.text for body in mail.bodies if not re.search(r"(?m)^\s*(?:>|--\s*$)", body.text))
        shown = re.sub(r"\s", "", seen(render_page(mail, placed(mail), parser=parser).storage))
        wanted = [row for row in text.split("\n") if WORD.search(row)]
        lost += sum(1 for row in wanted if re.sub(r"\s", "", row) not in shown)
        total += len(wanted)
    assert total > 3_000
    assert lost == 0


def segments(reply, earlier):
    return [one for body in reply.bodies if body.kind == "text" for one in split(body.text, earlier)]


@pytest.mark.scenario("P6")
def test_threads(shared: Path, parser, placed, seen):
    """No line that a writer wrote is lost, and of what was quoted only what an answer follows is said again."""
    threads = sorted({path.parent for path in shared_files("mails/threads/*/*.eml")})
    assert len(threads) == 26
    own = quoted = again = 0
    lost: list[str] = []
    for folder in threads:
        messages = [message(path.read_bytes()) for path in sorted(folder.glob("*.eml"))][:12]
        for number, reply in enumerate(messages[1:], 1):
            rendered = render_comment(reply, placed(reply), messages[:number], parser=parser)
            assert allowed.check(rendered.storage) == []
            shown = re.sub(r"\s", "", seen(rendered.storage))
            earlier = Earlier.of(messages[:number])
            for segment in segments(reply, earlier):
                rows = [row for row in segment.text.split("\n") if WORD.search(row)]
                missing = [row for row in rows if re.sub(r"\s", "", row) not in shown]
                if segment.kind in {"own", "signature"}:
                    own += len(rows)
                    lost += missing
                elif segment.kind == "quote" and segment.stands:
                    quoted += len(rows)
                    again += 0 if segment.answered else len(rows) - len(missing)
    assert own > 1_000
    assert lost == []
    assert quoted > 400
    assert again <= quoted * 0.05
