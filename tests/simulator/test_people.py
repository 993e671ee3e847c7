"""The people: the seed alone decides what they do, and what they write down is what they did."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from bridge.clock import VirtualClock
from bridge.config import Atlassian, Google, Route, Settings
from bridge.errors import Provider
from bridge.oauth.backlog import BacklogChoice
from bridge.sandbox.world import World
from bridge.simulator import people_bridge, people_mail, people_wiki
from bridge.simulator.acts import Act, table
from bridge.simulator.model_history import History
from bridge.simulator.people import EVERYTHING, People
from bridge.simulator.people_scene import OUTSIDE, Scene
from bridge.sync.held import Held

START = datetime(2026, 4, 20, 9, 0, tzinfo=UTC)
ADA, BEN, CY, DEE = (f"{name}@example.com" for name in ("ada", "ben", "cy", "dee"))


class Desk:
    """A desk at which everything goes well; it keeps what was asked of it."""

    def __init__(self) -> None:
        google, atlassian = Google(client_id="g", domains=("example.com",)), Atlassian(client_id="a", sites=("x",))
        self.settings = Settings(google=google, atlassian=atlassian)
        self.asked: list[tuple[Any, ...]] = []
        self.questions: list[Held] = []
        self.gone: list[tuple[str, Provider]] = []

    def edit(self, *, routes: tuple[Route, ...]) -> None:
        self.settings = Settings(google=self.settings.google, atlassian=self.settings.atlassian, routes=routes)

    def connect(self, address: str, provider: Provider) -> bool:
        self.asked.append(("connect", address, provider))
        self.gone = [one for one in self.gone if one != (address, provider)]
        return True

    def answer_backlog(self, address: str, choice: BacklogChoice) -> bool:
        self.asked.append(("backlog", address, choice))
        return True

    def held(self) -> list[Held]:
        return list(self.questions)

    def answer(self, item_id: str, choice: str) -> bool:
        self.asked.append(("answer", item_id, choice))
        self.questions = [one for one in self.questions if one.id != item_id]
        return True

    def publish_anew(self, address: str, thread_id: str) -> bool:
        self.asked.append(("publish anew", address, thread_id))
        return True

    def pause(self, address: str, paused: bool) -> None:
        self.asked.append(("pause", address, paused))

    def ended(self) -> list[tuple[str, Provider]]:
        return list(self.gone)

    def look_now(self, address: str) -> None:
        self.asked.append(("look", address))


def company(seed: int = 1, count: int = 4, **more: Any) -> tuple[People, World, Desk]:
    world, desk = World(clock=VirtualClock(START), seed=seed), Desk()
    return People(world, Random(seed), desk, count, **more), world, desk


def live(people: People, world: World, acts: int) -> list[Act]:
    """Let so many acts pass, each at its time."""
    while len(people.history) < acts:
        seconds = people.next_at(0.0)
        assert isinstance(world.core.clock, VirtualClock)
        world.core.clock.advance(seconds)
        people.act(world.core.clock.now())
    return people.history


def post(scene: Scene, number: int = 1) -> str:
    """Publish the first mail of the latest conversation as the bridge would; return the page's id."""
    mail = scene.conversations[-1].mails[0]
    link = (
        f"https://mail.google.com/mail/?mailbridge=key{number}#search/rfc822msgid%3A{mail.rfc822.replace('@', '%40')}"
    )
    body = f'<p><a href="{link}">mail</a> {mail.word}</p>'
    return scene.world.atlassian.create_page(scene.people[0], "ENG", f"Page {number}", body).id


def test_one_seed_is_one_history() -> None:
    first, second = (table(live(*company(5)[:2], 120)) for _ in range(2))
    assert first == second
    assert table(live(*company(6)[:2], 120)) != first


def test_a_longer_history_begins_as_a_shorter_one() -> None:
    short, long = live(*company(5)[:2], 40), live(*company(5)[:2], 80)
    assert long[: len(short)] == short


def test_acts_are_numbered_and_in_order_of_time() -> None:
    acts = live(*company(2)[:2], 150)
    assert [act.number for act in acts] == list(range(1, len(acts) + 1))
    assert all(a.at <= b.at for a, b in pairwise(acts))


def test_most_of_what_they_do_is_ordinary() -> None:
    counts = Counter(act.kind for act in live(*company(3)[:2], 200))
    ordinary = counts["write"] + counts["reply"] + counts["label"]
    assert ordinary > 0.5 * sum(counts.values())
    assert counts["label"] > 20


