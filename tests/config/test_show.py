from __future__ import annotations

import json
import tomllib
from pathlib import Path

from bridge.config import check, show, show_json
from bridge.config.keys import keys_of
from bridge.config.settings import SECTIONS, Route

PATH = Path("/etc/mailbridge/config.toml")
TEXT = """\
[google]
client_id = "g"
domains = ["example.com", "acme.example"]
[atlassian]
client_id = "a"
sites = ["https://example.atlassian.net"]
[pages]
timezone = "Europe/Berlin"
[[routes]]
name = "eng"
label = "Confluence/ENG"
space = "ENG"
signatures = "drop"
"""
ENVIRON = {
    "MAILBRIDGE_STORE__URL": "postgresql://u:geheim@h/d",
    "MAILBRIDGE_GOOGLE__CLIENT_SECRET": "hush",
    "MAILBRIDGE_GMAIL__POLL_EVERY": "5s",
}


def test_every_key_stands_there_with_where_it_came_from() -> None:
    shown = show(PATH, check(TEXT, ENVIRON).entries).splitlines()
    assert shown[:3] == ["# /etc/mailbridge/config.toml", "", "[google]"]
    squeezed = [" ".join(line.split()) for line in shown]
    for line in (
        'client_id = "g" # line 2',
        'domains = ["example.com", "acme.example"] # line 3',
        "units_per_minute = 6000 # default",
        'url = "postgresql://u:***@h/d" # MAILBRIDGE_STORE__URL',
        'poll_every = "5s" # MAILBRIDGE_GMAIL__POLL_EVERY',
        'timezone = "Europe/Berlin" # line 8',
        'signatures = "fold" # default',
        'signatures = "drop" # line 13',
    ):
        assert line in squeezed


def test_what_is_shown_is_a_configuration_that_means_the_same() -> None:
    checked = check(TEXT, {})
    shown = show(PATH, checked.entries)
    assert check(shown, {}).settings == checked.settings
    document = tomllib.loads(shown)
    assert {name: set(document[name]) for name in SECTIONS} == {
        name: set(keys_of(one)) for name, one in SECTIONS.items()
    }
    assert set(document["routes"][0]) == set(keys_of(Route)) | {"signatures"}


def test_json_has_the_same_and_no_secret_is_in_either() -> None:
    entries = check(TEXT, ENVIRON).entries
    found = json.loads(show_json(PATH, entries))
    assert found["path"] == str(PATH)
    by_key = {value["key"]: value for value in found["values"]}
    assert by_key["routes[1].signatures"] == {
        "key": "routes[1].signatures",
        "value": "drop",
        "from": "file",
        "line": 13,
        "variable": None,
    }
    assert by_key["store.url"]["value"] == "postgresql://u:***@h/d"
    assert by_key["gmail.poll_every"]["variable"] == "MAILBRIDGE_GMAIL__POLL_EVERY"
    for text in (show(PATH, entries), show_json(PATH, entries)):
        assert "geheim" not in text
        assert "hush" not in text
