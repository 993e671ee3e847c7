from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mail import payload
from bridge.model import Message, Person


def part(
    kind: str, text: str | None = None, *children: dict[str, Any], name: str = "", **fields: str
) -> dict[str, Any]:
    body: dict[str, Any] = {"size": 0}
    if text is not None:
        raw = text.encode()
        body = {"size": len(raw), "data": base64.urlsafe_b64encode(raw).decode()}
    named = [{"name": key.replace("_", "-"), "value": value} for key, value in fields.items()]
    return {"mimeType": kind, "filename": name, "headers": named, "body": body, "parts": list(children)}


def mail(top: dict[str, Any], *labels: str, owner: str = "", **fields: str) -> Message:
    top["headers"] = [{"name": k.replace("_", "-"), "value": v} for k, v in fields.items()] + top["headers"]
    answer = {"id": "m1", "threadId": "t1", "labelIds": list(labels), "internalDate": "1767862920000", "payload": top}
    return payload.message(answer, owner=owner)


def test_an_empty_plain_alternative_gives_way(shared: Path) -> None:
    """C03."""
    message = payload.message(json.loads((shared / "cases" / "C03.json").read_text("utf-8")))
    assert [(body.kind, body.text) for body in message.bodies] == [
        ("html", "<div>The key code is <b>4417</b>.</div>\n")
    ]
    assert message.files == ()


def test_a_body_behind_an_attachment_id_is_asked_for(shared: Path) -> None:
    """C04."""
    case = json.loads((shared / "cases" / "C04.json").read_text("utf-8"))
    assert payload.wants(case["message"]) == [("0", "ANGjd04")]
    data = base64.urlsafe_b64decode(case["attachments"]["ANGjd04"]["data"] + "==")
    message = payload.message(case["message"], fetched={"ANGjd04": data})
    assert message.bodies[0].text.count("<p>") == 40
    assert message.bodies[0].text.rstrip().endswith("<p>Section 40: the quick survey has four answers.</p>")
    assert message.files == ()


def test_broken_or_absent_headers(shared: Path) -> None:
    """C05: internalDate decides about the order, and Sender stands in for From."""
    thread = payload.thread(json.loads((shared / "cases" / "C05.json").read_text("utf-8")))
    assert [one.bodies[0].text for one in thread.messages] == ["first", "second", "third"]
    assert thread.messages[0].sender == Person("Office", "office@example.com")
    assert thread.messages[1].sender == Person("Tomas", "tomas@example.org")
    assert [one.sent for one in thread.messages] == [None, None, None]
    assert thread.messages[0].date == datetime(2026, 1, 8, 9, 2, tzinfo=UTC)


def test_the_field_values_of_a_message() -> None:
    top = part("text/plain", "Hello\r\nworld\r\n", Content_Type="text/plain; charset=iso-2022-jp")
    message = mail(
        top,
        "INBOX",
        "Label_7",
        From='"Lind, Mara" <Mara@Example.com>',
        To="a@x.example",
        Cc="b@x.example",
        Bcc="secret@x.example",
        Subject="Größe",
        Message_ID="<m@x>",
        In_Reply_To="<p@x>",
        References="<r@x> <p@x>",
        List_Id="The team <team.x.example>",
    )
    assert (message.gmail_id, message.thread_id, message.label_ids) == ("m1", "t1", frozenset({"INBOX", "Label_7"}))
    assert message.sender == Person("Lind, Mara", "mara@example.com")
    assert message.people == {"mara@example.com", "a@x.example", "b@x.example"}
    assert (message.message_id, message.in_reply_to, message.references) == ("m@x", "p@x", ("r@x", "p@x"))
    assert message.subject == "Größe"
    assert message.list_id == "team.x.example"
    assert message.bodies[0].text == "Hello\nworld\n"
    assert "secret" not in repr(message)


def test_gmail_has_decoded_file_names_and_keeps_files_elsewhere() -> None:
    picture = part("image/png", name="Bild für Mara.png", Content_ID="<p1@x>", Content_Disposition="attachment")
    picture["body"] = {"attachmentId": "ANG1", "size": 77}
    other = part("application/pdf", name="", Content_ID="<f_1>", X_Attachment_Id="f_1")
    other["body"] = {"attachmentId": "ANG2", "size": 9}
    message = mail(part("multipart/mixed", None, part("text/html", '<img src="cid:p1@x">'), picture, other))
    first, second = message.files
    assert (first.name, first.inline, first.attachment_id, first.size, first.data) == (
        "Bild für Mara.png",
        True,
        "ANG1",
        77,
        None,
    )
    assert (second.name, second.inline, second.attachment_id) == ("document.pdf", False, "ANG2")
    assert payload.wants({"payload": part("multipart/mixed", None, picture, other)}) == []


