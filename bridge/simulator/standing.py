"""What stands in both sandboxes at the end, and who asked for what on the way there; read from the sandboxes alone.

Of the product only what a person sees is here: the rows of ``mailbridge status``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote

from bridge.sandbox.confluence_state import Comment, Page, Wiki
from bridge.sandbox.journal import Journal, Seen
from bridge.sandbox.world import World
from bridge.simulator.evidence import (
    Evidence,
    Refresh,
    Request,
    StandingComment,
    StandingFile,
    StandingPage,
    Upset,
    Use,
    Version,
    Wait,
)

WORD = re.compile(r"\bk[ws]\d{4}[a-z]{5}\b")
"""The words by which mails and their subjects are known."""

_ORIGIN = re.compile(r"mail\.google\.com/mail/\?mailbridge=([^#\"&<]+)#search/rfc822msgid%3A([^\"'<\s]+)")
_CONTENT = re.compile(r"/(?:pages|blogposts|content)/(\d+)")


class Row(Protocol):
    """A row of the product's report; ``bridge.daemon.waiting.Waiting`` fits."""

    @property
    def address(self) -> str:
        """Whose it is."""
        ...

    @property
    def thread_id(self) -> str:
        """Which thread, '' for all of the address."""
        ...

    @property
    def whose(self) -> str:
        """Whose move it is."""
        ...

    @property
    def reason(self) -> str:
        """Why, as a word."""
        ...

    @property
    def what(self) -> str:
        """Why, in words for people."""
        ...


@dataclass
class _Made:
    """Where a page was made, and who alone could see it when it was published."""

    space: str
    parent: str
    private: bool = False


class Witness(Journal):
    """A journal that looks at what stands in the moment in which a request took effect."""

    def __init__(self, wiki: Wiki, keep_bytes: int = 1 << 20) -> None:
        super().__init__(keep_bytes)
        self.requests: list[Request] = []
        self.uses: list[Use] = []
        self.refreshes: list[Refresh] = []
        self.unseen: set[tuple[str, str]] = set()
        self.unread: set[str] = set()
        self.made: dict[str, _Made] = {}
        self._wiki = wiki

    def add(self, seen: Seen) -> None:
        """Write one down."""
        super().add(seen)
        if seen.person and not seen.late:
            self.uses.append(Use(seen.at, seen.person, seen.service, seen.status))
        if seen.service == "atlassian" and seen.method != "GET" and "/wiki/" in seen.path:
            self.requests.append(self._request(seen))
        elif seen.operation == "atlassian.oauth.token":
            self._refresh(seen)
        elif seen.status in (403, 404) and (named := _CONTENT.search(seen.path)):
            self.unseen.add((seen.person, named[1]))
        elif seen.operation == "gmail.users.messages.attachments.get" and 400 <= seen.status < 500:
            self.unread.add(seen.person)

    def _refresh(self, seen: Seen) -> None:
        """Keep a refresh; the exchange of a code is none."""
        form = parse_qs(seen.request_body.decode("utf-8", "replace"))
        for token in form.get("refresh_token", ()):
            exchanged = seen.status == 200 and _is_answer(seen)  # a refusal leaves the token as it was
            self.refreshes.append(Refresh(seen.at, seen.person, digest(token), exchanged))

    def _request(self, seen: Seen) -> Request:
        sent, text = _sent(seen)
        page = self._page(seen, sent)
        making = seen.operation in ("createPage", "createBlogPost")
        if making and seen.write and page is not None:
            self.made[page.id] = self._where(sent, page)
        publishes = seen.operation in ("updatePage", "updateBlogPost")
        readers = tuple(_addresses(self._wiki, page.read.users)) if page is not None else ()
        if publishes and seen.write and page is not None and page.id in self.made:
            self.made[page.id].private = readers == (_address(self._wiki, page.author),)
        found, made = _ORIGIN.search(text), self.made.get(page.id) if page is not None else None
        return Request(
            at=seen.at,
            person=seen.person,
            operation=seen.operation,
            page=page.id if page is not None else "",
            took_effect=seen.write,
            answered=_is_answer(seen),
            status=seen.status,
            mail=unquote(found[2]) if found else "",
            words=frozenset(WORD.findall(text)),
            readers=readers,
            publishes=publishes,
            draft=making,
            late=seen.late,
            space=made.space if made else "",
            parent=made.parent if made else "",
        )

    def _page(self, seen: Seen, sent: Mapping[str, Any]) -> Page | None:
        """Return the page that a request was about, as it stands now."""
        content = self._wiki.content
        if seen.operation in ("createPage", "createBlogPost"):
            return content[next(reversed(content))] if seen.write else None
        named = _CONTENT.search(seen.path)
        if named:
            return content.get(named[1])
        container = sent.get("pageId") or sent.get("blogPostId")
        parent = self._wiki.comments.get(str(sent.get("parentCommentId", "")))
        return content.get(str(container or (parent.page if parent else "")))

    def _where(self, sent: Mapping[str, Any], page: Page) -> _Made:
        space = self._wiki.spaces[str(sent["spaceId"])]
        return _Made(space.key, str(sent.get("parentId") or ""))


