"""The kinds of values that name something at Gmail or Confluence: labels, spaces, pages, titles."""

from __future__ import annotations

import re
import unicodedata
from string import Formatter
from urllib.parse import parse_qs, urlsplit

from bridge.config.faults import Wrong, either, quoted
from bridge.config.values import text, texts

SYSTEM_LABELS = frozenset(
    {"inbox", "sent", "draft", "drafts", "spam", "trash", "unread", "starred", "important", "chat"}
)
"""Names of Gmail's own labels, casefolded; a route on one of them would publish mail that nobody chose."""

PLACEHOLDERS = ("subject", "from", "date", "label")
DATE_DIRECTIVES = frozenset("aAbBdGHIjmMpuVyY%")

_ROUTE_NAME = re.compile(r"[^\W_](?:[\w.-]{0,62}\w)?")
_SPACE_KEY = re.compile(r"~?[A-Za-z0-9][A-Za-z0-9:._-]{0,254}")
_PAGE_LABEL_REFUSED = re.compile(r"[\s!#&()*,.:;<>?@\[\]^]")
_PAGE_IN_PATH = re.compile(r"/pages/(?:edit-v2/)?([0-9]+)(?:/|\Z)")
_TITLE_MAX = 255
_LABEL_MAX = 225


def label_key(label: str) -> str:
    """Return what two spellings of one Gmail label have in common; Gmail does not tell upper from lower case."""
    return unicodedata.normalize("NFC", label).casefold()


def page_id(reference: str) -> str:
    """Return the content id in a page's id or address, '' where the reference is a title (or empty)."""
    if reference.isascii() and reference.isdigit():
        return reference
    if not reference.lower().startswith(("https://", "http://")):
        return ""
    try:
        parts = urlsplit(reference)
    except ValueError:
        return ""
    match = _PAGE_IN_PATH.search(parts.path)
    asked = parse_qs(parts.query).get("pageId", [""])[0]
    return match[1] if match else asked if asked.isascii() and asked.isdigit() else ""


def _route_name(value: str) -> str:
    if not _ROUTE_NAME.fullmatch(value):
        raise Wrong(f"{quoted(value)} is not allowed. Use up to 64 letters, digits, dots, - and _.")
    return value


ROUTE_NAME = text(_route_name)
"""The name of a route, by which published threads find it again."""


def _label(value: str) -> str:
    if "{" in value or "}" in value:
        raise Wrong(
            f'{quoted(value)} is a pattern; patterns come with a later version. Write one label, as "Confluence/ENG".'
        )
    if not value or len(value) > _LABEL_MAX or any(not part.strip() for part in value.split("/")):
        raise Wrong(f'{quoted(value)} is not the name of a label. Write it as Gmail shows it, as "Confluence/ENG".')
    if label_key(value) in SYSTEM_LABELS or label_key(value).startswith("category_"):
        raise Wrong(f"{quoted(value)} is one of Gmail's own labels. Make another for what is to be published.")
    return value


LABEL = text(_label)
"""The plain name of a Gmail label."""


def _space(value: str) -> str:
    if not _SPACE_KEY.fullmatch(value):
        raise Wrong(f'{quoted(value)} is not the key of a space. It stands in the address of the space, as "ENG".')
    return value


SPACE = text(_space)
"""The key of a Confluence space."""


def _parent(value: str) -> str:
    if value.lower().startswith(("https://", "http://")) and not page_id(value):
        raise Wrong(f"{quoted(value)} is not a page's address. Use one with /pages/NUMBER, the number or the title.")
    if len(value) > _TITLE_MAX:
        raise Wrong(f"is longer than the {_TITLE_MAX} characters that a title can have.")
    return value


PARENT = text(_parent)
"""'' or a page by its id, its address or its title."""


def _page(value: str) -> str:
    if value and not page_id(value):
        raise Wrong(f'{quoted(value)} is not a page. Write its number or its address, as "123456".')
    return value


PAGE = text(_page)
"""'' or a page by its id or its address."""


def _title(value: str) -> str:
    known = either(f"{{{name}}}" for name in PLACEHOLDERS)
    if not value or len(value) > _TITLE_MAX:
        raise Wrong(f"is empty or longer than {_TITLE_MAX} characters. Write a text with {known}.")
    try:
        parts = list(Formatter().parse(value))
    except ValueError:
        raise Wrong(
            f"{quoted(value)} has a brace without its other half. For a brace itself write {{{{ or }}}}."
        ) from None
    for _, name, form, conversion in parts:
        if name is not None and (name not in PLACEHOLDERS or conversion):
            raise Wrong(f"{{{name}}} is not known in a title. Use {known}.")
        if form and (name != "date" or "{" in form):
            raise Wrong(f"{{{name}:{form}}} is not allowed. Only {{date:...}} takes a form, as {{date:%Y-%m-%d}}.")
        for directive in re.findall(r"%(.?)", form or ""):
            if directive not in DATE_DIRECTIVES or directive == "":
                raise Wrong(f"%{directive} is not known in a date. Write for example {{date:%Y-%m-%d}}.")
    return value


TITLE = text(_title)
"""A title with places for the subject, the sender, the date and the label."""


def _page_label(value: str) -> str:
    label = value.lower()
    if not label or len(label) > _TITLE_MAX or _PAGE_LABEL_REFUSED.search(label):
        raise Wrong(f'{quoted(value)} is not a label that Confluence takes. Use letters, digits, - and _, as "mail".')
    return label


PAGE_LABELS = texts(_page_label, example="mail")
"""Labels of a Confluence page, in lower case."""
