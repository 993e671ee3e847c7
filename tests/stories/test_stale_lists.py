"""Lists that lag, and lists that are refused: what is absent from one may stand all the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.sandbox.faults import Rule

from support.stories import ADA, BEN, CY, ENG, Story, story
from support.thread_t3 import assert_expected_t3, send_t3


@pytest.mark.parametrize("lag", [1, 2])
def test_a_comment_that_the_list_misses_for_a_while_is_not_posted_twice(tmp_path: Path, lag: int) -> None:
    with story(tmp_path) as company:
        company.wiki.wiki.switches.comment_lag = lag
        company.world.core.faults.append(Rule("createFooterComment", "reset-after"))
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes(12)
        assert_expected_t3(company)
        assert company.again_from_scratch() == []


@pytest.mark.parametrize("lag", [1, 2])
def test_a_reply_below_our_comment_is_not_posted_twice_either(tmp_path: Path, lag: int) -> None:
    with story(tmp_path) as company:
        page = company.wiki.create_page(CY, "ENG", "Minutes")
        company.change(routes=(replace(ENG, publish_as="comment", page=page.id, page_labels=()),))
        company.wiki.wiki.switches.comment_lag = lag
        company.world.core.faults.append(Rule("createFooterComment", "reset-after", nth=2))
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes(12)
        assert len(company.wiki.comments) == 3
        assert company.again_from_scratch() == []


def test_a_comment_that_was_never_made_is_posted_after_three_looks_in_vain(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.world.core.faults.append(Rule("createFooterComment", "reset-before"))
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        mark = company.mark()
        company.passes(12)
        assert_expected_t3(company)
        assert company.calls(mark)["getPageFooterComments"] == 3
        assert company.again_from_scratch() == []


@pytest.mark.parametrize("kind", ["reset-before", "reset-after"])
def test_a_file_on_a_draft_whose_files_nobody_lists_stands_once_under_its_own_name(tmp_path: Path, kind: str) -> None:
    with story(tmp_path) as company:
        company.wiki.wiki.switches.draft_files_listed = False
        company.world.core.faults.append(Rule("createAttachment", kind))
        _publish(company)
        assert_expected_t3(company)
        (told,) = company.events("read back")
        assert told.outcome == "as written"
        assert company.again_from_scratch() == []


def test_half_a_file_on_such_a_draft_leaves_its_name_and_the_whole_one_gets_another(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.wiki.wiki.switches.draft_files_listed = False
        company.wiki.wiki.switches.half_uploads = 1
        _publish(company)
        (page,) = company.wiki.pages
        whole = {file.name for file in company.wiki.attachments if file.page == page.id and not file.half}
        assert len(whole) == 2
        assert all(f'ri:filename="{name}"' in page.body for name in whole)
        assert company.again_from_scratch() == []


def test_a_file_that_vanished_before_the_page_was_read_back_is_told(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.world.core.faults.append(Rule("addLabelsToContent", "refuse"))
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes(1)
        file = company.wiki.attachments[0]
        file.status = "trashed"
        company.passes(3)
        (told,) = company.events("read back")
        assert told.outcome == "1 of 2 files missing"


def _publish(company: Story) -> None:
    company.connect(ADA, BEN)
    sent = send_t3(company)
    company.label(ADA, sent[0][ADA][1])
    company.passes(10)
