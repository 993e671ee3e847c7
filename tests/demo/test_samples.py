from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from bridge.demo.samples import PEOPLE, SampleMail, SampleThread, arriving, labels, threads

NOW = datetime(2026, 4, 1, 12, 30, 5, tzinfo=UTC)
EVERY = [(thread, mail) for thread in threads() for mail in thread.messages + thread.next]
IDS = [f"{thread.slug}/{mail.name}/{mail.date:%d%H%M}" for thread, mail in EVERY]


def parsed(mail: SampleMail) -> EmailMessage:
    return message_from_bytes(mail.eml, policy=policy.default)


def by_slug(slug: str) -> SampleThread:
    return next(thread for thread in threads() if thread.slug == slug)


def files(mail: SampleMail) -> list[str]:
    return [name for part in parsed(mail).walk() if (name := part.get_filename())]


@pytest.mark.parametrize(("thread", "mail"), EVERY, ids=IDS)
def test_every_mail_is_whole_for_the_standard_library(thread: SampleThread, mail: SampleMail) -> None:
    message = parsed(mail)
    for part in message.walk():
        assert part.defects == []
        if part.get_content_maintype() == "text":
            assert part.get_content().strip()
        for value in part.values():
            assert getattr(value, "defects", ()) == ()
    assert mail.eml.count(b"\n") == mail.eml.count(b"\r\n")
    assert all((mail.sender, mail.recipients, mail.subject, mail.message_id, mail.mailboxes))
    assert set(mail.mailboxes) <= set(PEOPLE)


@pytest.mark.parametrize(("thread", "mail"), EVERY, ids=IDS)
def test_lines_are_short_enough_for_smtp(thread: SampleThread, mail: SampleMail) -> None:
    assert max(len(line) for line in mail.eml.split(b"\r\n")) <= 998
    assert mail.eml.isascii()


def test_there_are_enough_threads_for_everybody() -> None:
    assert len(threads()) == 18
    for person in PEOPLE:
        held = [thread for thread in threads() if person in thread.mailboxes]
        assert 8 <= len(held) <= 20
        assert sum(person in thread.labelled_by for thread in threads()) >= 4
    assert labels() == ("Confluence/ENG", "Confluence/HR")


def test_only_people_who_hold_a_thread_label_it() -> None:
    for thread in threads():
        assert thread.labelled_by
        assert set(thread.labelled_by) <= set(thread.messages[0].mailboxes)


def test_message_ids_are_unique_and_references_resolve() -> None:
    ids = [mail.message_id for _, mail in EVERY]
    assert len(set(ids)) == len(ids)
    for thread in threads():
        before: list[str] = []
        for mail in thread.messages + thread.next:
            message = parsed(mail)
            named = re.findall(r"<([^>]+)>", str(message["References"] or ""))
            assert set(named) <= set(before)
            if before:
                assert str(message["In-Reply-To"]).strip("<>") == named[-1]
            before.append(mail.message_id)


def test_messages_are_in_the_order_of_their_dates() -> None:
    for thread in threads():
        dates = [mail.date for mail in thread.messages + thread.next]
        assert dates == sorted(dates)
        assert datetime(2026, 3, 1, tzinfo=UTC) < dates[0]


