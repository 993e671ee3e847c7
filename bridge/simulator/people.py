"""A company's people: who does what and when, chosen by the seed. Most of what they do is ordinary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from random import Random
from types import MappingProxyType

from bridge.sandbox.world import World
from bridge.simulator import people_bridge as at_bridge
from bridge.simulator import people_mail as in_mail
from bridge.simulator import people_wiki as in_wiki
from bridge.simulator.acts import Act
from bridge.simulator.people_scene import Desk, Scene, first_routes, found, found_pages, take_habits

Doing = Callable[[Scene], Act | None]

MAIL: Mapping[Doing, float] = MappingProxyType(
    {
        in_mail.write: 14.0,
        in_mail.reply_to_all: 18.0,
        in_mail.reply_to_one: 2.5,
        in_mail.label: 7.0,
        in_mail.slip: 1.5,
        in_mail.unlabel: 2.5,
        in_mail.trash: 1.5,
        in_mail.spam: 0.3,
        in_mail.delete: 0.4,
        in_mail.rename_label: 0.1,
        in_mail.delete_label: 0.1,
    }
)
"""What people do in Gmail, and how often of a hundred acts or so."""

WIKI: Mapping[Doing, float] = MappingProxyType(
    {
        in_wiki.edit: 3.0,
        in_wiki.comment: 3.0,
        in_wiki.upload: 2.5,
        in_wiki.rename: 1.0,
        in_wiki.move: 0.8,
        in_wiki.restrict: 0.5,
        in_wiki.archive: 0.4,
        in_wiki.trash: 0.7,
        in_wiki.purge: 0.3,
        in_wiki.delete_comment: 0.8,
    }
)
"""What they do in Confluence."""

BRIDGE: Mapping[Doing, float] = MappingProxyType(
    {
        at_bridge.answer: 6.0,
        at_bridge.look_now: 2.0,
        at_bridge.publish_anew: 2.0,
        at_bridge.connect_again: 8.0,
        at_bridge.lose_google: 0.3,
        at_bridge.lose_atlassian: 0.3,
        at_bridge.pause: 0.3,
        at_bridge.edit_routes: 0.8,
    }
)
"""What they do with the bridge."""

EVERYTHING: Mapping[Doing, float] = MappingProxyType({**MAIL, **WIKI, **BRIDGE})
"""All of it."""

A_DAY = 20.0
"""Acts a person and day, on average, without what follows from another act."""

_TRIES = 6
_IN_A_ROW = 0.3
_ONE_IS_LATE = 0.4
_NEVER_ANSWERED = 0.15


class People:
    """The company's people. ``act`` is to be called whenever ``next_at`` has come.

    Making them founds the company: people are hired, spaces and first pages made, the first routes written. They
    connect in the first minutes, nearly all of them; one may come late.
    """

    MAIL_EVENTS = frozenset({"write", "reply", "label", "unlabel", "trash", "untrash", "spam", "delete for ever"})
    """The kinds of acts that change what is in a mailbox."""

    def __init__(
        self,
        world: World,
        random: Random,
        desk: Desk,
        count: int,
        *,
        a_day: float = A_DAY,
        doings: Mapping[Doing, float] = EVERYTHING,
    ) -> None:
        """Found the company.

        Args:
            world: where they act; empty.
            random: chooses all of it.
            desk: what they do with the product itself.
            count: how many they are.
            a_day: acts a person and day, on average.
            doings: what they do, and how often.
        """
        people = found(world, count)
        take_habits(world, random)
        desk.edit(routes=first_routes(*found_pages(world, people)))
        self.scene = Scene(world, random, desk, people)
        self._doings, self._weights = list(doings), list(doings.values())
        self._mean = 86_400.0 / (a_day * count)
        self._next_at = self.scene.now + timedelta(seconds=30.0 * count)
        self._asked: set[str] = set()
        self._never: set[str] = set()
        at_bridge.tell_routes(self.scene, "first")
        self._connect_all()

    @property
    def history(self) -> list[Act]:
        """Everything that they did, what came of their own accord while all settled too."""
        return self.scene.history

    def next_at(self, now: float) -> float:
        """Return when somebody acts next.

        Args:
            now: the instant, in whatever seconds the caller counts; the answer is in the same.
        """
        soonest = min([self._next_at, *(at for at, _ in self.scene.pending)])
        return max(now, now + (soonest - self.scene.now).total_seconds())

    def act(self, now: datetime) -> Act | None:
        """Have somebody do something whose time has come; return None where nothing came of it.

        Args:
            now: the instant, by the services' clock.
        """
        scene = self.scene
        due = min(scene.pending, key=lambda one: one[0], default=None)
        if due is not None and due[0] <= now:
            scene.pending.remove(due)
            return due[1](scene)
        self._next_at = now + timedelta(seconds=self._pause())
        for _ in range(_TRIES):
            doing = scene.random.choices(self._doings, self._weights)[0]
            act = doing(scene)
            if act is not None:
                return act
        return None

    def concerned(self, act: Act) -> tuple[str, ...]:
        """Return whose mailboxes an act changed, or may have."""
        if act.kind in ("write", "reply"):
            return tuple(one.partition("=")[0] for one in act.details.get("copies", "").split())
        return (act.who,) if act.who in self.scene.people else ()

    def settle(self) -> list[Act]:
        """Have people mend what they can: whoever lost a connection connects again, most questions are answered.

        To be called now and then while a simulation settles; what somebody means to do later they do now.
        """
        scene, start = self.scene, len(self.history)
        for _, meant in sorted(scene.pending, key=lambda one: one[0]):
            meant(scene)
        scene.pending.clear()
        for person, provider in sorted({*scene.lost, *scene.desk.ended()}):
            at_bridge.connect(scene, person, provider)
        for person in sorted(scene.paused):
            at_bridge.resume(scene, person)
        waiting = scene.desk.held()
        for item in waiting:
            if item.id not in self._asked and scene.random.random() < _NEVER_ANSWERED:
                self._never.add(item.id)
            self._asked.add(item.id)
            if item.id not in self._never:
                at_bridge.answer_this(scene, item, waiting)
        return self.history[start:]

    def restored(self, copied_at: datetime) -> None:
        """Tell people that the bridge knows nothing of what came after an instant, by the services' clock."""
        at_bridge.restored(self.scene, copied_at)

    def _connect_all(self) -> None:
        """Mean to connect; who comes late has labelled mail by then."""
        scene = self.scene
        late = scene.random.choice(scene.people) if scene.random.random() < _ONE_IS_LATE else ""
        for number, person in enumerate(scene.people):
            seconds = 20.0 * number + 1.0 if person != late else scene.random.uniform(3_600.0, 60_000.0)
            scene.soon(seconds, partial(at_bridge.connect, person=person, provider="google"))
            scene.soon(seconds + 2.0, partial(at_bridge.connect, person=person, provider="atlassian"))
            scene.soon(seconds + 4.0, partial(at_bridge.answer_backlog, person=person))

    def _pause(self) -> float:
        """Return the seconds until somebody acts again: often much comes at once, then for a long time nothing."""
        random = self.scene.random
        if random.random() < _IN_A_ROW:
            return random.uniform(0.5, 45.0)
        return random.expovariate(1.0) * self._mean / (1.0 - _IN_A_ROW)
