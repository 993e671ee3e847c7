"""One MIME part in the form that both sources of mail come in, and the little that is decided part by part."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bridge.mail import headers
from bridge.model import File

MAX_DEPTH = 50
"""Parts nested deeper than this are not looked into."""

_NAMES = {
    "application/ms-tnef": "winmail.dat", "application/pdf": "document.pdf", "application/pgp-encrypted": "version.txt",
    "application/pgp-signature": "signature.asc", "application/pkcs7-mime": "smime.p7m",
    "application/pkcs7-signature": "smime.p7s", "application/x-pkcs7-mime": "smime.p7m", "audio/mpeg": "audio.mp3",
    "application/x-pkcs7-signature": "smime.p7s", "application/zip": "archive.zip", "image/jpeg": "image.jpg",
    "image/svg+xml": "image.svg", "image/tiff": "image.tif", "message/delivery-status": "delivery-status.txt",
    "message/disposition-notification": "notification.txt", "message/feedback-report": "report.txt",
    "message/rfc822": "message.eml", "text/calendar": "invite.ics", "text/html": "page.html", "text/plain": "text.txt",
    "text/rfc822-headers": "headers.txt", "video/quicktime": "video.mov",
}  # fmt: skip
_BEGIN = re.compile(r"^begin(?:-base64)? [0-7]{3,4} (\S.*?)[ \t]*$\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Part:
    """A MIME part. ``data`` is what it holds after transfer decoding; None where Gmail keeps it, or it has parts.

    ``mime_type`` and ``disposition`` are in lower case, ``name`` is decoded and '' where the part has none,
    ``content_id`` is without angle brackets. ``size`` is in bytes. A message/rfc822 part is a leaf.
    """

    part_id: str
    mime_type: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    disposition: str = ""
    name: str = ""
    content_id: str = ""
    data: bytes | None = field(default=None, repr=False)
    size: int = 0
    attachment_id: str = ""
    parts: tuple[Part, ...] = ()

    @property
    def is_text(self) -> bool:
        """May the part be (a piece of) the body: text that is shown, without a name and not sent as an attachment?"""
        shown = self.mime_type in ("text/plain", "text/html", "text/markdown", "text/x-patch", "text/x-diff", "text")
        stray = self.mime_type.startswith("multipart/") and not self.parts  # a multipart without any boundary line
        return (shown or stray) and not self.name and self.disposition != "attachment"

    @property
    def is_html(self) -> bool:
        """Is the text HTML?"""
        return self.mime_type == "text/html"

    def file(self, *, inline: bool = False) -> File:
        """The part as a file; a part without a name gets one that tells its kind."""
        name = self.name or invented_name(self.mime_type)
        return File(
            self.part_id, name, self.mime_type, self.content_id, self.size, inline, self.data, self.attachment_id
        )


def leaf(part_id: str, kind: str, fields: list[tuple[str, str]], name: str = "") -> Part:
    """A part without its content from its header fields; ``name`` is the name that Gmail has decoded already.

    ``kind`` is the MIME type where it is known, '' to take it from the fields (text/plain if missing or broken).
    """
    found, parameters = headers.parameters(headers.first(fields, "content-type"))
    disposition, options = headers.parameters(headers.first(fields, "content-disposition"))
    kind = kind.lower() or found
    if kind != "text" and not re.fullmatch(r"[^/\s]+/[^/\s]+", kind):
        kind = "text/plain"
    name = headers.clean(name) or options.get("filename") or parameters.get("name") or ""
    content_id = headers.message_id(headers.first(fields, "content-id"))
    if not content_id:
        content_id = headers.clean(headers.first(fields, "content-id")).strip("<>")
    return Part(part_id, kind, parameters, disposition, name, content_id)


def attached_name(subject: str) -> str:
    """The file name of an attached mail: its subject."""
    return f"{subject[:120].strip() or 'message'}.eml"


def invented_name(mime_type: str) -> str:
    """A name for a part without one."""
    if mime_type in _NAMES:
        return _NAMES[mime_type]
    main, _, sub = mime_type.partition("/")
    return f"{main}.{sub}" if main != "application" and re.fullmatch(r"[a-z0-9]{2,5}", sub) else f"{main}.bin"


def child_id(parent: str, number: int) -> str:
    """Gmail's numbering: the top part is '' and adds no level."""
    return f"{parent}.{number}" if parent else str(number)


def uuencoded(text: str) -> Iterator[str | tuple[str, bytes]]:
    """Text cut at the uuencoded files in it: pieces of text and (name, data) in their order.

    A block counts when it is closed by an ``end`` line, or runs to the end of the text over at least two whole lines.
    """
    at = kept = 0
    while match := _BEGIN.search(text, at):
        found = _block(text, match.end())
        at = match.end()
        if found is None:
            continue
        data, at = found
        yield text[kept : match.start()]
        yield headers.clean(match[1]), data
        kept = at
    yield text[kept:]


def _block(text: str, at: int) -> tuple[bytes, int] | None:
    data = bytearray()
    lines = 0
    while at < len(text):
        stop = text.find("\n", at)
        stop = len(text) if stop < 0 else stop
        line = text[at:stop].rstrip("\r")
        at = stop + 1
        if line.strip() == "end":
            return (bytes(data), min(at, len(text))) if lines else None
        try:
            data += _line(line)
        except (binascii.Error, ValueError):
            return None
        lines += 1
    return (bytes(data), len(text)) if lines > 1 and text[-2:].strip() else None


def _line(line: str) -> bytes:
    if not line.strip():
        return b""
    raw = line.encode("ascii")
    needed = (((raw[0] - 32) & 63) + 2) // 3 * 4
    # Blanks at the end may have been lost on the way; some encoders add a check character.
    if not 32 <= raw[0] <= 96 or not needed - 3 <= len(raw) - 1 <= needed + 2:
        raise ValueError
    try:
        return binascii.a2b_uu(raw[: 1 + needed])
    except binascii.Error:
        # Some encoders fill the last group with other characters than blanks: leave them out.
        return binascii.a2b_uu(raw[: (((raw[0] - 32) & 63) * 4 + 5) // 3])
