"""The texts of a thread's earlier messages, and whether a text stands in one of them."""

from __future__ import annotations

import itertools
import quopri
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from bridge.mail.text import plain_text
from bridge.model import Body, Message

ALONE_IF_MARKED = 4
"""A marked line of so many words is trusted to be quoted by itself."""
ALONE_IF_UNMARKED = 8
"""The same for a line without marks, which may be an answer."""

_MAX_TEXT = 1_000_000
_SQUEEZED_FROM = 24
_LINK = re.compile(r"<\s*(?:https?|mailto|tel|ftp):[^<>]{0,2000}>|\[(?:image|cid|http)[^\[\]]{0,2000}\]", re.IGNORECASE)
_ARTEFACT = re.compile(r"=(?:[0-9A-F]{2}|[ \t]*\n)")
_MARKS = re.compile(r"^[ \t]{0,2}(?:>[ \t]?)+", re.MULTILINE)
_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """Its words in order; punctuation and blanks count for nothing."""
    return _WORD.findall(text)


@dataclass(frozen=True, slots=True)
class _Text:
    """One message: its words with one blank around each, the same without blanks, and which words there are."""

    spaced: str
    squeezed: str
    known: frozenset[str]

    @classmethod
    def of(cls, found: list[str]) -> _Text:
        return cls(f" {' '.join(found)} ", "".join(found), frozenset(found))

    def holds(self, found: list[str]) -> bool:
        if self.known.issuperset(found):
            return f" {' '.join(found)} " in self.spaced
        # Words cut by wrapping (long links, languages without blanks) are found without regard to blanks, if so many
        # of the others are known that this may be all that differs.
        known = sum(1 for word in found if word in self.known)
        if len(found) > max(3, known * 2):
            return False
        squeezed = "".join(found)
        return len(squeezed.encode("utf-8", "replace")) >= _SQUEEZED_FROM and squeezed in self.squeezed


@dataclass(frozen=True, slots=True)
class Earlier:
    """The words of the earlier messages of a thread, oldest first; cheap to extend by the next message."""

    texts: tuple[_Text, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, messages: Iterable[Message]) -> Earlier:
        """All that stands in the bodies of ``messages``, quotes included.

        A mail with pictures is read twice, with and without what they say: a program that quotes it may keep either.
        """
        return cls.of_texts(text for message in messages for text in _texts(message))

    @classmethod
    def of_texts(cls, texts: Iterable[str]) -> Earlier:
        """The same from plain texts, one for each message."""
        return cls(tuple(_Text.of(found) for text in texts for found in _readings(text) if found))

    def plus(self, message: Message) -> Earlier:
        """With one more message."""
        return Earlier(self.texts + Earlier.of((message,)).texts)

    def __bool__(self) -> bool:
        """Is there any text to compare with?"""
        return bool(self.texts)

    def stands(self, text: str) -> bool:
        """Does ``text``, all of it and in this order, stand in one of the messages? Text without a word never does.

        Wrapping, ">" marks, blanks, punctuation, links in angle brackets and left-over quoted-printable do not count.
        """
        return any(one.holds(found) for found in _readings(text) if found for one in reversed(self.texts))

    def verdicts(self, lines: list[str], *, alone: int = ALONE_IF_MARKED) -> list[bool]:
        """For each line of a quote whether it stands.

        A line of fewer words than ``alone`` counts only together with the line before or after it, in that order, or if
        it is the only one. A line without a word goes with the one before it, or at the begin with the first that has
        one. Blank lines alone stand: nothing of them can be lost.
        """
        if self.stands("\n".join(lines)):
            return [True] * len(lines)
        counts = [len(words(line)) for line in lines]
        found = [bool(count) and self.stands(line) for line, count in zip(lines, counts, strict=True)]
        worded = [number for number, count in enumerate(counts) if count]
        pairs = [
            found[one]
            and found[two]
            and min(counts[one], counts[two]) < alone
            and self.stands(f"{lines[one]}\n{lines[two]}")
            for one, two in itertools.pairwise(worded)
        ]
        for place, number in enumerate(worded):
            if counts[number] < alone and len(worded) > 1:
                found[number] = found[number] and any(pairs[max(0, place - 1) : place + 1])
        if not worded:
            return [not any(line.strip() for line in lines)] * len(lines)
        found[: worded[0]] = [found[worded[0]]] * worded[0]
        for number in range(worded[0], len(found)):
            if not counts[number]:
                found[number] = found[number - 1]
        return found


def _texts(message: Message) -> list[str]:
    read = ["\n".join(_plain(body, pictures=pictures) for body in message.bodies) for pictures in (False, True)]
    return read[:1] if read[0] == read[1] else read


def _plain(body: Body, *, pictures: bool) -> str:
    if body.kind == "html":
        return plain_text(body.text[:_MAX_TEXT], pictures=pictures and "<img" in body.text)
    return body.text[:_MAX_TEXT]


def _readings(text: str) -> list[list[str]]:
    """The words of a text; a second reading where it looks as if quoted-printable was left in it."""
    bare = _LINK.sub(" ", _MARKS.sub("", text))
    readings = [words(bare)]
    if _ARTEFACT.search(bare):
        undone = quopri.decodestring(bare.encode("utf-8", "replace")).decode("utf-8", "replace")
        readings.append(words(undone))
    return readings
