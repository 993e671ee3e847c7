from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config import (
    Atlassian,
    Fault,
    Google,
    SecretMissing,
    Settings,
    Store,
    check,
    client_secret,
    database_url,
    seal_keys,
    secret,
)
from bridge.config.secrets import secret_faults, secret_notes
from bridge.errors import ConfigError

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
NEWER = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="


def written(path: Path, content: str | bytes, mode: int = 0o600) -> str:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    return str(path)


def settings(google: str = "", store: Store | None = None) -> Settings:
    return Settings(
        google=Google(client_id="g", domains=("example.com",), client_secret_file=google),
        atlassian=Atlassian(client_id="a", sites=("https://example.atlassian.net",)),
        store=store or Store(seal_key_file=""),
    )


def test_three_ways_give_the_same_and_the_first_wins(tmp_path: Path) -> None:
    file = written(tmp_path / "secret", "s3cret\n")
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    variable = {"MAILBRIDGE_GOOGLE__CLIENT_SECRET": "s3cret"}
    directory = {"CREDENTIALS_DIRECTORY": str(credentials)}
    assert secret(file, "google_client_secret", {}) == "s3cret"
    assert secret("", "google_client_secret", variable) == "s3cret"
    written(credentials / "google_client_secret", "s3cret\r\n", 0o440)
    assert secret("", "google_client_secret", directory) == "s3cret"
    written(credentials / "google_client_secret", "credential")
    assert secret(file, "google_client_secret", directory | {"MAILBRIDGE_GOOGLE__CLIENT_SECRET": "v"}) == "credential"
    assert secret(file, "google_client_secret", {"MAILBRIDGE_GOOGLE__CLIENT_SECRET": "v"}) == "s3cret"
    assert secret(str(tmp_path / "none"), "google_client_secret", variable) == "s3cret"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_file_that_others_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    file = written(tmp_path / "secret", "s3cret", mode)
    with pytest.raises(ConfigError) as caught:
        secret(file, "google_client_secret", {"MAILBRIDGE_GOOGLE__CLIENT_SECRET": "other"})
    assert str(caught.value) == f"{file} is open to others (mode {mode:04o}). Run: chmod 600 {file}"


def test_a_missing_secret_names_the_three_places(tmp_path: Path) -> None:
    file = str(tmp_path / "none")
    with pytest.raises(SecretMissing) as caught:
        secret(file, "atlassian_client_secret", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert str(caught.value) == (
        f"No atlassian_client_secret is known: the file {file} is not there. Write that file (chmod 600), give the "
        "systemd credential atlassian_client_secret, or set MAILBRIDGE_ATLASSIAN__CLIENT_SECRET."
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("\n", "{} is empty. Put the secret into it."),
        (b"\xff\xfe", "{} is not text. Put the secret into it as it was shown to you."),
        ("x" * 70_000, "{} is larger than a secret can be. Name the file that holds the secret alone."),
    ],
)
def test_what_is_no_secret_is_refused(tmp_path: Path, content: str | bytes, sentence: str) -> None:
    file = written(tmp_path / "secret", content)
    with pytest.raises(ConfigError) as caught:
        secret(file, "seal_key", {})
    assert str(caught.value) == sentence.format(file)


def test_a_directory_and_an_endless_link_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is not a file\. Name the file that holds the secret\.$"):
        secret(str(tmp_path), "seal_key", {})
    link = tmp_path / "link"
    link.symlink_to(link)
    with pytest.raises(SecretMissing, match=r"cannot be read: .*\. The service's own user must be its owner\.$"):
        secret(str(link), "seal_key", {})


def test_a_client_secret_is_one_word(tmp_path: Path) -> None:
    file = written(tmp_path / "secret", "one\ntwo\n")
    with pytest.raises(ConfigError) as caught:
        client_secret(settings(google=file), "google", {})
    assert str(caught.value) == ("The client secret of google has blanks or several lines. Put the secret alone there.")
    environ = {"MAILBRIDGE_ATLASSIAN__CLIENT_SECRET": "word"}
    assert client_secret(settings(), "atlassian", environ) == "word"


def test_seal_keys_are_one_a_line_the_newest_first(tmp_path: Path) -> None:
    file = written(tmp_path / "seal_key", f"{NEWER}\n\n{KEY}\n")
    assert seal_keys(settings(store=Store(seal_key_file=file)), {}) == (NEWER, KEY)


@pytest.mark.parametrize("bad", ["tooshort", KEY[:-1], KEY[:-2] + "!=", "MDEy" * 12, "é" * 44])
def test_a_key_that_is_none_is_refused_without_showing_it(tmp_path: Path, bad: str) -> None:
    file = written(tmp_path / "seal_key", f"{KEY}\n{bad}\n")
    with pytest.raises(ConfigError) as caught:
        seal_keys(settings(store=Store(seal_key_file=file)), {})
    assert str(caught.value).startswith(
        "Line 2 of the seal key is not a Fernet key (44 characters of url-safe base64). "
    )
    assert bad not in str(caught.value)


def test_the_address_of_the_database_may_come_from_a_file(tmp_path: Path) -> None:
    assert database_url(settings(store=Store(url="postgresql://h/d"))) == "postgresql://h/d"
    file = written(tmp_path / "url", "postgresql://u:geheim@h/d\n")
    assert database_url(settings(store=Store(url_file=file))) == "postgresql://u:geheim@h/d"
    written(tmp_path / "url", "mysql://u:geheim@h/d\n")
    with pytest.raises(ConfigError) as caught:
        database_url(settings(store=Store(url_file=file)))
    assert str(caught.value).startswith(f"The address in {file} (store.url_file) is not a database that can be used.")
    assert "geheim" not in str(caught.value)


def test_secrets_that_are_wrong_are_faults_at_their_key_and_missing_ones_are_notes(tmp_path: Path) -> None:
    file = written(tmp_path / "secret", "s3cret", 0o644)
    text = f"""\
[google]
client_id = "g"
client_secret_file = "{file}"
domains = ["example.com"]
[atlassian]
client_id = "a"
sites = ["https://example.atlassian.net"]
"""
    seal = written(tmp_path / "seal_key", "short")
    environ = {"MAILBRIDGE_STORE__SEAL_KEY_FILE": seal}
    checked = check(text, environ)
    assert checked.settings is not None
    faults = secret_faults(checked, environ)
    assert faults[0].key == "MAILBRIDGE_STORE__SEAL_KEY_FILE"
    assert faults[1:] == (
        Fault(3, 1, "google.client_secret_file", f"{file} is open to others (mode 0644). Run: chmod 600 {file}"),
    )
    (note,) = secret_notes(checked.settings, environ)
    assert note.startswith("No atlassian_client_secret is known: no file is named for it. ")
