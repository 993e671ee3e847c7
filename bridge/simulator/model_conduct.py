"""The rules about how it came to stand: whose tokens were used for what, what was readable when, what waits and why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from bridge.simulator.evidence import Refresh, Request, Wait
from bridge.simulator.model_case import BROKE, Case, Violation
from bridge.simulator.model_content import QUESTIONS
from bridge.simulator.model_follows import Follow
from bridge.simulator.model_history import Destination

IN_FORCE = timedelta(seconds=5)
"""A pause is in force after 2 seconds; a request may be under way a little longer."""

TOLD = timedelta(minutes=10)
"""After a consent was taken back, requests that began before may still come in."""

_VAIN = 8
_CROWD = 20
_CROWD_TIME = timedelta(minutes=10)
_LINKS = {"needs consent", "not connected", "consent"}
_BY_ITSELF = {"put off", "queued", "stuck", "service paused", "mailbox not read"}


def put_again(case: Case) -> Iterator[Violation]:
    """The text of a page is put once; what people make of it afterwards is theirs."""
    counts = Counter(one.page for one in case.evidence.requests if one.publishes and one.took_effect)
    for page, count in counts.items():
        if count > 1:
            said = f"the text of page {page} was put {count} times."
            yield case.found("written once", said, _conversations(case).get(page, ""))


def readable(case: Case) -> Iterator[Violation]:
    """Where a route is for its author alone, nobody else can read a page in the moment in which its text comes."""
    seen: set[str] = set()
    for one in case.evidence.requests:
        if not one.publishes or not one.took_effect or one.page in seen:
            continue
        seen.add(one.page)
        kind = "blogpost" if one.operation == "updateBlogPost" else "page"
        place = Destination(one.space, kind, (one.parent or "-") if kind == "page" else "-")
        over = one.at - case.follows.slack(one.at)
        routes = [r for r in case.history.routes if r.destination == place and r.reaches(over, one.at)]
        if routes and all(route.private for route in routes) and one.readers != (one.person,):
            said = f"page {one.page} could be read by {' '.join(one.readers) or 'all'} when its text came."
            yield case.found("restricted before readable", said, _conversations(case).get(one.page, ""))


def foreign_token(case: Case) -> Iterator[Violation]:
    """Whoever's token wrote had the thread in their own mailbox, under a label of a route, at that time."""
    conversations = _conversations(case)
    for one in case.evidence.requests:
        mail = case.history.by_rfc822.get(one.mail)
        conversation = mail.conversation if mail is not None else conversations.get(one.page, "")
        if not one.person or not conversation:
            continue
        follows = [f for f in case.follows.by_conversation.get(conversation, ()) if f.person == one.person]
        if not any(_holds(case, follow, one) for follow in follows):
            said = f"{one.person}'s token was used for {one.operation} on page {one.page} at {one.at:%d %H:%M:%S}."
            yield case.found("own tokens only", said, conversation)
        elif mail is not None and one.person not in mail.threads:
            said = f"{one.person} wrote {mail.name}, which is not in their mailbox."
            yield case.found("own tokens only", said, conversation)


def paused(case: Case) -> Iterator[Violation]:
    """Nothing is written as a person who is paused."""
    for one in case.evidence.requests:
        for span in case.history.paused.get(one.person, ()):
            within = span.start + IN_FORCE < one.at and (span.end is None or one.at < span.end)
            forgotten = any(
                u.copied_at is not None and u.copied_at <= span.start <= u.at <= one.at for u in case.evidence.upsets
            )
            if within and not one.late and not forgotten:
                said = f"{one.operation} as {one.person} at {one.at:%d %H:%M:%S}, who was paused."
                yield case.found("nothing after a pause", said, _conversations(case).get(one.page, ""))


def revoked(case: Case) -> Iterator[Violation]:
    """A token whose person took their consent back is used no more once that was seen."""
    for act in case.history.acts:
        if not act.kind.startswith("lose "):
            continue
        provider = act.kind.removeprefix("lose ")
        spans = case.history.linked[(act.who, provider)]
        start = act.at + TOLD
        end = min((span.start for span in spans if span.start > act.at), default=case.evidence.at)
        used = [
            use
            for use in case.evidence.uses
            if use.person == act.who and use.service == provider and start < use.at < end - timedelta(seconds=60)
        ]
        again = sum(1 for u in case.evidence.upsets if u.kind in BROKE and act.at <= u.at <= end)
        if len(used) > _VAIN * (1 + again):
            said = f"{act.who}'s {provider} token was used {len(used)} times after they took it back."
            yield Violation("nothing after a revocation", said, "", (act.number,))


