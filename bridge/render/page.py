"""What stands around the text: the page, the comment, and the plain fallback of either.

The panel at a page's head is the bridge's own voice. No mail can make a macro, so none can forge it.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.model import LeftOut, Look, Message, Rendered
from bridge.render import dates, emit, escape, people
from bridge.render.content import Content, Fold, content, fallback_lines
from bridge.render.parse import HtmlParser
from bridge.render.sizes import file_words, size_words
from bridge.render.title import bare_subject

_ENVELOPE = (
    '<ac:parameter ac:name="panelIcon">:envelope:</ac:parameter>'
    '<ac:parameter ac:name="panelIconId">2709</ac:parameter>'
    '<ac:parameter ac:name="panelIconText">✉️</ac:parameter>'
    '<ac:parameter ac:name="bgColor">#F7F8F9</ac:parameter>'
)
_GREY = "rgb(98,111,134)"
_NOTE_ROOM = 2048


def render_page(message: Message, look: Look, *, parser: HtmlParser) -> Rendered:
    """Return the page (or blog post) of a thread's first mail.

    Who, what they wrote, the files, then what is folded away and a note of what is missing. ``left_out`` holds what
    ``look`` names already and what the text itself had to leave behind.
    """
    made = content(message, look, (), parser, emit.PAGE)
    head = _panel(message, look) + _warning(message)
    files = _attachments(made)
    body, folds = _fitted(made, emit.PAGE, look, head + files)
    left_out = (*look.left_out, *made.left_out)
    note = _note(left_out)
    return Rendered(head + body + files + folds + note, left_out, made.plain, tuple(made.verdicts))


def render_comment(
    message: Message, look: Look, earlier: Sequence[Message], *, parser: HtmlParser, own: bool = False
) -> Rendered:
    """Return the comment of a reply.

    Args:
        message: the reply.
        look: as for a page; the files stand on the page itself.
        earlier: the messages of the thread before it, oldest first.
        parser: for HTML.
        own: posted by its own writer, whose name Confluence shows already.
    """
    made = content(message, look, earlier, parser, emit.COMMENT)
    head = f"<p>{_byline(message, look, own=own)}</p>" + _comment_remarks(message, earlier)
    files = _attached(made)
    body, _ = _fitted(made, emit.COMMENT, look, head + files)
    left_out = (*look.left_out, *made.left_out)
    return Rendered(head + body + files + _not_shown(left_out), left_out, made.plain, tuple(made.verdicts))


def render_fallback(message: Message, look: Look) -> Rendered:
    """Return the mail's bare words in paragraphs: for a body that Confluence refused, or a mail that broke the parser.

    No macro, no picture, no link but the marker; it serves as a page and as a comment.
    """
    made = Content(blocks=fallback_lines(message), plain=True)
    made.left_out.append(LeftOut("Formatting, pictures and links", "the mail could not be converted as it is."))
    head = f"<p>{_byline(message, look, own=False)}</p>" + _comment_remarks(message, ())
    names = [look.files[file.part_id].name for file in message.files if file.part_id in look.files]
    files = emit.paragraph(f"Attached: {', '.join(names)}") if names else ""
    body, _ = _fitted(made, emit.COMMENT, look, head + files)
    left_out = (*look.left_out, *made.left_out)
    return Rendered(head + body + files + _not_shown(left_out), left_out, plain=True)


def _panel(message: Message, look: Look) -> str:
    sender = f"<strong>{escape.text(people.name(message.sender))}</strong>"
    if place := people.whereabouts(message.sender, look):
        sender += f" ({escape.text(place)})"
    to = people.listing((*message.to, *message.cc), look)
    when = dates.long_date(message.date, look.timezone)
    if late := dates.arrived_late(message.sent, message.date, look.timezone):
        when += f", {late}"
    opening = f'<a href="{escape.attribute(look.mail_url)}">Open in Gmail</a> (recipients)'
    promise = f"Published from mail by {escape.text(escape.one_line(look.published_by))}. "
    if look.replies_follow:
        promise += "Replies follow as comments; comments written here are not sent to anyone."
    else:
        promise += "Comments written here are not sent to anyone."
    if look.about_url:
        promise += f' <a href="{escape.attribute(look.about_url)}">What is this page?</a>'
    return (
        f'<ac:structured-macro ac:name="panel">{_ENVELOPE}<ac:rich-text-body>'
        f"<p>{sender} wrote{escape.text(f' to {to}' if to else '')}<br/>{escape.text(when)} · {opening}</p>"
        f'<p><span style="color: {_GREY};">{promise}</span></p></ac:rich-text-body></ac:structured-macro>'
    )


def _warning(message: Message) -> str:
    if message.proof != "failed":
        return ""
    return (
        '<ac:structured-macro ac:name="warning"><ac:rich-text-body>'
        f"{emit.paragraph(_unverified(message))}</ac:rich-text-body></ac:structured-macro>"
    )


def _unverified(message: Message) -> str:
    domain = message.sender.address.rpartition("@")[2] or "where it says"
    return f"Sender not verified: the mail may not be from {domain}."


def _byline(message: Message, look: Look, *, own: bool) -> str:
    when = dates.medium_date(message.date, look.timezone)
    if late := dates.arrived_late(message.sent, message.date, look.timezone):
        when += f", {late}"
    place = people.whereabouts(message.sender, look)
    behind = f" ({escape.text(place)})" if place else ""
    name = f"<strong>{escape.text(people.name(message.sender))}</strong>{behind} by mail"
    return f'{"By mail" if own else name}, {escape.text(when)} · <a href="{escape.attribute(look.mail_url)}">mail</a>'


def _comment_remarks(message: Message, earlier: Sequence[Message]) -> str:
    """Return what else a reader must know first: an unproven sender, a subject that is not the thread's."""
    remarks = emit.paragraph(_unverified(message)) if message.proof == "failed" else ""
    subject = bare_subject(message.subject)
    if earlier and subject and subject.casefold() != bare_subject(earlier[0].subject).casefold():
        remarks += f"<p><em>Subject: {escape.text(subject)}</em></p>"
    return remarks


