"""Uploads a file, create-only: a name that stands on the page is never replaced."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from sqlmodel import Session

from bridge.confluence import Confluence, RemoteFile
from bridge.confluence import Kind as ContainerKind
from bridge.errors import NotFound
from bridge.store.tables import Attachment, AttachmentState, Write
from bridge.sync.writes.base import Result


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

    @property
    def target(self) -> str:
        """The attachment's row and its name: another name is another write."""
        return f"{self.attachment_id} {self.name}"

    def request(self, client: Confluence, write: Write) -> Result:
        """Send the bytes.

        Raises:
            NameTaken: the name stands there with other bytes.
            TooLarge: the site does not take files of this size.
        """
        with self.opened() as data:
            made = client.upload(
                self.content_id,
                name=self.name,
                data=data,
                mime_type=self.mime_type,
                comment=self.comment,
                draft=self.draft,
            )
        return Result(made.id, version=made.version)

    def look(self, client: Confluence, write: Write, since: datetime) -> Result | None:
        """Find the file by name, digest and size; a half entry of ours (a 503 leaves such) gets its bytes anew."""
        try:
            standing = client.files(self.content_kind, self.content_id, self.name)
        except NotFound:
            # The list of a draft's files is not promised by any document; the create-only upload then says it itself.
            return None
        for file in standing:
            if self._is_mine(file):
                if file.size != self.size:
                    with self.opened() as data:
                        client.replace_data(
                            self.content_id,
                            file.id,
                            name=self.name,
                            data=data,
                            mime_type=self.mime_type,
                            comment=self.comment,
                        )
                return Result(file.id, version=file.version)
        return None

    def done(self, session: Session, write: Write, result: Result, now: datetime) -> None:
        """Mark the attachment as standing."""
        row = session.get_one(Attachment, self.attachment_id)
        row.state, row.remote_id = AttachmentState.DONE, result.remote_id

    def _is_mine(self, file: RemoteFile) -> bool:
        return self.digest in file.comment
