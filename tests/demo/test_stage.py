from __future__ import annotations

import threading
from email import message_from_bytes

import pytest
from werkzeug.test import Client

from bridge.demo import samples
from bridge.demo.samples import SampleThread
from bridge.demo.stage import Stage
from bridge.sandbox.world import World

ADA, BEN, CY = samples.PEOPLE


@pytest.fixture
def stage() -> Stage:
    made = Stage(World())
    made.fill()
    return made


def by_slug(slug: str) -> SampleThread:
    return next(thread for thread in samples.threads() if thread.slug == slug)


def test_everybody_holds_the_mail_that_went_to_them(stage: Stage) -> None:
    gmail = stage.world.google.gmail
    assert [person.address for person in gmail.people] == [ADA, BEN, CY]
    for address in samples.PEOPLE:
        wanted = sum(address in mail.mailboxes for thread in samples.threads() for mail in thread.messages)
        assert len(gmail.mailbox(address).messages) == wanted
        assert set(samples.labels()) <= {label.name for label in gmail.mailbox(address).labels}
    for thread in samples.threads():
        for person in thread.mailboxes:
            held = gmail.mailbox(person).by_thread[stage.thread_ids[(thread.slug, person)]]
            assert len(held) == sum(person in mail.mailboxes for mail in thread.messages)


def test_nothing_is_labelled_before_somebody_does(stage: Stage) -> None:
    labelled = [mail for mail in everything(stage) if any(label.startswith("Label_") for label in mail)]
    assert labelled == []
    assert stage.label_all() == len(samples.threads())
    assert any(any(label.startswith("Label_") for label in mail) for mail in everything(stage))


def everything(stage: Stage) -> list[set[str]]:
    gmail = stage.world.google.gmail
    return [set(one.label_ids) for address in samples.PEOPLE for one in gmail.mailbox(address).messages.values()]


def test_a_reply_arrives_with_everybody_who_gets_it(stage: Stage) -> None:
    thread = by_slug("release-plan")
    gmail = stage.world.google.gmail
    before = {person: len(gmail.mailbox(person).messages) for person in samples.PEOPLE}
    thread_id = stage.thread_ids[(thread.slug, ADA)]
    stage.arrive(ADA, thread_id)
    after = {person: len(gmail.mailbox(person).messages) for person in samples.PEOPLE}
    arrived = {person for person in samples.PEOPLE if after[person] == before[person] + 1}
    assert arrived == set(samples.arriving(thread, (), stage.world.core.clock.now()).mailboxes)
    newest = list(gmail.mailbox(ADA).messages.values())[-1]
    assert newest.thread_id == thread_id
    assert stage.subject(ADA, thread_id) == thread.subject


def test_a_thread_that_is_none_of_the_samples(stage: Stage) -> None:
    before = len(everything(stage))
    stage.arrive(ADA, "beef")
    assert (stage.subject(ADA, "beef"), len(everything(stage))) == ("", before)


def test_clicks_at_the_same_time_bring_different_replies(stage: Stage) -> None:
    thread_id = stage.thread_ids[("release-plan", ADA)]
    together = threading.Barrier(4)

    def click() -> None:
        together.wait(60)
        stage.arrive(ADA, thread_id)

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    in_thread = [
        message_from_bytes(mail.raw)["Message-ID"]
        for mail in stage.world.google.gmail.mailbox(ADA).messages.values()
        if mail.thread_id == thread_id
    ]
    assert len(in_thread) == len(set(in_thread)) == len(by_slug("release-plan").messages) + 4


def test_there_are_two_spaces(stage: Stage) -> None:
    found = {space.key: space.name for space in stage.world.atlassian.wiki.spaces.values()}
    assert found == {"ENG": "Engineering", "HR": "People"}


def test_both_pages_are_mounted_and_show_what_the_terminal_told(stage: Stage) -> None:
    stage.mount_pages(lambda: ["14:03:12  Ada labelled it"])
    client = Client(stage.world.app)
    mailbox, wiki = client.get("/mail"), client.get("/wiki")
    assert (mailbox.status_code, wiki.status_code) == (200, 200)
    assert "14:03:12  Ada labelled it" in mailbox.text
    assert "Engineering" in wiki.text
