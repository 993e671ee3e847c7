from __future__ import annotations

from typing import Any

from support.atlassian_world import ADA, BEN, Client, World


def say(client: Client, value: str = "<p>x</p>", **to: str) -> Any:
    return client.v2("POST", "/footer-comments", json={**to, "body": {"representation": "storage", "value": value}})


def texts(client: Client, path: str, **params: str) -> list[str]:
    rows = client.v2("GET", path, params={"body-format": "storage", **params}).json()["results"]
    return [row["body"]["storage"]["value"] for row in rows]


def test_a_comment_answers_201_with_its_location(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    ben = world.client(BEN)
    answer = say(ben, pageId=page)
    held = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/wiki/api/v2/footer-comments/{held['id']}"
    assert (held["pageId"], held["version"]["authorId"], held["parentCommentId"]) == (page, "557058:ben", None)
    assert held["_links"]["webui"].endswith(f"?focusedCommentId={held['id']}")


def test_lists_hold_root_comments_only_newest_first_if_asked(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    ada = world.client()
    first = say(ada, "<p>1</p>", pageId=page).json()["id"]
    reply = say(ada, "<p>1.1</p>", parentCommentId=first).json()
    world.clock.move(seconds=1)
    say(ada, "<p>2</p>", pageId=page)
    assert (reply["pageId"], reply["parentCommentId"]) == (page, first)
    path = f"/pages/{page}/footer-comments"
    assert texts(ada, path) == ["<p>1</p>", "<p>2</p>"]
    assert texts(ada, path, sort="-created-date") == ["<p>2</p>", "<p>1</p>"]
    assert texts(ada, f"/footer-comments/{first}/children") == ["<p>1.1</p>"]
    assert ada.v2("GET", path, params={"sort": "title"}).status_code == 400


def test_a_new_comment_is_missing_from_the_next_listings(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    world.half.switches.comment_lag = 2
    ada = world.client()
    made = say(ada, pageId=page).json()["id"]
    assert [len(texts(ada, f"/pages/{page}/footer-comments")) for _ in range(3)] == [0, 0, 1]
    assert ada.v2("GET", f"/footer-comments/{made}").status_code == 200


def test_exactly_one_container_is_given(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    ada = world.client()
    made = say(ada, pageId=page).json()["id"]
    assert say(ada, pageId=page, parentCommentId=made).status_code == 400
    assert say(ada).status_code == 400
    assert say(ada, pageId="999").status_code == 404
    assert say(ada, parentCommentId="999").status_code == 404


def test_comments_on_blog_posts(world: World) -> None:
    post = world.half.create_page(ADA, "ENG", "News", kind="blogpost").id
    ada = world.client()
    assert say(ada, blogPostId=post).json()["blogPostId"] == post
    assert texts(ada, f"/blogposts/{post}/footer-comments") == ["<p>x</p>"]
    assert say(ada, pageId=post).status_code == 404


def test_commenting_can_be_forbidden(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    world.half.forbid("ENG", BEN, "comment")
    answer = say(world.client(BEN), pageId=page)
    assert (answer.status_code, answer.json()["errors"][0]["title"]) == (404, f"Cannot find a page with id [{page}]")
    assert world.half.comments == []


def test_update_wants_the_next_version_and_the_own_comment(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    ada, ben = world.client(ADA), world.client(BEN)
    made = say(ada, pageId=page).json()["id"]
    sent = {"version": {"number": 2}, "body": {"representation": "storage", "value": "<p>y</p>"}}
    assert ben.v2("PUT", f"/footer-comments/{made}", json=sent).status_code == 404
    assert ada.v2("PUT", f"/footer-comments/{made}", json=sent).json()["version"]["number"] == 2
    assert ada.v2("PUT", f"/footer-comments/{made}", json=sent).status_code == 409
    world.half.switches.stale_comment_status = 400
    assert ada.v2("PUT", f"/footer-comments/{made}", json=sent).status_code == 400


def test_delete_is_for_good_and_takes_the_replies(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    ada = world.client()
    made = say(ada, pageId=page).json()["id"]
    say(ada, parentCommentId=made)
    assert ada.v2("DELETE", f"/footer-comments/{made}").status_code == 204
    assert ada.v2("GET", f"/footer-comments/{made}").status_code == 404
    assert world.half.comments == []


def test_comments_hold_less_than_pages(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    expand = (
        '<ac:structured-macro ac:name="expand"><ac:rich-text-body><p>x</p></ac:rich-text-body></ac:structured-macro>'
    )
    answer = say(world.client(), expand, pageId=page)
    assert answer.status_code == 400
    assert "expand cannot stand in a comment" in answer.json()["errors"][0]["title"]


def test_properties_claim_a_key_once(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    ada = world.client()
    made = ada.v2("POST", f"/pages/{page}/properties", json={"key": "mailbridge.a", "value": {"n": 1}})
    assert (made.status_code, made.json()["version"]["number"]) == (200, 1)
    again = ada.v2("POST", f"/pages/{page}/properties", json={"key": "mailbridge.a", "value": 2})
    assert again.status_code == 409
    assert again.json()["errors"][0]["title"] == "Property with key [mailbridge.a] already exists"
    item = f"/pages/{page}/properties/{made.json()['id']}"
    update = {"key": "mailbridge.a", "value": 2, "version": {"number": 2}}
    assert ada.v2("PUT", item, json=update).json()["value"] == 2
    assert ada.v2("PUT", item, json=update).status_code == 409
    found = ada.v2("GET", f"/pages/{page}/properties", params={"key": "MAILBRIDGE.A"}).json()["results"]
    assert found == []
    assert ada.v2("DELETE", item).status_code == 204
    assert ada.v2("GET", item).status_code == 404
    assert world.half.wiki.content[page].version.number == 1


def test_a_page_made_by_the_api_has_properties_of_confluence_itself(world: World) -> None:
    ada = world.client()
    sent = {"spaceId": world.space_id(), "title": "Plan", "status": "current"}
    page = ada.v2("POST", "/pages", json=sent).json()["id"]
    keys = [row["key"] for row in ada.v2("GET", f"/pages/{page}/properties").json()["results"]]
    assert "editor" in keys


def test_properties_stand_on_comments_posts_and_files_too(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    post = world.half.create_page(ADA, "ENG", "News", kind="blogpost").id
    comment = world.half.add_comment(ADA, page, "<p>x</p>").id
    file = world.half.upload_file(ADA, page, "a.txt", b"x").id
    ada = world.client()
    for path in (f"/blogposts/{post}", f"/comments/{comment}", f"/attachments/{file}"):
        made = ada.v2("POST", f"{path}/properties", json={"key": "k", "value": "v"})
        assert made.status_code == 200
        assert ada.v2("GET", f"{path}/properties/{made.json()['id']}").json()["value"] == "v"
    assert (
        world.client(BEN).v2("POST", f"/comments/{comment}/properties", json={"key": "z", "value": 1}).status_code
        == 404
    )
    assert ada.v2("POST", f"/pages/{page}/properties", json={"key": "big", "value": "x" * 33000}).status_code == 400
