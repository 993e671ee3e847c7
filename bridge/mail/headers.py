"""Header fields -> values: words, people, ids, dates, parameters. Pure; never raises.

A field comes as text in which undecodable bytes are surrogates (as the stdlib's parser gives it), or already decoded
(as Gmail's API gives it). What leaves this file holds no NUL, no lone surrogate and no line break.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from bridge.mail import charset
from bridge.model import Person

_WORD = re.compile(r"=\?([^?\s]{1,64})\?([bBqQ])\?(.*?)\?=", re.DOTALL)
_FOLD = re.compile(r"\r?\n(?=[ \t])|\r(?=[ \t])")
_BREAKS = re.compile("[\t\n\x0b\x0c\r\x1c-\x1e\x85\u2028\u2029]+")
_NEVER = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufeff]")
_NEVER_IN_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufeff\ufffe\uffff]")
_HIGH = re.compile("[\udc80-\udcff]")
_Q_BYTE = re.compile(rb"=([0-9A-Fa-f]{2})")
_ID = re.compile(r"<([^<>]*)>")
_ADDRESS = re.compile(r"[^\s<>,;:\"()\[\]@]{1,256}@[^\s<>,;:\"()]{1,256}")
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|<([^<>]*)>|([,;:])|(\()|([^"<>,;:(]+|["<>])', re.DOTALL)
_PARAMETER = re.compile(r';\s*([^\s=;"]+)\s*=\s*("(?:[^"\\]|\\.)*"?|[^;]*)', re.DOTALL)
_SECTION = re.compile(r"^(.+?)(?:\*(\d{1,3}))?(\*)?$")


def clean(text: str) -> str:
    """One line without control characters and lone surrogates, blanks at its ends removed."""
    return _NEVER.sub("", _BREAKS.sub(" ", text)).strip()


def clean_text(text: str) -> str:
    r"""Text of a body: ``\n`` line ends, no NUL and nothing else that XML forbids."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _NEVER_IN_TEXT.sub("", text)


def unfold(value: str, hint: str | None = None) -> str:
    """A raw field value as text: folds undone (the blanks stay), raw 8-bit and ISO-2022-JP bytes decoded."""
    value = _FOLD.sub("", value)
    if _HIGH.search(value) or "\x1b" in value:
        try:
            return charset.decode(value.encode("utf-8", "surrogateescape"), hint)
        except UnicodeEncodeError:
            return value
    return value


def text(value: str, hint: str | None = None) -> str:
    """An unstructured field (Subject): folds undone, encoded words decoded, cleaned, runs of blanks made one."""
    return re.sub("  +", " ", clean(words(unfold(value, hint), hint)))


def words(value: str, hint: str | None = None) -> str:
    """RFC 2047 words decoded; neighbours of one charset are joined first; what is no proper word stays as it is."""
    if "=?" not in value:
        return value
    out: list[str] = []
    pending: list[_Word] = []
    end = 0
    for match in _words(value):
        between = value[end : match.start()]
        if between.strip() or not pending:
            out.extend(_decoded(pending, hint))
            out.append(between)
            pending = []
        pending.append(_Word(match[1].partition("*")[0].lower(), match[2].lower(), match[3], match[0]))
        end = match.end()
    out.extend(_decoded(pending, hint))
    out.append(value[end:])
    return "".join(out)


def charsets(value: str) -> list[str]:
    """The charset labels of the encoded words of a field, a hint for bytes that come without one."""
    return [match[1].partition("*")[0] for match in _words(value)]


def _words(value: str) -> Iterator[re.Match[str]]:
    # Nothing behind the last "?=" can be a word: without this bound, openings that never close cost quadratic time.
    return _WORD.finditer(value, 0, value.rfind("?=") + 2) if "?=" in value else iter(())


class _Word(NamedTuple):
    label: str
    encoding: str
    payload: str
    source: str


def _decoded(pending: list[_Word], hint: str | None) -> Iterator[str]:
    """Neighbouring words as text, each run of one charset as one run of bytes; a broken one breaks its run up."""
    for label, group in itertools.groupby(pending, key=lambda word: word.label):
        run = list(group)
        chunks = [_bytes(encoding, payload) for encoding, payload in _chunks(run)]
        if None not in chunks:
            yield charset.decode(b"".join(chunk or b"" for chunk in chunks), label, hint)
            continue
        for word in run:
            alone = _bytes(word.encoding, word.payload)
            yield word.source if alone is None else charset.decode(alone, label, hint)


def _chunks(run: list[_Word]) -> Iterator[tuple[str, str]]:
    """(encoding, payload); base64 that was cut elsewhere than at a multiple of four is joined."""
    for encoding, group in itertools.groupby(run, key=lambda word: word.encoding):
        held = ""
        for word in group:
            if encoding == "q":
                yield encoding, word.payload
                continue
            held += re.sub(r"\s+", "", word.payload)
            if len(held) % 4 == 0 or held.endswith("="):
                yield encoding, held
                held = ""
        if held:
            yield encoding, held


def _bytes(encoding: str, payload: str) -> bytes | None:
    try:
        if encoding == "b":
            squeezed = re.sub(r"\s+", "", payload)
            return base64.b64decode(squeezed + "=" * (-len(squeezed) % 4), validate=True)
        raw = payload.replace("_", " ").encode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        return None
    return _Q_BYTE.sub(lambda match: bytes([int(match[1], 16)]), raw)


