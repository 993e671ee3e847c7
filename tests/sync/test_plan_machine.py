"""The planner alone, step by step: whatever happens to a thread and in whatever order, its plans fit together.

The simulator plays whole companies; where it fails, the planner's part in it is found here in few steps.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bridge.model import Message
from bridge.store.tables import EntryState, FollowState, PublicationState
from bridge.sync.plan import Decision, NewEntry, plan
from bridge.sync.situation import KnownEntry, KnownFollow, KnownPublication, Situation

from support.sync import ADA, BEN, CY, EVE, LABEL, NOW, mail, situation

PEOPLE = (ADA, BEN, CY, EVE)
WAIT = timedelta(seconds=15)


class OneThread(RuleBasedStateMachine):
    """Ada's thread under one route, and a table in memory that takes over what is planned."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.mails: list[Message] = [mail(1, to=(BEN, CY), label_ids=frozenset({"INBOX"}))]
        self.known: KnownFollow | None = None
        self.entries: list[KnownEntry] = []
        self.published = False
        self.labelled_for: set[str] = set()
        self.released: set[str] = set()
        self.narrow: set[str] = set()

    @rule(sender=st.sampled_from(PEOPLE), others=st.sets(st.sampled_from(PEOPLE), min_size=1))
    def somebody_replies(self, sender: str, others: set[str]) -> None:
        """A mail comes, later than all before; it has no label of its own."""
        number = len(self.mails) + 1
        label_ids = frozenset({"SENT"} if sender == ADA else {"INBOX"})
        to = tuple(sorted(others - {sender} or {BEN}))
        self.now += timedelta(seconds=1)
        self.mails.append(
            replace(mail(number, sender=sender, to=to, label_ids=label_ids), date=self.now, sent=self.now)
        )

    @rule()
    def she_labels_it(self) -> None:
        """Every mail that is there gets the label; a follow begins, or goes on."""
        self.mails = [replace(one, label_ids=one.label_ids | {LABEL}) for one in self.mails]
        if self.known is None or (self.known.state is FollowState.STOPPED and self.known.publication is None):
            self.known = KnownFollow("eng", FollowState.FOLLOWING, "wait", "", self.now, self.now + WAIT, self._own())
        elif self.known.state is FollowState.STOPPED:
            self.known = replace(self.known, state=FollowState.FOLLOWING, reason="", since=self.now)

    @rule()
    def she_takes_it_off(self) -> None:
        """No mail has the label any more."""
        self.mails = [replace(one, label_ids=one.label_ids - {LABEL}) for one in self.mails]

    @rule(number=st.integers(0, 9), gone=st.booleans())
    def she_throws_one_away(self, number: int, gone: bool) -> None:
        """A mail goes to the trash, or comes out of it."""
        index = number % len(self.mails)
        one = self.mails[index]
        labels = one.label_ids | {"TRASH"} if gone else one.label_ids - {"TRASH"}
        self.mails[index] = replace(one, label_ids=labels)

    @rule(seconds=st.sampled_from([1, 5, 20, 600]))
    def time_passes(self, seconds: int) -> None:
        """Nothing else happens."""
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: any(one.state is EntryState.HELD for one in self.entries))
    @rule(publish=st.booleans())
    def she_answers(self, publish: bool) -> None:
        """The first question is answered: what is released comes last, what is left out stays out."""
        held = next(one for one in self.entries if one.state is EntryState.HELD)
        last = max(one.ordinal for one in self.entries)
        answered = (
            replace(held, state=EntryState.PLANNED, ordinal=last + 1, answer="publish")
            if publish
            else replace(held, state=EntryState.GIVEN_UP, answer="leave-out")
        )
        self.entries = [answered if one is held else one for one in self.entries]
        if publish:
            self.released.add(held.message_key)

    @rule()
    def all_is_published(self) -> None:
        """What is planned stands in Confluence."""
        self.entries = [
            replace(one, state=EntryState.DONE) if one.state is EntryState.PLANNED else one for one in self.entries
        ]
        self.published = self.published or bool(self.entries)

    @precondition(lambda self: self.known is not None)
    @rule()
    def it_is_looked_at(self) -> None:
        """A plan is made and taken over; made again at once, it brings nothing new."""
        before = {one.message_key for one in self.entries}
        decision = self._plan()
        new = [entry for entry in decision.entries if entry.message_key not in before]
        self._check(decision, new)
        self._take_over(decision, new)
        if self.known is not None:
            again = self._plan()
            assert {entry.message_key for entry in again.entries} <= {one.message_key for one in self.entries}

    @invariant()
    def no_mail_has_two_entries(self) -> None:
        """One mail, one entry; and each has a place of its own."""
        keys = [one.message_key for one in self.entries]
        ordinals = [one.ordinal for one in self.entries]
        assert len(set(keys)) == len(keys)
        assert len(set(ordinals)) == len(ordinals)

    @invariant()
    def what_left_somebody_out_waits_for_an_answer(self) -> None:
        """Held stays held until it is answered; what is to be published was asked about or had no need to be."""
        standing = (EntryState.PLANNED, EntryState.DONE)
        published = {one.message_key for one in self.entries if one.state in standing}
        assert not (published & self.narrow) - self.released

    def _own(self) -> KnownPublication | None:
        if not self.entries:
            return None
        state = PublicationState.PUBLISHED if self.published else PublicationState.PLANNED
        return KnownPublication(7, state, True, True, ADA, tuple(sorted(self.entries, key=lambda one: one.ordinal)))

    def _situation(self) -> Situation:
        assert self.known is not None
        return situation(*self.mails, follows=[replace(self.known, publication=self._own())], now=self.now)

    def _plan(self) -> Decision:
        decided = plan(self._situation())
        assert [one.route for one in decided] == ["eng"]
        return decided[0]

    def _check(self, decision: Decision, new: list[NewEntry]) -> None:
        """Say what holds of each plan by itself."""
        assert self.known is not None
        under = [one for one in self.mails if LABEL in one.label_ids and "TRASH" not in one.label_ids]
        trashed = {one.key for one in self.mails if "TRASH" in one.label_ids}
        assert not trashed & {entry.message_key for entry in new}
        if new:
            assert under, "something is planned that nobody labelled"
            assert self.entries or self.now >= self.known.not_before, "something is planned within the wait"
        assert [entry.sent_on for entry in new] == sorted(entry.sent_on for entry in new)
        if decision.forget:
            assert not self.entries

    def _take_over(self, decision: Decision, new: list[NewEntry]) -> None:
        assert self.known is not None
        if decision.forget:
            self.known = None
            return
        ordinal = max((one.ordinal for one in self.entries), default=-1)
        for number, entry in enumerate(new, ordinal + 1):
            self.entries.append(KnownEntry(entry.message_key, entry.state, number))
            if entry.state is EntryState.HELD:
                self.narrow.add(entry.message_key)
        self.known = replace(
            self.known, state=decision.state, reason=decision.reason, since=self.now, publication=self._own()
        )


TestOneThread = OneThread.TestCase
TestOneThread.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
