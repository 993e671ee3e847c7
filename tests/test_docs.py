"""The documents keep up with the program: commands, keys, words, limits, links; and nothing of a maker's machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import typer

from bridge.cli.main import app
from bridge.config.keys import keys_of
from bridge.config.settings import SECTIONS, Route

from support.shared import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / "config.example.toml").read_text(encoding="utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def commands(command: object, name: str) -> list[str]:
    """Return the full names of the visible commands below one."""
    children = getattr(command, "commands", None)
    if children is None:
        return [name]
    return [line for word, child in children.items() if not child.hidden for line in commands(child, f"{name} {word}")]


@pytest.mark.parametrize("name", commands(typer.main.get_command(app), "mailbridge"))
def test_every_command_stands_in_the_readme(name: str) -> None:
    assert re.search(rf"`{name}[ `]", README), f"README.md has no row for `{name}`."


def test_the_readme_names_no_command_that_is_not_there() -> None:
    known = commands(typer.main.get_command(app), "mailbridge")
    named = re.findall(r"^\| (`mailbridge .+?) \|", README, re.MULTILINE)
    for command in re.findall(r"`(mailbridge [a-z ]+?)(?: [A-Z.]+)?`", " ".join(named)):
        assert command in known


def test_every_key_stands_in_the_example() -> None:
    parts = re.split(r"^\[+([a-z]+)\]+", EXAMPLE, flags=re.MULTILINE)
    text = dict.fromkeys(parts[1::2], "")
    for name, lines in zip(parts[1::2], parts[2::2], strict=True):
        text[name] += lines
    for section, kind in [*SECTIONS.items(), ("routes", Route)]:
        if section == "endpoints":  # stand-ins for the providers: for tests, not for people
            continue
        for key in keys_of(kind):
            assert re.search(rf"^(# )?{key} = ", text[section], re.MULTILINE), f"config.example.toml: [{section}] {key}"


def test_every_word_of_the_table_is_explained_once_and_used() -> None:
    rows = re.findall(r"^\| ([a-z, ]+) \| (.+) \|$", ARCHITECTURE.partition("## The floors")[0], re.MULTILINE)
    words = [word for cell, _ in rows if cell != "word" for word in cell.split(", ")]
    assert len(words) == len(set(words)) == 19
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "bridge").rglob("*.py")).lower()
    for word in words:
        assert word in code or word.replace(" ", "_") in code, f"Nothing in bridge/ speaks of {word!r}."


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{path.name} links to {target}."


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_documents_name_are_there(path: Path) -> None:
    for name in re.findall(r"`((?:bridge|tests|docs|systemd)/[\w./-]+)`", path.read_text(encoding="utf-8")):
        assert (ROOT / name).exists(), f"{path.name} speaks of {name}."


def test_no_file_names_the_folder_that_it_was_made_in() -> None:
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    files = [ROOT / name for name in names if (ROOT / name).is_file()]
    assert [path for path in files if f"{ROOT}/".encode() in path.read_bytes()] == []


def test_the_locks_pin_everything_by_hash_and_name_no_host() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        pins = re.findall(r"^[a-z0-9._-]+==\S+.*\\$", text, re.MULTILINE)
        assert len(pins) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE)) > 50
        assert text.count("--hash=sha256:") >= len(pins)
        assert "://" not in text
