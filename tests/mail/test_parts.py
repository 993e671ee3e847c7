from __future__ import annotations

import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mail.parts import Part, attached_name, child_id, invented_name, leaf, uuencoded


def encoded(data: bytes) -> str:
    lines = [binascii.b2a_uu(data[at : at + 45]).decode("ascii") for at in range(0, len(data), 45)]
    return "".join(lines) + "`\nend\n"


def test_a_part_from_its_fields() -> None:
    part = leaf(
        "0.1",
        "",
        [
            ("Content-Type", 'Application/Others; name="SC-7781.pdf"'),
            ("content-id", " <90210.55.7@scanner.example.com> "),
            ("Content-Disposition", "INLINE"),
        ],
    )
    assert (part.mime_type, part.name, part.disposition) == ("application/others", "SC-7781.pdf", "inline")
    assert part.content_id == "90210.55.7@scanner.example.com"


@pytest.mark.parametrize(
    ("kind", "expected"), [("", "text/plain"), ("garbage", "text/plain"), ("TEXT/HTML", "text/html")]
)
def test_the_type_of_a_part(kind: str, expected: str) -> None:
    assert leaf("", kind, []).mime_type == expected


def test_names() -> None:
    assert invented_name("image/png") == "image.png"
    assert invented_name("application/ms-tnef") == "winmail.dat"
    assert invented_name("application/x-strange") == "application.bin"
    assert attached_name(" ") == "message.eml"
    assert attached_name("Plan") == "Plan.eml"
    assert Part("1", "image/png").file(inline=True).name == "image.png"
    assert (child_id("", 2), child_id("0.1", 3)) == ("2", "0.1.3")


@given(st.binary(min_size=1, max_size=300), st.text("abc def\n", max_size=30), st.text("abc def\n", max_size=30))
def test_a_block_comes_out_as_it_went_in(data: bytes, before: str, after: str) -> None:
    pieces = list(uuencoded(f"{before}\nbegin 644 a file.bin\n{encoded(data)}{after}"))
    assert pieces == [before + "\n", ("a file.bin", data), after]


@given(st.lists(st.sampled_from(["begin 644 a", "M" + "A" * 60, "#0V%T", "`", "end", "text", "", " "]), max_size=12))
def test_no_line_of_text_is_lost(lines: list[str]) -> None:
    pieces = list(uuencoded("\n".join(lines)))
    kept = [piece for piece in pieces if isinstance(piece, str)]
    assert "\n".join(kept).count("text") == lines.count("text")
    if len(pieces) == 1:
        assert kept == ["\n".join(lines)]
