"""Milliseconds from a mail to its page: real mail (read in place, where it is there) and the demo's own."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

import nh3

from bench.figures import Figure, middle, quantile, wall
from bridge.demo import samples
from bridge.mail.eml import message
from bridge.model import Look, Message, PlacedFile
from bridge.render import HtmlParser, free_name, origin_url, render_page
from bridge.render.allowed import check
from bridge.sandbox.storage import faults

MEDIAN_MS = 1.0
_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Timed:
    """One mail: milliseconds to read it and to render it, of the peers, and whether the page may be sent."""

    parse: float
    render: float
    stdlib: float
    nh3: float
    sound: bool


def measure(times: int = 3, most: int | None = None) -> list[Figure]:
    """Render each mail several times and take its best time, then the median and the 99th percentile of all mails.

    Args:
        times: how often each mail is rendered.
        most: how many mails of each collection, None for all.
    """
    figures: list[Figure] = []
    demo = [mail.eml for thread in samples.threads() for mail in thread.messages + thread.next]
    shared = [path.read_bytes() for path in sorted(_shared().glob("mails/**/*.eml"))]
    if not shared:
        print(f"rendering: no real mail at {_shared()}; set MAILBRIDGE_SHARED to measure with it.", file=sys.stderr)
    with HtmlParser() as parser:
        for name, mails in (("real mail", shared), ("demo's mail", demo)):
            if mails:
                timed = [_timed(data, parser, times) for data in mails[:most]]
                figures += _figures(f"{name} ({len(timed)})", timed)
    return figures


def _figures(name: str, timed: Sequence[Timed]) -> list[Figure]:
    render, parse = [one.render for one in timed], [one.parse for one in timed]
    whole = [one.render + one.parse for one in timed]
    sound = sum(one.sound for one in timed) / len(timed) * 100
    return [
        Figure(f"render {name}: median", middle(render), "ms", "at most", MEDIAN_MS),
        Figure(
            f"render {name}: median",
            middle(render),
            "ms",
            "nh3 alone on its HTML or text",
            middle([t.nh3 for t in timed]),
        ),
        Figure(f"render {name}: 99th percentile", quantile(render, 0.99), "ms"),
        Figure(
            f"parse {name}: median",
            middle(parse),
            "ms",
            "the standard library's parser alone",
            middle([t.stdlib for t in timed]),
        ),
        Figure(f"parse and render {name}: median", middle(whole), "ms", "at most", MEDIAN_MS),
        Figure(f"parse and render {name}: 99th percentile", quantile(whole, 0.99), "ms"),
        Figure(f"render {name}: sound pages", sound, "%", "at least", 100),
    ]


def _timed(data: bytes, parser: HtmlParser, times: int) -> Timed:
    mail = message(data)
    look = _look(mail)
    text = "\n".join(body.text for body in mail.bodies)
    page = render_page(mail, look, parser=parser).storage

    def best(work: object) -> float:
        assert callable(work)
        return min(wall(work) for _ in range(times)) * 1000

    return Timed(
        parse=best(lambda: message(data)),
        render=best(lambda: render_page(mail, look, parser=parser)),
        stdlib=best(lambda: message_from_bytes(data, policy=policy.compat32)),
        nh3=best(lambda: nh3.clean(text)),
        # The product's own allow-list, and the sandbox's independent reading of the format.
        sound=not check(page) and not list(faults(page)),
    )


def _look(mail: Message) -> Look:
    taken: set[str] = set()
    placed: dict[str, PlacedFile] = {}
    for file in mail.files:
        name = free_name(file.name, taken)
        taken.add(name.casefold())
        placed[file.part_id] = PlacedFile(name, file.size, file.mime_type)
    return Look(published_by="you", mail_url=origin_url("bench", mail.message_id), files=placed)


def _shared() -> Path:
    return Path(os.environ.get("MAILBRIDGE_SHARED") or _ROOT.parent / "shared")
