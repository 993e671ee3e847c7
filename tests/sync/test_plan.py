from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bridge.config import Pages
from bridge.model import Message
from bridge.store.tables import EntryState, FollowState, PublicationState
from bridge.sync.plan import Decision, needs_place, plan
from bridge.sync.situation import KnownEntry, NoPlace, Situation

from support.sync import ADA, BEN, CY, ENG, EVE, HR, LABEL, NOW, PLACE, follow, mail, situation, standing

SECOND = timedelta(seconds=1)
UNLABELLED = frozenset({"INBOX"})


def only(told: Situation) -> Decision:
    """Return the one decision about the one route."""
    decided = plan(told)
    assert len(decided) == 1
    return decided[0]


def done(*messages: Message) -> list[KnownEntry]:
    return [KnownEntry(message.key, EntryState.DONE, ordinal) for ordinal, message in enumerate(messages)]


def entry_ids(decision: Decision) -> list[str]:
    return [entry.message_id for entry in decision.entries]


def states(decision: Decision) -> list[tuple[str, EntryState, str]]:
    return [(entry.message_id, entry.state, entry.reason) for entry in decision.entries]


@pytest.mark.scenario("A2")
def test_a_labelled_thread_becomes_a_new_publication_with_an_entry_for_each_mail_by_date() -> None:
    decision = only(situation(mail(3, sender=BEN, to=(ADA,)), mail(1), mail(2)))
    assert (decision.state, decision.where, decision.place) == (FollowState.FOLLOWING, "new", PLACE)
    assert entry_ids(decision) == ["m1", "m2", "m3"]
    assert all(entry.state is EntryState.PLANNED for entry in decision.entries)


@pytest.mark.scenario("A20")
@pytest.mark.parametrize("state", [FollowState.FOLLOWING, FollowState.HELD, FollowState.IGNORED])
def test_a_label_taken_off_before_the_first_write_leaves_nothing(state: FollowState) -> None:
    decision = only(situation(mail(label_ids=UNLABELLED), follows=[follow(state=state)]))
    assert (decision.forget, decision.where, decision.entries) == (True, "nowhere", ())


def test_in_the_wait_nothing_is_written_and_the_thread_comes_again() -> None:
    until = NOW + timedelta(seconds=15)
    told = situation(mail(), follows=[follow(reason="wait", not_before=until)], places={})
    decision = only(told)
    assert (decision.state, decision.reason, decision.look_again_at) == (FollowState.FOLLOWING, "wait", until)
    assert decision.entries == ()
    assert needs_place(told) == ()
    assert needs_place(replace(told, now=until)) == (ENG,)


def test_replies_do_not_wait() -> None:
    told = situation(mail(1), mail(2), follows=[follow(not_before=NOW + SECOND, publication=standing(*done(mail(1))))])
    assert entry_ids(only(told)) == ["m2"]


@pytest.mark.scenario("A13")
def test_a_label_taken_off_later_stops_the_thread_and_keeps_the_page() -> None:
    own = standing(*done(mail(1)))
    told = situation(mail(1, label_ids=UNLABELLED), mail(2, label_ids=UNLABELLED), follows=[follow(publication=own)])
    decision = only(told)
    assert (decision.state, decision.reason) == (FollowState.STOPPED, "label removed")
    assert decision.detail == "Stopped: the label Confluence/ENG was taken off."
    assert (decision.where, decision.publication_id, decision.entries) == ("own", 7, ())


@pytest.mark.scenario("A14")
def test_a_label_put_back_brings_exactly_what_came_in_between() -> None:
    own = standing(*done(mail(1)))
    back = follow(state=FollowState.STOPPED, reason="label removed", publication=own)
    decision = only(situation(mail(1), mail(3), mail(2), follows=[back]))
    assert (decision.state, decision.where) == (FollowState.FOLLOWING, "own")
    assert entry_ids(decision) == ["m2", "m3"]


