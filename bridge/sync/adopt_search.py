"""Searches a place in Confluence for what is ours, by markers, after the database had lost sight of it.

There is no search by property, and Confluence's text search lags and leaves out the archive, so a place is listed: what
was changed last first, back to where the database's knowledge ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from bridge.confluence import Comment, Confluence, Content
from bridge.confluence import Kind as ContainerKind
from bridge.errors import NotFound
from bridge.render import find_origins
from bridge.store import epoch, grants, marks
from bridge.store.epoch import SETTLES, Epoch
from bridge.store.tables import Mark, Search
from bridge.sync.context import Bridge
from bridge.sync.gap import SLACK
from bridge.sync.writes.origin_property import PROPERTY
from bridge.sync.writes.perform import NotYet

_WRITE_KEY = re.compile(r"\[[0-9a-f]{8}\]$")
_BATCH = 50
_SIGNS = 2


@dataclass(frozen=True, slots=True)
class Ground:
    """Where publications of one kind stand: a space, or for comments the page (``container``) that they stand on."""

    cloud_id: str
    space_id: str
    kind: str
    container: str = ""


@dataclass(frozen=True, slots=True)
class Searcher:
    """Searches as one person.

    Args:
        bridge: the store and the clock.
        client: of the person.
        account_id: whose it is.
        known: the epoch; nothing older than its gap is looked at.
    """

    bridge: Bridge
    client: Confluence
    account_id: int
    known: Epoch

    def once(self, ground: Ground, found: Callable[[], Iterator[Mark]] | None = None) -> None:
        """Search a place unless this person did so in this epoch.

        Args:
            ground: the place.
            found: searches it, where it is not a whole space or the comments on a page of somebody else's.

        Raises:
            NotYet: a request from before the epoch may still take effect.
            errors.RemoteError: Confluence could not be asked.
        """
        if self.has_searched(ground):
            return
        entered, now = self.known.entered, self.bridge.clock.now()
        if entered is not None and entered <= now < entered + SETTLES:
            raise NotYet(entered + SETTLES)
        self.search(ground, found)

    def has_searched(self, ground: Ground) -> bool:
        """Say whether this person searched a place in this epoch."""
        with self.bridge.store.read() as session:
            return marks.searched(session, self._row(ground))

    def search(self, ground: Ground, found: Callable[[], Iterator[Mark]] | None = None) -> int:
        """Search a place as ``once`` does, in any case; return how many marks are new.

        Raises:
            errors.RemoteError: Confluence could not be asked; what was found until then is kept.
        """
        new, batch = 0, list[Mark]()
        for mark in found() if found is not None else self._found(ground):
            batch.append(mark)
            if len(batch) >= _BATCH:
                new += self._keep(batch)
                batch = []
        new += self._keep(batch)
        with self.bridge.store.write() as session:
            marks.save_search(session, self._row(ground), self.bridge.clock.now())
        return new

    def mark_of(self, content: Content, cloud_id: str) -> Mark | None:
        """Return the mark of a page or post that is ours, None where it is somebody else's.

        It is ours where two of three signs agree: the marker in its text, the property with the same marker, and the
        write key in the message of its first version. A person's copy of our page has no such message.

        Raises:
            errors.RemoteError: Confluence could not be asked.
        """
        origins = find_origins(content.storage)
        by_us = self._by_one_of_us(content.author_id)
        if not origins and not (by_us and content.version.number > 1):
            return None
        named = self._property(content)
        entry = named.get("entry", "")
        key = entry if entry in origins else next(iter(origins), entry)
        signed = self._signed(content)
        signs = (key in origins) + (key == entry) + signed
        if not key or signs < _SIGNS or not (signed or by_us):
            return None
        return Mark(
            cloud_id=cloud_id,
            space_id=content.space_id,
            kind=content.kind,
            content_id=content.id,
            page_id=content.id,
            parent_id=content.parent_id,
            key=key,
            mail=marks.mail_digest(origins.get(key, "")),
            uid=named.get("publication", ""),
            author=content.author_id,
            status=content.status,
            title=content.title,
            url=content.url,
            epoch=self.known.id,
        )

    def _row(self, ground: Ground) -> Search:
        return Search(
            epoch=self.known.id,
            cloud_id=ground.cloud_id,
            space_id=ground.space_id,
            kind=ground.kind,
            container=ground.container,
            account_id=self.account_id,
            done_at=self.bridge.clock.now(),
        )

    def _keep(self, batch: list[Mark]) -> int:
        if not batch:
            return 0
        with self.bridge.store.write() as session:
            return marks.save(session, batch)

    def _found(self, ground: Ground) -> Iterator[Mark]:
        if ground.kind == "comment":
            yield from self._comments(ground)
            return
        kind: ContainerKind = "blogpost" if ground.kind == "blogpost" else "page"
        for content in self.client.newest(kind, ground.space_id):
            if self._too_old(content.version.created_at):
                return
            if self._seen(ground.cloud_id, content.id):
                continue
            mark = self.mark_of(content, ground.cloud_id)
            if mark is not None:
                with suppress(NotFound):
                    yield from self.below(mark)
                yield mark  # last: it says that what stands on it was read

    def below(self, page: Mark) -> Iterator[Mark]:
        """Yield the marks of the comments on a page or post of ours, or of the replies to a comment of ours.

        Raises:
            NotFound: it is gone, or shows no comments as it is in the bin.
            errors.RemoteError: Confluence could not be asked.
        """
        if page.kind == "comment":
            yield from self._listed(page, self.client.replies(page.content_id), {page.key}, page.content_id)
            return
        kind: ContainerKind = "blogpost" if page.kind == "blogpost" else "page"
        yield from self._listed(page, self.client.comments(kind, page.content_id), {page.key})

    def _comments(self, ground: Ground) -> Iterator[Mark]:
        """Yield the marks of the comments on a page of somebody else's, and of the replies to them."""
        page = Mark(
            cloud_id=ground.cloud_id,
            space_id=ground.space_id,
            kind="page",
            content_id=ground.container,
            page_id=ground.container,
            key="",
        )
        for root in self._listed(page, self.client.comments("page", ground.container), set()):
            if self._by_one_of_us(root.author):
                yield from self.below(root)
                yield root

    def _listed(self, page: Mark, comments: Iterable[Comment], known: set[str], parent_id: str = "") -> Iterator[Mark]:
        for comment in comments:
            if self._too_old(comment.version.created_at):
                return
            for key, message_id in find_origins(comment.storage).items():
                if key not in known:
                    yield Mark(
                        cloud_id=page.cloud_id,
                        space_id=page.space_id,
                        kind="comment",
                        content_id=comment.id,
                        page_id=page.page_id,
                        parent_id=parent_id,
                        key=key,
                        mail=marks.mail_digest(message_id),
                        author=comment.author_id,
                        status=comment.status,
                        url=comment.url,
                        epoch=self.known.id,
                    )
                break

    def _too_old(self, changed: datetime | None) -> bool:
        since = self.known.since
        return since is not None and changed is not None and changed < since - SLACK

    def _seen(self, cloud_id: str, content_id: str) -> bool:
        """Say whether another person's search in this epoch has read a page already."""
        with self.bridge.store.read() as session:
            mark = marks.of_content(session, cloud_id, content_id)
        return mark is not None and mark.epoch == self.known.id

    def _by_one_of_us(self, author: str) -> bool:
        with self.bridge.store.read() as session:
            return grants.by_subject(session, "atlassian", author) is not None

    def _property(self, content: Content) -> dict[str, str]:
        with suppress(NotFound):
            standing = self.client.property(content.kind, content.id, PROPERTY)
            if standing is not None and isinstance(standing.value, dict):
                return {str(name): str(value) for name, value in standing.value.items()}
        return {}

    def _signed(self, content: Content) -> bool:
        """Say whether the message of the first version ends with a write key."""
        messages = [content.version.message]
        if content.version.number > 1:
            with suppress(NotFound):
                messages = [v.message for v in self.client.versions(content.kind, content.id) if v.number == 1]
        return any(_WRITE_KEY.search(message) for message in messages)


def epoch_of(bridge: Bridge) -> Epoch:
    """Return the epoch that the database is in."""
    with bridge.store.read() as session:
        return epoch.current(session)
