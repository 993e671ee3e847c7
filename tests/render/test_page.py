from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.mail import eml
from bridge.model import Body, File, LeftOut, Person, PlacedFile
from bridge.render import allowed, emit
from bridge.render.page import render_comment, render_fallback, render_page

PICTURE = File("1.2", "timeline.png", "image/png", "tl@x", 5_000, inline=True)
PLAN = File("1.3", "plan.pdf", "application/pdf", "", 1_258_291, inline=False)
ON_PAGE = {
    "1.2": PlacedFile("timeline.png", 5_000, "image/png"),
    "1.3": PlacedFile("plan.pdf", 1_258_291, "application/pdf"),
}
HTML = (
    '<h1>Release plan</h1><p>Dear all, the plan is below.</p><img src="cid:tl@x" alt="Timeline" width="480">'
    '<div class="gmail_signature">Petra Novak, Acme</div>'
    '<div class="gmail_quote"><div class="gmail_attr">On 1 March 2026, Tom Reed wrote:</div>'
    '<blockquote class="gmail_quote"><p>Could you send the plan?</p></blockquote></div>'
)


def examples(shared: Path) -> list[str]:
    """Return the storage format that the description of the page shows, without its line ends."""
    blocks = re.findall(r"```xml\n(.*?)```", (shared / "page.md").read_text("utf-8"), re.DOTALL)
    return [block.replace("\n", "") for block in blocks]


@pytest.mark.scenario("P4")
@pytest.mark.scenario("X7")
def test_the_page_is_the_one_described(shared: Path, parser, look, mail):
    expected = examples(shared)[0].replace("Ada Lovelace, Ben Hart and 3 others", "Ada Lovelace and Ben Hart")
    link = re.search(r'<a href="([^"]*)">Open in Gmail', expected)
    left_out = (LeftOut("recording.mp4, 310 MB", "larger than this site allows (100 MB). It is in the mail."),)
    page_look = replace(look, mail_url=link[1], files=ON_PAGE, left_out=left_out)
    rendered = render_page(mail(html=HTML, files=(PICTURE, PLAN)), page_look, parser=parser)
    assert rendered.storage == expected
    assert rendered.left_out == left_out
    assert not rendered.plain
    assert allowed.check(rendered.storage) == []


@pytest.mark.scenario("P2")
def test_the_comment_is_the_one_described(shared: Path, parser, look, mail):
    expected = next(example for example in examples(shared) if "Ben Hart</strong> by mail" in example)
    link = re.search(r'<a href="([^"]*)">mail<', expected)
    change = File("1.3", "change.docx", "application/msword", "", 81_920, inline=False)
    text = "Fine with me, one change:\n\n> ship on Monday\n\nTuesday, please.\n"
    reply = mail(
        text=text,
        sender=Person("Ben Hart", "ben@example.com"),
        date=datetime(2026, 3, 3, 15, 40, tzinfo=UTC),
        sent=None,
        subject="Re: Release plan",
        files=(change,),
    )
    reply_look = replace(look, mail_url=link[1], files={"1.3": PlacedFile("change.docx", 81_920, "application/msword")})
    rendered = render_comment(reply, reply_look, [mail(text="We ship on Monday.")], parser=parser)
    assert rendered.storage == expected


def test_a_comment_by_its_own_writer_does_not_name_them_again(parser, look, mail):
    own = mail(text="Yes.", sender=Person("Ada Lovelace", "ada@example.com"))
    storage = render_comment(own, look, (), parser=parser, own=True).storage
    assert storage.startswith("<p>By mail, 3 March 2026, 14:05 (UTC+01:00) · <a href=")
    assert "Ada" not in storage


