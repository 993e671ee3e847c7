from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.clock import VirtualClock
from bridge.errors import RateLimited
from bridge.sync.quota import QuotaMeter, QuotaMeters

from support.sync import NOW


def test_a_request_over_the_limit_is_not_sent_and_the_time_to_wait_is_told() -> None:
    clock = VirtualClock(NOW)
    meter = QuotaMeter(clock, 100)
    meter(60)
    clock.advance(10)
    meter(40)
    with pytest.raises(RateLimited) as raised:
        meter(1)
    assert (raised.value.retry_after, raised.value.scope, raised.value.provider) == (50, "mailbox", "google")
    clock.advance(50)
    meter(60)
    with pytest.raises(RateLimited):
        meter(1)


def test_one_request_that_alone_is_over_the_limit_goes_through() -> None:
    meter = QuotaMeter(VirtualClock(NOW), 100)
    meter(500)
    with pytest.raises(RateLimited):
        meter(1)


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 40)), max_size=60))
def test_no_minute_ever_holds_more_than_the_limit(asked: list[tuple[float, int]]) -> None:
    clock = VirtualClock(NOW)
    meter = QuotaMeter(clock, 100)
    sent: list[tuple[float, int]] = []
    waits: list[float] = []
    for pause, units in asked:
        clock.advance(pause)
        try:
            meter(units)
        except RateLimited as limited:
            waits.append(limited.retry_after or 0.0)
        else:
            sent.append((clock.monotonic(), units))
    assert all(0 < wait <= 60 for wait in waits)
    for at, _ in sent:
        assert sum(units for when, units in sent if at - 60 < when <= at) <= 100


def test_another_limit_in_the_configuration_begins_another_meter() -> None:
    meters = QuotaMeters(VirtualClock(NOW))
    assert meters.of(1, 100) is meters.of(1, 100)
    assert meters.of(1, 100) is not meters.of(1, 200)
    assert meters.of(1, 100) is not meters.of(2, 100)
