"""The text form of a rule, for the command line and for HTTP.

``KIND[=ARG] [OPERATION | METHOD /path-pattern] [nth=N] [times=M|always] [person=ADDRESS]``, for example::

    reset-after createFooterComment nth=2
    429=30 POST /ex/confluence/*/footer-comments person=ada@example.com times=3
    skew=-600 atlassian times=always

OPERATION is an official name, a pattern of such names with ``*``, or a service ("google", "atlassian"); without any,
every request that the kind can befall counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from types import MappingProxyType

from bridge.sandbox import gmail, google_oauth
from bridge.sandbox.confluence_routes import ROUTES
from bridge.sandbox.faults.catalogue import CATALOGUE
from bridge.sandbox.faults.kinds import FaultError, Kind
from bridge.sandbox.faults.rule import Rule

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
SERVICES = ("google", "atlassian")

_POSTED = ("google.oauth.token", "google.oauth.revoke", "atlassian.oauth.token")


def _operations() -> Iterator[tuple[str, tuple[str, str]]]:
    for call in gmail.OPERATIONS:
        yield call.id, ("google", call.method)
    for name in google_oauth.OPERATIONS.values():
        yield name, ("google", "POST" if name in _POSTED else "GET")
    for route in ROUTES:
        yield route.operation, ("atlassian", route.method)
    for name in ("authorize", "token", "resources"):
        full = f"atlassian.oauth.{name}"
        yield full, ("atlassian", "POST" if full in _POSTED else "GET")
    yield "atlassian.me", ("atlassian", "GET")
    yield "atlassian.media", ("atlassian", "GET")


OPERATIONS: Mapping[str, tuple[str, str]] = MappingProxyType(dict(_operations()))
"""Service and method of each operation that the sandbox knows, by its official name."""


def parse(text: str) -> Rule:
    """Return the rule that a text describes.

    Raises:
        FaultError: the text describes none; says which word is wrong, and what it may have been.
    """
    words = text.split()
    if not words:
        raise FaultError("The rule is empty. Begin with the name of a fault, such as reset-after.")
    name, equals, argument = words[0].partition("=")
    kind = CATALOGUE.get(name)
    if kind is None:
        raise FaultError(f"There is no fault named {name}.{_near(name, tuple(CATALOGUE))}")
    if equals and not argument:
        raise FaultError(f"Nothing stands after {name}=. Give {kind.unit or 'no ='}.")
    rest = list(words[1:])
    method, path, operation = _target(rest)
    options = _options(rest)
    rule = Rule(
        operation or "*",
        name,
        nth=_count(options, "nth") or 1,
        times=None if options.get("times") == "always" else (_count(options, "times") or 1),
        person=options.get("person", "").lower(),
        method=method,
        path=path,
        argument=argument,
    )
    _check(rule, kind)
    return rule


def befallen(rule: Rule) -> tuple[str, ...]:
    """Return the names of the operations that a rule can strike, as far as these tell."""
    kind = CATALOGUE.get(rule.kind)
    return tuple(
        name
        for name, (service, method) in OPERATIONS.items()
        if (rule.operation in ("*", service) or fnmatchcase(name, rule.operation))
        and rule.method in ("", method)
        and (kind is None or kind.applies(service, method, name))
    )


def _target(words: list[str]) -> tuple[str, str, str]:
    """Take the words that say which requests off the list: method and path, or an operation."""
    if not words or _is_option(words[0]):
        return "", "", ""
    first = words.pop(0)
    if first.startswith("/"):
        return "", first, ""
    if first == "*" and not (words and words[0].startswith("/")):
        return "", "", "*"
    if first in (*METHODS, "*"):
        if not words or not words[0].startswith("/"):
            raise FaultError(f"After {first} a path is due, such as /ex/confluence/*/footer-comments.")
        return ("" if first == "*" else first), words.pop(0), ""
    known = (*OPERATIONS, *SERVICES)
    if not any(fnmatchcase(name, first) for name in known):
        raise FaultError(f"There is no operation named {first}.{_near(first, known)}")
    return "", "", first


def _options(words: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or key not in ("nth", "times", "person"):
            raise FaultError(f"{word} is not understood. Give nth=N, times=M, times=always or person=ADDRESS.")
        if not value:
            raise FaultError(f"Nothing stands after {key}=.")
        if key in found:
            raise FaultError(f"{key} is given twice.")
        found[key] = value
    return found


def _count(options: dict[str, str], key: str) -> int | None:
    text = options.get(key)
    if text is None or (text == "always" and key == "times"):
        return None
    if not (text.isascii() and text.isdecimal()) or int(text[:10]) == 0:
        also = " or always" if key == "times" else ""
        raise FaultError(f"{key}={text} is no count. Give a number from 1{also}.")
    return int(text[:10])


def _check(rule: Rule, kind: Kind) -> None:
    if rule.operation != "*" and not befallen(rule):
        some = [name for name, (service, method) in OPERATIONS.items() if kind.applies(service, method, name)]
        examples = f"{', '.join(some[:3])}{' and others' if len(some) > 3 else ''}"
        raise FaultError(f"The fault {kind.name} cannot befall {rule.operation}. It can befall {examples}.")


def _is_option(word: str) -> bool:
    return word.partition("=")[0] in ("nth", "times", "person") and "=" in word


def _near(name: str, known: Sequence[str]) -> str:
    found = get_close_matches(name, known, n=3, cutoff=0.5)
    found += [one for one in known if len(name) > 2 and name.lower() in one.lower() and one not in found][:3]
    return f" Did you mean {', '.join(found[:-1])}{' or ' if found[:-1] else ''}{found[-1]}?" if found else ""
