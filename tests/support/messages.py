"""Every sentence that the product says to a person, read from its code, and which of them a document lacks.

Run it to see what is missing: ``python -m support.messages`` in the folder ``tests``.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.shared import ROOT

DOCUMENT = ROOT / "docs" / "troubleshooting.md"

_ASIDE = ("sandbox", "demo", "simulator")
_NOT_FOR_PEOPLE = {"ValueError", "TypeError", "AssertionError", "NotImplementedError", "HTTPException", "KeyError"}
_ERRORS = ("bridge.errors", "bridge.config.secrets", "bridge.config.faults")
_CONSTANTS = ("sync", "oauth", "store")
_FIELDS = {"detail", "question", "why"}
_SENTENCE = re.compile(r"[A-Za-z]{2,}.* .*[.?:]$|^.{40,}$")
_SHORTEST = 12


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence and where it stands; ``parts`` are its fixed parts in order, what is filled in is left out."""

    path: str
    line: int
    parts: tuple[str, ...]

    @property
    def words(self) -> str:
        """The sentence with dots where something is filled in."""
        return "…".join(self.parts)


def messages() -> list[Message]:
    """Return every sentence: what is raised as an error, and what is told of a follow, an entry or a failure."""
    found = []
    for path in sorted((ROOT / "bridge").rglob("*.py")):
        if not set(path.relative_to(ROOT / "bridge").parts) & set(_ASIDE):
            found += list(_of_file(path))
    return found


def missing(text: str) -> list[Message]:
    """Return the messages whose fixed parts do not all stand in a text, in whatever lines it is set."""
    known = _even(text)
    return [message for message in messages() if not _stands(message, known)]


def _stands(message: Message, known: str) -> bool:
    """Say whether the parts stand in a text in their order, not far from each other."""
    parts = [re.escape(_even(part)) for part in message.parts]
    return re.search(".{0,160}?".join(parts), known) is not None


def _of_file(path: Path) -> Iterator[Message]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    errors = _error_names(tree)
    name = str(path.relative_to(ROOT))
    constants = path.parent.name in _CONSTANTS
    for node in ast.walk(tree):
        for value in [*_values(node, errors), *(_constant(node) if constants else ())]:
            parts = _parts(value)
            if parts and _is_sentence("".join(parts)):
                yield Message(name, node.lineno, parts)  # type: ignore[attr-defined]


def _error_names(tree: ast.Module) -> set[str]:
    """Return the names that a module has from ``bridge.errors``, and the errors that it defines itself."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in _ERRORS:
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.ClassDef):
            found |= {node.name} if any("Error" in ast.unparse(base) for base in node.bases) else set()
    return found


def _values(node: ast.AST, errors: set[str]) -> Iterator[ast.expr]:
    """Yield the expressions of a node that people read."""
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func).rpartition(".")[2]
        if called in errors - _NOT_FOR_PEOPLE and called[:1].isupper() and node.args:
            yield node.args[0]
        if called in ("NoPlace", "LeftOut", "_stopped") and node.args:
            yield node.args[-1]
        for keyword in node.keywords:
            if keyword.arg in _FIELDS:
                yield keyword.value
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Attribute) and target.attr in _FIELDS:
                yield node.value
            elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                for one, value in zip(target.elts, node.value.elts, strict=False):
                    if isinstance(one, ast.Attribute) and one.attr in _FIELDS:
                        yield value
            elif isinstance(target, ast.Name) and target.id == "what":
                yield node.value
    elif isinstance(node, ast.FunctionDef) and node.name.startswith("_why_"):
        yield from (inner.value for inner in ast.walk(node) if isinstance(inner, ast.Return) and inner.value)


def _constant(node: ast.AST) -> Iterator[ast.expr]:
    """Yield a module's constant that is a sentence."""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper():
        text = "".join(_parts(node.value))
        if text[:1].isupper() and ". " in f"{text} ":
            yield node.value


def _parts(value: ast.expr) -> tuple[str, ...]:
    """Return the fixed parts of a literal text; () for anything else."""
    if isinstance(value, ast.IfExp):
        return _parts(value.body) or _parts(value.orelse)
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return tuple(part for part in re.split(r"\{[^{}]*\}", value.value) if len(part.strip()) > 2)
    if isinstance(value, ast.JoinedStr):
        fixed = [part.value for part in value.values if isinstance(part, ast.Constant)]
        return tuple(part for part in fixed if isinstance(part, str) and len(part.strip(" .:\"'()")) > 2)
    return ()


def _is_sentence(text: str) -> bool:
    told = " ".join(text.split())
    return len(told) >= _SHORTEST and bool(_SENTENCE.search(told)) and " " in told and "<" not in told[:1]


def _even(text: str) -> str:
    """Return a text without the marks of Markdown and with single blanks."""
    return " ".join(re.sub(r"[*`|\\]", "", text).split()).strip(" .:\"'").casefold()


if __name__ == "__main__":
    text = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    lacking = missing(text)
    for message in lacking:
        print(f"{message.path}:{message.line}: {message.words}")
    print(f"{len(messages())} messages, {len(lacking)} not in {DOCUMENT.name}")
