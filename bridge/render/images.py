"""What becomes of a picture in a mail: shown, linked, named, or dropped as a tracker."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

from bridge.model import File, Look
from bridge.render import links, style
from bridge.render.escape import one_line

WIDEST = 760
"""How many pixels wide a picture may stand on a page (the width of Confluence's text)."""

_TRACKER = 2
_ORNAMENT = 64
_LONGEST_ALT = 200
_FILE_NAME = re.compile(r"^[\w.+-]+\.(?:png|jpe?g|gif|bmp|webp|svg)$", re.IGNORECASE)

_SPACER = re.compile(
    r"/(?:clear|spacer|pixel|blank|transparent|dot|beacon|trans|1x1|open|track)\b[^/]*$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do: ``show`` the attached file, ``link`` the address, write the ``text`` alone, ``drop`` it.

    ``embedded`` is a picture whose bytes stand in the HTML itself and stay behind.
    """

    what: Literal["show", "link", "text", "drop", "embedded"]
    text: str = ""
    file: str = ""
    width: int | None = None
    href: str = ""


def by_content_id(files: tuple[File, ...], look: Look) -> Mapping[str, File]:
    """Return the files that stand on the page by their Content-ID."""
    return {file.content_id: file for file in files if file.content_id and file.part_id in look.files}


def judge(attributes: Mapping[str, str], look: style.Style, files: Mapping[str, File], pages: Look) -> Verdict:
    """Say what becomes of an ``img``.

    Args:
        attributes: of the element.
        look: its style.
        files: what ``by_content_id`` says.
        pages: the route's wishes, and the names on the page.
    """
    width = style.pixels(attributes.get("width", "")) if "width" in attributes else look.width
    height = style.pixels(attributes.get("height", "")) if "height" in attributes else look.height
    alt = one_line(attributes.get("alt", ""))[:_LONGEST_ALT]
    source = attributes.get("src", "").strip()
    scheme = source.partition(":")[0].lower()
    if scheme == "cid":
        content_id = unquote(source[4:]).strip("<> ")
        file = files.get(content_id) or files.get(source[4:])
        if file is None:
            return Verdict("text", alt)
        name = pages.files[file.part_id].name
        shown = None if not width else min(width, WIDEST)
        return Verdict("show", alt or name, name, shown)
    if any(size is not None and size <= _TRACKER for size in (width, height)):
        return Verdict("drop")
    if scheme == "data":
        return Verdict("embedded", alt)
    address = links.safe_address(source) if scheme in {"http", "https"} else ""
    if not address or (alt and not any(c.isalnum() for c in alt)):  # an emoji as a picture: its alt is the emoji
        return Verdict("text", alt)
    if _FILE_NAME.match(alt):
        alt = ""
    small = any(size is not None and size < _ORNAMENT for size in (width, height))
    if pages.remote_images == "drop" or (not alt and (small or _SPACER.search(address))):
        return Verdict("text", alt)
    return Verdict("link", alt, href=address)


def link_text(alt: str, href: str) -> str:
    """Return what stands for a linked picture: its alternative text, else which host it is on."""
    host = "" if href.startswith(("mailto:", "tel:")) else urlsplit(href).hostname or ""
    return alt or (f"[picture: {host}]" if host else "[picture]")
