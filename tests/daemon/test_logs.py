from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from bridge.daemon.logs import configure
from bridge.daemon.opening import Opened
from bridge.sandbox.faults import Rule
from bridge.sync.held import Held, held

from support.installation import Installation
from support.served import ADA, BEN, Served, at_work, served, service_of, until

CANARY = "Zanzibar"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Undo what a test says about the log."""
    yield
    configure(io.StringIO(), as_json=True)
    structlog.reset_defaults()


def objects(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_one_json_object_a_line() -> None:
    stream = io.StringIO()
    configure(stream, as_json=True)
    log = structlog.get_logger()
    log.info("running", version="1", config="ä\n")
    log.debug("not shown")
    first, *rest = objects(stream)
    assert rest == []
    assert (first["event"], first["level"], first["version"], first["config"]) == ("running", "info", "1", "ä\n")
    assert first["timestamp"].endswith("Z")


def test_an_exception_is_one_object_without_the_values_of_its_frames() -> None:
    stream = io.StringIO()
    configure(stream, as_json=True)
    body = "".join([CANARY, "!"])
    try:
        raise ValueError(len(body))
    except ValueError:
        structlog.get_logger().exception("a pass failed")
    (line,) = objects(stream)
    assert line["exception"][0]["exc_type"] == "ValueError"
    assert f"{CANARY}!" not in stream.getvalue()


def test_a_terminal_gets_text_without_the_values_of_frames_too() -> None:
    stream = io.StringIO()
    configure(stream, as_json=False)
    body = "".join([CANARY, "!"])
    try:
        raise ValueError(len(body))
    except ValueError:
        structlog.get_logger().exception("a pass failed", mailbox=7)
    assert "a pass failed" in stream.getvalue()
    assert "mailbox=7" in stream.getvalue()
    assert "ValueError: 9" in stream.getvalue()
    assert f"{CANARY}!" not in stream.getvalue()


def test_what_libraries_warn_of_comes_in_the_same_form() -> None:
    stream = io.StringIO()
    configure(io.StringIO(), as_json=False)
    configure(stream, as_json=True)
    logging.getLogger("apscheduler.scheduler").warning("Run of job %s was missed", "tick")
    logging.getLogger("some.library").info("not shown")
    logging.getLogger("requests_oauthlib").debug("not shown")
    logging.getLogger("urllib3.connectionpool").warning(
        "Failed to parse headers (url=%s)", f"https://x/?title={CANARY}"
    )
    (line,) = objects(stream)
    assert (line["event"], line["level"]) == ("Run of job tick was missed", "warning")


def test_a_level_holds_for_libraries_too() -> None:
    stream = io.StringIO()
    configure(stream, as_json=True, level=logging.ERROR)
    structlog.get_logger().warning("not shown")
    logging.getLogger("some.library").warning("not shown")
    logging.getLogger("some.library").error("shown")
    assert [line["event"] for line in objects(stream)] == ["shown"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as found:
        yield found


def secrets_of(site: Served) -> list[str]:
    google, atlassian = site.world.google.oauth.grants, site.world.atlassian.oauth
    key = (site.folder / "seal_key").read_text().strip()
    secrets = [*google.access_tokens, *google.refresh_tokens, *google.codes, *atlassian.access, *atlassian.refreshes]
    return [*secrets, key, "sandbox-secret"]


def test_no_token_subject_or_body_is_ever_logged(site: Served) -> None:
    """Two people connect, a thread is published, a service fails in between, a reply is held, a token is refused."""
    stream = io.StringIO()
    configure(stream, as_json=True)
    faults = site.world.core.faults
    with site.opened() as opened:
        site.connect(opened, ADA, BEN)
        with at_work(service_of(opened)):
            faults.append(Rule("gmail.users.threads.get", "answer", lambda: Response(CANARY, status=503)))
            thread = site.mail(f"{CANARY} plan", f"{CANARY} sings.\n")
            site.reply(thread, f"{CANARY} sings again.\n")
            site.reply(thread, f"{CANARY} whispers.\n", to=ADA)
            until(lambda: "thread put off" in stream.getvalue(), "the failure")
            until(lambda: _held(opened), "the question")
            site.world.google.oauth.grants.access_tokens.clear()
            mark = len(site.world.core.journal.seen)
            until(lambda: any("token" in seen.path for seen in site.world.core.journal.since(mark)), "a refresh")
    lines = objects(stream)
    assert {"running", "thread put off", "stopped"} <= {line["event"] for line in lines}
    told = stream.getvalue()
    assert CANARY not in told
    assert [secret for secret in secrets_of(site) if secret in told] == []


def _held(opened: Opened) -> list[Held]:
    with opened.store.read() as session:
        return held(session)


def test_a_row_that_the_database_refuses_is_not_shown(tmp_path: Path) -> None:
    """SQLAlchemy's errors name the values of the statement, which may be a subject."""
    here = Installation.make(tmp_path)
    box = here.person("Ada")
    here.follow(box, "t1", subject=f"{CANARY} plan")
    stream = io.StringIO()
    configure(stream, as_json=True)
    try:
        here.follow(box, "t1", subject=f"{CANARY} plan")
    except IntegrityError:
        structlog.get_logger().exception("a mailbox's pass failed")
    (line,) = objects(stream)
    assert "UNIQUE constraint failed" in line["exception"][0]["exc_value"]
    assert CANARY not in stream.getvalue()
