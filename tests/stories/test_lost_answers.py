"""Answers that never come, servers that fail, a program that is killed: in the end the same stands, once."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from bridge.sandbox.core import Dropped
from bridge.sandbox.faults import Plain, Rule
from bridge.sync.writes.perform import Performer

from support.stories import ADA, BEN, Story, story
from support.thread_t3 import assert_expected_t3, send_t3

WRITES = ("createPage", "updatePage", "createFooterComment", "createAttachment", "addLabelsToContent")
KINDS: tuple[Plain, ...] = ("drop-before", "drop-after")


class Killed(BaseException):
    """The process ends here: nothing in the product may catch it."""


@cache
def _fault_free() -> str:
    with TemporaryDirectory() as folder, story(Path(folder)) as company:
        _t3(company)
        company.passes()
        assert_expected_t3(company)
        return json.dumps(company.wiki.snapshot(), sort_keys=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("operation", WRITES)
def test_an_answer_that_is_lost_changes_nothing_of_what_stands_in_the_end(
    tmp_path: Path, operation: str, kind: Plain
) -> None:
    with story(tmp_path) as company:
        rule = Rule(operation, kind)
        company.world.core.faults.append(rule)
        _t3(company)
        company.passes(8)
        assert rule.struck == 1
        _assert_as_without_faults(company)
        drafts = 1 if (operation, kind) == ("createPage", "drop-after") else 0
        assert [page.body for page in company.wiki.drafts()] == [""] * drafts, "an orphan holds no word of the mail"
        assert len(company.events("orphan draft possible")) == (1 if operation == "createPage" else 0)
        assert company.again_from_scratch() == []


@pytest.mark.parametrize("operation", ["updatePage", "createFooterComment", "createAttachment"])
def test_answers_that_are_lost_again_and_again(tmp_path: Path, operation: str) -> None:
    with story(tmp_path) as company:
        company.world.core.faults += [Rule(operation, "drop-after"), Rule(operation, "drop-before", nth=2, times=2)]
        _t3(company)
        company.passes(20)
        _assert_as_without_faults(company)
        assert company.wiki.drafts() == []
        assert company.again_from_scratch() == []


def test_a_comment_that_takes_effect_long_after_its_connection_died_is_not_posted_twice(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        late = _Late("createFooterComment")
        company.world.core.faults.append(late)
        _t3(company)
        company.passes(1)
        assert company.wiki.comments == []
        company.passes(1, 45)
        assert late.request is not None
        company.world.core.faults.clear()
        company.wiki.answer(late.request)
        company.passes(5)
        _assert_as_without_faults(company)
        assert company.again_from_scratch() == []


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        (kind, sent)
        for kind in ("draft", "upload", "publish", "page label", "origin property", "comment")
        for sent in (False, True)
    ],
)
def test_a_program_that_is_killed_around_a_write_makes_no_second_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, sent: bool
) -> None:
    with story(tmp_path) as company:
        _t3(company)
        with monkeypatch.context() as patch:
            _kill_at(patch, kind, sent=sent)
            with pytest.raises(Killed):
                company.passes()
        company.install()
        company.wait(600)
        company.passes(6)
        _assert_as_without_faults(company)
        drafts = 1 if (kind, sent) == ("draft", True) else 0
        assert [page.body for page in company.wiki.drafts()] == [""] * drafts
        assert company.again_from_scratch() == []


def _t3(company: Story) -> None:
    company.connect(ADA, BEN)
    sent = send_t3(company)
    company.label(ADA, sent[0][ADA][1])


def _assert_as_without_faults(company: Story) -> None:
    assert {**company.wiki.snapshot(), "drafts": []} == json.loads(_fault_free())


def _kill_at(patch: pytest.MonkeyPatch, kind: str, *, sent: bool) -> None:
    """Have the process end before the request of a write leaves, or before its result is committed."""
    name = "_finish" if sent else "_send"
    real: Callable[..., None] = getattr(Performer, name)

    def killed(self: Performer, written: Any, *rest: Any) -> None:
        if written.kind == kind:
            raise Killed
        real(self, written, *rest)

    patch.setattr(Performer, name, killed)


class _Late:
    """Keeps a request back whose connection dies at once."""

    def __init__(self, operation: str) -> None:
        self.operation = operation
        self.request: Request | None = None

    def before(self, request: Request, operation: str, person: str) -> Response | None:
        """Drop the first one."""
        if operation != self.operation or self.request is not None:
            return None
        self.request = request
        raise Dropped

    def after(self, request: Request, operation: str, person: str, response: Response) -> Response:
        """Change nothing."""
        return response
