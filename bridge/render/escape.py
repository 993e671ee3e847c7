"""Text into XML: what may stand there, and how."""

from __future__ import annotations

import re

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_BLANKS = re.compile(r"[ \t\n\r\f]+")


def legal(text: str) -> str:
    """Return the text without the code points that XML 1.0 forbids (Confluence answers 400 to them)."""
    return _ILLEGAL.sub("", text)


def text(value: str) -> str:
    """Return the value as the content of an element; line ends are line feeds."""
    value = legal(value).replace("\r\n", "\n").replace("\r", "\n")
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def attribute(value: str) -> str:
    """Return the value as what stands between the double quotes of an attribute, on one line."""
    return text(_BLANKS.sub(" ", value)).replace('"', "&quot;")


def cdata(value: str) -> str:
    """Return the value as CDATA sections: the one sequence that would end a section is split over two."""
    value = legal(value).replace("\r\n", "\n").replace("\r", "\n")
    return "<![CDATA[" + value.replace("]]>", "]]]]><![CDATA[>") + "]]>"


def one_line(value: str) -> str:
    """Return the legal text with every run of blanks and line ends as one blank, and none at the ends."""
    return _BLANKS.sub(" ", legal(value)).strip(" ")
