"""A machine that was suspended: the wall clock has gone on, the monotonic one has not, and connections are dead."""

from __future__ import annotations

from pathlib import Path

import pytest
from werkzeug.wrappers import Request, Response

from bridge.sandbox.core import CORE, SERVICE, Dropped

from support.standing import standing
from support.stories import ADA, BEN, Story, story
from support.thread_t3 import assert_expected_t3, send_t3

LUNCH = 40 * 60.0
"""Seconds: longer than every settle time and lease, shorter than an access token lives."""


class Asleep:
    """The machine falls asleep as a request leaves; the request takes effect 20 s after it is awake again."""

    def __init__(self, company: Story, operation: str) -> None:
        self._company, self._operation = company, operation
        self.slept = False

    def before(self, request: Request, operation: str, person: str) -> Response | None:
        """Sleep, once."""
        if operation != self._operation or self.slept:
            return None
        self.slept = True
        self._company.clock.jump(LUNCH)
        request.environ[CORE].postpone(request.environ[SERVICE], request, 20.0)
        raise Dropped

    def after(self, request: Request, operation: str, person: str, response: Response) -> Response:
        """Change nothing."""
        return response


@pytest.mark.parametrize("operation", ["createPage", "createAttachment", "updatePage", "createFooterComment"])
def test_an_hour_asleep_is_no_settle_time(tmp_path: Path, operation: str) -> None:
    """By the wall clock the settle time is long over at the first look; the request is still under way."""
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        first, _, _ = send_t3(company)
        company.label(ADA, first[ADA][1])
        asleep = Asleep(company, operation)
        company.world.core.faults.append(asleep)
        for _ in range(60):
            company.passes(1, seconds=5.0)
        company.passes(4)
        assert asleep.slept
        drafts = standing(company.world).empty_drafts
        assert drafts == (operation == "createPage")
        if not drafts:
            assert_expected_t3(company)
        assert len(company.wiki.comments) == 2
        assert company.again_from_scratch() == []


def test_mailboxes_are_looked_at_at_once_when_it_is_awake(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        company.passes(2)
        first, _, _ = send_t3(company)
        company.label(ADA, first[ADA][1])
        company.clock.jump(LUNCH)
        company.passes(1, seconds=1.0)
        assert_expected_t3(company)
        assert company.again_from_scratch() == []