@pytest.mark.scenario("A16")
def test_a_label_on_one_message_is_a_label_on_the_thread() -> None:
    own = standing(*done(mail(1)))
    told = situation(mail(1, label_ids=UNLABELLED), mail(2), follows=[follow(publication=own)])
    assert entry_ids(only(told)) == ["m2"]


@pytest.mark.scenario("A18")
def test_a_label_that_does_not_exist_any_more_says_nothing_of_a_removal() -> None:
    own = standing(*done(mail(1)))
    decision = only(situation(mail(label_ids=UNLABELLED), follows=[follow(publication=own)], labels={}))
    assert (decision.state, decision.reason) == (FollowState.STOPPED, "label gone")
    assert (decision.where, decision.entries) == ("own", ())


@pytest.mark.parametrize("reason", ["backlog", "brake"])
def test_what_waits_for_an_answer_stays_as_it_is(reason: str) -> None:
    told = situation(mail(), follows=[follow(state=FollowState.HELD, reason=reason)], places={})
    decision = only(told)
    assert (decision.state, decision.reason, decision.entries) == (FollowState.HELD, reason, ())
    assert needs_place(told) == ()


def test_what_is_ignored_stays_ignored() -> None:
    for answer in ("ignore", "leave-out", "new"):
        told = situation(mail(), follows=[follow(state=FollowState.IGNORED, reason="brake", answer=answer)])
        assert only(told).state is FollowState.IGNORED
        assert needs_place(told) == ()
    told = situation(
        mail(), follows=[follow(state=FollowState.IGNORED, answer="ignore", since=NOW - 48 * 3600 * SECOND)]
    )
    assert only(told).state is FollowState.IGNORED


@pytest.mark.scenario("X9")
def test_only_new_ones_means_the_whole_thread_once_something_new_came() -> None:
    since = mail(1).date + SECOND
    ignored = follow(state=FollowState.IGNORED, answer="new", reason="brake", since=since)
    assert only(situation(mail(1), follows=[ignored])).state is FollowState.IGNORED
    draft = mail(2, label_ids=frozenset({"DRAFT", LABEL}))
    assert only(situation(mail(1), draft, follows=[ignored])).state is FollowState.IGNORED
    decision = only(situation(mail(1), mail(2), follows=[ignored]))
    assert (decision.state, decision.where, entry_ids(decision)) == (FollowState.FOLLOWING, "new", ["m1", "m2"])


def test_what_was_taken_down_stays_down() -> None:
    told = situation(mail(1), mail(2), follows=[follow(state=FollowState.TAKEN_DOWN, publication=standing())])
    assert (only(told).state, only(told).entries) == (FollowState.TAKEN_DOWN, ())


def test_a_blind_copy_is_asked_about_before_anything_is_made() -> None:
    hidden = mail(sender=EVE, to=(BEN,))
    decision = only(situation(hidden))
    assert (decision.state, decision.reason, decision.where) == (FollowState.HELD, "blind copy", "nowhere")
    assert (decision.question, decision.entries) == ("Publish it all the same?", ())
    again = situation(hidden, follows=[follow(state=FollowState.HELD, reason="blind copy")])
    assert only(again) == decision


def test_a_released_blind_copy_is_published() -> None:
    released = follow(reason="blind copy", answer="publish")
    others = mail(1, sender=EVE, to=(BEN,)), mail(2, sender=BEN, to=(EVE,))
    decision = only(situation(*others, follows=[released]))
    assert decision.where == "new"
    assert states(decision) == [("m1", EntryState.PLANNED, ""), ("m2", EntryState.PLANNED, "")]


@pytest.mark.parametrize("reason", ["backlog", "brake"])
def test_an_answer_about_a_crowd_does_not_release_the_blind_copies_in_it(reason: str) -> None:
    told = situation(mail(sender=EVE, to=(BEN,)), follows=[follow(reason=reason, answer="publish")])
    asked = only(told)
    assert (asked.state, asked.reason) == (FollowState.HELD, "blind copy")
    held = follow(state=asked.state, reason=asked.reason, answer="publish")
    assert only(replace(told, follows={"eng": held})).state is FollowState.HELD


