from __future__ import annotations

from bridge.render import parse
from bridge.render.parse import HtmlParser


def test_small_html_is_parsed_in_this_process(parser):
    root = parser.parse("<P>a&nbsp;b<BR>c<img src=cid:x alt='\"<>&'></p><script>x</script>")
    assert [element.tag for element in root.iter()] == ["mail", "p", "br", "img"]
    assert root[0].text == "a\u00a0b"
    assert root[0][1].get("alt") == '"<>&'


def test_large_html_goes_to_a_child_that_comes_back_after_a_failure():
    with HtmlParser(time_limit=0.5) as parser:
        assert parser.parse("<p>" + "word " * 20_000).tag == "mail"
        assert parser.parse("<div>" * 100_000) is None
        assert parser.parse("<p>" + "word " * 20_000)[0].tag == "p"


def test_too_little_memory_is_no_crash():
    with HtmlParser(memory_limit=300 * 1024 * 1024, time_limit=60) as parser:
        assert parser.parse("<i>x</i>" * 780_000) is None
        assert parser.parse("<p>" + "word " * 20_000) is not None


def test_a_closed_parser_starts_again():
    parser = HtmlParser(time_limit=20)
    parser.close()
    assert parser.parse("<p>" + "word " * 20_000) is not None
    parser.close()
    parser.close()


def test_pictures_in_the_text_do_not_make_it_large(parser):
    html = '<p>a<img src="data:image/png;base64,' + "A" * (parse.LARGEST + 1) + '"></p>'
    assert parser.parse(html)[0][0].get("src") == "data:image/png"
    assert parser.parse("a" * (parse.LARGEST + 1)) is None
