"""Titles of pages: a route's pattern filled in, and what is tried where a title is taken.

Confluence allows 255 characters and compares without regard to case and outer blanks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

from bridge.model import Message
from bridge.render import dates, people

LONGEST = 255
"""How many characters a title of Confluence may have."""

_PREFIX = re.compile(
    r"^\s*(?:re|r|aw|antw|antwort|sv|vs|fwd?|fw|wg|tr|rv|rif|i|enc|res|odp|ynt|ilt|atb|vb|vl|doorst|továbbítás|"
    r"回复|回覆|答复|转发|轉寄|返信|転送|답장|전달|отв|пересл)"
    r"\s*(?:\[\d{1,3}\]|\(\d{1,3}\)|\^\d{1,3})?\s*[:\uff1a]\s*",
    re.IGNORECASE,
)
_BLANK = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DROPPED = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")
_FIELD = re.compile(r"\{(subject|from|label|date)(?::([^{}]*))?\}")


def bare_subject(subject: str) -> str:
    """Return the subject on one line without "Re:", "Fwd:", "AW:" and their kin in other languages, however many."""
    bare = _clean(subject)
    while match := _PREFIX.match(bare):
        bare = bare[match.end() :]
    return bare.strip()


def title(pattern: str, message: Message, label: str) -> str:
    """Return the page title that a route's pattern gives for the mail, at most 255 characters, never empty.

    Args:
        pattern: may hold ``{subject}``, ``{from}``, ``{label}`` and ``{date}`` or ``{date:%Y-%m-%d}`` (strftime, UTC).
        message: the first mail of the thread.
        label: the Gmail label's name.
    """
    subject = bare_subject(message.subject)
    values = {"subject": subject or "(no subject)", "from": people.name(message.sender), "label": label}

    def fill(match: re.Match[str]) -> str:
        if match[1] == "date":
            return message.date.astimezone(UTC).strftime(match[2] or "%Y-%m-%d")
        return values[match[1]]

    return _fitting(_clean(_FIELD.sub(fill, pattern)), LONGEST) or "(no subject)"


def title_candidates(wanted: str, date: datetime) -> Iterator[str]:
    """Yield what to try in turn where titles are taken, without end and each at most 255 characters.

    The title itself, then with the date ("Budget (3 Mar 2026)"), then that with a number ("... (2)").
    """
    yield wanted
    dated = f" ({dates.short_day(date)})"
    yield _fitting(wanted, LONGEST - len(dated)) + dated
    for number in count(2):
        tail = f"{dated} ({number})"
        yield _fitting(wanted, LONGEST - len(tail)) + tail


def _clean(text: str) -> str:
    """Return the text in NFC on one line, without controls, direction marks and lone surrogates."""
    text = unicodedata.normalize("NFC", text)
    return " ".join(_DROPPED.sub("", _BLANK.sub(" ", text)).split())


def _fitting(text: str, most: int) -> str:
    """Return the text cut at a word so that it has at most ``most`` characters, an ellipsis for what is gone."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    at = len(cut) if text[most - 1] == " " else cut.rfind(" ")
    return (cut[:at] if at > most // 2 else cut).rstrip() + "…"