def test_a_later_blind_copy_holds_that_mail_alone() -> None:
    told = situation(mail(1), mail(2, sender=BEN, to=(CY,)), mail(3), narrow_replies="publish")
    assert states(only(told)) == [
        ("m1", EntryState.PLANNED, ""),
        ("m2", EntryState.HELD, "blind copy"),
        ("m3", EntryState.PLANNED, ""),
    ]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("hold", [("m1", EntryState.PLANNED), ("m2", EntryState.HELD), ("m3", EntryState.PLANNED)]),
        ("skip", [("m1", EntryState.PLANNED), ("m3", EntryState.PLANNED)]),
        ("publish", [("m1", EntryState.PLANNED), ("m2", EntryState.PLANNED), ("m3", EntryState.PLANNED)]),
    ],
)
def test_a_narrow_reply_is_held_skipped_or_published(choice: str, expected: list[Any]) -> None:
    narrow = mail(2, sender=BEN, to=(ADA,))
    decision = only(situation(mail(1, to=(BEN, CY)), narrow, mail(3, to=(BEN, CY)), narrow_replies=choice))
    assert [(entry.message_id, entry.state) for entry in decision.entries] == expected
    if choice == "hold":
        assert decision.entries[1].detail == "This reply did not go to cy@example.com."
        assert decision.entries[1].question == "Publish it, or leave it out?"


def test_an_entry_that_is_known_is_not_asked_about_again() -> None:
    first, narrow = mail(1, to=(BEN, CY)), mail(2, sender=BEN, to=(ADA,))
    for state in EntryState:
        own = standing(KnownEntry(first.key, EntryState.DONE, 0), KnownEntry(narrow.key, state, 1))
        assert only(situation(first, narrow, follows=[follow(publication=own)])).entries == ()


def test_who_got_only_a_held_mail_is_not_missed_later() -> None:
    aside = mail(2, sender=BEN, to=("stranger@acme.example",))
    back = mail(3, sender=BEN, to=(ADA, CY))
    decision = only(situation(mail(1, to=(BEN, CY)), aside, back))
    assert [(entry.message_id, entry.state) for entry in decision.entries] == [
        ("m1", EntryState.PLANNED),
        ("m2", EntryState.HELD),
        ("m3", EntryState.PLANNED),
    ]


def test_mail_to_a_list_is_neither_narrow_nor_a_blind_copy() -> None:
    at = "eng.lists.example.com"
    first = mail(1, sender=BEN, to=("eng@lists.example.com",), list_id=at)
    reply = mail(2, sender=CY, to=("eng@lists.example.com",), list_id=at)
    assert [state for _, state, _ in states(only(situation(first, reply)))] == [EntryState.PLANNED] * 2


@pytest.mark.scenario("A32")
@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"label_ids": frozenset({"DRAFT", LABEL})}, "a draft"),
        ({"label_ids": frozenset({"TRASH", LABEL})}, "in the trash"),
        ({"label_ids": frozenset({"SPAM", LABEL})}, "in spam"),
        ({"label_ids": frozenset({"SCHEDULED", LABEL})}, "scheduled, not sent yet"),
        ({"date": NOW + SECOND}, "dated in the future"),
        ({"automatic": "out of office"}, "automatic mail: out of office"),
    ],
)
def test_what_is_skipped_has_no_entry_and_is_named(fields: dict[str, Any], why: str) -> None:
    decision = only(situation(mail(1), mail(2, **fields)))
    assert entry_ids(decision) == ["m1"]
    assert [(one.message_id, one.why) for one in decision.skipped] == [("m2", why)]


def test_automatic_mail_is_published_where_the_route_says_so() -> None:
    route = replace(ENG, pages=Pages(skip_automatic=False))
    assert entry_ids(only(situation(mail(1), mail(2, automatic="delivery report"), routes=(route,)))) == ["m1", "m2"]


