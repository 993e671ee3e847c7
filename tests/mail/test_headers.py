from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mail import headers
from bridge.model import Person

FORBIDDEN = "\0\r\n\x0b\x0c\x85\u2028\u2029"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            "=?UTF-8?Q?Umzug_der_B=C3=BCcher_=E2=80=93_bitte_bis_M=C3?=\r\n =?UTF-8?Q?=A4rz_pr=C3=BCfen!?=",
            "Umzug der Bücher – bitte bis März prüfen!",
        ),
        (
            "=?unicode-1-1-utf-7?Q?+ANw-bermittlungsstatus  \n\t(Fehlgeschlagen)?=",
            "Übermittlungsstatus (Fehlgeschlagen)",
        ),
        ("=?gb2312?B?g8iR?=\r\n =?gb2312?B?qg==?=", "內應"),
        ("=?utf-8?B?w?= =?utf-8?B?6k=?=", "é"),
        ("=?utf-8?Q?a?= b =?utf-8?Q?c?=", "a b c"),
        ("=?utf-8*de?Q?gr=C3=BCn?=", "grün"),
        ("=?x-nope?Q?Tomas?=", "Tomas"),
        ("=?utf-8?B?!!!?= stays", "=?utf-8?B?!!!?= stays"),
        ("=?utf-8?B?w6k=?= =?utf-8?B?!?= =?utf-8?Q?b?=", "é=?utf-8?B?!?=b"),
        ("=?utf-8?q?open", "=?utf-8?q?open"),
        ("=?utf-8?B?DQo=?= Ada", "Ada"),
        ("a\r\n\tb\0c", "a bc"),
        ("=?utf-8?Q?=3D=3Futf-8=3FQ=3Fx=3F=3D?=", "=?utf-8?Q?x?="),
        ("", ""),
    ],
)
def test_unstructured_text(value: str, text: str) -> None:
    assert headers.text(value) == text


def test_raw_bytes_are_read_with_the_hint() -> None:
    raw = "Рассылка".encode("cp1251").decode("ascii", "surrogateescape")
    assert headers.text(raw, "windows-1251") == "Рассылка"
    assert headers.text("é".encode().decode("ascii", "surrogateescape")) == "é"
    assert headers.text("\x1b$B2q5D\x1b(B") == "会議"


@pytest.mark.parametrize(
    ("value", "people"),
    [
        ("Mara Lind <MARA@example.com>", [("Mara Lind", "mara@example.com")]),
        (
            '"Lind, Mara" <m@example.com>, t@example.org (Tomas Ek)',
            [("Lind, Mara", "m@example.com"), ("Tomas Ek", "t@example.org")],
        ),
        ("Smith, Karoline, Example DE <k@example.com>", [("Smith, Karoline, Example DE", "k@example.com")]),
        ("undisclosed-recipients:;", []),
        (
            'Team: a@x.example, "B b" <b@x.example>; c@x.example',
            [("", "a@x.example"), ("B b", "b@x.example"), ("", "c@x.example")],
        ),
        ("=?utf-8?Q?Lind=2C_Mara?= <m@x.example>", [("Lind, Mara", "m@x.example")]),
        ('"m@example.com" <m@example.com>', [("", "m@example.com")]),
        ("'a@b.example' <a@b.example>", [("", "a@b.example")]),
        ("MAILER-DAEMON", [("MAILER-DAEMON", "")]),
        ("<@relay.example:u@x.example>", [("", "u@x.example")]),
        ('"A \\"B\\" C" <a@b.example>', [('A "B" C', "a@b.example")]),
        ("a@b.example (one (nested) comment)", [("one (nested) comment", "a@b.example")]),
        ("Name <>", [("Name", "")]),
        ("", []),
        ("<>,;:()", []),
    ],
)
def test_people(value: str, people: list[tuple[str, str]]) -> None:
    assert list(headers.people(value)) == [Person(*one) for one in people]


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("Thu, 8 Jan 2026 10:02:00 +0100 (CET)", datetime(2026, 1, 8, 9, 2, tzinfo=UTC)),
        ("8 Jan 26 10:02 EST", datetime(2026, 1, 8, 15, 2, tzinfo=UTC)),
        ("Thu, 8 Jan 2026 10:02:00 -0000", datetime(2026, 1, 8, 10, 2, tzinfo=UTC)),
        ("Thu, 08 Jan 2026 27:61:00 +0500", None),
        ("1/8/2031 9:15:00 AM", None),
        ("Fri, 31 Feb 2026 10:00:00 +0000", None),
        ("Thu, 08 Jan 99999 10:02:00 +0000", None),
        ("", None),
    ],
)
def test_dates(value: str, instant: datetime | None) -> None:
    assert headers.date(value) == instant


def test_ids() -> None:
    assert headers.ids("<a@b> <c@d>\r\n <a@b>") == ("a@b", "c@d")
    assert headers.ids("a@b c@d") == ("a@b", "c@d")
    assert headers.message_id(' "note" <q\r\n @r> x') == "q@r"
    assert headers.message_id("") == ""


def test_parameters() -> None:
    assert headers.parameters("Application/PDF; name*0*=utf-8''a%C3; name*1*=%A4; name*2=\".pdf\"") == (
        "application/pdf",
        {"name": "aä.pdf"},
    )
    assert headers.parameters("x; filename=\"e.txt\"; filename*=UTF-8''%e2%82%ac.txt")[1] == {"filename": "€.txt"}
    assert headers.parameters('a/b; name="=?UTF-8?Q?=C3=A4;b?="; charset = utf-8')[1] == {
        "name": "ä;b",
        "charset": "utf-8",
    }
    assert headers.parameters("a/b; filename=a b.pdf; name=c")[1] == {"filename": "a b.pdf", "name": "c"}


@given(
    st.text(st.characters(), max_size=300)
    | st.binary(max_size=300).map(lambda raw: raw.decode("ascii", "surrogateescape"))
)
def test_nothing_raises_and_nothing_forbidden_comes_out(value: str) -> None:
    out = [
        headers.text(value),
        *headers.ids(value),
        headers.parameters(value)[0],
        *headers.parameters(value)[1].values(),
    ]
    out += [text for person in headers.people(value) for text in (person.name, person.address)]
    headers.date(value)
    for text in out:
        text.encode("utf-8")
        assert not set(text) & set(FORBIDDEN)


@given(st.text(st.characters(), max_size=200))
def test_cleaning_twice_changes_nothing(value: str) -> None:
    assert headers.clean(headers.clean(value)) == headers.clean(value)
    assert headers.clean_text(headers.clean_text(value)) == headers.clean_text(value)


@given(
    st.lists(
        st.sampled_from(["=?utf-8?Q?", "=?", "?=", "=?x?b?", "a", " ", "=41", "QUI=", "<", ">", '"', "(", ",", "\r\n "])
    )
)
def test_pieces_of_encoded_words_in_any_order(pieces: list[str]) -> None:
    value = "".join(pieces)
    headers.text(value).encode("utf-8")
    headers.people(value)


def test_openings_without_an_end_cost_no_quadratic_time() -> None:
    assert headers.text("=?a?q?" * 20_000).startswith("=?a?q?")
    assert headers.people("<" * 50_000 + '"' * 50_000 + "(" * 50_000) is not None
