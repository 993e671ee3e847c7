from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import TextIO

import pytest

from bridge.cli.terminal import Terminal
from bridge.clock import VirtualClock

from support.consents import START

Pipe = tuple[int, TextIO]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    read, write = os.pipe()
    stream = os.fdopen(read)
    yield write, stream
    stream.close()


def test_lines_come_one_by_one_also_when_they_were_sent_at_once(pipe: Pipe) -> None:
    write, stream = pipe
    clock = VirtualClock(START)
    terminal = Terminal(stream, clock)
    assert terminal.line(0.01) is None
    os.write(write, b"one\n two \nthr")
    assert [terminal.line(1), terminal.line(1)] == ["one", "two"]
    assert terminal.line(0.01) is None
    os.write(write, "eé\n".encode())
    assert terminal.line(1) == "threé"
    assert not terminal.ended
    os.write(write, b"last")
    os.close(write)
    found = [terminal.line(1) for _ in range(3)]
    assert "last" in found
    assert terminal.ended


def test_at_the_end_the_clock_waits(pipe: Pipe) -> None:
    write, stream = pipe
    os.close(write)
    clock = VirtualClock(START)
    terminal = Terminal(stream, clock)
    assert terminal.line(0.5) is None
    assert terminal.ended
    before = clock.monotonic()
    assert terminal.line(0.5) is None
    assert clock.monotonic() - before == 0.5


def test_a_stream_without_a_descriptor_is_read_whole() -> None:
    terminal = Terminal(io.StringIO("a\n\nb"), VirtualClock(START))
    assert [terminal.line(1) for _ in range(4)] == ["a", "", "b", None]
    assert terminal.ended
