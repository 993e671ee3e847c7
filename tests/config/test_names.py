from __future__ import annotations

import pytest

from bridge.config.faults import Wrong
from bridge.config.names import LABEL, PAGE, PAGE_LABELS, PARENT, ROUTE_NAME, SPACE, TITLE, label_key, page_id
from bridge.config.values import Kind


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("123456", "123456"),
        ("https://example.atlassian.net/wiki/spaces/ENG/pages/123456/Mail", "123456"),
        ("https://example.atlassian.net/wiki/spaces/ENG/pages/edit-v2/77", "77"),
        ("https://example.atlassian.net/wiki/pages/viewpage.action?pageId=99", "99"),
        ("https://example.atlassian.net/wiki/x/AbCd", ""),
        ("https://[oops/pages/1", ""),
        ("Mail 2026", ""),
        ("٣", ""),
        ("", ""),
    ],
)
def test_page_id_is_taken_from_numbers_and_addresses(reference: str, found: str) -> None:
    assert page_id(reference) == found


def test_labels_are_compared_without_case_and_composition() -> None:
    assert label_key("Confluence/ENG") == label_key("confluence/eng")
    assert label_key("Stra\u00dfe") == label_key("STRASSE")
    assert label_key("Cafe\u0301") == label_key("Caf\u00e9")


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (ROUTE_NAME, "engineering"),
        (ROUTE_NAME, "büro-2.b"),
        (LABEL, "Confluence/ENG"),
        (SPACE, "~712020abc"),
        (PARENT, "Q1/Q2 plan"),
        (PARENT, ""),
        (PAGE, "123"),
        (TITLE, "{subject}"),
        (TITLE, "[{label}] {date:%d %b %Y} {{x}} {from}"),
    ],
)
def test_is_kept_as_written(kind: Kind, raw: str) -> None:
    assert kind.parse(raw) == raw


def test_page_labels_are_in_lower_case() -> None:
    assert PAGE_LABELS.parse(["Mail", "from-gmail"]) == ("mail", "from-gmail")


@pytest.mark.parametrize(
    ("kind", "raw", "sentence"),
    [
        (ROUTE_NAME, "a b", '"a b" is not allowed. Use up to 64 letters, digits, dots, - and _.'),
        (
            LABEL,
            "Confluence/{space}",
            '"Confluence/{space}" is a pattern; patterns come with a later version. '
            'Write one label, as "Confluence/ENG".',
        ),
        (LABEL, "a//b", '"a//b" is not the name of a label. Write it as Gmail shows it, as "Confluence/ENG".'),
        (LABEL, "Inbox", '"Inbox" is one of Gmail\'s own labels. Make another for what is to be published.'),
        (
            LABEL,
            "CATEGORY_UPDATES",
            '"CATEGORY_UPDATES" is one of Gmail\'s own labels. Make another for what is to be published.',
        ),
        (SPACE, "E N G", '"E N G" is not the key of a space. It stands in the address of the space, as "ENG".'),
        (
            PARENT,
            "https://example.atlassian.net/wiki/x/AbCd",
            '"https://example.atlassian.net/wiki/x/AbCd" is not a page\'s address. '
            "Use one with /pages/NUMBER, the number or the title.",
        ),
        (PARENT, "x" * 256, "is longer than the 255 characters that a title can have."),
        (PAGE, "Plan", '"Plan" is not a page. Write its number or its address, as "123456".'),
        (
            TITLE,
            "",
            "is empty or longer than 255 characters. Write a text with {subject}, {from}, {date} or {label}.",
        ),
        (TITLE, "{sender}", "{sender} is not known in a title. Use {subject}, {from}, {date} or {label}."),
        (TITLE, "{subject!r}", "{subject} is not known in a title. Use {subject}, {from}, {date} or {label}."),
        (TITLE, "{}", "{} is not known in a title. Use {subject}, {from}, {date} or {label}."),
        (
            TITLE,
            "{subject:>9}",
            "{subject:>9} is not allowed. Only {date:...} takes a form, as {date:%Y-%m-%d}.",
        ),
        (
            TITLE,
            "{date:{subject}}",
            "{date:{subject}} is not allowed. Only {date:...} takes a form, as {date:%Y-%m-%d}.",
        ),
        (TITLE, "{date:%Q}", "%Q is not known in a date. Write for example {date:%Y-%m-%d}."),
        (TITLE, "{date:%}", "% is not known in a date. Write for example {date:%Y-%m-%d}."),
        (
            TITLE,
            "{subject",
            '"{subject" has a brace without its other half. For a brace itself write {{ or }}.',
        ),
    ],
)
def test_says_what_is_allowed(kind: Kind, raw: str, sentence: str) -> None:
    with pytest.raises(Wrong) as caught:
        kind.parse(raw)
    assert str(caught.value) == sentence


def test_page_labels_that_confluence_refuses() -> None:
    with pytest.raises(Wrong) as caught:
        PAGE_LABELS.parse(["two words"])
    sentence = '"two words" is not a label that Confluence takes. Use letters, digits, - and _, as "mail".'
    assert caught.value.parts == ((0, sentence),)
