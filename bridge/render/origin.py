"""The origin link: the way from a page back to its mail, and the marker by which our own entries are recognised.

Gmail ignores a query that it does not know, so the entry key rides in the link's query and survives every editor.
"""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote, unquote

_KEY = re.compile(r"https://mail\.google\.com/mail/\?mailbridge=([0-9A-Za-z_-]{1,64})(?=[#&\"'<\s]|$)")
_MAIL = re.compile(r"#search/rfc822msgid(?:%3A|:)(.+)$", re.IGNORECASE)


def origin_url(key: str, message_id: str) -> str:
    """Return the link that finds the mail by its Message-ID in the reader's own Gmail.

    It names no mailbox, so nobody's address shows. Without a Message-ID it opens Gmail alone.

    Args:
        key: the entry key, the marker; URL-safe characters.
        message_id: without angle brackets, '' where the mail has none.
    """
    link = f"https://mail.google.com/mail/?mailbridge={quote(key, safe='')}"
    return f"{link}#search/rfc822msgid%3A{quote(message_id, safe='')}" if message_id else link


def find_key(storage: str) -> list[str]:
    """Return the markers in a body in storage format, in order, each once.

    Only a link's ``href`` counts; Confluence may have rewritten its quotes and escaped its ampersands.
    """
    return list(find_origins(storage))


def find_origins(storage: str) -> dict[str, str]:
    """Return the Message-ID that stands beside each marker in a body, '' where none does; read like ``find_key``."""
    found: dict[str, str] = {}
    for href in re.findall(r"""\bhref\s*=\s*("[^"]*"|'[^']*')""", storage):
        link = unescape(href[1:-1])
        if marker := _KEY.match(link):
            mail = _MAIL.search(link)
            found.setdefault(marker[1], unquote(mail[1]) if mail else "")
    return found
