"""Real conversations of mailing lists, whole: every mail stands once, and nothing that a strict wiki would refuse."""

from __future__ import annotations

import re
from collections import Counter
from email import policy
from email.parser import BytesParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from werkzeug.wrappers import Response

from bridge.render import find_key
from bridge.sandbox.faults import Rule

from support.shared import shared_files
from support.stories import ADA, CY, Story, story

THREADS = sorted({path.parent for path in shared_files("mails/threads/*/*.eml")})
HARD = (
    *("mails/libetpan/*.eml", "mails/postal-mime/*.eml", "mails/php-mime/*.eml", "mails/sync-engine/*.eml"),
    *("mails/zammad/mail0[5-7]*.eml", "cases/C0*.eml", "cases/C30.eml"),
)


@pytest.mark.parametrize("folder", THREADS or [None], ids=lambda folder: folder.name if folder else "absent")
def test_every_mail_of_a_real_thread_stands_once(tmp_path: Path, shared: Path, folder: Path | None) -> None:
    assert folder is not None
    mails = [path.read_bytes() for path in sorted(folder.glob("*.eml"))]
    with story(tmp_path, narrow_replies="publish") as company:
        company.connect(ADA)
        _, thread = company.gmail.deliver(ADA, mails[0])
        for raw in mails[1:]:
            company.clock.advance(60)
            company.gmail.deliver(ADA, raw, thread_id=thread)
        company.label(ADA, thread)
        company.passes(3)
        _release_blind_copies(company)
        (page,) = company.wiki.pages
        bodies = [page.body, *(comment.body for comment in company.wiki.comments)]
        assert len(bodies) == len(mails)
        assert len({key for body in bodies for key in find_key(body)}) == len(mails)
        linked = [_message_id(body) for body in bodies]
        assert Counter(linked) == Counter(_own_id(raw) for raw in mails)
        assert company.events("body refused") == []
        assert company.again_from_scratch() == []


def test_malformed_mail_stands_beside_good_mail_and_delays_nobody(tmp_path: Path, shared: Path) -> None:
    files = [path for pattern in HARD for path in shared_files(pattern)]
    assert len(files) > 50
    with story(tmp_path) as company:
        company.connect(ADA)
        for number, path in enumerate(files):
            company.label(ADA, company.gmail.deliver(ADA, path.read_bytes(), thread_id=f"{number + 1:016x}")[1])
        company.label(ADA, company.send(CY, ADA, "A good mail", "Nothing is wrong with it.\n")[ADA][1])
        company.passes(4)
        _release_blind_copies(company)
        assert company.events("body refused") == []
        follows = company.follows()
        assert len(follows) == len(files) + 1
        assert {follow.reason for follow in follows if follow.publication_id is None} <= {"nothing to publish"}
        stands = {follow.publication_id for follow in follows if follow.publication_id is not None}
        assert len(company.wiki.pages) == len(stands) > 50, "mails of one Message-ID, sender and date are one"
        assert "A good mail" in {page.title for page in company.wiki.pages}
        assert all(follow.tries == 0 for follow in company.follows())
        assert company.again_from_scratch() == []


def test_a_body_that_confluence_refuses_is_published_as_plain_text(tmp_path: Path) -> None:
    refused = (
        '{"errors":[{"status":400,"code":"INVALID_REQUEST_PARAMETER","title":"Error parsing xhtml","detail":null}]}'
    )
    with story(tmp_path) as company:
        company.connect(ADA)
        for operation in ("updatePage", "createFooterComment"):
            answer = Rule(operation, "answer", make=lambda: Response(refused, 400, mimetype="application/json"))
            company.world.core.faults.append(answer)
        sent = company.send(CY, ADA, "Odd", "The words.\n", html="<p>The <b>words</b>.</p>")
        company.label(ADA, sent[ADA][1])
        company.passes()
        company.reply(CY, ADA, sent, "More words.\n")
        company.passes()
        (page,), (comment,) = company.wiki.pages, company.wiki.comments
        assert "The words." in page.body
        assert "More words." in comment.body
        assert len(company.events("body refused")) == 2
        assert company.again_from_scratch() == []


def test_a_mail_whose_reading_fails_each_time_ends_as_its_headers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **more: object) -> None:
        raise ZeroDivisionError

    with story(tmp_path) as company:
        company.connect(ADA)
        company.label(ADA, company.send(CY, ADA, "Poison", "Never parsed.\n")[ADA][1])
        good = company.send(CY, ADA, "Healthy", "Fine.\n")[ADA][1]
        with monkeypatch.context() as patch:
            patch.setattr("bridge.sync.thread.read_thread", broken)
            company.passes(8)
        company.label(ADA, good)
        company.passes(2)
        assert sorted(page.title for page in company.wiki.pages) == ["Healthy", "Poison"]
        poison = next(page for page in company.wiki.pages if page.title == "Poison")
        assert "This mail could not be read" in poison.body
        assert company.again_from_scratch() == []


def _release_blind_copies(company: Story) -> None:
    """Answer what is asked of mail that names its reader nowhere, as mail from elsewhere does."""
    while items := company.held():
        assert {item.reason for item in items} == {"blind copy"}
        for item in items:
            company.answer(item, "publish")
        company.passes(3)


def _own_id(raw: bytes) -> str:
    mail = BytesParser(policy=policy.compat32).parsebytes(raw, headersonly=True)
    return re.sub(r"[<>\s]", "", str(mail.get("Message-ID", "")))


def _message_id(body: str) -> str:
    found = re.search(r"#search/rfc822msgid%3A([^\"]+)\"", body)
    return unquote(found[1]) if found else ""
