from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.errors import ConfigError, SealError
from bridge.oauth.seal import Seal, check_key, ensure_key, has_key, make_key
from bridge.store.engine import Store, open_store
from bridge.store.migrate import migrate

NAMES = {"account": "ada@example.com", "provider": "google", "kind": "grant"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path}/mailbridge.db"
    migrate(url)
    made = open_store(url)
    yield made
    made.close()


def test_what_was_sealed_opens_again() -> None:
    seal = Seal([make_key()])
    text = seal.seal({"refresh": "1//0secret"}, **NAMES)
    assert "secret" not in text
    assert seal.open(text, **NAMES) == {"refresh": "1//0secret"}


@pytest.mark.parametrize(
    "other", [{"account": "ben@example.com"}, {"provider": "atlassian"}, {"kind": "verifier"}, {"account": ""}]
)
def test_it_opens_under_no_other_name(other: dict[str, str]) -> None:
    seal = Seal([make_key()])
    text = seal.seal({"refresh": "x"}, **NAMES)
    with pytest.raises(SealError, match="belongs to somebody else"):
        seal.open(text, **{**NAMES, **other})


@pytest.mark.parametrize("text", ["", "nonsense", "ü", "gAAAAA"])
def test_what_was_not_sealed_does_not_open(text: str) -> None:
    with pytest.raises(SealError, match="does not open"):
        Seal([make_key()]).open(text, **NAMES)


def test_an_older_key_still_opens_and_the_newest_seals() -> None:
    old, new = make_key(), make_key()
    text = Seal([old]).seal({"a": 1}, **NAMES)
    both = Seal([new, old])
    assert both.open(text, **NAMES) == {"a": 1}
    assert Seal([new]).open(both.seal({"a": 2}, **NAMES), **NAMES) == {"a": 2}


@pytest.mark.parametrize("keys", [[], ["short"], [make_key(), "?" * 44]])
def test_what_is_no_key_is_refused(keys: list[str]) -> None:
    with pytest.raises(SealError):
        Seal(keys)


@pytest.mark.scenario("P24")
def test_a_wrong_key_is_refused_with_one_sentence_and_nothing_changes(store: Store) -> None:
    first, wrong = make_key(), make_key()
    assert not has_key(store)
    check_key(store, Seal([first]))
    assert has_key(store)
    with pytest.raises(SealError) as refused:
        check_key(store, Seal([wrong]))
    assert str(refused.value) == (
        "The seal key is not the one that this database's tokens were sealed with. "
        "Put the right key back from your copy; nothing was changed."
    )
    check_key(store, Seal([first]))
    check_key(store, Seal([wrong, first]))


def test_the_key_file_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "new" / "seal_key"
    assert ensure_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    made = path.read_text()
    assert not ensure_key(path)
    assert path.read_text() == made
    Seal([made.strip()])


def test_a_place_where_no_key_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"store\.seal_key_file"):
        ensure_key(tmp_path / "file" / "seal_key")
