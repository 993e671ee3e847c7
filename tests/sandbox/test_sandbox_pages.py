from __future__ import annotations

from typing import Any

import pytest

from support.atlassian_world import ADA, BEN, SCOPES, Client, World


def body(value: str) -> dict[str, str]:
    return {"representation": "storage", "value": value}


def error(answer: Any) -> tuple[int, str, str]:
    row = answer.json()["errors"][0]
    return answer.status_code, row["code"], row["title"]


def create(world: World, client: Client, title: str, *, params: dict[str, str] | None = None, **more: Any) -> Any:
    sent = {"spaceId": world.space_id(), "status": "current", "title": title, "body": body("<p>x</p>"), **more}
    return client.v2("POST", "/pages", json=sent, params=params)


def put(client: Client, page: str, title: str, number: int, value: str = "<p>y</p>", **more: Any) -> Any:
    sent = {"id": page, "status": "current", "title": title, "body": body(value), "version": {"number": number}}
    return client.v2("PUT", f"/pages/{page}", json=sent | more)


def test_a_page_is_made_as_its_person_below_the_homepage(world: World) -> None:
    answer = create(world, world.client(BEN), "Plan")
    held = answer.json()
    assert answer.status_code == 200
    assert (held["status"], held["version"]["number"], held["authorId"]) == ("current", 1, "557058:ben")
    space = world.half.wiki.spaces[world.space_id()]
    assert (held["parentId"], held["parentType"]) == (space.homepage_id, "page")
    assert held["_links"]["base"] == f"{world.base}/wiki"
    assert held["_links"]["webui"] == f"/spaces/ENG/pages/{held['id']}/Plan"
    assert [page.title for page in world.half.pages] == ["Plan"]


def test_draft_is_in_no_list_and_only_for_its_author(world: World) -> None:
    ada, ben = world.client(ADA), world.client(BEN)
    sent = {"spaceId": world.space_id(), "status": "draft", "title": "Plan"}
    draft = ada.v2("POST", "/pages", json=sent).json()["id"]
    assert ada.v2("GET", "/pages", params={"title": "Plan"}).json()["results"] == []
    assert ada.v2("GET", f"/pages/{draft}", params={"get-draft": "true"}).json()["status"] == "draft"
    assert ben.v2("GET", f"/pages/{draft}", params={"get-draft": "true"}).status_code == 404
    assert ada.v2("GET", "/pages", params={"status": "draft"}).status_code == 400
    assert [page.id for page in world.half.drafts()] == [draft]
    world.half.switches.draft_needs_get_draft = True
    assert ada.v2("GET", f"/pages/{draft}").status_code == 404


def test_publishing_a_draft_wants_version_1_and_keeps_the_message(world: World) -> None:
    ada = world.client()
    sent = {"spaceId": world.space_id(), "status": "draft", "title": "Plan"}
    draft = ada.v2("POST", "/pages", json=sent).json()["id"]
    assert error(put(ada, draft, "Plan", 2))[:2] == (409, "CONFLICT")
    held = put(ada, draft, "Plan", 1, version={"number": 1, "message": "From mail [3f9a2c1b]"})
    assert (held.status_code, held.json()["status"]) == (200, "current")
    read = ada.v2("GET", f"/pages/{draft}", params={"body-format": "storage"}).json()
    assert (read["version"]["number"], read["version"]["message"]) == (1, "From mail [3f9a2c1b]")
    assert read["body"]["storage"]["value"] == "<p>y</p>"
    assert ada.v2("GET", f"/pages/{draft}").json()["body"] == {}
    assert world.half.drafts() == []


@pytest.mark.parametrize("number", [1, 3, None])
def test_a_version_that_is_not_the_next_is_a_409_with_the_exact_text(world: World, number: int | None) -> None:
    ada = world.client()
    page = create(world, ada, "Plan").json()["id"]
    text = f"Version must be incremented when updating a page. Current Version: [1]. Provided version: [{number}]"
    assert error(put(ada, page, "Plan", 1, version={"number": number})) == (409, "CONFLICT", text)
    assert put(ada, page, "Plan", 2).json()["version"]["number"] == 2
    versions = ada.v2("GET", f"/pages/{page}/versions").json()["results"]
    assert [row["number"] for row in versions] == [2, 1]


def test_the_status_of_an_error_can_be_text(world: World) -> None:
    world.half.switches.status_as_text = True
    assert world.client().v2("GET", "/pages/1").json()["errors"][0]["status"] == "404"


