from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.viewer import CSS, to_html


def shown(storage):
    return to_html(storage, attachment_url=lambda name: f"/files/{name}")


class Collector(HTMLParser):
    """Collects what could act."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes = set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]


def collected(html):
    collector = Collector()
    collector.feed(html)
    return collector


def test_the_panel():
    storage = (
        '<ac:structured-macro ac:name="panel"><ac:parameter ac:name="panelIconText">✉️</ac:parameter>'
        '<ac:parameter ac:name="bgColor">#F7F8F9</ac:parameter><ac:rich-text-body><p>a</p></ac:rich-text-body>'
        "</ac:structured-macro>"
    )
    assert shown(storage) == (
        '<div class="wiki-panel" style="background:#F7F8F9"><span>✉️</span><div><p>a</p></div></div>'
    )


@pytest.mark.parametrize(
    ("storage", "html"),
    [
        ("<p>a &amp; b<br/>c</p><hr/>", "<p>a &amp; b<br>c</p><hr>"),
        ("<h2>a</h2><blockquote><p>b</p></blockquote>", "<h2>a</h2><blockquote><p>b</p></blockquote>"),
        ('<p><span style="color: rgb(1,2,3);">a</span></p>', '<p><span style="color:rgb(1,2,3)">a</span></p>'),
        ('<table><tbody><tr><td colspan="2"><p>a</p></td></tr></tbody></table>',
         '<table><tbody><tr><td colspan="2"><p>a</p></td></tr></tbody></table>'),
        ('<a href="https://x.example/?a=1&amp;b=2">x</a>',
         '<a href="https://x.example/?a=1&amp;b=2" rel="noopener noreferrer">x</a>'),
        ('<a href="javascript:alert(1)">x</a>', "x"),
        ('<ac:structured-macro ac:name="expand"><ac:parameter ac:name="title">T &lt;</ac:parameter><ac:rich-text-body>'
         "<p>a</p></ac:rich-text-body></ac:structured-macro>",
         '<details class="wiki-expand"><summary>T &lt;</summary><p>a</p></details>'),
        ('<ac:structured-macro ac:name="code"><ac:plain-text-body><![CDATA[a < b\n&nbsp;]]></ac:plain-text-body>'
         "</ac:structured-macro>",
         "<pre><code>a &lt; b\n&amp;nbsp;</code></pre>"),
        ('<ac:structured-macro ac:name="status"><ac:parameter ac:name="title">Cancelled</ac:parameter>'
         '<ac:parameter ac:name="colour">Red</ac:parameter></ac:structured-macro>',
         '<span class="wiki-status wiki-status-red">Cancelled</span>'),
        ('<ac:image ac:alt="A" ac:width="48"><ri:attachment ri:filename="a.png"/></ac:image>',
         '<img src="/files/a.png" alt="A" width="48" loading="lazy">'),
        ('<ac:link><ri:attachment ri:filename="a.pdf"/><ac:plain-text-link-body><![CDATA[A]]>'
         "</ac:plain-text-link-body></ac:link>",
         '<a href="/files/a.pdf">A</a>'),
        ("<p>a&nbsp;b&hellip; &amp;lt;</p>", "<p>a\u00a0b… &amp;lt;</p>"),
        ('<p ac:local-id="1" local-id="2">a<ac:inline-comment-marker ac:ref="x">b</ac:inline-comment-marker></p>',
         "<p>ab</p>"),
    ],
)  # fmt: skip
def test_elements(storage, html):
    assert shown(storage) == html


def test_notes_and_warnings_have_their_own_look():
    for name in ("note", "warning", "info", "tip"):
        body = "<ac:rich-text-body><p>a</p></ac:rich-text-body>"
        storage = f'<ac:structured-macro ac:name="{name}">{body}</ac:structured-macro>'
        assert f'class="wiki-panel wiki-{name}"' in shown(storage)
        assert f".wiki-{name}{{" in CSS


def test_what_is_unknown_is_shown_as_its_source():
    body = "<ac:plain-text-body><![CDATA[<script>x</script>]]></ac:plain-text-body>"
    html = shown(f'<ac:structured-macro ac:name="html">{body}</ac:structured-macro>')
    assert "&lt;ac:structured-macro ac:name=&quot;html&quot;&gt;" in html
    assert "<script" not in html
    assert "&lt;iframe src=&quot;x&quot;&gt;" in shown('<iframe src="x">a</iframe>')
    assert "ri:url" in shown('<ac:image><ri:url ri:value="https://track.example/"/></ac:image>')
    assert shown("<p>a") == '<pre class="wiki-unknown">&lt;p&gt;a</pre>'


def test_an_attachments_address_cannot_run():
    storage = '<ac:image><ri:attachment ri:filename="a&quot;&gt;"/></ac:image>'
    assert to_html(storage, attachment_url=lambda name: "javascript:x").startswith('<img src="#"')
    assert collected(shown(storage)).tags == {"img"}


def test_a_hundred_thousand_levels():
    assert shown("<p>" * 100_000 + "a" + "</p>" * 100_000).count("<p>") == 100_000


PIECES = st.sampled_from(
    [
        "<p>", "</p>", '<a href="javascript:x">', "</a>", '<a href="https://x.example/" onclick="x">', "<script>",
        "</script>", "&nbsp;", '<span style="background:url(javascript:x);color:red">', "</span>", "<![CDATA[", "]]>",
        '<img src="x" onerror="y"/>', "<svg>", "</svg>", '<ac:image ac:alt="&quot; onload=">', "</ac:image>",
        '<ri:attachment ri:filename="javascript:x"/>', "text", "&lt;b&gt;",
    ]
)  # fmt: skip


@given(st.one_of(st.text(), st.lists(PIECES, max_size=14).map("".join)))
def test_no_input_gives_anything_that_acts(storage):
    collector = collected(shown(storage))
    assert not collector.tags & {"script", "iframe", "svg", "object", "style", "link", "form", "input", "base", "meta"}
    for _, name, value in collector.attributes:
        assert not name.startswith("on")
        assert name not in {"src", "href"} or value.startswith(("https://", "http://", "mailto:", "/files/"))
        assert name != "style" or "url" not in value
