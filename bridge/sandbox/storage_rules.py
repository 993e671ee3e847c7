"""What the sandbox's strict storage validator accepts, as tables.

Source: Atlassian's pages on the storage format and recordings of what editors write. Confluence itself checks hardly
more than well-formedness; the sandbox refuses what these tables do not name, so that a program that is tested against
it writes only what is known to be displayed well.
"""

from __future__ import annotations

import re

AC = "http://atlassian.com/content"
RI = "http://atlassian.com/resource/identifier"

_RGB = r"rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)"
_PX = r"\d+(?:\.\d+)?px"
_ANY = re.compile(r"[\s\S]*")
_NUMBER = re.compile(r"\d{1,5}")
_BOOL = re.compile(r"true|false")
_ALIGN = r"text-align:\s*(?:left|start|center|right|end|justify)"
_BLOCK_STYLE = re.compile(rf"\s*(?:(?:{_ALIGN}|margin-left:\s*{_PX})\s*;?\s*)*")
_SPAN_STYLE = re.compile(rf"\s*(?:background-)?color:\s*(?:{_RGB}|#[0-9a-fA-F]{{3}}(?:[0-9a-fA-F]{{3}})?)\s*;?\s*")
_WIDTH_STYLE = re.compile(rf"\s*width:\s*{_PX}\s*;?\s*")
_TABLE_LAYOUT = re.compile(r"align-start|align-end|center|wide|full-width|default")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_HREF = re.compile(r"(?:https?://|mailto:|tel:|ftp://|/|#)[^\s<>\"]*", re.IGNORECASE)

Rules = dict[str, re.Pattern[str]]

_CELL: Rules = {"colspan": _NUMBER, "rowspan": _NUMBER, "data-highlight-colour": _COLOUR, "style": _BLOCK_STYLE}
_IMAGE: Rules = {
    "ac:alt": _ANY,
    "ac:title": _ANY,
    "ac:align": re.compile(r"left|center|right"),
    "ac:layout": re.compile(r"center|align-start|align-end|wide|full-width|wrap-left|wrap-right"),
    "ac:width": _NUMBER,
    "ac:height": _NUMBER,
    "ac:custom-width": _BOOL,
    "ac:original-width": _NUMBER,
    "ac:original-height": _NUMBER,
    "ac:thumbnail": _BOOL,
    "ac:border": _BOOL,
}
_SECTION_TYPE = re.compile(
    r"single|two_equal|two_left_sidebar|two_right_sidebar|three_equal|three_with_sidebars|fixed-width"
)

