"""Keys that name our own things in Confluence, derived so that the same thing always has the same key.

All are cut digests over the installation's id, so that two installations never take each other's pages for their own.
"""

from __future__ import annotations

import base64
import hashlib


def publication_uid(installation: str, destination: str, audience: str, message_key: str) -> str:
    """Return the name of a publication in ``/p/UID``: 10 characters of base32 in lower case."""
    return _base32(installation, "publication", destination, audience, message_key)


def entry_key(installation: str, publication_uid: str, message_key: str) -> str:
    """Return the marker of an entry, which stands in its origin link: 10 characters of base32 in lower case."""
    return _base32(installation, "entry", publication_uid, message_key)


def write_key(installation: str, publication_uid: str, kind: str, target: str, round: int = 0) -> str:
    """Return what goes along with a write so that it is recognised: 8 hex digits."""
    return _digest(installation, "write", publication_uid, kind, target, str(round)).hex()[:8]


def _base32(*parts: str) -> str:
    return base64.b32encode(_digest(*parts)).decode()[:10].lower()


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\x1f".join(parts).encode()).digest()
