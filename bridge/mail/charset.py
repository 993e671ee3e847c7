"""Bytes of mail -> text, whatever their label says. Pure; never raises.

Order: a byte order mark; the encodings whose bytes look like other text (UTF-16, ISO-2022, UTF-7, HZ); strict UTF-8,
since bytes that happen to be valid UTF-8 are UTF-8 in practice and Gmail hands text over so under the old label; the
declared encoding under the table that browsers use (WHATWG: latin-1 means windows-1252, gb2312 means gb18030, ...);
its relatives; what the bytes look like; windows-1252. Single bytes that do not fit fall back alone. U+FFFD is put in
for broken ISO-2022 alone; mail that holds one keeps it.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_ALIASES = {
    "us-ascii": "cp1252", "ascii": "cp1252", "ansi": "cp1252", "iso-8859-1": "cp1252", "iso8859-1": "cp1252",
    "latin1": "cp1252", "latin-1": "cp1252", "l1": "cp1252", "cp819": "cp1252", "ansi-x3.4-1968": "cp1252",
    "iso-8859-9": "cp1254", "iso8859-9": "cp1254", "latin5": "cp1254", "iso-8859-11": "cp874", "tis-620": "cp874",
    "iso-8859-8-i": "iso8859_8", "iso-8859-8-e": "iso8859_8", "logical": "iso8859_8", "iso-8859-6-i": "iso8859_6",
    "iso-8859-6-e": "iso8859_6", "gb2312": "gb18030", "gb-2312-80": "gb18030", "csgb2312": "gb18030",
    "euc-cn": "gb18030", "x-gbk": "gb18030", "gbk": "gb18030", "cp936": "gb18030", "windows-936": "gb18030",
    "ks-c-5601-1987": "cp949", "ks-c-5601": "cp949", "ks-c-5601-1989": "cp949", "ksc5601": "cp949", "ksc-5601": "cp949",
    "euc-kr": "cp949", "x-euc-kr": "cp949", "windows-949": "cp949", "x-windows-949": "cp949", "korean": "cp949",
    "big5": "big5hkscs", "big-5": "big5hkscs", "x-big5": "big5hkscs", "cp950": "big5hkscs", "shift-jis": "cp932",
    "shift_jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "ms932": "cp932", "windows-31j": "cp932",
    "cswindows31j": "cp932", "cp-932": "cp932", "x-euc-jp": "euc_jp", "iso-2022-jp-ms": "iso2022_jp",
    "cp50220": "iso2022_jp", "cp50221": "iso2022_jp", "unicode-1-1-utf-7": "utf_7", "x-unicode-1-1-utf-7": "utf_7",
    "unicode-1-1-utf-8": "utf_8", "utf": "utf_8", "utf8mb4": "utf_8", "x-utf-8": "utf_8", "unicode": "utf_16",
    "ucs-2": "utf_16", "iso-10646-ucs-2": "utf_16", "koi8r": "koi8_r", "koi8": "koi8_r", "koi8-ru": "koi8_u",
    "x-cp1251": "cp1251", "cp-1251": "cp1251", "win-1251": "cp1251", "windows1251": "cp1251", "x-cp1252": "cp1252",
    "macintosh": "mac_roman", "x-mac-roman": "mac_roman", "x-mac-cyrillic": "mac_cyrillic", "windows-874": "cp874",
    "dos-874": "cp874",
}  # fmt: skip
_RELATIVES = {
    "iso8859_8": ("cp1255",), "iso8859_6": ("cp1256",), "iso8859_7": ("cp1253",), "iso8859_2": ("cp1250",),
    "iso8859_4": ("cp1257",), "iso8859_13": ("cp1257",), "iso8859_5": ("cp1251", "koi8_r"), "koi8_r": ("koi8_u",),
    "big5hkscs": ("cp950", "gb18030"), "gb18030": ("big5hkscs",), "cp949": ("johab",),
    "iso2022_jp": ("cp932", "euc_jp"), "cp932": ("euc_jp", "shift_jisx0213"), "euc_jp": ("euc_jis_2004", "cp932"),
}  # fmt: skip
_NOT_FOR_TEXT = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem"})
_ESCAPE = re.compile(rb"\x1b(\$\([@BDOPQ]|\$[@AB]|\([BJIH]|\$\)C|\.[AF])")
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fe]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_HAN = re.compile("[\u4e00-\u9fff]")
_HIGH = re.compile(rb"[\x80-\xff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_STRAY = re.compile("[\udc80-\udcff]")
_CYRILLIC_LOWER = re.compile("[\u0430-\u044f\u0451]")
_CYRILLIC = re.compile("[\u0400-\u045f]")
_MULTIBYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")


def decode(data: bytes, declared: str | None, hint: str | None = None) -> str:
    """The text of ``data``; ``declared`` is the label it came with, ``hint`` another label found nearby.

    Line ends, NUL and whatever else the text holds are left as they are; a leading byte order mark goes.
    """
    codec = codec_of(declared) or codec_of(hint)
    special = _by_mark(data) or _special(data, codec)
    if special is not None:
        return special
    if data.isascii():
        return data.decode("ascii")
    text = _strict(data, "utf_8")
    if text is not None:
        return text
    return _legacy(data, codec, codec_of(hint))


@lru_cache(maxsize=512)
def codec_of(label: str | None) -> str | None:
    """Python's name for the encoding that a label means, None where it names none that text may come in."""
    if not label or len(label) > 64:
        return None
    name = re.sub(r"[\s\"'<>;]", "", label).lower()
    for key in (name, name.replace("_", "-")):
        if key in _ALIASES:
            return _ALIASES[key]
    try:
        info = codecs.lookup(name)
        "".encode(info.name)
    except (LookupError, ValueError, TypeError, UnicodeError):
        return None
    found = info.name.replace("-", "_")
    if found in _NOT_FOR_TEXT or _is_ebcdic(found):
        return None
    return _ALIASES.get(found.replace("_", "-"), found)