def refreshed(case: Case) -> Iterator[Violation]:
    """A refresh token is used once; again only where the answer was lost, or whoever waited for it fell."""
    by_token: dict[str, list[Refresh]] = defaultdict(list)
    for one in case.evidence.refreshes:
        by_token[one.token].append(one)
    for listed in by_token.values():
        for first, second in pairwise(listed):
            if first.answered and not case.broke_between(first.at, second.at):
                said = f"{first.person}'s refresh token was used at {first.at:%d %H:%M:%S} and {second.at:%d %H:%M:%S}."
                yield Violation("refreshed once", said)


def drafts(case: Case) -> Iterator[Violation]:
    """A second draft is made only where the answer about the first was lost, or whoever waited for it fell."""
    by_place: dict[tuple[str, str, str, str], list[Request]] = defaultdict(list)
    conversations = _conversations(case)
    published = {one.page for one in case.evidence.requests if one.publishes and one.took_effect}
    for one in case.evidence.requests:
        if one.draft and one.took_effect:
            place = (conversations.get(one.page, ""), one.operation, one.space, one.parent)
            by_place[place].append(one)
    for (conversation, *_), listed in by_place.items():
        for first, second in pairwise(listed):
            excused = (
                not first.answered
                or first.person != second.person
                or first.page in published
                or case.broke_between(first.at, second.at)
            )
            if not excused:
                said = f"{second.person} made draft {second.page} beside {first.page}, whose answer had come."
                yield case.found("drafts only for lost answers", said, conversation)


def waits(case: Case) -> Iterator[Violation]:
    """Once all has settled, what waits has a cause that people made, and nothing waits for time alone."""
    for wait in case.evidence.waits:
        if not _has_cause(case, wait):
            said = f"{wait.address or 'everybody'} {wait.thread}: {wait.reason} ({wait.what})"
            yield case.found("waits with a reason", said, _conversation_of(case, wait))


def quota(case: Case) -> Iterator[Violation]:
    """No request was refused because a quota was used up."""
    if case.evidence.refused:
        yield Violation("no quota exceeded", f"{case.evidence.refused} requests were over a quota.")


def _has_cause(case: Case, wait: Wait) -> bool:
    history, reason = case.history, wait.reason
    if reason in _BY_ITSELF or wait.whose == "time":
        return False
    if reason in _LINKS:
        return not history.is_linked(wait.address)
    if reason == "paused":
        return any(span.end is None for span in history.paused[wait.address])
    mine = [one for one in case.follows.all if (one.person, one.thread) == (wait.address, wait.thread)]
    if reason in QUESTIONS:
        return _is_question(case, wait, mine)
    conversation = _conversation_of(case, wait)
    outside = any(one.route.destination.space == "HR" for one in mine) and wait.address not in history.insiders
    return outside or bool(case.fates(conversation))


def _is_question(case: Case, wait: Wait, mine: list[Follow]) -> bool:
    """Say whether there was something to ask about."""
    if wait.reason == "narrow reply":
        mails = case.history.of_thread(wait.address, wait.thread)
        return any(case.follows.narrow(wait.address, mail) != "no" for mail in mails)
    if wait.reason == "backlog":
        first = [case.history.linked[(wait.address, provider)] for provider in ("google", "atlassian")]
        linked = max((spans[0].start for spans in first if spans), default=case.evidence.at)
        restored = any(u.kind == "restore" for u in case.evidence.upsets)
        return restored or any(one.start <= linked + case.follows.slack(linked) for one in mine)
    if wait.reason == "brake":
        times = sorted(one.start for one in case.follows.all if one.person == wait.address)
        restored = any(u.kind == "restore" for u in case.evidence.upsets)
        many = any(b - a <= _CROWD_TIME for a, b in zip(times, times[_CROWD:], strict=False))
        return restored or many
    return False


def _holds(case: Case, follow: Follow, one: Request) -> bool:
    """Say whether a follow stood when a request came in, or was taken back so lately that it may still count."""
    return follow.start <= one.at and (follow.end is None or one.at <= follow.end + case.follows.slack(follow.end))


def _conversations(case: Case) -> dict[str, str]:
    """Return by page which conversation it was made for; the pages that mail goes on as comments are for many."""
    found: dict[str, str] = {}
    for one in case.evidence.requests:
        words = sorted(one.words)
        mails = case.of_word(words[0]) if words else []
        if one.page and one.page not in case.history.desks and mails:
            found.setdefault(one.page, mails[0].conversation)
    return found


def _conversation_of(case: Case, wait: Wait) -> str:
    mails = case.history.of_thread(wait.address, wait.thread)
    return mails[0].conversation if mails else ""
