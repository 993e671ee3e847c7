"""Runs one scene under one fault until it has settled in virtual time, and says what stands and what happened."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from sqlmodel import col, func, select, update

from bridge.daemon.report import report
from bridge.sandbox.faults import Rule, parse
from bridge.store import threads
from bridge.store.tables import Event, Follow, FollowState, Grant, GrantState, Mailbox
from bridge.sync import orders
from bridge.sync.evidence import RENDERED
from bridge.sync.mailbox import sync_mailbox

from faults.matrix_scenes import Scene, make_due
from faults.matrix_stage import Stage
from faults.matrix_writes import twice_written
from support.standing import Standing, standing
from support.stories import Story

LASTS = timedelta(hours=7)
"""How long a lasting fault lasts: longer than the six hours after which a person's move is looked for anew."""

PASSES = timedelta(hours=2)
"""How long one lasts that time alone mends: longer than anything is put off for it."""

PASSING = ("409", "503")
"""The kinds that time alone mends."""

SETTLES = timedelta(hours=30)
"""Within this long after the last fault all must be at rest."""

CALM = timedelta(minutes=30)
"""So long after a lasting fault began, what waits writes nothing any more."""

INSISTS = timedelta(hours=1)
"""How often a person tries again what they do themselves."""

FALLBACKS = ("body refused", "page labels refused", "origin property failed")
"""The events that tell of other content; a file that was left out stands in the evidence of what was rendered."""

HALF = "503-half"
"""After this fault a file has two versions: the empty one that it left, and the bytes."""


About = Literal["", "first", "reading"]


@dataclass(frozen=True, slots=True)
class Plain:
    """A run without a fault: what stands after it, and its requests in order as (operation, method, person)."""

    standing: Standing
    calls: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a run under a fault.

    Attributes:
        outcome: "recovers", "waits" or "fallback"; '' where it never came to rest.
        struck: how often the fault struck.
        lost: what stands without the fault and not with it.
        extra: what stands with it and not without.
        twice: the keys of what was written more than once.
        silent: what of its waiting was not as it must be, '' for nothing.
        reasons: what ``status`` said while it waited: whose move, and why.
        told: the events that tell of other content.
        orphans: the empty drafts that were left behind.
        story: the requests, where they were asked for.
    """

    outcome: str = ""
    struck: int = 0
    lost: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    silent: str = ""
    reasons: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    orphans: int = 0
    story: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether nothing was lost, doubled or stuck; content that fell back is another matter."""
        differs = (self.lost or self.extra) and self.outcome != "fallback"
        return bool(self.outcome) and not (differs or self.twice or self.silent)


def plainly(stage: Stage) -> Plain:
    """Run a scene without a fault."""
    found = stage.in_child(lambda company: _plainly(company, stage.scene))
    return Plain(Standing(tuple(found["lines"]), found["drafts"]), tuple(tuple(call) for call in found["calls"]))


def under(stage: Stage, rule: str, wanted: Plain, *, about: About = "", detail: bool = False) -> Ran:
    """Run a scene under a rule, and compare it with the run without.

    Args:
        stage: the scene.
        rule: as ``faults.parse`` reads it; one with ``times=always`` lasts until it has been waited for long enough.
        wanted: the run without a fault.
        about: "first" where nothing else may be written while it is waited for, "reading" where a full pass may be
            needed to find what was not shown.
        detail: whether to bring the requests along.
    """
    found = stage.in_child(
        lambda company: asdict(_Run(company, stage.scene, parse(rule)).whole(wanted, detail=detail, about=about))
    )
    return Ran(**{key: tuple(value) if isinstance(value, list) else value for key, value in found.items()})


def _plainly(company: Story, scene: Scene) -> dict[str, Any]:
    run = _Run(company, scene, None)
    run.begin()
    if not run.settles():
        raise AssertionError(f"{scene.name} does not come to rest: {run.waits()}")
    stands = standing(company.world)
    calls = [(one.operation, one.method, one.person) for one in company.world.core.journal.since(run.mark)]
    return {"lines": stands.lines, "drafts": stands.empty_drafts, "calls": calls}


