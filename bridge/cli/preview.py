"""``mailbridge preview``: show a mail as the page it would become. Nothing is sent anywhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.output import AsJson, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.sync.preview import Preview


def preview(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE.eml", help="Mails as files; each becomes a page.")],
    output: Annotated[str, typer.Option(metavar="FILE.html", help="Write the pages there, as HTML to look at.")] = "",
    storage: Annotated[bool, typer.Option("--storage", help="Print Confluence's storage format alone.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a mail as the page it would become; without an option as HTML in a private temporary file."""
    from bridge.sync.preview import html

    made = _previews(context, files)
    if as_json:
        print_json([_as_object(file, one) for file, one in zip(files, made, strict=True)])
        return
    if storage:
        typer.echo("\n".join(one.storage for one in made))
        return
    written = _write(html(made), output)
    pages = "1 page" if len(made) == 1 else f"{len(made)} pages"
    typer.echo(f"{pages} in {written}")
    for one in made:
        typer.echo("\n".join(_lines(one)))
    typer.echo("Open it in a browser. Nothing was sent anywhere.")


def _previews(context: typer.Context, files: Sequence[Path]) -> list[Preview]:
    """Render the mails as the configuration says, or by the defaults where there is none."""
    from bridge.cli.database import places_of
    from bridge.config import Pages, Safety, load
    from bridge.mail.eml import message
    from bridge.render.parse import HtmlParser
    from bridge.sync.preview import preview as make

    where = places_of(context)
    named = bool(context.find_root().params.get("config"))
    settings = load(where.config, os.environ, where) if named or os.path.exists(where.config) else None
    pages = settings.pages if settings else Pages()
    domains = settings.google.domains if settings else ()
    most = (settings.safety if settings else Safety()).max_body
    with HtmlParser() as parser:
        return [make(message(_read(file)), pages, own_domains=domains, max_body=most, parser=parser) for file in files]


def _read(file: Path) -> bytes:
    from bridge.errors import BridgeError

    try:
        return file.read_bytes()
    except OSError as error:
        raise BridgeError(f"{file} cannot be read: {error.strerror}. Name a mail that was saved as a file.") from error


def _write(document: str, output: str) -> str:
    """Write the document; a temporary file is readable by its owner alone. Return its path."""
    import tempfile

    from bridge.errors import BridgeError

    if not output:
        descriptor, output = tempfile.mkstemp(prefix="mailbridge-preview-", suffix=".html")
        os.close(descriptor)
    try:
        Path(output).write_text(document, encoding="utf-8")
    except OSError as error:
        raise BridgeError(f"{output} cannot be written: {error.strerror}. Name another file.") from error
    return output


def _lines(one: Preview) -> list[str]:
    from bridge.daemon.words import printable
    from bridge.render.sizes import file_words

    lines = [f"  {printable(one.title)}"]
    if one.automatic:
        lines.append(f"    not published by the service: automatic mail ({one.automatic})")
    lines += [f"    file      {printable(file.name)} ({file_words(file)})" for file in one.files]
    lines += [f"    left out  {printable(item.name)}: {printable(item.why)}" for item in one.left_out]
    return lines


def _as_object(file: Path, one: Preview) -> dict[str, object]:
    from dataclasses import asdict

    return {
        "file": str(file),
        "title": one.title,
        "storage": one.storage,
        "files": [asdict(placed) for placed in one.files],
        "left_out": [asdict(item) for item in one.left_out],
        "plain": one.plain,
        "automatic": one.automatic,
    }
