"""The allow-list of storage format: a check of what was written, apart from the code that writes it.

Confluence stores nearly any well-formed XHTML, so a fault here is the last chance to notice it before it is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

_AC = "http://atlassian.com/content"
_RI = "http://atlassian.com/resource/identifier"
_ANY = re.compile(r"[\s\S]*")
_SPAN = re.compile(r"[1-9]\d{0,3}")
_NONE: Mapping[str, re.Pattern[str]] = {}

_ELEMENTS: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    **dict.fromkeys("p h1 h2 h3 h4 h5 h6 blockquote br hr strong em u s sub sup code".split(), _NONE),
    **dict.fromkeys("ul ol li colgroup tbody tr ac:rich-text-body ac:plain-text-body".split(), _NONE),
    "a": {"href": re.compile(r"(?:https?://[^\s/]|mailto:|tel:)\S+", re.IGNORECASE)},
    "span": {"style": re.compile(r"color: rgb\(\d{1,3},\d{1,3},\d{1,3}\);")},
    "table": {"data-layout": re.compile("align-start|center|default|wide|full-width"), "data-table-width": _SPAN},
    "col": {"style": re.compile(r"width: \d{1,4}\.\d+px;")},
    "th": {"colspan": _SPAN, "rowspan": _SPAN},
    "td": {"colspan": _SPAN, "rowspan": _SPAN},
    "ac:structured-macro": {"ac:name": re.compile("panel|warning|note|expand|code|status")},
    "ac:parameter": {"ac:name": re.compile("[A-Za-z]+")},
    "ac:image": {"ac:alt": _ANY, "ac:layout": re.compile("center"), "ac:width": _SPAN},
    "ac:link": _NONE,
    "ac:plain-text-link-body": _NONE,
    "ri:attachment": {"ri:filename": re.compile(r'[^/\\:?*|<>"\x00-\x1f]+')},
}
_PARAMETERS: Mapping[str, frozenset[str]] = {
    "panel": frozenset({"panelIcon", "panelIconId", "panelIconText", "bgColor"}),
    "expand": frozenset({"title"}),
    "code": frozenset({"language"}),
    "status": frozenset({"title", "colour"}),
}
_NEVER_WITHIN: Mapping[str, frozenset[str]] = {
    "blockquote": frozenset({"blockquote", "li", "p"}),
    "table": frozenset({"table", "li", "blockquote", "p"}),
    "panel": frozenset({"panel", "warning", "note", "expand", "blockquote", "table", "li"}),
    "warning": frozenset({"panel", "warning", "note", "expand", "blockquote", "table", "li"}),
    "note": frozenset({"panel", "warning", "note", "expand", "blockquote", "table", "li"}),
    "expand": frozenset({"panel", "warning", "note", "expand", "blockquote", "table", "li"}),
    "p": frozenset({"p", "a", "h1", "h2", "h3", "h4", "h5", "h6"}),
    "a": frozenset({"a"}),
}
_FIRST_CHILD = {"ul": {"li"}, "ol": {"li"}, "table": {"colgroup", "tbody"}, "tbody": {"tr"}, "tr": {"th", "td"}}


def check(storage: str) -> list[str]:
    """Return the faults of a body in storage format, [] if it may be sent.

    It must be UTF-8 and well-formed inside a root that binds ``ac`` and ``ri``, hold only the elements, attributes,
    macros and link schemes that the bridge writes, and nest them only as Confluence's editor does.
    """
    try:
        storage.encode()
        root = ElementTree.fromstring(f'<root xmlns:ac="{_AC}" xmlns:ri="{_RI}">{storage}</root>')
    except UnicodeEncodeError:
        return ["not UTF-8: a lone surrogate"]
    except ElementTree.ParseError as error:
        return [f"not well-formed: {error}"]
    faults: list[str] = []
    stack: list[tuple[Element, frozenset[str]]] = [(child, frozenset()) for child in root]
    while stack:
        element, around = stack.pop()
        name = _name(element.tag)
        kind = element.get(f"{{{_AC}}}name", "") if name == "ac:structured-macro" else name
        faults.extend(_faults(element, name))
        faults.extend(f"{kind} inside {outer}" for outer in sorted(_NEVER_WITHIN.get(kind, frozenset()) & around))
        stack.extend((child, around | {kind}) for child in element)
    return faults


def _faults(element: Element, name: str) -> Iterator[str]:
    allowed = _ELEMENTS.get(name)
    if allowed is None:
        yield f"element {name}"
        return
    for attribute, value in element.attrib.items():
        pattern = allowed.get(_name(attribute))
        if pattern is None:
            yield f"attribute {_name(attribute)} of {name}"
        elif not pattern.fullmatch(value):
            yield f"value of {_name(attribute)} of {name}: {value[:80]}"
    children = [_name(child.tag) for child in element]
    if (wanted := _FIRST_CHILD.get(name)) and not set(children) <= wanted:
        yield f"{name} holds {sorted(set(children) - wanted)}"
    if name == "ac:structured-macro":
        yield from _macro_faults(element)
    if name == "ac:image" and children != ["ri:attachment"]:
        yield "ac:image without its one attachment"
    if name == "ac:link" and children != ["ri:attachment", "ac:plain-text-link-body"]:
        yield "ac:link without an attachment and its text"


def _macro_faults(element: Element) -> Iterator[str]:
    macro = element.get(f"{{{_AC}}}name", "")
    for child in element:
        name = _name(child.tag)
        if name == "ac:parameter":
            parameter = child.get(f"{{{_AC}}}name", "")
            if parameter not in _PARAMETERS.get(macro, frozenset()) or len(child):
                yield f"parameter {parameter} of {macro}"
        elif name != ("ac:plain-text-body" if macro == "code" else "ac:rich-text-body"):
            yield f"{name} in {macro}"


def _name(tag: str) -> str:
    return tag.replace(f"{{{_AC}}}", "ac:").replace(f"{{{_RI}}}", "ri:")
