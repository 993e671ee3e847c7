"""What a stranger may send: nothing hangs, nothing forges, nothing breaks the storage format."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from xml.etree.ElementTree import TreeBuilder

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.render import allowed, emit
from bridge.render.page import render_comment, render_fallback, render_page
from bridge.render.parse import HtmlParser, without_tags
from bridge.render.read import Reader

PIECES = (
    "<svg> <template> <title> </template> <o:p> <a href=x> <a href='https://e.example/?token=1'> </a> <li> <ul> <ol>"
    " </ul> <table> <tr> <td> <th colspan=9> </table> <p> </p> <div> <div style='display:none'> </div> <b> <i> </b>"
    " </i> <pre> </pre> <blockquote type=cite> </blockquote> <script> </script> <style> <math> <select> <option>"
    " <textarea> <!-- --> <![CDATA[ ]]> <ac:structured-macro ac:name=panel> <ri:user/> <img src=cid:a>"
    " <img src='data:image/png;base64,AA' alt='\"<>'> <br> </br> &lt; &#0; &nbsp; <hr> <h1> </h1> <code>"
    " <span style='color:#c00'> </span> text \x00 \x0b \ufffe 😀 <dl> <dt> <dd> <form> <font color=red> <center>"
    " <div class=gmail_signature> <frameset> <body> </body> <html> <q> <plaintext> -- wrote:"
).split(" ")


def checked(message, look, parser):
    for rendered in (
        render_page(message, look, parser=parser),
        render_comment(message, look, (), parser=parser),
        render_fallback(message, look),
    ):
        assert allowed.check(rendered.storage) == []
        yield rendered.storage


@pytest.mark.scenario("A34")
def test_no_macro_script_or_scheme_comes_from_a_mail(mail, look, parser):
    html = (
        "<script>alert(1)</script><p onclick='x()'>text</p><ac:structured-macro ac:name='html'><ac:plain-text-body>"
        "<![CDATA[<b>]]></ac:plain-text-body></ac:structured-macro><a href='javascript:alert(1)'>one</a>"
        "<a href='java&#10;script:alert(1)'>two</a><a href='data:text/html,x'>three</a>"
        "<a href='//evil.example'>four</a>"
        "<a href='https://user:pw@evil.example/'>five</a><iframe src='https://evil.example'></iframe>"
        "<a href='vbscript:x'>six</a> ]]&gt; <style>p{}</style>"
    )
    for storage in checked(mail(html=html), look, parser):
        for word in ("script:", "data:", "evil.example", "onclick", "alert(1)</", "iframe", 'ac:name="html"'):
            assert word not in storage
        for word in ("text", "one", "two", "three", "four", "five", "six", "]]&gt;"):
            assert word in storage


@pytest.mark.scenario("A34")
def test_a_plain_text_macro_is_shown_as_text(mail, look, parser):
    text = '<ac:structured-macro ac:name="panel"><script>alert(1)</script> ]]>'
    for storage in checked(mail(text=text), look, parser):
        assert '&lt;ac:structured-macro ac:name="panel"&gt;&lt;script&gt;' in storage


def test_a_name_and_a_subject_cannot_write_markup(mail, look, parser):
    person = mail().sender.__class__('<b>x</b>]]>"', 'x"<i>@acme.example')
    message = mail(text="x", sender=person, to=(person,), subject='</p><script>"')
    for storage in checked(message, look, parser):
        assert not {"<b>", "<i>", "<script>"} & set(re.findall("<[a-z]+>", storage))


def test_the_input_that_crashes_another_parser(mail, look, parser):
    html = "<svg><template><title><o:p></template><a href=x><li></a>"
    assert list(checked(mail(html=html), look, parser))


@pytest.mark.parametrize("seed", range(12))
def test_tag_soup(seed, mail, look, parser):
    chance = random.Random(seed)
    for _ in range(60):
        html = " ".join(chance.choice(PIECES) for _ in range(chance.randrange(1, 80)))
        assert all(checked(mail(html=html), look, parser))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=400))
def test_any_text_is_written_within_the_allow_list(text, mail, look, parser):
    assert all(checked(mail(text=text), look, parser))
    assert all(checked(mail(html=text), look, parser))


@pytest.mark.scenario("A33")
@pytest.mark.parametrize(
    ("html", "word"),
    [
        ("<div>" * 300 + "deep" + "</div>" * 300, "deep"),
        ("<div>" * 20_000 + "deep" + "</div>" * 20_000, "deep"),
        ("".join(f'<a href="https://example.com/{n}">link {n}</a> ' for n in range(20_000)), "link 19999"),
        ("<p>x" + " " * 2_000_000 + "y</p>", "x y"),
        ("<a " * 500_000 + "z", ""),
        ("<table><tr><td>" * 400 + "cell", "cell"),
        ("<blockquote>" * 5_000 + "cell", "cell"),
        ("<ul><li>" * 5_000 + "cell", "cell"),
        ("<b>" * 5_000 + "cell", "cell"),
    ],
    ids=["div300", "div20k", "links", "blanks", "a500k", "tables", "quotes", "lists", "bold"],
)
def test_deep_and_large(html, word, mail, look, parser):
    """C27."""
    storages = list(checked(mail(html=html), look, parser))
    assert all(word in storage for storage in storages)


@pytest.mark.scenario("A33")
def test_html_that_takes_too_long_gives_way_to_its_words(mail, look):
    html = "<div>" * 100_000 + "deep"
    with HtmlParser(time_limit=0.3) as parser:
        rendered = render_page(mail(html=html), look, parser=parser)
        assert parser.parse("<p>" + "next " * 20_000 + "</p>") is not None
    assert rendered.plain
    assert "<p>deep</p>" in rendered.storage
    assert "too large or too deep" in rendered.left_out[0].why
    assert allowed.check(rendered.storage) == []


def test_a_walk_of_a_hundred_thousand_levels(look):
    builder = TreeBuilder()
    builder.start("mail", {})
    for _ in range(100_000):
        builder.start("div", {})
    builder.data("deep")
    for _ in range(100_000):
        builder.end("div")
    builder.end("mail")
    assert emit.write(Reader(look).read(builder.close()), emit.PAGE) == "<p>deep</p>"


@pytest.mark.parametrize(
    "html",
    [
        "<script>" * 50_000 + "<!--" * 50_000, "<img src=" + " " * 60_000 + "data:", "data:" + "src=\n" * 10_000,
        "<a href='https://x.example/?" + "&token" * 8_000 + "'>x</a>", "http://x.example/" + ")" * 60_000,
        "<table><tr><td><a href='https://x.example/unsubscribe'>" * 1_000, "&#" + "0" * 60_000 + "1;", "|" * 60_000,
        "On " * 20_000 + "wrote:", ("From: a\n" * 7_000), "> " * 30_000, "<br>" * 15_000, "\t " * 30_000 + "x",
    ],
)  # fmt: skip
def test_nothing_takes_long(html, mail, look, parser):
    assert list(checked(mail(html=html), look, parser))
    assert list(checked(mail(text=html), look, parser))


def test_words_of_html_that_was_given_up():
    html = "<style>p{}</style><script>x</script><p>one &amp; two<br>three</p><div>four</div><!-- no -->"
    assert without_tags(html) == "one & two\nthree\nfour"


@pytest.mark.scenario("A33")
def test_a_body_over_the_limit_is_cut_at_a_block_and_says_so(mail, look, parser):
    message = mail(html="".join(f"<p>paragraph {n} " + "word " * 40 + "</p>" for n in range(2_000)))
    small = replace(look, max_body=100_000)
    rendered = render_page(message, small, parser=parser)
    assert 80_000 < len(rendered.storage.encode()) <= 100_000
    assert rendered.left_out[-1].name == "The rest of the text"
    assert "Not on this page" in rendered.storage
    assert allowed.check(rendered.storage) == []


def test_one_line_larger_than_the_page_is_shortened(mail, look, parser):
    rendered = render_page(mail(text="<&" * 200_000), replace(look, max_body=100_000), parser=parser)
    assert 10_000 < len(rendered.storage.encode()) <= 100_000
    assert allowed.check(rendered.storage) == []
