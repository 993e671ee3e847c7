"""Opens an installation: configuration, database, seal key, both providers. All commands that work begin here."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from bridge.clock import Chance, Clock, SystemChance, SystemClock
from bridge.config import ConfigFile, SecretMissing, Settings, client_secret, database_url, places, seal_keys
from bridge.errors import Provider
from bridge.http import Endpoints, Transports, network
from bridge.oauth.consent import Consents
from bridge.oauth.context import OAuth
from bridge.oauth.seal import Seal, check_key, ensure_key, has_key
from bridge.oauth.tokens import Tokens
from bridge.store import epoch
from bridge.store.engine import Store, open_store
from bridge.store.epoch import Epoch
from bridge.store.migrate import migrate

_NEWS = timedelta(minutes=1)
"""How long after its beginning a new epoch is told of."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What an installation has of the world: a test or a demo gives its own."""

    endpoints: Endpoints
    transports: Transports
    clock: Clock
    chance: Chance


@dataclass(frozen=True, slots=True)
class Opened:
    """An installation whose database is of this program's version and whose seal key is the right one.

    Args:
        in_force: gives the settings in force; they change with a reload.
        entered: the epoch that the database is in (``bridge.store.epoch``).
        config: the file that they come from, None where they were given by hand.
        backup: the copy of the database that was made before its tables were changed, '' for none.
        new_key: the file of a seal key that was made just now, None where there was one.
    """

    in_force: Callable[[], Settings]
    store: Store
    seal: Seal
    oauth: OAuth
    tokens: Tokens
    consents: Consents
    outside: Outside
    entered: Epoch = field(default_factory=Epoch)
    config: ConfigFile | None = None
    backup: str = ""
    new_key: Path | None = None

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.in_force()

    @property
    def endpoints(self) -> Endpoints:
        """Where both providers are."""
        return self.outside.endpoints

    @property
    def transports(self) -> Transports:
        """The two seams to them."""
        return self.outside.transports

    @property
    def clock(self) -> Clock:
        """The time."""
        return self.outside.clock

    @property
    def chance(self) -> Chance:
        """Randomness."""
        return self.outside.chance

    @property
    def remarks(self) -> tuple[str, ...]:
        """What whoever opened it should tell loudly, a sentence each."""
        found = []
        if self.config is not None and self.config.problem:
            found.append(self.config.problem)
        if self.backup:
            found.append(f"The database was brought up to this version; the one before is kept as {self.backup}.")
        if self.entered.gap and self.entered.entered is not None and self.clock.now() - self.entered.entered < _NEWS:
            found.append(
                "The database was put back from a copy. What was written to Confluence since that copy is looked for "
                "before anything is written; what people answered since must be answered again."
            )
        if self.new_key is not None:
            found.append(
                f"A new seal key was made: {self.new_key}. It opens the stored tokens. "
                "Keep a copy elsewhere: without it everyone has to connect again."
            )
        return tuple(found)


@contextmanager
def open_all(
    config_path: Path,
    *,
    strict: bool = False,
    make_key: bool = False,
    need_secrets: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> Iterator[Opened]:
    """Open the installation of a configuration file; it is closed with the context.

    Args:
        config_path: the file.
        strict: refuse a faulty file also where there is a last good copy.
        make_key: make the seal key where there is none and the database has never had one.
        need_secrets: refuse, before anything is touched, where a client secret cannot be had.
        environ: the environment.

    Raises:
        ConfigError: the configuration is faulty, or a secret is wrong.
        StoreError: the database cannot be used; ``SchemaTooNew`` where a newer program wrote it.
        SealError: the seal key is not this database's.
    """
    where = replace(places(environ, os.geteuid()), config=config_path)
    config = ConfigFile(where, environ, strict=strict)
    if need_secrets:
        client_secret(config.settings, "google", environ)
        client_secret(config.settings, "atlassian", environ)
    stand_ins = config.settings.endpoints
    endpoints = Endpoints.of(stand_ins.google, stand_ins.atlassian)
    outside = Outside(endpoints, network(environ), SystemClock(), SystemChance())
    url = database_url(config.settings)
    backup = migrate(url) or ""
    store = open_store(url)
    try:
        keys, made = _keys(config.settings, store, environ, make_key=make_key)
        yield put_together(
            lambda: config.settings,
            store,
            keys,
            outside,
            lambda provider: client_secret(config.settings, provider, environ),
            state=where.state,
            config=config,
            backup=backup,
            new_key=made,
        )
    finally:
        store.close()
        outside.transports.close()


def put_together(
    in_force: Callable[[], Settings],
    store: Store,
    keys: Sequence[str],
    outside: Outside,
    secret: Callable[[Provider], str],
    *,
    state: Path | None = None,
    config: ConfigFile | None = None,
    backup: str = "",
    new_key: Path | None = None,
) -> Opened:
    """Return an installation from its pieces; the database is of this program's version already.

    Here is where a database that was put back from a copy is recognised (``bridge.store.epoch.enter``).

    Args:
        in_force: gives the settings in force.
        store: the database.
        keys: that seal its tokens, the newest first.
        outside: both providers, the time and randomness.
        secret: gives a provider's client secret.
        state: the folder of the state, for what stands beside a database that is no file.
        config: as ``Opened`` has it, like ``backup`` and ``new_key``.
        backup: likewise.
        new_key: likewise.

    Raises:
        SealError: another key sealed this database's tokens.
        StoreError: the file beside the database cannot be used.
    """
    seal = Seal(keys)
    check_key(store, seal)
    file = epoch.file_for(store.engine.url.database if store.dialect == "sqlite" else None, state)
    entered = epoch.enter(store, file, outside.clock, outside.chance)
    oauth = OAuth(
        store=store,
        seal=seal,
        settings=in_force,
        secret=secret,
        endpoints=outside.endpoints,
        transports=outside.transports,
        clock=outside.clock,
        chance=outside.chance,
    )
    return Opened(
        in_force=in_force,
        store=store,
        seal=seal,
        oauth=oauth,
        tokens=Tokens(oauth),
        consents=Consents(oauth),
        outside=outside,
        entered=entered,
        config=config,
        backup=backup,
        new_key=new_key,
    )


def _keys(
    settings: Settings, store: Store, environ: Mapping[str, str], *, make_key: bool
) -> tuple[tuple[str, ...], Path | None]:
    """Return the seal keys, and the file of one that was made; a lost key is never replaced behind one's back."""
    try:
        return seal_keys(settings, environ), None
    except SecretMissing:
        if not make_key or has_key(store):
            raise
    path = Path(settings.store.seal_key_file)
    made = ensure_key(path)
    return seal_keys(settings, environ), path if made else None
