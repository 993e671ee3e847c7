"""The mails that people write, as bytes; the same words make the same bytes, boundaries included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText


def letter(fields: Mapping[str, str], word: str, *, html: bool, files: Sequence[tuple[str, bytes]]) -> bytes:
    """Return a mail.

    Args:
        fields: its header.
        word: what it is about; its boundaries are made of it too.
        html: whether the text is there as HTML as well.
        files: name and bytes of what is attached.
    """
    plain = MIMEText(f"Hello,\n\nthis is about {word} and nothing else.\n", "plain", "us-ascii")
    text: MIMEText | MIMEMultipart = plain
    if html:
        shown = MIMEText(f"<p>Hello,</p><p>this is about <b>{word}</b> and nothing else.</p>", "html", "us-ascii")
        text = MIMEMultipart("alternative", f"=_{word}_text", [plain, shown])
    whole = MIMEMultipart("mixed", f"=_{word}", [text]) if files else text
    for name, data in files:
        part = MIMEApplication(data, "octet-stream")
        part.add_header("Content-Disposition", "attachment", filename=name)
        whole.attach(part)
    for name, value in fields.items():
        whole[name] = value
    return whole.as_bytes()
