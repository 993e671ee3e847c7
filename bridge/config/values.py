"""The kinds of values that keys have: each turns what TOML gave into what the program works with, or says why not.

Durations become seconds (float), sizes bytes (int). A kind raises `Wrong` with a sentence for a person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from difflib import get_close_matches
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from bridge.config.faults import Wrong, either, quoted

_SECONDS = {"s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600}
_SECONDS |= {"d": 86400, "day": 86400}
_BYTES = {"b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1024, "mib": 1024**2, "gib": 1024**3}
_AMOUNT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?([A-Za-z]+)")
_BRAKE = re.compile(r"([0-9]{1,6}) per (.+)")
_WHOLE_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_WHOLE_SIZES = ((1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB"), (1, "B"))


@dataclass(frozen=True, slots=True)
class Kind:
    """How a value is read; ``is_text`` tells that a variable of the environment is taken as it stands."""

    parse: Callable[[object], Any]
    is_text: bool = True


class Brake(NamedTuple):
    """At most so many new threads in so many seconds are taken without asking."""

    most: int
    seconds: float


def as_text(raw: object) -> str:
    """Return a text without blanks around it.

    Raises:
        Wrong: it is no text, or it holds control characters.
    """
    if not isinstance(raw, str):
        hint = f' Put it in quotes: "{raw}".' if isinstance(raw, int | float | date | time) else ""
        raise Wrong(f"{told(raw)} is not text.{hint}")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in raw):
        raise Wrong(f"{quoted(raw)} holds a control character. Take it out.")
    return raw.strip()


def told(raw: object) -> str:
    """Return a value as a sentence names it."""
    match raw:
        case str():
            return quoted(raw)
        case bool():
            return str(raw).lower()
        case int() | float():
            return str(raw)[:30]
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or time"


def text(check: Callable[[str], str] = str) -> Kind:
    """Text that ``check`` accepts, and returns as it is kept."""
    return Kind(lambda raw: check(as_text(raw)))


def filled(words: str) -> Kind:
    """Text that may not be empty; ``words`` say what it should be."""

    def check(value: str) -> str:
        if not value:
            raise Wrong(f"is empty. Write {words}.")
        return value

    return text(check)


def choice(*allowed: str) -> Kind:
    """One of a few words."""

    def parse(raw: object) -> str:
        if isinstance(raw, str) and raw in allowed:
            return raw
        raise Wrong(f"{told(raw)} is not allowed. Use {either(quoted(word) for word in allowed)}.")

    return Kind(parse)


def _flag(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    raise Wrong(f"{told(raw)} is not allowed. Use true or false.")


FLAG = Kind(_flag, is_text=False)
"""True or false."""


def whole(low: int, high: int) -> Kind:
    """A whole number between two, both allowed."""

    def parse(raw: object) -> int:
        if isinstance(raw, bool) or not isinstance(raw, int) or not low <= raw <= high:
            raise Wrong(f"{told(raw)} is not allowed. Use a whole number from {low} to {high}.")
        return raw

    return Kind(parse, is_text=False)


def texts(item: Callable[[str], str], *, example: str, at_least: int = 0) -> Kind:
    """A list of texts, each as ``item`` accepts it and none twice; ``example`` is one of them."""

    def parse(raw: object) -> tuple[str, ...]:
        if not isinstance(raw, list):
            raise Wrong(f"{told(raw)} is not a list. Write [{quoted(example)}].")
        if len(raw) < at_least:
            raise Wrong(f"is empty. Write at least one, as [{quoted(example)}].")
        kept: list[str] = []
        parts: list[tuple[int | None, str]] = []
        for number, one in enumerate(raw):
            try:
                value = item(as_text(one))
                if value in kept:
                    raise Wrong(f"{quoted(value)} stands in the list twice. Take one out.")
                kept.append(value)
            except Wrong as wrong:
                parts.extend((number, sentence) for _, sentence in wrong.parts)
        if parts:
            raise Wrong(parts=parts)
        return tuple(kept)

    return Kind(parse, is_text=False)


def seconds(raw: object) -> float:
    """Return the seconds of ``"15s"``, ``"10 min"``, ``"6h"`` or ``"2d"``.

    Raises:
        Wrong: it is no such text.
    """
    amount = _amount(raw, _SECONDS)
    if amount is None:
        raise Wrong(f'{told(raw)} is not a duration. Write a number and s, min, h or d, as "15s" or "10 min".')
    return amount


def duration(low: float, high: float) -> Kind:
    """A duration between two bounds in seconds, both allowed."""

    def parse(raw: object) -> float:
        value = seconds(raw)
        if not low <= value <= high:
            span = f'"{_told_whole(low, _WHOLE_UNITS)}" to "{_told_whole(high, _WHOLE_UNITS)}"'
            raise Wrong(f"{told(raw)} is not allowed. Use {span}.")
        return value

    return Kind(parse)


def size(low: int, high: int) -> Kind:
    """A size such as ``"4 MiB"`` between two bounds in bytes, both allowed."""

    def parse(raw: object) -> int:
        amount = _amount(raw, _BYTES)
        if amount is None:
            raise Wrong(f'{told(raw)} is not a size. Write a number and KiB, MiB or GiB, as "4 MiB".')
        if not low <= amount <= high:
            span = f'"{_told_whole(low, _WHOLE_SIZES, " ")}" to "{_told_whole(high, _WHOLE_SIZES, " ")}"'
            raise Wrong(f"{told(raw)} is not allowed. Use {span}.")
        return int(amount)

    return Kind(parse)


def _brake(raw: object) -> Brake | None:
    if raw == "off":
        return None
    match = _BRAKE.fullmatch(raw.strip()) if isinstance(raw, str) else None
    if match is None or int(match[1]) == 0:
        raise Wrong(f'{told(raw)} is not allowed. Write how many in which time, as "20 per 10 min", or "off".')
    within = seconds(match[2])
    if not 1 <= within <= 86400:
        raise Wrong(f'{told(raw)} is not allowed. Use a time from "1s" to "1d".')
    return Brake(int(match[1]), within)


BRAKE = Kind(_brake)
"""How many new threads in which time, or "off" (None)."""


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        folded = {name.casefold(): name for name in available_timezones()}
        near = get_close_matches(value.casefold(), folded, n=1)
        hint = f"Did you mean {quoted(folded[near[0]])}?" if near else 'Write a name such as "UTC" or "Europe/Berlin".'
        raise Wrong(f"{quoted(value)} is not a known time zone. {hint}") from None
    return value


TIMEZONE = text(_timezone)
"""A name of the IANA time zone database."""


def _amount(raw: object, units: dict[str, int]) -> float | None:
    match = _AMOUNT.fullmatch(raw.strip()) if isinstance(raw, str) else None
    if match is None:
        return None
    unit = match[2].lower()
    factor = units.get(unit) or units.get(unit.removesuffix("s") or unit)
    return None if factor is None else float(match[1]) * factor


def _told_whole(amount: float, units: tuple[tuple[int, str], ...], gap: str = "") -> str:
    for factor, word in units:
        if amount and amount % factor == 0:
            return f"{int(amount) // factor}{gap}{word}"
    return f"{amount:g}{gap}{units[-1][1]}"