def test_a_late_mail_says_when_it_was_sent(parser, look, mail):
    late = mail(text="x", sent=datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    assert "14:05 (UTC+01:00), sent 2 March, arrived later · <a" in render_page(late, look, parser=parser).storage
    assert "(UTC+01:00), sent 2 March, arrived later · <a" in render_comment(late, look, (), parser=parser).storage


def test_an_unproven_sender_is_warned_of(parser, look, mail):
    forged = mail(text="x", proof="failed")
    warning = "<p>Sender not verified: the mail may not be from acme.example.</p>"
    page = render_page(forged, look, parser=parser).storage
    assert f'</ac:structured-macro><ac:structured-macro ac:name="warning"><ac:rich-text-body>{warning}' in page
    assert warning in render_comment(forged, look, (), parser=parser).storage
    assert "not verified" not in render_page(mail(text="x", proof="none"), look, parser=parser).storage


def test_a_subject_that_is_not_the_threads_is_shown(parser, look, mail):
    """C06."""
    first, second = mail(text="a", subject="Offer 1"), mail(text="b", subject="Totally new topic")
    assert "<p><em>Subject: Totally new topic</em></p>" in render_comment(second, look, [first], parser=parser).storage
    same = mail(text="b", subject="AW: Re: offer 1")
    assert "Subject:" not in render_comment(same, look, [first], parser=parser).storage


@pytest.mark.scenario("X7")
def test_no_address_label_or_message_id_in_sight(parser, look, mail, seen):
    page = seen(render_page(mail(text="Hello."), look, parser=parser).storage)
    assert "@" not in page
    assert "x1" not in page
    assert page.startswith(
        "Petra Novak (acme.example) wrote to Ada Lovelace and Ben Hart\nTuesday, 3 March 2026, 14:05"
    )


@pytest.mark.scenario("X7")
def test_blind_copies_never_show(shared: Path, parser, placed, seen):
    raw = (
        b"From: Ada <ada@example.com>\r\nTo: ben@example.com\r\nBcc: Cy Hidden <cy.hidden@secret.example>\r\n"
        b"Date: Tue, 3 Mar 2026 14:05:00 +0100\r\nSubject: Plan\r\nMessage-ID: <x1@example.com>\r\n\r\nHello.\r\n"
    )
    mail = eml.message(raw)
    for rendered in (
        render_page(mail, placed(mail), parser=parser),
        render_comment(mail, placed(mail), (), parser=parser),
        render_fallback(mail, placed(mail)),
    ):
        assert "idden" not in rendered.storage
        assert "secret.example" not in rendered.storage


def test_without_replies_and_without_a_public_address(parser, look, mail):
    quiet = replace(look, replies_follow=False, about_url="")
    storage = render_page(mail(text="x"), quiet, parser=parser).storage
    assert "by Ada Lovelace. Comments written here are not sent to anyone.</span>" in storage
    assert "What is this page?" not in storage


@pytest.mark.scenario("P7")
def test_a_signature_is_folded_kept_or_dropped(parser, look, mail):
    text = "Hello.\n\n-- \nPetra Novak\nAcme\n"
    fold = '<ac:parameter ac:name="title">Signature</ac:parameter><ac:rich-text-body><p>Petra Novak<br/>Acme</p>'
    assert fold in render_page(mail(text=text), look, parser=parser).storage
    kept = render_page(mail(text=text), replace(look, signatures="keep"), parser=parser).storage
    assert kept.endswith("<p>Hello.</p><p>Petra Novak<br/>Acme</p>")
    dropped = render_page(mail(text=text), replace(look, signatures="drop"), parser=parser).storage
    assert dropped.endswith("<p>Hello.</p>")
    comment = render_comment(mail(text=text), look, (), parser=parser).storage
    assert comment.endswith(
        '<p>Hello.</p><p><span style="color: rgb(98,111,134);">Petra Novak</span><br/>'
        '<span style="color: rgb(98,111,134);">Acme</span></p>'
    )


def test_quoted_mail_from_elsewhere(parser, look, mail):
    text = "Here it is.\n\nOn 1 March 2026, Tom Reed <tom@x.example> wrote:\n\n> Could you send the plan?\n"
    quote = "<blockquote><p>Could you send the plan?</p></blockquote>"
    page = render_page(mail(text=text), look, parser=parser).storage
    assert f"Earlier mail quoted here: Tom Reed, 1 March 2026</ac:parameter><ac:rich-text-body>{quote}" in page
    shown = f"<p>Here it is.</p><p><em>Tom Reed, 1 March 2026:</em></p>{quote}"
    assert render_page(mail(text=text), replace(look, collapse_quotes=False), parser=parser).storage.endswith(shown)
    assert render_comment(mail(text=text), look, (), parser=parser).storage.endswith(shown)
    earlier = [mail(text="Could you send the plan?")]
    assert render_comment(mail(text=text), look, earlier, parser=parser).storage.endswith("</a></p><p>Here it is.</p>")


def test_a_mail_that_only_quotes_shows_its_quote(parser, look, mail):
    text = "On 1 March 2026, Tom Reed wrote:\n> Could you send the plan?\n"
    page = render_page(mail(text=text), look, parser=parser).storage
    assert page.endswith(
        "<p><em>Tom Reed, 1 March 2026:</em></p><blockquote><p>Could you send the plan?</p></blockquote>"
    )


def test_a_mail_without_words_says_so(parser, look, mail):
    assert "<p><em>This mail has no text.</em></p>" in render_page(mail(), look, parser=parser).storage
    secret = File("1", "smime.p7m", "application/pkcs7-mime", "", 10, inline=False)
    assert "This mail is encrypted;" in render_page(mail(files=(secret,)), look, parser=parser).storage
    quote = mail(text="On 1 March 2026, Tom Reed wrote:\n> Could you send the plan?\n")
    again = render_comment(quote, look, [mail(text="Could you send the plan?")], parser=parser).storage
    assert "no words of its own" in again


@pytest.mark.scenario("P5")
def test_files_between_texts_keep_their_place(parser, look, mail):
    bodies = (Body("text", "before", "1"), Body("file", "", "1.2"), Body("file", "", "1.3"), Body("text", "after", "4"))
    message = mail(bodies=bodies, files=(PICTURE, PLAN))
    page = render_page(message, replace(look, files=ON_PAGE), parser=parser).storage
    assert page.endswith(
        '<p>before</p><ac:image ac:alt="timeline.png" ac:layout="center"><ri:attachment ri:filename="timeline.png"/>'
        f"</ac:image><p>{emit.file_link('plan.pdf', 'plan.pdf')}</p><p>after</p>"
    )
    comment = render_comment(message, replace(look, files=ON_PAGE), (), parser=parser).storage
    assert "ac:image" not in comment
    assert f"<p>before</p><p>{emit.file_link('timeline.png', 'timeline.png')}</p>" in comment
    assert "Attached" not in comment


def test_a_picture_that_is_not_on_the_page_is_named_by_its_words(parser, look, mail):
    storage = render_page(mail(html=HTML, files=(PICTURE, PLAN)), look, parser=parser).storage
    assert "ri:attachment" not in storage
    assert "<p>Timeline</p>" in storage


def test_pictures_inside_the_html_are_noted(parser, look, mail):
    rendered = render_page(mail(html='a<img src="data:image/png;base64,AAAA">'), look, parser=parser)
    assert rendered.left_out[0].name == "1 picture"
    assert (
        "<li><p>1 picture: inside the text itself, not among the mail's files. See the mail.</p></li>"
        in rendered.storage
    )
    comment = render_comment(mail(html='a<img src="data:image/png;base64,AAAA">'), look, (), parser=parser)
    assert comment.storage.endswith(
        "<p>Not shown: 1 picture: inside the text itself, not among the mail's files. See the mail.</p>"
    )


def test_the_fallback_has_words_and_the_marker_alone(look, mail):
    message = mail(html="<h1>Plan</h1><p>see <a href='https://x.example/'>here</a></p>", files=(PLAN,))
    rendered = render_fallback(message, replace(look, files=ON_PAGE))
    assert rendered.plain
    assert re.findall("<([a-z:]+)", rendered.storage) == ["p", "strong", "a", "p", "br", "p", "p"]
    assert look.mail_url in rendered.storage.replace("&amp;", "&")
    assert "<p>Plan<br/>see here</p><p>Attached: plan.pdf</p><p>Not shown: " in rendered.storage
