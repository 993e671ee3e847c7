from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.sandbox import confluence_routes

from support import openapi
from support.atlassian_world import ADA, BEN, Client, World

BODY = {"representation": "storage", "value": "<p>x</p>"}
READS = (
    "/spaces", "/spaces/{space}", "/spaces/{space}/pages", "/spaces/{space}/blogposts",
    "/pages", "/pages/{page}", "/pages/{page}?body-format=storage&include-labels=true&include-properties=true",
    "/pages/{page}?include-versions=true&include-version=false", "/pages/{page}/versions?body-format=storage",
    "/pages/{page}/versions/1", "/pages/{page}/children", "/pages/{page}/direct-children", "/pages/{page}/ancestors",
    "/pages/{page}/labels", "/pages/{page}/attachments?filename=a.txt", "/pages/{page}/properties?key=k",
    "/pages/{page}/footer-comments?sort=-created-date&body-format=storage&limit=25", "/pages?title=Plan&limit=1",
    "/pages/{trashed}", "/blogposts", "/blogposts/{post}", "/blogposts/{post}/versions", "/blogposts/{post}/labels",
    "/blogposts/{post}/attachments", "/blogposts/{post}/footer-comments", "/blogposts/{post}/properties",
    "/footer-comments", "/footer-comments/{comment}?body-format=storage", "/footer-comments/{comment}/children",
    "/comments/{comment}/properties", "/attachments/{file}", "/attachments/{file}/properties",
)  # fmt: skip


def write_pages(world: World, ada: Client) -> dict[str, str]:
    space = world.space_id()
    draft = ada.v2("POST", "/pages", json={"spaceId": space, "status": "draft", "title": "Plan"}).json()["id"]
    ada.upload(draft, "a.txt", b"x", status="draft", comment="From mail")
    sent = {"id": draft, "status": "current", "title": "Plan", "body": BODY, "version": {"number": 1, "message": "m"}}
    ada.v2("PUT", f"/pages/{draft}", json=sent)
    ada.v2("PUT", f"/pages/{draft}", json=sent | {"version": {"number": 2}})
    ada.v2("PUT", f"/pages/{draft}/title", json={"status": "current", "title": "Plan"})
    root = ada.v2("POST", "/pages?root-level=true", json={"spaceId": space, "title": "Root", "body": {"storage": BODY}})
    ada.v2("POST", "/pages?private=true", json={"spaceId": space, "title": "Child", "parentId": draft})
    post = ada.v2("POST", "/blogposts", json={"spaceId": space, "title": "News", "body": BODY}).json()["id"]
    sent = {"id": post, "status": "current", "title": "News", "body": BODY, "version": {"number": 2}}
    ada.v2("PUT", f"/blogposts/{post}", json=sent)
    ada.v2("DELETE", f"/pages/{root.json()['id']}")
    return {"space": space, "page": draft, "post": post, "trashed": root.json()["id"]}


def write_the_rest(ada: Client, ids: dict[str, str]) -> dict[str, str]:
    page, post = ids["page"], ids["post"]
    comment = ada.v2("POST", "/footer-comments", json={"pageId": page, "body": BODY}).json()["id"]
    ada.v2("POST", "/footer-comments", json={"blogPostId": post, "body": BODY})
    reply = ada.v2("POST", "/footer-comments", json={"parentCommentId": comment, "body": BODY}).json()["id"]
    ada.v2("PUT", f"/footer-comments/{comment}", json={"version": {"number": 2}, "body": BODY})
    ada.v2("DELETE", f"/footer-comments/{reply}")
    file = ada.upload(page, "b.txt", b"y", method="PUT").json()["results"][0]["id"]
    ada.v1("POST", f"/content/{page}/label", json=[{"prefix": "global", "name": "mail"}])
    ada.v1("DELETE", f"/content/{page}/label", params={"name": "mail"})
    for path in (f"/pages/{page}", f"/blogposts/{post}", f"/comments/{comment}", f"/attachments/{file}"):
        made = ada.v2("POST", f"{path}/properties", json={"key": "k", "value": {"n": 1}}).json()["id"]
        ada.v2("GET", f"{path}/properties/{made}")
        ada.v2("PUT", f"{path}/properties/{made}", json={"key": "k", "value": 2, "version": {"number": 2}})
        ada.v2("DELETE", f"{path}/properties/{made}")
        ada.v2("POST", f"{path}/properties", json={"key": "k", "value": {"n": 1}})
    return ids | {"comment": comment, "file": file}