class _Run:
    """One run, in its own process."""

    def __init__(self, company: Story, scene: Scene, rule: Rule | None) -> None:
        self.company = company
        self.scene = scene
        self.rule = rule
        self.mark = 0
        self.rewritten: tuple[str, ...] = ()
        self.insisting = scene.insists is not None

    def begin(self) -> None:
        """Let the people act, with every fault in force."""
        core = self.company.world.core
        self.scene.act(self.company)
        make_due(self.company)
        self.mark = core.journal.mark()
        if self.rule is not None:
            core.faults.append(self.rule)
        core.faults += [parse(text) for text in self.scene.given]
        if self.scene.beside is not None:
            core.faults.append(self.scene.beside(self.company))

    def whole(self, wanted: Plain, *, detail: bool, about: About) -> Ran:
        """Run it from the act to the end."""
        assert self.rule is not None
        self.begin()
        silent, reasons, waits = "", (), False
        if self.rule.times is None:
            self.works(self._lasts)
            waits = not self.rests()
            if waits:
                reasons, silent = self.waits(), self._silence(about)
        elif not self.settles():
            waits, reasons = True, self.waits()
            silent = "" if reasons else "nothing says why it waits"
        self._mend()
        settled = self.settles()
        stands, before = standing(self.company.world), wanted.standing
        if self.rule.kind == HALF:
            stands, before = stands.without("versions"), before.without("versions")
        told = self._told()
        ran = Ran(
            struck=self.rule.struck,
            lost=tuple(line for line in before.lines if line not in stands.lines),
            extra=tuple(line for line in stands.lines if line not in before.lines),
            twice=tuple(twice_written(self.company.world.core.journal.since(self.mark))),
            silent=silent,
            reasons=reasons,
            told=told,
            orphans=stands.empty_drafts - wanted.standing.empty_drafts,
            story=self._story() if detail else (),
        )
        if not settled:
            return replace(ran, silent=f"it never came to rest: {self.waits()}")
        if about != "reading" and self.rewritten:
            ran = replace(ran, twice=(*ran.twice, *(f"{name} at a further look" for name in self.rewritten)))
        differs = bool(ran.lost or ran.extra)
        return replace(ran, outcome="fallback" if differs and told else "waits" if waits else "recovers")

    @property
    def _lasts(self) -> timedelta:
        return PASSES if self.rule is not None and self.rule.kind in PASSING else LASTS

    def settles(self) -> bool:
        """Work until all is at rest, let what is late take effect, then look at all from scratch; say whether it rests.

        What Gmail did not show in time (a lost cursor, an old answer) a full pass finds, six hours later at most; the
        look from scratch stands for it. Where the fault was another one it must write nothing.
        """
        if not self.works(SETTLES, until_rest=True):
            return False
        self.company.world.core.settle()
        mark = self.company.world.core.journal.mark()
        self.company.wait(60.0)
        self._forget_what_was_read()
        rests = self.works(SETTLES, until_rest=True, passes=1)
        self.rewritten = tuple(one.operation for one in self.company.world.core.journal.writes(mark))
        return rests

    def _forget_what_was_read(self) -> None:
        with self.company.company.oauth.store.write() as session:
            session.exec(update(Mailbox).values(cursor=None, due_at=self.company.clock.now()))
            session.exec(update(Follow).values(history_id=0))

    def works(self, span: timedelta, *, until_rest: bool = False, passes: int = 0) -> bool:
        """Let the product work for so long, each mailbox when it is due; say whether all is at rest.

        Args:
            span: how long at most.
            until_rest: whether to stop as soon as all is at rest.
            passes: how many passes there must be before it may stop.
        """
        company, clock = self.company, self.company.clock
        end = clock.now() + span
        while True:
            self._insist()
            for box in company.dispatch.tick():
                company.dispatch.done(sync_mailbox(company.bridge, box))
                passes -= 1
            company.dispatch.flush()
            if until_rest and passes <= 0 and self.rests():
                return True
            following = self._next_due()
            if following > end:
                break
            clock.advance(max((following - clock.now()).total_seconds(), 0.001))
        clock.advance(max((end - clock.now()).total_seconds(), 0.0))
        return self.rests()

    def rests(self) -> bool:
        """Say whether nothing waits, for a service or for a person."""
        store = self.company.company.oauth.store
        if self.insisting or not self.company.company.at_rest():
            return False
        with store.read() as session:
            failing = session.exec(select(Mailbox).where(Mailbox.reason != "")).first()
            asked = session.exec(select(Follow).where(Follow.state == FollowState.NEEDS_SOMEBODY)).first()
            ended = session.exec(select(Grant).where(Grant.state == GrantState.NEEDS_CONSENT)).first()
            return failing is None and asked is None and ended is None and threads.count(session) == 0

    def waits(self) -> tuple[str, ...]:
        """Return what ``status`` says of what waits: whose move it is, and why."""
        if self.insisting:
            return (self.refused,)
        with self.company.company.oauth.store.read() as session:
            found = report(session, self.company.clock.now(), subjects=False)
        rows = [f"{row.whose}: {row.what} ({row.reason})" for row in found.waits]
        return tuple(dict.fromkeys([*rows, *(f"trouble: {one.what}" for one in found.troubles)]))

    def _silence(self, about: About) -> str:
        """Say what is not as it must be while a fault lasts, '' where all is."""
        if not self.waits():
            return "nothing says why it waits"
        assert self.rule is not None
        calm = self.company.clock.now() - self._lasts + CALM
        written = [
            one
            for one in self.company.world.core.journal.writes(self.mark)
            if about == "first" and one.at > calm and one.operation != self.rule.operation
        ]
        return f"it goes on writing: {written[0].operation}" if written else ""

    def _mend(self) -> None:
        """Take the cause away, and do what is the person's to do."""
        company = self.company
        company.world.core.faults = [one for one in company.world.core.faults if one is not self.rule]
        company.world.core.settle()
        company.company.connect_again()
        with company.company.oauth.store.write() as session:
            orders.retry(session, orders.failing(session), company.clock.now(), who="test")

    def _insist(self) -> None:
        if not self.insisting:
            return
        assert self.scene.insists is not None
        self.insisting, self.refused = False, ""
        refused = self.scene.insists(self.company)
        self.insisting, self.refused = bool(refused), refused

    def _next_due(self) -> Any:
        store, now = self.company.company.oauth.store, self.company.clock.now()
        with store.read() as session:
            due = session.exec(select(func.min(col(Mailbox.due_at)))).one()
        return min(due, now + INSISTS) if self.insisting else due

    def _told(self) -> tuple[str, ...]:
        with self.company.company.oauth.store.read() as session:
            rows = session.exec(select(Event).where(col(Event.what).in_((*FALLBACKS, RENDERED)))).all()
        told = [f"{row.what}: {row.cause} {row.outcome}" for row in rows if row.what in FALLBACKS]
        left = [json.loads(row.detail)["left_out"] for row in rows if row.what == RENDERED]
        return tuple(told + [f"left out: {one}" for listed in left for one in listed])

    def _story(self) -> tuple[str, ...]:
        return tuple(
            f"{one.at:%d %H:%M:%S} {one.person.partition('@')[0]:4} {one.status or '---'} "
            f"{'write' if one.write else '     '}{' late' if one.late else ''} {one.operation} {one.path[-40:]}"
            for one in self.company.world.core.journal.since(self.mark)
        )
