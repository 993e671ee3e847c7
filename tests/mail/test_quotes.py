from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mail.quotes import Earlier, Segment, split
from bridge.model import Body, Message, Person

ASKED = "Is Tuesday fine for the visit?\nWho brings the key to the cellar?\n"


def visible(segments: list[Segment]) -> str:
    """What a reader sees if all that stands elsewhere is dropped, save what is answered."""
    return " ".join(" ".join(one.text for one in segments if one.answered or not one.stands).split())


def kinds(text: str, *earlier: str) -> list[tuple[str, str, bool, bool]]:
    segments = split(text, Earlier.of_texts(earlier))
    return [(one.kind, one.text.strip(), one.stands, one.answered) for one in segments]


def message(kind: Literal["html", "text"], text: str) -> Message:
    nobody = Person("", "")
    at = datetime(2026, 1, 8, tzinfo=UTC)
    return Message("", "", frozenset(), at, at, "", "", (), nobody, (), (), "", (Body(kind, text, ""),), ())


def test_every_text_row_of_the_shared_cases(shared: Path) -> None:
    """C14, C16, C18, C19."""
    rows = [row for row in json.loads((shared / "cases" / "quotes.json").read_text("utf-8")) if "text" in row]
    assert len(rows) >= 4
    for row in rows:
        seen = visible(split(row["text"], Earlier.of_texts(row["earlier"])))
        assert [one for one in row["keep"] if " ".join(one.split()) not in seen] == [], row["case"]
        assert [one for one in row["drop"] if " ".join(one.split()) in seen] == [], row["case"]


@pytest.mark.parametrize(
    "text",
    [
        "Is Tuesday fine for the visit?",
        "> Is Tuesday fine\n> for the visit?",
        ">> Is  Tuesday *fine* for\n>> the visit",
        "Is Tuesday fine for the visit?=20\nWho brings the k=\ney",
        "Is Tuesday fine <https://example.com/a> for the visit?",
        "fine for the visit? Who brings the key",
    ],
)
def test_what_stands(text: str) -> None:
    assert Earlier.of_texts([ASKED]).stands(text)


@pytest.mark.parametrize("text", ["Is Wednesday fine for the visit?", "ine for the vis", "", "> ---", "fine visit"])
def test_what_does_not_stand(text: str) -> None:
    assert not Earlier.of_texts([ASKED]).stands(text)


def test_a_text_must_stand_in_one_message() -> None:
    earlier = Earlier.of_texts(["one two three", "four five six"])
    assert earlier.stands("four five six")
    assert not earlier.stands("one two three four five six")
    assert not Earlier().stands("one")
    assert not Earlier()


def test_languages_without_blanks_and_cut_links() -> None:
    earlier = Earlier.of_texts(
        ["会議は三時からです。場所は二階の部屋です。", "see https://example.com/a/very/long/path/to/a/page"]
    )
    assert earlier.stands("会議は三時からで\nす。場所は二階の部屋です。")
    assert earlier.stands("see https://example.com/a/very/lo\nng/path/to/a/page")


def test_html_and_text_messages_are_known() -> None:
    earlier = Earlier.of([message("html", "<p>Is <b>Tuesday</b> fine<br>for the visit?</p>")])
    assert earlier.stands("> Is *Tuesday* fine for the visit?")
    assert not earlier.stands("Who brings the key")
    assert earlier.plus(message("text", ASKED)).stands("> Who brings the key")


def test_a_reply_above_the_whole_quote() -> None:
    text = "Yes.\n\nOn 8 Jan 2026 at 10:02, Mara Lind <m@example.com> wrote:\n> Is Tuesday fine\n> for the visit?\n"
    assert kinds(text, ASKED) == [
        ("own", "Yes.", False, False),
        ("attribution", "On 8 Jan 2026 at 10:02, Mara Lind <m@example.com> wrote:", True, False),
        ("quote", "Is Tuesday fine\nfor the visit?", True, False),
    ]
    quote = split(text, Earlier.of_texts([ASKED]))[-1]
    assert (quote.who, quote.when) == ("Mara Lind", "8 Jan 2026 at 10:02")


def test_answers_between_quoted_lines_keep_their_place_and_what_they_answer() -> None:
    earlier = "Hello all,\n\n" + ASKED + "\nThe rest of it is long.\n"
    text = (
        "Mara wrote:\n> Hello all,\n>\n> Is Tuesday fine for the visit?\nYes, after ten.\n"
        "> Who brings the key to the cellar?\nI do.\n> The rest of it is long.\n"
    )
    assert kinds(text, earlier) == [
        ("attribution", "Mara wrote:", True, False),
        ("quote", "Hello all,", True, False),
        ("quote", "Is Tuesday fine for the visit?", True, True),
        ("own", "Yes, after ten.", False, False),
        ("quote", "Who brings the key to the cellar?", True, True),
        ("own", "I do.", False, False),
        ("quote", "The rest of it is long.", True, False),
    ]


def test_an_answer_below_a_long_whole_quote_needs_no_quote() -> None:
    long = "\n".join(f"This is line number {number} of the mail." for number in range(20))
    text = "Mara wrote:\n" + "\n".join(f"> {line}" for line in long.split("\n")) + "\n\nI agree.\n"
    assert [(kind, stands, answered) for kind, _, stands, answered in kinds(text, long)] == [
        ("attribution", True, False),
        ("quote", True, False),
        ("own", False, False),
    ]


