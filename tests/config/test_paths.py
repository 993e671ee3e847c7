from __future__ import annotations

from pathlib import Path

import pytest
from platformdirs import PlatformDirs

from bridge.config import SYSTEM, Places, places


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch) -> PlatformDirs:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/home/ada/.config")
    monkeypatch.setenv("XDG_STATE_HOME", "/home/ada/.local/state")
    return PlatformDirs("mailbridge", appauthor=False)


@pytest.mark.parametrize("uid", [0, 110, 999, 61184, 65519])
def test_root_and_services_have_the_places_of_the_system(uid: int, user: PlatformDirs) -> None:
    assert places({}, uid, user) == SYSTEM
    assert SYSTEM.config == Path("/etc/mailbridge/config.toml")
    assert SYSTEM.state == Path("/var/lib/mailbridge")
    assert SYSTEM.database_url == "sqlite:////var/lib/mailbridge/mailbridge.db"
    assert SYSTEM.last_good == Path("/var/lib/mailbridge/last-good.toml")


@pytest.mark.parametrize("uid", [1000, 61183, 65534])
def test_a_person_has_their_own(uid: int, user: PlatformDirs) -> None:
    assert places({}, uid, user) == Places(
        Path("/home/ada/.config/mailbridge/config.toml"),
        Path("/home/ada/.local/state/mailbridge"),
        Path("/home/ada/.config/mailbridge/seal_key"),
    )


def test_the_environment_names_the_file_and_the_state(user: PlatformDirs) -> None:
    environ = {"MAILBRIDGE_CONFIG": "/srv/c.toml", "STATE_DIRECTORY": "/srv/state:/srv/second"}
    assert places(environ, 0, user) == Places(Path("/srv/c.toml"), Path("/srv/state"), SYSTEM.seal_key)
    assert places({"MAILBRIDGE_CONFIG": "", "STATE_DIRECTORY": ""}, 0, user) == SYSTEM
