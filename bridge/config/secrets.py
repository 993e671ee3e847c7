"""Secrets: from a systemd credential, a file or the environment, in this order. They are never kept or printed here."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from bridge.config.addresses import check_database
from bridge.config.entries import Checked, Origin
from bridge.config.environment import SECRET_VARIABLES
from bridge.config.faults import Fault, Wrong
from bridge.config.settings import Settings
from bridge.errors import ConfigError, Provider

Credential = Literal["google_client_secret", "atlassian_client_secret", "seal_key"]

_LARGEST = 64 * 1024
_SEAL_KEY_BYTES = 32


class SecretMissing(ConfigError):
    """A secret stands at none of its three places, or cannot be read by this user."""


def secret(file: str, credential: Credential, environ: Mapping[str, str]) -> str:
    """Return a secret without the line end after it.

    Args:
        file: what the key ``*_file`` says, '' where it says nothing.
        credential: the secret's name as a systemd credential.
        environ: the environment; ``CREDENTIALS_DIRECTORY`` is systemd's.

    Raises:
        SecretMissing: there is none, or this user may not read it.
        ConfigError: it is empty, or its file is open to others.
    """
    directory = environ.get("CREDENTIALS_DIRECTORY", "")
    # systemd may grant a credential by an ACL, which shows as a group bit: its mode is systemd's affair.
    found = _read(Path(directory) / credential, guarded=False) if directory else None
    where = f"The systemd credential {credential}"
    if found is None and file:
        found, where = _read(Path(file), guarded=True), file
    variable = SECRET_VARIABLES[credential]
    if found is None and variable in environ:
        found, where = environ[variable], variable
    if found is None:
        named = f"the file {file} is not there" if file else "no file is named for it"
        raise SecretMissing(
            f"No {credential} is known: {named}. Write that file (chmod 600), give the systemd credential "
            f"{credential}, or set {variable}."
        )
    value = found.rstrip("\r\n")
    if not value.strip():
        raise ConfigError(f"{where} is empty. Put the secret into it.")
    return value


def client_secret(settings: Settings, provider: Provider, environ: Mapping[str, str]) -> str:
    """Return the OAuth client secret of a provider; raises as `secret` does, also where it has several lines."""
    if provider == "google":
        value = secret(settings.google.client_secret_file, "google_client_secret", environ)
    else:
        value = secret(settings.atlassian.client_secret_file, "atlassian_client_secret", environ)
    if len(value.split()) != 1:
        raise ConfigError(f"The client secret of {provider} has blanks or several lines. Put the secret alone there.")
    return value


def seal_keys(settings: Settings, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the Fernet keys that seal tokens, the newest first; one a line. Raises as `secret` does."""
    keys = tuple(secret(settings.store.seal_key_file, "seal_key", environ).split())
    for number, key in enumerate(keys, start=1):
        if not _is_fernet_key(key):
            raise ConfigError(
                f"Line {number} of the seal key is not a Fernet key (44 characters of url-safe base64). "
                "Restore the file from your copy; a new key would make everyone reconnect."
            )
    return keys


def database_url(settings: Settings) -> str:
    """Return the address of the database, from ``url_file`` where that is set; it may hold a password.

    Raises:
        ConfigError: the file is missing, open to others, or holds no address that the store can use.
    """
    file = settings.store.url_file
    if not file:
        return settings.store.url
    found = _read(Path(file), guarded=True)
    if found is None:
        raise SecretMissing(f"The file {file} (store.url_file) is not there. Write the database's address into it.")
    try:
        return check_database(found.strip())
    except Wrong as wrong:
        raise ConfigError(f"The address in {file} (store.url_file) {wrong}") from None


def secret_faults(checked: Checked, environ: Mapping[str, str]) -> tuple[Fault, ...]:
    """Return what is wrong with the secrets at hand, each at the key that names its file.

    A secret that is missing here is none of them: systemd may give it to the service alone; see `secret_notes`.
    """
    origins = {entry.key: entry.origin for entry in checked.entries}
    faults: list[Fault] = []
    for key, error in _problems(checked.settings, environ).items():
        if not isinstance(error, SecretMissing):
            origin = origins.get(key, Origin())
            faults.append(Fault(origin.line, 1 if origin.line else 0, origin.variable or key, str(error)))
    return tuple(sorted(faults))


def secret_notes(settings: Settings, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return which secrets cannot be had from here, a sentence each; the seal key may be yet to be made."""
    problems = _problems(settings, environ)
    return tuple(
        f"{error} A credential that systemd gives to the service alone is not seen from here."
        for key, error in problems.items()
        if isinstance(error, SecretMissing) and key != "store.seal_key_file"
    )


def _problems(settings: Settings | None, environ: Mapping[str, str]) -> dict[str, ConfigError]:
    """Try every secret; return what was raised, by the key that names its file."""
    if settings is None:
        return {}
    trials: dict[str, Callable[[], object]] = {
        "google.client_secret_file": lambda: client_secret(settings, "google", environ),
        "atlassian.client_secret_file": lambda: client_secret(settings, "atlassian", environ),
        "store.url_file": lambda: database_url(settings),
        "store.seal_key_file": lambda: seal_keys(settings, environ),
    }
    found: dict[str, ConfigError] = {}
    for key, trial in trials.items():
        try:
            trial()
        except ConfigError as error:
            found[key] = error
    return found


def _read(path: Path, *, guarded: bool) -> str | None:
    """Read a small file, None where there is none; a ``guarded`` one must be closed to group and others."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        what = f"{path} cannot be read: {error.strerror}. The service's own user must be its owner."
        raise SecretMissing(what) from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise ConfigError(f"{path} is not a file. Name the file that holds the secret.")
    with open(descriptor, "rb") as file:
        if guarded and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigError(f"{path} is open to others (mode {stat.S_IMODE(mode):04o}). Run: chmod 600 {path}")
        content = file.read(_LARGEST + 1)
    try:
        if len(content) > _LARGEST:
            raise ConfigError(f"{path} is larger than a secret can be. Name the file that holds the secret alone.")
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not text. Put the secret into it as it was shown to you.") from None


def _is_fernet_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key.encode("ascii"), altchars=b"-_", validate=True)) == _SEAL_KEY_BYTES
    except (binascii.Error, ValueError):
        return False
