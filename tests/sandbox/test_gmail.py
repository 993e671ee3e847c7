"""Gmail's API of the sandbox, driven by Google's own client and held to the discovery document."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from bridge.sandbox.gmail import OPERATIONS, SCOPE
from bridge.sandbox.gmail_fields import FieldsError, trim
from bridge.sandbox.gmail_payload import Shape
from bridge.sandbox.gmail_quota import OLDER_UNITS, UNITS, Quota

from support.discovery import check_all, methods
from support.google import ADA, BEN, MODIFY, READONLY, Google, load, mail

METADATA = SCOPE + "metadata"


@pytest.fixture
def google() -> Iterator[Google]:
    world = Google()
    yield world
    check_all(world.core.journal.seen)


@pytest.fixture
def users(google: Google) -> Any:
    return google.service().users()


def run(request: Any) -> Any:
    return request.execute()


def refusal(request: Any) -> tuple[int, str, str]:
    with pytest.raises(HttpError) as caught:
        request.execute()
    error = caught.value
    body = json.loads(error.content)["error"]
    return error.status_code, body["errors"][0]["reason"], body["message"]


def with_file(subject: str = "Plan") -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"] = BEN, subject
    message.set_content("See the file.")
    message.add_attachment(b"%PDF-1.7 bytes", maintype="application", subtype="pdf", filename="plan.pdf")
    return message.as_bytes()


def test_profile(google: Google, users: Any) -> None:
    google.gmail.deliver(ADA, mail("One"))
    answer = run(users.getProfile(userId="me"))
    assert answer == {
        "emailAddress": ADA,
        "messagesTotal": 1,
        "threadsTotal": 1,
        "historyId": str(google.gmail.mailbox(ADA).history_id),
    }
    assert google.core.journal.seen[-1].operation == "gmail.users.getProfile"
    assert google.core.journal.seen[-1].person == ADA


def test_own_address_is_me_and_another_is_refused(users: Any) -> None:
    assert run(users.getProfile(userId=ADA))["emailAddress"] == ADA
    assert refusal(users.getProfile(userId=BEN)) == (403, "forbidden", f"Delegation denied for {ADA}")


def test_every_operation_stands_in_the_document() -> None:
    for operation in OPERATIONS:
        method = methods()[operation.id]
        assert (method["httpMethod"], method["path"]) == (
            operation.method,
            f"gmail/v1/users/{{userId}}/{operation.path}",
        )
        scopes = {scope for scope in method["scopes"] if ".addons." not in scope}
        assert scopes == {"https://mail.google.com/", *(SCOPE + name for name in operation.scopes)}
        query = {name for name, value in method["parameters"].items() if value["location"] == "query"}
        assert query == set(operation.query)
        assert operation.id in UNITS
        assert operation.id in OLDER_UNITS


def test_labels_life(google: Google, users: Any) -> None:
    labels = users.labels()
    made = run(labels.create(userId="me", body={"name": "Confluence/ENG"}))
    assert (made["id"], made["type"]) == ("Label_1", "user")
    google.gmail.deliver(ADA, mail("One"), labels=["INBOX", "UNREAD", "confluence/eng"])
    assert run(labels.get(userId="me", id="Label_1"))["threadsUnread"] == 1
    renamed = run(labels.patch(userId="me", id="Label_1", body={"name": "Wiki"}))
    assert (renamed["id"], renamed["name"]) == ("Label_1", "Wiki")
    listed = {row["id"]: row for row in run(labels.list(userId="me"))["labels"]}
    assert listed["Label_1"] == {
        "id": "Label_1",
        "name": "Wiki",
        "messageListVisibility": "show",
        "labelListVisibility": "labelShow",
        "type": "user",
    }
    assert listed["INBOX"] == {"id": "INBOX", "name": "INBOX", "type": "system"}
    assert run(labels.delete(userId="me", id="Label_1")) == ""
    assert refusal(labels.get(userId="me", id="Label_1")) == (404, "notFound", "Requested entity was not found.")
    assert [m.label_ids for m in google.gmail.mailbox(ADA).messages.values()] == [["INBOX", "UNREAD"]]
    assert google.core.journal.writes()[-1].operation == "gmail.users.labels.delete"


def test_label_names(users: Any) -> None:
    labels = users.labels()
    run(labels.create(userId="me", body={"name": "Wiki"}))
    assert refusal(labels.create(userId="me", body={"name": "WIKI"}))[0] == 409
    for name in ("Muted", "enviado", "", "a\nb", "Trash"):
        assert refusal(labels.create(userId="me", body={"name": name})) == (
            400,
            "invalidArgument",
            "Invalid label name",
        )
    assert refusal(labels.delete(userId="me", id="INBOX"))[0] == 400


def test_threads_follow_the_references(google: Google) -> None:
    gmail = google.gmail
    first = gmail.deliver(BEN, mail("Plan", Message_ID="<1@example.com>"))
    reply = gmail.deliver(BEN, mail("AW: Re: plan", reply_to="<1@example.com>"))
    other = gmail.deliver(BEN, mail("New subject", reply_to="<1@example.com>"))
    forced = gmail.deliver(BEN, mail("Anything"), thread_id=first[1])
    assert reply[1] == forced[1] == first[1] == first[0]
    assert other[1] == other[0] != first[1]
    assert len(first[0]) == 16
    assert first[0] < reply[0] < other[0]


def test_thread_is_full_after_a_hundred(google: Google) -> None:
    _, thread = google.gmail.deliver(ADA, mail("Plan", Message_ID="<1@example.com>"))
    threads = {google.gmail.deliver(ADA, mail("Re: Plan", reply_to="<1@example.com>"))[1] for _ in range(100)}
    assert len(threads) == 2
    assert len(google.gmail.mailbox(ADA).by_thread[thread]) == 100


def test_thread_formats(google: Google, users: Any) -> None:
    _, thread = google.gmail.deliver(ADA, with_file())
    full = run(users.threads().get(userId="me", id=thread))["messages"][0]
    assert full["payload"]["parts"][1]["filename"] == "plan.pdf"
    assert full["labelIds"] == ["INBOX", "UNREAD"]
    assert full["internalDate"] == "1772442000000"
    minimal = run(users.threads().get(userId="me", id=thread, format="minimal"))["messages"][0]
    assert "payload" not in minimal
    metadata = run(users.threads().get(userId="me", id=thread, format="metadata", metadataHeaders=["subject"]))
    assert metadata["messages"][0]["payload"] == {
        "mimeType": "multipart/mixed",
        "headers": [{"name": "Subject", "value": "Plan"}],
    }


def test_raw_is_the_bytes_themselves(google: Google, users: Any) -> None:
    eml = "Subject: ä\nContent-Type: text/plain; charset=iso-8859-1\n\n\xe9".encode("latin-1")
    message, _ = google.gmail.deliver(ADA, eml)
    answer = run(users.messages().get(userId="me", id=message, format="raw"))
    assert base64.urlsafe_b64decode(answer["raw"]) == eml
    assert "payload" not in answer
    assert answer["sizeEstimate"] == len(eml)


def test_message_id_is_no_thread_id(google: Google, users: Any) -> None:
    _, thread = google.gmail.deliver(ADA, mail("Plan"))
    second, _ = google.gmail.deliver(ADA, mail("More"), thread_id=thread)
    assert refusal(users.threads().get(userId="me", id=second))[0] == 404


def test_attachment_ids_are_new_in_each_answer_and_die(google: Google, users: Any) -> None:
    google.gmail.settings.attachment_answers = 2
    message, thread = google.gmail.deliver(ADA, with_file())
    files = users.messages().attachments()

    def attachment_id() -> str:
        answer = run(users.threads().get(userId="me", id=thread))
        return str(answer["messages"][0]["payload"]["parts"][1]["body"]["attachmentId"])

    first, second = attachment_id(), attachment_id()
    assert first != second
    assert len(first) > 200
    for token in (first, second):
        answer = run(files.get(userId="me", messageId=message, id=token))
        assert answer == {"size": 14, "data": base64.urlsafe_b64encode(b"%PDF-1.7 bytes").decode()}
    attachment_id()
    assert refusal(files.get(userId="me", messageId=message, id=first)) == (
        400,
        "invalidArgument",
        "Invalid attachment token",
    )
    assert run(files.get(userId="me", messageId=message, id=second))["size"] == 14


def test_small_attachments_inline_by_switch(google: Google, users: Any) -> None:
    google.gmail.settings.shape = Shape(inline_below=100)
    message, _ = google.gmail.deliver(ADA, with_file())
    part = run(users.messages().get(userId="me", id=message))["payload"]["parts"][1]
    assert part["body"] == {"size": 14, "data": base64.urlsafe_b64encode(b"%PDF-1.7 bytes").decode()}


def test_lists_newest_first_in_pages(google: Google, users: Any) -> None:
    google.gmail.create_label(ADA, "Wiki")
    threads = []
    for number in range(5):
        google.clock.advance(60)
        threads.append(google.gmail.deliver(ADA, mail(f"Mail {number}"), labels=["INBOX", "Wiki"])[1])
    seen, token = [], None
    while token != "":
        # The client's own list_next refuses a request with a repeated parameter, so the token is passed by hand.
        request = users.threads().list(userId="me", labelIds=["Label_1", "INBOX"], maxResults=2, pageToken=token)
        page = run(request)
        assert page["resultSizeEstimate"] == 5
        seen += [row["id"] for row in page["threads"]]
        token = page.get("nextPageToken", "")
    assert seen == threads[::-1]
    assert run(users.threads().list(userId="me", labelIds=["STARRED"])) == {"resultSizeEstimate": 0}
    assert refusal(users.threads().list(userId="me", labelIds=["Label_9"]))[2] == "Invalid label: Label_9"


def test_lists_leave_trash_out(google: Google, users: Any) -> None:
    message, _ = google.gmail.deliver(ADA, mail("Gone"))
    google.gmail.trash(ADA, message)
    assert run(users.messages().list(userId="me")) == {"resultSizeEstimate": 0}
    assert run(users.messages().list(userId="me", includeSpamTrash=True))["messages"][0]["id"] == message
    assert len(run(users.messages().list(userId="me", labelIds=["TRASH"]))["messages"]) == 1


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("subject:plan", True),
        ('"the file"', True),
        ("-subject:plan", False),
        ("from:ben has:attachment is:unread", True),
        ("from:cy", False),
        ("label:confluence-eng in:inbox", True),
        ("after:2026/03/01 before:2026/03/03", True),
        ("after:1772442001", False),
        ("rfc822msgid:1@example.com", True),
    ],
)
def test_search(google: Google, users: Any, query: str, found: bool) -> None:
    google.gmail.create_label(ADA, "Confluence/ENG")
    eml = b"Message-ID: <1@example.com>\n" + with_file()
    google.gmail.deliver(ADA, eml, labels=["INBOX", "UNREAD", "Confluence/ENG"])
    assert ("messages" in run(users.messages().list(userId="me", q=query))) is found


def test_modify_thread_labels_what_is_there_now(google: Google, users: Any) -> None:
    google.gmail.create_label(ADA, "Wiki")
    one, thread = google.gmail.deliver(ADA, mail("Plan"))
    answer = run(
        users.threads().modify(userId="me", id=thread, body={"addLabelIds": ["Label_1"], "removeLabelIds": ["UNREAD"]})
    )
    assert answer == {"id": thread, "messages": [{"id": one, "threadId": thread, "labelIds": ["INBOX", "Label_1"]}]}
    late, _ = google.gmail.deliver(ADA, mail("Re: Plan"), thread_id=thread)
    assert "Label_1" not in google.gmail.mailbox(ADA).messages[late].label_ids
    run(users.messages().modify(userId="me", id=late, body={"removeLabelIds": ["INBOX", "UNREAD"]}))
    assert "labelIds" not in run(users.messages().get(userId="me", id=late, format="minimal"))
    bad = users.threads().modify(userId="me", id=thread, body={"addLabelIds": ["Label_9"]})
    assert refusal(bad) == (400, "invalidArgument", "labelId not found")
    sent = users.messages().modify(userId="me", id=one, body={"addLabelIds": ["SENT"]})
    assert refusal(sent) == (400, "invalidArgument", "Invalid label: SENT")


def test_history_tells_each_change(google: Google, users: Any) -> None:
    gmail = google.gmail
    gmail.create_label(ADA, "Wiki")
    gmail.add_filter(ADA, "plan", "Wiki")
    start = run(users.getProfile(userId="me"))["historyId"]
    message, thread = gmail.deliver(ADA, mail("Plan"))
    gmail.unlabel_thread(ADA, thread, "UNREAD")
    gmail.trash(ADA, message)
    gmail.delete_forever(ADA, message)
    answer = run(users.history().list(userId="me", startHistoryId=start))
    ids = {"id": message, "threadId": thread}
    added = {"message": {**ids, "labelIds": ["INBOX", "UNREAD", "Label_1"]}}
    kinds = [next(key for key in record if key not in ("id", "messages")) for record in answer["history"]]
    assert kinds == ["messagesAdded", "labelsRemoved", "labelsRemoved", "labelsAdded", "messagesDeleted"]
    assert answer["history"][0] == {"id": answer["history"][0]["id"], "messages": [ids], "messagesAdded": [added]}
    assert answer["history"][3]["labelsAdded"] == [
        {"message": {**ids, "labelIds": ["Label_1", "TRASH"]}, "labelIds": ["TRASH"]}
    ]
    assert answer["history"][4]["messagesDeleted"] == [{"message": ids}]
    numbers = [int(record["id"]) for record in answer["history"]]
    assert all(1 <= b - a <= 50 for a, b in zip([int(start), *numbers], numbers, strict=False))
    assert answer["historyId"] == answer["history"][-1]["id"]
    assert run(users.history().list(userId="me", startHistoryId=answer["historyId"])) == {
        "historyId": answer["historyId"]
    }
    only = run(users.history().list(userId="me", startHistoryId=start, historyTypes=["messageDeleted"]))
    assert len(only["history"]) == 1


def test_history_in_pages_with_empty_ones_first(google: Google, users: Any) -> None:
    google.gmail.settings.empty_history_pages = 2
    start = str(google.gmail.mailbox(ADA).history_id)
    for number in range(5):
        google.gmail.deliver(ADA, mail(str(number)))
    request, pages = users.history().list(userId="me", startHistoryId=start, maxResults=3), []
    while request is not None:
        pages.append(run(request))
        request = users.history().list_next(request, pages[-1])
    assert [len(page.get("history", [])) for page in pages] == [0, 0, 3, 2]
    assert {page["historyId"] for page in pages} == {str(google.gmail.mailbox(ADA).history_id)}


def test_old_history_is_not_found(google: Google, users: Any) -> None:
    start = str(google.gmail.mailbox(ADA).history_id)
    google.gmail.deliver(ADA, mail("Old"))
    google.clock.advance(timedelta(days=8).total_seconds())
    message, _ = google.gmail.deliver(ADA, mail("New"))
    http_users = google.service(ADA).users()
    assert refusal(http_users.history().list(userId="me", startHistoryId=start))[0] == 404
    kept = google.gmail.mailbox(ADA).messages[message].history_id
    cursor = str(google.gmail.mailbox(ADA).history_id)
    assert run(http_users.history().list(userId="me", startHistoryId=cursor)) == {"historyId": str(kept)}
    google.gmail.mailbox(ADA).forget_history()
    assert refusal(http_users.history().list(userId="me", startHistoryId=cursor))[0] == 404
    assert "historyId" in run(
        http_users.history().list(userId="me", startHistoryId=run(http_users.getProfile(userId="me"))["historyId"])
    )


@pytest.mark.parametrize("cursor", ["", "abc", "-4"])
def test_bad_cursor(google: Google, cursor: str) -> None:
    token = google.tokens()["access_token"]
    answer = google.session().get(
        f"{google.url}/gmail/v1/users/me/history",
        params={"startHistoryId": cursor},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert (answer.status_code, answer.json()["error"]["message"]) == (
        400,
        "Missing/invalid parameter: startHistoryId",
    )


def test_deleting_a_label_with_and_without_history(google: Google, users: Any) -> None:
    for shown in (True, False):
        google.gmail.settings.deleted_label_history = shown
        google.gmail.create_label(ADA, "Wiki")
        google.gmail.deliver(ADA, mail("x"), labels=["Wiki"])
        start = str(google.gmail.mailbox(ADA).history_id)
        google.gmail.delete_label(ADA, "Wiki")
        answer = run(users.history().list(userId="me", startHistoryId=start))
        assert ("history" in answer) is shown


def test_stale_thread_answers_what_stood_before(google: Google, users: Any) -> None:
    _, thread = google.gmail.deliver(ADA, mail("Plan"))
    google.gmail.settings.stale_reads = 2
    google.gmail.deliver(ADA, mail("Re: Plan"), thread_id=thread)
    google.gmail.label_thread(ADA, thread, "STARRED")
    answers = [run(users.threads().get(userId="me", id=thread)) for _ in range(3)]
    assert [len(answer["messages"]) for answer in answers] == [1, 1, 2]
    assert int(answers[0]["historyId"]) < int(answers[2]["historyId"])
    assert "STARRED" not in answers[1]["messages"][0]["labelIds"]
    _, young = google.gmail.deliver(ADA, mail("New"))
    assert refusal(users.threads().get(userId="me", id=young))[0] == 404
    assert refusal(users.threads().get(userId="me", id=young))[0] == 404
    assert run(users.threads().get(userId="me", id=young))["id"] == young


def test_send_gives_each_mailbox_its_own_copy(google: Google, users: Any) -> None:
    eml = mail("Plan", Bcc="cy@example.org")
    copies = google.gmail.send(ADA, eml)
    assert set(copies) == {ADA, BEN}
    assert copies[ADA][0] != copies[BEN][0]
    sent, got = (google.gmail.mailbox(who).messages[copies[who][0]] for who in (ADA, BEN))
    assert (sent.label_ids, got.label_ids) == (["SENT"], ["INBOX", "UNREAD"])
    assert sent.mime.header("Message-ID") == got.mime.header("Message-ID") != ""
    assert (sent.mime.header("Bcc"), got.mime.header("Bcc")) == ("cy@example.org", "")
    assert "dmarc=pass" in got.mime.header("Authentication-Results")
    answer = google.gmail.send(BEN, mail("Re: Plan", sender=BEN, to=ADA, reply_to=sent.mime.header("Message-ID")))
    assert (answer[ADA][1], answer[BEN][1]) == (copies[ADA][1], copies[BEN][1])
    to_self = google.gmail.send(ADA, mail("Note", to=ADA))
    assert google.gmail.mailbox(ADA).messages[to_self[ADA][0]].label_ids == ["SENT", "INBOX", "UNREAD"]


def test_draft_churn(google: Google, users: Any) -> None:
    start = str(google.gmail.mailbox(ADA).history_id)
    first = google.gmail.save_draft(ADA, mail("Plan"))
    second = google.gmail.autosave_draft(ADA, first, mail("Plan", text="More."))
    copies = google.gmail.send_draft(ADA, second)
    assert refusal(users.messages().get(userId="me", id=first))[0] == 404
    history = run(users.history().list(userId="me", startHistoryId=start))["history"]
    kinds = ("messagesAdded", "messagesDeleted")
    changes = [(kind, record[kind][0]["message"]["id"]) for record in history for kind in kinds if kind in record]
    sent = copies[ADA][0]
    assert changes == [
        ("messagesAdded", first),
        ("messagesAdded", second),
        ("messagesDeleted", first),
        ("messagesAdded", sent),
        ("messagesDeleted", second),
    ]
    assert google.gmail.mailbox(ADA).messages[sent].label_ids == ["SENT"]


def test_given_messages_are_served_as_they_stand(google: Google, users: Any, shared: Path) -> None:
    three, four, five = (load(shared / "cases" / f"C0{n}.json") for n in (3, 4, 5))
    google.gmail.deliver_payload(ADA, three)
    google.gmail.deliver_payload(ADA, four["message"], four["attachments"])
    for message in five["messages"]:
        google.gmail.deliver_payload(ADA, message)
    assert run(users.threads().get(userId="me", id="t03"))["messages"] == [three]
    assert run(users.messages().get(userId="me", id="m04")) == four["message"]
    body = run(users.messages().attachments().get(userId="me", messageId="m04", id="ANGjd04"))
    assert body == four["attachments"]["ANGjd04"]
    assert run(users.threads().get(userId="me", id="t05"))["messages"] == five["messages"]
    google.gmail.unlabel_thread(ADA, "t03", "Label_7")
    assert "labelIds" not in run(users.messages().get(userId="me", id="m03"))
    google.core.journal.seen.clear()  # what others' reports show need not keep to the document


def test_scripted_history(google: Google, users: Any, shared: Path) -> None:
    case = load(shared / "cases" / "C34.json")
    google.gmail.mailbox(ADA).scripted_history["900"] = case["pages"]
    first = run(users.history().list(userId="me", startHistoryId="900"))
    second = run(users.history().list(userId="me", startHistoryId="900", pageToken="p2"))
    assert (first, second) == (case["pages"][""], case["pages"]["p2"])


def test_fields_trim_the_answer(google: Google, users: Any) -> None:
    message, thread = google.gmail.deliver(ADA, mail("Plan"))
    answer = run(users.threads().get(userId="me", id=thread, fields="messages(id,payload/headers/name),id"))
    headers = answer["messages"][0].pop("payload")["headers"]
    assert answer == {"id": thread, "messages": [{"id": message}]}
    assert {"name": "Subject"} in headers
    assert refusal(users.threads().get(userId="me", id=thread, fields="messages("))[0] == 400


def test_long_query_as_a_form(google: Google, users: Any) -> None:
    google.gmail.deliver(ADA, mail("Plan"))
    answer = run(users.messages().list(userId="me", q="plan -" + "x" * 3000))
    assert len(answer["messages"]) == 1
    seen = google.core.journal.seen[-1]
    assert (seen.method, seen.operation) == ("POST", "gmail.users.messages.list")


def test_watch_and_stop(google: Google, users: Any) -> None:
    answer = run(users.watch(userId="me", body={"topicName": "projects/p/topics/t"}))
    assert answer == {"historyId": str(google.gmail.mailbox(ADA).history_id), "expiration": "1773046800000"}
    assert run(users.stop(userId="me")) == ""
    assert google.core.journal.writes() == []


def test_scopes(google: Google) -> None:
    _, thread = google.gmail.deliver(ADA, mail("Plan"))
    reader = google.service(scopes=(READONLY,)).users()
    change = reader.threads().modify(userId="me", id=thread, body={"addLabelIds": ["STARRED"]})
    assert refusal(change) == (403, "insufficientPermissions", "Request had insufficient authentication scopes.")
    assert google.core.journal.writes() == []
    both = google.service(scopes=(MODIFY, METADATA), person=ADA).users()
    assert refusal(both.threads().get(userId="me", id=thread))[2] == "Metadata scope doesn't allow format FULL"
    assert refusal(both.threads().list(userId="me", q="x"))[2] == "Metadata scope does not support 'q' parameter"
    assert run(both.threads().get(userId="me", id=thread, format="metadata"))["id"] == thread


def test_dead_tokens(google: Google, users: Any) -> None:
    google.clock.advance(3598)
    assert run(users.getProfile(userId="me"))["emailAddress"] == ADA
    google.clock.advance(1)
    assert refusal(users.getProfile(userId="me"))[:2] == (401, "authError")
    assert google.core.journal.seen[-1].person == ADA
    fresh = google.service().users()
    google.half.oauth.grants.revoke_grant(ADA)
    assert refusal(fresh.getProfile(userId="me"))[:2] == (401, "authError")


def test_switches_of_project_and_person(google: Google, users: Any) -> None:
    person = google.gmail.mailbox(ADA).person
    google.half.api.enabled = False
    assert refusal(users.getProfile(userId="me"))[:2] == (403, "accessNotConfigured")
    google.half.api.enabled = True
    person.blocked_by_admin = True
    assert refusal(users.getProfile(userId="me"))[:2] == (403, "domainPolicy")
    person.blocked_by_admin, person.mail_enabled = False, False
    assert refusal(users.getProfile(userId="me"))[1:] == ("failedPrecondition", "Mail service not enabled")


def test_quota(google: Google, users: Any) -> None:
    quota = google.half.api.quota
    _, thread = google.gmail.deliver(ADA, mail("Plan"))
    run(users.threads().get(userId="me", id=thread))
    run(users.history().list(userId="me", startHistoryId="999999"))
    assert quota.used == {ADA: 42}
    quota.limit = 50
    assert refusal(users.threads().get(userId="me", id=thread))[:2] == (403, "rateLimitExceeded")
    assert quota.used == {ADA: 42}
    google.clock.advance(60)
    run(users.threads().get(userId="me", id=thread))
    google.half.api.quota = Quota(OLDER_UNITS, limit=None)
    run(users.threads().get(userId="me", id=thread))
    assert google.half.api.quota.used == {ADA: 10}


def test_unknown_parameter_and_unknown_call(google: Google) -> None:
    head = {"Authorization": f"Bearer {google.tokens()['access_token']}"}
    session, base = google.session(), f"{google.url}/gmail/v1/users/me"
    assert session.get(f"{base}/profile?bogus=1", headers=head).status_code == 400
    assert session.get(f"{base}/drafts", headers=head).status_code == 404
    assert session.get(f"{google.url}/nowhere").status_code == 404
    assert session.get(f"{base}/profile").status_code == 401
    google.core.journal.seen.clear()


def test_same_seed_same_ids() -> None:
    first, second = Google(), Google()
    ids = [(w.gmail.deliver(ADA, mail("x")), w.gmail.mailbox(ADA).history_id) for w in (first, second)]
    assert ids[0] == ids[1]


def test_people_label_throw_away_and_take_back(google: Google) -> None:
    gmail, box = google.gmail, google.gmail.mailbox(ADA)
    gmail.create_label(ADA, "Wiki")
    gmail.rename_label(ADA, "wiki", "Pages")
    message, thread = gmail.deliver(ADA, mail("Plan"), labels=["INBOX"])
    gmail.label_message(ADA, message, "PAGES")
    gmail.trash(ADA, message)
    assert box.messages[message].label_ids == ["Label_1", "TRASH"]
    gmail.untrash(ADA, message)
    gmail.unlabel_message(ADA, message, "Pages")
    assert box.messages[message].label_ids == []
    gmail.spam(ADA, message)
    assert box.messages[message].label_ids == ["SPAM"]
    before = box.history_id
    gmail.label_thread(ADA, thread, "SPAM")
    assert box.history_id == before
    with pytest.raises(KeyError, match="create it first"):
        gmail.label_thread(ADA, thread, "Nowhere")
    gmail.delete_forever(ADA, message)
    assert (box.messages, box.by_thread) == ({}, {})
    assert [label.name for label in box.user_labels()] == ["Pages"]


def test_sending_supplies_id_and_date_and_draft_in_a_thread(google: Google) -> None:
    copies = google.gmail.send(ADA, b"To: ben@example.com\nSubject: Bare\n\nHello")
    got = google.gmail.mailbox(BEN).messages[copies[BEN][0]].mime
    assert got.header("Message-ID").endswith("@mail.example.com>")
    assert got.header("Date") == "Mon, 02 Mar 2026 09:00:00 -0000"
    draft = google.gmail.save_draft(BEN, mail("Re: Bare"), thread_id=copies[BEN][1])
    assert google.gmail.mailbox(BEN).messages[draft].thread_id == copies[BEN][1]


def test_records_show_labels_of_the_change_or_of_the_listing(google: Google, users: Any) -> None:
    start = str(google.gmail.mailbox(ADA).history_id)
    _, thread = google.gmail.deliver(ADA, mail("Plan"), labels=["INBOX"])
    google.gmail.label_thread(ADA, thread, "STARRED")
    shown = []
    for when in ("change", "listing"):
        google.gmail.settings.record_labels = when
        record = run(users.history().list(userId="me", startHistoryId=start))["history"][0]
        shown.append(record["messagesAdded"][0]["message"]["labelIds"])
    assert shown == [["INBOX"], ["INBOX", "STARRED"]]
    by_label = users.history().list(userId="me", startHistoryId=start, labelId="STARRED")
    assert len(run(by_label)["history"]) == 1


def test_requests_that_are_wrong(google: Google, users: Any) -> None:
    message, thread = google.gmail.deliver(ADA, mail("Plan"))
    start = str(google.gmail.mailbox(ADA).history_id)
    run(users.labels().create(userId="me", body={"name": "Wiki"}))
    run(users.labels().create(userId="me", body={"name": "Other"}))
    labels, messages, threads = users.labels(), users.messages(), users.threads()
    wrong = [
        (labels.patch(userId="me", id="Label_1", body={"name": "other"}), 409),
        (labels.patch(userId="me", id="Label_1", body={"name": "Trash"}), 400),
        (threads.modify(userId="me", id="0", body={"addLabelIds": ["STARRED"]}), 404),
        (threads.modify(userId="me", id=thread, body={}), 400),
        (threads.modify(userId="me", id=thread, body={"addLabelIds": [f"L{n}" for n in range(101)]}), 400),
        (messages.list(userId="me", pageToken="x"), 400),
        (messages.list(userId="me", maxResults=0), 400),
        (users.history().list(userId="me", startHistoryId=start, pageToken="x"), 400),
        (messages.attachments().get(userId="me", messageId=message, id="x"), 400),
        (messages.attachments().get(userId="me", messageId="0", id="x"), 404),
        (users.watch(userId="me", body={}), 400),
    ]
    assert [refusal(request)[0] for request, _ in wrong] == [status for _, status in wrong]
    head = {"Authorization": f"Bearer {google.tokens(scopes=(MODIFY,))['access_token']}"}
    url = f"{google.url}/gmail/v1/users/me"
    typed = {**head, "Content-Type": "application/json"}
    for body in (b"{", b"[]"):
        answer = google.session().post(f"{url}/threads/{thread}/modify", data=body, headers=typed)
        assert answer.status_code == 400
    assert google.session().get(f"{url}/threads/{thread}?format=raw", headers=head).status_code == 400
    google.core.journal.seen.clear()


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ("*", {"a": [{"b": 1, "c": {"d": 2}}], "e": 3}),
        ("a/b", {"a": [{"b": 1}]}),
        ("a(b,c/d),e", {"a": [{"b": 1, "c": {"d": 2}}], "e": 3}),
        ("*/c", {"a": [{"c": {"d": 2}}], "e": 3}),
        ("nothing", {}),
    ],
)
def test_field_masks(fields: str, answer: dict[str, Any]) -> None:
    assert trim({"a": [{"b": 1, "c": {"d": 2}}], "e": 3}, fields) == answer


@pytest.mark.parametrize("fields", ["", "a(", "a)", "a,,b", "a/"])
def test_bad_field_masks(fields: str) -> None:
    with pytest.raises(FieldsError):
        trim({"a": 1}, fields)
