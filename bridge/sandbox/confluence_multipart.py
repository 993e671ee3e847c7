"""Reading an upload as Confluence reads it: a text part that names no charset is Latin-1, file names are raw UTF-8."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.datastructures import Headers
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData
from werkzeug.wrappers import Request

from bridge.sandbox.confluence_wire import v1_error


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a multipart request, with the comment that belongs to it."""

    name: str
    media_type: str
    data: bytes
    comment: str
    minor: bool


def read_upload(request: Request) -> list[Upload]:
    """Return the files of a request with their comments.

    Raises:
        Refused: 400 where the body is no multipart form, where ``minorEdit`` is missing, or where the comments are
            neither none nor one for each file.
    """
    files: list[tuple[str, str, bytes]] = []
    fields: dict[str, list[str]] = {}
    for name, filename, headers, data in _parts(request):
        if filename is not None:
            if name == "file":
                media_type = headers.get("Content-Type", "application/octet-stream").partition(";")[0].strip()
                files.append((filename, media_type, data))
        else:
            fields.setdefault(name, []).append(_text(headers, data))
    if "minorEdit" not in fields:
        raise v1_error(400, "minorEdit is required")
    comments = fields.get("comment") or [""] * len(files)
    if len(comments) != len(files):
        raise v1_error(400, "There must be one comment for each file, or none")
    minor = fields["minorEdit"][0].strip().lower() == "true"
    return [Upload(*file, comment, minor) for file, comment in zip(files, comments, strict=True)]


def _text(headers: Headers, data: bytes) -> str:
    _, options = parse_options_header(headers.get("Content-Type", ""))
    try:
        return data.decode(options.get("charset", "latin-1"), "replace")
    except LookupError:
        return data.decode("latin-1")


def _parts(request: Request) -> list[tuple[str, str | None, Headers, bytes]]:
    mimetype, options = parse_options_header(request.headers.get("Content-Type", ""))
    if mimetype != "multipart/form-data" or not options.get("boundary"):
        raise v1_error(400, "The request is no multipart form")
    decoder = MultipartDecoder(options["boundary"].encode("latin-1"))
    decoder.receive_data(request.get_data())
    decoder.receive_data(None)
    parts: list[tuple[str, str | None, Headers, bytearray]] = []
    while True:
        try:
            event = decoder.next_event()
        except ValueError:
            raise v1_error(400, "The multipart form is broken") from None
        if isinstance(event, (Epilogue, NeedData)):
            return [(name, filename, headers, bytes(data)) for name, filename, headers, data in parts]
        if isinstance(event, Field):
            parts.append((event.name, None, event.headers, bytearray()))
        elif isinstance(event, File):
            parts.append((event.name, event.filename, event.headers, bytearray()))
        elif isinstance(event, Data) and parts:
            parts[-1][3].extend(event.data)
