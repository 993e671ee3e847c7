from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bridge.errors import BridgeError
from bridge.gmail import Gmail, build_service
from bridge.oauth.backlog import answer_backlog, count_labelled

from support.consents import ADA, START, Office
from support.google import mail


def gmail(office: Office) -> Gmail:
    http = office.opened.transports.http()
    tokens = office.opened.tokens.of(office.grant("google").id or 0)
    return Gmail(build_service(office.opened.endpoints, http), http, tokens, clock=office.clock)


def test_labelled_threads_are_counted_and_none_is_opened(office: Office) -> None:
    office.connect(ADA)
    box: Any = office.world.google.gmail
    assert count_labelled(gmail(office), office.chosen) == 0
    box.create_label(ADA, "CONFLUENCE/eng")
    box.create_label(ADA, "Other")
    for number in range(5):
        _, thread = box.deliver(ADA, mail(f"Plan {number}"))
        box.label_thread(ADA, thread, "Other" if number == 4 else "CONFLUENCE/eng")
    mark = office.world.core.journal.mark()
    assert count_labelled(gmail(office), office.chosen) == 4
    assert [seen.operation for seen in office.world.core.journal.since(mark)] == [
        "gmail.users.labels.list",
        "gmail.users.threads.list",
    ]


@pytest.mark.parametrize("choice", ["publish", "new", "ignore"])
def test_an_answer_lets_the_first_pass_begin(office: Office, choice: Any) -> None:
    office.connect(ADA)
    assert office.box().due_at == START + timedelta(minutes=10)
    office.clock.advance(30)
    answer_backlog(office.opened.oauth, office.box().account_id, choice)
    assert (office.box().backlog, office.box().due_at) == (choice, office.clock.now())


def test_what_is_no_answer(office: Office) -> None:
    office.connect(ADA)
    other: Any = "yes"
    with pytest.raises(BridgeError, match='Use "publish", "new" or "ignore"'):
        answer_backlog(office.opened.oauth, office.box().account_id, other)


def test_without_a_mailbox_there_is_nothing_to_answer(office: Office) -> None:
    office.consent("atlassian", ADA)
    with pytest.raises(BridgeError, match=r"ada@example\.com has not connected Gmail yet"):
        answer_backlog(office.opened.oauth, office.grant("atlassian").account_id, "publish")
