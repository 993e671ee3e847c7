"""Names of attachments: safe to store, and unique on their page.

A name comes from a stranger: it may hold a path, line ends for the multipart header, or nothing at all.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from itertools import count

LONGEST = 255
"""How many bytes of UTF-8 a name may have."""

_UNSAFE = re.compile(r'[/\\:?*|<>"\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff\ud800-\udfff]')
_EXTENSION = re.compile(r"\.[^.\s]{1,16}$")
_DIRECTIONS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_PATH = re.compile(r"^(?:[A-Za-z]:)?[/\\]|^\.{1,2}[/\\]|[/\\](?=[^/\\\s]+\.[^/\\.\s]{1,8}$)")


def safe_name(name: str) -> str:
    """Return the name made safe: NFC, no path, no reserved or control characters, at most 255 bytes, never empty.

    Of a path only the last part stays, as every mail program shows it; other reserved characters become ``_``.
    A name without anything to show becomes "file".
    """
    name = _DIRECTIONS.sub("", unicodedata.normalize("NFC", name)).strip()
    if _PATH.search(name):
        name = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    name = " ".join(_UNSAFE.sub("_", name).split()).strip(". ")
    return _fitting(name, "", LONGEST) if name.strip("_") else "file"


def free_name(name: str, taken: Container[str]) -> str:
    """Return the safe name, numbered ("scan-2.pdf") as far as needed so that its ``casefold()`` is not in ``taken``.

    Args:
        name: as the mail has it.
        taken: the casefolded names that stand on the page already; the caller adds what it gets.
    """
    safe = safe_name(name)
    if safe.casefold() not in taken:
        return safe
    numbered = (_fitting(safe, f"-{number}", LONGEST) for number in count(2))
    return next(candidate for candidate in numbered if candidate.casefold() not in taken)


def _fitting(name: str, suffix: str, most: int) -> str:
    """Return the name with the suffix before its extension, the stem cut so that all has at most ``most`` bytes."""
    match = _EXTENSION.search(name)
    extension = match[0] if match and match.start() else ""
    stem = name[: len(name) - len(extension)]
    room = most - len((suffix + extension).encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip() + suffix + extension