def _attachments(made: Content) -> str:
    if not made.attached:
        return ""
    items = "".join(
        f"<li><p>{emit.file_link(file.name, file.name)} ({escape.text(file_words(file))})</p></li>"
        for file in made.attached
    )
    return f"<p><strong>Attachments</strong></p><ul>{items}</ul>"


def _attached(made: Content) -> str:
    if not made.attached:
        return ""
    links = ", ".join(
        f"{emit.file_link(file.name, file.name)} ({escape.text(file_words(file))})" for file in made.attached
    )
    return f"<p>Attached: {links}</p>"


def _fitted(made: Content, place: emit.Place, look: Look, around: str) -> tuple[str, str]:
    """Return the text and the folds, both cut so that all fits into ``max_body``; a cut is added to ``left_out``."""
    room = max(look.max_body - len(around.encode()) - _NOTE_ROOM, 0)
    body, complete = emit.write_within(made.blocks, place, room)
    room -= len(body.encode())
    folds: list[str] = []
    for fold in made.folds:
        written, fits = _fold(fold, place, room)
        complete = complete and fits
        room -= len(written.encode())
        folds.append(written)
    if not complete:
        limit = size_words(look.max_body)
        why = f"longer than one page may be ({limit}). It is in the mail."
        made.left_out.append(LeftOut("The rest of the text", why))
    return body, "".join(folds)


def _fold(fold: Fold, place: emit.Place, room: int) -> tuple[str, bool]:
    title = escape.one_line(fold.title)
    around = len(emit.expand(title, "").encode())
    written, fits = emit.write_within(fold.blocks, place, room - around)
    return (emit.expand(title, written) if written else ""), fits


def _note(left_out: Sequence[LeftOut]) -> str:
    if not left_out:
        return ""
    items = "".join(f"<li>{emit.paragraph(_reason(item))}</li>" for item in left_out)
    return (
        '<ac:structured-macro ac:name="note"><ac:rich-text-body><p><strong>Not on this page</strong></p>'
        f"<ul>{items}</ul></ac:rich-text-body></ac:structured-macro>"
    )


def _not_shown(left_out: Sequence[LeftOut]) -> str:
    return emit.paragraph("Not shown: " + " ".join(_reason(item) for item in left_out)) if left_out else ""


def _reason(item: LeftOut) -> str:
    text = escape.one_line(f"{item.name}: {item.why}")
    return text if text.endswith((".", "!", "?")) else text + "."