def use_v1(world: World, ada: Client, ids: dict[str, str]) -> None:
    page, file = ids["page"], ids["file"]
    path = f"/content/{page}/restriction"
    only = [{"operation": "read", "restrictions": {"user": [{"type": "known", "accountId": "557058:ada"}]}}]
    ada.v1("GET", path)
    ada.v1("PUT", path, json=only)
    ada.v1("POST", path, json={"results": only})
    ada.v1("DELETE", path)
    ada.v1("GET", "/user/current")
    ada.v1("GET", f"/content/{page}/child/attachment/{file}/download", allow_redirects=False)
    files = [("file", ("b.txt", b"z")), ("minorEdit", (None, "true"))]
    headers = {"X-Atlassian-Token": "no-check"}
    ada.v1("POST", f"/content/{page}/child/attachment/{file}/data", files=files, headers=headers)
    world.clock.move(seconds=30)
    ada.v1("GET", "/search", params={"cql": 'title = "Plan"', "limit": "5"})
    task = ada.v1("POST", "/content/archive", json={"pages": [{"id": int(page)}]}).json()["id"]
    ada.v1("GET", f"/longtask/{task}")
    ada.v2("POST", "/users-bulk", json={"accountIds": ["557058:ben"]})


def remove(ada: Client, ids: dict[str, str]) -> None:
    ada.v1("POST", f"/content/{ids['post']}/label", json={"prefix": "global", "name": "x"})
    ada.v1("DELETE", f"/content/{ids['post']}/label/x")
    ada.v2("DELETE", f"/attachments/{ids['file']}")
    ada.v2("DELETE", f"/footer-comments/{ids['comment']}")
    ada.v2("DELETE", f"/blogposts/{ids['post']}")
    ada.v2("GET", f"/blogposts/{ids['post']}/versions/1")


def test_every_operation_in_a_broad_session_fits_the_official_documents(world: World, shared: Path) -> None:
    ada = world.client()
    ids = write_the_rest(ada, write_pages(world, ada))
    for read in READS:
        assert ada.v2("GET", read.format(**ids)).status_code == 200, read
    use_v1(world, ada, ids)
    remove(ada, ids)
    seen = [row for row in world.core.journal.seen if "/ex/confluence/" in row.path]
    assert [fault for row in seen for fault in openapi.validate(row)] == []
    assert [row.status for row in seen if row.status >= 400] == []
    assert {route.operation for route in confluence_routes.ROUTES} == {row.operation for row in seen}


def test_routes_carry_the_documents_own_names_and_scopes(shared: Path) -> None:
    for route in confluence_routes.ROUTES:
        document = openapi.operation_named(route.family, route.operation)
        assert document["method"] == route.method.lower()
        assert {frozenset(row["scopes"]) for row in document["scopes"]} == set(route.scopes), route.operation


def test_the_validator_sees_what_is_wrong(world: World, shared: Path) -> None:
    ada = world.client()
    page = world.half.create_page(BEN, "ENG", "Plan").id
    ada.v2("GET", f"/pages/{page}", params={"get-draft": "perhaps", "nonsense": "1"})
    ada.v2("POST", "/footer-comments", json={"pageId": page, "body": BODY})
    wrong, right = world.core.journal.seen[-2:]
    assert len(openapi.validate(wrong)) == 2
    assert openapi.validate(right) == []
    no_body = replace(right, response_body=b"{}")
    assert openapi.validate(no_body) == []
    bad = replace(right, response_body=b'{"id":5}')
    assert openapi.validate(bad) == [
        "POST /wiki/api/v2/footer-comments (createFooterComment): response.id: 5 is not of type 'string'"
    ]
    assert "status 200" in openapi.validate(replace(right, status=200))[0]
    assert openapi.validate(replace(right, request_body=b'{"pageId":1}')) == [
        "POST /wiki/api/v2/footer-comments (createFooterComment): request.pageId: 1 is not of type 'string'"
    ]
    assert openapi.validate(replace(right, path="/x/wiki/api/v2/nothing", status=200)) != []
    assert openapi.validate(replace(right, path="/atlassian/oauth/token")) == []


@pytest.mark.parametrize("person", [ADA, BEN])
def test_error_answers_are_not_held_to_the_documents(world: World, shared: Path, person: str) -> None:
    client = world.client(person)
    client.v2("GET", "/pages/999")
    client.v2("GET", "/pages", params={"limit": "0"})
    assert [openapi.validate(row) for row in world.core.journal.seen[-2:]] == [[], []]
