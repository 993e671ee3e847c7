"""The bytes of a mail -> the payload tree of Gmail's API, as real answers of it look.

Rules that came from answers seen in public: the top part's id is '' and its children are '0', '1', '0.0' ...; text
parts are served as UTF-8 whatever charset their header names; a part with a file name has an ``attachmentId`` instead
of ``data``; base64 is URL-safe and padded; line ends are CRLF. What Gmail does with mail that breaks the standards is
known to nobody outside; here such mail becomes the plainest tree that loses no text.
"""

from __future__ import annotations

import base64
import binascii
import html
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.generator import BytesGenerator
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32
from html.parser import HTMLParser
from typing import Any

from bridge.sandbox.gmail_headers import decode_words, eight_bit, header_value, to_text

Json = dict[str, Any]
_HEADER_LINE = re.compile(rb"[!-9;-~]+[ \t]*:")
_SINGLE_BYTE = re.compile(r"(us-ascii|ascii|iso-8859-\d+|latin\d|windows-125\d|cp125\d)$")
_MAX_DEPTH = 60


class _RawHeaders(Compat32):
    """Gives header values as they stand; the standard policy would replace raw bytes by question marks."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        return value


@dataclass(frozen=True, slots=True)
class MailPart:
    """One MIME part: ``content`` is decoded (text: UTF-8), None for a container; ``text``: text without a file name."""

    part_id: str
    mime_type: str
    filename: str
    headers: tuple[tuple[str, str], ...]
    content: bytes | None = field(repr=False)
    text: bool
    parts: tuple[MailPart, ...] = ()

    def walk(self) -> Iterator[MailPart]:
        """Yield this part and all below it, in the order of the mail."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def header(self, name: str) -> str:
        """Return the first header of that name, '' where there is none."""
        return next((value for key, value in self.headers if key.casefold() == name.casefold()), "")


@dataclass(frozen=True, slots=True)
class Shape:
    """Where Gmail's habits are disputed: how a payload serves its bodies, sizes in bytes.

    ``inline_below``: parts with a file name up to this size come as ``data``; 0: none does.
    ``reference_over``: text bodies above this size come by ``attachmentId``; None: none does.
    """

    inline_below: int = 0
    reference_over: int | None = None


def parse_mail(raw: bytes) -> MailPart:
    """Parse the bytes of a mail; never fails, whatever the bytes are."""
    raw = _mended(re.sub(rb"\r?\n", b"\r\n", raw))
    try:
        message = BytesParser(policy=_RawHeaders()).parsebytes(raw)
        charset = next((name for part in message.walk() if (name := str(part.get_content_charset("")))), "")
        return _part(message, "", charset, 0)
    except RecursionError:
        return MailPart("", "text/plain", "", (), raw, text=True)


def payload(top: MailPart, shape: Shape, attachment_id: Callable[[MailPart], str]) -> Json:
    """Return Gmail's ``payload`` object of a part tree.

    Args:
        top: the mail.
        shape: how bodies are served.
        attachment_id: gives the id under which a part's bytes can be fetched.
    """
    answer: Json = {
        "partId": top.part_id,
        "mimeType": top.mime_type,
        "filename": top.filename,
        "headers": [{"name": name, "value": value} for name, value in top.headers],
        "body": _body(top, shape, attachment_id),
    }
    if not answer["headers"]:
        del answer["headers"]
    if top.parts:
        answer["parts"] = [payload(part, shape, attachment_id) for part in top.parts]
    return answer


def base64url(data: bytes) -> str:
    """Return base64 in the URL-safe alphabet, padded, as Gmail writes it."""
    return base64.urlsafe_b64encode(data).decode("ascii")


def snippet(top: MailPart) -> str:
    """Return the first 200 characters of the text, white space collapsed, escaped as HTML."""
    texts = [part for part in top.walk() if part.text and part.content and part.mime_type.startswith("text/")]
    plain = next((part for part in texts if part.mime_type == "text/plain"), None)
    chosen = plain or next(iter(texts), None)
    if chosen is None or chosen.content is None:
        return ""
    words = chosen.content[: 1 << 16].decode("utf-8", "replace")
    if chosen.mime_type == "text/html":
        words = _visible(words)
    return html.escape(" ".join(words.split())[:200].rstrip()).replace("&#x27;", "&#39;")


