"""What was written twice: counted by the key that the request carries, from the sandbox's journal."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable

from bridge.sandbox.journal import Seen

_MARKER = re.compile(r"mailbridge=([0-9A-Za-z_-]+)")
_NOTE_KEY = re.compile(r"\[([0-9a-f]{8})\]")
_DIGEST = re.compile(rb"\[([0-9a-f]{16})\]")
_PUBLISHES = ("updatePage", "updateBlogPost")


def twice_written(seen: Iterable[Seen]) -> list[str]:
    """Return the keys of the writes that took effect more than once.

    The empty draft has no key, and is counted by what stands; a label, a property, a restriction and the trash come out
    the same however often they are set.
    """
    counted = Counter(key for one in seen if one.write and (key := key_of(one)))
    return sorted(f"{key} {many} times" for key, many in counted.items() if many > 1)


def key_of(seen: Seen) -> str:
    """Return the key that a write carries, '' where it carries none."""
    body = seen.request_body
    if seen.operation in _PUBLISHES:
        note = str(json.loads(body).get("version", {}).get("message", ""))
        found = _NOTE_KEY.search(note)
        return f"{seen.operation} {found[1]}" if found else f"{seen.operation} of {seen.path}"
    if seen.operation == "createFooterComment":
        found = _MARKER.search(json.loads(body)["body"]["value"])
        return f"comment {found[1]}" if found else "comment without a marker"
    if seen.operation == "createAttachment":
        digest = _DIGEST.search(body)
        return f"file {digest[1].decode()} on {seen.path.split('/child/')[0]}" if digest else "file without a digest"
    return ""
