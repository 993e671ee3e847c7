from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.confluence import RemoteFile
from bridge.errors import NotFound, Refused, Temporary, TooLarge
from bridge.model import File, LeftOut
from bridge.store.tables import Attachment, AttachmentState, Entry
from bridge.sync.files import FileMover, Placed
from bridge.sync.writes.perform import NotYet

from support.sync import ENG, digest, far_file, file, mail
from support.sync_clients import raw_mail
from support.sync_rows import add_entry, add_publication
from support.sync_scene import Scene, performer, scene

MIB = 1024 * 1024


class Desk:
    """A drafted page and the mover of its files."""

    def __init__(self, made: Scene, **route: Any) -> None:
        self.made = made
        self.publication = add_publication(made.store, made.box, page_id="1000", content_id="1000")
        self.entries = [add_entry(made.store, self.publication, made.box, mail(n), ordinal=n - 1) for n in (1, 2)]
        self.mover = FileMover(
            made.bridge,
            made.api,
            performer(made.store, made.clock, made.confluence, self.publication),
            self.publication,
            "page",
            replace(ENG, **route),
            True,
        )

    def place(self, *files: File, number: int = 1) -> Placed:
        entry: Entry = self.entries[number - 1]
        return self.mover.place(entry, mail(number, files=files))

    def names(self) -> list[str]:
        return [one.name for one in self.made.confluence.all_files.get("1000", [])]