ELEMENTS: dict[str, Rules] = {
    "p": {"style": _BLOCK_STYLE},
    **{f"h{level}": {"style": _BLOCK_STYLE} for level in range(1, 7)},
    **{name: {} for name in ("blockquote", "pre", "hr", "br", "strong", "em", "u", "s", "del", "sub", "sup", "code")},
    "small": {},
    "big": {},
    "a": {"href": _HREF},
    "span": {"style": _SPAN_STYLE},
    "time": {"datetime": _DATE},
    "ul": {"style": _ANY},
    "ol": {"style": _ANY, "start": _NUMBER},
    "li": {},
    "table": {"data-layout": _TABLE_LAYOUT, "data-table-width": re.compile(r"\d{1,4}(?:\.0)?")},
    "colgroup": {},
    "col": {"style": _WIDTH_STYLE},
    "thead": {},
    "tbody": {},
    "tr": {},
    "th": _CELL,
    "td": _CELL,
    **{f"ac:task{part}": {} for part in ("-list", "", "-id", "-status", "-body")},
    "ac:image": _IMAGE,
    "ac:caption": {},
    "ac:link": {"ac:anchor": _ANY},
    "ac:plain-text-link-body": {},
    "ac:link-body": {},
    "ac:emoticon": {f"ac:{name}": _ANY for name in ("name", "emoji-shortname", "emoji-id", "emoji-fallback")},
    "ac:layout": {},
    "ac:layout-section": {"ac:type": _SECTION_TYPE},
    "ac:layout-cell": {},
    "ac:structured-macro": {"ac:name": _ANY, "ac:schema-version": _NUMBER, "ac:macro-id": _ANY},
    "ac:parameter": {"ac:name": _ANY},
    "ac:rich-text-body": {},
    "ac:plain-text-body": {},
    "ri:attachment": {"ri:filename": _ANY, "ri:version-at-save": _NUMBER},
    "ri:url": {"ri:value": re.compile(r"https?://\S+")},
    "ri:page": {"ri:content-title": _ANY, "ri:space-key": _ANY},
    "ri:space": {"ri:space-key": _ANY},
    "ri:blog-post": {"ri:content-title": _ANY, "ri:posting-day": _ANY, "ri:space-key": _ANY},
    "ri:user": {"ri:account-id": _ANY},
}
"""Each accepted element with its accepted attributes and the pattern that a value must match whole."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "a": ("href",),
    "time": ("datetime",),
    "ac:structured-macro": ("ac:name",),
    "ac:parameter": ("ac:name",),
    "ac:layout-section": ("ac:type",),
    "ri:attachment": ("ri:filename",),
    "ri:url": ("ri:value",),
    "ri:user": ("ri:account-id",),
}

MACROS: dict[str, tuple[str, frozenset[str]]] = {
    "code": (
        "plain",
        frozenset(
            {"language", "title", "collapse", "linenumbers", "firstline", "theme", "breakoutMode", "breakoutWidth"}
        ),
    ),
    "noformat": ("plain", frozenset({"nopanel", "title"})),
    **{name: ("rich", frozenset({"title", "icon"})) for name in ("info", "note", "tip", "warning")},
    "panel": (
        "rich",
        frozenset(
            {"title", "bgColor", "borderColor", "borderStyle", "titleColor", "titleBGColor"}
            | {"panelIconId", "panelIcon", "panelIconText"}
        ),
    ),
    "expand": ("rich", frozenset({"title"})),
    "excerpt": ("rich", frozenset({"hidden", "name", "atlassian-macro-output-type"})),
    "attachments": ("none", frozenset({"old", "patterns", "sortBy", "sortOrder", "upload", "preview", "labels"})),
    "view-file": ("none", frozenset({"name", "height"})),
    "status": ("none", frozenset({"title", "colour", "subtle"})),
    "toc": ("none", frozenset({"maxLevel", "minLevel", "style", "outline"})),
    "anchor": ("none", frozenset({""})),
}
"""Each accepted macro: the kind of its body ("plain", "rich", "none") and its parameters."""

PAGE_ONLY_MACROS = frozenset({"toc", "attachments", "excerpt", "expand", "panel", "view-file"})
"""Macros that nobody has seen displayed in a comment."""

BOXES = frozenset({"info", "note", "tip", "warning", "panel"})
"""Macros that the editor turns into panels: none of them inside another."""

INLINE = frozenset({"strong", "em", "u", "s", "del", "sub", "sup", "code", "a", "span", "time", "small", "big"})
BLOCK = frozenset(
    {
        "p",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "blockquote",
        "pre",
        "hr",
        "ul",
        "ol",
        "table",
        "ac:task-list",
        "ac:layout",
    }
)
TEXT_BLOCK = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "pre"}) | INLINE
"""Elements that hold text and inline elements only."""

PARENTS: dict[str, frozenset[str]] = {
    "li": frozenset({"ul", "ol"}),
    "colgroup": frozenset({"table"}),
    "col": frozenset({"colgroup"}),
    "thead": frozenset({"table"}),
    "tbody": frozenset({"table"}),
    "tr": frozenset({"thead", "tbody", "table"}),
    "th": frozenset({"tr"}),
    "td": frozenset({"tr"}),
    "ac:task": frozenset({"ac:task-list"}),
    "ac:task-id": frozenset({"ac:task"}),
    "ac:task-status": frozenset({"ac:task"}),
    "ac:task-body": frozenset({"ac:task"}),
    "ac:caption": frozenset({"ac:image"}),
    "ac:plain-text-link-body": frozenset({"ac:link"}),
    "ac:link-body": frozenset({"ac:link"}),
    "ac:layout-section": frozenset({"ac:layout"}),
    "ac:layout-cell": frozenset({"ac:layout-section"}),
    "ac:parameter": frozenset({"ac:structured-macro"}),
    "ac:rich-text-body": frozenset({"ac:structured-macro"}),
    "ac:plain-text-body": frozenset({"ac:structured-macro"}),
    "ri:attachment": frozenset({"ac:image", "ac:link", "ac:parameter"}),
    "ri:url": frozenset({"ac:image"}),
    "ri:user": frozenset({"ac:link"}),
    "ri:space": frozenset({"ac:link"}),
    "ri:blog-post": frozenset({"ac:link"}),
    "ri:page": frozenset({"ac:link", "ri:attachment"}),
}
"""Where an element may stand, for those that may not stand anywhere."""

CHILDREN: dict[str, frozenset[str]] = {
    "ul": frozenset({"li"}),
    "ol": frozenset({"li"}),
    "table": frozenset({"colgroup", "thead", "tbody", "tr"}),
    "colgroup": frozenset({"col"}),
    "thead": frozenset({"tr"}),
    "tbody": frozenset({"tr"}),
    "tr": frozenset({"th", "td"}),
    "ac:task-list": frozenset({"ac:task"}),
    "ac:task": frozenset({"ac:task-id", "ac:task-status", "ac:task-body"}),
    "ac:layout": frozenset({"ac:layout-section"}),
    "ac:layout-section": frozenset({"ac:layout-cell"}),
    "ac:structured-macro": frozenset({"ac:parameter", "ac:rich-text-body", "ac:plain-text-body"}),
    "ac:link": frozenset(
        {"ri:attachment", "ri:page", "ri:space", "ri:blog-post", "ri:user", "ac:plain-text-link-body", "ac:link-body"}
    ),
    "ac:image": frozenset({"ri:attachment", "ri:url", "ac:caption"}),
    "br": frozenset(),
    "hr": frozenset(),
    "col": frozenset(),
    "ac:plain-text-body": frozenset(),
    "ac:plain-text-link-body": frozenset(),
}
"""What an element may hold directly, for those that hold only certain elements; text is for ``HOLDS_TEXT`` alone."""

HOLDS_TEXT = frozenset({"ac:plain-text-body", "ac:plain-text-link-body"})

NOT_INSIDE: dict[str, frozenset[str]] = {
    "table": frozenset({"table"}),
    "blockquote": frozenset({"blockquote"}),
    "ac:layout": frozenset({"ac:layout", "table", "blockquote", "li"}),
    "ac:task-list": frozenset({"li"}),
    "a": frozenset({"a", "ac:link"}),
    "ac:link": frozenset({"a", "ac:link"}),
}
"""Elements that the editor does not keep at any depth inside another."""
