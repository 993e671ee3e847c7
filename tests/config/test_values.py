from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bridge.config.faults import Wrong
from bridge.config.values import (
    BRAKE,
    FLAG,
    TIMEZONE,
    Brake,
    Kind,
    as_text,
    choice,
    duration,
    filled,
    size,
    texts,
    whole,
)

DAY = duration(1, 86400)
MIB = size(1024, 1024**3)


def wrong(kind: Kind, raw: object) -> str:
    with pytest.raises(Wrong) as caught:
        kind.parse(raw)
    return str(caught.value)


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (DAY, "15s", 15.0),
        (DAY, "1.5 min", 90.0),
        (DAY, "10 minutes", 600.0),
        (DAY, "6H", 21600.0),
        (DAY, "1 day", 86400.0),
        (MIB, "4 MiB", 4 * 1024**2),
        (MIB, "1.5kib", 1536),
        (MIB, "2 MB", 2_000_000),
        (MIB, "2048 B", 2048),
        (BRAKE, "20 per 10 min", Brake(20, 600.0)),
        (BRAKE, "off", None),
        (FLAG, True, True),
        (TIMEZONE, "Europe/Berlin", "Europe/Berlin"),
        (whole(1, 5), 5, 5),
        (choice("a", "b"), "b", "b"),
        (texts(str.lower, example="x"), ["A ", "b"], ("a", "b")),
        (texts(str, example="x"), [], ()),
    ],
)
def test_reads(kind: Kind, raw: object, value: Any) -> None:
    assert kind.parse(raw) == value


@pytest.mark.parametrize(
    ("kind", "raw", "sentence"),
    [
        (DAY, 15, '15 is not a duration. Write a number and s, min, h or d, as "15s" or "10 min".'),
        (DAY, "15", '"15" is not a duration. Write a number and s, min, h or d, as "15s" or "10 min".'),
        (DAY, "٣s", '"٣s" is not a duration. Write a number and s, min, h or d, as "15s" or "10 min".'),
        (DAY, "0s", '"0s" is not allowed. Use "1s" to "1d".'),
        (DAY, "999999999d", '"999999999d" is not allowed. Use "1s" to "1d".'),
        (duration(0, 90), "2 min", '"2 min" is not allowed. Use "0s" to "90s".'),
        (MIB, "4", '"4" is not a size. Write a number and KiB, MiB or GiB, as "4 MiB".'),
        (MIB, "2 GiB", '"2 GiB" is not allowed. Use "1 KiB" to "1 GiB".'),
        (BRAKE, "0 per 1h", '"0 per 1h" is not allowed. Write how many in which time, as "20 per 10 min", or "off".'),
        (BRAKE, "5 per 3 d", '"5 per 3 d" is not allowed. Use a time from "1s" to "1d".'),
        (BRAKE, False, 'false is not allowed. Write how many in which time, as "20 per 10 min", or "off".'),
        (FLAG, "yes", '"yes" is not allowed. Use true or false.'),
        (FLAG, 1, "1 is not allowed. Use true or false."),
        (TIMEZONE, "europe/berln", '"europe/berln" is not a known time zone. Did you mean "Europe/Berlin"?'),
        (
            TIMEZONE,
            "../../etc/passwd",
            '"../../etc/passwd" is not a known time zone. Write a name such as "UTC" or "Europe/Berlin".',
        ),
        (TIMEZONE, "", '"" is not a known time zone. Write a name such as "UTC" or "Europe/Berlin".'),
        (whole(1, 5), True, "true is not allowed. Use a whole number from 1 to 5."),
        (whole(1, 5), 6, "6 is not allowed. Use a whole number from 1 to 5."),
        (choice("a", "b", "c"), "d", '"d" is not allowed. Use "a", "b" or "c".'),
        (choice("a", "b"), ["a"], 'a list is not allowed. Use "a" or "b".'),
        (choice("a"), {}, 'a table is not allowed. Use "a".'),
        (choice("a"), date(2026, 1, 1), 'a date or time is not allowed. Use "a".'),
        (filled("the id"), "  ", "is empty. Write the id."),
        (texts(str, example="x"), "x", '"x" is not a list. Write ["x"].'),
        (texts(str, example="x", at_least=1), [], 'is empty. Write at least one, as ["x"].'),
    ],
)
def test_says_what_is_allowed(kind: Kind, raw: object, sentence: str) -> None:
    assert wrong(kind, raw) == sentence


def test_a_list_tells_every_wrong_item_with_its_position() -> None:
    with pytest.raises(Wrong) as caught:
        texts(str.lower, example="x").parse(["a", 5, "A", None])
    assert caught.value.parts == (
        (1, '5 is not text. Put it in quotes: "5".'),
        (2, '"a" stands in the list twice. Take one out.'),
        (3, "a date or time is not text."),
    )


def test_text_is_stripped_and_may_hold_no_control_characters() -> None:
    assert as_text("  a b ") == "a b"
    with pytest.raises(Wrong, match=r'^"a\\u0000b" holds a control character\. Take it out\.$'):
        as_text("a\0b")
