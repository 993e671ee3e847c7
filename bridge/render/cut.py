"""Which blocks are the writer's own, which are quoted mail, which a signature.

Quoted mail goes only where it really stands in an earlier message of the thread; nothing goes by its looks alone. What
stands nowhere else is kept apart, so that the page can fold it. An answer between quoted lines keeps its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile

from bridge.mail.attributions import attribution, starts
from bridge.mail.quotes import Earlier, Segment, split
from bridge.model import Look, PartKind
from bridge.render import plain
from bridge.render.blocks import Block, Line, Picture, Pre, Quote, Region, Rule, visible

_FORWARD = re.compile(
    r"forwarded|weitergeleitet|transféré|reenviado|doorgestuurd|vidarebefordra|videresendt|inoltrat|encaminhad|"
    r"przekazan|пересыла|转发|轉寄|転送",
    re.IGNORECASE,
)
_HEADER_LINE = re.compile(r"^[\s*_]*[^\W\d][^:：\n]{0,24}\s*[:：]\s*\S")
_RULE_LINE = re.compile(r"^[\s>]*[-_]{2}")
_SIGNATURE_LINE = re.compile(r"^--[ \u00a0]?$")
_MOST_HEAD_LINES = 30
_MOST_CONTEXT = 4
_CHANCE_HITS = 0.2


@dataclass(frozen=True, slots=True)
class Part:
    """Blocks of one fate.

    "own" stands as it is; "answered" is quoted mail that an answer follows, shown as a quote; "quote" is quoted mail
    that stands nowhere else, of ``origin`` ("Tom Reed, 1 March 2026", or ''); "signature" is one. "cut" is quoted mail
    that stands in an earlier message, and is shown nowhere.
    """

    kind: PartKind
    blocks: list[Block]
    origin: str = ""


def text_parts(text: str, earlier: Earlier, look: Look) -> list[Part]:
    """Return the parts of a plain text body."""
    parts: list[Part] = []
    segments = split(text, earlier)
    origin = ""
    for number, segment in enumerate(segments):
        following = segments[number + 1] if number + 1 < len(segments) else None
        if segment.kind != "quote":
            origin = ""
        elif segment.who or segment.when:
            origin = _origin(segment.who, segment.when)
        blocks = plain.blocks(segment.text, look)
        if not visible(blocks).strip():
            continue
        if segment.kind == "signature":
            parts.append(Part("signature", _without_mark(blocks)))
        elif segment.kind == "own":
            parts.append(Part("own", blocks))
        elif segment.kind == "quote":
            parts.extend(_quoted_text(segment, blocks, origin))
        elif not segment.stands and not (following and following.kind == "quote" and (following.who or following.when)):
            parts.append(Part("own", blocks))
    return parts


def html_parts(blocks: Sequence[Block], earlier: Earlier) -> list[Part]:
    """Return the parts of an HTML body."""
    parts: list[Part] = []
    own: list[Block] = []
    at = 0

    def flush() -> None:
        if own:
            parts.append(Part("own", list(own)))
            own.clear()

    while at < len(blocks):
        block = blocks[at]
        length, head = _head(blocks, at)
        following = blocks[at + length] if at + length < len(blocks) else None
        if length and _FORWARD.search(head):
            own.extend(blocks[at:])
            break
        if isinstance(block, Quote) or (length and isinstance(following, Quote)):
            quote = block if isinstance(block, Quote) else following
            assert isinstance(quote, Quote)
            at += length + 1
            flush()
            parts.extend(_region(quote.blocks, head, quote, earlier, answered=_has_words(blocks, at)))
        elif length and _is_strong(head):
            while own and isinstance(own[-1], Rule):
                own.pop()
            flush()
            parts.extend(_region(blocks[at + length :], head, None, earlier, answered=False))
            break
        elif isinstance(block, Region):
            flush()
            parts.append(Part("signature", block.blocks))
            at += 1
        elif isinstance(block, Line) and _SIGNATURE_LINE.match(visible([block])):
            end = _signature_end(blocks, at + 1)
            flush()
            parts.append(Part("signature", list(blocks[at + 1 : end])))
            at = end
        else:
            own.append(block)
            at += 1
    flush()
    return parts


def _quoted_text(segment: Segment, blocks: list[Block], origin: str) -> Iterator[Part]:
    if segment.stands:
        yield Part("answered" if segment.answered else "cut", blocks)
    elif origin:
        yield Part("quote", blocks, origin)
    else:
        yield Part("own", [Quote(blocks)])


def _without_mark(blocks: list[Block]) -> list[Block]:
    """Return a signature without the "-- " that begins it."""
    if isinstance(blocks[0], Line) and _SIGNATURE_LINE.match(visible(blocks[:1])):
        return blocks[1:]
    return blocks


def _head(blocks: Sequence[Block], at: int) -> tuple[int, str]:
    """Return how many lines from ``at`` introduce quoted mail, and their text; (0, '') for none."""
    if not isinstance(blocks[at], Line):
        return 0, ""
    near = _lines(blocks, at, 3)
    if not (
        any(text.rstrip().endswith((":", "：")) for text in near)
        or _HEADER_LINE.match(near[0])
        or _RULE_LINE.match(near[0])
    ):
        return 0, ""
    lines = _lines(blocks, at, _MOST_HEAD_LINES)
    count = starts(lines, 0)
    return count, "\n".join(lines[:count])


def _lines(blocks: Sequence[Block], at: int, most: int) -> list[str]:
    """Return the text of the lines from ``at`` to the first block that is none, at most so many."""
    return [visible([block]) for block in takewhile(lambda block: isinstance(block, Line), blocks[at : at + most])]


def _is_strong(head: str) -> bool:
    """Say whether a head shows by itself that quoted mail follows: a header block, a rule, or a name with a date."""
    who, when = attribution(head)
    return "\n" in head or bool(when) or bool(_RULE_LINE.match(head)) or not who


def _region(
    blocks: Sequence[Block], head: str, quote: Quote | None, earlier: Earlier, *, answered: bool
) -> Iterator[Part]:
    """Yield the parts of quoted mail: its sections, each begun by its own head (mail that quotes mail)."""
    for number, (section_head, section) in enumerate(_sections(blocks, head)):
        yield from _section(section, section_head, quote, earlier, first=number == 0, answered=answered)


def _section(
    blocks: list[Block], head: str, quote: Quote | None, earlier: Earlier, *, first: bool, answered: bool
) -> Iterator[Part]:
    verdicts = _verdicts(blocks, earlier)
    known = _words(block for block, stands in verdicts if stands)
    strange = _words(block for block, stands in verdicts if stands is False)
    who, when = attribution(head) if head else ("", "")
    if not strange:
        if known and answered and first:
            yield Part("answered", _context([block for block, stands in verdicts if stands]))
        elif not known and blocks and any(isinstance(block, Picture) for block in blocks):
            yield Part("quote", blocks, _origin(who, when))
        elif known:
            yield Part("cut", blocks)
        return
    if known < (known + strange) * _CHANCE_HITS:
        if head or (quote is not None and quote.mail and not first):
            yield Part("quote", blocks, _origin(who, when))
        else:
            yield Part("own", [Quote(blocks, quote.mail if quote else False)])
        return
    before: list[Block] = []
    for stands, group in groupby(verdicts, key=lambda verdict: verdict[1] is not False):
        run = [block for block, _ in group]
        if stands:
            before = run
            yield Part("cut", run)
        elif first and not all(isinstance(block, Line | Pre) and block.level > 1 for block in run):
            if before:
                yield Part("answered", _context(before))
            yield from _answers(run, earlier)
        else:
            yield Part("quote", run, _origin(who, when))


def _answers(run: list[Block], earlier: Earlier) -> Iterator[Part]:
    """Yield the lines between quoted ones: answers, and what stands in an earlier mail but is too short to cut."""
    for stands, group in groupby(run, key=lambda block: earlier.stands(visible([block]))):
        yield Part("answered" if stands else "own", list(group))


def _sections(blocks: Sequence[Block], head: str) -> Iterator[tuple[str, list[Block]]]:
    section: list[Block] = []
    at = 0
    while at < len(blocks):
        block = blocks[at]
        if isinstance(block, Quote | Region):
            section.extend(block.blocks)
            at += 1
            continue
        length, found = _head(blocks, at)
        if length:
            if section:
                yield head, section
            head, section = found, []
            at += length
            continue
        section.append(block)
        at += 1
    if section:
        yield head, section


def _verdicts(blocks: Sequence[Block], earlier: Earlier) -> list[tuple[Block, bool | None]]:
    """Return each block and whether it stands in an earlier message; None where it has no words to judge by."""
    texts = ["" if isinstance(block, Picture | Rule) else visible([block]) for block in blocks]
    found = earlier.verdicts(texts) if earlier else [False] * len(texts)
    return [
        (block, stands if any(c.isalnum() for c in text) else None)
        for block, text, stands in zip(blocks, texts, found, strict=True)
    ]


def _words(blocks: Iterator[Block]) -> int:
    return sum(len(visible([block])) for block in blocks)


def _context(blocks: Sequence[Block]) -> list[Block]:
    """Return the end of a quote, its last paragraph: what the answer below it is about."""
    kept: list[Block] = []
    for block in reversed(blocks):
        if isinstance(block, Rule):
            continue
        kept.append(block)
        if len(kept) == _MOST_CONTEXT or not (isinstance(block, Line) and block.soft):
            break
    return kept[::-1]


def _has_words(blocks: Sequence[Block], at: int) -> bool:
    """Say whether own words follow: an answer below the quote."""
    for block in blocks[at:]:
        if isinstance(block, Quote | Region):
            return False
        if isinstance(block, Line) and _SIGNATURE_LINE.match(visible([block])):
            return False
        if visible([block]).strip():
            return True
    return False


def _signature_end(blocks: Sequence[Block], at: int) -> int:
    while at < len(blocks) and not isinstance(blocks[at], Quote) and not _head(blocks, at)[0]:
        at += 1
    return at


def _origin(who: str, when: str) -> str:
    return ", ".join(part for part in (who, when) if part)
