from __future__ import annotations

import base64
import json
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sandbox.gmail_headers import decode_words, header_value, to_text
from bridge.sandbox.gmail_payload import MailPart, Shape, parse_mail, payload, snippet

from support.discovery import validator
from support.shared import shared_files, shared_folder


def tree(raw: bytes, shape: Shape = Shape()) -> dict[str, Any]:  # noqa: B008 - Shape is frozen
    return payload(parse_mail(raw), shape, lambda part: f"id-of-{part.part_id}")


def rows(part: dict[str, Any]) -> list[tuple[str, str, str]]:
    below = [row for child in part.get("parts", []) for row in rows(child)]
    return [(part["partId"], part["mimeType"], part["filename"]), *below]


def data(body: dict[str, Any]) -> bytes:
    return base64.urlsafe_b64decode(body["data"])


def check_sizes(part: dict[str, Any]) -> None:
    body = part["body"]
    assert ("data" in body) + ("attachmentId" in body) == (1 if body["size"] else int("attachmentId" in body))
    if "data" in body:
        assert len(data(body)) == body["size"]
    for child in part.get("parts", []):
        assert child["partId"].rpartition(".")[0] == part["partId"]
        check_sizes(child)


@pytest.mark.parametrize("path", shared_files("**/*.eml"), ids=lambda path: str(path.relative_to(shared_folder())))
def test_every_real_mail_becomes_a_payload(path: Path) -> None:
    raw = path.read_bytes()
    top = parse_mail(raw)
    answer = tree(raw)
    assert list(validator("MessagePart").iter_errors(answer)) == []
    check_sizes(answer)
    assert len(top.headers) > 0 or not raw.strip()
    assert len(snippet(top)) <= 1200
    for part in top.walk():
        assert all("\n" not in value and "\r" not in value for _, value in part.headers)
        assert part.mime_type == part.mime_type.lower()
    json.dumps(answer, ensure_ascii=False).encode("utf-8")


@given(st.binary(max_size=400))
def test_any_bytes_become_a_payload(raw: bytes) -> None:
    answer = tree(raw)
    check_sizes(answer)
    json.dumps(answer, ensure_ascii=False).encode("utf-8")


@given(st.lists(st.sampled_from([b"--b\r\n", b"--b--\r\n", b"Content-Type: multipart/mixed; boundary=b\r\n", b"\r\n",
    b"Content-Type: message/rfc822\r\n", b"Content-Transfer-Encoding: base64\r\n", b"x\r\n", b"=?utf-8?B?zz?=\r\n"]),
    max_size=25))  # fmt: skip
def test_any_mime_debris_becomes_a_payload(lines: list[bytes]) -> None:
    check_sizes(tree(b"Content-Type: multipart/mixed; boundary=b\r\n" + b"".join(lines)))


def test_part_ids_and_containers() -> None:
    message = EmailMessage()
    message["Subject"] = "Plan"
    message.set_content("text")
    message.add_alternative("<p>html</p>", subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="Übersicht.pdf")
    answer = tree(message.as_bytes())
    assert rows(answer) == [
        ("", "multipart/mixed", ""),
        ("0", "multipart/alternative", ""),
        ("0.0", "text/plain", ""),
        ("0.1", "text/html", ""),
        ("1", "application/pdf", "Übersicht.pdf"),
    ]
    assert answer["body"] == {"size": 0}
    assert answer["parts"][1]["body"] == {"attachmentId": "id-of-1", "size": 4}
    assert data(answer["parts"][0]["parts"][0]["body"]) == b"text\r\n"


def test_small_files_inline_and_large_text_by_reference() -> None:
    message = EmailMessage()
    message.set_content("a" * 50)
    message.add_attachment(b"tiny", maintype="image", subtype="png", filename="dot.png")
    answer = tree(message.as_bytes(), Shape(inline_below=10, reference_over=20))
    assert answer["parts"][0]["body"] == {"attachmentId": "id-of-0", "size": 52}
    assert answer["parts"][1]["body"] == {"size": 4, "data": "dGlueQ=="}


def test_text_is_utf8_and_its_header_keeps_the_charset() -> None:
    raw = b"Content-Type: text/plain; charset=ISO-2022-JP\n\n" + "会議は三時です\n".encode("iso-2022-jp")
    answer = tree(raw)
    assert data(answer["body"]).decode() == "会議は三時です\r\n"
    assert answer["headers"] == [{"name": "Content-Type", "value": "text/plain; charset=ISO-2022-JP"}]


@pytest.mark.parametrize(
    ("charset", "body", "served"),
    [
        ("windows-1252", b"\x80 100", "€ 100".encode()),
        ("iso-8859-1", "Größe".encode(), "Größe".encode()),
        ("x-nope", b"bl\xe5", b"bl\xe5"),
        ("utf-8", b"bl\xe5", b"bl\xe5"),
        ("us-ascii", b"plain", b"plain"),
    ],
)
def test_charsets(charset: str, body: bytes, served: bytes) -> None:
    raw = f"Content-Type: text/plain; charset={charset}\n\n".encode() + body
    assert data(tree(raw)["body"]) == served


def test_single_part_file_mail_has_no_parts() -> None:
    raw = b'Content-Type: application/pdf; name="a.pdf"\nContent-Transfer-Encoding: base64\n\nJVBERg==\n'
    answer = tree(raw)
    assert (answer["filename"], answer["body"], "parts" in answer) == (
        "a.pdf",
        {"attachmentId": "id-of-", "size": 4},
        False,
    )