def test_everything_that_they_can_do_happens_in_some_history() -> None:
    evenly = dict.fromkeys(EVERYTHING, 1.0)
    people, world, _ = company(3, doings=evenly)
    kinds = {act.kind for act in live(people, world, 400)}
    assert {"write", "reply", "label", "unlabel", "trash", "untrash", "spam", "delete for ever"} <= kinds
    assert {"rename label", "delete label", "routes", "lose google", "lose atlassian", "pause", "resume"} <= kinds
    assert {"connect google", "connect atlassian", "look now", "publish anew"} <= kinds


def test_they_connect_in_the_first_minutes_but_one_who_may_be_late() -> None:
    _, world, desk = found = company(1)
    live(found[0], world, 30)
    assert {one[1] for one in desk.asked if one[0] == "connect"} >= {ADA, BEN}


def test_a_mail_lies_where_its_act_says() -> None:
    people, world, _ = company(7)
    act = people_mail.write(people.scene)
    assert act is not None
    for copy in act.details["copies"].split():
        person, _, place = copy.partition("=")
        message, _, thread = place.partition("/")
        stored = world.google.gmail.mailbox(person).messages[message]
        assert (stored.thread_id, act.details["word"].encode() in stored.raw) == (thread, True)
    assert set(act.details["to"].split()) <= {ADA, BEN, CY, DEE, *OUTSIDE}


def test_a_reply_joins_the_thread_also_where_what_it_answers_is_missing() -> None:
    people, _world, _ = company(7)
    scene = people.scene
    first = people_mail.write(scene)
    assert first is not None
    for _ in range(40):
        people_mail.reply_to_all(scene)
        people_mail.reply_to_one(scene)
    conversation = scene.conversations[0]
    assert len(conversation.mails) > 3
    for person in scene.people:
        assert len({mail.copies[person].thread_id for mail in conversation.in_mailbox(person)}) <= 1


def test_the_history_comes_to_what_stands_in_gmail() -> None:
    people, world, _ = company(9)
    acts = live(people, world, 250)
    history = History(acts)
    names: dict[tuple[str, str], set[str]] = {}
    for (person, thread), spans in history.labelled.items():
        on = {span.label_id for span in spans if span.end is None}
        view = world.google.gmail.mailbox(person).current(thread)
        visible = [message for message in view.messages if not message.hidden] if view else []
        own = {one.id for one in world.google.gmail.mailbox(person).user_labels()}
        assert on == {label for message in visible for label in message.label_ids} & own
        names[(person, thread)] = on
    assert any(names.values())
    for mail in history.mails.values():
        for person in mail.threads:
            stored = world.google.gmail.mailbox(person).messages
            copy = people.scene.of_mail(mail.rfc822)
            assert copy is not None
            found = stored.get(copy.copies[person].message_id)
            assert history.is_visible(person, mail) == (found is not None and not found.hidden)


def test_a_slip_is_taken_back_within_the_wait() -> None:
    people, _world, _ = company(7)
    scene = people.scene
    scene.pending.clear()
    people_mail.write(scene)
    scene.pending.clear()
    act = people_mail.slip(scene)
    assert act is not None
    (when, meant), *_ = scene.pending
    assert timedelta(0) < when - scene.now < timedelta(seconds=15)
    taken = meant(scene)
    assert taken is not None
    assert (taken.kind, taken.details["label"]) == ("unlabel", act.details["label"])


@pytest.mark.parametrize(
    ("doing", "kind"),
    [
        (people_wiki.edit, "edit a page"),
        (people_wiki.rename, "rename a page"),
        (people_wiki.move, "move a page"),
        (people_wiki.restrict, "restrict a page"),
        (people_wiki.archive, "archive a page"),
        (people_wiki.trash, "trash a page"),
        (people_wiki.comment, "comment"),
        (people_wiki.upload, "upload"),
    ],
)
def test_what_they_do_to_a_page_is_written_down_with_its_conversation(doing: Any, kind: str) -> None:
    people, _, _ = company(7)
    people_mail.write(people.scene)
    page = post(people.scene)
    act = doing(people.scene)
    assert (act.kind, act.conversation, act.details["page"]) == (kind, "c1", page)


