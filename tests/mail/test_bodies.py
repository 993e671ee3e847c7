from __future__ import annotations

from collections.abc import Mapping

import pytest

from bridge.mail.bodies import select, text_of, text_parts
from bridge.mail.parts import Part, child_id

_KINDS: Mapping[str, str] = {"text": "text/plain", "html": "text/html", "pdf": "application/pdf", "png": "image/png"}


def leaf(kind: str, data: str = "", **more: str) -> Part:
    parameters = {key: more.pop(key) for key in ("charset", "format", "delsp") if key in more}
    raw = data.encode()
    return Part("", _KINDS.get(kind, kind), parameters, data=raw, size=len(raw), **more)  # type: ignore[arg-type]


def multi(kind: str, *parts: Part) -> Part:
    return numbered(Part("", f"multipart/{kind}", parts=parts), "")


def numbered(part: Part, part_id: str) -> Part:
    children = tuple(numbered(child, child_id(part_id, number)) for number, child in enumerate(part.parts))
    return Part(
        part_id,
        part.mime_type,
        part.parameters,
        part.disposition,
        part.name,
        part.content_id,
        part.data,
        part.size,
        "",
        children,
    )


def shown(root: Part) -> list[tuple[str, str]]:
    return [(body.kind, body.text or body.part_id) for body in select(root).bodies]


def files(root: Part) -> list[tuple[str, bool]]:
    return [(file.name, file.inline) for file in select(root).files]


ALTERNATIVES = [
    ((leaf("text", "a"), leaf("html", "<p>b</p>")), [("html", "<p>b</p>")]),
    ((leaf("html", "<p>b</p>"), leaf("text", "a")), [("html", "<p>b</p>")]),
    ((leaf("text", ""), leaf("html", "<p>b</p>")), [("html", "<p>b</p>")]),
    ((leaf("text", "a"), leaf("html", "")), [("text", "a")]),
    ((leaf("text", "a"), leaf("html", "<html><body><p>&nbsp;</p></body></html>")), [("text", "a")]),
    ((leaf("text", "a"), leaf("html", "<style>b {}</style>")), [("text", "a")]),
    ((leaf("text", "a"), leaf("html", '<img src="cid:x">')), [("html", '<img src="cid:x">')]),
    ((leaf("text", "a"), leaf("html", "<p>&auml;</p>")), [("html", "<p>&auml;</p>")]),
    ((leaf("text", "a"), leaf("text/x-amp-html", "<p>amp</p>"), leaf("html", "<p>b</p>")), [("html", "<p>b</p>")]),
    ((leaf("text", ""), leaf("html", "")), []),
]


@pytest.mark.parametrize(("parts", "bodies"), ALTERNATIVES)
def test_of_alternatives_the_best_that_shows_something(parts: tuple[Part, ...], bodies: list[tuple[str, str]]) -> None:
    root = multi("alternative", *parts)
    assert shown(root) == bodies
    assert files(root) == []


def test_a_file_between_texts_keeps_its_place() -> None:
    root = multi("mixed", leaf("text", "one"), leaf("pdf", name="plan.pdf", disposition="inline"), leaf("text", "two"))
    assert shown(root) == [("text", "one"), ("file", "1"), ("text", "two")]
    assert files(root) == [("plan.pdf", False)]


def test_an_image_between_texts_is_inline_by_its_place() -> None:
    root = multi(
        "mixed", leaf("text", "one"), leaf("png", name="a.png"), leaf("text", "two"), leaf("png", name="b.png")
    )
    assert shown(root) == [("text", "one"), ("file", "1"), ("text", "two")]
    assert files(root) == [("a.png", True), ("b.png", False)]


def test_an_attachment_before_a_list_footer_has_no_place() -> None:
    root = multi(
        "mixed", leaf("text", "one"), leaf("pdf", name="a.pdf", disposition="attachment"), leaf("text", "footer")
    )
    assert shown(root) == [("text", "one"), ("text", "footer")]
    assert files(root) == [("a.pdf", False)]


def test_a_signature_file_has_no_place() -> None:
    signed = multi("signed", leaf("text", "one"), leaf("application/pgp-signature"))
    assert shown(multi("mixed", signed, leaf("text", "footer"))) == [("text", "one"), ("text", "footer")]


def test_blank_text_parts_are_nothing() -> None:
    root = multi("mixed", leaf("text", "\n"), leaf("html", "<p>x</p>"), leaf("png", name="a.png"), leaf("text", "\r\n"))
    assert shown(root) == [("html", "<p>x</p>")]
    assert files(root) == [("a.png", False)]


