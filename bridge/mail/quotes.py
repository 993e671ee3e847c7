"""What of a mail was written before. Only what really stands in an earlier message of the thread counts as known.

``Earlier`` knows the texts of the earlier messages; ``split`` tells apart the own words, quotes, introductions
and signature of a plain text body. HTML is split in ``bridge.render``, by the same ``Earlier`` and ``is_attribution``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from bridge.mail import attributions
from bridge.mail.attributions import attribution, is_attribution
from bridge.mail.earlier import ALONE_IF_UNMARKED, Earlier, words

__all__ = ["Earlier", "Segment", "attribution", "is_attribution", "split"]

_MARK = re.compile(r"^[ \t]{0,2}>")
_SIGNATURE = re.compile(r"^--[ \t]*$")
_MAX_SIGNATURE = 20
_MAX_ANSWERED = 6
_NEAR = 12
_MAX_INTRODUCTION = 4000


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of lines of a body, in order; no line is in two segments and none is left out.

    ``text`` of a quote is without its first level of ">" marks. ``stands``: the text stands in an earlier message (of
    an attribution: what it introduces does), so that the reader has it already. ``answered``: the own words that follow
    answer these very lines, so they should stay. ``who`` and ``when`` are what the introduction says of the quote.
    """

    kind: Literal["own", "quote", "attribution", "signature"]
    text: str
    stands: bool = False
    answered: bool = False
    who: str = ""
    when: str = ""


def split(text: str, earlier: Earlier) -> list[Segment]:
    """A plain text body in segments. Without earlier text nothing but ">" blocks and the signature is told apart.

    Marked lines (">") are quotes, those that stand nowhere too. Lines without marks are taken for quoted only below an
    attribution or a header block, and only if they stand in an earlier message.
    """
    lines = text.split("\n")
    kinds = _kinds(lines, earlier)
    segments: list[Segment] = []
    start = 0
    for at in range(1, len(lines) + 1):
        if at == len(lines) or kinds[at] != kinds[start]:
            segments.append(_segment(kinds[start], lines[start:at]))
            start = at
    return _answers(_introduced(segments))


_Kind = tuple[Literal["own", "quote", "attribution", "signature"], bool, bool]
"""Kind, whether it stands, whether the lines carry marks."""


def _kinds(lines: list[str], earlier: Earlier) -> list[_Kind]:
    """The kind of every line; blank lines go with what is before them."""
    kinds: list[_Kind] = [("own", False, False)] * len(lines)
    introduced = [0 if _MARK.match(line) else _introduction(lines, number) for number, line in enumerate(lines)]
    at = 0
    while at < len(lines):
        if _MARK.match(lines[at]):
            end = _end_of_marked(lines, at)
            block = [_unmarked(line) for line in lines[at:end]]
            found = earlier.verdicts(block)
            for number in _introducing(block, found):
                found[number] = True
            kinds[at:end] = [("quote", stands, True) for stands in found]
        elif count := introduced[at]:
            end = at + count
            following = next((line for line in lines[end : end + _NEAR] if line.strip()), "")
            if _MARK.match(following):
                kinds[at:end] = [("attribution", False, False)] * count
            elif earlier and (below := _unmarked_quote(lines, end, earlier)):
                kinds[at:end] = [("attribution", True, False)] * count
                kinds[end : end + len(below)] = below
                end += len(below)
        elif _SIGNATURE.match(lines[at]) and (end := _end_of_signature(lines, at, introduced)):
            kinds[at:end] = [("signature", False, False)] * (end - at)
        else:
            end = at + 1
            if not lines[at].strip() and at:
                kinds[at] = kinds[at - 1]
        at = max(end, at + 1)
    return kinds


def _introduction(lines: list[str], at: int) -> int:
    return attributions.starts(lines, at) if lines[at].strip() else 0


def _end_of_marked(lines: list[str], at: int) -> int:
    """Marked lines, with the blank lines between them."""
    end = last = at
    while end < len(lines) and (_MARK.match(lines[end]) or not lines[end].strip()):
        last = end if lines[end].strip() else last
        end += 1
    return last + 1


