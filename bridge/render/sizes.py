"""The few words behind a file's name: what kind it is and how large."""

from __future__ import annotations

import re

from bridge.model import PlacedFile

_SHORT = re.compile(r"^[A-Za-z0-9]{1,5}$")


def size_words(size: int) -> str:
    """Return a size in bytes as people read it, for example "1.2 MB" (of 1,024 each, as Confluence counts)."""
    if size < 1024:
        return f"{size} bytes" if size != 1 else "1 byte"
    number, unit = size / 1024, "KB"
    for larger in ("MB", "GB"):
        if round(number) >= 1024:
            number, unit = number / 1024, larger
    return f"{number:.1f} {unit}" if number < 10 and unit != "KB" else f"{round(number)} {unit}"


def file_words(file: PlacedFile) -> str:
    """Return for example "PDF, 1.2 MB"; the kind comes from the name, else from the type, and may be missing."""
    extension = file.name.rpartition(".")[2] if "." in file.name else ""
    if not _SHORT.match(extension):
        extension = file.mime_type.rpartition("/")[2]
    kind = extension.upper() if _SHORT.match(extension) else ""
    return f"{kind}, {size_words(file.size)}" if kind else size_words(file.size)
