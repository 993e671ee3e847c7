"""Values from variables of the environment, ``MAILBRIDGE_SECTION__KEY`` for every key outside [[routes]]."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from bridge.config.faults import Fault, quoted
from bridge.config.keys import keys_of
from bridge.config.settings import SECTIONS

PREFIX = "MAILBRIDGE_"
SECRET_VARIABLES = {
    "google_client_secret": f"{PREFIX}GOOGLE__CLIENT_SECRET",
    "atlassian_client_secret": f"{PREFIX}ATLASSIAN__CLIENT_SECRET",
    "seal_key": f"{PREFIX}STORE__SEAL_KEY",
}
"""The variable of each secret, by the secret's name as a systemd credential. These are no keys of the file."""


def variable_of(section: str, key: str) -> str:
    """Return the name of a key's variable."""
    return f"{PREFIX}{section}__{key}".upper()


KEY_VARIABLES = {variable_of(name, key): (name, key) for name, section in SECTIONS.items() for key in keys_of(section)}
"""Section and key by the name of the variable."""


def from_environment(environ: Mapping[str, str]) -> tuple[dict[tuple[str, str], tuple[str, Any]], list[Fault]]:
    """Return what the environment gives, as (variable, value) by section and key, and variables that mean nothing."""
    given: dict[tuple[str, str], tuple[str, Any]] = {}
    faults: list[Fault] = []
    known = sorted({*KEY_VARIABLES, *SECRET_VARIABLES.values()})
    for variable, raw in sorted(environ.items()):
        if variable in KEY_VARIABLES:
            section, key = KEY_VARIABLES[variable]
            given[section, key] = (variable, _value(raw, keys_of(SECTIONS[section])[key].kind.is_text))
        elif variable.startswith(f"{PREFIX}ROUTES__"):
            faults.append(Fault(0, 0, variable, "routes cannot come from the environment. Write them in the file."))
        elif variable.startswith(PREFIX) and "__" in variable and variable not in SECRET_VARIABLES.values():
            near = get_close_matches(variable, known, n=1)
            hint = f"Did you mean {quoted(near[0])}?" if near else "Write MAILBRIDGE_SECTION__KEY."
            faults.append(Fault(0, 0, variable, f"unknown variable. {hint}"))
    return given, faults


def _value(raw: str, is_text: bool) -> Any:
    """Read a variable as a TOML value; what is none, and what is no text where text is wanted, stands as it is."""
    try:
        document = tomllib.loads(f"value = {raw}")
    except (ValueError, RecursionError):
        return raw
    if list(document) != ["value"] or (is_text and not isinstance(document["value"], str)):
        return raw
    return document["value"]
