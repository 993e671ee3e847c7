"""What does not go together, though each key is right by itself; and what is right but worth a word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bridge.config.addresses import has_password
from bridge.config.entries import Entry
from bridge.config.settings import Settings


def store_conflicts(entries: Sequence[Entry]) -> dict[str, str]:
    """Return what is wrong between the keys of [store], a sentence by key."""
    store = {entry.key: entry for entry in entries if entry.key.startswith("store.")}
    url, url_file = store.get("store.url"), store.get("store.url_file")
    if url and url.origin.source == "file" and has_password(url.value):
        return {"url": "holds a password. Put the address into a file of mode 0600 and name it in url_file."}
    if url and url_file and url_file.value and url.origin.source != "default":
        return {"url_file": "is set beside url. Keep one of the two."}
    return {}


def route_conflicts(read: Mapping[str, Any], written: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong between the keys of one route, as key and sentence.

    Args:
        read: the keys that are right by themselves, with their values.
        written: the keys that stand in the route.
    """
    kind = read.get("publish_as")
    if kind == "comment":
        if "page" in read and not read["page"]:
            yield "page", 'is missing. With publish_as = "comment" write the page to comment on, as "123456".'
        if read.get("visibility") == "author":
            yield "visibility", 'a comment is seen by all who see its page. Use "space", or publish a page.'
        for key in ("title", "page_labels"):
            if key in written and read.get(key):
                yield key, "a comment has none. Take the line out."
    elif kind and read.get("page"):
        yield "page", 'is only for publish_as = "comment". For a place in the tree of pages use parent.'
    if kind in ("comment", "blogpost") and read.get("parent"):
        yield "parent", f'a {kind} has no parent. Take the line out, or use publish_as = "page".'


def notes(settings: Settings) -> tuple[str, ...]:
    """Return what is valid but may not be meant, a sentence each."""
    found: list[str] = []
    if not settings.routes:
        found.append("There is no route: nothing will be published. Add [[routes]] with name, label and space.")
    for route in settings.routes:
        first = settings.routes_of(route.label)[0]
        if first is not route:
            found.append(f'Route "{route.name}" is never used: label {route.label} belongs to "{first.name}" above it.')
    stand_ins = {"Google": settings.endpoints.google, "Atlassian": settings.endpoints.atlassian}
    found += [f"{who} is not asked: [endpoints] names {url} instead." for who, url in stand_ins.items() if url]
    return tuple(found)