def watch(world: World) -> Witness:
    """Have a witness write down whatever is asked of a company's services from now on."""
    witness = Witness(world.atlassian.wiki, world.core.journal.keep_bytes)
    world.core.journal = witness
    return witness


def collect(world: World, rows: Iterable[Row], upsets: Iterable[Upset]) -> Evidence:
    """Return what stands, and what a witness saw.

    Args:
        world: whose journal is a ``Witness``.
        rows: what ``mailbridge status`` tells of all that waits.
        upsets: what befell the bridge's computer.
    """
    witness, wiki = world.core.journal, world.atlassian.wiki
    assert isinstance(witness, Witness)
    return Evidence(
        at=world.core.clock.now(),
        pages=tuple(_standing(wiki, page, witness.made.get(page.id)) for page in wiki.content.values()),
        requests=tuple(witness.requests),
        uses=tuple(witness.uses),
        refreshes=tuple(witness.refreshes),
        unseen=frozenset(witness.unseen),
        unread=frozenset(witness.unread),
        waits=tuple(Wait(row.address, row.thread_id, row.whose, row.reason, row.what) for row in rows),
        upsets=tuple(upsets),
        refused=world.google.api.quota.refused + world.atlassian.meter.refused,
    )


def _standing(wiki: Wiki, page: Page, made: _Made | None) -> StandingPage:
    versions = [*page.versions, *([page.draft] if page.draft else [])]
    text = " ".join(f"{version.title} {version.body}" for version in versions)
    found = _ORIGIN.search(page.versions[0].body) if page.versions else None
    return StandingPage(
        id=page.id,
        kind=page.kind,
        status=page.status,
        author=_address(wiki, page.author),
        space=made.space if made else "",
        parent=made.parent if made else "",
        private=made is not None and made.private,
        mail=unquote(found[2]) if found else "",
        words=frozenset(WORD.findall(text)),
        readers=tuple(_addresses(wiki, page.read.users)),
        versions=tuple(Version(one.number, _address(wiki, one.author), digest(one.body)) for one in page.versions),
        comments=tuple(_comment(wiki, comment) for comment in wiki.comments_on(page.id)),
        files=tuple(
            StandingFile(
                file.name, tuple(Version(one.number, _address(wiki, one.author), one.sha256) for one in file.versions)
            )
            for file in wiki.files_on(page.id)
        ),
    )


def _comment(wiki: Wiki, comment: Comment) -> StandingComment:
    found = _ORIGIN.search(comment.body)
    return StandingComment(
        id=comment.id,
        at=comment.created_at,
        author=_address(wiki, comment.author),
        parent=comment.parent,
        mail=unquote(found[2]) if found else "",
        key=found[1] if found else "",
        words=frozenset(WORD.findall(" ".join(version.body for version in comment.versions))),
        digest=digest(comment.body),
    )


def digest(body: str) -> str:
    """Return what a body is compared by."""
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def _sent(seen: Seen) -> tuple[Mapping[str, Any], str]:
    """Return a request's JSON object ({} where it is none) and all of its text."""
    text = seen.request_body.decode("utf-8", "replace")
    try:
        sent = json.loads(text)
    except ValueError:
        return {}, text
    if not isinstance(sent, dict):
        return {}, text
    return sent, f"{sent.get('title', '')} {_value(sent.get('body'))}"


def _is_answer(seen: Seen) -> bool:
    """Say whether an answer tells what came of a request: a refusal, or a whole JSON object."""
    if seen.late or seen.status == 0 or seen.status >= 500:
        return False
    if seen.status >= 400 or seen.status == 204:
        return True
    try:
        return isinstance(json.loads(seen.response_body), dict)
    except ValueError:
        return False


def _value(body: object) -> str:
    """Return the storage text of a body, whichever of its two shapes it has."""
    if not isinstance(body, dict):
        return ""
    inner = body.get("storage", body)
    return str(inner.get("value", "")) if isinstance(inner, dict) else ""


def _address(wiki: Wiki, account_id: str) -> str:
    person = wiki.person_by_account(account_id)
    return person.address if person is not None else ""


def _addresses(wiki: Wiki, account_ids: Iterable[str]) -> list[str]:
    return [_address(wiki, account_id) for account_id in account_ids]
