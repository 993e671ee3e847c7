from __future__ import annotations

from typing import Any

import pytest

from bridge.config.addresses import (
    DATABASE,
    DOMAINS,
    FILE,
    LISTEN,
    SITES,
    Listen,
    base_address,
    has_password,
    is_loopback,
    without_password,
)
from bridge.config.faults import Wrong
from bridge.config.values import Kind

BASE = base_address("https://mailbridge.example.com")


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (BASE, "", ""),
        (BASE, "https://Bridge.Example.com/", "https://bridge.example.com"),
        (BASE, "http://localhost:8765", "http://localhost:8765"),
        (BASE, "http://[::1]:80", "http://[::1]:80"),
        (SITES, ["https://Example.atlassian.net/wiki/"], ("https://example.atlassian.net",)),
        (SITES, ["http://127.0.0.1:9000"], ("http://127.0.0.1:9000",)),
        (DOMAINS, ["Example.COM", "sub.acme.example"], ("example.com", "sub.acme.example")),
        (LISTEN, "127.0.0.1:8765", Listen("127.0.0.1", 8765)),
        (LISTEN, "[::1]:0", Listen("::1", 0)),
        (LISTEN, "localhost:80", Listen("localhost", 80)),
        (DATABASE, "sqlite:////srv/a.db", "sqlite:////srv/a.db"),
        (DATABASE, "postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
        (FILE, "/etc/key", "/etc/key"),
        (FILE, "", ""),
    ],
)
def test_reads(kind: Kind, raw: object, value: Any) -> None:
    assert kind.parse(raw) == value


@pytest.mark.parametrize(
    ("kind", "raw", "sentence"),
    [
        (
            BASE,
            "bridge.example.com",
            '"bridge.example.com" is not a web address. Write it as "https://mailbridge.example.com".',
        ),
        (BASE, "https://[oops", '"https://[oops" is not a web address. Write it as "https://mailbridge.example.com".'),
        (
            BASE,
            "https://a:99999",
            '"https://a:99999" is not a web address. Write it as "https://mailbridge.example.com".',
        ),
        (
            BASE,
            "http://bridge.example.com",
            '"http://bridge.example.com" is not encrypted. Use https; http is only for this machine itself.',
        ),
        (
            BASE,
            "https://a.example/x",
            '"https://a.example/x" has a path. Write the address alone, as "https://mailbridge.example.com".',
        ),
        (
            BASE,
            "https://me:pw@a.example",
            '"https://me:pw@a.example" has more than an address. '
            "Leave out the user, what follows ? and what follows #.",
        ),
        (
            SITES,
            ["https://example.atlassian.net/wiki/spaces/ENG"],
            '"https://example.atlassian.net/wiki/spaces/ENG" has a path. '
            'Write the address of the site alone, as "https://example.atlassian.net".',
        ),
        (DOMAINS, ["@example.com"], '"@example.com" has an @. Write what stands behind it, as "example.com".'),
        (DOMAINS, ["example"], '"example" is not a mail domain. Write it as "example.com".'),
        (LISTEN, "8765", '"8765" is not an address to listen at. Write host:port, as "127.0.0.1:8765".'),
        (LISTEN, "::1:80", '"::1:80" is not an address to listen at. Write host:port, as "127.0.0.1:8765".'),
        (LISTEN, "h:65536", '"h:65536" is not an address to listen at. Write host:port, as "127.0.0.1:8765".'),
        (
            DATABASE,
            "mysql://u:secret@h/d",
            'is not a database that can be used. Write "sqlite:////path/file.db" or "postgresql://host/name".',
        ),
        (
            DATABASE,
            "sqlite:///a.db",
            'needs the whole path of a file, with four slashes: "sqlite:////var/lib/mailbridge/mailbridge.db".',
        ),
        (
            FILE,
            "~/key",
            '"~/key" is not the whole path of a file. Begin with a slash, as "/etc/mailbridge/secret".',
        ),
    ],
)
def test_says_what_is_allowed(kind: Kind, raw: object, sentence: str) -> None:
    with pytest.raises(Wrong) as caught:
        kind.parse(raw)
    assert str(caught.value) == sentence


def test_loopback_is_only_what_cannot_be_another_machine() -> None:
    assert [is_loopback(host) for host in ("localhost", "a.localhost", "127.9.9.9", "::1")] == [True] * 4
    assert [is_loopback(host) for host in ("localhost.example.com", "10.0.0.1", "127.0.0.1.nip.example")] == [False] * 3


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("postgresql://u:p%40w@h:5432/d", "postgresql://u:***@h:5432/d"),
        ("postgresql://h/d?user=u&password=geheim&x=1", "postgresql://h/d?user=u&password=***&x=1"),
    ],
)
def test_a_password_is_seen_and_hidden(url: str, public: str) -> None:
    assert has_password(url)
    assert without_password(url) == public
    assert not has_password("postgresql://u@h/d")
