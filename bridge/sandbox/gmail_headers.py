"""Mail headers as Gmail's API shows them: unfolded with their white space, encoded words decoded, Unicode throughout.

Written apart from the product's own mail reading on purpose, so that one mistake cannot hide in both.
"""

from __future__ import annotations

import base64
import binascii
import re

_WORD = r"=\?[^?\s*]+(?:\*[^?\s]*)?\?[QqBb]\?[^?]*\?="
_RUN = re.compile(rf"{_WORD}(?:[ \t]*{_WORD})*")
_WORD_PARTS = re.compile(r"=\?([^?\s*]+)(?:\*[^?\s]*)?\?([QqBb])\?([^?]*)\?=")
_ADDRESS_HEADERS = frozenset({"from", "to", "cc", "bcc", "reply-to", "sender", "resent-from", "resent-to", "resent-cc"})
_ALIASES = {
    "iso-8859-1": ("cp1252", "latin-1"),
    "latin1": ("cp1252", "latin-1"),
    "us-ascii": ("ascii",),
    "gb2312": ("gb18030",),
    "gbk": ("gb18030",),
    "ks_c_5601-1987": ("cp949",),
    "euc-kr": ("cp949",),
    "iso-8859-8-i": ("iso-8859-8",),
    "iso-8859-8-e": ("iso-8859-8",),
    "shift_jis": ("cp932",),
    "shift-jis": ("cp932",),
    "x-sjis": ("cp932",),
    "iso-2022-jp": ("iso2022_jp_ext", "cp932"),
    "windows-874": ("cp874",),
    "x-unknown": (),
    "unknown-8bit": (),
}
_NOT_CHARSETS = frozenset({"unicode_escape", "raw_unicode_escape", "idna", "punycode", "undefined"})


def to_text(data: bytes, charset: str) -> str | None:
    """Decode bytes strictly by a charset that a mail names; None where the name is unknown or the bytes do not fit."""
    name = charset.strip().strip("\"'").casefold()
    if name.replace("-", "_") in _NOT_CHARSETS:
        return None
    for codec in _ALIASES.get(name, (name,)):
        try:
            return data.decode(codec)
        except (LookupError, UnicodeError, ValueError):
            continue
    return None


def eight_bit(raw: str, charset: str) -> str:
    """Turn header text that carries raw bytes (as surrogate escapes) into Unicode.

    Args:
        raw: what ``email`` parsed from bytes.
        charset: the mail's own charset, tried after UTF-8; '' where it names none.
    """
    if raw.isascii():
        return raw
    data = raw.encode("utf-8", "surrogateescape")
    for name in ("utf-8", charset, "iso-8859-1"):
        text = to_text(data, name) if name else None
        if text is not None:
            return text
    return data.decode("latin-1")


def decode_words(text: str, *, quote: bool = False) -> str:
    """Decode the encoded words of a header; a run of them that is malformed stays as it stands.

    Bytes of neighbouring words with one charset are joined before they are decoded, since some senders cut a
    character in two.

    Args:
        text: the unfolded header.
        quote: true for headers of addresses, where Gmail puts a decoded display name in quotes.
    """

    def decoded(match: re.Match[str]) -> str:
        run = _decode_run(match.group())
        if run is None:
            return match.group()
        if quote and text[: match.start()].count('"') % 2 == 0:
            return '"' + run.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return run

    return _RUN.sub(decoded, text)


def header_value(name: str, raw: str, charset: str) -> str:
    """Return one header's value as Gmail gives it.

    Args:
        name: the header's name.
        raw: the value as it stands in the mail, folds and raw bytes included.
        charset: the mail's own charset, for raw bytes.
    """
    unfolded = re.sub(r"[\r\n]+", "", raw).strip(" \t")
    return decode_words(eight_bit(unfolded, charset), quote=name.casefold() in _ADDRESS_HEADERS)


def _decode_run(run: str) -> str | None:
    groups: list[tuple[str, bytes]] = []
    for charset, encoding, encoded in _WORD_PARTS.findall(run):
        data = _decode_word(encoding, encoded)
        if data is None:
            return None
        if groups and groups[-1][0].casefold() == charset.casefold():
            groups[-1] = (charset, groups[-1][1] + data)
        else:
            groups.append((charset, data))
    texts = [to_text(data, charset) for charset, data in groups]
    if any(text is None for text in texts):
        return None
    return re.sub(r"[\r\n]+", " ", "".join(text for text in texts if text is not None))


def _decode_word(encoding: str, encoded: str) -> bytes | None:
    data = encoded.encode("utf-8", "surrogateescape")
    if encoding in "Qq":
        return binascii.a2b_qp(data, header=True)
    try:
        return base64.b64decode(data + b"=" * (-len(data) % 4))
    except binascii.Error:
        return None
