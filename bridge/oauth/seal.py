"""Tokens at rest: MultiFernet, each value bound to the account, the provider and the kind that it was sealed for.

Fernet has no additional data, so a sealed text copied into another person's row would open there. The three names are
sealed with the value and compared when it is opened.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from bridge.errors import ConfigError, SealError
from bridge.store import meta
from bridge.store.engine import Store

_PROBE = "seal_probe"


class Seal:
    """Seals with the newest key, opens with any.

    Args:
        keys: Fernet keys (44 characters of url-safe base64), the newest first.

    Raises:
        SealError: there is none, or one is no Fernet key.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise SealError("There is no seal key. Make one with: mailbridge setup")
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise SealError("The seal key is not a Fernet key. Put the right one back from your copy.") from None

    def seal(self, value: Mapping[str, Any], *, account: str, provider: str, kind: str) -> str:
        """Return a JSON-able mapping as sealed text.

        Args:
            value: what to keep secret.
            account: the address of whose it is.
            provider: "google" or "atlassian".
            kind: what it is, for instance "grant"; a value of one kind never opens as another.
        """
        bound = {"account": account, "provider": provider, "kind": kind, "value": dict(value)}
        return self._fernet.encrypt(json.dumps(bound, separators=(",", ":")).encode()).decode("ascii")

    def open(self, text: str, *, account: str, provider: str, kind: str) -> dict[str, Any]:
        """Return what was sealed under these three names.

        Raises:
            SealError: no key at hand opens it, or it was sealed for something else.
        """
        try:
            bound = json.loads(self._fernet.decrypt(text.encode("ascii")))
        except (InvalidToken, UnicodeEncodeError):
            raise SealError(
                "A stored token does not open with the seal key at hand. "
                "Put the right key back from your copy, or connect again."
            ) from None
        if (bound["account"], bound["provider"], bound["kind"]) != (account, provider, kind):
            raise SealError("A stored token belongs to somebody else than the row that holds it. Connect again.")
        value: dict[str, Any] = bound["value"]
        return value


def make_key() -> str:
    """Return a new key."""
    return Fernet.generate_key().decode("ascii")


def ensure_key(path: Path) -> bool:
    """Make the key's file, readable by its owner alone, where there is none; return whether it was made.

    Whoever calls this says it loudly when it was: the database is worthless without a copy of this file.

    Raises:
        ConfigError: the file cannot be made.
    """
    if path.exists():
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(
            f"The seal key {path} cannot be made: {error.strerror}. Name another file in store.seal_key_file, "
            "or run this as the service's own user."
        ) from None
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(f"{make_key()}\n")
        file.flush()
        os.fsync(file.fileno())
    return True


def has_key(store: Store) -> bool:
    """Say whether a database has met its key, so that another one would be wrong."""
    return bool(_probe(store))


def check_key(store: Store, seal: Seal) -> None:
    """Refuse a key that is not the database's own, before anything is done with either.

    The first key that a database meets leaves a sealed probe in it.

    Raises:
        SealError: another key sealed this database's tokens.
    """
    probe = _probe(store)
    if not probe:
        with store.write() as session:
            meta.put(session, _PROBE, seal.seal({}, account="", provider="", kind=_PROBE))
        return
    try:
        seal.open(probe, account="", provider="", kind=_PROBE)
    except SealError:
        raise SealError(
            "The seal key is not the one that this database's tokens were sealed with. "
            "Put the right key back from your copy; nothing was changed."
        ) from None


def _probe(store: Store) -> str:
    with store.read() as session:
        return meta.get(session, _PROBE)
