"""What the Gmail client relies on, shown against the sandbox and, with the marker live, against a real mailbox.

A real one is named by MAILBRIDGE_LIVE_GMAIL_TOKEN, an access token with the scope gmail.readonly; nothing is changed
in it, and it must hold one mail with a file.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme

from bridge import errors
from bridge.clock import SystemClock, VirtualClock
from bridge.gmail import Gmail, build_service
from bridge.http import Endpoints, Transports, network
from bridge.sandbox.core import App, Core
from bridge.sandbox.faults import Rule
from bridge.sandbox.google import GoogleHalf
from bridge.sandbox.inprocess import WsgiHttp
from bridge.sandbox.serve import serve

from support.wire import NOW

ADA = "ada@example.com"
SCOPES = ("https://www.googleapis.com/auth/gmail.readonly",)


class Sandbox:
    """Ada's mailbox with one labelled thread of two mails and a file, and her token."""

    def __init__(self) -> None:
        self.clock = VirtualClock(NOW)
        self.core = Core(base_url="https://sandbox.example", clock=self.clock)
        self.google = GoogleHalf(self.core)
        self.google.gmail.add_person(ADA, "Ada Lovelace")
        self.label = self.google.gmail.create_label(ADA, "Wiki/ENG")
        self.app = app = App(self.core)
        app.mount_service("/google", self.google)
        endpoints = Endpoints.of("https://sandbox.example/google", "https://sandbox.example/atlassian")
        self.transports = Transports(session=requests.Session, http=lambda: WsgiHttp(app))
        service = build_service(endpoints, self.transports.http())
        self.client = Gmail(service, self.transports.http(), self, clock=self.clock)
        self.refreshes = 0
        self._token = ""

    def __call__(self, refused: str = "") -> str:
        if refused or not self._token:
            self.refreshes += bool(refused)
            self._token = self.google.oauth.grants.new_access_token("client", ADA, SCOPES).token
        return self._token

    def stale(self, token: str) -> bool:
        return False

    def mail(self, subject: str = "Release plan", **more: str) -> tuple[str, str]:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "Petra <petra@acme.example>", ADA, subject
        mail["Message-ID"], mail["Date"] = "<m1@acme.example>", "Tue, 03 Mar 2026 14:05:00 +0000"
        for name, value in more.items():
            del mail[name.replace("_", "-")]
            mail[name.replace("_", "-")] = value
        mail.set_content("Dear all, the plan is below.\n")
        mail.add_attachment(b"%PDF-1.4 " * 200, maintype="application", subtype="pdf", filename="plan.pdf")
        return self.google.gmail.deliver(ADA, mail.as_bytes())


