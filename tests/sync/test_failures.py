from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.clock import SeededChance
from bridge.errors import (
    Answer,
    Conflict,
    CredentialRefused,
    NeedsConsent,
    NotFound,
    OperatorMustAct,
    PersonMustAct,
    RateLimited,
    Refused,
    RemoteError,
    Temporary,
    TooLarge,
)
from bridge.sync.failures import backoff, reaction

from support.sync import NOW

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("error", "move", "after"),
    [
        (NeedsConsent("x", provider="atlassian"), "consent", 6 * HOUR),
        (OperatorMustAct("x", provider="atlassian"), "operator", timedelta(minutes=5)),
        (PersonMustAct("x", provider="atlassian"), "person", 6 * HOUR),
        (NotFound("x", provider="atlassian"), "person", 6 * HOUR),
        (CredentialRefused("x", provider="atlassian"), "person", 6 * HOUR),
        (Refused("x", provider="atlassian"), "nobody", 6 * HOUR),
        (TooLarge("x", provider="atlassian"), "nobody", 6 * HOUR),
    ],
)
def test_whose_move_a_failure_is_and_when_it_is_tried_again(error: RemoteError, move: str, after: timedelta) -> None:
    found = reaction(error, now=NOW, tries=1, chance=SeededChance(1))
    assert (found.move, found.again_at, found.detail) == (move, NOW + after, "x")


def test_a_named_pause_is_kept_with_a_little_jitter_and_an_hour_at_most() -> None:
    def pause(seconds: float) -> timedelta:
        error = RateLimited("x", provider="atlassian", retry_after=seconds)
        return reaction(error, now=NOW, tries=1, chance=SeededChance(1)).again_at - NOW

    assert timedelta(seconds=30) <= pause(30) <= timedelta(seconds=31)
    assert pause(7200) == HOUR


def test_a_conflict_comes_back_in_seconds() -> None:
    again = reaction(Conflict("x", provider="atlassian"), now=NOW, tries=3, chance=SeededChance(1)).again_at
    assert timedelta(seconds=1) <= again - NOW <= timedelta(seconds=3)


def test_a_conflict_that_never_ends_is_no_reason_to_ask_every_second() -> None:
    again = reaction(Conflict("x", provider="atlassian"), now=NOW, tries=9, chance=SeededChance(1)).again_at
    assert again - NOW >= timedelta(minutes=6)


def test_passing_faults_wait_longer_each_time_up_to_an_hour() -> None:
    waits = [backoff(tries, SeededChance(tries)).total_seconds() for tries in range(1, 15)]
    for tries, wait in enumerate(waits[:11], 1):
        assert min(0.75 * 2**tries, 3600) <= wait <= min(1.25 * 2**tries, 3600)
    assert waits[11:] == [3600.0, 3600.0, 3600.0]


def test_the_cause_names_provider_status_and_reason() -> None:
    answered = Temporary("x", provider="google", answer=Answer(status=503, reason="backendError"))
    silent = Temporary("x", provider="atlassian")
    chance = SeededChance(1)
    assert reaction(answered, now=NOW, tries=1, chance=chance).cause == "google 503 backendError"
    assert reaction(silent, now=NOW, tries=1, chance=chance).cause == "atlassian no answer"
