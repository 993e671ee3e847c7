"""Opens the database of an installation for the commands that only look at it, or answer in it.

They need no secret but the database's address, never bring its tables up to date, and go on with the last good
configuration where the file is faulty, as the service does.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bridge.cli.output import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    import typer

    from bridge.config import Places, Settings
    from bridge.store.engine import Store

START_IT = "The service does not run. Start it: mailbridge run   (or one pass: mailbridge sync)"
"""The last line of an order that the service is to carry out."""


def places_of(context: typer.Context) -> Places:
    """Return where the configuration and the state stand; ``--config`` before the command names another file."""
    from dataclasses import replace
    from pathlib import Path

    from bridge.config import places

    where = places(os.environ, os.geteuid())
    named = context.find_root().params.get("config")
    return replace(where, config=Path(named)) if named else where


def settings_in_force(where: Places) -> Settings:
    """Return the file's settings, or the last good ones with a remark where the file is faulty.

    Raises:
        ConfigFaults: the file is faulty and there is no good copy.
    """
    from bridge.config import ConfigFaults, check_file, load

    try:
        return load(where.config, os.environ, where)
    except ConfigFaults:
        good = check_file(where.last_good, os.environ, where).settings
        if good is None:
            raise
        note(f"{where.config} is faulty, so the last good configuration is used. See: mailbridge config check")
        return good


@contextmanager
def opened_store(context: typer.Context) -> Iterator[tuple[Settings, Store]]:
    """Give the settings and the database, which must be there and of this program's version.

    Raises:
        ConfigError: the configuration is faulty.
        StoreError: there is no database, or it cannot be read as it is.
    """
    from pathlib import Path

    from sqlalchemy import make_url

    from bridge.config import database_url
    from bridge.errors import StoreError
    from bridge.store.engine import open_store
    from bridge.store.migrate import require_current

    settings = settings_in_force(places_of(context))
    url = database_url(settings)
    file = make_url(url)
    if file.get_backend_name() == "sqlite" and file.database and not Path(file.database).exists():
        raise StoreError(f"There is no database at {file.database} yet. Start the service once: mailbridge run")
    require_current(url)
    store = open_store(url)
    try:
        yield settings, store
    finally:
        store.close()