def _body(part: MailPart, shape: Shape, attachment_id: Callable[[MailPart], str]) -> Json:
    if part.content is None or (part.text and not part.content):
        return {"size": 0}
    size = len(part.content)
    if part.text:
        inline = shape.reference_over is None or size <= shape.reference_over
    else:
        inline = size <= shape.inline_below and part.mime_type != "message/rfc822"
    if inline and size:
        return {"size": size, "data": base64url(part.content)}
    return {"attachmentId": attachment_id(part), "size": size}


def _part(message: Message, part_id: str, charset: str, depth: int) -> MailPart:
    headers = tuple((name, header_value(name, str(value), charset)) for name, value in message.raw_items())
    mime_type = message.get_content_type()
    filename = _filename(message, charset)
    children: list[Message] = message.get_payload() if message.is_multipart() else []  # type: ignore[assignment]
    if depth >= _MAX_DEPTH:
        return MailPart(part_id, "text/plain", filename, headers, _flat(message), text=not filename)
    if mime_type in ("message/rfc822", "message/global") and children:
        attached = _attached(message, children[0])
        child = _part(attached, _below(part_id, 0), str(attached.get_content_charset("")), depth + 1)
        return MailPart(part_id, mime_type, filename, headers, _flat(attached), text=False, parts=(child,))
    if mime_type.startswith("multipart/"):
        if children:
            parts = tuple(_part(child, _below(part_id, n), charset, depth + 1) for n, child in enumerate(children))
            return MailPart(part_id, mime_type, filename, headers, None, text=False, parts=parts)
        # A multipart whose boundary never comes holds one piece of text: better shown than lost.
        mime_type = "text/plain"
    content = b"".join(_flat(child) for child in children) if children else _decoded(message)
    text = mime_type.startswith(("text/", "message/")) and not filename
    if mime_type.startswith("text/"):
        content = _utf8(content, str(message.get_content_charset("")))
    return MailPart(part_id, mime_type, filename, headers, content, text)


def _below(part_id: str, number: int) -> str:
    return f"{part_id}.{number}" if part_id else str(number)


def _decoded(message: Message) -> bytes:
    data = message.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _utf8(data: bytes, charset: str) -> bytes:
    """Convert text to UTF-8; bytes that do not fit the named charset pass as they are."""
    seven_bit = charset.casefold().startswith(("iso-2022", "utf-7", "hz"))
    if not charset or (data.isascii() and b"\0" not in data and not seven_bit):
        return data
    if _SINGLE_BYTE.match(charset.casefold()) and to_text(data, "utf-8") is not None:
        return data
    text = to_text(data, charset)
    return data if text is None else text.encode("utf-8", "surrogatepass")


def _filename(message: Message, charset: str) -> str:
    try:
        name = message.get_filename("")
    except (LookupError, UnicodeError, ValueError):
        return ""
    return decode_words(eight_bit(re.sub(r"[\r\n]+", "", name), charset)).replace("\x00", "")


def _flat(message: Message) -> bytes:
    out = io.BytesIO()
    BytesGenerator(out, mangle_from_=False, maxheaderlen=0).flatten(message, linesep="\r\n")
    return out.getvalue()


def _attached(part: Message, inner: Message) -> Message:
    """Return an attached mail; one that was (wrongly) base64-encoded as a whole is parsed again."""
    if str(part.get("content-transfer-encoding", "")).strip().casefold() != "base64" or inner.keys():
        return inner
    try:
        return BytesParser(policy=_RawHeaders()).parsebytes(base64.b64decode(_flat(inner)))
    except binascii.Error:
        return inner


def _mended(raw: bytes) -> bytes:
    """Indent header lines that lost their leading blank, where more headers follow them before the first empty line."""
    head, gap, body = raw.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    kinds = [bool(_HEADER_LINE.match(line)) for line in lines]
    if all(kinds) or not any(kinds):
        return raw
    first, last = kinds.index(True), len(kinds) - 1 - kinds[::-1].index(True)
    for number in range(first, last):
        if not kinds[number] and not lines[number].startswith((b" ", b"\t")):
            lines[number] = b" " + lines[number]
    return b"\r\n".join(lines) + gap + body


class _Visible(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("style", "script", "title")
        self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in ("style", "script", "title")))
        self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


def _visible(markup: str) -> str:
    parser = _Visible()
    try:
        parser.feed(markup)
        parser.close()
    except AssertionError:  # html.parser gives up on some broken declarations
        pass
    return "".join(parser.words)
