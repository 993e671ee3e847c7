from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mail.charset import codec_of, decode

LABELS = ["utf-8", "us-ascii", "iso-8859-1", "gb2312", "big5", "euc-kr", "shift_jis", "iso-2022-jp", "koi8_r", "utf-7"]


def test_every_row_of_the_shared_cases(shared: Path) -> None:
    rows = json.loads((shared / "cases" / "charset.json").read_text("utf-8"))
    assert len(rows) >= 9
    for row in rows:
        assert decode(bytes.fromhex(row["hex"]), row["declared"]) == row["text"], row


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("iso-8859-8-i", "iso8859_8"),
        ("ISO-8859-8-E", "iso8859_8"),
        ("ks_c_5601-1987", "cp949"),
        ("gb2312", "gb18030"),
        ("KOI8_R", "koi8_r"),
        ("latin1", "cp1252"),
        ('"utf-8"', "utf_8"),
        ("unicode-1-1-utf-7", "utf_7"),
        ("windows-874", "cp874"),
        ("u\0\0\0d", None),
        ("rot13", None),
        ("cp037", None),
        ("unicode_escape", None),
        ("", None),
        (None, None),
    ],
)
def test_labels(label: str | None, codec: str | None) -> None:
    assert codec_of(label) == codec


@pytest.mark.parametrize(
    ("text", "codec", "declared"),
    [
        ("メールを簡単に。", "cp932", "utf8"),
        ("メールを簡単に。", "cp932", "iso-2022-jp"),
        ("您好！ 你今天好吗？", "utf-8", "big5"),
        ("內應力產生与注塑", "gb18030", "gb2312"),
        ("привет, как дела", "koi8_r", None),
        ("привет, как дела", "cp1251", None),
        ("안녕하세요 여러분", "cp949", None),
        ("Größe für Übung", "cp1252", None),
        ("Design", "utf-16", "utf-16"),
        ("Grüße", "utf-16-le", "utf-16"),
        ("Grüße", "utf-8-sig", "iso-8859-1"),
        ("①会議は三時です", "iso2022_jp_2004", "iso-2022-jp"),
    ],
)
def test_bytes_are_read_as_what_they_are(text: str, codec: str, declared: str | None) -> None:
    assert decode(text.encode(codec), declared) == text


def test_vendor_characters_in_iso_2022_jp() -> None:
    """NEC's row 13 is in no Japanese charset of the standard, but in mail."""
    assert decode(b"\x1b$B-!2q5D\x1b(B ok", "iso-2022-jp") == "①会議 ok"


def test_only_the_bad_bytes_fall_back() -> None:
    assert decode("häé größe".encode() + b" \xa0 \x93x\x94", "utf-8") == "häé größe \xa0 “x”"
    korean = "안녕하세요 여러분 반갑습니다 오늘은 좋은 날입니다"
    assert decode(korean.encode("cp949") + b"\xff", "euc-kr") == korean + "ÿ"


def test_a_label_found_nearby_helps_where_there_is_none() -> None:
    assert decode("aşağıdaki".encode("cp1254"), None, "iso-8859-9") == "aşağıdaki"


def test_utf_7_is_read_only_where_it_is_declared() -> None:
    assert decode(b"+ANw-bermittlung", "utf-7") == "Übermittlung"
    assert decode(b"+ANw-bermittlung", None) == "+ANw-bermittlung"
    assert decode(b"1+1=2", "utf-7") == "1+1=2"


@given(st.binary(max_size=400), st.sampled_from([*LABELS, None, "x-nope", "utf-16"]), st.sampled_from([*LABELS, None]))
def test_never_raises_and_invents_no_replacement(data: bytes, declared: str | None, hint: str | None) -> None:
    text = decode(data, declared, hint)
    text.encode("utf-8", "surrogatepass")
    if (
        b"\x1b" not in data
        and b"\xef\xbf\xbd" not in data
        and declared != "utf-16"
        and data[:2] not in (b"\xff\xfe", b"\xfe\xff")
    ):
        assert "\ufffd" not in text


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x1b\0\ufeff~+"), max_size=200))
def test_utf_8_wins_over_any_label(text: str) -> None:
    for label in LABELS:
        assert decode(text.encode("utf-8"), label) == text