def test_a_page_is_purged_only_from_the_trash() -> None:
    people, world, _ = company(7)
    people_mail.write(people.scene)
    page = post(people.scene)
    assert people_wiki.purge(people.scene) is None
    people_wiki.trash(people.scene)
    assert people_wiki.purge(people.scene) is not None
    assert page not in world.atlassian.wiki.content


def test_nothing_is_done_to_pages_that_people_made_themselves() -> None:
    people, _, _ = company(7)
    people_mail.write(people.scene)
    assert [doing(people.scene) for doing in (people_wiki.edit, people_wiki.trash, people_wiki.upload)] == [None] * 3


def test_who_deletes_a_comment_of_ours_says_what_went_with_it() -> None:
    people, world, _ = company(7)
    people_mail.write(people.scene)
    page = post(people.scene)
    mail = people.scene.conversations[-1].mails[0]
    body = world.atlassian.wiki.content[page].body
    ours = world.atlassian.add_comment(ADA, page, body)
    below = world.atlassian.add_comment(BEN, page, "<p>By hand.</p>", parent=ours.id)
    act = people_wiki.delete_comment(people.scene)
    assert act is not None
    assert (act.details["mails"], act.details["comments"]) == (mail.name, f"{ours.id} {below.id}")


def test_a_consent_that_was_taken_back_is_given_again() -> None:
    people, world, desk = company(7)
    people.scene.pending.clear()
    act = people_bridge.lose_google(people.scene)
    assert act is not None
    assert not world.google.oauth.grants.consented(act.who, "g")
    desk.gone = [(BEN, "atlassian")]
    people.settle()
    asked = {one[1:] for one in desk.asked if one[0] == "connect"}
    assert {(act.who, "google"), (BEN, "atlassian")} <= asked
    assert people.scene.lost == {}


def test_questions_are_answered_all_of_a_thread_alike() -> None:
    people, _, desk = company(7)
    question = Held("k1", ADA, "narrow reply", "", "?", ("publish", "leave-out"), START, "eng", ("t1",), "")
    other = Held("k2", ADA, "narrow reply", "", "?", ("publish", "leave-out"), START, "eng", ("t1",), "")
    desk.questions = [question, other]
    act = people_bridge.answer_this(people.scene, question, desk.held())
    assert act is not None
    assert [one[:2] for one in desk.asked if one[0] == "answer"] == [("answer", "k1"), ("answer", "k2")]
    assert len({one[2] for one in desk.asked if one[0] == "answer"}) == 1
    assert act.details["threads"] == "t1"


def test_a_paused_person_is_let_go_on_at_the_end() -> None:
    people, _, desk = company(7)
    act = people_bridge.pause(people.scene)
    assert act is not None
    people.settle()
    assert [one for one in desk.asked if one[0] == "pause"] == [("pause", act.who, True), ("pause", act.who, False)]


def test_who_connected_after_a_copy_connects_again_once_it_was_put_back() -> None:
    people, _, desk = company(7)
    people.scene.pending.clear()
    people_bridge.connect(people.scene, ADA, "google")
    people.restored(START - timedelta(hours=1))
    people.settle()
    assert ("connect", ADA, "atlassian") in desk.asked


def test_the_routes_are_written_down_whenever_they_change() -> None:
    people, _, desk = company(7)
    acts = [act for _ in range(60) if (act := people_bridge.edit_routes(people.scene)) is not None]
    assert {act.details["why"] for act in acts} >= {"add", "take out", "put back", "rename", "visibility"}
    told = {name.removeprefix("route ") for name in acts[-1].details if name.startswith("route ")}
    assert told == {route.name for route in desk.settings.routes}
    assert len({route.label for route in desk.settings.routes}) == len(desk.settings.routes)


def test_a_mail_concerns_whoever_got_it() -> None:
    people, _, _ = company(7)
    act = people_mail.write(people.scene)
    assert act is not None
    assert set(people.concerned(act)) == set(people.scene.conversations[0].mails[0].copies)
    assert people.concerned(Act(1, START, "operator", "routes")) == ()


def test_every_doing_has_a_weight() -> None:
    assert all(weight > 0 for weight in EVERYTHING.values())


def test_a_row_of_the_table_is_short() -> None:
    act = Act(7, START, ADA, "write", "c1", {"mail": "m1", "text": "long " * 40, "empty": ""})
    assert act.line().startswith("    7  20 09:00:00  ada       write")
    assert len(act.line()) < 150
    assert "empty" not in act.line()
