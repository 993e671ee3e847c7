"""Every request of a busy day, and every answer, keeps to Google's and Atlassian's own documents."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.config import Route
from bridge.sandbox.faults import Rule

from support.discovery import check_all
from support.openapi import validate
from support.stories import ADA, BEN, CY, ENG, Story, story
from support.thread_t3 import send_t3


def test_a_busy_day_keeps_to_the_documents(tmp_path: Path, shared: Path) -> None:
    with story(tmp_path) as company:
        page = company.wiki.create_page(CY, "ENG", "Decisions")
        company.wiki.create_page(CY, "ENG", "Release plan")
        company.change(
            routes=(
                replace(ENG, parent="Decisions"),
                Route(name="news", label="News", space="ENG", publish_as="blogpost"),
                Route(
                    name="decisions", label="Decided", space="ENG", publish_as="comment", page=page.id, page_labels=()
                ),
                Route(name="mine", label="Mine", space="ENG", visibility="author"),
            )
        )
        company.connect(ADA, BEN)
        sent = send_t3(company)
        for label in ("Confluence/ENG", "News", "Decided", "Mine"):
            company.label(ADA, sent[0][ADA][1], label)
        company.label(BEN, sent[0][BEN][1])
        company.passes(3)
        company.reply(CY, f"{ADA}, {BEN}", sent[2], "A fourth.\n", files=[("a b.txt", "text/plain", b"x")])
        company.passes(4)
        company.unlabel(ADA, sent[0][ADA][1], "News")
        company.gmail.mailbox(ADA).forget_history()
        company.wait(2 * 3600)
        company.passes(3)
        assert len(company.wiki.pages) == 4
        assert len(company.wiki.blogposts) == 1
        assert company.again_from_scratch() == []
        _assert_kept(company, atlassian=40, gmail=20)


@pytest.mark.parametrize("operation", ["createPage", "updatePage", "createFooterComment", "createAttachment"])
def test_what_is_asked_after_a_lost_answer_keeps_to_the_documents(tmp_path: Path, shared: Path, operation: str) -> None:
    blogpost = replace(ENG, publish_as="blogpost")
    for number, route in enumerate((ENG, blogpost)):
        with story(tmp_path / str(number), route) as company:
            named = operation.replace("Page", "BlogPost") if route is blogpost else operation
            rule = Rule(named, "drop-after")
            company.world.core.faults.append(rule)
            company.connect(ADA, BEN)
            sent = send_t3(company)
            company.label(ADA, sent[0][ADA][1])
            company.passes(7)
            assert rule.struck == 1
            assert len(company.wiki.comments) == 2
            assert company.again_from_scratch() == []
            _assert_kept(company, atlassian=10, gmail=10)


def _assert_kept(company: Story, *, atlassian: int, gmail: int) -> None:
    """Assert that nothing was said that the documents do not have, and that at least so much was said."""
    seen = company.world.core.journal.seen
    assert [fault for one in seen for fault in validate(one)] == []
    assert sum(one.operation != "" and "/ex/confluence/" in one.path for one in seen) >= atlassian
    assert check_all(seen) >= gmail