def test_attachments_decode_to_what_they_claim_to_be() -> None:
    kinds: dict[str, int] = {}
    for _, mail in EVERY:
        for part in parsed(mail).walk():
            name = part.get_filename()
            if name is None:
                continue
            data = part.get_payload(decode=True)
            assert isinstance(data, bytes)
            kind = name.rpartition(".")[2]
            kinds[kind] = kinds.get(kind, 0) + 1
            if kind == "pdf":
                assert data.startswith(b"%PDF-1.4")
                start = int(data.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
                assert data[start : start + 4] == b"xref"
            elif kind == "png":
                assert data.startswith(b"\x89PNG\r\n\x1a\n")
                assert data.endswith(b"IEND\xaeB`\x82")
            elif kind == "docx":
                assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None
            elif kind == "csv":
                assert len({len(row) for row in csv.reader(io.StringIO(data.decode()))}) == 1
            else:
                assert data.startswith(b"BEGIN:VCALENDAR\r\n")
    assert kinds == {"png": 5, "pdf": 5, "docx": 2, "csv": 2, "ics": 1}


def test_inline_images_are_there() -> None:
    for _, mail in EVERY:
        message = parsed(mail)
        cids = {str(part["Content-ID"]).strip("<>") for part in message.walk() if part["Content-ID"]}
        html = message.get_body(("html",))
        used = set(re.findall(r'src="cid:([^"]+)"', html.get_content())) if html is not None else set()
        assert cids <= used


def test_release_plan_is_the_thread_of_three() -> None:
    plan = by_slug("release-plan")
    assert [mail.sender for mail in plan.messages] == [
        "petra.novak@acme.example",
        "ben@example.com",
        "petra.novak@acme.example",
    ]
    assert files(plan.messages[0]) == ["timeline.png", "plan.pdf"]
    assert files(plan.messages[1]) == files(plan.messages[2]) == []
    first = parsed(plan.messages[0]).get_body(("html",))
    assert first is not None
    assert first.get_content().count("<tr>") == 5
    for mail in plan.messages[1:]:
        body = parsed(mail).get_body(("html",))
        assert body is not None
        assert 'class="gmail_quote' in body.get_content()


def test_two_files_have_one_name() -> None:
    assert files(by_slug("signed-lease").messages[0]) == ["scan.pdf", "scan.pdf", "inventory.csv", "inventory.docx"]


def test_the_narrow_reply_and_no_other_leaves_somebody_out() -> None:
    narrow = []
    for thread in threads():
        on: set[str] = set()
        for mail in thread.messages + thread.next:
            here = {mail.sender, *mail.recipients}
            if on - here and not mail.skipped and "toolbox@lists.example.com" not in here:
                narrow.append((thread.slug, mail.name, mail.held, mail.mailboxes))
            else:
                on |= set() if mail.skipped else here
    assert narrow == [("spring-meeting", "03", "narrow reply", ("ada@example.com", "ben@example.com"))]


def test_the_automatic_answer_is_marked_and_says_so_itself() -> None:
    skipped = [(thread.slug, mail) for thread in threads() for mail in thread.messages if mail.skipped]
    assert [slug for slug, _ in skipped] == ["first-week-noor"]
    assert str(parsed(skipped[0][1])["Auto-Submitted"]) == "auto-replied"
    assert not any(parsed(mail)["Auto-Submitted"] for _, mail in EVERY if not mail.skipped)


def test_japanese_is_in_its_own_charset_and_arabic_from_right_to_left() -> None:
    mail = by_slug("kyoto-visit").messages[0]
    assert mail.subject == "京都でのお打ち合わせについて"
    assert parsed(mail).get_content_charset() == "iso-2022-jp"
    assert "四月九日（木）十四時から" in parsed(mail).get_content()
    body = parsed(by_slug("workshop-arabic").messages[0]).get_body(("html",))
    assert body is not None
    assert 'dir="rtl"' in body.get_content()


def test_waiting_replies_arrive_first_and_are_dated_now() -> None:
    plan = by_slug("release-plan")
    first = arriving(plan, (), NOW)
    assert (first.sender, first.message_id, first.date) == ("cy@example.com", plan.next[0].message_id, NOW)
    assert parsed(first)["Date"].datetime == NOW
    assert first.eml.replace(b"Wed, 01 Apr 2026 12:30:05 +0000", b"") == re.sub(
        rb"Wed, 18 Mar 2026 10:20:\d\d \+0100", b"", plan.next[0].eml
    )


@pytest.mark.parametrize("thread", threads(), ids=lambda thread: thread.slug)
def test_replies_never_end_and_keep_everybody(thread: SampleThread) -> None:
    so_far: tuple[SampleMail, ...] = ()
    everybody = {thread.messages[0].sender, *thread.messages[0].recipients}
    for _ in range(4):
        mail = arriving(thread, so_far, NOW)
        message = parsed(mail)
        assert everybody <= {mail.sender, *mail.recipients, *thread.lists}
        assert mail.sender not in mail.recipients
        assert set(mail.mailboxes) == set(thread.mailboxes)
        newest = (thread.messages[-1:] + so_far)[-1] if so_far else None
        if newest is not None:
            assert message["In-Reply-To"] == f"<{newest.message_id}>"
        assert all(part.defects == [] for part in message.walk())
        so_far += (mail,)
    assert len({mail.message_id for mail in so_far}) == 4
