"""The text form of a rule, and which requests a rule strikes."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sandbox.faults import CATALOGUE, OPERATIONS, FaultError, Rule, befallen, parse

from support.faulty import in_process

TEXTS = (
    "refuse",
    "reset-after createFooterComment nth=2",
    "429=30 POST /ex/confluence/*/footer-comments times=3 person=ada@example.com",
    "late=60 createPage times=always",
    "skew=-600 atlassian times=always",
    "429=nonsense gmail.users.*",
    "slow=0.5 * /ex/*",
)


@pytest.mark.parametrize("text", TEXTS)
def test_a_rule_gives_its_text_back(text: str) -> None:
    assert str(parse(text)) == text


@given(
    st.sampled_from(sorted(CATALOGUE)),
    st.integers(1, 99),
    st.none() | st.integers(1, 99),
    st.sampled_from(["", "ada@example.com"]),
    st.data(),
)
def test_every_rule_gives_its_text_back(
    name: str, nth: int, times: int | None, person: str, data: st.DataObject
) -> None:
    kind = CATALOGUE[name]
    operation = data.draw(
        st.sampled_from(["*", *(one for one in OPERATIONS if kind.applies(*OPERATIONS[one], one))]), "operation"
    )
    rule = Rule(operation, name, nth=nth, times=times, person=person, argument=kind.default)
    assert parse(str(rule)) == rule


@given(st.text(max_size=60))
def test_any_text_is_a_rule_or_refused(text: str) -> None:
    with suppress(FaultError):
        assert isinstance(parse(text), Rule)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The rule is empty. Begin with the name of a fault, such as reset-after."),
        (
            "reste-after",
            "There is no fault named reste-after. Did you mean reset-after, timeout-after or reset-before?",
        ),
        ("refuse=3", "The fault refuse takes no argument: leave out =3."),
        ("late=", "Nothing stands after late=. Give seconds from 1 to 60."),
        ("late=61", "The fault late does not take 61: give seconds from 1 to 60."),
        ("429=x", "The fault 429 does not take x: give seconds, date, nonsense or none."),
        ("500 createPag", "There is no operation named createPag. Did you mean createPage, createPageProperty or "),
        ("500 POST", "After POST a path is due, such as /ex/confluence/*/footer-comments."),
        ("500 nth=0", "nth=0 is no count. Give a number from 1."),
        ("500 times=often", "times=often is no count. Give a number from 1 or always."),
        ("500 nth=always", "nth=always is no count. Give a number from 1."),
        ("500 nth=1 nth=2", "nth is given twice."),
        ("500 person=", "Nothing stands after person=."),
        ("500 createPage twice", "twice is not understood. Give nth=N, times=M, times=always or person=ADDRESS."),
        (
            "409 gmail.users.history.list",
            "The fault 409 cannot befall gmail.users.history.list. It can befall createPage, updatePage, "
            "createPageProperty and others.",
        ),
    ],
)
def test_a_faulty_text_is_told_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(FaultError) as caught:
        parse(text)
    assert str(caught.value).startswith(sentence)


def test_every_kind_is_described_and_befalls_something() -> None:
    for name, kind in CATALOGUE.items():
        assert kind.name == name
        assert kind.words.endswith(".")
        assert kind.effect in ("none", "took effect", "half", "later", "nothing happened but said so")
        assert kind.takes(kind.default) or not kind.default
        assert befallen(parse(name))
        assert not {"google.oauth.authorize", "atlassian.oauth.authorize"} & set(befallen(parse(name)))


@pytest.mark.parametrize(
    ("text", "struck"),
    [
        ("500 createFooterComment", [1]),
        ("500 createFooterComment nth=2", [2]),
        ("500 createFooterComment nth=2 times=2", [2, 3]),
        ("500 POST /ex/confluence/*/footer-comments times=always", [1, 2, 3, 4]),
        ("500 GET /ex/confluence/*/footer-comments times=always", []),
        ("500 atlassian times=2", [1, 2]),
        ("500 google times=2", []),
        ("500 create*", [1]),
        ("500 person=ada@example.com", [1]),
        ("500 person=ben@example.com", []),
    ],
)
def test_which_requests_are_struck(text: str, struck: list[int]) -> None:
    office = in_process()
    rule = parse(text)
    office.world.core.faults.append(rule)
    failed = [number for number in (1, 2, 3, 4) if office.error_of("createFooterComment") is not None]
    assert (failed, rule.struck) == (struck, len(struck))
    assert rule.over == (rule.times is not None and len(struck) == rule.times)
