"""Brings a message's files onto the page: name reserved, bytes uploaded, each exactly once."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from bridge.config import Route
from bridge.confluence import Kind as ContainerKind
from bridge.errors import NameTaken, PersonMustAct, Refused, TooLarge
from bridge.gmail import Gmail
from bridge.mail import payload
from bridge.model import File, LeftOut, Message, PlacedFile
from bridge.render import free_name
from bridge.store import publications
from bridge.store.tables import Attachment, AttachmentState, Entry, Publication
from bridge.sync.context import Bridge
from bridge.sync.outline import history_message
from bridge.sync.spool import Spooled, spooled
from bridge.sync.writes.perform import Performer
from bridge.sync.writes.upload import HalfUpload, Upload, UploadBytes

_NAMES_TRIED = 20
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Placed:
    """A message's files as they stand on the page, by part id; and those that do not."""

    files: dict[str, PlacedFile]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class FileMover:
    """Moves the files of one publication's messages.

    ``draft`` is true while the page is a draft: Confluence takes its files by another status then.
    """

    bridge: Bridge
    gmail: Gmail
    performer: Performer
    publication: Publication
    content_kind: ContainerKind
    route: Route
    draft: bool

    def place(self, entry: Entry, message: Message) -> Placed:
        """Bring every file of a message onto the page that the route wants there.

        Raises:
            NotYet: an upload's answer was lost; it is looked for later.
            errors.RemoteError: Gmail or Confluence failed.
        """
        with self.bridge.store.read() as session:
            standing = publications.uploaded(session, entry.id or 0)
        files: dict[str, PlacedFile] = {}
        left_out: list[LeftOut] = []
        for file in message.files:
            reason = self._unwanted(file)
            if reason:
                left_out.append(LeftOut(file.name, reason))
                continue
            row = standing.get(f"{message.key}:{file.part_id}")
            try:
                row = row or self._move(entry, message, file)
            except TooLarge:
                left_out.append(LeftOut(file.name, f"{_size(file.size)}: larger than this site allows."))
                continue
            except PersonMustAct as refused:
                # People may open a page for reading alone; the reply is still theirs to read.
                if self.draft or refused.answer.status != 403:
                    raise
                left_out.append(LeftOut(file.name, "files may not be added to this page."))
                continue
            files[file.part_id] = PlacedFile(row.name, row.size, row.mime_type)
        return Placed(files, tuple(left_out))

    def _unwanted(self, file: File) -> str:
        if self.route.attachments == "none" or (self.route.attachments == "inline" and not file.inline):
            return "files are not copied here."
        if file.size > self.route.attachment_limit:
            limit = _size(self.route.attachment_limit)
            return f"{_size(file.size)}: larger than this place allows ({limit})."
        return ""

    def _move(self, entry: Entry, message: Message, file: File) -> Attachment:
        with spooled(self.bridge.spool, self._bytes(message, file)) as data:
            row = self._reserve(entry, message, file, data)
            refused: set[str] = set()
            for _ in range(_NAMES_TRIED):
                if row.state is AttachmentState.DONE:
                    return row
                upload = self._upload(row, message, data)
                try:
                    self.performer.perform(upload, entry_id=entry.id, attachment_id=row.id)
                except HalfUpload as half:
                    self.performer.perform(UploadBytes(upload, half.file_id), entry_id=entry.id)
                    continue
                except NameTaken:
                    refused.add(row.folded)
                    row = self._rename(row, file, refused)
                    continue
                with self.bridge.store.read() as session:
                    return session.get_one(Attachment, row.id)
        raise Refused(f'No free name was found for the file "{file.name}".', provider="atlassian")

    def _bytes(self, message: Message, file: File) -> bytes:
        if file.data is not None:
            return file.data
        if not file.attachment_id:
            return b""
        try:
            return self.gmail.attachment(message.gmail_id, file.attachment_id)
        except Refused:
            # Attachment ids die; the part's id does not.
            fresh = payload.message(self.gmail.message(message.gmail_id))
            for other in fresh.files:
                if other.part_id == file.part_id:
                    if other.data is not None:
                        return other.data
                    return self.gmail.attachment(message.gmail_id, other.attachment_id)
            raise

    def _reserve(self, entry: Entry, message: Message, file: File, data: Spooled) -> Attachment:
        publication_id = self.publication.id or 0
        with self.bridge.store.write() as session:
            same = publications.same_bytes(session, publication_id, data.sha256, file.inline)
            if same is not None:
                return same
            name = free_name(file.name, publications.names_on(session, self.publication.page_id))
            row = Attachment(
                publication_id=publication_id,
                entry_id=entry.id or 0,
                page_id=self.publication.page_id,
                name=name,
                folded=name.casefold(),
                sha256=data.sha256,
                size=data.size,
                mime_type=file.mime_type,
                source=f"{message.key}:{file.part_id}",
                inline=file.inline,
            )
            session.add(row)
            session.flush()
            return row

    def _rename(self, row: Attachment, file: File, refused: AbstractSet[str]) -> Attachment:
        """Reserve the next free name: those refused stand on the page with other bytes."""
        with self.bridge.store.write() as session:
            taken = publications.names_on(session, row.page_id)
            mine = session.get_one(Attachment, row.id)
            mine.name = free_name(file.name, taken | refused)
            mine.folded = mine.name.casefold()
            return mine

    def _upload(self, row: Attachment, message: Message, data: Spooled) -> Upload:
        digest = row.sha256[:16]
        return Upload(
            attachment_id=row.id or 0,
            content_kind=self.content_kind,
            content_id=row.page_id,
            name=row.name,
            mime_type=row.mime_type,
            size=row.size,
            digest=digest,
            comment=f"{history_message(message, self.route.pages.timezone)} [{digest}]",
            draft=self.draft,
            opened=data.opened,
        )


def _size(size: int) -> str:
    return f"{size / _MIB:.0f} MB" if size >= _MIB else f"{max(size // 1024, 1)} KB"
