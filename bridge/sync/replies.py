"""Writes an entry that is a comment: on our page or post, or, where the publication is a comment itself, below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.config import Route, Settings
from bridge.confluence import Kind as ContainerKind
from bridge.errors import Refused, TooLarge
from bridge.gmail import Gmail
from bridge.model import Message, Rendered
from bridge.render import render_comment, render_fallback
from bridge.store.tables import Entry, Grant, Publication, PublicationState
from bridge.sync import fate
from bridge.sync.context import Bridge
from bridge.sync.fallback import fall_back
from bridge.sync.files import FileMover
from bridge.sync.keeping import keep_rendered
from bridge.sync.outline import look
from bridge.sync.writes.comment import Comment
from bridge.sync.writes.perform import Performer


@dataclass(frozen=True, slots=True)
class ReplyWriter:
    """Writes entries as comments for one publication."""

    bridge: Bridge
    settings: Settings
    grant: Grant
    gmail: Gmail
    performer: Performer
    publication: Publication
    route: Route

    def write(self, entry: Entry, message: Message, earlier: Sequence[Message]) -> None:
        """Upload the message's files, then post it.

        Args:
            entry: which entry.
            message: its mail.
            earlier: the messages that stand before it, whose text it need not repeat.

        Raises:
            NotYet, errors.RemoteError: it could not be finished; the tables know how far it came.
        """
        mover = FileMover(
            self.bridge, self.gmail, self.performer, self.publication, self._container, self.route, draft=False
        )
        placed = mover.place(entry, message)
        wanted = look(
            self.settings, self.route, self.grant, self.publication, entry, message, placed.files, placed.left_out
        )
        if not entry.fallback:
            try:
                rendered = render_comment(message, wanted, earlier, parser=self.bridge.parser)
                keep_rendered(self.bridge, self.performer, self.route, message, rendered)
                self._post(entry, rendered)
                return
            except (Refused, TooLarge) as refused:
                if fate.look(self.performer.client, self.publication).remote:
                    raise
                fall_back(self.bridge, self.performer, self.route, self.publication, entry, message, rendered, refused)
        plain = render_fallback(message, wanted)
        keep_rendered(self.bridge, self.performer, self.route, message, plain)
        self._post(entry, plain)

    @property
    def _container(self) -> ContainerKind:
        return "blogpost" if self.publication.kind == "blogpost" else "page"

    def _post(self, entry: Entry, body: Rendered) -> None:
        is_body = self.publication.kind == "comment" and self.publication.state is not PublicationState.PUBLISHED
        self.performer.perform(
            Comment(
                publication_id=self.publication.id or 0,
                entry_id=entry.id or 0,
                container_kind=self._container,
                container_id=self.publication.page_id,
                parent_id=self.publication.content_id if self.publication.kind == "comment" and not is_body else "",
                marker=entry.key,
                storage=body.storage,
                is_body=is_body,
            ),
            entry_id=entry.id,
        )
