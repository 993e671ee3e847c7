"""Mail HTML -> a sanitised tree. Mail HTML is hostile input, and this is the first of two allow-lists.

nh3 (ammonia and html5ever, memory-safe) cleans it; what nh3 prints is regular enough that three steps make it XML:
drop the code points that XML forbids, close the void elements, spell ``&nbsp;``. Some inputs cost quadratic time, so
anything large is cleaned in a child process that has a time limit and a memory limit.
"""

from __future__ import annotations

import multiprocessing
import re
import resource
import threading
from concurrent.futures import BrokenExecutor
from html import unescape
from types import TracebackType
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import nh3
from pebble import ProcessExpired, ProcessPool

from bridge.render.escape import legal

IN_PROCESS = 64 * 1024
"""Up to how many characters are cleaned in this process (the worst known input of that size takes 0.6 s)."""

LARGEST = 6 * 1024 * 1024
"""Over how many characters nothing is tried: no page could hold it."""

TIME_LIMIT = 2.0
"""How many seconds the child has."""

MEMORY_LIMIT = 1024 * 1024 * 1024
"""How many bytes of address space the child has."""

_TAGS = frozenset(
    "a abbr address article aside b big blockquote br caption center cite code col colgroup dd del details dfn dir"
    " div dl dt em fieldset figcaption figure font footer form h1 h2 h3 h4 h5 h6 header hgroup hr i img ins kbd"
    " legend li listing main mark menu nav ol p plaintext pre q s samp section small span strike strong sub summary sup"
    " table tbody td tfoot th thead tr tt u ul var xmp".split()
)
_WITHOUT_CONTENT = frozenset(
    "script style head title template svg math object iframe textarea select noscript noframes noembed xml".split()
)
_ATTRIBUTES = {
    "*": {"class", "id", "style", "dir", "lang", "type", "cite", "hidden", "align", "role", "data-smartmail"},
    "a": {"href", "name"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "table": {"border", "summary"},
    "font": {"color"},
    "ol": {"start"},
}
_SCHEMES = {"http", "https", "mailto", "tel", "cid", "data"}
_VOID = re.compile(r'<(br|hr|img|col)((?:\s+[^\s=<>"]+="[^"]*")*)\s*>')
_NULL = re.compile(r"&#(?:0+|[xX]0+)(?:;|(?![0-9a-fA-F]))")
_ENDLESS = re.compile(r"&#[xX]?[0-9a-fA-F]{9,};?")  # html.unescape raises on thousands of digits
_TAG = re.compile(r"<[^<>]*>")
_UNSHOWN = re.compile(r"<!--|-->|<(/?)(script|style|title)\b[^<>]*>", re.IGNORECASE)
_LINE = re.compile(r"(?i)</?(?:p|div|br|li|tr|h[1-6]|table|blockquote|pre|hr)\b")
_DATA = re.compile(r"""(?i)(\bsrc\s*=\s*["']?data:[a-z0-9.+/-]{1,60})[^"'>\s]*""")


def clean(html: str) -> str:
    """Return the HTML as XML text with one root element, holding only what the first allow-list lets through.

    Pictures that stand in the text itself (``data:``) keep their place and type and lose their bytes.
    """
    html = legal(html)
    if "data:" in html or "DATA:" in html:
        html = _DATA.sub(r"\1", html)
    html = _NULL.sub("", html)
    cleaned = nh3.clean(
        html,
        tags=set(_TAGS),
        clean_content_tags=set(_WITHOUT_CONTENT),
        attributes=_ATTRIBUTES,
        strip_comments=True,
        link_rel=None,
        url_schemes=_SCHEMES,
    )
    cleaned = _VOID.sub(r"<\1\2/>", legal(cleaned)).replace("&nbsp;", "\u00a0")
    return f"<mail>{cleaned}</mail>"


def without_tags(html: str) -> str:
    """Return the text of HTML that the parser gave up on: tags cut out in linear time, a line for each block."""
    text = _LINE.sub(lambda match: "\n" + match[0], _shown(html[:LARGEST]))
    text = _ENDLESS.sub("", _TAG.sub("", text))
    lines = (" ".join(unescape(row).split()) for row in text.split("\n"))
    return "\n".join(row for row in lines if row)


def _shown(html: str) -> str:
    """Return the HTML without comments and without what no browser shows; what is never closed goes on to the end."""
    kept: list[str] = []
    at, until = 0, ""
    for match in _UNSHOWN.finditer(html):
        mark = match[0] if match[2] is None else match[1] + match[2].lower()
        if until:
            if mark == until:
                at, until = match.end(), ""
        elif mark == "<!--" or match[1] == "":
            kept.append(html[at : match.start()])
            until = "-->" if mark == "<!--" else f"/{mark}"
    return " ".join(kept if until else [*kept, html[at:]])


class HtmlParser:
    """Parses mail HTML; close it (or use it as a context manager) to end its child process.

    The child is started by the first large mail. Safe to share between threads.
    """

    def __init__(self, *, time_limit: float = TIME_LIMIT, memory_limit: int = MEMORY_LIMIT) -> None:
        self._time_limit = time_limit
        self._memory_limit = memory_limit
        self._pool: ProcessPool | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> HtmlParser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def parse(self, html: str) -> Element | None:
        """Return the sanitised tree, or None where the HTML is too large or took too long: show the text instead."""
        if len(html) > LARGEST:
            html = _DATA.sub(r"\1", html)
            if len(html) > LARGEST:
                return None
        cleaned = clean(html) if len(html) <= IN_PROCESS else self._clean_in_child(html)
        if cleaned is None:
            return None
        try:
            return ElementTree.fromstring(cleaned)
        except ElementTree.ParseError:
            return None

    def close(self) -> None:
        """End the child process, if there is one; a later large mail starts another."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()  # type: ignore[no-untyped-call]
            pool.join()

    def _clean_in_child(self, html: str) -> str | None:
        with self._lock:
            if self._pool is None:
                self._pool = ProcessPool(
                    max_workers=1,
                    initializer=_limit_memory,
                    initargs=[self._memory_limit],
                    context=multiprocessing.get_context("spawn"),
                )
            future = self._pool.schedule(clean, args=[html], timeout=self._time_limit)
        try:
            return future.result()
        except (TimeoutError, ProcessExpired, MemoryError):
            return None
        except BrokenExecutor:  # the pool itself is gone: the next large mail gets a new one
            self.close()
            return None


def _limit_memory(limit: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