def test_attached_mail_goes_on_numbering() -> None:
    inner = EmailMessage()
    inner["Subject"] = "Inner"
    inner.set_content("inner text")
    inner.add_alternative("<p>inner</p>", subtype="html")
    outer = EmailMessage()
    outer.set_content("outer text")
    outer.add_attachment(inner)
    answer = tree(outer.as_bytes())
    assert [row[0] for row in rows(answer)] == ["", "0", "1", "1.0", "1.0.0", "1.0.1"]
    attached = answer["parts"][1]
    assert attached["mimeType"] == "message/rfc822"
    assert attached["body"]["attachmentId"] == "id-of-1"
    assert {"name": "Subject", "value": "Inner"} in attached["parts"][0]["headers"]


def test_empty_body_has_size_and_no_data() -> None:
    assert tree(b"Subject: x\n\n")["body"] == {"size": 0}


def test_multipart_without_boundary_is_shown_as_text() -> None:
    answer = tree(b"Content-Type: multipart/mixed\n\nStill here.\n")
    assert answer["mimeType"] == "text/plain"
    assert data(answer["body"]) == b"Still here.\r\n"


def test_deep_nesting_ends() -> None:
    raw = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(400))
    assert tree(raw)["partId"] == ""


def test_folds_keep_their_white_space_and_repeated_headers_their_order() -> None:
    raw = b"Received: by a;\r\n        Sun, 7 Sep 2014\r\nreceived: by b\r\nSubject: x\r\n\r\n"
    assert tree(raw)["headers"] == [
        {"name": "Received", "value": "by a;        Sun, 7 Sep 2014"},
        {"name": "received", "value": "by b"},
        {"name": "Subject", "value": "x"},
    ]


def test_lost_fold_does_not_end_the_headers() -> None:
    top = parse_mail(b"Received: by a\r\nwith SMTP\r\nSubject: Kept\r\n\r\nbody")
    assert (top.header("Subject"), top.header("received")) == ("Kept", "by a with SMTP")


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("From", "=?utf-8?Q?Bo_M=C3=BCller?= <b@example.com>", '"Bo Müller" <b@example.com>'),
        ("From", '"=?utf-8?Q?Bo_M=C3=BCller?=" <b@example.com>', '"Bo Müller" <b@example.com>'),
        ("Subject", "=?utf-8?B?w?= =?utf-8?Q?x?=", "=?utf-8?B?w?= =?utf-8?Q?x?="),
        ("Subject", "=?x-nope?Q?Tomas?=", "=?x-nope?Q?Tomas?="),
        ("Subject", "=?utf-8?Q?=C3?= =?utf-8?Q?=A4h?= and =?iso-8859-1?Q?=E4?=", "äh and ä"),
        ("Subject", "=?utf-8*de?Q?a?=", "a"),
        ("Subject", "Gr\udcc3\udcbc\udcc3\udc9fe", "Grüße"),
        ("Subject", "Gr\udcfc\udcdfe", "Grüße"),
        ("Subject", "a\r\n  b", "a  b"),
    ],
)
def test_header_values(name: str, raw: str, value: str) -> None:
    assert header_value(name, raw, "") == value


@given(st.text(max_size=80))
def test_decode_words_never_fails(text: str) -> None:
    assert isinstance(decode_words(text, quote=True), str)


@given(st.binary(max_size=20), st.text(max_size=20))
def test_to_text_never_fails(body: bytes, charset: str) -> None:
    assert to_text(body, charset) is None or isinstance(to_text(body, charset), str)


def test_snippet_is_escaped_and_collapsed() -> None:
    raw = b"Content-Type: text/html\n\n<style>p{}</style><p>Hello &lt;team&gt;,</p>\n<p>it's   ready</p>"
    assert snippet(parse_mail(raw)) == "Hello &lt;team&gt;, it&#39;s ready"


def test_snippet_of_nothing_is_empty() -> None:
    assert snippet(MailPart("", "text/plain", "", (), b"", text=True)) == ""


def test_cases_c01_to_c08(shared: Path) -> None:
    cases = shared / "cases"
    one = parse_mail((cases / "C01.eml").read_bytes())
    assert one.header("Subject") == "Umzug der Bücher – bitte bis März prüfen!"
    files = {
        name: [p.filename for p in parse_mail((cases / name).read_bytes()).walk() if p.filename]
        for name in ("C02.eml", "C07.eml", "C08.eml")
    }
    assert files == {"C02.eml": ["plan.pdf"], "C07.eml": ["SC-7781.pdf"], "C08.eml": ["Invoice_81.pdf"]}


def test_attached_mail_that_was_encoded_as_a_whole() -> None:
    inner = base64.encodebytes(b"Subject: Inner\r\n\r\nHello\r\n")
    raw = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + inner
    answer = tree(raw)
    assert answer["parts"][0]["headers"] == [{"name": "Subject", "value": "Inner"}]
    assert data(answer["parts"][0]["body"]) == b"Hello\r\n"


def test_delivery_status_is_one_part() -> None:
    raw = (
        b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: text/plain\n\nFailed.\n"
        b"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\nAction: failed\n\n--b--\n"
    )
    answer = tree(raw)
    assert [row[:2] for row in rows(answer)] == [
        ("", "multipart/report"),
        ("0", "text/plain"),
        ("1", "message/delivery-status"),
    ]
    assert b"Action: failed" in data(answer["parts"][1]["body"])