def test_an_attached_mail_is_a_file_and_its_text_is_not_merged() -> None:
    inner = part("text/plain", "the inner text", Subject="Inner: one/two")
    attached = part("message/rfc822", None, inner)
    attached["body"] = {"attachmentId": "ANG3", "size": 500}
    message = mail(part("multipart/mixed", None, part("text/plain", "outer"), attached))
    assert [body.text for body in message.bodies] == ["outer"]
    assert [(file.name, file.attachment_id) for file in message.files] == [("Inner: one/two.eml", "ANG3")]


def test_an_event_that_comes_twice_is_kept_once() -> None:
    calendar = part("text/calendar", "BEGIN:VCALENDAR", Content_Type="text/calendar; method=REQUEST")
    named = part("application/ics", name="invite.ics")
    named["body"] = {"attachmentId": "ANG4", "size": 15}
    message = mail(
        part("multipart/mixed", None, part("multipart/alternative", None, part("text/plain", "come"), calendar), named)
    )
    assert [(file.name, file.data) for file in message.files] == [("invite.ics", b"BEGIN:VCALENDAR")]


@pytest.mark.parametrize(
    ("labels", "owner", "fields", "proof"),
    [
        (("SENT",), "mara@example.com", {}, "sent"),
        (("SENT",), "other@example.com", {}, "none"),
        (("SENT",), "", {}, "none"),
        (
            (),
            "",
            {"Authentication_Results": "mx.google.com; spf=pass; dmarc=pass (p=NONE) header.from=example.com"},
            "dmarc",
        ),
        ((), "", {"Authentication_Results": "mx.google.com; dmarc=pass header.from=other.example"}, "none"),
        ((), "", {"Authentication_Results": "mx.google.com; dmarc=fail header.from=example.com"}, "failed"),
        ((), "", {"Authentication_Results": 'mx; spf=pass (dmarc=pass) smtp.mailfrom="x;dmarc=pass"@y'}, "none"),
        ((), "", {}, "none"),
    ],
)
def test_the_proof_of_the_sender(labels: tuple[str, ...], owner: str, fields: dict[str, str], proof: str) -> None:
    message = mail(part("text/plain", "x"), *labels, owner=owner, From="Mara <mara@example.com>", **fields)
    assert message.proof == proof


def test_only_the_topmost_result_counts() -> None:
    top = part("text/plain", "x", From="Mara <mara@example.com>")
    top["headers"] += [
        {"name": "Authentication-Results", "value": "mx.google.com; dmarc=fail header.from=example.com"},
        {"name": "Authentication-Results", "value": "evil.example; dmarc=pass header.from=example.com"},
    ]
    assert payload.message({"payload": top}).proof == "failed"


@pytest.mark.parametrize(
    "answer", [{}, {"payload": None, "labelIds": 3, "internalDate": "x"}, {"payload": {"parts": [None, {}]}}]
)
def test_absent_fields(answer: dict[str, Any]) -> None:
    message = payload.message(answer)
    assert (message.subject, message.bodies, message.sender) == ("", (), Person("", ""))
    assert message.date == datetime(1970, 1, 1, tzinfo=UTC)


def test_a_thread_without_messages() -> None:
    thread = payload.thread({"id": "t", "historyId": "123"})
    assert (thread.thread_id, thread.history_id, thread.messages) == ("t", 123, ())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["payload", "parts", "headers", "name", "value", "body", "data", "mimeType", "internalDate"]
            ),
            inner,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["payload", "id", "internalDate", "labelIds", "messages"]), JSON))
def test_any_answer_makes_a_message(answer: dict[str, Any]) -> None:
    message = payload.message(answer)
    assert message.date.tzinfo is not None
    payload.wants(answer)
    assert all(one.date.tzinfo for one in payload.thread(answer).messages)


@pytest.mark.parametrize("depth", [60, 400])
def test_parts_nested_without_end(depth: int) -> None:
    top = part("text/plain", "deep")
    for _ in range(depth):
        top = part("multipart/mixed", None, top)
    assert mail(top).bodies == ()
