"""How a key of the configuration is declared: beside its field, with its kind and its default as people write it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from bridge.config.values import Kind


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key.

    ``default`` is the value as it would stand in the file, None where there is no default; ``missing`` is then the
    sentence for whoever left the key out.
    """

    kind: Kind
    default: Any = None
    missing: str = ""


def key(kind: Kind, default: Any) -> Any:
    """Return the field of a key that may be left out; ``default`` is written as in the file."""
    return field(default=kind.parse(default), metadata={"key": Key(kind, default)})


def required(kind: Kind, missing: str) -> Any:
    """Return the field of a key that must be there; ``missing`` says what to write."""
    return field(metadata={"key": Key(kind, missing=missing)})


def keys_of(section: type[Any]) -> dict[str, Key]:
    """Return the keys of a section, in the order of its fields."""
    return {one.name: one.metadata["key"] for one in fields(section) if "key" in one.metadata}
