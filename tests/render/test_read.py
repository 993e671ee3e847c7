from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.model import File, PlacedFile
from bridge.render import allowed, emit
from bridge.render.read import Reader


@pytest.fixture
def written(parser, look):
    """Return the storage format of HTML as a page has it."""

    def write(html, place=emit.PAGE, files=(), **wishes):
        storage = emit.write(Reader(replace(look, **wishes), files).read(parser.parse(html)), place)
        assert allowed.check(storage) == []
        return storage

    return write


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>a</p><p>b</p>", "<p>a</p><p>b</p>"),
        ("<div>a</div><div>b</div><div><br></div><div>c</div>", "<p>a<br/>b</p><p>c</p>"),
        ("a<br>b<br><br>c", "<p>a<br/>b</p><p>c</p>"),
        ("<h1>a</h1><h2>b</h2><h6>c</h6>", "<h2>a</h2><h3>b</h3><h6>c</h6>"),
        ("<h1><b>a</b></h1>", "<h2>a</h2>"),
        ("<p>  a \n b&nbsp; c </p>", "<p>a b\u00a0 c</p>"),
        ("<p>&nbsp;</p><p> </p><p>a</p>", "<p>a</p>"),
        ("<hr><p>a</p><hr><hr><p>b</p><hr>", "<p>a</p><hr/><p>b</p>"),
        ("<p>a <b>b <i>c</i></b> <s>d</s><sup>2</sup></p>",
         "<p>a <strong>b </strong><strong><em>c</em></strong> <s>d</s><sup>2</sup></p>"),
        ("<p><code>x &lt; y</code> <tt>z</tt></p>", "<p><code>x &lt; y</code> <code>z</code></p>"),
        ("<b style='font-weight:normal'>a</b><span style='font-weight:700'>b</span>", "<p>a<strong>b</strong></p>"),
        ("<p>a<!-- no -->b<o:p></o:p></p>", "<p>ab</p>"),
        ("<dl><dt>a</dt><dd>b</dd></dl>", "<p><strong>a</strong></p><p>b</p>"),
        ("<span style='white-space:pre-wrap'>a\nb</span>", "<p>a<br/>b</p>"),
        ("<pre class='moz-quote-pre' wrap=''>see https://x.example/a.\nb</pre>",
         '<p>see <a href="https://x.example/a">https://x.example/a</a>.<br/>b</p>'),
    ],
)  # fmt: skip
def test_lines(html, expected, written):
    assert written(html) == expected


def test_preformatted_text_keeps_its_blanks(written):
    assert written("<pre>\na\n  b<br>c</pre>") == (
        '<ac:structured-macro ac:name="code"><ac:plain-text-body><![CDATA[a\n  b\nc]]></ac:plain-text-body>'
        "</ac:structured-macro>"
    )


@pytest.mark.parametrize(
    "hidden",
    [
        "<div style='display:none !important'>x</div>", "<p hidden>x</p>", "<span style='visibility: hidden'>x</span>",
        "<div style='max-height:0px;overflow:hidden'>x</div>", "<div style='mso-hide:all'>x</div>",
        "<style>x</style>", "<title>x</title>", "<script>x</script>", "<div style='opacity:0'>x</div>",
    ],
)  # fmt: skip
def test_what_is_hidden_is_gone(hidden, written):
    assert written(f"<p>a</p>{hidden}<p>b</p>") == "<p>a</p><p>b</p>"


def test_lists(written):
    assert written("<ul><li>a<ol><li>b</li></ol></li><li><p>c</p><p>d</p></li></ul>") == (
        "<ul><li><p>a</p><ol><li><p>b</p></li></ol></li><li><p>c</p><p>d</p></li></ul>"
    )
    assert written("<ul>loose<ul><li>b</li></ul></ul>") == ("<ul><li><p>loose</p><ul><li><p>b</p></li></ul></li></ul>")
    assert written("<ul><li><h2>a</h2><blockquote>q</blockquote></li></ul>") == (
        "<ul><li><p><strong>a</strong></p><p>q</p></li></ul>"
    )
    assert written("<ul>" * 9 + "<li>deep").count("<ul>") == 6


def test_tables_of_data_stay(written):
    html = "<table><thead><tr><th>a<th>b</thead><tr><td colspan=2 rowspan=9>c<tr><td>d<td></table>"
    assert written(html) == (
        "<table><tbody><tr><th><p>a</p></th><th><p>b</p></th></tr>"
        '<tr><td colspan="2" rowspan="2"><p>c</p></td></tr><tr><td><p>d</p></td><td><p></p></td></tr></tbody></table>'
    )
    assert written("<table border=1><tr><td>a<td>b</table>").startswith("<table>")
    assert written("<table><tr><td>a<td>b<tr><td>c<td>d</table>").startswith("<table>")


def test_tables_of_layout_become_their_content(written):
    assert written("<table role=presentation border=1><tr><td>a<td>b<tr><td>c<td>d</table>") == (
        "<p>a</p><p>b</p><p>c</p><p>d</p>"
    )
    assert written("<table><tr><td><table border=1><tr><td>a<td>b</table></table>").count("<table>") == 1
    assert written("<table><tr><th>one column</th></tr></table>") == "<p>one column</p>"
    inner = "<table border=1><tr><td>x<td><table border=1><tr><td>a<td>b</table></table>"
    assert written(inner).count("<table>") == 1


