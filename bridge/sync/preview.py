"""A mail as the page that it would become, without any account: pure but for the HTML parser that is handed in."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

from bridge import viewer
from bridge.config import Pages
from bridge.model import File, LeftOut, Look, Message, PlacedFile
from bridge.render.names import free_name
from bridge.render.origin import origin_url
from bridge.render.page import render_page
from bridge.render.parse import HtmlParser
from bridge.render.sizes import file_words
from bridge.render.title import title

_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_STYLE = (
    "body{margin:2rem auto;max-width:800px;padding:0 1rem;font:16px/1.5 sans-serif;color:#172b4d}"
    "h1{font-size:1.8rem;line-height:1.2}article+article{border-top:4px solid #dcdfe4;margin-top:3rem;padding-top:1rem}"
    ".files{color:#44546f;font-size:.9rem;border-top:1px solid #dcdfe4;margin-top:2rem}"
)
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@dataclass(frozen=True, slots=True)
class Preview:
    """A mail as a page: its title, its body in storage format, its files as they would stand there.

    ``automatic`` says why the mail would not be published at all, '' where it would. ``plain`` marks a body whose HTML
    could not be read.
    """

    title: str
    storage: str
    files: tuple[PlacedFile, ...]
    left_out: tuple[LeftOut, ...]
    plain: bool
    automatic: str
    contents: tuple[bytes, ...] = field(repr=False)


def preview(
    message: Message, pages: Pages, *, own_domains: Sequence[str], max_body: int, parser: HtmlParser
) -> Preview:
    """Return the page of a mail.

    Args:
        message: the mail, whose files carry their bytes.
        pages: how pages read.
        own_domains: whose people are named without their domain.
        max_body: how large a body may be, in bytes.
        parser: for HTML.
    """
    placed = _placed(message.files)
    look = Look(
        published_by="you",
        mail_url=origin_url("preview", message.message_id),
        timezone=pages.timezone,
        own_domains=tuple(own_domains),
        show_addresses=pages.show_addresses,
        signatures=pages.signatures,
        collapse_quotes=pages.collapse_quotes,
        remote_images=pages.remote_images,
        action_links=pages.action_links,
        max_body=max_body,
        files=placed,
    )
    made = render_page(message, look, parser=parser)
    return Preview(
        title=title("{subject}", message, ""),
        storage=made.storage,
        files=tuple(placed.values()),
        left_out=made.left_out,
        plain=made.plain,
        automatic=message.automatic if pages.skip_automatic else "",
        contents=tuple(file.data or b"" for file in message.files),
    )


def html(previews: Iterable[Preview]) -> str:
    """Return one HTML document to look at, with the pictures inside it; it loads nothing and runs nothing."""
    articles = "".join(_article(number, one) for number, one in enumerate(previews))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><title>Preview</title>'
        f"<style>{_STYLE}{viewer.CSS}</style></head><body>{articles}</body></html>\n"
    )


def _placed(files: Iterable[File]) -> dict[str, PlacedFile]:
    taken: set[str] = set()
    placed: dict[str, PlacedFile] = {}
    for file in files:
        name = free_name(file.name, taken)
        taken.add(name.casefold())
        placed[file.part_id] = PlacedFile(name, file.size, file.mime_type)
    return placed


def _article(number: int, one: Preview) -> str:
    """Return one page; its viewer's addresses are stand-ins that become the pictures' own bytes, or the list of files.

    A stand-in stands between double quotes, which the viewer escapes in every text: so no mail can hold one.
    """
    places = {file.name: f"file-{number}-{index}" for index, file in enumerate(one.files)}
    body = viewer.to_html(one.storage, attachment_url=lambda name: places.get(name, "file"))
    for file, data in zip(one.files, one.contents, strict=True):
        stand_in = places[file.name]
        if file.mime_type in _PICTURES:
            body = body.replace(f'src="{stand_in}"', f'src="{_data_url(file, data)}"')
        body = body.replace(f'href="{stand_in}"', f'href="#files-{number}"')
    listed = "".join(f"<li>{escape(file.name)} ({escape(file_words(file))})</li>" for file in one.files)
    files = f'<div class="files" id="files-{number}"><p>Files of the page</p><ul>{listed}</ul></div>' if listed else ""
    return f'<article><h1>{escape(one.title)}</h1><div class="wiki-content">{body}</div>{files}</article>'


def _data_url(file: PlacedFile, data: bytes) -> str:
    return f"data:{file.mime_type};base64,{base64.b64encode(data).decode()}"
