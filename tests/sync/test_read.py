from __future__ import annotations

from typing import Any, cast

import pytest

from bridge.errors import NotFound, Refused
from bridge.gmail import Gmail
from bridge.sync.read import read_plainly, read_thread

from support.sync import ADA
from support.sync_clients import FakeGmail, raw_mail


def mailbox(*messages: dict[str, Any]) -> FakeGmail:
    fake = FakeGmail()
    fake.put("t1", *messages, history_id=170)
    return fake


def client(fake: FakeGmail) -> Gmail:
    return cast("Gmail", fake)


def far(message_id: str, attachment_id: str) -> dict[str, Any]:
    """A mail whose text is behind an attachment id, as Gmail serves a long one."""
    raw = raw_mail(message_id)
    raw["payload"]["body"] = {"size": 40, "attachmentId": attachment_id}
    return raw


def test_a_thread_is_one_call_and_comes_oldest_first() -> None:
    fake = mailbox(raw_mail("m1"), raw_mail("m2", text="Two.\n"))
    thread = read_thread(client(fake), "t1", owner=ADA)
    assert (thread.thread_id, thread.history_id, fake.calls) == ("t1", 170, ["thread t1"])
    assert [message.gmail_id for message in thread.messages] == ["m1", "m2"]
    assert thread.messages[1].bodies[0].text == "Two.\n"


def test_text_behind_an_attachment_id_is_fetched_with_it() -> None:
    fake = mailbox(far("m1", "A"))
    fake.files["A"] = b"A long text.\n"
    [message] = read_thread(client(fake), "t1", owner=ADA).messages
    assert message.bodies[0].text == "A long text.\n"
    assert fake.calls == ["thread t1", "attachment A"]


def test_an_id_that_died_on_the_way_is_taken_from_the_message_anew() -> None:
    fake = mailbox(far("m1", "OLD"))
    fake.fail["attachment OLD"] = Refused("Invalid attachment token", provider="google")
    fake.files["NEW"] = b"A long text.\n"
    found = fake.message

    def again(message_id: str) -> dict[str, Any]:
        found(message_id)
        return far("m1", "NEW")

    fake.message = again  # type: ignore[method-assign]
    [message] = read_thread(client(fake), "t1", owner=ADA).messages
    assert message.bodies[0].text == "A long text.\n"
    assert fake.calls == ["thread t1", "attachment OLD", "message m1", "attachment NEW"]


def test_a_thread_that_is_gone_says_so() -> None:
    with pytest.raises(NotFound):
        read_thread(client(FakeGmail()), "t1", owner=ADA)


def test_a_plain_reading_takes_headers_and_snippet_and_keeps_the_key() -> None:
    fake = mailbox(raw_mail("m1", text="Poison.\n"))
    whole = read_thread(client(fake), "t1", owner=ADA)
    plain = read_plainly(client(fake), "t1")
    assert plain.history_id == whole.history_id
    [message] = plain.messages
    assert message.key == whole.messages[0].key
    assert (message.subject, message.sender.address, message.files) == ("Plan", ADA, ())
    assert message.bodies[0].text == "Hello.\n\nThis mail could not be read. The original is in the mailbox."
    assert message.label_ids == whole.messages[0].label_ids
