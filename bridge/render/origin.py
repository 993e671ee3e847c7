"""The origin link: the way from a page back to its mail, and the marker by which our own entries are recognised.

Gmail ignores a query that it does not know, so the entry key rides in the link's query and survives every editor.
"""

from __future__ import annotations

import re
from urllib.parse import quote

_KEY = re.compile(r"https://mail\.google\.com/mail/\?mailbridge=([0-9A-Za-z_-]{1,64})(?=[#&\"'<\s]|$)")


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
    found: dict[str, None] = {}
    for href in re.findall(r"""\bhref\s*=\s*("[^"]*"|'[^']*')""", storage):
        match = _KEY.match(href[1:-1].replace("&amp;", "&"))
        if match:
            found.setdefault(match[1])
    return list(found)
