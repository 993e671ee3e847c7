"""HTML -> plain text, for comparing. Quick, and safe on hostile input; the page itself is made in ``bridge.render``."""

from __future__ import annotations

import re

import nh3

from bridge.mail.headers import clean_text

_BLOCK = re.compile(
    r"</?(?:address|article|aside|blockquote|body|br|caption|center|dd|div|dl|dt|fieldset|figure|footer|form|h[1-6]"
    r"|header|hr|li|main|nav|ol|p|pre|section|table|tbody|tfoot|thead|title|tr|ul)(?=[\s/>])",
    re.IGNORECASE,
)
_CELL = re.compile(r"</?t[dh](?=[\s/>])", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_AROUND_BREAK = re.compile(r" *\n[ \n]*")
_WORDS_EARLY = re.compile(
    r"<(?:p|div|td|th|span|a|b|strong|i|em|u|font|li|h[1-6]|br|body|pre|center|tt)\b[^<>]*>[^<>&]*[^\W_]", re.IGNORECASE
)
_PICTURE = re.compile(
    r"""<img\b[^<>]*?\balt\s*=\s*(?:"(?P<double>[^"<>]*)"|'(?P<single>[^'<>]*)')[^<>]*>""", re.IGNORECASE
)
_TAG = re.compile(r"</?(?!(?:script|style|title)\b)[a-z][^<>]*>", re.IGNORECASE)
_LARGE = 64 * 1024
_SHOWN = re.compile(r"<(?:img|table|hr|input|video|audio|svg)\b", re.IGNORECASE)
_ENTITIES = (("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))  # the only ones that nh3 writes


def plain_text(markup: str, *, pictures: bool = False) -> str:
    """The visible text of HTML: one line for each block, runs of blanks made one, no empty lines.

    Script, style and head content, comments and attributes are gone. No line of the result begins or ends with a blank.
    With ``pictures`` the alternative text of each picture stands in its place, on a line of its own.
    """
    squeezed = _SPACE.sub(" ", clean_text(markup))
    if pictures:
        squeezed = _PICTURE.sub(lambda match: f"<br>{match['double'] or match['single'] or ''}<br>", squeezed)
    broken = _CELL.sub(lambda match: " " + match[0], _BLOCK.sub(lambda match: "\n" + match[0], squeezed))
    if len(broken) > _LARGE:
        # The parser's time grows with the square of the nesting: 43 s for 100,000 open divs.
        broken = _TAG.sub("", broken)
    stripped = nh3.clean(broken, tags=set(), clean_content_tags={"script", "style", "title", "template"})
    text = stripped
    for entity, char in _ENTITIES:
        text = text.replace(entity, char)
    return _AROUND_BREAK.sub("\n", re.sub(" {2,}", " ", text)).strip()


def is_blank(markup: str) -> bool:
    """Has HTML nothing to see: no word and no picture?"""
    if _SHOWN.search(markup) or _WORDS_EARLY.search(markup):
        return False
    return not re.search(r"[^\W_]", plain_text(markup))
