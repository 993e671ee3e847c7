from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mail.text import is_blank, plain_text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>a<br>b &lt;x&gt; &nbsp; c</p><p>d", "a\nb <x> c\nd"),
        ("<style>p {}</style><script>x()</script><title>t</title><!-- c -->e", "e"),
        ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1 2\n3"),
        ("one\n   two<b>three</b>", "one twothree"),
        ("a &amp;lt; b &eacute;", "a &lt; b é"),
        ("<div>" * 300 + "deep" + "</div>" * 300, "deep"),
        ("", ""),
        ("\0a\ud800b", "ab"),
    ],
)
def test_lines(markup: str, text: str) -> None:
    assert plain_text(markup) == text


@pytest.mark.parametrize(
    ("markup", "blank"),
    [
        ("<html><body><p>&nbsp;</p><br></body></html>", True),
        ("<style>b {}</style>", True),
        ("", True),
        ("<p>a", False),
        ("&auml;", False),
        ("text", False),
        ('<img src="https://example.com/a.png">', False),
    ],
)
def test_blank(markup: str, blank: bool) -> None:
    assert is_blank(markup) is blank


@given(st.text(st.characters(), max_size=200) | st.text("<>/ab&;!-\"'= ", max_size=100))
def test_never_raises(markup: str) -> None:
    plain_text(markup).encode("utf-8")
    is_blank(markup)
