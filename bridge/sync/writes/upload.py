"""Uploads a file, create-only: a name that stands on the page is never replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from sqlmodel import Session

from bridge.confluence import Confluence, RemoteFile
from bridge.confluence import Kind as ContainerKind
from bridge.errors import Conflict, NameTaken, NotFound
from bridge.store.tables import Attachment, AttachmentState, Write
from bridge.sync.writes.base import RecordedAlone, Result

_HALF = 503
_TRIES_UNLISTED = 5


class HalfUpload(Exception):
    """What has the name is ours and lacks its bytes: they are a write of their own; ``file_id`` begins with "att"."""

    def __init__(self, file_id: str) -> None:
        super().__init__(file_id)
        self.file_id = file_id


@dataclass(frozen=True, slots=True)
class Upload:
    """One file whose name is reserved. ``digest`` is the first 16 hex digits of its sha256, ``size`` in bytes.

    The comment of the attachment is read by people: who it came from, when, and the digest in brackets.
    """

    attachment_id: int
    content_kind: ContainerKind
    content_id: str
    name: str
    mime_type: str
    size: int
    digest: str
    comment: str
    draft: bool
    opened: Callable[[], AbstractContextManager[BinaryIO]] = field(repr=False)
    kind: str = "upload"
    title: str = ""
    settle: float = 30.0
    looks: int = 1

    @property
    def target(self) -> str:
        """The attachment's row and its name: another name is another write."""
        return f"{self.attachment_id} {self.name}"

    def request(self, client: Confluence, write: Write) -> Result:
        """Send the bytes.

        Raises:
            NameTaken: the name stands there with other bytes.
            Conflict: the name is taken by what is not listed yet.
            HalfUpload: as ``look`` says.
            TooLarge: the site does not take files of this size.
        """
        try:
            with self.opened() as data:
                made = client.upload(
                    self.content_id,
                    name=self.name,
                    data=data,
                    mime_type=self.mime_type,
                    comment=self.comment,
                    draft=self.draft,
                )
        except NameTaken as taken:
            return self._taken(client, write, taken)
        return Result(made.id, version=made.version)

    def look(self, client: Confluence, write: Write, since: datetime) -> Result | None:
        """Find the file by name, digest and size.

        Raises:
            HalfUpload: an entry of ours stands without its bytes, as a 503 leaves it.
        """
        return self._mine(client, self._standing(client) or ())

    def _taken(self, client: Confluence, write: Write, taken: NameTaken) -> Result:
        """Say whose bytes have the name, where an earlier request of ours may have brought them.

        Nobody but its author sees a draft, and its files stand in no list that a document promises: there the name can
        only be taken by our own request, which ended without an answer. A 503 may have left half of a file: whose it
        is cannot be seen, so another name is used.

        Raises:
            NameTaken: the name stands there with other bytes.
            Conflict: on what is published, the list does not show yet what has the name.
        """
        standing = self._standing(client)
        mine = self._mine(client, standing or ())
        if mine is not None:
            return mine
        if write.tries == 1 or any(file.name.casefold() == self.name.casefold() for file in standing or ()):
            raise taken
        if self.draft and write.status != _HALF:
            return Result("")
        if not self.draft and write.tries <= _TRIES_UNLISTED:
            raise Conflict(
                "A file of that name stands on the page and is not listed yet.",
                provider="atlassian",
                answer=taken.answer,
            )
        raise taken

    def _standing(self, client: Confluence) -> list[RemoteFile] | None:
        """Return the files of the name; None where the list is refused, as it may be for a draft."""
        try:
            return client.files(self.content_kind, self.content_id, self.name)
        except NotFound:
            return None

    def _mine(self, client: Confluence, standing: Iterable[RemoteFile]) -> Result | None:
        for file in standing:
            if self.digest not in file.comment:
                continue
            if file.size != self.size:
                raise HalfUpload(file.id)
            return Result(file.id, version=file.version)
        return None

    def done(self, session: Session, write: Write, result: Result, now: datetime) -> None:
        """Mark the attachment as standing."""
        row = session.get_one(Attachment, self.attachment_id)
        row.state, row.remote_id = AttachmentState.DONE, result.remote_id


@dataclass(frozen=True, slots=True)
class UploadBytes(RecordedAlone):
    """The bytes of a file of ours whose upload left its entry alone.

    Each time that they are sent makes a version, so a request whose answer was lost is waited for as long as any may be
    late.
    """

    upload: Upload
    file_id: str
    kind: str = "upload bytes"
    title: str = ""
    settle: float = 120.0
    looks: int = 1

    @property
    def target(self) -> str:
        """The entry on the page."""
        return f"{self.upload.attachment_id} {self.file_id}"

    def request(self, client: Confluence, write: Write) -> Result:
        """Send the bytes."""
        upload = self.upload
        with upload.opened() as data:
            made = client.replace_data(
                upload.content_id,
                self.file_id,
                name=upload.name,
                data=data,
                mime_type=upload.mime_type,
                comment=upload.comment,
            )
        return Result(made.id, version=made.version)

    def look(self, client: Confluence, write: Write, since: datetime) -> Result | None:
        """Say whether the entry is whole."""
        upload = self.upload
        for file in client.files(upload.content_kind, upload.content_id, upload.name):
            if file.id == self.file_id and file.size == upload.size:
                return Result(file.id, version=file.version)
        return None
