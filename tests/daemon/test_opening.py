from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.config import ConfigFaults, SecretMissing
from bridge.daemon.opening import open_all
from bridge.errors import ConfigError, SealError
from bridge.oauth.seal import make_key
from bridge.store import migrate as migrations

from support.served import ENG, Served, served


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as found:
        yield found


def test_an_installation_in_order(site: Served) -> None:
    with site.opened() as opened:
        assert opened.remarks == ()
        assert (opened.settings.routes[0].name, opened.config is not None) == ("eng", True)
        assert opened.endpoints.google_token.startswith(f"{site.url}/google")
        assert opened.oauth.client("google").client_secret == "sandbox-secret"
        assert (opened.clock, opened.chance) == (opened.oauth.clock, opened.oauth.chance)
        assert opened.transports is opened.oauth.transports


def test_a_new_key_is_made_once_and_told(site: Served) -> None:
    key = site.folder / "seal_key"
    key.unlink()
    (site.folder / "mailbridge.db").unlink()
    with site.opened() as opened:
        assert opened.new_key == key
        assert opened.remarks == (
            f"A new seal key was made: {key}. It opens the stored tokens. "
            "Keep a copy elsewhere: without it everyone has to connect again.",
        )
    assert key.stat().st_mode & 0o777 == 0o600
    with site.opened() as opened:
        assert opened.new_key is None


def test_a_lost_key_is_not_replaced(site: Served) -> None:
    key = site.folder / "seal_key"
    key.unlink()
    with (
        pytest.raises(SecretMissing, match=r"^No seal_key is known: the file .*seal_key is not"),
        site.opened(),
    ):
        pass
    assert not key.exists()


def test_a_key_is_not_made_where_nobody_asked(site: Served) -> None:
    (site.folder / "seal_key").unlink()
    (site.folder / "mailbridge.db").unlink()
    with pytest.raises(SecretMissing), open_all(site.config, environ=site.environ):
        pass


def test_another_key_is_refused(site: Served) -> None:
    (site.folder / "seal_key").write_text(make_key())
    with pytest.raises(SealError, match=r"^The seal key is not the one that this database's tokens"), site.opened():
        pass


def test_a_missing_secret_matters_to_whoever_needs_it(site: Served) -> None:
    (site.folder / "google_secret").unlink()
    with site.opened() as opened, pytest.raises(SecretMissing):
        opened.oauth.client("google")
    (site.folder / "mailbridge.db").unlink()
    with (
        pytest.raises(SecretMissing, match=r"^No google_client_secret is known"),
        open_all(site.config, make_key=True, need_secrets=True, environ=site.environ),
    ):
        pass
    assert not (site.folder / "mailbridge.db").exists()


def test_a_secret_that_others_can_read_is_refused(site: Served) -> None:
    (site.folder / "atlassian_secret").chmod(0o644)
    with (
        pytest.raises(ConfigError, match=r"atlassian_secret is open to others \(mode 0644\)\. Run: chmod 600 "),
        open_all(site.config, need_secrets=True, environ=site.environ),
    ):
        pass


def test_a_faulty_file_falls_back_loudly_or_is_refused(site: Served) -> None:
    site.write(ENG, "[gmail\n")
    with site.opened() as opened:
        (remark,) = opened.remarks
        assert remark.startswith(f"{site.config} has 1 fault;")
        assert opened.settings.routes[0].name == "eng"
    with pytest.raises(ConfigFaults), open_all(site.config, strict=True, environ=site.environ):
        pass


def test_an_older_database_is_brought_up_after_a_copy(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = f"{site.folder}/mailbridge.db.before"
    monkeypatch.setattr("bridge.daemon.opening.migrate", lambda url: migrations.migrate(url) or copy)
    with site.opened() as opened:
        assert opened.remarks == (f"The database was brought up to this version; the one before is kept as {copy}.",)


def test_a_newer_database_is_left_as_it_is(site: Served) -> None:
    with sqlite3.connect(site.folder / "mailbridge.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'ffff'")
    database.close()
    with pytest.raises(Exception, match="newer") as raised, site.opened():
        pass
    assert type(raised.value).__name__ == "SchemaTooNew"
