"""What little of a mail's styling says something: hidden, bold, struck out, a colour that can be read."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RGB = re.compile(r"rgba?\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*(?:,\s*1(?:\.0*)?\s*)?\)")
_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})")
_NAMED = {
    "red": (255, 0, 0), "darkred": (139, 0, 0), "crimson": (220, 20, 60), "firebrick": (178, 34, 34),
    "maroon": (128, 0, 0), "green": (0, 128, 0), "darkgreen": (0, 100, 0), "blue": (0, 0, 255),
    "darkblue": (0, 0, 139), "mediumblue": (0, 0, 205), "navy": (0, 0, 128), "purple": (128, 0, 128),
    "teal": (0, 128, 128), "indigo": (75, 0, 130), "brown": (165, 42, 42), "darkmagenta": (139, 0, 139),
}  # fmt: skip
_LEAST_CONTRAST = 4.5
_LEAST_SATURATION = 80
_PIXELS = re.compile(r"^\s*(\d{1,5})(?:\.\d+)?\s*(?:px)?\s*$")


@dataclass(frozen=True, slots=True)
class Style:
    """The declarations that matter. None where a property says nothing; ``colour`` is "rgb(r,g,b)" or ''."""

    hidden: bool = False
    bold: bool | None = None
    italic: bool | None = None
    underline: bool = False
    struck: bool = False
    keeps_lines: bool | None = None
    colour: str = ""
    width: int | None = None
    height: int | None = None


PLAIN = Style()


def parse(style: str) -> Style:
    """Return what a ``style`` attribute says; what cannot be read says nothing."""
    values: dict[str, str] = {}
    for declaration in style.lower().split(";"):
        name, colon, value = declaration.partition(":")
        if colon:
            values[name.strip()] = value.replace("!important", "").strip()
    decoration = values.get("text-decoration", "") + " " + values.get("text-decoration-line", "")
    weight = values.get("font-weight")
    slant = values.get("font-style")
    space = values.get("white-space")
    return Style(
        hidden=_hidden(values),
        bold=None if weight is None else weight in {"bold", "bolder", "600", "700", "800", "900"},
        italic=None if slant is None else slant.startswith(("italic", "oblique")),
        underline="underline" in decoration,
        struck="line-through" in decoration,
        keeps_lines=None if space is None else space in {"pre", "pre-wrap", "pre-line", "break-spaces"},
        colour=colour(values.get("color", "")),
        width=pixels(values.get("width", "")),
        height=pixels(values.get("height", "")),
    )


def colour(value: str) -> str:
    """Return a text colour as "rgb(r,g,b)" if it is a colour at all and can be read on white, else ''.

    Black, white and greys are the reader's theme's own business; contrast is that of WCAG 2, at least 4.5 : 1.
    """
    value = value.strip().lower()
    rgb = _NAMED.get(value)
    if match := _RGB.fullmatch(value):
        rgb = (int(match[1]), int(match[2]), int(match[3]))
    elif match := _HEX.fullmatch(value):
        digits = match[1] if len(match[1]) == 6 else "".join(c * 2 for c in match[1])
        rgb = (int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16))
    if rgb is None or max(rgb) > 255 or max(rgb) - min(rgb) < _LEAST_SATURATION:
        return ""
    contrast = 1.05 / (_luminance(rgb) + 0.05)
    return "rgb({},{},{})".format(*rgb) if contrast >= _LEAST_CONTRAST else ""


def pixels(value: str) -> int | None:
    """Return a length in pixels, None for anything else (percent, auto, nothing)."""
    match = _PIXELS.match(value)
    return int(match[1]) if match else None


def _hidden(values: dict[str, str]) -> bool:
    if values.get("display") == "none" or values.get("visibility") in {"hidden", "collapse"}:
        return True
    if values.get("mso-hide") == "all" or values.get("opacity") in {"0", "0.0"}:
        return True
    return values.get("overflow") == "hidden" and (
        pixels(values.get("max-height", "")) == 0 or pixels(values.get("height", "")) == 0
    )


def _luminance(rgb: tuple[int, int, int]) -> float:
    linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
