"""What to say of a key or a section that nobody knows: the nearest one that is known."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from bridge.config.faults import either, quoted
from bridge.config.keys import keys_of
from bridge.config.settings import SECTIONS, Pages, Route

_SHOWN = {**{name: f"[{name}]" for name in SECTIONS}, "routes": "[[routes]]"}
_KEYS = {**{name: tuple(keys_of(section)) for name, section in SECTIONS.items()}, "routes": tuple(keys_of(Route))}


def unknown_key(section: str, name: str, known: tuple[str, ...]) -> str:
    """Return the sentence for a key that its section does not know.

    Args:
        section: the section's name, ``routes`` for a route.
        name: the key as it stands there.
        known: the keys that may stand there.
    """
    elsewhere = [shown for other, shown in _SHOWN.items() if other != section and name in _KEYS[other]]
    if elsewhere:
        return f"unknown key here. It belongs to {either(elsewhere)}."
    near = get_close_matches(name.lower(), known, n=1)
    if near:
        return f"unknown key. Did you mean {quoted(near[0])}?"
    listed = [one for one in known if section != "routes" or one not in keys_of(Pages)]
    rest = ", and the keys of [pages]" if section == "routes" else ""
    return f"unknown key. {_SHOWN[section]} takes {either(listed, last='and')}{rest}."


def unknown_section(name: str, value: Any) -> str:
    """Return the sentence for something at the top of the file that is no section of ours."""
    holders = [shown for section, shown in _SHOWN.items() if name in _KEYS[section]]
    if holders and not isinstance(value, dict):
        return f"stands outside of any section. Put it below {either(holders)}."
    near = get_close_matches(name.lower(), _SHOWN, n=1)
    if near:
        return f"unknown section. Did you mean {_SHOWN[near[0]]}?"
    return f"unknown section. There are {either(_SHOWN.values(), last='and')}."
