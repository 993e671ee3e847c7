"""People, dates, titles, names of files, sizes and the origin link."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import islice

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.model import Person, PlacedFile
from bridge.render import dates, people
from bridge.render.names import free_name, safe_name
from bridge.render.origin import find_key, find_origins, origin_url
from bridge.render.sizes import file_words, size_words
from bridge.render.title import bare_subject, title, title_candidates

DAY = datetime(2026, 3, 3, 13, 5, tzinfo=UTC)


def test_dates():
    assert dates.long_date(DAY, "Europe/Berlin") == "Tuesday, 3 March 2026, 14:05 (UTC+01:00)"
    assert dates.long_date(DAY, "UTC") == "Tuesday, 3 March 2026, 13:05 (UTC)"
    assert dates.medium_date(DAY, "America/St_Johns") == "3 March 2026, 09:35 (UTC-03:30)"
    assert dates.medium_date(DAY.replace(month=7), "Europe/Berlin") == "3 July 2026, 15:05 (UTC+02:00)"
    assert dates.day(DAY.replace(hour=23), "Asia/Tokyo") == "4 March 2026"
    assert dates.short_day(DAY) == "3 Mar 2026"


@pytest.mark.scenario("X12")
def test_sent_long_before_it_arrived():
    assert dates.arrived_late(DAY - timedelta(days=1, minutes=1), DAY, "UTC") == "sent 2 March, arrived later"
    assert dates.arrived_late(DAY - timedelta(days=90), DAY, "UTC") == "sent 3 December 2025, arrived later"
    assert dates.arrived_late(DAY - timedelta(hours=23), DAY, "UTC") == ""
    assert dates.arrived_late(None, DAY, "UTC") == ""
    assert dates.arrived_late(DAY + timedelta(days=9), DAY, "UTC") == ""


def test_people(look):
    outside, inside, bare = (
        Person("Petra", "p@acme.example"),
        Person("Ada", "a@example.com"),
        Person("", "tomas@example.org"),
    )
    assert people.full_name(outside, look) == "Petra (acme.example)"
    assert people.full_name(inside, look) == "Ada"
    assert people.full_name(bare, look) == "tomas (example.org)"
    assert people.full_name(Person("", ""), look) == "Unknown sender"
    assert people.full_name(outside, replace(look, show_addresses="always")) == "Petra (p@acme.example)"
    assert people.full_name(outside, replace(look, show_addresses="own-domains")) == "Petra (acme.example)"
    assert people.full_name(inside, replace(look, show_addresses="own-domains")) == "Ada (a@example.com)"


def test_a_list_of_people(look):
    crowd = [Person(f"P{n}", f"p{n}@example.com") for n in range(8)]
    assert people.listing((), look) == ""
    assert people.listing(crowd[:1], look) == "P0"
    assert people.listing([*crowd[:2], crowd[0]], look) == "P0 and P1"
    assert people.listing(crowd[:5], look) == "P0, P1, P2, P3 and P4"
    assert people.listing(crowd[:6], look) == "P0, P1, P2, P3, P4 and 1 other"
    assert people.listing(crowd, look) == "P0, P1, P2, P3, P4 and 3 others"


@pytest.mark.scenario("P9")
@pytest.mark.parametrize(
    ("subject", "bare"),
    [
        ("Re: Fwd: AW: Budget", "Budget"), ("RE[2]: x", "x"), ("回复：预算", "预算"), ("Re : x", "x"),
        ("Reply: x", "Reply: x"),
        ("  a\r\n b\t", "a b"), ("Re:", ""), ("a\u202eb\x00c", "ab c"), ("Regarding: x", "Regarding: x"),
    ],
)  # fmt: skip
def test_subjects_lose_what_replies_put_before_them(subject, bare):
    assert bare_subject(subject) == bare


@pytest.mark.scenario("P9")
def test_titles(mail):
    message = mail(subject="Re: Budget")
    assert title("{subject}", message, "x") == "Budget"
    assert title("{date:%Y-%m-%d} {subject} by {from} in {label}", message, "Confluence/ENG") == (
        "2026-03-03 Budget by Petra Novak in Confluence/ENG"
    )
    assert title("{date}", message, "") == "2026-03-03"
    assert title("{subject}", mail(subject="Re: "), "") == "(no subject)"
    assert title(" ", message, "") == "(no subject)"
    assert title("{subject}", mail(subject="{from} {x}"), "") == "{from} {x}"
    long = title("{subject}", mail(subject="word " * 100), "")
    assert long == "word " * 50 + "word…"
    assert len(long) == 255
    script = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
    assert title("{subject}", mail(subject=script), "") == script


@pytest.mark.scenario("A40")
def test_titles_that_are_taken():
    assert list(islice(title_candidates("Budget", DAY), 4)) == [
        "Budget", "Budget (3 Mar 2026)", "Budget (3 Mar 2026) (2)", "Budget (3 Mar 2026) (3)",
    ]  # fmt: skip
    assert all(len(candidate) <= 255 for candidate in islice(title_candidates("w" * 255, DAY), 20))


@given(subject=st.text(max_size=400), number=st.integers(0, 20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_subject_gives_a_title(subject, number, mail):
    made = title("{subject}", mail(subject=subject), "")
    candidate = next(islice(title_candidates(made, DAY), number, None))
    for text in (made, candidate):
        assert 0 < len(text) <= 255
        assert text == text.strip()
        assert not any(unicodedata.category(c) in {"Cc", "Zl", "Zp", "Cs"} for c in text)


@pytest.mark.scenario("P5")
@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/cron.d/x", "x"), ("/etc/passwd", "passwd"), ("C:\\temp\\report.txt", "report.txt"),
        ("img/pic.png", "pic.png"), ("a\x00b.txt", "a_b.txt"), ("..", "file"), (".", "file"),
        ("", "file"), ("///", "file"),
        ("Q1/Q2 plan.pdf", "Q1_Q2 plan.pdf"), ('a"b\r\nc.txt', "a_b__c.txt"), ("scan.pdf", "scan.pdf"),
        ("Angebot fu\u0308r.pdf", "Angebot für.pdf"), ("x\u202efdp.exe", "xfdp.exe"),
        ("OutlookEmoji-😊.png", "OutlookEmoji-😊.png"), ("a" * 300 + ".pdf", "a" * 251 + ".pdf"),
    ],
)  # fmt: skip
def test_safe_names(name, safe):
    """C32."""
    assert safe_name(name) == safe


@pytest.mark.scenario("P5")
def test_free_names():
    """C30."""
    assert free_name("scan.pdf", set()) == "scan.pdf"
    assert free_name("SCAN.pdf", {"scan.pdf"}) == "SCAN-2.pdf"
    assert free_name("scan.pdf", {"scan.pdf", "scan-2.pdf"}) == "scan-3.pdf"
    assert free_name("", {"file"}) == "file-2"


@given(names=st.lists(st.text(max_size=300), max_size=8))
def test_any_names_are_safe_and_unique(names):
    taken: set[str] = set()
    for name in names:
        free = free_name(name, taken)
        assert 0 < len(free.encode()) <= 255
        assert free not in {".", ".."}
        assert free.casefold() not in taken
        assert not set(free) & set('/\\:?*|<>"\x00\r\n')
        assert safe_name(free) == free
        taken.add(free.casefold())


def test_sizes():
    assert [size_words(n) for n in (0, 1, 834, 1024, 81_920, 1_258_291, 1_048_575, 325_058_560, 5_000_000_000)] == [
        "0 bytes", "1 byte", "834 bytes", "1 KB", "80 KB", "1.2 MB", "1.0 MB", "310 MB", "4.7 GB",
    ]  # fmt: skip
    assert file_words(PlacedFile("plan.pdf", 1_258_291, "application/pdf")) == "PDF, 1.2 MB"
    assert file_words(PlacedFile("plan", 10, "application/pdf")) == "PDF, 10 bytes"
    assert file_words(PlacedFile("plan", 10, "application/octet-stream")) == "10 bytes"


@pytest.mark.scenario("X7")
def test_the_origin_link_carries_the_marker():
    link = origin_url("k7Qx2mP9aB", "x+1@acme.example")
    assert link == "https://mail.google.com/mail/?mailbridge=k7Qx2mP9aB#search/rfc822msgid%3Ax%2B1%40acme.example"
    assert origin_url("k", "") == "https://mail.google.com/mail/?mailbridge=k"
    other = origin_url("b", "y")
    storage = f"<p><a href=\"{link}\">mail</a> <a class='x' href='{other}'>x</a> {link.replace('k7', 'zz')}</p>"
    assert find_key(storage + storage) == ["k7Qx2mP9aB", "b"]
    assert find_key('<a href="https://evil.example/?x=https://mail.google.com/mail/?mailbridge=b#">') == []


@given(key=st.from_regex(r"[0-9A-Za-z_-]{10}", fullmatch=True), message_id=st.text(max_size=80))
def test_any_marker_is_found_again(key, message_id):
    message_id = message_id.encode("utf-8", "ignore").decode()
    link = origin_url(key, message_id)
    assert find_key(f'<a href="{link}">mail</a>') == [key]
    assert find_origins(f'<a href="{escape(link)}">mail</a>') == {key: message_id}
