"""The sandbox's own reading of Confluence storage format: a strict validator, and what saving changes.

Independent of the product's renderer on purpose: an error that both sides shared could not be seen. The strict part is
stricter than Confluence, which stores almost everything that is well-formed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Literal
from xml.etree import ElementTree

from bridge.sandbox import storage_rules as rules

Place = Literal["page", "comment"]

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_NAMES = {f"{{{rules.AC}}}": "ac:", f"{{{rules.RI}}}": "ri:"}
_OPEN = f'<storage xmlns:ac="{rules.AC}" xmlns:ri="{rules.RI}">'
_MARKUP = re.compile(
    r"(?P<cdata><!\[CDATA\[.*?\]\]>)|(?P<gone><!--.*?-->|<\?.*?\?>)|(?P<tag><(?:[^\"'<>]|\"[^\"]*\"|'[^']*')*>)",
    re.DOTALL,
)
_START_STYLE = re.compile(r"style=(\"|')\s*text-align:\s*start;?\s*\1")


class StorageFault(ValueError):
    """A body that cannot be saved; the text is what the 400 answer says."""


def check(value: str, *, strict: bool = True, place: Place = "page", files: Collection[str] | None = None) -> None:
    """Refuse a body that cannot be saved.

    Args:
        value: the storage-format fragment.
        strict: also refuse what the tables of ``storage_rules`` do not name.
        place: where the body stands; comments may hold less.
        files: the names of the files on the page; each ``ri:attachment`` must be one of them. None: not looked at.

    Raises:
        StorageFault: with the first thing that is wrong.
    """
    for fault in faults(value, strict=strict, place=place, files=files):
        raise StorageFault(fault)


def faults(
    value: str, *, strict: bool = True, place: Place = "page", files: Collection[str] | None = None
) -> Iterator[str]:
    """Yield what is wrong with a body, in the order of the text; one that is not well-formed yields only that."""
    illegal = _ILLEGAL.search(value)
    if illegal:
        row = value.count("\n", 0, illegal.start()) + 1
        column = illegal.start() - value.rfind("\n", 0, illegal.start())
        yield _parsing(f"Illegal character entity: expansion character (code 0x{ord(illegal.group()):x})", row, column)
        return
    try:
        root = ElementTree.fromstring(f"{_OPEN}{value}</storage>")
    except ElementTree.ParseError as error:
        row, column = error.position
        yield _parsing(str(error).split(":")[0], row, column - (len(_OPEN) if row == 1 else 0) + 1)
        return
    if strict:
        yield from (f"{fault} (the sandbox is stricter than Confluence here)" for fault in _strict(root, (), place))
    if files is not None:
        yield from _missing_files(root, files)


def _parsing(what: str, row: int, column: int) -> str:
    return f"Error parsing xhtml: {what}\n at [row,col {{unknown-source}}]: [{row},{column}]"


def _name(qualified: str) -> str:
    for uri, prefix in _NAMES.items():
        if qualified.startswith(uri):
            return prefix + qualified[len(uri) :]
    return qualified


def _strict(element: ElementTree.Element, above: tuple[str, ...], place: Place) -> Iterator[str]:
    here = _name(element.tag) if above else ""
    if here:
        if here not in rules.ELEMENTS:
            yield f"Element <{here}> is not known"
            return
        yield from _attributes(element, here)
        yield from _position(here, above)
        if here == "ac:structured-macro":
            yield from _macro(element, above, place)
        if here == "ac:layout" and place == "comment":
            yield "A layout cannot stand in a comment"
    holds_only = rules.CHILDREN.get(here)
    if holds_only is not None and here not in rules.HOLDS_TEXT and _own_text(element).strip():
        yield f"Text cannot stand directly in <{here}>"
    tag = here
    if here == "ac:structured-macro":
        tag = "macro:" + element.get(f"{{{rules.AC}}}name", "")
    for child in element:
        name = _name(child.tag)
        if holds_only is not None and name not in holds_only and name in rules.ELEMENTS:
            yield f"<{name}> cannot stand directly in <{here}>"
        yield from _strict(child, (*above, tag or "storage"), place)


def _own_text(element: ElementTree.Element) -> str:
    return (element.text or "") + "".join(child.tail or "" for child in element)


def _attributes(element: ElementTree.Element, here: str) -> Iterator[str]:
    allowed = rules.ELEMENTS[here]
    given = {_name(name): value for name, value in element.attrib.items()}
    for name, value in given.items():
        if name not in allowed:
            yield f"Attribute {name} is not known on <{here}>"
        elif allowed[name].fullmatch(value) is None:
            yield f'{name}="{value[:80]}" is not allowed on <{here}>'
    for name in rules.REQUIRED.get(here, ()):
        if name not in given:
            yield f"<{here}> needs {name}"


def _position(here: str, above: tuple[str, ...]) -> Iterator[str]:
    parent = "ac:structured-macro" if above[-1].startswith("macro:") else above[-1]
    allowed = rules.PARENTS.get(here)
    if allowed is not None and parent not in allowed:
        yield f"<{here}> cannot stand in <{parent}>"
    if here in rules.BLOCK and parent in rules.TEXT_BLOCK:
        yield f"Block <{here}> cannot stand in <{parent}>"
    for outer in rules.NOT_INSIDE.get(here, frozenset()) & set(above):
        yield f"<{here}> cannot stand inside <{outer}>"


def _macro(element: ElementTree.Element, above: tuple[str, ...], place: Place) -> Iterator[str]:
    name = element.get(f"{{{rules.AC}}}name", "")
    if name not in rules.MACROS:
        yield f"Macro {name} is not known"
        return
    body, parameters = rules.MACROS[name]
    outer = {tag.removeprefix("macro:") for tag in above if tag.startswith("macro:")}
    if place == "comment" and name in rules.PAGE_ONLY_MACROS:
        yield f"Macro {name} cannot stand in a comment"
    if name in rules.BOXES and outer & rules.BOXES:
        yield f"Macro {name} cannot stand inside another panel"
    if name == "expand" and "expand" in outer:
        yield "Macro expand cannot stand inside another expand"
    if body != "none" and above[-1] in rules.TEXT_BLOCK:
        yield f"Macro {name} cannot stand in <{above[-1]}>"
    bodies = [_name(child.tag) for child in element if _name(child.tag) != "ac:parameter"]
    if bodies != {"rich": ["ac:rich-text-body"], "plain": ["ac:plain-text-body"], "none": []}[body]:
        yield f"Macro {name} needs {'no body' if body == 'none' else f'one {body} body'}"
    for child in element:
        parameter = child.get(f"{{{rules.AC}}}name", "")
        if _name(child.tag) == "ac:parameter" and parameter not in parameters:
            yield f"Parameter {parameter} is not known on macro {name}"


def _missing_files(root: ElementTree.Element, files: Collection[str]) -> Iterator[str]:
    for element in root.iter(f"{{{rules.RI}}}attachment"):
        name = element.get(f"{{{rules.RI}}}filename", "")
        if len(element) == 0 and name not in files:
            yield f"No file named {name} is attached to the page (the sandbox is stricter than Confluence here)"


def saved(value: str, new_id: Callable[[], str]) -> str:
    """Return a body as Confluence gives it back after saving it.

    Empty elements get a space before the slash, macros get a schema version and an id, ``text-align: start`` goes, and
    comments and processing instructions are dropped; everything else stays byte for byte. ``new_id`` makes a UUID.
    """

    def rewrite(match: re.Match[str]) -> str:
        if match["cdata"]:
            return match["cdata"]
        return _tag(match["tag"], new_id) if match["tag"] else ""

    return _MARKUP.sub(rewrite, value)


def _tag(tag: str, new_id: Callable[[], str]) -> str:
    if tag.startswith("</"):
        return tag
    closes = tag.endswith("/>")
    inside = tag[1 : -2 if closes else -1].rstrip()
    if inside.startswith("ac:structured-macro"):
        if "ac:schema-version=" not in inside:
            inside += ' ac:schema-version="1"'
        if "ac:macro-id=" not in inside:
            inside += f' ac:macro-id="{new_id()}"'
    inside = _START_STYLE.sub('style=""', inside)
    return f"<{inside} />" if closes else f"<{inside}>"


def without_ids(value: str) -> str:
    """Return a stored body without the ids that saving adds, so that two runs can be compared."""
    return re.sub(r' (?:ac:macro-id|ac:schema-version|ac:local-id|local-id|ri:version-at-save)="[^"]*"', "", value)
