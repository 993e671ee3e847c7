from __future__ import annotations

import pytest

from bridge.mail.quotes import Earlier
from bridge.render import cut
from bridge.render.blocks import visible
from bridge.render.read import Reader

ASKED = "Could you send the plan to all of us?\nThe old one is from 2024.\nTom"
QUOTE = "<p>Could you send the plan to all of us?</p><p>The old one is from 2024.</p><p>Tom</p>"


@pytest.fixture
def parts(parser, look):
    """Return (kind, visible text, origin) of each part of HTML, in a thread where ``ASKED`` came before."""

    def split(html, earlier=(ASKED,)):
        blocks = Reader(look).read(parser.parse(html))
        return [
            (part.kind, " / ".join(visible(part.blocks).split("\n")), part.origin)
            for part in cut.html_parts(blocks, Earlier.of_texts(earlier))
            if part.kind != "cut"
        ]

    return split


@pytest.mark.scenario("P6")
@pytest.mark.parametrize(
    "html",
    [
        f'<div>Here.</div><div class="gmail_quote"><div class="gmail_attr">On Mon, 2 Mar 2026 at 10:00, Tom Reed &lt;'
        f'<a href="mailto:t@x.example">t@x.example</a>&gt; wrote:<br></div><blockquote>{QUOTE}</blockquote></div>',
        f"<p>Here.</p><p>Am 02.03.2026 um 10:00 schrieb Tom Reed:</p><blockquote type=cite>{QUOTE}</blockquote>",
        f"<p>Here.</p><hr><div id=divRplyFwdMsg><b>From:</b> Tom Reed<br><b>Sent:</b> Monday, 2 March 2026 10:00<br>"
        f"<b>To:</b> Petra<br><b>Subject:</b> Plan</div>{QUOTE}",
        f"<p>Here.</p><div style='border-top:solid 1pt'><p><b>Von:</b> Tom Reed<br><b>Gesendet:</b> Montag, 2. März<br>"
        f"<b>An:</b> Petra<br><b>Betreff:</b> Plan</p></div>{QUOTE}",
        f"<p>Here.</p><p>-----Original Message-----</p><p>From: Tom Reed<br>Sent: 2 March 2026<br>To: Petra</p>{QUOTE}",
        f"<p>Here.</p><blockquote>{QUOTE}</blockquote>",
        f"<p>Here.</p><blockquote><p>On 2 March 2026, Ann Lee wrote:</p><blockquote>{QUOTE}</blockquote></blockquote>",
    ],
    ids=["gmail", "apple", "outlook.com", "outlook", "original", "bare", "quoted twice"],
)
def test_quoted_mail_that_stands_in_the_thread_goes(html, parts):
    assert parts(html) == [("own", "Here.", "")]


@pytest.mark.scenario("P6")
@pytest.mark.parametrize("html", ["<p>Here.</p><p>On 2 March 2026, Tom Reed wrote:</p><blockquote>{}</blockquote>"])
def test_quoted_mail_that_stands_nowhere_else_is_kept_apart(html, parts):
    stranger = "<p>The gate is closed on Sunday.</p>"
    assert parts(html.format(stranger)) == [
        ("own", "Here.", ""),
        ("quote", "The gate is closed on Sunday.", "Tom Reed, 2 March 2026"),
    ]


def test_a_chain_is_cut_where_it_stands_and_kept_where_not(parts):
    html = (
        f"<p>Here.</p><p>From: Tom Reed<br>Sent: 2 March 2026<br>Subject: Plan</p>{QUOTE}"
        "<p>From: Ann Lee<br>Sent: 1 March 2026<br>Subject: Plan</p><p>A mail that nobody here has seen.</p>"
    )
    assert parts(html) == [
        ("own", "Here.", ""),
        ("quote", "A mail that nobody here has seen.", "Ann Lee, 1 March 2026"),
    ]


def test_an_answer_typed_into_the_quote_keeps_its_place(parts):
    html = (
        "<p>See below.</p><p>From: Tom Reed<br>Sent: 2 March 2026<br>Subject: Plan</p>"
        "<p>Could you send the plan to all of us?</p><p style='color:red'>It went out this morning.</p>"
        "<p>The old one is from 2024.</p><p>Tom</p>"
    )
    assert parts(html) == [
        ("own", "See below.", ""),
        ("answered", "Could you send the plan to all of us?", ""),
        ("own", "It went out this morning.", ""),
    ]


def test_an_answer_below_the_quote_keeps_what_it_answers(parts):
    html = f"<blockquote type=cite>{QUOTE}</blockquote><p>It is attached.</p>"
    assert parts(html)[-1] == ("own", "It is attached.", "")


def test_the_writers_own_quote_stays(parts):
    html = "<p>Use this:</p><blockquote><p>Access is limited to staff.</p></blockquote><p>Agreed?</p>"
    assert parts(html) == [
        ("own", "Use this:", ""), ("own", "Access is limited to staff.", ""), ("own", "Agreed?", ""),
    ]  # fmt: skip


def test_a_forwarded_mail_stays_whole(parts):
    head = "---------- Forwarded message ---------<br>From: Tom Reed<br>Date: 2 March 2026<br>Subject: x"
    html = f"<p>FYI</p><div>{head}</div>{QUOTE}"
    assert [kind for kind, *_ in parts(html)] == ["own"]
    assert "Could you send the plan" in parts(html)[0][1]


def test_signatures(parts):
    assert parts("<p>a</p><div class=gmail_signature><p>Petra</p></div>") == [
        ("own", "a", ""),
        ("signature", "Petra", ""),
    ]
    assert parts("<p>a</p><div>-- <br>Petra<br>Acme</div>") == [("own", "a", ""), ("signature", "Petra / Acme", "")]
    table = "<table><tr><td><p>a</p><div id=Signature>Petra</div></td></tr></table>"
    assert parts(table) == [("own", "a", ""), ("signature", "Petra", "")]


def test_nothing_goes_by_its_looks_in_a_threads_first_mail(parts):
    for html in (f"<blockquote type=cite>{QUOTE}</blockquote>", f"<p>On 2 March 2026, Tom Reed wrote:</p>{QUOTE}"):
        shown = " ".join(text for _, text, _ in parts(html, earlier=()))
        assert "Could you send the plan to all of us?" in shown
        assert "The old one is from 2024." in shown
