from __future__ import annotations

import io
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bridge import errors
from bridge.clock import VirtualClock
from bridge.confluence import Confluence, Site, Space, User, Version, sites

from support.wire import ENDPOINTS, NOW, Ledger, Reply, Sent, Tokens, Wire

PAGE = {
    "id": "39813121",
    "status": "draft",
    "title": "Release plan",
    "spaceId": 39223300,
    "parentId": "39223464",
    "authorId": "557058:a",
    "version": {
        "number": 3,
        "message": "From mail [3f9a2c1b]",
        "authorId": "557058:b",
        "createdAt": "2026-07-03T13:48:15.974Z",
    },
    "body": {"storage": {"representation": "storage", "value": "<p>x</p>"}},
    "_links": {"webui": "/spaces/K/pages/39813121/Release+plan", "base": "https://site.example/wiki"},
    "surprise": {"a": 1},
}


def client(wire: Wire) -> Confluence:
    return Confluence(wire.transports, ENDPOINTS, "cloud-1", Tokens(), Ledger(), clock=VirtualClock(NOW))


def path(sent: Sent) -> str:
    return urlsplit(sent.url).path.removeprefix("/ex/confluence/cloud-1/wiki")


def query(sent: Sent) -> dict[str, list[str]]:
    return parse_qs(urlsplit(sent.url).query)


def test_content_is_read_whole_and_leniently() -> None:
    wire = Wire(Reply(200, PAGE), Reply(200, {"id": 7}))
    content = client(wire).content("page", "39813121", draft=True, body=True)
    assert (content.id, content.status, content.title) == ("39813121", "draft", "Release plan")
    assert (content.space_id, content.parent_id, content.author_id) == ("39223300", "39223464", "557058:a")
    created = datetime(2026, 7, 3, 13, 48, 15, 974000, UTC)
    assert content.version == Version(3, "From mail [3f9a2c1b]", "557058:b", created)
    assert content.storage == "<p>x</p>"
    assert content.url == "https://site.example/wiki/spaces/K/pages/39813121/Release+plan"
    assert query(wire.sent[0]) == {
        "get-draft": ["true"],
        "body-format": ["storage"],
        "include-labels": ["true"],
    }
    bare = client(wire).content("blogpost", "7")
    assert (bare.kind, bare.id, bare.storage, bare.url, bare.version) == (
        "blogpost",
        "7",
        "",
        "",
        Version(0, "", "", None),
    )
    assert (path(wire.sent[1]), query(wire.sent[1])) == ("/api/v2/blogposts/7", {})


