"""Text of ``format=flowed`` (RFC 3676): soft line breaks undone."""

from __future__ import annotations

import re

_QUOTE = re.compile(r"^>+")


def unwrap(text: str, *, delete_space: bool = False) -> str:
    """Join the lines that a blank at their end lets flow into the next of the same quote depth.

    ``delete_space`` is DelSp=yes: that blank is no part of the text. Quote marks become "> " once for each depth, at
    the begin of the joined line. The signature line "-- " never flows.
    """
    out: list[str] = []
    held, depth, flowing = "", 0, False
    for line in text.split("\n"):
        mark = _QUOTE.match(line)
        level = len(mark[0]) if mark else 0
        content = line[level:].removeprefix(" ")
        fixed = content == "-- " or not content.endswith(" ")
        if flowing and level == depth and content != "-- ":
            held += content
        else:
            if flowing:
                out.append(_marked(held, depth))
            held, depth = content, level
        flowing = not fixed
        if flowing and delete_space:
            held = held[:-1]
        if not flowing:
            out.append(_marked(held, depth))
    if flowing:
        out.append(_marked(held, depth))
    return "\n".join(out)


def _marked(content: str, depth: int) -> str:
    return f"{'>' * depth} {content}" if depth else content
