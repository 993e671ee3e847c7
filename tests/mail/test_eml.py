from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mail import eml
from bridge.model import Person


def case(shared: Path, name: str) -> bytes:
    return (shared / "cases" / f"{name}.eml").read_bytes()


def test_a_subject_split_inside_a_character(shared: Path) -> None:
    """C01."""
    assert eml.message(case(shared, "C01")).subject == "Umzug der Bücher – bitte bis März prüfen!"


def test_text_file_text(shared: Path) -> None:
    """C02."""
    message = eml.message(case(shared, "C02"))
    assert [(body.kind, body.text.strip(), body.part_id) for body in message.bodies] == [
        ("text", "Text before the file.", "0"),
        ("file", "", "1"),
        ("text", "Text after the file: the deadline is 17 May.", "2"),
    ]
    assert [(file.name, file.size, file.inline) for file in message.files] == [("plan.pdf", 69, False)]


def test_a_name_in_the_type_alone(shared: Path) -> None:
    """C07."""
    assert [file.name for file in eml.message(case(shared, "C07")).files] == ["SC-7781.pdf"]


def test_a_pdf_inside_an_alternative(shared: Path) -> None:
    """C08."""
    message = eml.message(case(shared, "C08"))
    assert [body.text.strip() for body in message.bodies] == [
        "<div>Invoice inside.</div>",
        "",
        "<div>Regards, Mara</div>",
    ]
    assert [file.name for file in message.files] == ["Invoice_81.pdf"]


def test_two_files_of_one_name(shared: Path) -> None:
    """C30."""
    message = eml.message(case(shared, "C30"))
    assert [(file.name, file.content_id, file.inline) for file in message.files] == [
        ("image001.png", "a1@example.com", True),
        ("image001.png", "a2@example.com", True),
    ]
    assert message.files[0].data != message.files[1].data


def test_the_key_values() -> None:
    message = eml.message(
        b"From: Mara <m@example.com>\r\nTo: t@example.org\r\nBcc: s@example.org\r\nMessage-ID: <1@x>\r\n"
        b"Date: Thu, 8 Jan 2026 10:02:00 +0100\r\nSubject: Hi\r\n\r\nText\r\n"
    )
    assert (message.gmail_id, message.thread_id, message.label_ids) == ("", "", frozenset())
    assert message.date == message.sent == datetime(2026, 1, 8, 9, 2, tzinfo=UTC)
    assert message.sender == Person("Mara", "m@example.com")
    assert message.people == {"m@example.com", "t@example.org"}
    assert message.bodies[0].text == "Text\n"


def test_without_a_date_the_last_hop_counts() -> None:
    hops = b"Received: by c; Thu, 8 Jan 2026 10:03:00 +0000\r\nReceived: by b; Thu, 8 Jan 2026 10:01:00 +0000\r\n"
    message = eml.message(hops + b"Date: nonsense\r\n\r\nx")
    assert (message.sent, message.date) == (None, datetime(2026, 1, 8, 10, 3, tzinfo=UTC))
    assert eml.message(b"").date == datetime(1970, 1, 1, tzinfo=UTC)


def test_folded_fields_without_their_blank() -> None:
    raw = b"Received: from a\r\nby b; Thu\r\nFrom: m@example.com\r\nSubject: Hi\r\nContent-Type: text/html\r\n\r\n<p>x"
    message = eml.message(raw)
    assert (message.subject, message.bodies[0].kind) == ("Hi", "html")


def test_text_that_begins_without_an_empty_line_stays_text() -> None:
    message = eml.message(b"From: m@example.com\r\nSubject: Hi\r\nThis is text.\r\n\r\nMore: of it.\r\n")
    assert message.bodies[0].text.startswith("This is text.")


def test_an_attached_mail_keeps_its_bytes() -> None:
    inner = b"Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\nBcc: x@y.example\nX-Long: " + b"a b " * 40 + b"\n\nInner text\n"
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nOuter\n--b\nContent-Type: message/rfc822\n\n"
        + inner
        + b"\n--b--\n"
    )
    message = eml.message(raw)
    assert [body.text for body in message.bodies] == ["Outer"]
    assert [(file.name, file.data) for file in message.files] == [("Grüße.eml", inner)]


@pytest.mark.parametrize("depth", [30, 300, 3000])
def test_parts_nested_without_end(depth: int) -> None:
    opening = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth))
    message = eml.message(b"Subject: deep\n" + opening + b"\ntext\n")
    assert message.subject == "deep"


@pytest.mark.parametrize("depth", [4, 500])
def test_mails_nested_without_end(depth: int) -> None:
    message = eml.message(b"Subject: deep\n" + b"Content-Type: message/rfc822\n\n" * depth + b"\ntext\n")
    assert message.subject == "deep"
    assert (len(message.files), message.bodies) == (1, ())


PIECES = [
    b"From: a <a@b.example>\n", b"Subject: =?utf-8?Q?=C3?=\n", b"Content-Type: multipart/mixed; boundary=x\n", b"--x\n",
    b"\n", b"--x--\n", b"Content-Type: text/html; charset=\0\n", b"Content-Transfer-Encoding: base64\n", b"QUI\n",
    b"Content-Type: message/rfc822\n", b"begin 644 a\n", b"\xff\xfe\x00a", b"Date: 99\n",
    b"Content-Type: multipart/related\n", b"Content-Transfer-Encoding: uuencode\n", b"M\n", b"text \xe4\n",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=30), max_size=25))
def test_any_bytes_make_a_message(pieces: list[bytes]) -> None:
    message = eml.message(b"".join(pieces))
    texts = [message.subject, message.sender.name, message.sender.address, *(body.text for body in message.bodies)]
    for text in texts + [file.name for file in message.files]:
        assert "\0" not in text
        text.encode("utf-8")
    assert message.date.tzinfo is not None
    assert message.key