def test_titles_are_taken_whatever_their_case_by_current_and_archived_pages(world: World) -> None:
    ada = world.client()
    page = create(world, ada, "Straße").json()["id"]
    text = "A page with this title already exists: A page already exists with the same TITLE in this space"
    assert error(create(world, ada, "STRASSE")) == (400, "BAD_REQUEST", text)
    world.half.archive_page(page)
    assert create(world, ada, " straße ").status_code == 400
    world.half.trash_page(page)
    world.half.switches.trashed_titles_taken = True
    assert create(world, ada, "straße").status_code == 400
    world.half.switches.trashed_titles_taken = False
    assert create(world, ada, "straße").status_code == 200
    assert create(world, ada, "straße", spaceId=world.space_id("HR")).status_code == 200


def test_title_filter_is_exact_and_case_insensitive(world: World) -> None:
    ada = world.client()
    page = create(world, ada, "Release plan").json()["id"]
    create(world, ada, "Release plan 2")
    found = ada.v2("GET", "/pages", params={"title": "RELEASE PLAN", "space-id": world.space_id()}).json()
    assert [row["id"] for row in found["results"]] == [page]
    assert ada.v2("GET", "/pages", params={"title": ""}).json()["results"] == []
    archived = ada.v2("GET", "/pages", params={"title": "Release plan", "status": "archived"}).json()
    assert archived["results"] == []


def test_a_title_is_at_most_255_characters_and_needed_to_publish(world: World) -> None:
    ada = world.client()
    assert create(world, ada, "x" * 255).status_code == 200
    assert create(world, ada, "y" * 256).status_code == 400
    assert create(world, ada, "  ").status_code == 400


def test_lists_go_on_by_cursor_and_by_link_header_without_the_gateway(world: World) -> None:
    ada = world.client()
    made = [create(world, ada, f"Page {number}").json()["id"] for number in range(5)]
    first = ada.v2("GET", "/pages", params={"limit": "2", "space-id": world.space_id(), "sort": "-id"})
    following = first.json()["_links"]["next"]
    assert following.startswith("/wiki/api/v2/pages?")
    assert first.headers["Link"] == f'<{following}>; rel="next"'
    ids, path = [row["id"] for row in first.json()["results"]], following
    while path:
        answer = ada.session.get(ada.base + path, timeout=10)
        ids += [row["id"] for row in answer.json()["results"]]
        path = answer.json()["_links"].get("next")
    assert ids[-5:] == made[::-1]
    assert "Link" not in answer.headers
    assert ada.v2("GET", "/pages", params={"limit": "0"}).status_code == 400
    assert ada.v2("GET", "/pages", params={"cursor": "nonsense"}).status_code == 400


def test_the_limit_is_capped_at_250_and_is_25_unless_said(world: World) -> None:
    for number in range(260):
        world.half.create_page(ADA, "ENG", f"Page {number}")
    ada = world.client()
    assert len(ada.v2("GET", "/pages").json()["results"]) == 25
    assert len(ada.v2("GET", "/pages", params={"limit": "1000"}).json()["results"]) == 250


def test_bodies_are_rewritten_on_save(world: World) -> None:
    ada = world.client()
    value = '<p style="text-align: start">a<br/>b</p><hr/><ac:structured-macro ac:name="toc"/>'
    page = create(world, ada, "Plan", body={"storage": body(value)}).json()
    read = page["body"]["storage"]["value"]
    assert read.startswith('<p style="">a<br />b</p><hr /><ac:structured-macro ac:name="toc" ac:schema-version="1"')


def test_ill_formed_bodies_are_refused_with_the_parser_text(world: World) -> None:
    answer = create(world, world.client(), "Plan", body=body("<p>a</div>"))
    status, code, title = error(answer)
    assert (status, code) == (400, "BAD_REQUEST")
    assert title == "Error parsing xhtml: mismatched tag\n at [row,col {unknown-source}]: [1,7]"
    assert world.half.pages == []


def test_strictness_can_be_switched_off(world: World) -> None:
    ada = world.client()
    odd = body('<marquee data-x="1">a</marquee>')
    assert "not known" in error(create(world, ada, "Plan", body=odd))[2]
    world.half.switches.strict_storage = False
    assert create(world, ada, "Plan", body=odd).status_code == 200


def test_files_named_in_a_published_body_must_be_on_the_page(world: World) -> None:
    ada = world.client()
    page = create(world, ada, "Plan").json()["id"]
    image = '<ac:image><ri:attachment ri:filename="a b.png"/></ac:image>'
    assert "a b.png" in error(put(ada, page, "Plan", 2, image))[2]
    world.half.upload_file(ADA, page, "a b.png", b"x")
    assert put(ada, page, "Plan", 2, image).status_code == 200


