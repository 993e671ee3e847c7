"""CPU of a published message, over TLS, beside the very same HTTP requests without the product."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlmodel import func, select

from bench.figures import Cpu, Figure
from bench.office import LABEL, Office, office
from bench.replay import bare_requests, journal_mark
from bench.sandbox import sandbox
from bridge.sandbox.world import World
from bridge.store.tables import Entry, EntryState

ADA, BEN = "ada@example.com", "ben@example.com"
_MOST_TURNS = 20
_ATTACHMENT = bytes(range(256)) * 80
_TEXT = "Hello,\n\nthe plan for the week is below. Please say what is missing.\n\n- build\n- measure\n\n{who}\n"


def measure(threads: int = 10, replies: int = 3, rounds: int = 3) -> list[Figure]:
    """Publish new threads each round (a page with a file of 20 KB, then comments), and send the same requests bare."""
    messages = threads * (1 + replies)
    product, bare = Cpu(), Cpu()
    with TemporaryDirectory() as name, sandbox(Path(name)) as served, office(served, Path(name), places=1) as at:
        at.connect(ADA)
        _publish(at, 1, replies, 0)
        for number in range(1, rounds + 1):
            mark = served.ask(journal_mark)
            served.ask(_write_threads, threads, replies, number)
            wanted = _published(at) + messages
            with product.stretch():
                _work_until(at, wanted)
            with bare_requests(served, at.transports, mark) as (sent, send), bare.stretch():
                send()
    ours, peer = product.each(messages), bare.each(messages)
    return [
        Figure("published message: whole", ours, "ms CPU", "the same requests without the product", peer),
        Figure("published message: product's share", ours - peer, "ms CPU"),
        Figure("published message: requests", len(sent) / messages, "requests"),
        Figure("published message: a request, whole", ours * messages / len(sent), "ms CPU"),
    ]


def _publish(at: Office, threads: int, replies: int, number: int) -> None:
    at.sandbox.ask(_write_threads, threads, replies, number)
    _work_until(at, threads * (1 + replies))


def _work_until(at: Office, wanted: int) -> None:
    for _ in range(_MOST_TURNS):
        at.turn()
        if _published(at) >= wanted:
            return
    raise AssertionError(f"{_published(at)} of {wanted} messages were published in {_MOST_TURNS} passes")


def _published(at: Office) -> int:
    with at.company.oauth.store.read() as session:
        return session.exec(select(func.count()).where(Entry.state == EntryState.DONE)).one()


def _write_threads(world: World, threads: int, replies: int, number: int) -> None:
    """Let threads arrive in Ada's mailbox, and label them."""
    gmail = world.google.gmail
    begun = datetime.now(UTC) - timedelta(hours=1)
    for thread in range(threads):
        thread_id = ""
        for reply in range(1 + replies):
            mail = _mail(f"Plan {number}-{thread}", f"{number}.{thread}.{{}}@example.com", reply)
            at = begun + timedelta(minutes=reply)
            _, thread_id = gmail.deliver(ADA, mail.as_bytes(), thread_id=thread_id or None, at=at)
        gmail.label_thread(ADA, thread_id, LABEL)


def _mail(subject: str, message_id: str, reply: int) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = f"Ben Hart <{BEN}>", f"Ada Lovelace <{ADA}>"
    mail["Subject"] = f"Re: {subject}" if reply else subject
    mail["Date"] = datetime.now(UTC)
    mail["Message-ID"] = f"<{message_id.format(reply)}>"
    if reply:
        mail["In-Reply-To"] = mail["References"] = f"<{message_id.format(reply - 1)}>"
    mail.set_content(_TEXT.format(who=f"Ben, mail {reply}"))
    mail.add_alternative(f"<p>Hello,</p><p>the <b>plan</b>, part {reply}.</p><ul><li>build<li>measure</ul>", "html")
    if not reply:
        mail.add_attachment(_ATTACHMENT, maintype="application", subtype="pdf", filename="plan.pdf")
    return mail
