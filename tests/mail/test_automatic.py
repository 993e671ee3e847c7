from __future__ import annotations

import pytest

from bridge.mail.automatic import automatic
from bridge.model import Person


def why(sender: str = "mara@example.com", subject: str = "Plan", kinds: tuple[str, ...] = (), **fields: str) -> str:
    values = {name.replace("_", "-"): [value] for name, value in fields.items()}
    return automatic(values, Person("", sender), subject, kinds)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (why(), ""),
        (why(auto_submitted="no"), ""),
        (why(precedence="list", list_id="<a.b>"), ""),
        (why(auto_submitted="auto-replied (vacation)"), "out of office"),
        (why(x_autoreply="yes"), "out of office"),
        (why(precedence="auto_reply"), "out of office"),
        (why(subject="Automatic reply: Plan"), "out of office"),
        (why(subject="Abwesenheitsnotiz: Plan"), "out of office"),
        (why(subject="Re: Automatic reply: Plan"), ""),
        (why(subject="Automatic reply letters for the office"), ""),
        (why(auto_submitted="auto-generated"), "automatic mail"),
        (why(auto_submitted="auto-generated", kinds=("text/calendar",)), ""),
        (why(return_path=" <> "), "null sender"),
        (why(return_path="<mara@example.com>"), ""),
        (why(sender="mailer-daemon@example.com"), "delivery report"),
        (why(content_type="multipart/report; report-type=delivery-status"), "delivery report"),
        (why(return_path="<>", x_failed_recipients="a@b.example"), "delivery report"),
        (why(content_type="multipart/report; report-type=disposition-notification"), "read receipt"),
        (why(kinds=("text/plain", "text/vnd.google.email-reaction+json")), "reaction"),
        (why(x_jira_fingerprint="abc"), "notification of Jira"),
        (why(sender="jira@acme.atlassian.net"), "notification of Jira"),
        (why(sender="jira@acme.example"), "notification of Jira"),
        (why(sender="confluence@acme.example"), "notification of Confluence"),
        (why(sender="confluence@acme.atlassian.net"), "notification of Confluence"),
        (why(sender="no-reply@am.atlassian.com"), "notification of Confluence"),
        (why(sender="mara.lind@atlassian.com"), ""),
        (why(x_atlassian_mail_message_id="x"), "notification of Confluence"),
        (why(x_mailbridge_notice="x"), "notification of this program"),
        (why(sender=""), ""),
    ],
)
def test_reasons(answer: str, expected: str) -> None:
    assert answer == expected