def test_a_mail_dated_ahead_brings_the_thread_back_when_it_comes_due() -> None:
    ahead = mail(2, date=NOW + 30 * SECOND)
    decision = only(situation(mail(1), ahead))
    assert decision.look_again_at == ahead.date
    assert entry_ids(only(replace(situation(mail(1), ahead), now=ahead.date))) == ["m1", "m2"]


@pytest.mark.scenario("A29")
@pytest.mark.parametrize("label", ["TRASH", "SPAM", "DRAFT"])
def test_a_thread_with_nothing_left_to_publish_says_so(label: str) -> None:
    told = situation(mail(1, label_ids=frozenset({label, LABEL})))
    decision = only(told)
    assert (decision.state, decision.reason) == (FollowState.FOLLOWING, "nothing to publish")
    assert (decision.where, decision.entries, decision.forget) == ("nowhere", (), False)
    assert needs_place(told) == ()


def test_a_label_that_only_a_binned_mail_has_does_not_publish_the_others() -> None:
    told = situation(mail(1, label_ids=frozenset({"TRASH", LABEL})), mail(2, label_ids=UNLABELLED))
    assert (only(told).reason, only(told).entries) == ("nothing to publish", ())


def test_an_answer_that_is_awaited_is_not_lost_when_the_mail_goes_to_the_bin() -> None:
    told = situation(
        mail(1, label_ids=frozenset({"TRASH", LABEL})), follows=[follow(state=FollowState.HELD, reason="brake")]
    )
    assert (only(told).state, only(told).reason) == (FollowState.HELD, "brake")


def test_without_replies_only_the_first_mail_has_an_entry() -> None:
    route = replace(ENG, replies="none")
    told = situation(mail(1), mail(2), routes=(route,))
    assert entry_ids(only(told)) == ["m1"]
    own = follow(publication=standing(*done(mail(1))))
    assert entry_ids(only(replace(told, follows={"eng": own}))) == []


@pytest.mark.scenario("A30")
def test_an_older_mail_that_arrives_late_gets_an_entry_behind_the_others() -> None:
    own = standing(*done(mail(2), mail(3)))
    decision = only(situation(mail(1), mail(2), mail(3), follows=[follow(publication=own)]))
    assert entry_ids(decision) == ["m1"]


@pytest.mark.scenario("A28")
def test_a_mail_that_left_gmail_and_came_back_is_not_posted_again() -> None:
    own = standing(*done(mail(1), mail(2)))
    binned = mail(2, label_ids=frozenset({"TRASH"}))
    assert only(situation(mail(1), binned, follows=[follow(publication=own)])).entries == ()
    assert only(situation(mail(1), mail(2), follows=[follow(publication=own)])).entries == ()


def test_one_key_twice_in_a_thread_is_one_entry() -> None:
    twin = mail(1, gmail_id="m9", date=mail(1).date + SECOND)
    assert entry_ids(only(situation(mail(1), twin, mail(2)))) == ["m1", "m2"]


@pytest.mark.scenario("A22")
def test_a_mail_that_stands_already_is_joined_and_only_what_lacks_is_added() -> None:
    theirs = standing(*done(mail(1)), mine=False, writer_able=False, writer=BEN)
    decision = only(situation(mail(1), mail(2), joinable={"eng": theirs}))
    assert (decision.where, decision.publication_id, decision.state) == ("join", 7, FollowState.FOLLOWING)
    assert entry_ids(decision) == ["m2"]


def test_a_joined_thread_is_not_asked_about_as_a_blind_copy_whose_page_stands() -> None:
    hidden = mail(1, sender=EVE, to=(BEN,))
    theirs = standing(*done(hidden), mine=False, writer=BEN)
    assert only(situation(hidden, joinable={"eng": theirs})).where == "join"