class Live:
    """A real mailbox, for reading."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.transports = network(os.environ)
        service = build_service(Endpoints(), self.transports.http())
        self.client = Gmail(service, self.transports.http(), self, clock=SystemClock())

    def __call__(self, refused: str = "") -> str:
        return self._token

    def stale(self, token: str) -> bool:
        return False


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture(params=["sandbox", pytest.param("live", marks=pytest.mark.live)])
def gmail(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Gmail]:
    if request.param == "sandbox":
        sandbox.mail()
        yield sandbox.client
        return
    token = os.environ.get("MAILBRIDGE_LIVE_GMAIL_TOKEN")
    if not token:
        pytest.skip("MAILBRIDGE_LIVE_GMAIL_TOKEN names no mailbox.")
    yield Live(token).client


def files_of(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if part.get("filename"):
        yield part
    for child in part.get("parts") or ():
        yield from files_of(child)


def test_a_mailbox_says_who_it_is_and_where_it_stands(gmail: Gmail) -> None:
    profile = gmail.profile()
    assert "@" in profile.address
    assert profile.address == profile.address.lower()
    assert profile.history_id > 0


def test_system_labels_are_listed(gmail: Gmail) -> None:
    kinds = {label.id: label.type for label in gmail.labels()}
    assert kinds["INBOX"] == "system"


def test_history_goes_on_from_the_profiles_place(gmail: Gmail) -> None:
    start = gmail.profile().history_id
    history = gmail.history(start)
    assert history.cursor >= start
    assert all(one.history_id > start for one in history.touched.values())


def test_a_thread_of_a_label_is_given_whole(gmail: Gmail) -> None:
    thread_id, history_id = next(gmail.threads_with_label("INBOX"))
    thread = gmail.thread(thread_id)
    assert thread["id"] == thread_id
    assert int(thread["historyId"]) >= history_id
    for message in thread["messages"]:
        assert message["threadId"] == thread_id
        assert message["payload"]["headers"]
        assert int(message["internalDate"]) > 0


def test_a_files_bytes_come_with_the_message_or_by_its_id(gmail: Gmail) -> None:
    for thread_id, _ in gmail.threads_with_label("INBOX"):
        for message in gmail.thread(thread_id)["messages"]:
            for part in files_of(message["payload"]):
                body = part["body"]
                if "attachmentId" in body:
                    assert len(gmail.attachment(message["id"], body["attachmentId"])) == body["size"]
                    return
    pytest.fail("The mailbox holds no mail with a file.")


def test_what_does_not_exist_is_not_found(gmail: Gmail) -> None:
    with pytest.raises(errors.NotFound):
        gmail.thread("1000000000000001")
    with pytest.raises(errors.NotFound):
        gmail.message("1000000000000001")


def test_a_cursor_from_long_ago_is_not_found(gmail: Gmail, sandbox: Sandbox) -> None:
    sandbox.google.gmail.mailbox(ADA).forget_history()
    with pytest.raises(errors.NotFound):
        gmail.history(1)


def test_history_tells_of_labels_put_on_by_hand_and_by_a_filter(sandbox: Sandbox) -> None:
    start = sandbox.client.profile().history_id
    sandbox.google.gmail.settings.empty_history_pages = 2
    _, thread_id = sandbox.mail()
    sandbox.google.gmail.label_thread(ADA, thread_id, "Wiki/ENG")
    sandbox.google.gmail.add_filter(ADA, "Minutes", "Wiki/ENG")
    _, filtered = sandbox.mail("Minutes", Message_ID="<m2@acme.example>")
    history = sandbox.client.history(start)
    assert set(history.touched) == {thread_id, filtered}
    assert {"INBOX", "UNREAD", sandbox.label.id} <= history.label_ids
    assert history.cursor == sandbox.client.profile().history_id
    assert sandbox.client.history(history.cursor).records == 0
    assert [name for name, _ in sandbox.client.threads_with_label(sandbox.label.id)] == [filtered, thread_id]


def test_many_threads_come_page_by_page(sandbox: Sandbox) -> None:
    start = sandbox.client.profile().history_id
    ids = [sandbox.mail(f"Mail {n}", Message_ID=f"<n{n}@acme.example>")[1] for n in range(503)]
    assert sorted(name for name, _ in sandbox.client.threads_with_label("INBOX")) == sorted(ids)
    assert sorted(sandbox.client.history(start).touched) == sorted(ids)


def test_an_attachment_id_dies_and_the_message_gives_another(sandbox: Sandbox) -> None:
    message_id, thread_id = sandbox.mail()
    (part,) = files_of(sandbox.client.thread(thread_id)["messages"][0]["payload"])
    for _ in range(5):
        (again,) = files_of(sandbox.client.message(message_id)["payload"])
    with pytest.raises(errors.Refused):
        sandbox.client.attachment(message_id, part["body"]["attachmentId"])
    assert sandbox.client.attachment(message_id, again["body"]["attachmentId"]) == b"%PDF-1.4 " * 200


def test_an_hour_later_the_token_is_refreshed_once(sandbox: Sandbox) -> None:
    sandbox.client.profile()
    sandbox.clock.advance(3700)
    assert sandbox.client.profile().address == ADA
    assert sandbox.refreshes == 1


def test_a_dropped_answer_is_temporary_and_the_next_call_works(sandbox: Sandbox) -> None:
    sandbox.core.faults.append(Rule(operation="gmail.users.labels.list", kind="drop-after"))
    with pytest.raises(errors.Temporary):
        sandbox.client.labels()
    assert {label.name for label in sandbox.client.labels()} >= {"INBOX", "Wiki/ENG"}


def test_over_a_real_connection_with_a_certificate_of_the_companys_own(sandbox: Sandbox, tmp_path: Path) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with serve(sandbox.app, ssl_context=context) as server:
        endpoints = Endpoints.of(f"{server.url}/google", f"{server.url}/atlassian")
        trusting = network({"REQUESTS_CA_BUNDLE": str(tmp_path / "ca.pem")}).http()
        gmail = Gmail(build_service(endpoints, trusting), trusting, sandbox, clock=sandbox.clock)
        assert gmail.profile().address == ADA
        assert {label.name for label in gmail.labels()} >= {"INBOX", "Wiki/ENG"}
        trusting.close()
        stranger = network({}).http()
        with pytest.raises(errors.Temporary, match="SSLCertVerificationError"):
            Gmail(build_service(endpoints, stranger), stranger, sandbox, clock=sandbox.clock).profile()