def people(value: str, hint: str | None = None) -> tuple[Person, ...]:
    """The mailboxes of an address field: groups are opened, comments are names where there is no other.

    An unquoted comma inside a name ("Smith, Karoline <k@example.com>") does not make two people.
    """
    found: list[Person] = []
    loose = ""
    for phrase, comment, angle, separator in _entries(unfold(value, hint)):
        if angle is None:
            match = _ADDRESS.search(words(phrase, hint))
            if match is None:
                if phrase.strip() and separator == ",":
                    loose = f"{loose}, {phrase.strip()}" if loose else phrase.strip()
                elif phrase.strip() or loose:
                    found.append(_person(f"{loose}, {phrase}" if loose else phrase, "", hint))
                    loose = ""
                continue
            address, rest = match[0], words(phrase, hint).replace(match[0], "")
            name = rest if rest.strip() else comment
        else:
            address, name = angle, phrase if phrase.strip() else comment
        if loose and angle is not None:
            name = f"{loose}, {name}"
        elif loose:
            found.append(_person(loose, "", hint))
        loose = ""
        found.append(_person(name, address, hint))
    if loose:
        found.append(_person(loose, "", hint))
    return tuple(person for person in found if person.name or person.address)


def _entries(value: str) -> Iterator[tuple[str, str, str | None, str]]:
    """(phrase, comment, address in angle brackets or None, separator after it), one for each mailbox."""
    phrase, comment, angle, at = "", "", None, 0
    while at < len(value):
        match = _TOKEN.match(value, at)
        if match is None:
            at += 1
            continue
        at = match.end()
        quoted, bracketed, separator, opened, run = match.groups()
        if quoted is not None:
            phrase += re.sub(r"\\(.)", r"\1", quoted)
        elif bracketed is not None:
            angle = bracketed if angle is None else angle
        elif opened is not None:
            inner, at = _comment(value, at)
            comment = comment or inner
        elif separator == ":" and angle is None and "=?" not in phrase and "@" not in phrase:
            phrase = ""  # the name of a group
        elif separator == ":":
            phrase += ":"
        elif separator is not None:
            yield phrase, comment, angle, separator
            phrase, comment, angle = "", "", None
        else:
            phrase += run
    yield phrase, comment, angle, ""


def _comment(value: str, at: int) -> tuple[str, int]:
    depth, start = 1, at
    while at < len(value) and depth:
        if value[at] == "\\":
            at += 1
        elif value[at] in "()":
            depth += 1 if value[at] == "(" else -1
        at += 1
    return value[start : at - 1 if not depth else at], at


def _person(name: str, address: str, hint: str | None) -> Person:
    address = re.sub(r"\s+", "", clean(words(address, hint))).lower().removeprefix("mailto:")
    if address.startswith("@") and ":" in address:  # an old source route: <@relay,@relay:user@example.com>
        address = address.rpartition(":")[2]
    address = address.strip("'\"<>") if "@" in address else address
    name = re.sub(r"  +", " ", clean(words(name, hint)))
    if len(name) > 1 and name[0] == name[-1] and name[0] in "'\"":
        name = name[1:-1].strip()
    if "@" not in address:
        name, address = name or address, ""
    return Person(name="" if name.lower() == address else name, address=address)


def message_id(value: str) -> str:
    """The first id of a Message-ID or In-Reply-To field, without angle brackets and blanks; '' where there is none."""
    found = ids(value)
    return found[0] if found else ""


def ids(value: str) -> tuple[str, ...]:
    """All ids of a References field in their order, each once."""
    value = unfold(value)
    found = _ID.findall(value) or [word for word in value.split() if "@" in word]
    cleaned = (re.sub(r"\s+", "", clean(one)).strip("<>") for one in found)
    return tuple(dict.fromkeys(one for one in cleaned if one))


def date(value: str) -> datetime | None:
    """The instant of an RFC 5322 date, aware and UTC; None for what is none or cannot be. No zone means UTC."""
    try:
        found = parsedate_to_datetime(clean(unfold(value)))
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found
        return found.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None


def parameters(value: str, hint: str | None = None) -> tuple[str, dict[str, str]]:
    """A Content-Type or Content-Disposition field: its value in lower case, and its parameters by lower-case name.

    RFC 2231 sections and percent bytes are put together and decoded, and encoded words too (they stand there against
    the rules, but they do). The first of two parameters of one name counts.
    """
    value = unfold(value, hint)
    main = re.sub(r"\s+", "", clean(value.partition(";")[0])).lower()
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[bool, str]]] = {}
    for match in _PARAMETER.finditer(value):
        section = _SECTION.match(match[1].lower())
        raw = match[2].strip()
        raw = re.sub(r"\\(.)", r"\1", raw[1:].removesuffix('"')) if raw.startswith('"') else raw
        if section is None or (section[2] is None and section[3] is None):
            plain.setdefault(match[1].lower(), raw)
        else:
            sections.setdefault(section[1], {}).setdefault(int(section[2] or 0), (section[3] is not None, raw))
    decoded = {name: clean(words(raw, hint)) for name, raw in plain.items()}
    return main, decoded | {name: clean(_joined(parts)) for name, parts in sections.items()}


def _joined(parts: dict[int, tuple[bool, str]]) -> str:
    label, data = "", b""
    for number in sorted(parts):
        encoded, raw = parts[number]
        if number == min(parts) and encoded and raw.count("'") >= 2:
            label, _, raw = raw.split("'", 2)
        data += unquote_to_bytes(raw) if encoded else raw.encode("utf-8", "surrogateescape")
    return charset.decode(data, label)


def first(fields: Iterable[tuple[str, str]], name: str) -> str:
    """The first field of a name (any case), '' where there is none."""
    return next((value for key, value in fields if key.lower() == name), "")
