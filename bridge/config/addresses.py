"""The kinds of values that are addresses: web addresses, domains, where to listen, the database, files."""

from __future__ import annotations

import ipaddress
import re
from pathlib import PurePath
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from bridge.config.faults import Wrong, quoted
from bridge.config.values import Kind, as_text, text, texts

_DOMAIN = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_PORT = re.compile(r"[0-9]{1,5}")
_DATABASES = ("sqlite", "postgresql", "postgresql+psycopg")


class Listen(NamedTuple):
    """An address of this machine to listen at; port 0 lets the system choose one."""

    host: str
    port: int


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address can only mean this machine."""
    name = host.lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _split(value: str, example: str) -> SplitResult:
    """Split a web address; its host and port are known to be right afterwards."""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", SplitResult("", "", "", "", "")
    if parts.scheme not in ("https", "http") or not (_HOST.fullmatch(host) or ":" in host):
        raise Wrong(f"{quoted(value)} is not a web address. Write it as {quoted(example)}.")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise Wrong(f"{quoted(value)} has more than an address. Leave out the user, what follows ? and what follows #.")
    if parts.scheme == "http" and not is_loopback(host):
        raise Wrong(f"{quoted(value)} is not encrypted. Use https; http is only for this machine itself.")
    return parts


def _base(value: str, example: str) -> str:
    parts = _split(value, example)
    if parts.path not in ("", "/"):
        raise Wrong(f"{quoted(value)} has a path. Write the address alone, as {quoted(example)}.")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _site(value: str) -> str:
    example = "https://example.atlassian.net"
    parts = _split(value, example)
    if parts.path.rstrip("/") not in ("", "/wiki"):
        raise Wrong(f"{quoted(value)} has a path. Write the address of the site alone, as {quoted(example)}.")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def base_address(example: str) -> Kind:
    """'' or a web address without a path; kept without a slash at its end, its host in lower case."""
    return text(lambda value: value and _base(value, example))


def _prefix(value: str, example: str) -> str:
    parts = _split(value, example)
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def address_prefix(example: str) -> Kind:
    """'' or a web address that others are built on, a path allowed; kept without a slash at its end."""
    return text(lambda value: value and _prefix(value, example))


SITES = texts(_site, example="https://example.atlassian.net", at_least=1)
"""Confluence sites by the address of their browser; a ``/wiki`` at the end is taken off."""


def _domain(value: str) -> str:
    name = value.lower()
    if "@" in name:
        raise Wrong(f"{quoted(value)} has an @. Write what stands behind it, as {quoted(name.rpartition('@')[2])}.")
    if not _DOMAIN.fullmatch(name):
        raise Wrong(f'{quoted(value)} is not a mail domain. Write it as "example.com".')
    return name


DOMAINS = texts(_domain, example="example.com", at_least=1)
"""Mail domains, in lower case."""


def _listen(raw: object) -> Listen:
    value = as_text(raw)
    host, colon, port = value.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    bracketed = host != bare
    good_host = _is_ipv6(bare) if bracketed or ":" in bare else bool(_HOST.fullmatch(bare.lower()))
    if not colon or not good_host or bracketed != (":" in bare) or not _PORT.fullmatch(port) or int(port) > 65535:
        raise Wrong(f'{quoted(value)} is not an address to listen at. Write host:port, as "127.0.0.1:8765".')
    return Listen(bare.lower(), int(port))


LISTEN = Kind(_listen)
"""``host:port``, an IPv6 address in brackets."""


def check_database(value: str) -> str:
    """Return the address of a database as it stands.

    Raises:
        Wrong: it is none that the store can use. The sentence does not hold the address, which may have a password.
    """
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    if parts.scheme not in _DATABASES:
        raise Wrong('is not a database that can be used. Write "sqlite:////path/file.db" or "postgresql://host/name".')
    if parts.scheme == "sqlite" and (parts.netloc or not parts.path.startswith("//") or parts.path.endswith("/")):
        raise Wrong('needs the whole path of a file, with four slashes: "sqlite:////var/lib/mailbridge/mailbridge.db".')
    return value


DATABASE = text(check_database)
"""The address of an SQLite file or of a PostgreSQL database."""


def has_password(database: str) -> bool:
    """Tell whether the address of a database holds a password."""
    return without_password(database) != database


def without_password(database: str) -> str:
    """Return the address of a database with ``***`` in place of its password."""
    parts = urlsplit(database)
    hidden = database
    if parts.password:
        user = parts.netloc.rpartition("@")[0].partition(":")[0]
        hidden = parts._replace(netloc=f"{user}:***@{parts.netloc.rpartition('@')[2]}").geturl()
    return re.sub(r"(?i)([?&](?:ssl)?password=)[^&#]+", r"\1***", hidden)


def _file(value: str) -> str:
    if value and (not PurePath(value).is_absolute() or value.endswith("/")):
        raise Wrong(
            f'{quoted(value)} is not the whole path of a file. Begin with a slash, as "/etc/mailbridge/secret".'
        )
    return value


FILE = text(_file)
"""'' or the whole path of a file, which is not opened here."""


def _is_ipv6(value: str) -> bool:
    try:
        return ipaddress.ip_address(value).version == 6
    except ValueError:
        return False
