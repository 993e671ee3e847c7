"""One case for the model to judge: a history and the evidence, with what both say of each page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from bridge.simulator.acts import Act
from bridge.simulator.evidence import Evidence, StandingComment, StandingPage
from bridge.simulator.model_follows import Follow, Follows, fits, open_to
from bridge.simulator.model_history import History, Mail

TAKEN_AWAY = frozenset({"trash a page", "purge a page", "archive a page", "restrict a page"})
"""What people do to a page after which nobody may write to it, or not everybody."""

BROKE = frozenset({"kill", "reboot", "restore", "stop", "sleep"})
"""What may make the bridge forget an answer that had come, or not be there to take it."""

_SOON = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that does not hold, what is wrong in a sentence, in which conversation, and the acts that are in it."""

    rule: str
    sentence: str
    conversation: str = ""
    acts: tuple[int, ...] = ()

    def __str__(self) -> str:
        """Return it as one line."""
        where = f" ({self.conversation})" if self.conversation else ""
        acts = f" Acts {', '.join(map(str, self.acts))}." if self.acts else ""
        return f"{self.rule}: {self.sentence}{where}{acts}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A mail as it stands: as the text of a page, or as a comment on one."""

    mail: Mail
    page: StandingPage
    comment: StandingComment | None = None

    @property
    def author(self) -> str:
        """Who wrote it."""
        return self.comment.author if self.comment else self.page.versions[0].author


class Case:
    """A history and the evidence."""

    def __init__(self, acts: Sequence[Act], evidence: Evidence) -> None:
        self.history = History(acts)
        self.evidence = evidence
        self.follows = Follows(self.history, evidence.upsets)

    @cached_property
    def entries(self) -> list[Entry]:
        """Every mail that stands, as often as it stands; unpublished drafts do not count."""
        found, known = [], self.history.by_rfc822
        for page in self.evidence.pages:
            if page.mail in known and page.status != "draft":
                found.append(Entry(known[page.mail], page))
            found += [Entry(known[one.mail], page, one) for one in page.comments if one.mail in known]
        return found

    @cached_property
    def entries_of(self) -> dict[str, list[Entry]]:
        """Every mail that stands, by the mail's name."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.mail.name, []).append(entry)
        return found

    @cached_property
    def page_of(self) -> dict[str, StandingPage]:
        """The pages that stand, by id."""
        return {page.id: page for page in self.evidence.pages}

    def of_word(self, word: str) -> list[Mail]:
        """Return the mails that a word may come from: one for a word of a text, the conversation's for a subject's."""
        text = self.history.by_word.get(word)
        if text is not None:
            return [text]
        first = self.history.by_word.get(word.replace("ks", "kw", 1))
        return self.history.of_conversation(first.conversation) if first is not None else []

    def acts_of(self, conversation: str, person: str = "") -> tuple[int, ...]:
        """Return the numbers of the acts that a conversation's fate hangs on."""
        acts = [a for a in self.history.acts if a.conversation == conversation and person in ("", a.who)]
        return tuple(act.number for act in acts)

    def found(self, rule: str, sentence: str, conversation: str = "", person: str = "") -> Violation:
        """Return a violation with the acts of its conversation."""
        return Violation(rule, sentence, conversation, self.acts_of(conversation, person) if conversation else ())

    def pages_of(self, conversation: str) -> Iterator[StandingPage]:
        """Yield the pages on which mails of a conversation stand."""
        seen: set[str] = set()
        for entry in self.entries:
            if entry.mail.conversation == conversation and entry.page.id not in seen:
                seen.add(entry.page.id)
                yield entry.page

    def fates(self, conversation: str) -> list[Act]:
        """Return what people did to a conversation's pages that kept somebody from writing there, in order."""
        kinds = TAKEN_AWAY | {"delete a comment"}
        return [act for act in self.history.acts if act.conversation == conversation and act.kind in kinds]

    def may_write(self, follow: Follow, page: StandingPage) -> bool:
        """Say whether somebody can see a page now, and what they add to it appears."""
        return page.status == "current" and (not page.readers or follow.person in page.readers)

    def waits_for(self, follow: Follow, reasons: Iterable[str] = ()) -> bool:
        """Say whether ``status`` has a row for somebody's thread, or for all of theirs, with one of some reasons."""
        wanted = set(reasons)
        return any(
            wait.address == follow.person
            and wait.thread in ("", follow.thread)
            and (not wanted or wait.reason in wanted)
            for wait in self.evidence.waits
        )

    def stands_for(self, follow: Follow, mail: Mail) -> bool:
        """Say whether a mail stands somewhere that counts for somebody's follow."""
        routes = [one.route for one in self.follows.by_conversation[mail.conversation] if one.person == follow.person]
        return any(
            open_to(follow, entry.page) and any(fits(entry.page, route.destination) for route in routes)
            for entry in self.entries_of.get(mail.name, ())
        )

    def stood(self, mail: Mail) -> bool:
        """Say whether a mail was published at some time, wherever that is now."""
        return any(one.took_effect and one.mail == mail.rfc822 for one in self.evidence.requests)

    def restored_after(self, instant: datetime) -> bool:
        """Say whether the database was put back, after an instant, to what it was before."""
        return self.follows.restored(instant)

    def broke_between(self, start: datetime, end: datetime) -> bool:
        """Say whether whoever sent something may have fallen, or been away, before the next was sent."""
        return any(
            u.kind in BROKE and u.at <= end and u.at + timedelta(seconds=u.seconds) >= start - timedelta(seconds=5)
            for u in self.evidence.upsets
        )

    def unsure(self, mail: Mail, page: str, until: datetime) -> bool:
        """Say whether the bridge may not have known at an instant that a mail stood on a page.

        The answer was lost, or the database was put back to what it was before.
        """
        sent = [
            one
            for one in self.evidence.requests
            if one.took_effect and (one.mail, one.page) == (mail.rfc822, page) and one.at <= until
        ]
        return any(
            not one.answered or self.broke_between(one.at, min(until, one.at + _SOON)) or self.restored_after(one.at)
            for one in sent
        )
