"""Storage format -> safe HTML to look at: previews, the web page, a wiki to try things out.

It shows what Confluence would show of the elements that the bridge writes and of those that people's edits bring.
Everything else is shown as its source, escaped. Links lead to http, https or mailto; nothing else can be clicked,
loaded or run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape, unescape
from itertools import islice
from typing import TypeAlias
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

_AC = "{http://atlassian.com/content}"
_RI = "{http://atlassian.com/resource/identifier}"
_ROOT = '<root xmlns:ac="http://atlassian.com/content" xmlns:ri="http://atlassian.com/resource/identifier">'

_PLAIN = frozenset(
    "p h1 h2 h3 h4 h5 h6 blockquote pre strong em u s del ins sub sup code ul ol li small big thead tbody tr dl dt dd"
    " colgroup caption".split()
)
_LINK = re.compile(r"(?:https?://|mailto:)[^\s\"'<>\\]+", re.IGNORECASE)
_COLOUR = re.compile(r"\s*(color|text-align|margin-left|width|background-color):\s*([#\w(),.% -]{1,40})\s*;?\s*")
_ENTITY = re.compile(r"(<!\[CDATA\[.*?\]\]>)|&(?!(?:amp|lt|gt|quot|apos);)[A-Za-z][A-Za-z0-9]{1,30};", re.DOTALL)
_NUMBER = re.compile(r"[1-9]\d{0,3}")
_STATUS = frozenset({"grey", "red", "yellow", "green", "blue", "purple"})
_PANELS = frozenset({"panel", "info", "note", "tip", "warning"})
_HEX = re.compile(r"#[0-9A-Fa-f]{6}")

_MOST_TAGS = 8

_Opening: TypeAlias = tuple[str, str]

CSS = """
.wiki-content{color:#172b4d;font:16px/1.5 -apple-system,BlinkMacSystemFont,"Segoe UI",Roboto,"Noto Sans",sans-serif;
max-width:760px;overflow-wrap:anywhere}
.wiki-content p{margin:.75em 0}.wiki-content li p{margin:.25em 0}
.wiki-content h1,.wiki-content h2,.wiki-content h3,.wiki-content h4,.wiki-content h5{
line-height:1.25;margin:1.4em 0 .5em;font-weight:600}
.wiki-content h1{font-size:1.7em}.wiki-content h2{font-size:1.43em}.wiki-content h3{font-size:1.2em}
.wiki-content a{color:#0c66e4}
.wiki-content blockquote{margin:.75em 0;padding:0 0 0 16px;border-left:2px solid #dcdfe4;color:#44546f}
.wiki-content pre,.wiki-content code{font:14px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;
background:#f1f2f4}
.wiki-content code{padding:2px 4px;border-radius:3px}
.wiki-content pre{padding:12px 16px;border-radius:3px;overflow:auto;white-space:pre;overflow-wrap:normal}
.wiki-content table{color:inherit;font:inherit;border-collapse:collapse;margin:1em 0;max-width:100%}
.wiki-content th,.wiki-content td{border:1px solid #c1c7d0;padding:8px;vertical-align:top;text-align:left}
.wiki-content th{background:#f4f5f7;font-weight:600}
.wiki-content td>p:first-child,.wiki-content th>p:first-child{margin:0}
.wiki-content img{display:block;max-width:100%;height:auto;margin:1em auto}
.wiki-content hr{border:0;border-top:2px solid #dcdfe4;margin:1.5em 0}
.wiki-panel{display:flex;gap:12px;border-radius:3px;padding:8px 16px;margin:.75em 0;background:#f7f8f9}
.wiki-panel>div{flex:1;min-width:0}.wiki-panel>span{padding-top:.6em}
.wiki-info{background:#e9f2ff}.wiki-tip{background:#dcfff1}.wiki-note{background:#f3f0ff}.wiki-warning{background:#fff7d6}
.wiki-expand{border:1px solid #dcdfe4;border-radius:3px;padding:6px 12px;margin:.75em 0}
.wiki-expand>summary{cursor:pointer;color:#44546f}
.wiki-status{font-size:.72em;font-weight:700;text-transform:uppercase;border-radius:3px;padding:2px 5px;
background:#dfe1e6}
.wiki-status-red{background:#ffd5d2;color:#ae2a19}.wiki-status-green{background:#baf3db;color:#216e4e}
.wiki-status-yellow{background:#f8e6a0;color:#7f5f01}.wiki-status-blue{background:#cce0ff;color:#0055cc}
.wiki-status-purple{background:#dfd8fd;color:#5e4db2}
.wiki-unknown{display:block;font:13px monospace;color:#626f86;border:1px dashed #c1c7d0;padding:4px 8px;
white-space:pre-wrap}
"""
"""Styles for the HTML; it goes into an element of the class ``wiki-content``."""


def to_html(storage: str, *, attachment_url: Callable[[str], str]) -> str:
    """Return a body in storage format as an HTML fragment without scripts.

    Args:
        storage: may come from anybody; what is not well-formed is shown as its source.
        attachment_url: from an attachment's name to the address of its bytes: a path, or http(s).
    """
    known = _ENTITY.sub(lambda match: match[1] or escape(unescape(match[0])), storage)
    try:
        root = ElementTree.fromstring(f"{_ROOT}{known}</root>")
    except (ElementTree.ParseError, UnicodeEncodeError):
        shown = storage.encode("utf-8", "replace").decode()
        return f'<pre class="wiki-unknown">{escape(shown)}</pre>'
    return _Writer(attachment_url).write(root)


class _Writer:
    """Writes one fragment; the walk keeps its own stack."""

    def __init__(self, attachment_url: Callable[[str], str]) -> None:
        self._attachment_url = attachment_url
        self._macros: Mapping[str, Callable[[Element], _Opening | str]] = {
            "expand": self._expand,
            "status": self._status,
            "code": self._code,
            "noformat": self._code,
            **dict.fromkeys(_PANELS, self._panel),
        }

    def write(self, root: Element) -> str:
        out: list[str] = []
        stack: list[Element | str] = list(reversed(root))
        out.append(escape(root.text or ""))
        while stack:
            item = stack.pop()
            if isinstance(item, str):
                out.append(item)
                continue
            if item.tail:
                stack.append(escape(item.tail))
            opening = self._open(item)
            if isinstance(opening, str):
                out.append(opening)
                continue
            out.append(opening[0])
            stack.append(opening[1])
            stack.extend(reversed(item))
            out.append(escape(item.text or ""))
        return "".join(out)

    def _open(self, element: Element) -> _Opening | str:
        """Return what stands before and after an element's content, or all of it where that is shown otherwise."""
        tag = element.tag
        if tag in _PLAIN:
            return f"<{tag}{_style(element)}>", f"</{tag}>"
        if tag in {"br", "hr"}:
            return f"<{tag}>"
        if tag in {"span", "div", "table", "th", "td"}:
            return f"<{tag}{_spans(element)}{_style(element)}>", f"</{tag}>"
        if tag == "col":
            return f"<col{_style(element)}>"
        if tag == "a":
            href = element.get("href", "").strip()
            safe = _LINK.fullmatch(href)
            return (f'<a href="{escape(href)}" rel="noopener noreferrer">', "</a>") if safe else ("", "")
        if tag == "time":
            return escape(element.get("datetime", ""))
        if tag == f"{_AC}structured-macro":
            macro = self._macros.get(element.get(f"{_AC}name", ""))
            return macro(element) if macro else _source(element)
        if tag == f"{_AC}image":
            return self._image(element)
        if tag == f"{_AC}link":
            return self._link(element)
        if tag in {f"{_AC}rich-text-body", f"{_AC}inline-comment-marker", f"{_AC}link-body"}:
            return "", ""
        if tag == f"{_AC}parameter":
            return ""
        return _source(element)

    def _panel(self, element: Element) -> _Opening:
        name = element.get(f"{_AC}name", "")
        kind = "" if name == "panel" else f" wiki-{name}"
        icon = {"info": "ℹ️", "tip": "✅", "note": "✎", "warning": "⚠️"}.get(name, _parameter(element, "panelIconText"))
        colour = _parameter(element, "bgColor")
        style = f' style="background:{colour}"' if _HEX.fullmatch(colour) else ""
        shown = f"<span>{escape(icon)}</span>" if icon else ""
        return f'<div class="wiki-panel{kind}"{style}>{shown}<div>', "</div></div>"

    def _expand(self, element: Element) -> _Opening:
        title = _parameter(element, "title") or "Click here to expand..."
        return f'<details class="wiki-expand"><summary>{escape(title)}</summary>', "</details>"

    def _status(self, element: Element) -> str:
        colour = _parameter(element, "colour").lower()
        kind = f" wiki-status-{colour}" if colour in _STATUS else ""
        return f'<span class="wiki-status{kind}">{escape(_parameter(element, "title"))}</span>'

    def _code(self, element: Element) -> str:
        body = element.find(f"{_AC}plain-text-body")
        return f"<pre><code>{escape('' if body is None else body.text or '')}</code></pre>"

    def _image(self, element: Element) -> str:
        attachment = element.find(f"{_RI}attachment")
        if attachment is None:  # a picture from elsewhere is never loaded
            return _source(element)
        name = attachment.get(f"{_RI}filename", "")
        width = element.get(f"{_AC}width", "")
        sized = f' width="{width}"' if _NUMBER.fullmatch(width) else ""
        alt = element.get(f"{_AC}alt", "") or name
        return f'<img src="{escape(self._url(name))}" alt="{escape(alt)}"{sized} loading="lazy">'

    def _link(self, element: Element) -> _Opening | str:
        attachment = element.find(f"{_RI}attachment")
        if attachment is None:
            return _source(element)
        name = attachment.get(f"{_RI}filename", "")
        body = element.find(f"{_AC}plain-text-link-body")
        if body is None:
            body = element.find(f"{_AC}link-body")
        text = "".join(body.itertext()) if body is not None else ""
        return f'<a href="{escape(self._url(name))}">{escape(text.strip() or name)}</a>'

    def _url(self, name: str) -> str:
        url = self._attachment_url(name)
        scheme = re.match(r"\s*([A-Za-z][A-Za-z0-9+.-]*):", url)
        return url if scheme is None or scheme[1].lower() in {"http", "https"} else "#"


def _parameter(element: Element, name: str) -> str:
    for child in element.iterfind(f"{_AC}parameter"):
        if child.get(f"{_AC}name") == name:
            return "".join(child.itertext()).strip()
    return ""


def _style(element: Element) -> str:
    kept = [
        f"{match[1]}:{match[2].strip()}"
        for declaration in element.get("style", "").split(";")
        if (match := _COLOUR.fullmatch(declaration)) and "url" not in match[2].lower()
    ]
    return f' style="{escape(";".join(kept))}"' if kept else ""


def _spans(element: Element) -> str:
    return "".join(
        f' {name}="{value}"' for name in ("colspan", "rowspan") if _NUMBER.fullmatch(value := element.get(name, ""))
    )


def _source(element: Element) -> str:
    """Return an element that is not known as the source of its tags and its text, both cut short."""
    tags = "".join(_tag(one) for one in islice(element.iter(), _MOST_TAGS))
    text = "".join(element.itertext())
    return f'<code class="wiki-unknown">{escape(tags[:400])} {escape(text[:2000])}</code>'


def _tag(element: Element) -> str:
    attributes = "".join(f' {_prefixed(key)}="{value}"' for key, value in element.attrib.items())
    return f"<{_prefixed(element.tag)}{attributes}>"


def _prefixed(name: str) -> str:
    return name.replace(_AC, "ac:").replace(_RI, "ri:")
