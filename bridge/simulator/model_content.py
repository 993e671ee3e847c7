"""The rules about what stands: nothing lost, nothing twice, in order, no leak, nothing of people's gone."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from bridge.simulator.evidence import StandingPage
from bridge.simulator.model_case import Case, Entry, Violation
from bridge.simulator.model_follows import Follow, fits, open_to
from bridge.simulator.model_history import Mail

QUESTIONS = frozenset({"backlog", "brake", "narrow reply", "blind copy"})
_EMPTY = hashlib.sha256(b"").hexdigest()
_DOES_NOT_TAKE = frozenset({400, 413})
_EDITS = frozenset({"edit a page", "rename a page"})


def lost(case: Case) -> Iterator[Violation]:
    """Every visible mail of a labelled thread whose person is connected stands, or people are in its way and told."""
    for follow, mail in case.follows.owed():
        if case.stands_for(follow, mail) or case.waits_for(follow, QUESTIONS):
            continue
        if _people_in_the_way(case, follow, mail):
            if not case.waits_for(follow) and not case.stood(mail) and not _deleted(case, mail):
                said = f"{mail.name} cannot be published for {follow.person}, and status does not say so."
                yield case.found("nothing lost", said, mail.conversation)
            continue
        said = f"{mail.name} stands nowhere, though {follow.person} has its thread under {follow.route.name}."
        yield case.found("nothing lost", said, mail.conversation)


def silent(case: Case) -> Iterator[Violation]:
    """What is owed stands, or is on its way and status shows it: this holds long before all has settled."""
    for follow, mail in case.follows.owed():
        stands = case.stands_for(follow, mail) or _people_in_the_way(case, follow, mail)
        if not stands and not case.waits_for(follow):
            said = f"{mail.name} stands nowhere, and status does not say that {follow.person} waits for it."
            yield case.found("nobody waits in silence", said, mail.conversation)


def twice(case: Case) -> Iterator[Violation]:
    """No mail stands twice on a page, nor on two pages at one destination for the same readers.

    Save as a comment on a page of people's, where somebody asked for it anew.
    """
    for listed in case.entries_of.values():
        mail = listed[0].mail
        seen: dict[str, int] = defaultdict(int)
        for entry in listed:
            seen[entry.page.id] += 1
        anew = any(a.kind == "publish anew" for a in case.history.acts if a.conversation == mail.conversation)
        for page_id, count in seen.items():
            if count > 1 and not (anew and page_id in case.history.desks):
                said = f"{mail.name} stands {count} times on page {page_id}."
                yield case.found("nothing twice", said, mail.conversation)
        pages = [case.page_of[page_id] for page_id in seen]
        for number, page in enumerate(pages):
            for other in pages[:number]:
                if _are_one_place(page, other) and not _parted(case, mail, page, other):
                    said = f"{mail.name} stands on pages {other.id} and {page.id}, at one place."
                    yield case.found("nothing twice", said, mail.conversation)


def out_of_order(case: Case) -> Iterator[Violation]:
    """Comments stand in the order of their mails' dates; what was held, hidden or elsewhere at first comes last."""
    for page in case.evidence.pages:
        together: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        for entry in case.entries:
            if entry.page is page and entry.comment is not None:
                root = (entry.comment.parent or entry.comment.id) if page.id in case.history.desks else ""
                together[(entry.mail.conversation, root)].append(entry)
        for listed in together.values():
            listed.sort(key=_at)
            for number, entry in enumerate(listed):
                late = [one for one in listed[:number] if one.mail.at > entry.mail.at]
                if late and not _may_be_late(case, entry.mail):
                    said = f"{entry.mail.name} stands behind {late[0].mail.name} on page {page.id}."
                    yield case.found("order kept", said, entry.mail.conversation)


def leaked(case: Case) -> Iterator[Violation]:
    """No word of a mail stands where no label that it was under leads, nor before its person released it."""
    for page in case.evidence.pages:
        for word in sorted(page.words):
            yield from _leak(case, page, word, page.author)
        for comment in page.comments:
            for word in sorted(comment.words):
                yield from _leak(case, page, word, comment.author)
        for file in page.files:
            for mail in case.history.mails.values():
                digests = {one.partition(":")[2] for one in mail.files}
                if any(v.digest in digests for v in file.versions) and not _allowed(case, page, [mail], ""):
                    said = f'file "{file.name}" of {mail.name} is on page {page.id}, where it must not be.'
                    yield case.found("nothing unlabelled or held published", said, mail.conversation)


def files(case: Case) -> Iterator[Violation]:
    """Each file of a mail that stands is on its page once; it is missing only where a service refused one."""
    refused = {one.page for one in case.evidence.requests if one.status in _DOES_NOT_TAKE}
    for entry in case.entries:
        for one in entry.mail.files:
            name, _, digest = one.partition(":")
            count = sum(digest in {version.digest for version in file.versions} for file in entry.page.files)
            excused = entry.page.id in refused or entry.author in case.evidence.unread
            if count > 1 or (count == 0 and not excused):
                said = f'file "{name}" of {entry.mail.name} is on page {entry.page.id} {count} times.'
                yield case.found("each file once", said, entry.mail.conversation)


def revived(case: Case) -> Iterator[Violation]:
    """A comment of ours that people deleted does not come again, if the bridge could know that it stood."""
    for act in case.history.acts:
        if act.kind != "delete a comment" or case.restored_after(act.at):
            continue
        page = case.page_of.get(act.details["page"])
        for comment in page.comments if page else ():
            mail = case.history.by_rfc822.get(comment.mail)
            again = mail is not None and mail.name in act.details["mails"].split() and comment.at > act.at
            if mail is not None and again and not case.unsure(mail, page.id if page else "", act.at):
                said = f"{mail.name} came again on page {act.details['page']}, where people had deleted it."
                yield case.found("deleted stays deleted", said, mail.conversation)


