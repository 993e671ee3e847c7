"""The labels of one mailbox: system ones by name, a person's own as ``Label_<n>``; case does not tell names apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

SYSTEM = (
    *("INBOX", "SENT", "DRAFT", "SPAM", "TRASH", "UNREAD", "STARRED", "IMPORTANT", "CHAT"),
    *(f"CATEGORY_{kind}" for kind in ("PERSONAL", "SOCIAL", "PROMOTIONS", "UPDATES", "FORUMS")),
)
FIXED = frozenset({"SENT", "DRAFT", "CHAT"})
"""System labels that nobody can put on or take off by hand."""

_RESERVED = frozenset(
    "inbox sent draft drafts spam trash unread starred important chat chats muted migrated scheduled all bin sent-mail "
    "enviado ongelezen entwürfe papierkorb brouillons corbeille".split()
) | {"sent mail", "all mail", "da leggere"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class LabelNameTaken(Exception):
    """Another label of the mailbox has that name."""


class LabelNameInvalid(Exception):
    """The name is empty, reserved (in any language), or holds control characters."""


@dataclass
class Label:
    """One label; ``settings`` holds the visibility fields and the colour as the API has them."""

    id: str
    name: str
    type: str
    settings: dict[str, Any] = field(default_factory=dict)

    def short(self) -> dict[str, Any]:
        """Return what labels.list gives of it."""
        visible = {key: value for key, value in self.settings.items() if key != "color"}
        return {"id": self.id, "name": self.name, **visible, "type": self.type}


class Labels:
    """The labels by id."""

    def __init__(self) -> None:
        self._labels = {name: _system(name) for name in SYSTEM}
        self._next = 1

    def __iter__(self) -> Iterator[Label]:
        return iter(list(self._labels.values()))

    def __contains__(self, label_id: object) -> bool:
        return label_id in self._labels

    def get(self, label_id: str) -> Label | None:
        """Return a label, None where that id names none."""
        return self._labels.get(label_id)

    def find(self, name: str) -> Label | None:
        """Return the label of that name, whatever its case."""
        return next((label for label in self if label.name.casefold() == name.casefold()), None)

    def id_of(self, id_or_name: str) -> str:
        """Return the id of a label given by either.

        Raises:
            KeyError: the mailbox has no such label.
        """
        if id_or_name in self._labels:
            return id_or_name
        label = self.find(id_or_name)
        if label is None:
            raise KeyError(f"This mailbox has no label {id_or_name!r}; create it first.")
        return label.id

    def create(self, name: str, settings: dict[str, Any] | None = None, label_id: str = "") -> Label:
        """Make a label; a nested one is one label whose name has slashes, and needs no parent.

        Raises:
            LabelNameTaken: as its name says.
            LabelNameInvalid: likewise.
        """
        self._check(name, None)
        while not label_id or label_id in self._labels:
            label_id = f"Label_{self._next}"
            self._next += 1
        visible = {"messageListVisibility": "show", "labelListVisibility": "labelShow"}
        label = Label(label_id, name, "user", {**visible, **(settings or {})})
        self._labels[label_id] = label
        return label

    def rename(self, label_id: str, name: str) -> None:
        """Change the name; the id stays.

        Raises:
            LabelNameTaken: as its name says.
            LabelNameInvalid: likewise.
        """
        self._check(name, label_id)
        self._labels[label_id].name = name

    def remove(self, label_id: str) -> None:
        """Take the label away."""
        del self._labels[label_id]

    def _check(self, name: str, own_id: str | None) -> None:
        if not name.strip("/ ") or len(name) > 225 or _CONTROL.search(name) or name.casefold() in _RESERVED:
            raise LabelNameInvalid(name)
        other = self.find(name)
        if other is not None and other.id != own_id:
            raise LabelNameTaken(name)


def _system(name: str) -> Label:
    hidden = {"messageListVisibility": "hide", "labelListVisibility": "labelHide"}
    return Label(name, name, "system", hidden if name.startswith("CATEGORY_") or name == "CHAT" else {})