@pytest.mark.parametrize(
    ("listed", "labels"),
    [
        ({"results": [{"name": "Mail"}, {"name": "plan"}], "meta": {"hasMore": False}}, {"mail", "plan"}),
        ({"results": []}, set()),
        ({"results": [{"name": "mail"}], "meta": {"hasMore": True}}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_labels_of_a_page_are_known_where_the_answer_has_them_all(listed: object, labels: set[str] | None) -> None:
    assert client(Wire(Reply(200, {"id": 7, "labels": listed}))).content("page", "7", body=True).labels == labels


@pytest.mark.parametrize("reply", [{}, {"id": None}, {"id": ["x"]}, {"id": True}])
def test_content_without_an_id_is_temporary(reply: dict[str, Any]) -> None:
    with pytest.raises(errors.Temporary) as caught:
        client(Wire(Reply(200, reply))).content("page", "1")
    assert not caught.value.maybe_applied
    with pytest.raises(errors.Temporary) as caught:
        client(Wire(Reply(200, reply))).create_draft("page", space_id="1", title="T")
    assert caught.value.maybe_applied


def test_a_draft_holds_its_place_and_title_only() -> None:
    wire = Wire(Reply(200, PAGE), Reply(200, PAGE))
    client(wire).create_draft("page", space_id="1", title="T", parent_id="2", private=True)
    client(wire).create_draft("blogpost", space_id="1", title="T")
    assert [sent.json for sent in wire.sent] == [
        {"spaceId": "1", "status": "draft", "title": "T", "parentId": "2"},
        {"spaceId": "1", "status": "draft", "title": "T"},
    ]
    assert [(sent.method, path(sent), query(sent)) for sent in wire.sent] == [
        ("POST", "/api/v2/pages", {"private": ["true"]}),
        ("POST", "/api/v2/blogposts", {}),
    ]


@pytest.mark.parametrize("title", ["Not Found", "Cannot find a space with id [1]"])
def test_a_private_draft_that_is_refused_is_said_to_be_private(title: str) -> None:
    reply = Reply(404, {"errors": [{"status": 404, "code": "NOT_FOUND", "title": title}]})
    with pytest.raises(errors.PersonMustAct, match="only its author may read") as caught:
        client(Wire(reply)).create_draft("page", space_id="1", title="T", private=True)
    assert type(caught.value) is errors.PersonMustAct
    with pytest.raises(errors.RemoteError, match=r"Confluence (answered|does not have)"):
        client(Wire(reply)).create_draft("page", space_id="1", title="T")


def test_publishing_sends_all_that_is_required() -> None:
    wire = Wire(Reply(200, PAGE))
    client(wire).publish("page", "9", title="T", storage="<p>ä</p>", message="note [1]")
    assert (wire.sent[0].method, path(wire.sent[0])) == ("PUT", "/api/v2/pages/9")
    assert wire.sent[0].json == {
        "id": "9",
        "status": "current",
        "title": "T",
        "body": {"representation": "storage", "value": "<p>ä</p>"},
        "version": {"number": 1, "message": "note [1]"},
    }


def test_titles_are_compared_without_case() -> None:
    rows = [{"id": "1", "title": "release PLAN "}, {"id": "2", "title": "Release plan B"}]
    wire = Wire(Reply(200, {"results": rows}), Reply(200, {"results": []}), Reply(200, {"results": rows}))
    assert [content.id for content in client(wire).by_title("5", "Release plan")] == ["1"]
    assert query(wire.sent[0]) == {
        "title": ["Release plan"],
        "space-id": ["5"],
        "status": ["current", "archived"],
        "limit": ["250"],
    }
    client(wire).by_title("5", "Release plan", kind="blogpost")
    assert (path(wire.sent[1]), query(wire.sent[1])["status"]) == ("/api/v2/blogposts", ["current"])
    parent = client(wire).find_parent("5", "RELEASE PLAN")
    assert parent is not None
    assert (parent.id, query(wire.sent[2])["status"]) == ("1", ["current"])


def test_what_stands_in_a_space_is_listed_with_its_text_the_newest_first() -> None:
    row = {"id": "1", "title": "T", "status": "trashed", "body": {"storage": {"value": "<p>x</p>"}}}
    wire = Wire(Reply(200, {"results": [row]}), Reply(200, {"results": []}))
    assert [(found.id, found.status, found.storage) for found in client(wire).newest("page", "5")] == [
        ("1", "trashed", "<p>x</p>")
    ]
    assert (path(wire.sent[0]), query(wire.sent[0])) == (
        "/api/v2/pages",
        {
            "space-id": ["5"],
            "status": ["current", "archived", "trashed"],
            "sort": ["-modified-date"],
            "body-format": ["storage"],
            "limit": ["50"],
        },
    )
    assert list(client(wire).newest("blogpost", "5")) == []
    assert (path(wire.sent[1]), query(wire.sent[1])["status"]) == ("/api/v2/blogposts", ["current", "trashed"])


def test_a_parent_that_is_not_there() -> None:
    assert client(Wire(Reply(200, {"results": []}))).find_parent("5", "Minutes") is None


def test_spaces() -> None:
    row = {"id": "5", "key": "eng", "name": "Engineering", "status": "archived", "homepageId": 12}
    space = Space("5", "eng", "Engineering", "archived", "12")
    wire = Wire(Reply(200, {"results": [row]}), Reply(200, {"results": []}))
    made = client(wire)
    assert made.space("ENG") == space
    assert made.space("NONE") is None
    assert query(wire.sent[0]) == {"keys": ["ENG"]}


def test_the_current_user() -> None:
    wire = Wire(Reply(200, {"accountId": "557058:a", "displayName": "Ada"}), Reply(200, {"type": "anonymous"}))
    assert client(wire).current_user() == User("557058:a", "Ada")
    assert path(wire.sent[0]) == "/rest/api/user/current"
    with pytest.raises(errors.Temporary):
        client(wire).current_user()


def test_comments() -> None:
    body = {"storage": {"value": "<p>x</p>"}}
    version = {"number": 1, "authorId": "557058:a", "createdAt": "2026-03-03T14:00:00Z"}
    row = {"id": "300", "status": "current", "version": version, "body": body}
    wire = Wire(Reply(201, row), Reply(201, row), Reply(201, {**row, "parentCommentId": "300"}), Reply(200, row))
    made = client(wire)
    made.comment_on("page", "9", "<p>x</p>")
    made.comment_on("blogpost", "9", "<p>x</p>")
    assert made.reply_to("300", "<p>x</p>").parent_id == "300"
    comment = made.comment("300")
    sent_body = {"representation": "storage", "value": "<p>x</p>"}
    assert [sent.json for sent in wire.sent[:3]] == [
        {"pageId": "9", "body": sent_body},
        {"blogPostId": "9", "body": sent_body},
        {"parentCommentId": "300", "body": sent_body},
    ]
    assert (comment.author_id, comment.storage, comment.parent_id) == ("557058:a", "<p>x</p>", "")
    assert comment.version.created_at == datetime(2026, 3, 3, 14, 0, tzinfo=UTC)


def test_comments_are_listed_newest_first_with_their_texts() -> None:
    wire = Wire(Reply(200, {"results": []}), Reply(200, {"results": []}))
    made = client(wire)
    assert list(made.comments("blogpost", "9")) == list(made.replies("300")) == []
    assert [path(sent) for sent in wire.sent] == [
        "/api/v2/blogposts/9/footer-comments",
        "/api/v2/footer-comments/300/children",
    ]
    for sent in wire.sent:
        assert query(sent) == {"sort": ["-created-date"], "body-format": ["storage"], "limit": ["50"]}


def test_an_empty_comment_is_never_sent() -> None:
    wire = Wire()
    with pytest.raises(ValueError, match="text"):
        client(wire).reply_to("300", " \n")
    assert wire.sent == []


ATTACHED = {
    "results": [
        {
            "id": "att4000",
            "title": "plan.pdf",
            "status": "current",
            "version": {"number": 1},
            "extensions": {"mediaType": "application/pdf", "fileSize": 171, "comment": "note"},
        }
    ]
}


def parts(sent: Sent) -> list[EmailMessage]:
    head = f"Content-Type: {sent.headers['Content-Type']}\r\n\r\n".encode()
    message = BytesParser(policy=policy.HTTP).parsebytes(head + sent.body)
    return [part for part in message.iter_parts() if isinstance(part, EmailMessage)]


@pytest.mark.parametrize("streamed", [False, True])
def test_an_upload_is_create_only_and_says_its_charset(streamed: bool) -> None:
    data = bytes(range(256)) * 300
    wire = Wire(Reply(200, ATTACHED))
    stream = io.BytesIO(data)
    stream.seek(100)
    file = client(wire).upload(
        "9",
        name="Plän “final”.pdf",
        data=stream if streamed else data,
        mime_type="application/pdf",
        comment="From Zoë's mail [0a1b2c3d]",
        draft=True,
    )
    assert (file.id, file.name, file.size, file.comment, file.version) == ("att4000", "plan.pdf", 171, "note", 1)
    sent = wire.sent[0]
    assert (sent.method, path(sent)) == ("POST", "/rest/api/content/9/child/attachment")
    assert query(sent) == {"status": ["draft"]}
    assert sent.headers["X-Atlassian-Token"] == "no-check"
    assert sent.headers["Content-Length"] == str(len(sent.body))
    minor, comment, payload = parts(sent)
    assert minor.get_payload(decode=True) == b"true"
    assert b"Content-Type: text/plain; charset=utf-8\r\n" in sent.body
    assert comment.get_payload(decode=True) == "From Zoë's mail [0a1b2c3d]".encode()
    assert payload["Content-Type"] == "application/pdf"
    assert 'name="file"; filename="Plän “final”.pdf"'.encode() in sent.body
    assert payload.get_payload(decode=True) == data


def test_a_quote_in_a_file_name_ends_nothing() -> None:
    wire = Wire(Reply(200, ATTACHED))
    client(wire).upload("9", name='a"\r\nX: b.txt', data=b"x", mime_type="text/plain", comment="c", draft=False)
    assert b'filename="a%22%0D%0AX: b.txt"' in wire.sent[0].body
    assert query(wire.sent[0]) == {"status": ["current"]}


def test_an_upload_is_read_anew_after_a_refresh() -> None:
    wire = Wire(Reply(401, {"code": 401, "message": "Unauthorized"}), Reply(200, ATTACHED))
    stream = io.BytesIO(b"0123456789")
    client(wire).upload("9", name="a.txt", data=stream, mime_type="text/plain", comment="", draft=False)
    assert wire.sent[0].body == wire.sent[1].body
    assert b"0123456789" in wire.sent[1].body


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (400, "Cannot add a new attachment with same file name as an existing attachment: a.txt", errors.NameTaken),
        (404, "No content found with id: 9", errors.NotFound),
        (404, "The attachment exceeds the maximum size", errors.TooLarge),
        (413, "Request too large", errors.TooLarge),
        (403, "Attachments are disabled", errors.PersonMustAct),
    ],
)
def test_an_upload_that_is_refused(status: int, message: str, expected: type[errors.RemoteError]) -> None:
    wire = Wire(Reply(status, {"statusCode": status, "message": message}))
    with pytest.raises(errors.RemoteError) as caught:
        client(wire).upload("9", name="a.txt", data=b"x", mime_type="text/plain", comment="", draft=False)
    assert type(caught.value) is expected
    assert len(wire.sent) == 1


def test_the_data_of_a_half_upload_is_replaced_by_id() -> None:
    wire = Wire(Reply(200, ATTACHED["results"][0]))
    file = client(wire).replace_data("9", "att4000", name="a", data=b"x", mime_type="text/plain", comment="c")
    assert file.id == "att4000"
    assert path(wire.sent[0]) == "/rest/api/content/9/child/attachment/att4000/data"


def test_files_of_a_name() -> None:
    row = {
        "id": "att1",
        "title": "a b.png",
        "fileSize": 79,
        "comment": "sha",
        "mediaType": "image/png",
        "version": {"number": 2},
    }
    wire = Wire(Reply(200, {"results": [row]}), Reply(200, {"results": []}))
    made = client(wire)
    (file,) = made.files("page", "9", "a b.png")
    assert (file.id, file.name, file.size, file.comment, file.version, file.mime_type) == (
        "att1", "a b.png", 79, "sha", 2, "image/png",
    )  # fmt: skip
    assert made.files("page", "9") == []
    assert [query(sent) for sent in wire.sent] == [{"filename": ["a b.png"], "limit": ["250"]}, {"limit": ["250"]}]


def test_labels() -> None:
    wire = Wire(Reply(200, {"results": []}), Reply(200, {"results": [{"name": "mail"}, {"name": "x"}]}))
    made = client(wire)
    made.add_labels("9", ["mail", "x"])
    made.add_labels("9", [])
    assert made.labels("page", "9") == ["mail", "x"]
    assert wire.sent[0].json == [{"prefix": "global", "name": "mail"}, {"prefix": "global", "name": "x"}]
    assert len(wire.sent) == 2


def restriction(operation: str, users: list[str], groups: list[str]) -> dict[str, Any]:
    people = {"results": [{"accountId": name} for name in users], "size": len(users)}
    return {"operation": operation, "restrictions": {"user": people, "group": {"results": [{"id": g} for g in groups]}}}


def test_who_may_read() -> None:
    open_page = {"results": [restriction("read", [], []), restriction("update", ["a"], [])]}
    closed = {"results": [restriction("read", ["a", "b"], ["g"]), restriction("update", [], [])]}
    made = client(Wire(Reply(200, open_page), Reply(200, closed)))
    assert made.readers("9") == frozenset()
    assert made.readers("9") == {"a", "b", "group:g"}


def test_restricting_names_both_operations() -> None:
    wire = Wire(Reply(200, {"results": []}))
    client(wire).restrict("9", "557058:a")
    only = {"user": [{"type": "known", "accountId": "557058:a"}]}
    assert wire.sent[0].method == "PUT"
    assert wire.sent[0].json == [
        {"operation": "read", "restrictions": only},
        {"operation": "update", "restrictions": only},
    ]


def test_properties() -> None:
    rows = [
        {"id": "1", "key": "Mailbridge.x", "value": 1},
        {"id": "2", "key": "mailbridge.x", "value": {"a": [1]}, "version": {"number": 1}},
    ]
    taken = {
        "errors": [{"status": "409", "code": "CONFLICT", "title": "Property with key [mailbridge.x] already exists"}]
    }
    wire = Wire(Reply(200, {"results": rows}), Reply(200, {"results": []}), Reply(200, rows[1]), Reply(409, taken))
    made = client(wire)
    found = made.property("page", "9", "mailbridge.x")
    assert found is not None
    assert (found.id, found.value, found.version) == ("2", {"a": [1]}, 1)
    assert made.property("comment", "300", "mailbridge.x") is None
    assert made.set_property("page", "9", "mailbridge.x", {"a": [1]}) == found
    with pytest.raises(errors.Conflict):
        made.set_property("page", "9", "mailbridge.x", 2)
    assert [path(sent) for sent in wire.sent[:2]] == ["/api/v2/pages/9/properties", "/api/v2/comments/300/properties"]
    assert wire.sent[2].json == {"key": "mailbridge.x", "value": {"a": [1]}}


def test_versions_are_newest_first() -> None:
    rows = [{"number": 1, "message": "a"}, {"number": 2, "message": "b", "authorId": "x"}]
    made = client(Wire(Reply(200, {"results": rows})))
    assert made.versions("page", "9") == [Version(2, "b", "x", None), Version(1, "a", "", None)]


def test_trash() -> None:
    wire = Wire(Reply(204, b""), Reply(204, b""))
    made = client(wire)
    made.trash("page", "9")
    made.trash("blogpost", "9", draft=True)
    assert [(sent.method, path(sent), query(sent)) for sent in wire.sent] == [
        ("DELETE", "/api/v2/pages/9", {}),
        ("DELETE", "/api/v2/blogposts/9", {"draft": ["true"]}),
    ]


def test_sites_are_those_with_a_scope_of_confluence() -> None:
    entries = [
        {"id": "c1", "url": "https://one.example/", "name": "one", "scopes": ["read:jira-work"]},
        {"id": "c1", "url": "https://one.example", "name": "one", "scopes": ["read:page:confluence"]},
        {"id": "c2", "url": "https://two.example", "name": "two", "scopes": ["write:page:confluence"]},
        {"id": "c1", "url": "https://one.example", "name": "one", "scopes": ["write:page:confluence"]},
        {"id": "c3", "url": "https://three.example", "name": "three", "scopes": ["read:jira-work"]},
        "nonsense",
    ]
    wire = Wire(Reply(200, entries))
    assert sites(wire.transports, ENDPOINTS, "t", clock=VirtualClock(NOW)) == [
        Site("c1", "https://one.example", "one", frozenset({"read:page:confluence", "write:page:confluence"})),
        Site("c2", "https://two.example", "two", frozenset({"write:page:confluence"})),
    ]
    assert wire.sent[0].url == "https://atlassian.example/oauth/token/accessible-resources"
    assert wire.sent[0].headers["Authorization"] == "Bearer t"


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(401, {"code": 401, "message": "Unauthorized"}), errors.TokenExpired),
        (Reply(200, {}), errors.Temporary),
        (ConnectionResetError(), errors.Temporary),
    ],
)
def test_sites_that_cannot_be_asked_for(reply: Reply | Exception, expected: type[errors.RemoteError]) -> None:
    with pytest.raises(expected):
        sites(Wire(reply).transports, ENDPOINTS, "t", clock=VirtualClock(NOW))