def test_a_table_in_a_quote_stands_beside_it(written):
    html = "<blockquote>a<table border=1><tr><td>b<td>c</table>d<h1>e</h1></blockquote>"
    assert written(html) == (
        "<blockquote><p>a</p></blockquote><table><tbody><tr><td><p>b</p></td><td><p>c</p></td></tr></tbody></table>"
        "<blockquote><p>d</p><p><strong>e</strong></p></blockquote>"
    )


def test_quotes_do_not_nest(written):
    assert written("<blockquote>a<blockquote>b</blockquote>c</blockquote>") == (
        "<blockquote><p>a</p><p>b</p><p>c</p></blockquote>"
    )


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<a href='https://x.example/?a=1&amp;b=2'>x</a>", '<a href="https://x.example/?a=1&amp;b=2">x</a>'),
        ("<a href='mailto:a@b.example'>x</a>", '<a href="mailto:a@b.example">x</a>'),
        ("<a href='tel:+49301'>x</a>", '<a href="tel:+49301">x</a>'),
        ("<a href='ftp://x.example'>x</a>", "x"),
        ("<a href='#top'>x</a>", "x"),
        ("<a name='top'>x</a>", "x"),
        ("<a href='https://x.example/unsubscribe?u=1'>here</a>", "here"),
        ("<a href='https://x.example/a'>Log in to your account</a>", "Log in to your account"),
        ("<a href='https://calendar.google.com/calendar/event?action=RESPOND&rst=1'>Yes</a>", "Yes"),
        ("<a href='https://x.example/a'><u>b</u></a>", '<a href="https://x.example/a">b</a>'),
    ],
)
def test_links(html, expected, written):
    assert written(html) == f"<p>{expected}</p>"


def test_links_that_act_stay_if_wished(written):
    assert "<a " in written("<a href='https://x.example/unsubscribe?u=1'>here</a>", action_links="keep")


def test_colour_stays_where_it_can_be_read(written):
    red = '<p><span style="color: rgb(204,0,0);">a</span></p>'
    assert written("<font color='#c00'>a</font>") == red
    assert written("<span style='color: rgb(204, 0, 0)'>a</span>") == red
    for colour in ("yellow", "black", "#fff", "#777777", "url(x)", "rgb(300,0,0)"):
        assert written(f"<span style='color:{colour}'>a</span>") == "<p>a</p>"


LOGO = File("7", "logo.png", "image/png", "logo@x", 9, inline=True)


@pytest.fixture
def pictured(parser, look):
    """Return the storage format of HTML whose picture ``cid:logo@x`` stands on the page."""

    def write(html, place=emit.PAGE):
        stands = replace(look, files={"7": PlacedFile("logo.png", 9, "image/png")})
        return emit.write(Reader(stands, (LOGO,)).read(parser.parse(html)), place)

    return write


@pytest.mark.scenario("P4")
def test_attached_pictures_stand_on_their_own_line(pictured, written):
    html = "<p>a <img src='cid:logo%40x' alt='A \"Logo\"' width='2000'> b</p>"
    attachment = '<ri:attachment ri:filename="logo.png"/></ac:image>'
    assert pictured(html) == (
        f'<p>a</p><ac:image ac:alt="A &quot;Logo&quot;" ac:layout="center" ac:width="760">{attachment}<p>b</p>'
    )
    assert pictured("<img src='cid:logo@x'>") == f'<ac:image ac:alt="logo.png" ac:layout="center">{attachment}'
    assert pictured("<img src='cid:logo@x' style='width:48px'>").startswith(
        '<ac:image ac:alt="logo.png" ac:layout="center" ac:width="48">'
    )
    assert written(html) == '<p>a A "Logo" b</p>'


def test_attached_pictures_are_links_in_comments(pictured):
    assert pictured("<img src='cid:logo@x' alt='Logo'>", emit.COMMENT) == f"<p>{emit.file_link('logo.png', 'Logo')}</p>"


def test_a_linked_picture_keeps_its_link_in_words(pictured, written):
    assert pictured("<a href='https://x.example/'><img src='cid:logo@x' alt='Logo'></a>").endswith(
        '</ac:image><p><a href="https://x.example/">Logo</a></p>'
    )
    assert written("<a href='https://x.example/'><img src='https://y.example/b.png' alt='Shop'></a>") == (
        '<p><a href="https://x.example/">Shop</a></p>'
    )


def test_remote_pictures(written):
    assert written("<img src='https://y.example/b.png'>") == (
        '<p><a href="https://y.example/b.png">[picture: y.example]</a></p>'
    )
    assert written("<img src='https://y.example/b.png' alt='Logo'>", remote_images="drop") == "<p>Logo</p>"
    for tracker in ("width=1 height=1", "style='width:1px'", "height=20", "style='display:none'"):
        assert written(f"a<img src='https://y.example/b' {tracker}>") == "<p>a</p>"
    assert written("a<img src='https://y.example/spacer.gif'>") == "<p>a</p>"
    assert written("a <img src='https://y.example/e.png' alt='😀'>") == "<p>a 😀</p>"
    assert written("a <img src='b.png' alt='b'>") == "<p>a b</p>"
