"""What holds of every plan, whatever the mail, the tables and the settings are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bridge.model import Message
from bridge.store.tables import EntryState, FollowState, PublicationState
from bridge.sync.people import not_there
from bridge.sync.plan import Decision, needs_place, plan
from bridge.sync.situation import KnownEntry, KnownFollow, KnownPublication, NoPlace, Place, Situation

from support.sync import ADA, BEN, CY, ENG, EVE, HR, LABEL, NOW, PLACE, mail, situation

PEOPLE = [ADA, BEN, CY, EVE]
LABELS = {"eng": LABEL, "hr": "Label_2"}

instants = st.integers(-30, 2).map(lambda hours: NOW + timedelta(hours=hours))


@st.composite
def messages(draw: st.DrawFn) -> Message:
    number = draw(st.integers(1, 6))
    names = st.sampled_from(["INBOX", "SENT", "DRAFT", "SPAM", "TRASH", "CHAT", "SCHEDULED", "UNREAD"])
    held = draw(st.sets(names, max_size=2)) | draw(st.sets(st.sampled_from(list(LABELS.values()))))
    at = draw(instants)
    return mail(
        number,
        gmail_id=f"m{draw(st.integers(1, 99))}",
        label_ids=frozenset(held),
        date=at,
        sender=draw(st.sampled_from(PEOPLE)),
        to=tuple(draw(st.lists(st.sampled_from(PEOPLE), max_size=3))),
        message_id=draw(st.sampled_from(["", f"{number}@example.com"])),
        list_id=draw(st.sampled_from(["", "", "eng.example.com"])),
        automatic=draw(st.sampled_from(["", "", "", "out of office"])),
    )


@st.composite
def publications(draw: st.DrawFn, keys: Sequence[str]) -> KnownPublication:
    known = draw(st.lists(st.sampled_from(keys), unique=True)) if keys else []
    states = [draw(st.sampled_from(list(EntryState))) for _ in known]
    entries = tuple(
        KnownEntry(key, state, ordinal) for ordinal, (key, state) in enumerate(zip(known, states, strict=True))
    )
    return KnownPublication(
        id=draw(st.integers(1, 3)),
        state=draw(st.sampled_from(list(PublicationState))),
        mine=draw(st.booleans()),
        writer_able=draw(st.booleans()),
        writer=draw(st.sampled_from(PEOPLE)),
        entries=entries,
    )


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    mails = draw(st.lists(messages(), min_size=1, max_size=6))
    keys = sorted({message.key for message in mails})
    follows = [
        KnownFollow(
            route=route,
            state=draw(st.sampled_from(list(FollowState))),
            reason=draw(st.sampled_from(["", "wait", "backlog", "brake", "blind copy", "no place"])),
            answer=draw(st.sampled_from(["", "", "publish", "new", "ignore"])),
            since=draw(instants),
            not_before=draw(instants),
            publication=draw(st.none() | publications(keys)),
        )
        for route in draw(st.sets(st.sampled_from(["eng", "hr", "old"]), min_size=1))
    ]
    found: st.SearchStrategy[Place | NoPlace] = st.sampled_from([PLACE, NoPlace("Nowhere.")])
    return situation(
        *mails,
        follows=follows,
        routes=(replace(ENG, replies=draw(st.sampled_from(["comments", "none"]))), HR),
        labels={route: LABELS[route] for route in draw(st.sets(st.sampled_from(list(LABELS))))},
        places=draw(st.dictionaries(st.sampled_from(["eng", "hr"]), found)),
        joinable=draw(st.dictionaries(st.sampled_from(["eng", "hr"]), publications(keys))),
        narrow_replies=draw(st.sampled_from(["hold", "skip", "publish"])),
    )


def applied(told: Situation, decisions: Sequence[Decision]) -> Situation:
    """Return the situation as it is once the decisions stand in the tables."""
    follows = {}
    for decision in decisions:
        known = told.follows[decision.route]
        if decision.forget:
            continue
        base = known.publication
        if decision.where == "join":
            base = told.joinable[decision.route]
        if decision.where == "new":
            base = KnownPublication(9, PublicationState.PLANNED, True, True, told.owner)
        if base is not None:
            held = len(base.entries)
            base = replace(
                base,
                entries=base.entries
                + tuple(
                    KnownEntry(entry.message_key, entry.state, held + index)
                    for index, entry in enumerate(decision.entries)
                ),
            )
        changed = (known.state, known.reason) != (decision.state, decision.reason)
        follows[decision.route] = replace(
            known,
            state=decision.state,
            reason=decision.reason,
            since=told.now if changed else known.since,
            publication=base,
        )
    return replace(told, follows=follows)


def by_id(told: Situation, decision: Decision) -> list[Message]:
    listed = {(message.gmail_id, message.key): message for message in told.thread.messages}
    return [listed[(entry.message_id, entry.message_key)] for entry in decision.entries]


@given(situations())
def test_a_mail_never_gets_two_entries(told: Situation) -> None:
    for decision in plan(told):
        keys = [entry.message_key for entry in decision.entries]
        own = told.follows[decision.route].publication
        base = told.joinable[decision.route] if decision.where == "join" else own
        known = {entry.message_key for entry in base.entries} if base and decision.where != "new" else set()
        assert len(keys) == len(set(keys))
        assert not known & set(keys)


@given(situations())
def test_what_is_no_mail_of_the_thread_is_never_planned(told: Situation) -> None:
    for decision in plan(told):
        assert {one.message_id for one in decision.skipped} >= {
            message.gmail_id for message in told.thread.messages if decision.skipped and not_there(message, told.now)
        }
        for message in by_id(told, decision):
            assert not not_there(message, told.now)
            assert not message.automatic


@given(situations())
def test_nothing_is_planned_for_a_thread_without_its_label(told: Situation) -> None:
    for decision in plan(told):
        label = told.labels.get(decision.route)
        bears = any(
            label in message.label_ids and not message.label_ids & {"TRASH", "SPAM", "DRAFT"}
            for message in told.thread.messages
        )
        if label is None or not bears:
            assert decision.entries == ()
            assert decision.where in ("nowhere", "own")


@given(situations())
def test_what_waits_for_a_person_or_for_time_is_never_written(told: Situation) -> None:
    for decision in plan(told):
        known = told.follows[decision.route]
        if known.state is FollowState.HELD and known.reason in ("backlog", "brake"):
            assert decision.entries == ()
        if known.publication is None and told.now < known.not_before:
            assert decision.entries == ()
        if decision.state is not FollowState.FOLLOWING:
            assert decision.entries == ()


@given(situations())
def test_entries_come_by_date_and_each_planned_one_went_to_everybody_or_may(told: Situation) -> None:
    for decision in plan(told):
        dates = [message.date for message in by_id(told, decision)]
        assert dates == sorted(dates)
        for entry in decision.entries:
            assert entry.state in (EntryState.PLANNED, EntryState.HELD)
            assert bool(entry.question) == (entry.state is EntryState.HELD)


@given(situations())
def test_planning_is_deterministic_and_a_second_plan_adds_nothing(told: Situation) -> None:
    first = plan(told)
    assert plan(told) == first
    again = plan(applied(told, first))
    assert all(decision.entries == () for decision in again)
    assert all(decision.where != "new" for decision in again)
    assert plan(applied(applied(told, first), again)) == again


@given(situations())
def test_a_place_is_asked_for_only_where_something_may_be_made(told: Situation) -> None:
    asked = {route.name for route in needs_place(told)}
    for decision in plan(told):
        if decision.where in ("new", "join"):
            assert decision.route in asked
