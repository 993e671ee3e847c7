from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mail.flowed import unwrap


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("a \nb", "a b"),
        ("a\nb", "a\nb"),
        (" >not a quote", ">not a quote"),
        (">a \n>b\nc", "> a b\nc"),
        (">a \n>>b", "> a \n>> b"),
        ("a \n-- \nb", "a \n-- \nb"),
        ("a \n\nb", "a \nb"),
        ("a ", "a "),
        ("", ""),
    ],
)
def test_soft_breaks(text: str, out: str) -> None:
    assert unwrap(text) == out


def test_the_blank_goes_where_the_sender_says_so() -> None:
    assert unwrap("Donau \ndampf \nschiff", delete_space=True) == "Donaudampfschiff"


@given(st.text("ab >-\n", max_size=80))
def test_no_letter_is_lost(text: str) -> None:
    assert re.sub(r"[\s>]", "", unwrap(text)) == re.sub(r"[\s>]", "", text)
