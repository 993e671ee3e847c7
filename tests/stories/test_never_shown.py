"""What must not get out: blind copies, addresses, tokens; and no connection but the one to this machine."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from support.stories import ADA, BEN, CY, story

HIDDEN = "secret.reader@hidden.example"


@pytest.mark.scenario("X7")
def test_a_blind_copy_is_named_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logs, story(tmp_path) as company:
        company.connect(ADA, BEN)
        headers = {"Bcc": f"Secret Reader <{HIDDEN}>"}
        sent = company.send(ADA, f"{BEN}, Petra Novak <petra@acme.example>", "Offer", "First.\n", headers=headers)
        company.label(ADA, sent[ADA][1])
        company.passes()
        company.reply(
            ADA,
            f"{BEN}, petra@acme.example",
            sent,
            "Second.\n",
            headers=headers,
            files=[("notes.txt", "text/plain", b"Notes.")],
        )
        company.passes()
        wiki = company.wiki
        (page,), (comment,) = wiki.pages, wiki.comments
        shown = [page.title, page.body, comment.body, page.version.message]
        shown += [file.name + file.version.comment for file in wiki.attachments]
        for text in (*shown, json.dumps(logs, default=str), caplog.text):
            assert "hidden.example" not in text
            assert "Secret Reader" not in text
        sent_on = [one.request_body for one in company.world.core.journal.seen if one.service == "atlassian"]
        assert [body for body in sent_on if b"hidden.example" in body] == []
        assert company.again_from_scratch() == []


@pytest.mark.scenario("X7")
def test_the_panel_names_people_and_no_address_label_version_or_message_id(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        to = f"Ada Lovelace <{ADA}>, Ben Hart <{BEN}>"
        sent = company.send("petra@acme.example", to, "Offer", "The offer.\n")
        company.label(ADA, sent[ADA][1])
        company.passes()
        (page,) = company.wiki.pages
        text = page.body
        panel = text[text.index('ac:name="panel"') : text.index("</ac:structured-macro>")]
        writer, recipients = (
            panel.index("<strong>petra</strong> (acme.example)"),
            panel.index("Ada Lovelace and Ben Hart"),
        )
        assert writer < recipients
        assert "Monday, 20 April 2026, " in panel
        assert "UTC" in panel
        assert "Published from mail by Ada Lovelace." in panel
        visible = text.replace("%40", "@")
        assert "https://mail.google.com/mail/?mailbridge=" in visible
        assert "#search/rfc822msgid%3A" in text
        for word in ("@example.com", "Confluence/ENG", "Message-ID"):
            assert word not in visible
        assert visible.count("@acme.example") == 1, "the mail's own id, in the link alone"
        assert company.again_from_scratch() == []


def test_logs_and_events_hold_no_token_no_subject_and_no_text(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs, story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = company.send(
            ADA, BEN, "Quokka subject", "Quokka text.\n", files=[("quokka.pdf", "application/pdf", b"%")]
        )
        company.label(ADA, sent[ADA][1])
        company.passes()
        company.send(CY, ADA, "Another quokka")
        company.passes()
        tokens = {
            word
            for seen in company.world.core.journal.seen
            for word in seen.request_headers.get("Authorization", "").split()[1:]
        }
        with company.company.oauth.store.engine.connect() as connection:
            dump = "\n".join(str(row) for row in connection.exec_driver_sql("SELECT * FROM event").all())
            raw = "\n".join(connection.connection.iterdump())
        assert len(tokens) >= 4
        assert not any(token in raw for token in tokens), "tokens are sealed at rest"
        for text in (json.dumps(logs, default=str), dump):
            assert "quokka" not in text.lower()
            assert not any(token in text for token in tokens)


@pytest.mark.scenario("P22")
def test_the_demo_connects_to_this_machine_and_to_nothing_else(tmp_path: Path) -> None:
    program = """
import json, sys

asked = set()

def hook(event, arguments):
    if event == "socket.connect":
        asked.add(str(arguments[1][0] if isinstance(arguments[1], tuple) else arguments[1]))
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        asked.add(str(arguments[0]))

sys.addaudithook(hook)
sys.argv = ["mailbridge", "demo", "--once", "--json"]
code = 0
try:
    from bridge.cli.main import main
    main()
except SystemExit as end:
    code = end.code
print(json.dumps({"asked": sorted(asked), "code": code}), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, timeout=100, check=False
    )
    outcome = json.loads(done.stderr.strip().splitlines()[-1])
    assert outcome["code"] in (0, None), done.stderr
    assert set(outcome["asked"]) == {"127.0.0.1"}