def test_a_quote_of_something_else_stays() -> None:
    text = "Use this:\n> Access is limited to staff.\n\nMara wrote:\n> Is Tuesday fine for the visit?\n"
    assert kinds(text, ASKED)[1] == ("quote", "Access is limited to staff.", False, False)
    assert kinds(text, ASKED)[-1] == ("quote", "Is Tuesday fine for the visit?", True, False)


def test_part_of_a_quote_may_be_new() -> None:
    text = f"> {ASKED.strip()}".replace("\n", "\n> An old line that the thread never had.\n> ")
    assert [(one[1], one[2]) for one in kinds(text, ASKED)] == [
        ("Is Tuesday fine for the visit?", True),
        ("An old line that the thread never had.", False),
        ("Who brings the key to the cellar?", True),
    ]


def test_outlook_quotes_without_marks() -> None:
    block = "From: Mara Lind\nSent: Thursday, 8 January 2026 10:02\nTo: Tomas Ek\nSubject: Visit\n"
    text = f"Fine.\n\n________________________________\n{block}\n{ASKED}"
    assert [(one[0], one[2]) for one in kinds(text, ASKED)] == [("own", False), ("attribution", True), ("quote", True)]
    assert split(text, Earlier.of_texts([ASKED]))[1].who == "Mara Lind"
    unknown = f"Fine.\n\n{block}\nThis text is in no earlier mail.\n"
    assert [kind for kind, _, _, _ in kinds(unknown, ASKED)] == ["own"]


def test_answers_typed_into_a_quote_without_marks_stay() -> None:
    text = (
        "-----Original Message-----\nFrom: Mara\nSent: Thu\nSubject: Visit\n\n"
        "Is Tuesday fine for the visit?\nYes, it is.\nWho brings the key to the cellar?\nTuesday\n"
    )
    seen = visible(split(text, Earlier.of_texts([ASKED])))
    assert "Yes, it is." in seen
    assert seen.endswith("Tuesday")


def test_without_earlier_text_nothing_unmarked_is_cut() -> None:
    text = "Passing this on.\n\nFrom: John\nTo: House\nSubject: Boiler\n\nThe boiler is serviced on Monday.\n"
    assert [kind for kind, _, _, _ in kinds(text)] == ["own"]
    assert [(kind, stands) for kind, _, stands, _ in kinds("a\n> b\nc")] == [
        ("own", False),
        ("quote", False),
        ("own", False),
    ]


def test_own_words_that_stand_earlier_too_are_own() -> None:
    assert kinds("Is Tuesday fine for the visit?", ASKED) == [("own", "Is Tuesday fine for the visit?", False, False)]


def test_the_signature() -> None:
    assert kinds("Yes.\n-- \nMara Lind\nAcme\n", ASKED)[1] == ("signature", "-- \nMara Lind\nAcme", False, False)
    assert [one[0] for one in kinds("Yes.\n-- \nMara\n\nTom wrote:\n> x y z w\n")] == [
        "own",
        "signature",
        "attribution",
        "quote",
    ]
    long = "Yes.\n--\n" + "line of text\n" * 30
    assert [one[0] for one in kinds(long)] == ["own"]


def test_nested_marks_lose_one_level() -> None:
    assert kinds("> > a b c d\n> e")[0][1] == "> a b c d\ne"


LINES = st.sampled_from(
    [
        "Yes, after ten.",
        "> Is Tuesday fine for the visit?",
        "Is Tuesday fine for the visit?",
        ">",
        "",
        "Mara wrote:",
        "-- ",
        "Mara",
        "From: Mara",
        "Sent: Thu",
        "Subject: x",
        "> new words here now",
        "On 8 Jan 2026 at 10:02, Mara wrote:",
        ">> > deep",
        "Tuesday",
    ]
)


@given(st.lists(LINES, max_size=14), st.booleans())
def test_no_line_is_lost_and_the_order_stays(lines: list[str], known: bool) -> None:
    segments = split("\n".join(lines), Earlier.of_texts([ASKED] if known else []))
    out = "\n".join(one.text for one in segments)
    assert [line.lstrip("> ") for line in out.split("\n")] == [
        line.lstrip("> ") for line in "\n".join(lines).split("\n")
    ]
    assert known or not any(one.stands and one.kind != "quote" for one in segments if one.text.strip())
    assert all(not one.stands for one in segments if one.kind in ("own", "signature"))


@given(st.lists(LINES, max_size=14))
def test_own_words_survive(lines: list[str]) -> None:
    seen = visible(split("\n".join(lines), Earlier.of_texts([ASKED])))
    assert seen.count("Yes, after ten.") == lines.count("Yes, after ten.")
    assert seen.count("new words here now") == lines.count("> new words here now")


@given(st.text(st.characters(), max_size=200), st.text(st.characters(), max_size=200))
def test_any_text(text: str, earlier: str) -> None:
    known = Earlier.of_texts([earlier])
    split(text, known)
    known.stands(text)


@given(st.lists(st.from_regex(r"[a-z]{2,8}", fullmatch=True), min_size=1, max_size=30), st.integers(4, 40))
def test_wrapping_and_marks_never_matter(words: list[str], width: int) -> None:
    lines, line = [], ""
    for word in words:
        if len(line) + len(word) > width:
            lines.append(line)
            line = ""
        line += word + " "
    quoted = "\n".join(f"> {one}" for one in [*lines, line])
    assert Earlier.of_texts([f"Before. {' '.join(words)}. After."]).stands(quoted)
