"""What an answer means, second half: what is refused, what is taken without effect, what looks do not show."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlmodel import select

from bridge.sandbox.faults import parse
from bridge.store import kept
from bridge.store.tables import Entry, KeptInput
from bridge.sync.fallback import opened

from faults.matrix_scenes import Edited, Unlabelled
from support.reactions import lasts, mend, status_of, t3_labelled, whose_moves
from support.stories import ADA, BEN, CY, Story, story
from support.thread_t3 import assert_expected_t3

HOUR = 3600.0


def test_a_refused_body_is_kept_sealed_for_fourteen_days(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA)
        company.world.core.faults.append(parse("400 updatePage"))
        sent = company.send(CY, ADA, "Odd", "The words.\n", html="<p>The <b>words</b>.</p>")
        company.label(ADA, sent[ADA][1])
        company.passes()
        (page,) = company.wiki.pages
        assert "The words." in page.body
        with company.company.oauth.store.read() as session:
            (entry,) = session.exec(select(Entry)).all()
            row = kept.of_entry(session, entry.id or 0, company.clock.now())
        assert row is not None
        assert "words" not in row.sealed, "it is sealed"
        found = opened(company.company.oauth.seal, row, ADA)
        assert {"kind": "html", "text": "<p>The <b>words</b>.</p>\n"} in found["parts"]
        assert "<strong>words</strong>" in found["sent"]
        assert "Error parsing xhtml" in found["answer"]
        company.wait(14 * 24 * HOUR)
        with company.company.oauth.store.write() as session:
            assert kept.purge(session, company.clock.now()) == 1
            assert session.exec(select(KeptInput)).all() == []
        assert company.again_from_scratch() == []


def test_a_file_that_the_site_does_not_take_is_named_on_the_page(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        lasts(company, "413 createAttachment")
        t3_labelled(company)
        company.passes(3)
        (page,) = company.wiki.pages
        assert "larger than this site allows" in page.body
        assert "plan.pdf" in page.body
        assert len(company.wiki.comments) == 2
        assert company.again_from_scratch() == []


def test_labels_that_confluence_took_and_did_not_put_on_are_put_on_again(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        company.world.core.faults.append(parse("no-effect-200 addLabelsToContent"))
        t3_labelled(company)
        company.passes(4)
        assert_expected_t3(company)
        assert company.again_from_scratch() == []


def test_a_label_that_somebody_takes_off_stays_off(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        t3_labelled(company)
        company.passes()
        company.wiki.pages[0].labels.clear()
        company.reply(BEN, ADA, {BEN: _newest(company)}, "More.\n")
        company.passes(3)
        assert len(company.wiki.comments) == 3
        assert company.wiki.pages[0].labels == {}
        assert company.again_from_scratch() == []


def _newest(company: Story) -> tuple[str, str]:
    box = company.gmail.mailbox(BEN).messages
    last = max(box.values(), key=lambda message: (message.internal_date, message.id))
    return last.id, last.thread_id


@pytest.mark.parametrize("operation", ["createPage", "updatePage", "createAttachment", "createFooterComment"])
def test_a_conflict_that_does_not_end_is_not_asked_every_second(tmp_path: Path, operation: str) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        lasts(company, f"409 {operation}")
        t3_labelled(company)
        mark = company.mark()
        company.passes(120)
        assert company.calls(mark)[operation] <= 24
        assert whose_moves(company) == {"time"}
        mend(company)
        company.passes(4, HOUR)
        assert_expected_t3(company)
        assert company.again_from_scratch() == []


def test_a_label_that_history_did_not_name_and_nobody_knew_is_seen_all_the_same(tmp_path: Path) -> None:
    """An unsure thread's label may be as new as the thread: the list of labels is asked before it is passed over."""
    with story(tmp_path) as company:
        company.connect(ADA)
        company.gmail.create_label(ADA, "Confluence/ENG")
        company.gmail.add_filter(ADA, "minutes", "Confluence/ENG")
        company.world.core.faults.append(Unlabelled())
        company.send(BEN, ADA, "The minutes")
        company.passes(2)
        assert [page.title for page in company.wiki.pages] == ["The minutes"]
        assert company.again_from_scratch() == []


@pytest.mark.parametrize("rule", ["stale getPageById", "404-object getPageById", "json-fields getPageVersions"])
def test_a_page_that_a_look_did_not_show_is_recognised_when_it_is_sent_again(tmp_path: Path, rule: str) -> None:
    """Found by the matrix: the second request was a conflict for ever, since the first one had taken effect."""
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        edited = Edited(company, "updatePage")
        company.world.core.faults += [parse(rule), edited if "Versions" in rule else parse("reset-after updatePage")]
        t3_labelled(company)
        company.passes(12)
        assert company.events("connection ended") == []
        (page,) = company.wiki.pages
        assert page.version.number == (2 if "Versions" in rule else 1)
        assert len(company.wiki.comments) == 2
        assert status_of(company).waits == ()
        assert company.again_from_scratch() == []


def test_the_bytes_of_a_half_file_are_sent_once_even_where_they_come_late(tmp_path: Path) -> None:
    """Found by the matrix: each request makes a version, and the late one was not waited for."""
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        company.world.core.faults += [parse("503-half createAttachment"), parse("late=60 updateAttachmentData")]
        t3_labelled(company)
        company.passes(12)
        assert len(company.wiki.comments) == 2
        (half,) = [file for file in company.wiki.attachments if len(file.versions) > 1]
        assert (len(half.versions), half.half) == (2, False)
        assert company.again_from_scratch() == []
