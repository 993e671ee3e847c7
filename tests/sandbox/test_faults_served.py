"""In process and over real sockets, each fault looks the same to the product's clients."""

from __future__ import annotations

import socket
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import requests

from bridge.errors import Temporary
from bridge.sandbox.faults import CATALOGUE, parse

from support.faulty import PATIENCE, Faulty, in_process, operations_of, served

ARGUMENTS = {"slow": str(PATIENCE / 6), "late": "5"}
NOTHING_TO_STRIKE = {("stale", name) for name in ("gmail.users.history.list", "getPageById", "getPageFooterComments")}
"""Nothing changed, so nothing can be out of date."""

CELLS = [(name, operation) for name in CATALOGUE for operation in operations_of(name)]


def seen_by(office: Faulty, name: str, operation: str) -> tuple[str, bool, str, int]:
    """Return the class of the error, whether the request may have taken effect, the reason, and what was struck."""
    argument = ARGUMENTS.get(name, "")
    # httplib2 sends a read again by itself where a kept connection was cut.
    times = " times=2" if operation.startswith("gmail.") else ""
    rule = parse(f"{name}{'=' if argument else ''}{argument} {operation}{times}")
    office.world.core.faults[:] = [rule]
    error = office.error_of(operation)
    office.world.core.faults.clear()
    office.world.core.settle()
    if error is None:
        return "", False, "", min(rule.struck, 1)
    applied = error.maybe_applied and name != "refuse"
    return type(error).__name__, applied, error.answer.reason if error.answer.status else "", min(rule.struck, 1)


@pytest.mark.parametrize(("name", "operation"), CELLS)
def test_the_same_error_in_process_and_over_sockets(name: str, operation: str) -> None:
    with served() as office:
        over_sockets = seen_by(office, name, operation)
    assert seen_by(in_process(), name, operation) == over_sockets
    assert over_sockets[3] == (0 if (name, operation) in NOTHING_TO_STRIKE else 1)


def test_every_kind_befalls_some_call() -> None:
    assert {name for name, _ in CELLS} == set(CATALOGUE)


@pytest.mark.parametrize("operation", ["createFooterComment", "atlassian.oauth.token"])
def test_a_refused_connection_sent_nothing(operation: str) -> None:
    office = in_process()
    office.world.core.faults.append(parse(f"refuse {operation}"))
    error = office.error_of(operation)
    assert isinstance(error, Temporary)
    assert not error.maybe_applied
    assert office.error_of(operation) is None


def test_a_silent_connection_holds_up_nobody_else() -> None:
    with served() as office:
        rule = parse("timeout-before gmail.users.getProfile")
        office.world.core.faults.append(rule)
        address = urlsplit(office.world.core.base_url)
        with socket.create_connection((address.hostname, address.port), timeout=5) as silent:
            silent.sendall(b"GET /google/gmail/v1/users/me/profile HTTP/1.1\r\nHost: x\r\n\r\n")
            for _ in range(1000):
                assert office.error_of("gmail.users.history.list") is None
                if rule.struck:
                    break
            assert rule.struck == 1
            assert office.error_of("createFooterComment") is None
            silent.setblocking(False)
            with pytest.raises(BlockingIOError):
                silent.recv(1)


def test_a_slow_answer_comes_whole_over_sockets() -> None:
    with served() as office:
        office.world.core.faults.append(parse("slow=0.05 createFooterComment"))
        assert office.error_of("createFooterComment") is None
        assert len(office.world.atlassian.comments) == 1


def test_an_answers_date_is_told_once() -> None:
    with served() as office:
        office.world.core.faults.append(parse("skew=600 atlassian times=always"))
        answer = requests.get(f"{office.world.core.base_url}/atlassian/me", timeout=5)
        shifted = office.clock.now() + timedelta(seconds=600)
        assert answer.headers["Date"] == shifted.strftime("%a, %d %b %Y %H:%M:%S GMT")
        assert answer.headers["Server"] == "AtlassianEdge"
