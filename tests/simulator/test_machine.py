from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlmodel import select

from bridge.clock import VirtualClock
from bridge.config import Atlassian, Google, Route, Safety, Settings
from bridge.config.settings import Endpoints, Gmail
from bridge.sandbox.faults import parse
from bridge.sandbox.world import ATLASSIAN_CLIENT, GOOGLE_CLIENT, World
from bridge.simulator.desk import Desk
from bridge.simulator.host import Disk, Host
from bridge.simulator.machine import Machine
from bridge.simulator.scheduler import Scheduler, Stopped, Worker
from bridge.store.tables import Mailbox, Publication

BASE = "http://127.0.0.1:1"
ADA = "ada@example.com"
START = datetime(2026, 4, 20, 9, 0, tzinfo=UTC)


class Place:
    """A host with two daemons, and Ada, who is connected and has a labelled mail."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.disk = Disk(folder)
        clock = VirtualClock(START)
        self.world = World(base_url=BASE, clock=clock, seed=seed)
        self.world.hire(ADA, "Ada Lovelace")
        self.world.atlassian.add_space("ENG", "Engineering")
        self.homes = set(self.world.atlassian.wiki.content)
        self.scheduler = Scheduler(Random(seed), clock)
        settings = Settings(
            google=Google(client_id=GOOGLE_CLIENT, domains=("example.com",)),
            atlassian=Atlassian(client_id=ATLASSIAN_CLIENT, sites=(BASE,)),
            gmail=Gmail(poll_every=60.0, poll_idle=60.0),
            safety=Safety(wait=0.0),
            endpoints=Endpoints(google=f"{BASE}/google", atlassian=f"{BASE}/atlassian"),
            routes=(Route(name="eng", label="Confluence/ENG", space="ENG"),),
        )
        self.world.register([settings.redirect_url("google"), settings.redirect_url("atlassian")])
        self.host = Host(self.world, self.scheduler, Random(seed), self.disk, settings)
        self.desk = Desk(self.host)
        self.left, self.right = Machine(self.host, "left"), Machine(self.host, "right")
        assert self.desk.connect(ADA, "google")
        assert self.desk.connect(ADA, "atlassian")
        self.world.google.gmail.create_label(ADA, "Confluence/ENG")

    def mail(self, text: str = "Hello.") -> None:
        raw = f"From: {ADA}\r\nTo: ben@acme.example\r\nSubject: Plan\r\n\r\n{text}\r\n".encode()
        _, thread = self.world.google.gmail.send(ADA, raw)[ADA]
        self.world.google.gmail.label_thread(ADA, thread, "Confluence/ENG")

    def pages(self) -> list[str]:
        content = self.world.atlassian.wiki.content.values()
        return [page.id for page in content if page.status == "current" and page.id not in self.homes]

    def calls(self, operation: str) -> int:
        return sum(1 for seen in self.world.core.journal.seen if seen.operation == operation)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    made.desk.answer_backlog(ADA, "publish")
    yield made
    made.scheduler.close()
    made.disk.close()


def test_two_daemons_share_the_work_and_publish_once(place: Place) -> None:
    place.left.start()
    place.right.start()
    place.scheduler.run_until(100.0)
    place.mail()
    place.scheduler.run_until(2000.0)
    assert len(place.pages()) == 1
    assert place.left.polls > 2
    assert place.right.polls > 2
    assert place.left.polls + place.right.polls < 40


@pytest.mark.parametrize("nth", [1, 2, 3, 5, 8, 13, 21])
def test_a_daemon_killed_at_any_point_of_a_publication_publishes_once_after_all(place: Place, nth: int) -> None:
    left, points = nth, list[str]()

    def at_point(worker: Worker, what: str) -> None:
        nonlocal left
        if worker.group != "left" or "mailbox" not in worker.name:
            return
        points.append(what)
        left -= 1
        if left == 0:
            try:
                place.left.crash()
            finally:
                place.left.start(5.0)

    place.mail()
    place.scheduler.at_point = at_point
    place.left.start()
    place.scheduler.run_until(3000.0)
    assert len(points) > nth
    assert place.left.incarnation == 2
    assert len(place.pages()) == 1
    assert place.calls("createPage") <= 2


def test_a_killed_daemon_reaches_neither_database_nor_network_any_more(place: Place) -> None:
    place.left.start()
    place.scheduler.run_until(10.0)
    store = place.left.store
    assert store is not None
    place.left.crash()
    assert not place.left.up
    with pytest.raises(Stopped), store.read():
        pass
    with pytest.raises(Stopped), store.write():
        pass
    asked = place.world.core.journal.mark()
    place.scheduler.run_until(5000.0)
    assert place.world.core.journal.mark() == asked


def test_what_was_not_committed_is_gone_and_what_was_is_there(place: Place) -> None:
    place.mail()
    killed = list[str]()

    def at_point(worker: Worker, what: str) -> None:
        if worker.group == "left" and what == "after POST" and not killed and place.calls("createPage"):
            killed.append(what)
            place.left.crash()

    place.scheduler.at_point = at_point
    place.left.start()
    place.scheduler.run_until(300.0)
    assert killed == ["after POST"]
    assert place.calls("createPage") == 1
    with place.desk.opened.store.read() as session:
        assert [row.content_id for row in session.exec(select(Publication))] == [""]


def test_a_database_that_was_put_back_knows_nothing_of_later_mail(place: Place) -> None:
    place.left.start()
    place.scheduler.run_until(100.0)
    copy = place.disk.read()
    place.mail()
    place.scheduler.run_until(500.0)
    assert len(place.pages()) == 1
    place.left.crash()
    place.disk.write(copy)
    with place.desk.opened.store.read() as session:
        assert list(session.exec(select(Publication))) == []
        assert len(list(session.exec(select(Mailbox)))) == 1
    place.left.start()
    place.scheduler.run_until(5000.0)
    assert len(place.pages()) == 1


def test_an_edit_of_the_configuration_is_seen_at_the_next_tick(place: Place) -> None:
    place.left.start()
    place.scheduler.run_until(100.0)
    route = Route(name="posts", label="Confluence/ENG", space="ENG", publish_as="blogpost")
    place.desk.edit(routes=(route,))
    place.mail()
    place.scheduler.run_until(500.0)
    assert [place.world.atlassian.wiki.content[page].kind for page in place.pages()] == ["blogpost"]


def test_a_silent_answer_takes_its_time_and_others_go_on(place: Place) -> None:
    place.left.start()
    place.scheduler.run_until(100.0)
    place.world.core.faults.append(parse("timeout-before gmail.users.history.list"))
    place.desk.look_now(ADA)
    began = place.scheduler.now
    place.scheduler.run_until(began + 20.0)
    assert place.scheduler.busy("left") == 2
    place.scheduler.run_until(began + 200.0)
    assert place.calls("gmail.users.history.list") > 1


def test_the_host_clock_can_be_wrong_asleep_and_started_anew(place: Place) -> None:
    clock, scheduler = place.host.clock, place.scheduler
    scheduler.run_until(100.0)
    clock.set_wrong(timedelta(seconds=-60))
    assert clock.now() == START + timedelta(seconds=40)
    before = clock.monotonic()
    assert clock.sleep(50.0)
    assert not clock.sleep(50.0)
    scheduler.run_until(130.0)
    assert clock.monotonic() == before
    scheduler.run_until(200.0)
    assert clock.monotonic() == before + 50.0
    boot = clock.boot()
    clock.start_anew()
    assert clock.boot() != boot


def test_people_reach_the_product_through_the_desk(place: Place) -> None:
    place.left.start()
    place.mail()
    place.desk.pause(ADA, True)
    place.scheduler.run_until(600.0)
    assert place.pages() == []
    place.desk.pause(ADA, False)
    place.desk.look_now(ADA)
    place.scheduler.run_until(1200.0)
    assert len(place.pages()) == 1
    place.world.google.oauth.grants.revoke_grant(ADA)
    place.scheduler.run_until(8000.0)
    assert place.desk.ended() == [(ADA, "google")]
    assert place.desk.status().people.reconnect == 1
    assert place.desk.connect(ADA, "google")
    assert place.desk.ended() == []
    assert not place.desk.answer("nothing", "publish")
    assert replace(place.host.settings) == place.desk.settings
