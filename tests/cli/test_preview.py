from __future__ import annotations

import base64
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PLAIN = b"""\
From: Petra Novak <petra@acme.example>
To: Ada <ada@example.com>
Subject: Re: Release plan
Date: Tue, 03 Mar 2026 13:05:00 +0000
Message-ID: <x1@acme.example>
Content-Type: text/plain; charset=utf-8

All is ready.
"""
RICH = (
    b"""\
From: Petra Novak <petra@acme.example>
To: Ada <ada@example.com>
Subject: With files
Date: Tue, 03 Mar 2026 13:05:00 +0000
Message-ID: <x2@acme.example>
MIME-Version: 1.0
Content-Type: multipart/related; boundary=b

--b
Content-Type: text/html; charset=utf-8

<p>See <img src="cid:p1"></p><p>src="file-0-0"</p>
--b
Content-Type: image/png; name=dot.png
Content-ID: <p1>
Content-Disposition: inline; filename=dot.png
Content-Transfer-Encoding: base64

"""
    + base64.b64encode(PIXEL)
    + b"""
--b
Content-Type: application/pdf; name=plan.pdf
Content-Disposition: attachment; filename=plan.pdf
Content-Transfer-Encoding: base64

"""
    + base64.b64encode(b"%PDF" + b"x" * 2044)
    + b"\n--b--\n"
)


@pytest.fixture
def mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAILBRIDGE_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    file = tmp_path / "mail.eml"
    file.write_bytes(PLAIN)
    return file


def test_without_options_a_private_file_is_written(mail: Path, run: Run) -> None:
    code, out, err = run("preview", str(mail))
    first, title, last = out.splitlines()
    assert (code, err, title) == (0, "", "  Release plan")
    assert last == "Open it in a browser. Nothing was sent anywhere."
    assert first.startswith(f"1 page in {mail.parent}/mailbridge-preview-")
    written = Path(first.removeprefix("1 page in "))
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    document = written.read_text()
    assert "<h1>Release plan</h1>" in document
    assert "<p>All is ready.</p>" in document


def test_pictures_stand_in_the_file_and_files_are_listed(mail: Path, run: Run, tmp_path: Path) -> None:
    mail.write_bytes(RICH)
    target = tmp_path / "page.html"
    assert run("preview", str(mail), "--output", str(target)) == (
        0,
        f"1 page in {target}\n"
        "  With files\n"
        "    file      dot.png (PNG, 70 bytes)\n"
        "    file      plan.pdf (PDF, 2 KB)\n"
        "Open it in a browser. Nothing was sent anywhere.\n",
        "",
    )
    document = target.read_text()
    assert f'src="data:image/png;base64,{base64.b64encode(PIXEL).decode()}"' in document
    assert document.count("data:image/png") == 1
    assert 'href="#files-0"' in document
    assert "default-src 'none'" in document


def test_several_mails_are_several_pages(mail: Path, run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.eml"
    other.write_bytes(RICH)
    target = tmp_path / "page.html"
    code, out, _ = run("preview", str(mail), str(other), "--output", str(target))
    assert (code, out.splitlines()[0]) == (0, f"2 pages in {target}")
    assert target.read_text().count("<article>") == 2


def test_storage_is_printed_alone(mail: Path, run: Run) -> None:
    code, out, err = run("preview", str(mail), "--storage")
    assert (code, err) == (0, "")
    assert out.startswith('<ac:structured-macro ac:name="panel">')
    assert out.endswith("<p>All is ready.</p>\n")


def test_json(mail: Path, run: Run) -> None:
    mail.write_bytes(RICH)
    code, out, _ = run("preview", str(mail), "--json")
    (page,) = json.loads(out)
    assert code == 0
    assert page["files"] == [
        {"name": "dot.png", "size": 70, "mime_type": "image/png"},
        {"name": "plan.pdf", "size": 2048, "mime_type": "application/pdf"},
    ]
    assert (page["file"], page["title"], page["left_out"], page["plain"]) == (str(mail), "With files", [], False)


def test_automatic_mail_is_said_to_stay_away(mail: Path, run: Run) -> None:
    mail.write_bytes(PLAIN.replace(b"Subject: Re: ", b"Auto-Submitted: auto-replied\nSubject: Out of office: "))
    assert "    not published by the service: automatic mail (" in run("preview", str(mail))[1]


def test_the_configuration_says_how_pages_read(mail: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        '[google]\nclient_id = "g"\ndomains = ["acme.example"]\n'
        '[atlassian]\nclient_id = "a"\nsites = ["https://example.atlassian.net"]\n'
        '[pages]\ntimezone = "Europe/Berlin"\n'
        '[[routes]]\nname = "eng"\nlabel = "Confluence/ENG"\nspace = "ENG"\n'
    )
    _, out, _ = run("preview", str(mail), "--storage")
    assert "14:05 (UTC+01:00)" in out
    assert "acme.example)" not in out


def test_a_file_that_cannot_be_read(mail: Path, run: Run, tmp_path: Path) -> None:
    missing = tmp_path / "none.eml"
    assert run("preview", str(missing)) == (
        1,
        "",
        f"{missing} cannot be read: No such file or directory. Name a mail that was saved as a file.\n",
    )
    target = tmp_path / "none" / "page.html"
    assert run("preview", str(mail), "--output", str(target))[2] == (
        f"{target} cannot be written: No such file or directory. Name another file.\n"
    )