def overwritten(case: Case) -> Iterator[Violation]:
    """What people made of a page or said on it is there as they left it."""
    for page in case.evidence.pages:
        for act in case.history.on_pages.get(page.id, ()):
            if act.kind in _EDITS:
                wanted = (int(act.details["version"]), act.who, act.details["digest"])
                if wanted not in {(v.number, v.author, v.digest) for v in page.versions}:
                    said = f"version {wanted[0]} of page {page.id}, by {act.who}, is not as it was left."
                    yield case.found("people's edits stand", said, act.conversation)
            if act.kind == "comment" and not _below_deleted(case, act.details["comment"]):
                digests = {comment.digest for comment in page.comments if comment.id == act.details["comment"]}
                if digests != {act.details["digest"]}:
                    said = f"the comment {act.details['comment']} by {act.who} is not as it was left."
                    yield case.found("people's edits stand", said, act.conversation)


def replaced(case: Case) -> Iterator[Violation]:
    """The bytes that people uploaded are there as a version of theirs; nothing else was put on top of a file.

    Save on what is empty: that is what is left of an upload that broke off.
    """
    for page in case.evidence.pages:
        by_hand = [act for act in case.history.on_pages.get(page.id, ()) if act.kind == "upload"]
        for act in by_hand:
            standing = [v for file in page.files if file.name == act.details["name"] for v in file.versions]
            if not any((v.author, v.digest) == (act.who, act.details["digest"]) for v in standing):
                said = f'"{act.details["name"]}" that {act.who} uploaded to page {page.id} is not there.'
                yield case.found("people's files stand", said, act.conversation)
        digests = {act.details["digest"] for act in by_hand}
        for file in page.files:
            covered = file.versions[1:] if file.versions[0].digest != _EMPTY else file.versions[2:]
            if any(version.digest not in digests for version in covered):
                said = f'a version was put on top of "{file.name}" on page {page.id}.'
                yield case.found("people's files stand", said, _conversation(case, page))


def _people_in_the_way(case: Case, follow: Follow, mail: Mail) -> bool:
    """Say whether people keep a mail from standing: they took its page away, or may not write where it belongs."""
    if _deleted(case, mail):
        return True
    if follow.route.destination.space == "HR" and follow.person not in case.history.insiders:
        return True
    place = follow.route.destination
    pages = [page for page in case.pages_of(mail.conversation) if fits(page, place) and open_to(follow, page)]
    if any(not case.may_write(follow, page) for page in pages):
        return True
    gone = [act for act in case.fates(mail.conversation) if act.kind in ("trash a page", "purge a page")]
    return any(act.details["page"] not in case.page_of for act in gone)


def _deleted(case: Case, mail: Mail) -> bool:
    """Say whether people deleted the comment that a mail was, or the one below which it would stand."""
    return any(act.kind == "delete a comment" for act in case.fates(mail.conversation)) and any(
        mail.name in act.details["mails"].split() or act.details["page"] in case.history.desks
        for act in case.fates(mail.conversation)
        if act.kind == "delete a comment"
    )


def _are_one_place(page: StandingPage, other: StandingPage) -> bool:
    """Say whether two pages were made at one destination for the same readers."""
    where = (page.space, page.kind, page.parent, page.private, page.author if page.private else "")
    return bool(page.space) and where == (
        other.space,
        other.kind,
        other.parent,
        other.private,
        other.author if other.private else "",
    )


def _parted(case: Case, mail: Mail, page: StandingPage, other: StandingPage) -> bool:
    """Say whether there may be two: the author of one was not shown the other, or people took one away."""
    taken = {act.details["page"] for act in case.fates(mail.conversation)}
    told = {(page.author, other.id), (other.author, page.id)} & case.evidence.unseen
    return page.id in taken or other.id in taken or bool(told)


def _may_be_late(case: Case, mail: Mail) -> bool:
    """Say whether something kept a mail from being seen or published in its turn."""
    follows = case.follows.by_conversation.get(mail.conversation, ())
    return any(
        mail.threads.get(one.person) != one.thread
        or case.history.was_hidden(one.person, mail)
        or case.follows.narrow(one.person, mail) != "no"
        for one in follows
    )


def _leak(case: Case, page: StandingPage, word: str, author: str) -> Iterator[Violation]:
    mails = case.of_word(word)
    if mails and not _allowed(case, page, mails, author):
        said = f"{word} of {mails[0].name} stands on page {page.id} by {author}, where it must not."
        yield case.found("nothing unlabelled or held published", said, mails[0].conversation)


def _allowed(case: Case, page: StandingPage, mails: list[Mail], author: str) -> bool:
    """Say whether a follow leads one of some mails to a page; ``author`` is whose it must be, '' for anybody's."""
    return any(
        fits(page, follow.route.destination) and author in ("", follow.person)
        for mail in mails
        for follow in case.follows.of(mail)
    )


def _below_deleted(case: Case, comment: str) -> bool:
    """Say whether a comment went with one above it that people deleted."""
    return any(
        act.kind == "delete a comment" and comment in act.details["comments"].split() for act in case.history.acts
    )


def _conversation(case: Case, page: StandingPage) -> str:
    mail = case.history.by_rfc822.get(page.mail)
    return mail.conversation if mail is not None else ""


def _at(entry: Entry) -> datetime:
    assert entry.comment is not None
    return entry.comment.at