def _is_ebcdic(codec: str) -> bool:
    if codec.startswith(("utf_16", "utf_32")):
        return False
    try:
        return b"<a>".decode(codec) != "<a>"
    except UnicodeError:
        return True


def _by_mark(data: bytes) -> str | None:
    if data.startswith(codecs.BOM_UTF8):
        return _strict(data[3:], "utf_8")
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)) and len(data) % 4 == 0:
        return _strict(data, "utf_32")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _strict(data[: len(data) // 2 * 2], "utf_16")
    return None


def _special(data: bytes, codec: str | None) -> str | None:
    """Encodings whose bytes would pass for ASCII or UTF-8."""
    if codec is not None and codec.startswith(("utf_16", "utf_32")):
        return _wide(data, codec)
    if b"\x1b" in data and _ESCAPE.search(data) and data.isascii():
        return _iso_2022(data)
    if codec in ("utf_7", "hz") and data.isascii():
        text = _strict(data, codec)
        # Gmail may have converted the text already: a second decoding of plain ASCII must not eat its plus signs.
        return text if text is not None and not text.isascii() else None
    return None


def _wide(data: bytes, codec: str) -> str | None:
    if b"\0" not in data:
        converted = _strict(data, "utf_8")
        if converted is not None:
            return converted
    if codec == "utf_16":
        codec = "utf_16_be" if data[:64:2].count(0) > data[1:64:2].count(0) else "utf_16_le"
    width = 4 if codec.startswith("utf_32") else 2
    return _strict(data[: len(data) // width * width], codec)


def _iso_2022(data: bytes) -> str | None:
    if b"\x1b$)C" in data:
        return _strict(data, "iso2022_kr")
    for name in ("iso2022_jp", "iso2022_jp_2", "iso2022_jp_ext", "iso2022_jp_2004"):
        text = _strict(data, name)
        if text is not None:
            return text
    # Vendor characters (NEC row 13) or a broken end: the 2-byte runs are EUC with the high bits off.
    pieces = [_ESCAPE.split(data)[0].decode("ascii")]
    for match, run in _runs(data):
        if match.startswith(b"$"):
            high = bytes(byte | 0x80 if byte > 0x20 else byte for byte in run)
            pieces.append(high.decode("euc_jis_2004", "replace"))
        elif match == b"(I":
            pieces.append(bytes(byte | 0x80 if byte > 0x20 else byte for byte in run).decode("cp932", "replace"))
        else:
            pieces.append(run.decode("ascii"))
    return "".join(pieces)


def _runs(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    parts = _ESCAPE.split(data)
    yield from zip(parts[1::2], parts[2::2], strict=True)


def _legacy(data: bytes, codec: str | None, hint: str | None) -> str:
    """Bytes that are not valid UTF-8."""
    if codec in (None, "utf_8", "cp1252") and _mostly_utf8(data):
        return _patched(data, "utf_8")
    named = [name for name in (codec, hint) if name and name not in ("utf_8", "utf_7", "cp1252")]
    for candidate in [*named, *(relative for name in named for relative in _RELATIVES.get(name, ()))]:
        text = _strict(data, candidate)
        if text is not None:
            return text
    guessed = _guess(data) if codec != "cp1252" else None
    if guessed is not None:
        return guessed
    for name in named:
        text = _patched(data, name)
        if len(_STRAY.findall(text)) * 20 <= len(_HIGH.findall(data)):
            return text
    return _patched(data, "cp1252")


def _strict(data: bytes, codec: str) -> str | None:
    try:
        text = data.decode(codec)
    except (UnicodeError, LookupError, ValueError):
        return None
    if codec == "utf_7" and _SURROGATE.search(text):
        return None
    if codec == "cp1258":  # Vietnamese accents come as combining marks
        return unicodedata.normalize("NFC", text)
    return text.removeprefix("\ufeff")


def _mostly_utf8(data: bytes) -> bool:
    """Do most bytes above 0x7F belong to valid UTF-8 sequences?"""
    valid = sum(len(found) for found in _MULTIBYTE.findall(data) if _strict(found, "utf_8") is not None)
    return valid * 2 > len(_HIGH.findall(data))


def _patched(data: bytes, codec: str) -> str:
    """Text in which only the bytes that do not fit ``codec`` fall back to windows-1252, or else to latin-1."""
    try:
        text = data.decode(codec, "surrogateescape")
    except (UnicodeError, LookupError, ValueError):
        text = data.decode("ascii", "surrogateescape")
    return _STRAY.sub(_windows, text)


def _windows(match: re.Match[str]) -> str:
    byte = bytes([ord(match[0]) - 0xDC00])
    return _strict(byte, "cp1252") or byte.decode("latin_1")


def _guess(data: bytes) -> str | None:
    """What the bytes look like: Japanese, Korean, Chinese, Russian. None where nothing is likely enough."""
    sample = data[:20000]
    for codec, script, share in (("cp932", _KANA, 0.25), ("euc_jp", _KANA, 0.25), ("cp949", _HANGUL, 0.8)):
        text = _strict(data, codec)
        if text is not None and _share(text[:20000], script) >= share:
            return text
    if not re.search(rb"(?<![\x80-\xff])(?:[\x80-\xff]{2})*[\x80-\xff](?![\x40-\xff])", sample):
        for codec in ("gb18030", "big5hkscs"):
            text = _strict(data, codec)
            if text is not None and len(_HAN.findall(text)) >= 4 and _share(text[:20000], _HAN) >= 0.8:
                return text
    letters = len(re.findall(rb"[A-Za-z]", sample))
    if len(_HIGH.findall(sample)) > max(4, letters):
        texts = [text for text in (_strict(data, "cp1251"), _strict(data, "koi8_r")) if text is not None]
        best = max(texts, key=lambda text: len(_CYRILLIC_LOWER.findall(text[:20000])), default=None)
        if best is not None and _share(best[:20000], _CYRILLIC) > 0.8:
            return best
    return None


def _share(text: str, script: re.Pattern[str]) -> float:
    """The share of characters beyond ASCII that are of a script; 0 for fewer than two."""
    beyond = sum(1 for char in text if char > "\x7f" and char not in "\u3001\u3002\u300c\u300d\uff01\uff08\uff09\u3000")
    found = len(script.findall(text))
    return found / beyond if beyond and found > 1 else 0.0
