"""What a person names on the command line: a thread by its id, or what it became by an address or a number."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from sqlmodel import Session

from bridge.errors import BridgeError
from bridge.store import follows, publications
from bridge.store.tables import Follow, Publication

_UID = re.compile(r"/p/([a-z2-7]{4,32})/?$")
_CONTENT = re.compile(r"/(?:pages|blog(?:/\d+){3}|content)/(\d+)(?:/|$)")
_TITLED = re.compile(r"(/(?:pages|blog(?:/\d+){3})/\d+)/[^/?#]*")
_NUMBER = re.compile(r"\d{1,15}")
_THREAD = re.compile(r"[0-9a-f]{16}", re.IGNORECASE)


def named(session: Session, name: str) -> list[Follow]:
    """Return the follows that a name means, oldest first.

    Args:
        session: for reading.
        name: a Gmail thread id; the address or number of a page, blog post or comment; or an address that ends in
            ``/p/UID``, or the UID alone.

    Raises:
        BridgeError: nothing is known by it.
    """
    name = name.strip()
    found = follows.of_any_mailbox(session, thread_of(name))
    for publication in () if found else _publications(session, name):
        found += follows.of_publication(session, publication.id or 0)
    if not found:
        raise BridgeError(
            f'Nothing is followed under "{name}". Name a thread by its id, as mailbridge status shows it, or a page '
            "by its address."
        )
    return found


def thread_of(name: str) -> str:
    """Return a name as a thread id: what stands last in an address of Gmail, and in lower case."""
    last = name.strip().rstrip("/").rpartition("/")[2]
    return last.lower() if _THREAD.fullmatch(last) else name.strip()


def bare_address(url: str) -> str:
    """Return a page's address without the title at its end, which tells the mail's subject."""
    return _TITLED.sub(r"\1", url)


def _publications(session: Session, name: str) -> list[Publication]:
    parts = urlsplit(name)
    if uid := _UID.search(parts.path):
        one = publications.by_uid(session, uid[1])
        return [one] if one is not None else []
    if comment := parse_qs(parts.query).get("focusedCommentId"):
        return publications.by_content(session, comment[0])
    if content := _CONTENT.search(parts.path):
        return publications.by_content(session, content[1])
    if _NUMBER.fullmatch(name):
        return publications.by_content(session, name)
    one = publications.by_uid(session, name.lower())
    return [one] if one is not None else []