def test_a_request_over_5_mb_is_a_413_that_is_no_json(world: World) -> None:
    answer = create(world, world.client(), "Plan", body=body(f"<p>{'x' * 5 * 1024 * 1024}</p>"))
    assert answer.status_code == 413
    assert answer.headers["Content-Type"].startswith("text/html")


def test_private_needs_the_scope_the_permission_and_the_plan(world: World) -> None:
    without = tuple(scope for scope in SCOPES if "restriction" not in scope)
    assert create(world, world.client(ADA, without), "Plan", params={"private": "true"}).status_code == 404
    ada, ben = world.client(ADA), world.client(BEN)
    world.half.switches.restrictions_available = False
    assert create(world, ada, "Plan", params={"private": "true"}).status_code == 404
    world.half.switches.restrictions_available = True
    world.half.forbid("ENG", BEN, "restrict")
    assert create(world, ben, "Plan", params={"private": "true"}).status_code == 404
    page = create(world, ada, "Plan", params={"private": "true"}).json()["id"]
    assert ben.v2("GET", f"/pages/{page}").status_code == 404
    assert ben.v2("GET", "/pages", params={"title": "Plan"}).json()["results"] == []


def test_root_level_has_no_parent_and_excludes_one(world: World) -> None:
    ada = world.client()
    root = create(world, ada, "Plan", params={"root-level": "true"}).json()
    assert (root["parentId"], root["parentType"]) == (None, None)
    both = create(world, ada, "Other", params={"root-level": "true"}, parentId=root["id"])
    assert both.status_code == 400
    child = create(world, ada, "Child", parentId=root["id"]).json()
    assert child["parentId"] == root["id"]
    assert error(create(world, ada, "Lost", parentId="99"))[:2] == (404, "NOT_FOUND")
    assert [row["id"] for row in ada.v2("GET", f"/pages/{root['id']}/children").json()["results"]] == [child["id"]]
    above = ada.v2("GET", f"/pages/{child['id']}/ancestors").json()["results"]
    assert above == [{"id": root["id"], "type": "page"}]


def test_missing_permission_is_a_404_on_read_and_write(world: World) -> None:
    ben = world.client(BEN)
    page = world.half.create_page(ADA, "HR", "Secret").id
    assert error(ben.v2("GET", f"/pages/{page}")) == (404, "NOT_FOUND", f"Cannot find a page with id [{page}]")
    assert create(world, ben, "Mine", spaceId=world.space_id("HR")).status_code == 404
    assert put(ben, page, "Secret", 2).status_code == 404
    assert ben.v2("DELETE", f"/pages/{page}").status_code == 404
    world.half.forbid("ENG", BEN, "page")
    assert create(world, ben, "Mine").status_code == 404


def test_restrictions_hold_on_every_read_and_write_and_below(world: World) -> None:
    ada, ben = world.client(ADA), world.client(BEN)
    page = create(world, ada, "Plan").json()["id"]
    child = create(world, ada, "Child", parentId=page).json()["id"]
    world.half.restrict_page(page, read=[ADA])
    assert ben.v2("GET", f"/pages/{page}").status_code == 404
    assert ben.v2("GET", f"/pages/{child}").status_code == 404
    assert ben.v2("POST", "/footer-comments", json={"pageId": child, "body": body("<p>x</p>")}).status_code == 404
    world.half.restrict_page(page, update=[ADA])
    assert ben.v2("GET", f"/pages/{page}").status_code == 200
    assert put(ben, page, "Plan", 2).status_code == 404
    assert ben.upload(page, "a.txt", b"x").status_code == 403


def test_trash_restore_and_purge(world: World) -> None:
    ada = world.client()
    page = create(world, ada, "Plan").json()["id"]
    child = create(world, ada, "Child", parentId=page).json()["id"]
    home = world.half.wiki.spaces[world.space_id()].homepage_id
    assert ada.v2("DELETE", f"/pages/{page}").status_code == 204
    held = ada.v2("GET", f"/pages/{page}").json()
    assert (held["status"], held["parentId"], held["position"]) == ("trashed", None, None)
    assert ada.v2("GET", f"/pages/{child}").json()["parentId"] == home
    assert ada.v2("DELETE", f"/pages/{page}").status_code == 404
    restored = put(ada, page, "Another title", 2).json()
    assert (restored["status"], restored["title"], restored["version"]["number"]) == ("current", "Plan", 1)
    ada.v2("DELETE", f"/pages/{page}")
    assert ada.v2("DELETE", f"/pages/{page}", params={"purge": "true"}).status_code == 404
    world.half.allow("ENG", ADA, ["view", "page", "delete", "admin"])
    assert ada.v2("DELETE", f"/pages/{page}", params={"purge": "true"}).status_code == 204
    assert ada.v2("GET", f"/pages/{page}").status_code == 404


