"""Writes the body of a page or post: draft, restriction, files, body, labels; then reads back what stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice

from bridge.config import Route, Settings
from bridge.confluence import Content
from bridge.confluence import Kind as ContainerKind
from bridge.errors import (
    Conflict,
    CredentialRefused,
    NeedsConsent,
    NotFound,
    OperatorMustAct,
    PersonMustAct,
    Refused,
    RemoteError,
    Temporary,
    TitleTaken,
    TooLarge,
)
from bridge.gmail import Gmail
from bridge.model import Message, Rendered
from bridge.render import find_key, render_fallback, render_page, title, title_candidates
from bridge.store import events, publications
from bridge.store.tables import AttachmentState, Entry, Grant, Publication, PublicationState
from bridge.sync.context import Bridge
from bridge.sync.fallback import fall_back
from bridge.sync.files import FileMover, Placed
from bridge.sync.keeping import keep_rendered
from bridge.sync.outline import history_message, look
from bridge.sync.writes.base import Kind
from bridge.sync.writes.draft import Draft
from bridge.sync.writes.origin_property import OriginProperty
from bridge.sync.writes.page_label import PageLabel
from bridge.sync.writes.perform import Performer
from bridge.sync.writes.publish import Publish
from bridge.sync.writes.restrict import Restrict

_TITLES_TRIED = 50
_SMALLER = 4


@dataclass(frozen=True, slots=True)
class BodyWriter:
    """Writes the first entry of one publication that is a page or a blog post."""

    bridge: Bridge
    settings: Settings
    grant: Grant
    gmail: Gmail
    performer: Performer
    publication: Publication
    route: Route

    def write(self, entry: Entry, message: Message) -> None:
        """Bring the page from nothing (or from where an earlier attempt ended) to published and read back.

        Raises:
            NotYet, errors.RemoteError: it could not be finished; the tables know how far it came.
        """
        private = self.route.visibility == "author"
        publication = self._draft(message, private)
        if private:
            self.performer.perform(Restrict(publication.content_id, self.grant.subject))
        mover = FileMover(self.bridge, self.gmail, self.performer, publication, self._kind, self.route, draft=True)
        self._publish(publication, entry, message, mover.place(entry, message))
        self.finish(publication, entry)

    def finish(self, publication: Publication, entry: Entry) -> None:
        """Do what follows the publication: labels, a look at what stands, the property; nothing where that was done.

        Args:
            publication: as it stands, with its content's id.
            entry: the body's.

        Raises:
            NotYet, errors.RemoteError: it could not be finished; it is taken up again at the next look.
        """
        origin = OriginProperty(self._kind, publication.content_id, publication.uid, entry.key)
        if self.performer.has_ended(origin):
            return
        if self.route.page_labels:
            self._if_taken(publication, self._label(publication), "page labels refused")
        self._read_back(publication, entry, self.route.visibility == "author")
        # Last, since it says that all of this is done: a look that failed is made again.
        self._if_taken(publication, origin, "origin property failed")

    @property
    def _kind(self) -> ContainerKind:
        return "blogpost" if self.publication.kind == "blogpost" else "page"

    def _draft(self, message: Message, private: bool) -> Publication:
        if self.publication.state is PublicationState.PLANNED:
            self._with_title(
                message,
                lambda name: Draft(
                    publication_id=self.publication.id or 0,
                    content_kind=self._kind,
                    space_id=self.publication.space_id,
                    parent_id=self.publication.parent_id,
                    title=name,
                    private=private,
                ),
                None,
            )
        with self.bridge.store.read() as session:
            return session.get_one(Publication, self.publication.id)

    def _publish(self, publication: Publication, entry: Entry, message: Message, placed: Placed) -> None:
        """Publish the rendered body; what Confluence does not take is published as plain text instead."""
        wanted = look(self.settings, self.route, self.grant, publication, entry, message, placed.files, placed.left_out)
        if not entry.fallback:
            try:
                rendered = render_page(message, wanted, parser=self.bridge.parser)
                keep_rendered(self.bridge, self.performer, self.route, message, rendered)
                self._put(publication, entry, message, rendered)
                return
            except TooLarge:
                wanted = replace(wanted, max_body=wanted.max_body // _SMALLER)
            except TitleTaken:
                raise
            except Refused as refused:
                fall_back(self.bridge, self.performer, self.route, self.publication, entry, message, rendered, refused)
        plain = render_fallback(message, wanted)
        keep_rendered(self.bridge, self.performer, self.route, message, plain)
        self._put(publication, entry, message, plain)

    def _put(self, publication: Publication, entry: Entry, message: Message, body: Rendered) -> None:
        self._with_title(
            message,
            lambda name: Publish(
                publication_id=publication.id or 0,
                entry_id=entry.id or 0,
                content_kind=self._kind,
                content_id=publication.content_id,
                title=name,
                storage=body.storage,
                message=history_message(message, self.route.pages.timezone),
            ),
            entry.id,
        )

    def _with_title(self, message: Message, kind: Callable[[str], Kind], entry_id: int | None) -> None:
        """Try the route's title, then with the date, then with numbers; the one that is tried is committed first.

        Another's page of that title is never touched.

        Raises:
            TitleTaken: fifty titles are taken.
        """
        wanted = title(self.route.title, message, self.route.label)
        taken: TitleTaken | None = None
        for candidate in islice(title_candidates(wanted, message.date), _TITLES_TRIED):
            try:
                self.performer.perform(kind(candidate), entry_id=entry_id)
                return
            except TitleTaken as error:
                taken = error
        assert taken is not None
        raise taken

    def _label(self, publication: Publication) -> PageLabel:
        return PageLabel(self._kind, publication.content_id, self.route.page_labels)

    def _if_taken(self, publication: Publication, kind: Kind, refused: str) -> None:
        """Make a write without which the publication stands all the same: where it is refused, that is told.

        Raises:
            NotYet, errors.RemoteError: it could not be made, and may be later.
        """
        try:
            self.performer.perform(kind)
        except (Temporary, Conflict, NeedsConsent, OperatorMustAct, CredentialRefused, NotFound):
            raise
        except RemoteError as error:
            self.performer.give_up(kind)
            self._tell_refused(publication, refused, error)

    def _tell_refused(self, publication: Publication, what: str, error: RemoteError) -> None:
        with self.bridge.store.write() as session:
            events.tell(
                session,
                self.bridge.clock.now(),
                what,
                route=self.route.name,
                thread_id=self.performer.thread_id,
                remote_id=publication.content_id,
                cause=f"{error.answer.status} {error.answer.reason}".strip(),
            )

    def _files_that_fail(self, publication: Publication) -> list[str]:
        """Say how many of the page's files do not stand there, or not whole: a link to one would lead nowhere."""
        with self.bridge.store.read() as session:
            rows = publications.attachments(session, publication.id or 0)
        wanted = [row for row in rows if row.state is AttachmentState.DONE and row.page_id == publication.content_id]
        if not wanted:
            return []
        listed = self.performer.client.files(self._kind, publication.content_id)
        standing = {file.name: file.size for file in listed}
        missing = sum(row.name not in standing for row in wanted)
        half = sum(standing.get(row.name, row.size) != row.size for row in wanted)
        told = [f"{missing} of {len(wanted)} files missing"] if missing else []
        return [*told, *([f"{half} of {len(wanted)} files not whole"] if half else [])]

    def _labels_stand(self, publication: Publication, content: Content) -> None:
        """See that labels which Confluence took a moment ago stand; those that people took off later stay off.

        Raises:
            Temporary: they do not stand; they are put on again.
        """
        wanted = {name.casefold() for name in self.route.page_labels}
        kind = self._label(publication)
        if content.labels is None or wanted <= content.labels or not self.performer.was_just_made(kind):
            return
        self.performer.plan_anew(kind)
        raise Temporary(
            "Confluence took the labels of the page and does not show them; they are put on again.",
            provider="atlassian",
        )

    def _read_back(self, publication: Publication, entry: Entry, private: bool) -> None:
        """Look at what stands: status, version, marker, files and restriction; a difference is told as an event."""
        client = self.performer.client
        try:
            content = client.content(self._kind, publication.content_id, body=True)
        except NotFound:
            faults = ["the page is not there"]
        else:
            faults = [] if content.status == "current" else [f"status {content.status}"]
            faults += [] if content.version.number == 1 else [f"version {content.version.number}"]
            faults += [] if entry.key in find_key(content.storage) else ["the marker is missing"]
            faults += self._files_that_fail(publication)
            self._labels_stand(publication, content)
        if private and client.readers(publication.content_id) != frozenset({self.grant.subject}):
            raise PersonMustAct(
                "The page was published and is not restricted to you any more. Restrict it in Confluence.",
                provider="atlassian",
            )
        with self.bridge.store.write() as session:
            events.tell(
                session,
                self.bridge.clock.now(),
                "read back",
                route=self.route.name,
                account_id=self.performer.account_id,
                thread_id=self.performer.thread_id,
                remote_id=publication.content_id,
                version=1,
                outcome=", ".join(faults) or "as written",
            )
