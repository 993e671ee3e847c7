"""What of a mail's bodies stands where: the text, what is folded away, and what had to stay behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bridge.mail.quotes import Earlier
from bridge.model import LeftOut, Look, Message, PlacedFile, Verdict
from bridge.render import cut
from bridge.render.blocks import Block, Line, Picture, Quote, Run, files_in, line, visible
from bridge.render.cut import Part
from bridge.render.emit import Place
from bridge.render.parse import HtmlParser, without_tags
from bridge.render.read import Reader

_GREY = "rgb(98,111,134)"
_ENCRYPTED = frozenset(
    {"application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted", "multipart/encrypted"}
)
_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/svg+xml"})


@dataclass(frozen=True, slots=True)
class Fold:
    """Something that stands on a page behind its title."""

    title: str
    blocks: list[Block]


@dataclass(slots=True)
class Content:
    """The text as blocks, what is folded away, the files not shown in the text, and what stayed behind.

    ``plain`` says that some HTML could not be read and its bare text stands instead; ``verdicts`` what each part of the
    mail was taken for.
    """

    blocks: list[Block] = field(default_factory=list)
    folds: list[Fold] = field(default_factory=list)
    attached: list[PlacedFile] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    plain: bool = False
    verdicts: list[Verdict] = field(default_factory=list)


def content(message: Message, look: Look, earlier: Sequence[Message], parser: HtmlParser, place: Place) -> Content:
    """Return what stands on a page or in a comment for the mail.

    Args:
        message: the mail.
        look: the route's wishes and the files' names on the page.
        earlier: the messages of the thread before it; quoted mail is cut only where it stands in one of them.
        parser: for HTML.
        place: page or comment.
    """
    made = Content()
    stands = Earlier.of(earlier)
    parts: list[Part] = []
    for body in message.bodies:
        if body.kind == "html":
            parts.extend(_html_parts(body.text, message, look, stands, parser, made))
        elif body.kind == "text":
            parts.extend(cut.text_parts(body.text, stands, look))
        elif placed := look.files.get(body.part_id):
            parts.append(Part("own", [_placed(placed)]))
    made.verdicts.extend(Verdict(part.kind, lines) for part in parts if (lines := _lines(part.blocks)))
    _arrange([part for part in parts if part.kind != "cut"], look, place, made)
    shown = set(files_in(made.blocks)).union(*(files_in(fold.blocks) for fold in made.folds))
    placed_files = (look.files[file.part_id] for file in message.files if file.part_id in look.files)
    made.attached.extend(placed for placed in placed_files if placed.name not in shown)
    if not _is_seen(made.blocks) and not made.folds:
        made.blocks = [Line([Run(_why_empty(message, parts), frozenset({"em"}))])]
    return made


def _lines(blocks: Sequence[Block]) -> int:
    return sum(1 for row in visible(blocks).split("\n") if row.strip())


def _html_parts(
    html: str, message: Message, look: Look, stands: Earlier, parser: HtmlParser, made: Content
) -> list[Part]:
    tree = parser.parse(html)
    if tree is None:
        made.plain = True
        made.left_out.append(
            LeftOut("Formatting and pictures", "the mail's HTML is too large or too deep; only its words are shown.")
        )
        return cut.text_parts(without_tags(html), stands, look)
    reader = Reader(look, message.files)
    blocks = reader.read(tree)
    if reader.embedded:
        count = "1 picture" if reader.embedded == 1 else f"{reader.embedded} pictures"
        made.left_out.append(LeftOut(count, "inside the text itself, not among the mail's files. See the mail."))
    return cut.html_parts(blocks, stands)


def _placed(file: PlacedFile) -> Block:
    if file.mime_type.lower() in _PICTURES:
        return Picture(file.name, file.name)
    return Line([Run(file.name, file=file.name)])


def _arrange(parts: Sequence[Part], look: Look, place: Place, made: Content) -> None:
    """Put each part where the route wants it.

    Quoted mail is folded only where own words stand before it and none after: a mail that only quotes would look empty,
    and an answer would lose what it answers.
    """
    own = [number for number, part in enumerate(parts) if part.kind == "own" and _is_seen(part.blocks)]
    signature: list[Block] = []
    for number, part in enumerate(parts):
        _begin(part.blocks)
        if part.kind == "own":
            made.blocks.extend(part.blocks)
        elif part.kind == "answered":
            made.blocks.append(Quote(part.blocks))
        elif part.kind == "signature":
            if look.signatures == "keep":
                made.blocks.extend(part.blocks)
            elif look.signatures == "fold" and place.folds:
                signature.extend(part.blocks)
            elif look.signatures == "fold":
                made.blocks.extend(_greyed(part.blocks))
        elif place.folds and look.collapse_quotes and own and own[-1] < number:
            title = f"Earlier mail quoted here: {part.origin}" if part.origin else "Earlier mail quoted here"
            made.folds.append(Fold(title, [Quote(part.blocks)]))
        else:
            if part.origin:
                made.blocks.append(Line([Run(f"{part.origin}:", frozenset({"em"}))]))
            made.blocks.append(Quote(part.blocks))
    if _is_seen(signature):
        made.folds.append(Fold("Signature", signature))


def _begin(blocks: Sequence[Block]) -> None:
    """Let a part begin with a paragraph of its own, whatever stood before its first line in the mail."""
    if blocks and isinstance(blocks[0], Line):
        blocks[0].soft = False


def _is_seen(blocks: Sequence[Block]) -> bool:
    return bool(visible(blocks).strip()) or any(files_in(blocks))


def _greyed(blocks: Sequence[Block]) -> list[Block]:
    return [
        replace(block, runs=[replace(run, colour="" if run.href else _GREY) for run in block.runs])
        if isinstance(block, Line)
        else block
        for block in blocks
    ]


def _why_empty(message: Message, parts: Sequence[Part]) -> str:
    if any(file.mime_type.lower() in _ENCRYPTED for file in message.files):
        return "This mail is encrypted; only its readers' own programs can open it."
    if parts or any(body.text.strip() for body in message.bodies):
        return "This mail has no words of its own; what it quotes stands above."
    return "This mail has no text."


def fallback_lines(message: Message) -> list[Block]:
    """Return the bare words of the mail as lines without links, whatever they are: for a body that was refused."""
    made: list[Block] = []
    for body in message.bodies:
        text = without_tags(body.text) if body.kind == "html" else body.text
        soft = False
        for row in text.split("\n"):
            if row.strip():
                made.append(replace(line(row.strip()), soft=soft))
            soft = bool(row.strip())
    return made
