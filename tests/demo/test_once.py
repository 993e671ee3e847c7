from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from bridge.cli.main import app
from bridge.demo import once as module
from bridge.demo import samples
from bridge.demo.once import Report, expected
from bridge.demo.show import Show
from bridge.errors import BridgeError

from support.demo_process import DemoProcess

KEYS = ["threads", "pages", "comments", "attachments", "held", "requests", "writes_on_second_run"]


@pytest.fixture
def signals() -> Iterator[None]:
    """Keep what this process does on signals as it was; the command listens to them."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    structlog.reset_defaults()


def test_what_is_expected() -> None:
    found = expected(200)
    assert found.threads == found.pages == len(samples.threads())
    assert (found.held, found.writes_on_second_run) == (1, 0)
    shown = sum(1 for thread in samples.threads() for mail in thread.messages if not (mail.held or mail.skipped))
    assert found.comments == shown - found.pages
    assert found.attachments > 0
    assert found.whole


@pytest.mark.parametrize("key", ["threads", "pages", "comments", "attachments", "held", "writes_on_second_run"])
def test_whatever_differs_makes_it_less_than_whole(key: str) -> None:
    report = expected(200)
    assert not replace(report, **{key: getattr(report, key) + 1}).whole


@pytest.mark.scenario("A1")
@pytest.mark.scenario("X18")
@pytest.mark.scenario("P22")
def test_the_whole_demo_by_itself(tmp_path: Path) -> None:
    """One JSON object alone, nothing but loopback, nothing written elsewhere, nothing left behind."""
    demo = DemoProcess(tmp_path)
    process = demo.start("--once", "--json")
    out, err = process.communicate(timeout=110)
    assert (process.returncode, err) == (0, "")
    report = json.loads(out)
    assert list(report) == KEYS
    assert Report(**report) == expected(report["requests"])
    assert demo.left == []
    assert demo.addresses
    assert demo.beyond_loopback == []
    assert demo.written_elsewhere == []


def test_a_run_that_is_not_whole_ends_with_one(monkeypatch: pytest.MonkeyPatch, signals: None) -> None:
    monkeypatch.setattr(module, "once", lambda faults: replace(expected(9), comments=3, writes_on_second_run=2))
    found = CliRunner().invoke(app, ["demo", "--once", "--json"])
    assert (found.exit_code, json.loads(found.stdout)["writes_on_second_run"]) == (1, 2)
    assert found.stderr == "Not everything was published as it should be.\n"
    found = CliRunner().invoke(app, ["demo", "--once"])
    assert found.exit_code == 1
    assert "writes on second run  2\n" in found.stdout


def test_a_run_that_comes_to_no_rest_ends_with_one(monkeypatch: pytest.MonkeyPatch, signals: None) -> None:
    def never(faults: object) -> Report:
        raise BridgeError("The demo did not come to rest within two minutes.")

    monkeypatch.setattr(module, "once", never)
    found = CliRunner().invoke(app, ["demo", "--once", "--json"])
    assert (found.exit_code, found.stdout) == (1, "")
    assert found.stderr.startswith("The demo did not come to rest")


def test_a_service_that_cannot_start_ends_the_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(show: Show) -> object:
        class Service:
            def run(self, *, signals: bool) -> int:
                raise BridgeError("Another program listens there already.")

            def stop(self) -> None: ...

        return Service()

    monkeypatch.setattr(Show, "service", failing)
    with pytest.raises(BridgeError, match=r"^Another program listens there already\.$"):
        module.once()


def test_one_that_does_not_come_to_rest_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.0)
    with pytest.raises(BridgeError, match=r"^The demo did not come to rest within two minutes\."):
        module.once()
