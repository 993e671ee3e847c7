"""Sanitised tree -> blocks: the second allow-list. What has no rule here is nothing but the text that it holds.

The walk keeps its own stack, since a mail may nest a hundred thousand levels deep.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias
from xml.etree.ElementTree import Element

from bridge.model import File, Look
from bridge.render import images, links, plain, style
from bridge.render.blocks import Block, Mark, Picture, Pre, Rule
from bridge.render.build import Builder, TableHints

_Leave: TypeAlias = Callable[[], None]

_MARKS: Mapping[str, Mark] = {
    "b": "strong", "strong": "strong", "i": "em", "em": "em", "cite": "em", "dfn": "em", "var": "em",
    "u": "u", "ins": "u", "s": "s", "strike": "s", "del": "s", "sub": "sub", "sup": "sup",
    "code": "code", "tt": "code", "kbd": "code", "samp": "code",
}  # fmt: skip
_HEADINGS = {"h1": "h2", "h2": "h3", "h3": "h4", "h4": "h5", "h5": "h6", "h6": "h6"}
_PARAGRAPHS = frozenset({"p", "dd", "figure", "figcaption", "caption", "details", "fieldset", "hgroup", "dl"})
_DIVISIONS = frozenset("div address article aside center footer form header legend main nav section summary".split())
_PREFORMATTED = frozenset({"pre", "listing", "plaintext", "xmp"})
_LISTS = frozenset({"ul", "ol", "menu", "dir"})
_TABLE_PARTS = frozenset({"table", "tr", "td", "th"})
_SIGNATURE_CLASSES = frozenset({"gmail_signature", "moz-signature"})
_SIGNATURE_IDS = frozenset({"signature", "ms-outlook-mobile-signature", "applemailsignature"})
_QUOTE_CLASSES = frozenset({"gmail_quote", "yahoo_quoted", "protonmail_quote", "moz-cite", "zmail_extra"})


class Reader:
    """Reads one tree. ``embedded`` counts the pictures that stood in the HTML itself and stayed behind."""

    def __init__(self, look: Look, files: tuple[File, ...] = ()) -> None:
        self._look = look
        self._files = images.by_content_id(files, look)
        self._builder = Builder()
        self._marks: dict[Mark, int] = {}
        self._mark_set: frozenset[Mark] = frozenset()
        self._hrefs = [""]
        self._colours = [""]
        self._keeps_lines = [False]
        self._styles: dict[str, style.Style] = {}
        self._written = 0
        self._alt = ""
        self.embedded = 0

    def read(self, root: Element) -> list[Block]:
        """Return the blocks of the tree."""
        stack: list[Element | str | _Leave] = [root]
        while stack:
            item = stack.pop()
            if isinstance(item, str):
                self._text(item)
            elif isinstance(item, Element):
                if item.tail and item is not root:
                    stack.append(item.tail)
                leaves = self._enter(item)
                if leaves is None:
                    continue
                stack.extend(leaves)
                stack.extend(reversed(item))
                if item.text:
                    stack.append(item.text)
            else:
                item()
        return self._builder.finish()

    def _text(self, text: str) -> None:
        if not text.isspace():
            self._written += 1
        href, colour = self._hrefs[-1], self._colours[-1]
        self._builder.text(text, self._mark_set, href, "" if href else colour, keep_lines=self._keeps_lines[-1])

    def _enter(self, element: Element) -> list[_Leave] | None:
        """Open an element; return what closes it (last first), or None where its content does not count."""
        attributes = element.attrib
        look = self._style(attributes)
        tag = element.tag
        if look.hidden or "hidden" in attributes:
            return None
        if tag == "br":
            self._builder.line_break()
            return None
        if tag == "hr":
            self._builder.block(Rule())
            return None
        if tag == "img":
            self._image(attributes, look)
            return None
        if tag in _PREFORMATTED:
            self._preformatted(element)
            return None
        leaves = self._open_block(tag, attributes)
        if tag == "a" and (href := attributes.get("href")):
            leaves.extend(self._open_link(element, href))
        leaves.extend(self._open_look(tag, attributes, look))
        return leaves

    def _open_block(self, tag: str, attributes: Mapping[str, str]) -> list[_Leave]:
        builder = self._builder
        leaves: list[_Leave] = []
        if tag in _TABLE_PARTS:
            leaves.extend(self._open_table_part(tag, attributes))
        elif tag in _LISTS:
            leaves.append(builder.close_list if builder.open_list(tag == "ol") else builder.boundary)
        elif tag == "li":
            leaves.append(builder.close_item if builder.open_item() else builder.boundary)
        elif tag == "blockquote":
            opened = builder.open_quote(_quotes_mail(attributes))
            leaves.append(lambda: builder.close_quote(opened))
        elif tag in _HEADINGS:
            leaves.append(self._open_heading(_HEADINGS[tag]))
        elif tag in _PARAGRAPHS or tag == "dt":
            builder.boundary()
            leaves.append(builder.boundary)
        elif tag in _DIVISIONS:
            builder.soft_boundary()
            leaves.append(builder.soft_boundary)
        if _is_signature(attributes) and builder.open_region():
            leaves.append(builder.close_region)
        return leaves

    def _open_heading(self, tag: str) -> _Leave:
        builder = self._builder
        builder.boundary()
        before, builder.tag = builder.tag, tag

        def leave() -> None:
            builder.boundary()
            builder.tag = before

        return leave

    def _open_table_part(self, tag: str, attributes: Mapping[str, str]) -> list[_Leave]:
        builder = self._builder
        if tag == "table":
            opened, close = builder.open_table(_hints(attributes)), builder.close_table
        elif tag == "tr":
            opened, close = builder.open_row(), builder.close_row
        else:
            spans = (_number(attributes.get("colspan")), _number(attributes.get("rowspan")))
            opened, close = builder.open_cell(tag == "th", *spans), builder.close_cell
        return [close if opened else builder.boundary]

    def _open_link(self, element: Element, href: str) -> list[_Leave]:
        address = links.safe_address(href)
        if not address or len(self._hrefs) > 1:
            return []
        text = " ".join("".join(element.itertext()).split())
        if self._look.action_links == "drop" and links.acts(address, text):
            self._hrefs.append("")
            return [lambda: self._drop(self._hrefs)]
        written = self._written
        self._alt = ""
        self._hrefs.append(address)

        def leave() -> None:
            if self._written == written and self._alt:  # a picture that was a link: give the link words
                self._text(self._alt)
            self._alt = ""
            self._hrefs.pop()

        return [leave]

    def _open_look(self, tag: str, attributes: Mapping[str, str], look: style.Style) -> list[_Leave]:
        leaves: list[_Leave] = []
        marks: list[Mark] = []
        if (mark := _MARKS.get(tag)) and not (
            (mark == "strong" and look.bold is False) or (mark == "em" and look.italic is False)
        ):
            marks.append(mark)
        if tag == "dt" or (look.bold and "strong" not in marks and tag not in _HEADINGS):
            marks.append("strong")
        if look.italic and "em" not in marks:
            marks.append("em")
        if look.struck and "s" not in marks:
            marks.append("s")
        if look.underline and tag != "a" and "u" not in marks:
            marks.append("u")
        if marks:
            self._change(marks, 1)
            leaves.append(lambda: self._change(marks, -1))
        colour = look.colour or (style.colour(attributes.get("color", "")) if tag == "font" else "")
        if colour:
            self._colours.append(colour)
            leaves.append(lambda: self._drop(self._colours))
        if look.keeps_lines is not None:
            self._keeps_lines.append(look.keeps_lines)
            leaves.append(lambda: self._drop(self._keeps_lines))
        return leaves

    def _change(self, marks: list[Mark], by: int) -> None:
        for mark in marks:
            self._marks[mark] = self._marks.get(mark, 0) + by
        self._mark_set = frozenset(mark for mark, depth in self._marks.items() if depth)

    @staticmethod
    def _drop(stack: list[str] | list[bool]) -> None:
        stack.pop()

    def _image(self, attributes: Mapping[str, str], look: style.Style) -> None:
        verdict = images.judge(attributes, look, self._files, self._look)
        linked = self._hrefs[-1]
        if verdict.what == "show":
            self._builder.block(Picture(verdict.file, verdict.text, verdict.width))
            if linked:
                self._alt = images.link_text(verdict.text, linked)
        elif verdict.what == "embedded":
            self.embedded += 1
            if verdict.text:
                self._text(verdict.text)
        elif verdict.what == "link":
            if linked:
                self._alt = self._alt or images.link_text(verdict.text, linked)
            else:
                self._hrefs.append(verdict.href)
                self._text(images.link_text(verdict.text, verdict.href))
                self._hrefs.pop()
        elif verdict.what == "text" and verdict.text:
            self._text(verdict.text)

    def _preformatted(self, element: Element) -> None:
        text = _verbatim(element)
        classes = element.get("class", "")
        if "moz-quote-pre" in classes or "moz-text" in classes or element.get("wrap") is not None:
            self._builder.boundary()
            for block in plain.blocks(text, self._look, level=self._builder.quotes):
                self._builder.block(block)
        elif text.strip():
            self._builder.block(Pre(text.strip("\n"), self._builder.quotes))
        self._written += 1

    def _style(self, attributes: Mapping[str, str]) -> style.Style:
        text = attributes.get("style")
        if not text:
            return style.PLAIN
        found = self._styles.get(text)
        if found is None:
            found = self._styles[text] = style.parse(text)
        return found


def _verbatim(element: Element) -> str:
    """Return all text with its blanks, ``br`` as a line end; walked without recursion."""
    parts: list[str] = []
    stack: list[Element | str] = [element]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            parts.append(item)
            continue
        if item.tail and item is not element:
            stack.append(item.tail)
        if item.tag == "br":
            parts.append("\n")
        stack.extend(reversed(item))
        if item.text:
            stack.append(item.text)
    return "".join(parts)


def _quotes_mail(attributes: Mapping[str, str]) -> bool:
    classes = set(attributes.get("class", "").lower().split())
    return attributes.get("type", "").lower() == "cite" or "cite" in attributes or bool(classes & _QUOTE_CLASSES)


def _is_signature(attributes: Mapping[str, str]) -> bool:
    classes = set(attributes.get("class", "").lower().split())
    name = attributes.get("id", "").lower()
    return (
        bool(classes & _SIGNATURE_CLASSES)
        or name in _SIGNATURE_IDS
        or (attributes.get("data-smartmail", "") == "gmail_signature")
    )


def _hints(attributes: Mapping[str, str]) -> TableHints:
    classes = attributes.get("class", "").lower()
    border = attributes.get("border", "0").strip() not in {"", "0", "none"}
    return TableHints(
        data=border or "msotablegrid" in classes or "confluencetable" in classes,
        layout=attributes.get("role", "").lower() in {"presentation", "none"},
    )


def _number(value: str | None) -> int:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 4 else 1
