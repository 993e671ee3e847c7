"""Takes what stands in Confluence for what it is: our own, although the database has lost sight of it.

After the database was put back from a copy, or lost, the planner and the publisher ask here before they make anything
that may have been made already. What is found becomes rows as if they had never been lost: published, done, owned.
Everything here is asked for one thread at a time, when its turn comes; a place is searched once an epoch and person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from sqlmodel import Session

from bridge.confluence import Confluence
from bridge.confluence import Kind as ContainerKind
from bridge.errors import NotFound
from bridge.model import Thread
from bridge.store import epoch, grants, mailboxes, marks, publications, spaces
from bridge.store.epoch import Epoch
from bridge.store.marks import mail_digest
from bridge.store.tables import (
    Entry,
    EntryState,
    Mailbox,
    Mark,
    Publication,
    PublicationState,
)
from bridge.sync.adopt_rows import Rows
from bridge.sync.adopt_search import Ground, Searcher
from bridge.sync.context import Bridge
from bridge.sync.gap import SLACK
from bridge.sync.keys import entry_key, publication_uid
from bridge.sync.situation import Place

_ROUNDS = 5


def adopted(
    bridge: Bridge, client: Confluence, account_id: int, thread: Thread, place: Place, audience: str, route: str
) -> Publication | None:
    """Return the publication of a thread that stands at a place unknown to the tables; see ``Adopter.new_at``."""
    with bridge.store.read() as session:
        box = mailboxes.by_account(session, account_id) if epoch.current(session).gap else None
    return Adopter(bridge, box, client, thread).new_at(place, audience, route) if box is not None else None


@dataclass(frozen=True, slots=True)
class Adopter:
    """Adopts for one mailbox's thread, as its person."""

    bridge: Bridge
    box: Mailbox
    client: Confluence
    thread: Thread

    def new_at(self, place: Place, audience: str, route: str) -> Publication | None:
        """Look for the publication of a thread at a place where the tables know of none; return what was found.

        Args:
            place: where it would be made.
            audience: as ``Publication`` has it.
            route: under which.

        Raises:
            NotYet: it is too early to look.
            errors.RemoteError: Confluence could not be asked.
        """
        known = self._gap()
        if known is None:
            return None
        ground = Ground(place.cloud_id, place.space_id, place.kind, place.container if place.kind == "comment" else "")
        self._search(known, ground)
        now = self.bridge.clock.now()
        with self.bridge.store.write() as session:
            mark = self._pick(session, ground, self._keys(place.destination, audience), audience, place.container)
            return self._rows.make(session, mark, place, audience, route, now) if mark is not None else None

    def caught_up(self, publication: Publication, entries: list[Entry]) -> tuple[Publication, list[Entry]]:
        """Take what stands of a publication from before the epoch for written; return it and its entries anew.

        Raises:
            NotYet: it is too early to look.
            errors.RemoteError: Confluence could not be asked.
        """
        known = self._gap()
        if known is None or publication.epoch == known.id or not entries:
            return publication, entries
        oldest = min(entry.sent_on for entry in entries)
        if publication.state is not PublicationState.PUBLISHED and known.may_lack(publication.epoch, oldest, SLACK):
            self._stands(known, publication, entries)
        with self.bridge.store.read() as session:
            publication = session.get_one(Publication, publication.id)
            lacking = [e for e in publications.entries(session, publication.id or 0) if _may_stand(known, e)]
        if publication.state is PublicationState.PUBLISHED and lacking:
            self._read_comments(known, publication, entries[0].key)
        with self.bridge.store.write() as session:
            row = session.get_one(Publication, publication.id)
            rows = publications.entries(session, row.id or 0)
            if row.state is PublicationState.PUBLISHED:
                self._rows.known_to_stand(session, row, rows)
            return row, rows

    def _gap(self) -> Epoch | None:
        """Return the epoch where it is one after a gap and the thread is older than it."""
        with self.bridge.store.read() as session:
            known = epoch.current(session)
        oldest = min((message.date for message in self.thread.messages), default=None)
        return known if known.gap and oldest is not None and known.may_lack("", oldest, SLACK) else None

    @property
    def _rows(self) -> Rows:
        return Rows(self.bridge, self.box, self.thread)

    def _mine(self, publication: Publication) -> bool:
        return publication.account_id == self.box.account_id

    def _search(self, known: Epoch, ground: Ground) -> None:
        """Search a place, and the other spaces that routes name: people move pages.

        Raises:
            NotYet: it is too early to look.
            errors.RemoteError: Confluence could not be asked.
        """
        searcher = self._searcher(known)
        if ground.kind == "comment":
            searcher.once(ground)
            return
        if not searcher.has_searched(ground):
            self._know_spaces(ground.cloud_id)
        with self.bridge.store.read() as session:
            others = spaces.of_site(session, ground.cloud_id)
        for space_id in dict.fromkeys((*others, ground.space_id)):
            searcher.once(replace(ground, space_id=space_id))

    def _know_spaces(self, cloud_id: str) -> None:
        """Look up the spaces of routes that the database never knew, or does not know any more."""
        for key in dict.fromkeys(route.space for route in self.bridge.settings().routes):
            with self.bridge.store.read() as session:
                known = spaces.find(session, cloud_id, key)
            found = self.client.space(key) if known is None else None
            if found is not None:
                with self.bridge.store.write() as session:
                    spaces.save(session, cloud_id, found.key, found.id, found.name, self.bridge.clock.now())

    def _searcher(self, known: Epoch) -> Searcher:
        return Searcher(self.bridge, self.client, self.box.account_id, known)

    def _stands(self, known: Epoch, publication: Publication, entries: Sequence[Entry]) -> None:
        """Find a page that the tables believe planned or drafted."""
        searcher = self._searcher(known)
        ground = Ground(
            publication.cloud_id,
            publication.space_id,
            publication.kind,
            publication.page_id if publication.kind == "comment" else "",
        )
        own = self._draft(searcher, publication)
        if own is None:
            self._search(known, ground)
        with self.bridge.store.write() as session:
            row = session.get_one(Publication, publication.id)
            if row.state is PublicationState.PUBLISHED:
                return
            keys = dict.fromkeys((entry.key for entry in entries), 0)
            if own is not None:
                marks.save(session, own)
            mark = own[-1] if own is not None else self._pick(session, ground, keys, row.audience, row.parent_id)
            if mark is not None:
                self._rows.settle(session, row, mark)
            elif row.state is PublicationState.PLANNED and row.kind != "comment" and self._mine(row):
                row.epoch = known.id  # it was looked for by its writer, and never made

    def _read_comments(self, known: Epoch, publication: Publication, key: str) -> None:
        """List what stands on a published page, once an epoch: a comment that stands needs no files any more.

        Raises:
            NotYet: it is too early to look.
            errors.RemoteError: Confluence could not be asked, or does not show the page.
        """
        page = Mark(
            cloud_id=publication.cloud_id,
            space_id=publication.space_id,
            kind=publication.kind,
            content_id=publication.content_id,
            page_id=publication.page_id,
            key=key,
        )
        ground = Ground(page.cloud_id, page.space_id, f"on {page.kind}", page.content_id)
        searcher = self._searcher(known)
        searcher.once(ground, lambda: searcher.below(page))

    def _draft(self, searcher: Searcher, publication: Publication) -> list[Mark] | None:
        """Return the marks of a draft that was published meanwhile, its own the last; None where it was not."""
        if publication.state is not PublicationState.DRAFTED:
            return None
        kind: ContainerKind = "blogpost" if publication.kind == "blogpost" else "page"
        try:
            content = self.client.content(kind, publication.content_id, body=True)
        except NotFound:
            return None
        if content.status == "draft":
            return None
        mark = searcher.mark_of(content, publication.cloud_id)
        return [*searcher.below(mark), mark] if mark is not None else None

    def _pick(
        self, session: Session, ground: Ground, wanted: Mapping[str, int], audience: str, above: str
    ) -> Mark | None:
        """Return the mark of the thread's publication at a place that belongs to nothing yet, the likeliest first."""
        mails = {mail_digest(message.message_id) for message in self.thread.messages}
        mine = grants.find(session, self.box.account_id, "atlassian")
        subject = mine.subject if mine is not None else ""
        parents = {route.parent_id for route in self.bridge.settings().routes} - {""}
        parents |= publications.parents(session, ground.cloud_id, ground.space_id)
        bodies: dict[str, Mark] = {}
        for mark in marks.matching(session, ground.cloud_id, mails, wanted):
            body = mark
            if mark.kind == "comment" and (ground.kind != "comment" or mark.parent_id):
                # A reply of ours tells of the page that it stands on, whose first mail this thread may lack.
                above_it = marks.of_content(session, mark.cloud_id, mark.parent_id or mark.page_id)
                if above_it is None:
                    continue
                body = above_it
            fits = body.kind == ground.kind and (ground.kind != "comment" or body.page_id == ground.container)
            here = (body.space_id == ground.space_id and not _is_elsewhere(body, above, parents)) or body.key in wanted
            if fits and here and (not audience or body.author == subject) and marks.owned(session, body) is None:
                bodies[body.content_id] = body
        return min(
            bodies.values(),
            key=lambda mark: (
                mark.key not in wanted,
                mark.status == "trashed",
                -wanted.get(mark.key, 0),
                mark.parent_id != above,
                mark.author != subject,
            ),
            default=None,
        )

    def _keys(self, destination: str, audience: str) -> dict[str, int]:
        """Return the markers that a body made from this mailbox's thread would have, whichever mail came first.

        With each goes how often a person had asked for the thread anew (``bridge.sync.republish``).
        """
        installation = self.bridge.installation
        found: dict[str, int] = {}
        for message in self.thread.messages:
            origin = f"{message.key} {self.box.id} {self.thread.thread_id}"
            for round in range(_ROUNDS):
                uid = publication_uid(installation, destination, audience, origin)
                found[entry_key(installation, uid, message.key)] = round
                origin = f"{uid} round {round + 1}"
        return found


def _is_elsewhere(body: Mark, above: str, parents: Set[str]) -> bool:
    """Say whether a page came of a route to another parent in the same space, not of one to the parent ``above``.

    Args:
        body: the page; of the place that a route without a parent means, only the others are known.
        above: the parent's id, '' where the route names none.
        parents: those that any route names.
    """
    return body.kind == "page" and body.parent_id != above and (above != "" or body.parent_id in parents)


def _may_stand(known: Epoch, entry: Entry) -> bool:
    """Say whether an entry that the tables believe unwritten may have been written before the epoch."""
    unwritten = entry.state in (EntryState.PLANNED, EntryState.HELD)
    return unwritten and known.may_lack("", entry.sent_on, SLACK)
