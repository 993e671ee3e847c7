from __future__ import annotations

import re
import signal
import socket
import subprocess
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bridge.demo import samples
from bridge.demo.show import first_screen, play, set_up

from support.demo_process import DemoProcess
from support.served import PATIENCE, free_port, until


class Running:
    """A demo at work: its lines so far, and the address that it tells."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def url(self) -> str:
        found = re.search(r"http://127\.0\.0\.1:\d+", "\n".join(self.lines))
        assert found is not None
        return found[0]

    def told(self, text: str) -> bool:
        return any(text in line for line in self.lines)

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; return the exit code and what stood on standard error."""
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert self.process.stderr is not None
        return code, self.process.stderr.read()


@contextmanager
def running(demo: DemoProcess, *arguments: str) -> Iterator[Running]:
    with demo.start("--no-browser", *arguments) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=PATIENCE) as page:
        text: str = page.read().decode()
        return text


def press(url: str, action: str, person: str, thread: str, label: str = "") -> None:
    """Do what a button of the mailbox page does."""
    form = urllib.parse.urlencode({"person": person, "thread": thread, "label": label}).encode()
    request = urllib.request.Request(f"{url}/mail/{action}", form, {"Origin": url})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert answer.status == 200


@pytest.mark.scenario("A1")
@pytest.mark.scenario("X18")
@pytest.mark.scenario("P22")
def test_a_visit(tmp_path: Path) -> None:
    """The first screen, a label, its page, a reply, its comment, Ctrl-C."""
    demo = DemoProcess(tmp_path)
    with running(demo, "--port", str(free_port())) as show:
        until(lambda: show.told("Ctrl-C ends the demo and removes it."), "the first screen")
        assert show.lines[:4] == [
            "Everything here is made up and stays on this machine.",
            f"  Mailbox   {show.url}/mail     three people, {len(samples.threads())} threads: label one",
            f"  Wiki      {show.url}/wiki     its page appears here within 3 seconds",
            'Then press "A reply arrives" and see the comment.           Ctrl-C ends the demo and removes it.',
        ]
        mailbox = get(f"{show.url}/mail")
        assert "Release plan" in mailbox
        assert "Release plan" not in get(f"{show.url}/wiki")
        thread = thread_of(mailbox, "Release plan")
        press(show.url, "label", "ada@example.com", thread, "Confluence/ENG")
        until(lambda: show.told("Published as Ada:"), "the page")
        labelled, published = show.lines[4:6]
        assert re.fullmatch(r'\d\d:\d\d:\d\d  Ada labelled "Release plan"', labelled)
        place = re.fullmatch(r"\d\d:\d\d:\d\d  Published as Ada: (\S+) +\(2 comments, 2 files\)", published)
        assert place is not None
        assert "Release plan" in get(place[1])
        press(show.url, "reply", "ada@example.com", thread)
        until(lambda: show.told("1 new comment as Ada:"), "the comment")
        assert show.end(signal.SIGINT) == (0, "")
    assert demo.left == []
    assert demo.beyond_loopback == []
    assert demo.written_elsewhere == []


def thread_of(page: str, subject: str) -> str:
    """Return the id of the thread whose row has a subject."""
    found = re.search(r'name="thread" value="(\w+)"', page[page.index(subject) :])
    assert found is not None
    return found[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_kill_and_a_closed_terminal_end_it_too(tmp_path: Path, number: signal.Signals) -> None:
    demo = DemoProcess(tmp_path)
    with running(demo, "--port", str(free_port())) as show:
        until(lambda: show.told("Ctrl-C ends the demo"), "the first screen")
        assert show.end(number) == (0, "")
    assert demo.left == []


def test_ctrl_c_before_it_is_ready(tmp_path: Path) -> None:
    demo = DemoProcess(tmp_path)
    with running(demo, "--port", str(free_port())) as show:
        until(lambda: any(path.endswith("mailbridge.db") for path in demo.left), "its database")
        assert show.end(signal.SIGINT)[0] == 0
    assert demo.left == []


def test_a_port_in_use_is_left_to_its_owner() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with set_up(port=port) as show:
            assert show.url != f"http://127.0.0.1:{port}"
            assert first_screen(show)[1].startswith(f"  Mailbox   {show.url}/mail ")


def test_the_folder_goes_with_the_context() -> None:
    with set_up(port=0) as show:
        folder = show.company.folder
        assert (folder / "mailbridge.db").stat().st_mode & 0o777 == 0o600
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()


def test_the_page_is_opened_once_it_can_be_looked_at() -> None:
    said: list[str] = []
    opened: list[str] = []

    def look(url: str) -> None:
        opened.append(url)
        assert "Release plan" in get(url)
        signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    assert play(said.append, port=0, opened=look) == 0
    assert signal.getsignal(signal.SIGINT) is before
    assert opened == [f"{said[1].split()[1]}"]
    assert len(said) == 4
