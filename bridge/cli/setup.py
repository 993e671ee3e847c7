"""``mailbridge setup``: what to enter in the consoles of Google and Atlassian, and the seal key."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from bridge.cli.output import AsJson

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.config import Settings

_GOOGLE = "https://console.cloud.google.com/auth/clients"
_ATLASSIAN = "https://developer.atlassian.com/console/myapps/"


@dataclass(frozen=True, slots=True)
class Registration:
    """What one console is told: where it is, the redirect URL, and the scopes that are listed there."""

    console: str
    redirect_url: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Setup:
    """All of it; ``seal_key`` is the key's file, ``seal_key_made`` whether it was made just now."""

    google: Registration
    atlassian: Registration
    seal_key: str
    seal_key_made: bool
    seal_key_missing: bool


def setup(context: typer.Context, as_json: AsJson = False) -> None:
    """Show what to register with Google and Atlassian, and make the seal key if there is none."""
    from bridge.cli.database import places_of, settings_in_force
    from bridge.cli.output import print_json

    where = places_of(context)
    settings = settings_in_force(where)
    found = prepare(settings)
    if as_json:
        print_json(found)
    else:
        typer.echo("\n".join(lines(found, where.config)))


def prepare(settings: Settings) -> Setup:
    """Return what to register; make the seal key where neither a key nor a database is there.

    Raises:
        ConfigError: the key's file is open to others, or cannot be made.
    """
    from pathlib import Path

    from bridge.config import SecretMissing, seal_keys
    from bridge.oauth import scopes
    from bridge.oauth.seal import ensure_key

    made = missing = False
    try:
        seal_keys(settings, os.environ)
    except SecretMissing:
        made = _no_database(settings) and ensure_key(Path(settings.store.seal_key_file))
        missing = not made
    listed = tuple(scope for scope in scopes.atlassian(settings) if scope != scopes.OFFLINE)
    return Setup(
        google=Registration(_GOOGLE, settings.redirect_url("google"), scopes.GOOGLE),
        atlassian=Registration(_ATLASSIAN, settings.redirect_url("atlassian"), listed),
        seal_key=settings.store.seal_key_file,
        seal_key_made=made,
        seal_key_missing=missing,
    )


def lines(found: Setup, config: Path) -> list[str]:
    """Return what the terminal shows."""
    told = ["Register mailbridge once with each; docs/google.md and docs/atlassian.md lead through it step by step."]
    for title, name, one in (
        ("Google", "Authorised redirect URI", found.google),
        ("Atlassian", "Callback URL", found.atlassian),
    ):
        told += [f"{title:<12}{one.console}", f"  {name:<24}{one.redirect_url}"]
        told += [f"  {'Scopes' if not number else '':<24}{scope}" for number, scope in enumerate(one.scopes)]
    if found.seal_key_made:
        told += [
            f"Seal key    {found.seal_key} was made. It opens the stored tokens.",
            "  KEEP A COPY of it elsewhere: without it everyone has to connect again.",
        ]
    elif found.seal_key_missing:
        told.append(
            f"Seal key    {found.seal_key} is not there, but a database is. Put the key back from your copy; "
            "for a new database the service makes one when it starts."
        )
    else:
        told.append("Seal key    is there. Keep a copy of it elsewhere: without it everyone has to connect again.")
    return [*told, f"Write both client ids and secrets into {config}, then run: mailbridge config check"]


def _no_database(settings: Settings) -> bool:
    from pathlib import Path

    from sqlalchemy import make_url

    from bridge.config import database_url

    url = make_url(database_url(settings))
    return url.get_backend_name() == "sqlite" and bool(url.database) and not Path(url.database or "").exists()
