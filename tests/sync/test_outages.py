"""Outages: three failures look like one, a neutral request says whether it is, and one at a time asks meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.clock import VirtualClock
from bridge.errors import PersonMustAct, Provider, RateLimited, RemoteError, Temporary
from bridge.store import events, pauses
from bridge.store.engine import Store
from bridge.sync.outages import BEGAN, ENDED, LONGEST, Outages

from support.sync import NOW
from support.sync_rows import new_store

FAULT = Temporary("x", provider="atlassian")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Give an empty database."""
    with new_store(tmp_path) as made:
        yield made


def _raises(error: RemoteError) -> Callable[[], object]:
    def probe() -> object:
        raise error

    return probe


def _fine() -> object:
    return None


def _down(store: Store, clock: VirtualClock) -> Outages:
    outages = Outages(store, clock)
    for _ in range(3):
        outages.failed(FAULT, _raises(FAULT))
    return outages


def _told(store: Store) -> list[str]:
    with store.read() as session:
        return [row.what for row in events.chosen(session) if row.what in (BEGAN, ENDED)]


def test_two_failures_are_no_outage_and_a_success_between_begins_the_count_anew(store: Store) -> None:
    outages = Outages(store, VirtualClock(NOW))
    for _ in range(3):
        outages.failed(FAULT, _raises(FAULT))
        outages.failed(FAULT, _raises(FAULT))
        outages.worked("atlassian")
    assert outages.rests("atlassian") is None
    assert _told(store) == []


@pytest.mark.parametrize("answer", [_fine, _raises(PersonMustAct("x", provider="atlassian"))])
def test_what_fails_by_itself_is_no_outage(store: Store, answer: Callable[[], object]) -> None:
    outages = Outages(store, VirtualClock(NOW))
    for _ in range(9):
        outages.failed(FAULT, answer)
    assert outages.rests("atlassian") is None
    assert _told(store) == []


def test_errors_that_are_no_faults_of_the_provider_do_not_count(store: Store) -> None:
    outages = Outages(store, VirtualClock(NOW))
    for _ in range(9):
        outages.failed(PersonMustAct("x", provider="atlassian"), _raises(FAULT))
        outages.failed(RateLimited("x", provider="atlassian", retry_after=9.0), _raises(FAULT))
    assert outages.rests("atlassian") is None


@pytest.mark.scenario("A43b", "A43d")
def test_while_it_lasts_one_asks_every_five_minutes_at_most_and_it_is_told_once(store: Store) -> None:
    clock = VirtualClock(NOW)
    outages = _down(store, clock)
    probes = 0

    def probe() -> object:
        nonlocal probes
        probes += 1
        raise FAULT

    gaps: set[timedelta] = set()
    while clock.now() < NOW + timedelta(hours=6):
        until = outages.rests("atlassian", probe)
        assert until is not None
        gaps.add(until - clock.now())
        clock.advance(max((until - clock.now()).total_seconds(), 0.0))
    assert max(gaps) == LONGEST
    assert probes <= 76, "6 h of 5 minutes, and some at first"
    assert outages.rests("google") is None, "the other one goes on"
    with store.read() as session:
        (row,) = pauses.in_force(session, clock.now())
    assert (row.scope, row.since, row.ordered) == ("provider:atlassian", NOW, False)
    assert _told(store) == [BEGAN]
    assert outages.rests("atlassian", _fine) is None
    assert outages.rests("atlassian") is None
    assert _told(store) == [BEGAN, ENDED]
    with store.read() as session:
        assert pauses.in_force(session, clock.now()) == []


def test_while_one_asks_the_others_wait_for_what_it_hears(store: Store) -> None:
    clock = VirtualClock(NOW)
    outages = _down(store, clock)
    clock.advance(20)
    heard: list[object] = []

    def probe() -> object:
        heard.append(outages.rests("atlassian", _fine))
        return None

    assert outages.rests("atlassian", probe) is None
    assert heard == [clock.now() + timedelta(minutes=2)]


@pytest.mark.parametrize("provider", ["google", "atlassian"])
def test_a_limit_of_the_whole_program_rests_the_provider_for_everybody(store: Store, provider: Provider) -> None:
    clock = VirtualClock(NOW)
    outages = Outages(store, clock)
    outages.failed(RateLimited("x", provider=provider, retry_after=600.0, scope="app"))
    assert outages.rests(provider) == NOW + timedelta(minutes=10)
    with store.read() as session:
        assert [row.scope for row in pauses.in_force(session, clock.now())] == [f"app:{provider}"]
        assert pauses.in_force(session, NOW + timedelta(minutes=10)) == []
    clock.advance(600)
    assert outages.rests(provider) is None


@pytest.mark.parametrize("scope", ["mailbox", "person", "site"])
def test_a_narrower_limit_is_not_the_whole_providers(store: Store, scope: str) -> None:
    outages = Outages(store, VirtualClock(NOW))
    outages.failed(RateLimited("x", provider="google", retry_after=600.0, scope=scope))  # type: ignore[arg-type]
    assert outages.rests("google") is None


def test_an_outage_that_nobody_probes_any_more_is_told_no_longer(store: Store) -> None:
    clock = VirtualClock(NOW)
    outages = _down(store, clock)
    for _ in range(6):
        clock.advance(310)
        assert outages.rests("atlassian", _raises(FAULT)) is not None
        with store.read() as session:
            assert [row.scope for row in pauses.in_force(session, clock.now())] == ["provider:atlassian"]
    clock.advance(3600)  # its process has ended; another one knows nothing of it
    with store.read() as session:
        assert pauses.in_force(session, clock.now()) == []
