"""Attachments: uploaded create-only, listed, and mended after a half upload."""

from __future__ import annotations

import io
from typing import IO, Any, BinaryIO

from urllib3.fields import RequestField
from urllib3.filepost import choose_boundary

from bridge.confluence.calls import V1, V2, Body, Calls
from bridge.confluence.contents import FOLDERS
from bridge.confluence.values import Kind, RemoteFile, as_file, rows
from bridge.errors import NotFound, Temporary, TooLarge

READ_FILE = "read:attachment:confluence"
WRITE_FILE = "write:attachment:confluence"

_NO_XSRF = {"X-Atlassian-Token": "no-check"}


class Files(Calls):
    """The files of a page or post."""

    def upload(
        self,
        content_id: str,
        *,
        name: str,
        data: BinaryIO | bytes,
        mime_type: str,
        comment: str,
        draft: bool,
    ) -> RemoteFile:
        """Attach a file under a name that is free.

        Args:
            content_id: of the page or post.
            name: kept as it is; must not hold ``/``.
            data: the bytes, or a seekable stream that is read from its start and never held in memory as a whole.
            mime_type: of the bytes.
            comment: the note beside it.
            draft: whether the page is a draft.

        Raises:
            NameTaken: a file of that name stands on the page; nothing was replaced.
            TooLarge: it is over the site's limit for one file.
            NotFound: the page is gone or invisible to this person.
            PersonMustAct: attaching is switched off or not allowed to this person.
        """
        path = f"{V1}/content/{content_id}/child/attachment"
        params = {"status": "draft" if draft else "current"}
        answer = self._upload(path, _Form(name, data, mime_type, comment), params)
        return _first(answer)

    def replace_data(
        self,
        content_id: str,
        file_id: str,
        *,
        name: str,
        data: BinaryIO | bytes,
        mime_type: str,
        comment: str,
    ) -> RemoteFile:
        """Give an attachment other bytes: only for what is left of an upload of our own that went wrong.

        Args and errors are those of ``upload``; ``file_id`` begins with "att".
        """
        path = f"{V1}/content/{content_id}/child/attachment/{file_id}/data"
        return _first(self._upload(path, _Form(name, data, mime_type, comment), None))

    def files(self, kind: Kind, content_id: str, name: str = "") -> list[RemoteFile]:
        """Return the files of a page or post, or the one of a name ('' for all)."""
        params = {"filename": name or None, "limit": "250"}
        pages = self._pages(f"{V2}/{FOLDERS[kind]}/{content_id}/attachments", scope=READ_FILE, params=params)
        return [as_file(row) for page in pages for row in rows(page, "results")]

    def _upload(self, path: str, form: _Form, params: dict[str, str] | None) -> dict[str, Any]:
        try:
            return self._call(
                "POST", path, write=True, scope=WRITE_FILE, params=params, body=form.body, headers=_NO_XSRF
            )
        except NotFound as missing:
            # The official description gives one 404 for a missing page and for a file over the site's limit.
            if "size" not in missing.answer.text.lower() and "too large" not in missing.answer.text.lower():
                raise
            raise TooLarge(
                "The file is larger than this site allows.", provider="atlassian", answer=missing.answer
            ) from None


class _Form:
    """A multipart form with one file that is read while it is sent (requests would hold it in memory three times)."""

    def __init__(self, name: str, data: BinaryIO | bytes, mime_type: str, comment: str) -> None:
        self._file: IO[bytes] = io.BytesIO(data) if isinstance(data, bytes) else data
        boundary = choose_boundary()
        self.content_type = f"multipart/form-data; boundary={boundary}"
        # Without a charset the note is read as Latin-1.
        plain = "text/plain; charset=utf-8"
        fields = [_field("minorEdit", b"true", plain), _field("comment", comment.encode(), plain)]
        file = _field("file", b"", mime_type, name)
        parts = [*fields, file]
        head = "".join(f"--{boundary}\r\n{part.render_headers()}{_text(part)}\r\n" for part in parts)
        self._head = head.removesuffix("\r\n").encode()
        self._tail = f"\r\n--{boundary}--\r\n".encode()

    def body(self) -> Body:
        """Return the body from its start, and its Content-Type."""
        size = self._file.seek(0, io.SEEK_END)
        self._file.seek(0)
        length = len(self._head) + size + len(self._tail)
        sources = [io.BytesIO(self._head), self._file, io.BytesIO(self._tail)]
        return _Chain(sources, length), self.content_type


class _Chain:
    """Streams one after the other, of a length that is known: requests takes it for the Content-Length.

    Not an ``io.RawIOBase``: requests asks such a one for its position and then takes the length for none.
    """

    def __init__(self, sources: list[IO[bytes]], length: int) -> None:
        self._sources = sources
        self._length = length

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            return b"".join(source.read() for source in self._sources)
        for source in self._sources:
            if chunk := source.read(size):
                return chunk
        return b""


def _field(name: str, data: bytes, mime_type: str, filename: str | None = None) -> RequestField:
    field = RequestField(name=name, data=data, filename=filename)
    field.make_multipart(content_type=mime_type)
    return field


def _text(part: RequestField) -> str:
    return part.data.decode() if isinstance(part.data, bytes) else part.data


def _first(answer: dict[str, Any]) -> RemoteFile:
    listed = rows(answer, "results")
    file = as_file(listed[0] if listed else answer)
    if not file.id:
        raise Temporary(
            "Confluence's answer names no file; it is tried again later.", provider="atlassian", maybe_applied=True
        )
    return file
