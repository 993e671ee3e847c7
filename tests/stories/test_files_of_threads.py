"""Files: every byte arrives, under a name that is safe and its own; and what a route may leave out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import unescape

import pytest

from bridge.sandbox.confluence_state import Page

from support.stories import ADA, BEN, ENG, Story, story
from support.thread_t3 import HTML, PDF, PNG

File = tuple[str, str, bytes]
LONG = "Übersicht-" + "ä" * 142 + "x.pdf"
FILES: Sequence[tuple[str, int]] = (
    ("scan.pdf", 1024),
    ("scan.pdf", 2048),
    ("../x.txt", 1500),
    (LONG, 4096),
    ("a:b*c?.txt", 1025),
    ("no-extension", 3000),
    ("SCAN.PDF", 5000),
    ("Angebot für Müller.docx", 64 * 1024),
    ("archive.zip", 1024 * 1024),
    ("recording.bin", 20 * 1024 * 1024),
)


@pytest.mark.scenario("P5")
def test_ten_files_arrive_byte_for_byte_under_names_that_are_safe_and_their_own(tmp_path: Path) -> None:
    assert len(LONG.encode()) == 300
    files = [(name, "application/octet-stream", _bytes(number, size)) for number, (name, size) in enumerate(FILES)]
    with story(tmp_path) as company:
        page = _published(company, files)
        standing = company.wiki.wiki.files_on(page.id)
        assert sorted(file.sha256 for file in standing) == sorted(
            hashlib.sha256(data).hexdigest() for *_, data in files
        )
        assert all(len(file.versions) == 1 for file in standing)
        names = [file.name for file in standing]
        assert len({name.casefold() for name in names}) == 10
        for name in names:
            assert not re.search(r'[/\\:*?"<>|\x00-\x1f]', name), name
            assert not name.startswith("..")
            assert 0 < len(name) <= 255
        assert {"scan.pdf", "Angebot für Müller.docx", "archive.zip", "no-extension"} <= set(names)
        assert _linked(page.body) == sorted(names)
        assert company.again_from_scratch() == []


@pytest.mark.scenario("P5")
def test_the_same_file_in_a_reply_is_uploaded_once_and_another_of_its_name_gets_its_own(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        first = company.send(ADA, BEN, "Plan", files=[("plan.pdf", "application/pdf", PDF)])
        company.label(ADA, first[ADA][1])
        company.passes()
        other = PDF + b"second edition"
        company.reply(
            BEN,
            ADA,
            first,
            "The same and a new one.\n",
            files=[("plan.pdf", "application/pdf", PDF), ("plan.pdf", "application/pdf", other)],
        )
        company.passes()
        files = {file.name: file.sha256 for file in company.wiki.attachments}
        assert sorted(files.values()) == sorted(hashlib.sha256(data).hexdigest() for data in (PDF, other))
        (comment,) = company.wiki.comments
        assert _linked(comment.body) == sorted(files)
        assert company.again_from_scratch() == []


def test_a_route_without_attachments_says_what_is_not_on_the_page(tmp_path: Path) -> None:
    with story(tmp_path, replace(ENG, attachments="none")) as company:
        page = _published(company, [("plan.pdf", "application/pdf", PDF)], html=HTML)
        assert company.wiki.attachments == []
        assert "plan.pdf" in page.body
        assert "Not on this page" in page.body
        assert company.calls()["gmail.users.messages.attachments.get"] == 0
        assert company.again_from_scratch() == []


def test_a_route_with_inline_attachments_takes_the_pictures_of_the_text_alone(tmp_path: Path) -> None:
    with story(tmp_path, replace(ENG, attachments="inline")) as company:
        page = _published(company, [("plan.pdf", "application/pdf", PDF)], html=HTML)
        assert [file.name for file in company.wiki.attachments] == ["timeline.png"]
        assert '<ri:attachment ri:filename="timeline.png"' in page.body
        assert "plan.pdf" in page.body
        assert company.again_from_scratch() == []


def test_a_file_over_the_routes_limit_is_named_and_the_rest_is_published(tmp_path: Path) -> None:
    with story(tmp_path, replace(ENG, attachment_limit=10 * 1024)) as company:
        page = _published(company, [("big.bin", "application/octet-stream", bytes(20 * 1024)), _pdf()])
        assert [file.name for file in company.wiki.attachments] == ["plan.pdf"]
        assert "big.bin" in page.body
        assert "larger than this place allows" in page.body
        assert company.again_from_scratch() == []


def test_a_file_that_the_site_refuses_is_named_and_the_rest_is_published(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.wiki.switches.max_file_bytes = 10 * 1024
        page = _published(company, [("big.bin", "application/octet-stream", bytes(20 * 1024)), _pdf()])
        assert [file.name for file in company.wiki.attachments] == ["plan.pdf"]
        assert "larger than this site allows" in page.body
        assert company.again_from_scratch() == []


def test_a_half_upload_gets_its_bytes_and_no_second_entry(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.wiki.switches.half_uploads = 1
        page = _published(company, [_pdf()], passes=5)
        (file,) = company.wiki.attachments
        assert (file.name, file.sha256, file.half) == ("plan.pdf", hashlib.sha256(PDF).hexdigest(), False)
        assert _linked(page.body) == ["plan.pdf"]
        assert company.again_from_scratch() == []


def test_an_attachment_id_that_died_is_asked_for_anew(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.gmail.settings.attachment_answers = 0
        page = _published(company, [_pdf()], passes=4)
        assert _linked(page.body) == ["plan.pdf"]
        assert company.again_from_scratch() == []


def _pdf() -> File:
    return ("plan.pdf", "application/pdf", PDF)


def _bytes(number: int, size: int) -> bytes:
    return bytes([number, 255 - number]) * (size // 2) + bytes([number]) * (size % 2)


def _published(company: Story, files: Sequence[File], *, html: str = "", passes: int = 2) -> Page:
    company.connect(ADA)
    more: dict[str, Any] = {"html": html, "images": [("timeline@example.com", "timeline.png", PNG)]} if html else {}
    sent = company.send("petra@acme.example", ADA, "Plan", files=files, **more)
    company.label(ADA, sent[ADA][1])
    company.passes(passes)
    (page,) = company.wiki.pages
    return page


def _linked(body: str) -> list[str]:
    """Return the names of the files that a body links or shows, each once, sorted."""
    named = re.findall(r'ri:filename="([^"]+)"', body)
    return sorted({unescape(name, {"&quot;": '"'}) for name in named})
