from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.daemon import words

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(seconds=-5), "0 seconds"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=59.9), "59 seconds"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=59), "59 minutes"),
        (timedelta(hours=23, minutes=59), "23 hours"),
        (timedelta(days=40), "40 days"),
    ],
)
def test_lasting(span: timedelta, said: str) -> None:
    assert words.lasting(span) == said


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(minutes=10), "10 minutes"),
        (timedelta(hours=24), "yesterday"),
        (timedelta(hours=48), "2 days"),
        (timedelta(days=7), "3 March"),
        (timedelta(days=90), "10 December 2025"),
    ],
)
def test_since(span: timedelta, said: str) -> None:
    assert words.since(NOW - span, NOW) == said


def test_count() -> None:
    assert [words.count(1, "page"), words.count(4112, "page")] == ["1 page", "4,112 pages"]
    assert words.count(2, "mailbox", "mailboxes") == "2 mailboxes"


def test_text_from_mail_cannot_steer_a_terminal() -> None:
    assert words.printable("a\x1b[31m\r\nb\u202ec  d") == "a [31m b c d"
