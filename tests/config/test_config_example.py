"""The example at the root of the project is the reference of all keys; here it is held to the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from bridge.config import check
from bridge.config.keys import keys_of
from bridge.config.settings import SECTIONS, Route

TEXT = (Path(__file__).parents[2] / "config.example.toml").read_text(encoding="utf-8")
SHOWN = re.compile(r"^# ([a-z_]+ = .*)$", re.MULTILINE)
UNCOMMENTED = SHOWN.sub(r"\1", TEXT)
KEYS = {name: keys_of(section) for name, section in (SECTIONS | {"routes": Route}).items()}


def _tables(text: str) -> dict[str, dict[str, Any]]:
    document = tomllib.loads(text)
    return document | {"routes": document["routes"][0]}


def test_the_example_is_valid_as_it_stands() -> None:
    checked = check(TEXT, {})
    assert checked.faults == ()
    assert checked.settings is not None
    assert [route.name for route in checked.settings.routes] == ["engineering"]


def test_with_every_default_written_out_it_means_the_same() -> None:
    assert check(UNCOMMENTED, {}).faults == ()
    assert check(UNCOMMENTED, {}).settings == check(TEXT, {}).settings


def test_each_key_stands_in_it_and_it_has_no_other() -> None:
    assert {name: set(table) for name, table in _tables(UNCOMMENTED).items()} == {
        name: set(keys) for name, keys in KEYS.items()
    }


def test_the_order_is_that_of_the_code() -> None:
    assert {name: list(table) for name, table in _tables(UNCOMMENTED).items()} == {
        name: list(keys) for name, keys in KEYS.items()
    }


def test_each_default_that_it_shows_is_the_code_s() -> None:
    written = _tables(TEXT)
    shown = {
        f"{name}.{key}": value
        for name, table in _tables(UNCOMMENTED).items()
        for key, value in table.items()
        if key not in written.get(name, {})
    }
    assert shown == {
        f"{name}.{key}": declared.default
        for name, keys in KEYS.items()
        for key, declared in keys.items()
        if key not in written.get(name, {})
    }


def test_what_stands_in_it_uncommented_has_no_default_or_is_for_its_operator_to_fill_in() -> None:
    written = {f"{name}.{key}" for name, table in _tables(TEXT).items() for key in table}
    required = {f"{name}.{key}" for name, keys in KEYS.items() for key, declared in keys.items() if declared.missing}
    assert written - required == {"google.client_secret_file", "atlassian.client_secret_file", "web.public_url"}
    assert required <= written


def test_its_lines_are_readable_on_a_terminal() -> None:
    assert max(map(len, TEXT.splitlines())) <= 130
    assert TEXT.isascii()