def test_text_with_a_name_is_a_file() -> None:
    root = multi(
        "mixed", leaf("text", "body"), leaf("text", "file", name="a.txt"), leaf("html", "x", disposition="attachment")
    )
    assert shown(root) == [("text", "body")]
    assert files(root) == [("a.txt", False), ("page.html", False)]


def test_the_only_part_is_the_body_even_with_a_name() -> None:
    assert shown(leaf("text", "body", name="mail.txt")) == [("text", "body")]
    assert shown(leaf("text", "body", name="mail.txt", disposition="attachment")) == []


def test_related_has_one_root() -> None:
    root = multi(
        "related",
        multi("alternative", leaf("text", "a"), leaf("html", '<img src="cid:i%401@x"><img src="CID:j&amp;1">')),
        leaf("png", content_id="i@1@x"),
        leaf("png", content_id="j&1", disposition="attachment"),
        leaf("png", content_id="unused"),
        leaf("html", "some html"),
    )
    assert [kind for kind, _ in shown(root)] == ["html"]
    assert files(root) == [("image.png", True), ("image.png", True), ("image.png", False), ("page.html", False)]


def test_related_begins_where_it_says() -> None:
    root = Part("", "multipart/related", {"start": "<b>"}, parts=(leaf("html", "a"), leaf("html", "b", content_id="b")))
    assert shown(numbered(root, "")) == [("html", "b")]


def test_apple_mail_nests_a_mixed_in_an_alternative() -> None:
    mixed = multi(
        "mixed", leaf("html", "<p>a</p>"), leaf("pdf", name="x.pdf", disposition="inline"), leaf("html", "<p>b</p>")
    )
    root = multi("alternative", leaf("text", "a b"), mixed)
    assert shown(root) == [("html", "<p>a</p>"), ("file", "1.1"), ("html", "<p>b</p>")]
    assert files(root) == [("x.pdf", False)]


def test_files_of_an_alternative_that_is_not_shown_stay_files() -> None:
    plain = multi("mixed", leaf("text", "a"), leaf("pdf", name="x.pdf"))
    root = multi("alternative", plain, leaf("html", "<p>a</p>"), leaf("text/calendar", "BEGIN:VCALENDAR"))
    assert shown(root) == [("html", "<p>a</p>")]
    assert files(root) == [("x.pdf", False), ("invite.ics", False)]


def test_uuencoded_files_come_out_of_the_text() -> None:
    text = "before\nbegin 644 a b.txt\n#0V%T\n`\nend\nafter\n"
    selection = select(leaf("text", text))
    assert [(body.kind, body.text) for body in selection.bodies] == [
        ("text", "before\n"),
        ("file", ""),
        ("text", "after\n"),
    ]
    assert [(file.name, file.data, file.part_id) for file in selection.files] == [("a b.txt", b"Cat", "0.uu1")]
    assert shown(leaf("text", "we begin 644 years ago\nbegin 100 days\nend")) != []


def test_encrypted_mail_has_files_alone() -> None:
    root = multi("encrypted", leaf("application/pgp-encrypted", "Version: 1"), leaf("application/octet-stream", "x"))
    assert shown(root) == []
    assert files(root) == [("version.txt", False), ("application.bin", False)]


def test_a_multipart_without_any_boundary_is_text() -> None:
    assert shown(leaf("multipart/mixed", "just text")) == [("text", "just text")]
    assert shown(leaf("multipart/mixed", "")) == []


def test_html_that_declares_its_own_charset() -> None:
    raw = '<meta charset="windows-1251"><p>привет</p>'.encode("cp1251")
    assert "привет" in text_of(Part("", "text/html", data=raw))
    assert "привет" in text_of(Part("", "text/html", {"charset": "koi8-r"}, data="привет".encode("koi8-r")))


def test_flowed_text_is_unwrapped() -> None:
    assert shown(leaf("text", "one \ntwo\n\n>q \n>r\n-- \nme", format="flowed")) == [
        ("text", "one two\n\n> q r\n-- \nme")
    ]
    assert shown(leaf("text", "on \ne", format="Flowed", delsp="YES")) == [("text", "one")]


def test_the_parts_that_may_be_text() -> None:
    root = multi("mixed", multi("alternative", leaf("text", "a"), leaf("html", "b")), leaf("text", "f", name="f.txt"))
    assert [part.part_id for part in text_parts(root)] == ["0.0", "0.1"]


def test_parts_below_the_deepest_level_are_left_out() -> None:
    root = leaf("text", "deep")
    for _ in range(80):
        root = Part("", "multipart/mixed", parts=(root,))
    assert shown(root) == []
