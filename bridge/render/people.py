"""People as readers see them: by name, with the domain of those from outside, without addresses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bridge.model import Look, Person
from bridge.render.escape import one_line

MOST_NAMES = 5
"""How many recipients are named before "and n others"."""


def name(person: Person) -> str:
    """Return the display name; without one the part before the @; without either "Unknown sender"."""
    shown = one_line(person.name).strip("'\" ")
    return shown or person.address.partition("@")[0] or "Unknown sender"


def whereabouts(person: Person, look: Look) -> str:
    """Return what stands in brackets behind the name, '' for nothing: a domain, or an address where those are shown.

    The domain is shown of people outside the own domains, and of everybody who has no name.
    """
    domain = person.address.rpartition("@")[2]
    if not domain or "@" not in person.address:
        return ""
    own = _is_own(domain, look.own_domains)
    if look.show_addresses == "always" or (look.show_addresses == "own-domains" and own):
        return person.address
    return "" if own and one_line(person.name) else domain


def full_name(person: Person, look: Look) -> str:
    """Return for example "Ada Lovelace" or "Petra Novak (acme.example)"."""
    place = whereabouts(person, look)
    return f"{name(person)} ({place})" if place else name(person)


def listing(people: Iterable[Person], look: Look) -> str:
    """Return up to five names and how many others there are; one person counts once. '' for nobody."""
    unique: dict[tuple[str, str], Person] = {}
    for person in people:
        if person.name or person.address:
            unique.setdefault(("", person.address) if person.address else (person.name, ""), person)
    names = [full_name(person, look) for person in unique.values()]
    others = len(names) - MOST_NAMES
    if others > 0:
        names = [*names[:MOST_NAMES], "1 other" if others == 1 else f"{others} others"]
    return _joined(names)


def _joined(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def _is_own(domain: str, own_domains: Sequence[str]) -> bool:
    return any(domain == own.lower() for own in own_domains)
