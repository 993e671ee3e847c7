"""The benches run and say what they are held against; how fast this machine is, is not tested."""

from __future__ import annotations

import json

import pytest

from bench import __main__ as program
from bench import idle, published, rendering, store
from bench.figures import Cpu, Figure, quantile


def test_a_figure_is_a_line_with_its_limit_or_its_peer():
    assert Figure("poll", 0.5, "ms", "at most", 1.0).line().split() == "poll 0.500 ms at most 1 0.50x kept".split()
    assert Figure("poll", 2.0, "ms", "at most", 1.0).line().endswith("2.00x  MISSED")
    assert Figure("claims", 500.0, "/s", "at least", 1000.0).met is False
    assert Figure("poll", 3.0, "ms", "requests alone", 1.5).as_object()["ratio"] == 2.0
    assert Figure("poll", 3.0, "ms", "requests alone", 1.5).met is None
    assert Figure("rows", 0, "rows", "at most", 0).met is True
    assert Figure("polls", 12.0, "polls").line().split() == ["polls", "12", "polls"]


def test_of_many_stretches_the_middle_one_counts():
    assert Cpu([0.010, 0.900, 0.020]).each(10) == pytest.approx(2.0)
    assert quantile([float(n) for n in range(1, 101)], 0.99) == 100.0


def test_an_idle_poll_adds_no_row():
    figures = store.measure(mailboxes=3, places=2)
    rows = next(figure for figure in figures if figure.unit == "rows")
    assert (rows.value, rows.met) == (0, True)


def test_both_kinds_of_request_are_measured_over_tls():
    assert [figure.against for figure in idle.measure(mailboxes=1, rounds=1)] == [
        "at most",
        "at most",
        "history.list by Google's client",
        "the same GET by requests alone",
    ]
    requests = next(one for one in published.measure(threads=1, replies=1, rounds=1) if one.unit == "requests")
    assert requests.value > 1


def test_every_page_of_the_demo_is_sound(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("MAILBRIDGE_SHARED", str(tmp_path))
    figures = rendering.measure(times=1, most=5)
    assert [figure.value for figure in figures if figure.unit == "%"] == [100]
    assert f"no real mail at {tmp_path}" in capsys.readouterr().err


def test_the_report_as_json(monkeypatch, capsys):
    monkeypatch.setitem(program.BENCHES, "store", lambda: [Figure("claims", 500.0, "claims/s", "at least", 250.0)])
    program.main(["store", "--json"])
    assert json.loads(capsys.readouterr().out) == [
        {
            "bench": "store",
            "name": "claims",
            "value": 500.0,
            "unit": "claims/s",
            "against": "at least",
            "than": 250.0,
            "ratio": 2.0,
            "met": True,
        }
    ]


def test_a_bench_that_is_not_there_is_said(capsys):
    with pytest.raises(SystemExit):
        program.main(["speed"])
    assert "there is no bench 'speed'" in capsys.readouterr().err