def test_a_draft_is_deleted_for_good_with_draft_true_only(world: World) -> None:
    ada = world.client()
    draft = ada.v2("POST", "/pages", json={"spaceId": world.space_id(), "status": "draft"}).json()["id"]
    assert ada.v2("DELETE", f"/pages/{draft}").status_code == 404
    assert ada.v2("DELETE", f"/pages/{draft}", params={"draft": "true"}).status_code == 204
    assert world.half.drafts() == []


def test_edits_of_a_published_page_can_be_kept_as_a_draft(world: World) -> None:
    ada = world.client()
    page = create(world, ada, "Plan").json()["id"]
    assert put(ada, page, "Plan B", 1, status="draft").json()["status"] == "draft"
    assert ada.v2("GET", f"/pages/{page}").json()["title"] == "Plan"
    assert ada.v2("GET", f"/pages/{page}", params={"get-draft": "true"}).json()["title"] == "Plan B"


def test_archived_pages_cannot_be_updated(world: World) -> None:
    ada = world.client()
    page = create(world, ada, "Plan").json()["id"]
    answer = ada.v1("POST", "/content/archive", json={"pages": [{"id": int(page)}]})
    assert answer.status_code == 202
    task = ada.v1("GET", answer.json()["links"]["status"].removeprefix("/rest/api"))
    assert task.json()["finished"] is True
    assert ada.v2("GET", f"/pages/{page}").json()["status"] == "archived"
    assert put(ada, page, "Plan", 2).status_code == 404
    assert ada.v1("POST", "/content/archive", json={"pages": [{"id": page}]}).status_code == 400


def test_title_alone_can_be_changed(world: World) -> None:
    ada = world.client()
    page = create(world, ada, "Plan").json()["id"]
    held = ada.v2("PUT", f"/pages/{page}/title", json={"status": "current", "title": "Plan B"}).json()
    assert (held["title"], held["version"]["number"]) == ("Plan B", 2)
    assert held["body"]["storage"]["value"] == "<p>x</p>"


def test_put_wants_all_five_fields(world: World) -> None:
    ada = world.client()
    page = create(world, ada, "Plan").json()["id"]
    for name in ("id", "status", "title", "body", "version"):
        sent = {"id": page, "status": "current", "title": "P", "body": body("<p/>"), "version": {"number": 2}}
        del sent[name]
        assert error(ada.v2("PUT", f"/pages/{page}", json=sent))[2] == f"{name} is required"


def test_blog_posts_have_no_parent_and_their_own_titles(world: World) -> None:
    ada = world.client()
    create(world, ada, "News")
    sent = {"spaceId": world.space_id(), "status": "current", "title": "News", "body": body("<p>x</p>")}
    post = ada.v2("POST", "/blogposts", json=sent).json()
    assert "parentId" not in post
    assert post["_links"]["webui"] == f"/spaces/ENG/blog/2026/03/03/{post['id']}/News"
    assert ada.v2("POST", "/blogposts", json=sent).status_code == 400
    assert ada.v2("GET", f"/pages/{post['id']}").status_code == 404
    assert [row["id"] for row in ada.v2("GET", "/blogposts").json()["results"]] == [post["id"]]
    assert [page.title for page in world.half.blogposts] == ["News"]
    dated = ada.v2("POST", "/blogposts", json=sent | {"title": "Old", "createdAt": "2026-01-02T03:04:05.000Z"}).json()
    assert dated["_links"]["webui"] == f"/spaces/ENG/blog/2026/01/02/{dated['id']}/Old"
    assert ada.v2("POST", "/blogposts", json=sent | {"title": "X", "createdAt": "yesterday"}).status_code == 400


def test_spaces_are_found_by_key_whatever_its_case_and_only_visible_ones(world: World) -> None:
    ben = world.client(BEN)
    found = ben.v2("GET", "/spaces", params={"keys": "eng,hr"}).json()["results"]
    assert [(row["key"], row["name"]) for row in found] == [("ENG", "Engineering")]
    assert ben.v2("GET", "/spaces", params={"keys": "NOPE"}).json()["results"] == []
    assert ben.v2("GET", f"/spaces/{world.space_id('HR')}").status_code == 404
    assert ben.v2("GET", f"/spaces/{world.space_id()}").json()["key"] == "ENG"