@pytest.mark.scenario("A23")
@pytest.mark.scenario("A24")
def test_the_page_s_own_writer_goes_first_where_they_can() -> None:
    fresh = mail(2, sender=BEN, to=(ADA,), date=NOW - 10 * SECOND)
    theirs = standing(*done(mail(1)), mine=False, writer=BEN)
    told = situation(mail(1), fresh, follows=[follow(publication=theirs)])
    decision = only(told)
    assert (decision.entries, decision.look_again_at) == ((), NOW + 120 * SECOND)
    assert entry_ids(only(replace(told, now=fresh.date + 120 * SECOND))) == ["m2"]
    unable = standing(*done(mail(1)), mine=False, writer=BEN, writer_able=False)
    assert entry_ids(only(replace(told, follows={"eng": follow(publication=unable)}))) == ["m2"]
    mine = standing(*done(mail(1)))
    assert entry_ids(only(replace(told, follows={"eng": follow(publication=mine)}))) == ["m2"]


def test_a_mail_that_the_writer_never_got_is_not_waited_for() -> None:
    fresh = mail(2, sender=CY, to=(ADA,), date=NOW - 10 * SECOND)
    theirs = standing(*done(mail(1)), mine=False, writer=BEN)
    told = situation(mail(1), fresh, follows=[follow(publication=theirs)], narrow_replies="publish")
    assert entry_ids(only(told)) == ["m2"]


def test_nothing_overtakes_a_mail_that_is_left_to_its_writer() -> None:
    left = mail(2, sender=BEN, to=(ADA,), date=NOW - 10 * SECOND)
    ours = mail(3, sender=CY, to=(ADA,), date=NOW - 5 * SECOND)
    theirs = standing(*done(mail(1)), mine=False, writer=BEN)
    told = situation(mail(1), left, ours, follows=[follow(publication=theirs)], narrow_replies="publish")
    assert only(told).entries == ()
    assert entry_ids(only(replace(told, now=NOW + 200 * SECOND))) == ["m2", "m3"]


def test_a_place_that_cannot_be_had_is_told_and_looked_for_again() -> None:
    decision = only(situation(mail(), places={"eng": NoPlace("No such space.")}))
    assert (decision.state, decision.reason, decision.detail) == (
        FollowState.NEEDS_SOMEBODY,
        "no place",
        "No such space.",
    )
    assert decision.look_again_at == NOW + timedelta(hours=6)
    assert only(situation(mail(), places={})).reason == "no place"


def test_a_route_that_left_the_configuration_stops_what_followed_it() -> None:
    own = follow("old", publication=standing(*done(mail(1))))
    bare = follow("older")
    decided = {one.route: one for one in plan(situation(mail(1), mail(2), follows=[own, bare]))}
    assert set(decided) == {"old", "older"}
    assert all(one.reason == "no route" and one.entries == () for one in decided.values())
    assert (decided["old"].where, decided["older"].where) == ("own", "nowhere")
    assert decided["old"].detail == 'Stopped: the configuration has no route "old" any more.'


@pytest.mark.parametrize("joining", [False, True])
def test_what_people_removed_in_confluence_is_not_written_again(joining: bool) -> None:
    gone = standing(*done(mail(1)), state=PublicationState.REMOVED)
    if joining:
        told = situation(mail(1), mail(2), joinable={"eng": gone})
    else:
        told = situation(mail(1), mail(2), follows=[follow(publication=gone)])
    decision = only(told)
    assert (decision.state, decision.reason, decision.entries) == (FollowState.STOPPED, "removed in Confluence", ())
    assert decision.publication_id == 7


@pytest.mark.scenario("A25")
def test_each_route_is_decided_for_itself() -> None:
    hr = follow("hr")
    told = situation(
        mail(1, label_ids=frozenset({LABEL, "Label_2"})),
        follows=[follow(), hr],
        routes=(ENG, HR),
        labels={"eng": LABEL, "hr": "Label_2"},
        places={"eng": PLACE, "hr": replace(PLACE, space_id="200", space_key="HR")},
        audiences={"hr": "1"},
    )
    eng, other = plan(told)
    assert (eng.route, eng.audience, other.route, other.audience) == ("eng", "", "hr", "1")
    assert eng.place != other.place
    assert needs_place(told) == (ENG, HR)


def test_a_route_without_a_follow_decides_nothing() -> None:
    assert plan(situation(mail(), follows=[])) == ()
