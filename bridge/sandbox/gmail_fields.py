"""The ``fields`` parameter: what an answer is trimmed to, as in ``messages(id,labelIds),historyId`` or ``a/b``."""

from __future__ import annotations

from typing import Any

Mask = dict[str, "Mask"]


class FieldsError(ValueError):
    """The mask cannot be read."""


def trim(answer: dict[str, Any], fields: str) -> dict[str, Any]:
    """Return an answer with the named fields alone.

    Raises:
        FieldsError: the mask is malformed.
    """
    mask, rest = _parse(fields)
    if rest:
        raise FieldsError(fields)
    return dict(_cut(answer, mask))


def _parse(text: str) -> tuple[Mask, str]:
    mask: Mask = {}
    while True:
        name, text = _name(text)
        below: Mask = {}
        inner = below
        while text.startswith("/"):
            step, text = _name(text[1:])
            inner[step] = {}
            inner = inner[step]
        if text.startswith("("):
            group, text = _parse(text[1:])
            if not text.startswith(")"):
                raise FieldsError(text)
            inner.update(group)
            text = text[1:]
        mask.setdefault(name, {}).update(below)
        if not text.startswith(","):
            return mask, text
        text = text[1:]


def _name(text: str) -> tuple[str, str]:
    end = next((n for n, letter in enumerate(text) if letter in ",()/"), len(text))
    if not text[:end].strip():
        raise FieldsError(text)
    return text[:end].strip(), text[end:]


def _cut(value: Any, mask: Mask) -> Any:
    if not mask or ("*" in mask and not mask["*"]):
        return value
    if isinstance(value, list):
        return [_cut(item, mask) for item in value]
    if not isinstance(value, dict):
        return value
    wild = mask.get("*")
    named = {key: item for key, item in value.items() if key in mask or wild is not None}
    kept = {key: _cut(item, mask.get(key, wild or {})) for key, item in named.items()}
    return {key: item for key, item in kept.items() if item != {}}
