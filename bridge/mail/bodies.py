"""Which parts of a mail are its body, and which are files. The same for Gmail's payload and for an .eml."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import unquote

from bridge.mail import charset, flowed
from bridge.mail.headers import clean_text
from bridge.mail.parts import MAX_DEPTH, Part, uuencoded
from bridge.mail.text import is_blank
from bridge.model import Body, File

_CID = re.compile(r"cid:([^\"'\s<>)]+)", re.IGNORECASE)
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([A-Za-z0-9_:.-]{2,40})", re.IGNORECASE)
_SILENT = ("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature")


@dataclass(frozen=True, slots=True)
class Selection:
    """The bodies in reading order, and every file of the mail in the order of its parts."""

    bodies: tuple[Body, ...]
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class _Item:
    part: Part
    shown: bool  # text of the body, else a file
    placed: bool = True  # a file that may stand in the reading order
    text: str | None = None


def select(root: Part, hint: str | None = None) -> Selection:
    """Choose the body of a mail whose top part is ``root``; ``hint`` is a charset label for text that has none.

    Of alternatives the last that shows something wins, HTML before text. A file without the disposition "attachment"
    keeps its place where text follows it. Files that the HTML refers to by cid are inline, images in a place too.
    """
    if not root.parts and root.disposition != "attachment" and root.mime_type in ("text/plain", "text/html"):
        root = replace(root, name="")  # the only part is the body, even if it has a name
    items = [_decoded(item, hint) if item.shown else item for item in _walk(root, hint, 0)]
    items = _one_calendar([item for item in items if not item.shown or (item.text or "").strip()])
    cids = {cid for item in items if item.shown and item.part.is_html for cid in _cids(item.text or "")}
    last = max((number for number, item in enumerate(items) if item.shown), default=-1)
    bodies: list[Body] = []
    files: list[File] = []
    for number, item in enumerate(items):
        part = item.part
        if item.shown:
            kind, written = ("html", item.text or "") if part.is_html else ("text", item.text or "")
            if kind == "html":
                bodies.append(Body("html", written, part.part_id))
            else:
                _add_text(part, written, bodies, files)
            continue
        referenced = bool(part.content_id) and part.content_id in cids
        placed = item.placed and not referenced and number < last
        if placed:
            bodies.append(Body("file", "", part.part_id))
        files.append(part.file(inline=referenced or (placed and part.mime_type.startswith("image/"))))
    while bodies and bodies[-1].kind == "file":
        bodies.pop()  # nothing follows: it is a file like any other
    return Selection(tuple(bodies), tuple(files))


def text_parts(root: Part) -> Iterator[Part]:
    """The parts that may be body text, for those who must fetch what Gmail keeps elsewhere."""
    for item in _walk(root, None, 0, choose=False):
        if (
            item.shown
            or item.part.mime_type == "text/calendar"
            or (item.part is root and root.mime_type[:5] == "text/")
        ):
            yield item.part


def text_of(part: Part, hint: str | None = None) -> str:
    """The decoded text of a part: its declared charset, else what its HTML declares, else ``hint``."""
    data = part.data or b""
    declared = part.parameters.get("charset")
    if part.is_html and charset.codec_of(declared) is None and not data.isascii():
        found = _META.search(data[:4096])
        declared = found[1].decode("ascii") if found else declared
    text = clean_text(charset.decode(data, declared, hint))
    if part.parameters.get("format", "").lower() == "flowed" and not part.is_html:
        return flowed.unwrap(text, delete_space=part.parameters.get("delsp", "").lower() == "yes")
    return text


def _walk(part: Part, hint: str | None, depth: int, *, choose: bool = True) -> list[_Item]:
    if part.mime_type.startswith("multipart/") and part.parts:
        if depth > MAX_DEPTH:
            return []
        if part.mime_type == "multipart/alternative":
            children = [_walk(child, hint, depth + 1, choose=choose) for child in part.parts]
            return _alternative(children, hint) if choose else [item for child in children for item in child]
        if part.mime_type == "multipart/related":
            return _related(part, hint, depth, choose=choose)
        return [item for child in part.parts for item in _walk(child, hint, depth + 1, choose=choose)]
    if part.is_text:
        return [_Item(part, shown=True)]
    silent = part.mime_type in _SILENT or part.mime_type.startswith(("message/", "text/calendar", "text/rfc822"))
    return [_Item(part, shown=False, placed=part.disposition != "attachment" and not silent)]


def _alternative(children: list[list[_Item]], hint: str | None) -> list[_Item]:
    """The items of the best child, and the files of the others (a calendar, an invoice)."""
    best, chosen = 0, len(children) - 1
    worths = []
    for number, items in enumerate(children):
        items[:] = [_decoded(item, hint) if item.shown else item for item in items]
        worths.append(max((_worth(item) for item in items), default=0))
        if worths[-1] >= best and worths[-1]:
            best, chosen = worths[-1], number
    out: list[_Item] = []
    for number, items in enumerate(children):
        if number == chosen:
            out.extend(items)
        else:
            # Unnamed text of another kind (AMP, enriched) is one more form of the body, no file.
            out.extend(
                replace(item, placed=False)
                for item in items
                if not item.shown
                and (item.part.name or item.part.mime_type == "text/calendar" or not _is_form(item.part))
            )
    return out


def _is_form(part: Part) -> bool:
    return part.mime_type.startswith("text/") and part.disposition != "attachment"


def _worth(item: _Item) -> int:
    if not item.shown:
        return 0
    if item.text is None or (item.part.data is None and item.part.size):
        return 3 if item.part.is_html else 2
    if item.part.is_html:
        return 1 if is_blank(item.text) else 3
    return 2 if item.text.strip() else 0


def _related(part: Part, hint: str | None, depth: int, *, choose: bool) -> list[_Item]:
    """The root with its text; all else is a file, unnamed text too."""
    start = part.parameters.get("start", "").strip("<> ")
    roots = [child for child in part.parts if start and child.content_id == start]
    roots += [child for child in part.parts if child.is_text or child.mime_type.startswith("multipart/")]
    root = roots[0] if roots else part.parts[0]
    out: list[_Item] = []
    for child in part.parts:
        items = _walk(child, hint, depth + 1, choose=choose)
        out.extend(items if child is root else [replace(item, shown=False, placed=False) for item in items])
    return out


def _decoded(item: _Item, hint: str | None) -> _Item:
    return item if item.text is not None else replace(item, text=text_of(item.part, hint))


def _cids(markup: str) -> Iterator[str]:
    for match in _CID.finditer(markup):
        yield unquote(html.unescape(match[1]))


def _one_calendar(items: list[_Item]) -> list[_Item]:
    """An event that comes twice, as a form of the body and as a named file, is kept once, with name and data."""
    calendars = [
        item for item in items if item.part.mime_type in ("text/calendar", "application/ics") and not item.shown
    ]
    unnamed = [item for item in calendars if not item.part.name]
    named = [item for item in calendars if item.part.name]
    for item in unnamed:
        twin = next((other for other in named if _same(other.part, item.part, alone=len(calendars) == 2)), None)
        if twin is not None:
            data = twin.part.data if twin.part.data is not None else item.part.data
            kept = replace(twin, part=replace(twin.part, data=data))
            items = [kept if other is twin else other for other in items if other is not item]
            named = [other for other in named if other is not twin]
    return items


def _same(named: Part, unnamed: Part, *, alone: bool) -> bool:
    if named.data is not None and unnamed.data is not None:
        return alone or named.data.split() == unnamed.data.split()
    return alone or named.size == unnamed.size


def _add_text(part: Part, text: str, bodies: list[Body], files: list[File]) -> None:
    """Plain text; uuencoded files in it become files in their place."""
    pieces: Iterable[str | tuple[str, bytes]] = uuencoded(text) if "begin" in text else (text,)
    count = 0
    for piece in pieces:
        if isinstance(piece, str):
            if piece.strip():
                bodies.append(Body("text", piece, part.part_id))
            continue
        name, data = piece
        count += 1
        part_id = f"{part.part_id or '0'}.uu{count}"
        bodies.append(Body("file", "", part_id))
        files.append(File(part_id, name, "application/octet-stream", "", len(data), False, data))
