from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config import SecretMissing
from bridge.daemon.opening import open_all
from bridge.errors import ConfigError, SchemaTooNew, SealError
from bridge.http import Endpoints
from bridge.oauth.seal import make_key
from bridge.store.engine import open_store

from support.installation import CONFIG


@pytest.fixture
def config(tmp_path: Path) -> Path:
    text = CONFIG.format(database=tmp_path / "mailbridge.db", key=tmp_path / "seal_key", subjects="false")
    (tmp_path / "config.toml").write_text(text)
    return tmp_path / "config.toml"


def environ(config: Path, **more: str) -> dict[str, str]:
    return {"STATE_DIRECTORY": str(config.parent), **more}


def test_a_first_start_makes_key_and_database_and_says_so(config: Path) -> None:
    with open_all(config, make_key=True, environ=environ(config)) as opened:
        assert opened.new_key == config.parent / "seal_key"
        [remark] = opened.remarks
        assert "Keep a copy elsewhere" in remark
        assert opened.endpoints == Endpoints()
        assert opened.settings.routes[0].name == "eng"
        assert (opened.store.dialect, opened.oauth.store) == ("sqlite", opened.store)
    with open_all(config, make_key=True, environ=environ(config)) as opened:
        assert (opened.new_key, opened.remarks) == (None, ())


def test_without_a_key_nothing_is_opened_unless_one_may_be_made(config: Path) -> None:
    with pytest.raises(SecretMissing), open_all(config, environ=environ(config)):
        pass
    assert not (config.parent / "seal_key").exists()


@pytest.mark.scenario("P24")
def test_a_lost_or_wrong_key_refuses_to_start(config: Path) -> None:
    with open_all(config, make_key=True, environ=environ(config)):
        pass
    key = config.parent / "seal_key"
    right = key.read_text()
    key.unlink()
    with pytest.raises(SecretMissing), open_all(config, make_key=True, environ=environ(config)):
        pass
    assert not key.exists()
    key.write_text(make_key())
    key.chmod(0o600)
    wrong = pytest.raises(SealError, match="not the one that this database's tokens were sealed with")
    with wrong, open_all(config, make_key=True, environ=environ(config)):
        pass
    key.write_text(right)
    with open_all(config, environ=environ(config)) as opened:
        assert opened.new_key is None


def test_the_key_may_come_from_the_environment(config: Path) -> None:
    given = environ(config, MAILBRIDGE_STORE__SEAL_KEY=make_key())
    with open_all(config, make_key=True, environ=given) as opened:
        assert opened.new_key is None


def test_stand_ins_for_the_providers(config: Path) -> None:
    given = environ(config, MAILBRIDGE_ENDPOINTS__GOOGLE="http://127.0.0.1:9000/google")
    with open_all(config, make_key=True, environ=given) as opened:
        assert opened.endpoints == Endpoints.of("http://127.0.0.1:9000/google", "")
        assert opened.endpoints.atlassian_token == "https://auth.atlassian.com/oauth/token"


def test_a_secret_is_read_when_it_is_needed(config: Path) -> None:
    given = environ(config)
    with open_all(config, make_key=True, environ=given) as opened:
        with pytest.raises(ConfigError, match="google_client_secret"):
            opened.consents.begin("google", "ada@example.com")
        given["MAILBRIDGE_GOOGLE__CLIENT_SECRET"] = "s"
        assert opened.consents.begin("google", "ada@example.com").url.startswith("https://accounts.google.com/")


def test_a_faulty_file_goes_on_with_the_last_good_one_unless_strict(config: Path) -> None:
    with open_all(config, make_key=True, environ=environ(config)):
        pass
    config.write_text("[google")
    with open_all(config, environ=environ(config)) as opened:
        assert "config.toml" in opened.remarks[0]
        assert opened.settings.google.client_id == "g"
    with pytest.raises(ConfigError), open_all(config, strict=True, environ=environ(config)):
        pass


def test_a_database_of_a_newer_program_is_left_alone(config: Path) -> None:
    with open_all(config, make_key=True, environ=environ(config)):
        pass
    store = open_store(f"sqlite:///{config.parent}/mailbridge.db")
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'future'")
    store.close()
    with pytest.raises(SchemaTooNew), open_all(config, environ=environ(config)):
        pass