def test_files_are_uploaded_once_with_a_note_that_says_whose_they_are(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        placed = desk.place(file("1", b"one"), file("2", b"two", "Plan.pdf"))
        assert {part: (one.name, one.size, one.mime_type) for part, one in placed.files.items()} == {
            "1": ("report.pdf", 3, "application/pdf"),
            "2": ("Plan.pdf", 3, "application/pdf"),
        }
        first = made.confluence.all_files["1000"][0]
        assert first.comment == f"From ada's mail, 19 Apr 2026 [{digest(b'one')}]"
        assert desk.place(file("1", b"one"), file("2", b"two", "Plan.pdf")) == placed
        assert made.confluence.writes() == ["upload", "upload"]
        assert list((tmp_path / "spool").iterdir()) == []


def test_a_name_that_is_reserved_is_numbered_whatever_its_case(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        placed = desk.place(file("1", b"one"), file("2", b"two", "Report.PDF"), file("3", b"three", "../report.pdf"))
        assert [one.name for one in placed.files.values()] == ["report.pdf", "Report-2.PDF", "report-3.pdf"]
        assert desk.names() == ["report.pdf", "Report-2.PDF", "report-3.pdf"]


def test_the_same_bytes_stand_once_for_all_mails_of_a_page(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        desk.place(file("1", b"logo"))
        placed = desk.place(file("7", b"logo", "other.pdf"), number=2)
        assert placed.files["7"].name == "report.pdf"
        assert desk.names() == ["report.pdf"]
        inline = desk.place(file("8", b"logo", "logo.png", inline=True), number=2)
        assert inline.files["8"].name == "logo.png"
        assert desk.names() == ["report.pdf", "logo.png"]


def test_a_name_that_somebody_else_has_on_the_page_is_left_to_them(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        made.confluence.all_files["1000"] = [
            RemoteFile(f"att{n}", name, 1, "", "theirs", 1, "current")
            for n, name in enumerate(["report.pdf", "report-2.pdf"])
        ]
        placed = desk.place(file("1", b"one"))
        assert placed.files["1"].name == "report-3.pdf"
        [row] = made.rows(Attachment)
        assert (row.name, row.folded, row.state) == ("report-3.pdf", "report-3.pdf", AttachmentState.DONE)
        assert desk.names() == ["report.pdf", "report-2.pdf", "report-3.pdf"]


def test_when_no_name_is_free_it_is_said(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        names = ["report.pdf", *(f"report-{n}.pdf" for n in range(2, 30))]
        made.confluence.all_files["1000"] = [
            RemoteFile(f"att{n}", name, 1, "", "", 1, "current") for n, name in enumerate(names)
        ]
        with pytest.raises(Refused, match="No free name"):
            desk.place(file("1", b"one"))


@pytest.mark.parametrize(
    ("route", "kept"),
    [({"attachments": "all"}, ["1", "2"]), ({"attachments": "inline"}, ["2"]), ({"attachments": "none"}, [])],
)
def test_a_route_says_which_files_it_wants(tmp_path: Path, route: dict[str, Any], kept: list[str]) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made, **route)
        placed = desk.place(file("1", b"a"), file("2", b"b", "x.png", inline=True))
        assert list(placed.files) == kept
        assert {one.why for one in placed.left_out} <= {"files are not copied here."}
        assert len(placed.left_out) + len(kept) == 2


def test_a_file_over_the_route_s_limit_is_left_out_unfetched(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made, attachment_limit=2 * MIB)
        big = far_file("1", "A", 3 * MIB)
        placed = desk.place(big)
        assert placed == Placed({}, (LeftOut("report.pdf", "3 MB: larger than this place allows (2 MB)."),))
        assert made.gmail.calls == []


def test_a_file_over_the_site_s_limit_is_left_out_and_the_others_go(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        made.confluence.script = [TooLarge("large", provider="atlassian")]
        placed = desk.place(file("1", b"a" * 5000, "big.bin"), file("2", b"b"))
        assert placed.left_out == (LeftOut("big.bin", "4 KB: larger than this site allows."),)
        assert list(placed.files) == ["2"]


def test_bytes_that_the_payload_lacks_are_fetched(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        made.gmail.files["A"] = b"far away"
        desk.place(far_file("1", "A"))
        assert made.confluence.bytes_of == {"report.pdf": b"far away"}
        assert made.gmail.calls == ["attachment A"]


def _with_file(attachment_id: str, part_id: str = "1") -> dict[str, Any]:
    raw = raw_mail("m1")
    raw["payload"]["mimeType"] = "multipart/mixed"
    raw["payload"]["body"] = {"size": 0}
    raw["payload"]["parts"] = [
        {
            "partId": part_id,
            "mimeType": "application/pdf",
            "filename": "report.pdf",
            "headers": [{"name": "Content-Disposition", "value": 'attachment; filename="report.pdf"'}],
            "body": {"attachmentId": attachment_id, "size": 8},
        }
    ]
    return raw


def test_an_attachment_id_that_died_is_read_anew_by_its_part(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        made.gmail.put("t1", _with_file("NEW"))
        made.gmail.files["NEW"] = b"far away"
        made.gmail.fail["attachment OLD"] = Refused("Invalid attachment token", provider="google")
        desk.place(far_file("1", "OLD"))
        assert made.gmail.calls == ["attachment OLD", "message m1", "attachment NEW"]
        assert made.confluence.bytes_of == {"report.pdf": b"far away"}


def test_a_part_that_is_not_there_any_more_is_a_failure_that_is_told(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        made.gmail.put("t1", _with_file("NEW", part_id="5"))
        made.gmail.fail["attachment OLD"] = Refused("Invalid attachment token", provider="google")
        with pytest.raises(Refused, match="Invalid attachment token"):
            desk.place(far_file("1", "OLD"))
        made.gmail.fail["message"] = NotFound("gone", provider="google")
        with pytest.raises(NotFound):
            desk.place(far_file("1", "OLD"))


@pytest.mark.parametrize(("step", "uploads"), [("lost", 1), ("dropped", 2)])
def test_an_upload_whose_answer_was_lost_is_looked_for(tmp_path: Path, step: str, uploads: int) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        made.confluence.script = [step]
        with pytest.raises(Temporary):
            desk.place(file("1", b"one"))
        with pytest.raises(NotYet):
            desk.place(file("1", b"one"))
        made.clock.advance(30)
        assert desk.place(file("1", b"one")).files["1"].name == "report.pdf"
        assert made.confluence.writes() == ["upload"] * uploads
        assert desk.names() == ["report.pdf"]