def _end_of_signature(lines: list[str], at: int, introduced: list[int]) -> int:
    """Where a signature ends: at the next quote, introduction or the end; 0 where it is too long to be one."""
    end, count = at + 1, 0
    while end < len(lines) and not _MARK.match(lines[end]) and not introduced[end]:
        count += 1 if lines[end].strip() else 0
        if count > _MAX_SIGNATURE:
            return 0
        end += 1
    return end


def _unmarked_quote(lines: list[str], at: int, earlier: Earlier) -> list[_Kind]:
    """Kinds of the unmarked lines from ``at`` to the next marked one; empty if the first of them stands nowhere.

    Answers typed between quoted lines are own words; introductions further down go with what they introduce.
    """
    head = [line for line in lines[at : at + _NEAR] if words(line)][:3]
    if not any(map(earlier.stands, head)):
        return []
    end = next((number for number in range(at, len(lines)) if _MARK.match(lines[number])), len(lines))
    below = lines[at:end]
    found = earlier.verdicts(below, alone=ALONE_IF_UNMARKED)
    first = next((number for number, line in enumerate(below) if words(line)), None)
    if first is None or not any(found[first : first + 3]):
        return []
    kinds: list[_Kind] = [("quote", True, False) if stands else ("own", False, False) for stands in found]
    for number in _introducing(below, found):
        kinds[number] = ("attribution", True, False)
    for number, line in enumerate(below):
        if not line.strip() and number:
            kinds[number] = kinds[number - 1]
    return kinds


def _introducing(lines: list[str], found: list[bool]) -> list[int]:
    """The lines of introductions that stand nowhere themselves while the text that they introduce does."""
    out: list[int] = []
    number = 0
    while number < len(lines):
        count = 0 if found[number] else _introduction(lines, number)
        rest = (
            next((place for place in range(number + count, len(lines)) if words(lines[place])), None) if count else None
        )
        if rest is not None and found[rest]:
            out.extend(range(number, number + count))
        number += max(count, 1)
    return out


def _segment(kind: _Kind, lines: list[str]) -> Segment:
    name, stands, marked = kind
    text = "\n".join(map(_unmarked, lines) if marked else lines)
    who, when = attribution(text[:_MAX_INTRODUCTION]) if name == "attribution" else ("", "")
    return Segment(name, text, stands, False, who, when)


def _introduced(segments: list[Segment]) -> list[Segment]:
    """Quotes take who and when from their introduction, which stands where the first words of its quote do."""
    out = list(segments)
    for number, segment in enumerate(segments):
        if segment.kind != "attribution":
            continue
        after = segments[number + 1] if number + 1 < len(segments) else None
        if after is not None and after.kind == "quote":
            out[number] = replace(segment, stands=after.stands and bool(words(after.text)))
            out[number + 1] = replace(after, who=segment.who, when=segment.when)
    return out


def _answers(segments: list[Segment]) -> list[Segment]:
    """Cut off and mark the last quoted paragraph above own words, where quotes and own words alternate.

    One whole quote with all own words below it (bottom posting) alternates only if the quote is short.
    """
    out: list[Segment] = []
    turns = {number for number, segment in enumerate(segments) if segment.kind == "own" and segment.text.strip()}
    alone = sum(1 for segment in segments if segment.kind == "quote") == 1
    for number, segment in enumerate(segments):
        answered = (number + 1) in turns and segment.kind == "quote" and segment.stands
        if not answered or (alone and len(_worded(segment.text.split("\n"))) > _MAX_ANSWERED):
            out.append(segment)
            continue
        lines = segment.text.split("\n")
        cut = _last_paragraph(lines)
        if cut:
            out.append(replace(segment, text="\n".join(lines[:cut])))
        out.append(replace(segment, text="\n".join(lines[cut:]), answered=True))
    return out


def _last_paragraph(lines: list[str]) -> int:
    """The index of the first line of the last paragraph, of which at most six lines are taken."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    start = end
    while start and lines[start - 1].strip(" \t>") and end - start < _MAX_ANSWERED:
        start -= 1
    return start if start < end else 0


def _worded(lines: list[str]) -> list[str]:
    return [line for line in lines if words(line)]


def _unmarked(line: str) -> str:
    match = _MARK.match(line)
    return line[match.end() :].removeprefix(" ") if match else line
