"""Where the configuration and the state stand, for a service and for a person who tries it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import PlatformDirs
from platformdirs.api import PlatformDirsABC

USER_DIRS = PlatformDirs("mailbridge", appauthor=False)
"""The directories of whoever runs this (XDG on Linux); they are looked up when they are asked for."""

_LAST_SYSTEM_UID = 999
_DYNAMIC_UIDS = range(61184, 65520)
"""What systemd gives to units with DynamicUser=yes (systemd, docs/UIDS-GIDS)."""


@dataclass(frozen=True, slots=True)
class Places:
    """The configuration file, the directory of the state, and where the key that seals tokens is looked for."""

    config: Path
    state: Path
    seal_key: Path

    @property
    def database_url(self) -> str:
        """The database where the configuration names none."""
        return f"sqlite:///{self.state / 'mailbridge.db'}"

    @property
    def last_good(self) -> Path:
        """The copy of the last configuration that was valid."""
        return self.state / "last-good.toml"


SYSTEM = Places(Path("/etc/mailbridge/config.toml"), Path("/var/lib/mailbridge"), Path("/etc/mailbridge/seal_key"))
"""Where a service has them."""


def places(environ: Mapping[str, str], uid: int, user: PlatformDirsABC = USER_DIRS) -> Places:
    """Return the places for a user of this machine.

    Root and the users of services (up to 999, and systemd's dynamic ones) have the system's places; anyone else has
    their own. ``MAILBRIDGE_CONFIG`` names another configuration file; ``STATE_DIRECTORY``, which systemd sets, names
    the directory of the state.
    """
    if uid <= _LAST_SYSTEM_UID or uid in _DYNAMIC_UIDS:
        found = SYSTEM
    else:
        config = user.user_config_path
        found = Places(config / "config.toml", user.user_state_path, config / "seal_key")
    named = environ.get("MAILBRIDGE_CONFIG", "")
    state = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return Places(Path(named) if named else found.config, Path(state) if state else found.state, found.seal_key)
