"""The configuration: TOML, the environment and secrets in; frozen, validated settings or every fault at once out."""

from __future__ import annotations

from bridge.config.addresses import Listen
from bridge.config.entries import Checked, Entry, Origin
from bridge.config.faults import ConfigFaults, Fault, one_line, render_faults
from bridge.config.load import check_file, load
from bridge.config.paths import SYSTEM, Places, places
from bridge.config.reading import check
from bridge.config.reload import Change, ConfigFile, changed_keys
from bridge.config.rules import notes
from bridge.config.secrets import SecretMissing, client_secret, database_url, seal_keys, secret
from bridge.config.settings import (
    Atlassian,
    Endpoints,
    Gmail,
    Google,
    Pages,
    Route,
    Safety,
    Settings,
    Store,
    Web,
)
from bridge.config.show import show, show_json
from bridge.config.values import Brake

__all__ = [
    "SYSTEM",
    "Atlassian",
    "Brake",
    "Change",
    "Checked",
    "ConfigFaults",
    "ConfigFile",
    "Endpoints",
    "Entry",
    "Fault",
    "Gmail",
    "Google",
    "Listen",
    "Origin",
    "Pages",
    "Places",
    "Route",
    "Safety",
    "SecretMissing",
    "Settings",
    "Store",
    "Web",
    "changed_keys",
    "check",
    "check_file",
    "client_secret",
    "database_url",
    "load",
    "notes",
    "one_line",
    "places",
    "render_faults",
    "seal_keys",
    "secret",
    "show",
    "show_json",
]
