"""Message -> storage format: a sanitised tree goes in, XHTML built from an allow-list comes out.

The way of a mail: ``parse`` (HTML to a tree) and ``read`` or ``plain`` (tree or text to blocks), ``cut`` (which blocks
are quoted mail or a signature), ``emit`` (blocks to storage format), ``page`` (what stands around it).
"""

from __future__ import annotations

from bridge.render.names import free_name, safe_name
from bridge.render.origin import find_key, find_origins, origin_url
from bridge.render.page import render_comment, render_fallback, render_page
from bridge.render.parse import HtmlParser
from bridge.render.title import title, title_candidates

__all__ = [
    "HtmlParser",
    "find_key",
    "find_origins",
    "free_name",
    "origin_url",
    "render_comment",
    "render_fallback",
    "render_page",
    "safe_name",
    "title",
    "title_candidates",
]
