from __future__ import annotations

import pytest

from bridge.sandbox.confluence_wire import html_error, rate_limited
from bridge.sandbox.faults import Rule

from support.atlassian_world import ADA, BEN, World

UNAUTHORIZED = {"code": 401, "message": "Unauthorized"}


@pytest.mark.parametrize("token", ["", "never-issued"])
def test_no_token_or_a_wrong_one_is_the_gateways_401(world: World, token: str) -> None:
    url = f"{world.client().base}/wiki/api/v2/spaces"
    answer = world.new_session(token).get(url, timeout=10)
    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)
    assert answer.headers["X-Failure-Category"] == "FAILURE_CLIENT_AUTH"


def test_an_access_token_dies_after_an_hour(world: World) -> None:
    ada = world.client()
    world.clock.move(minutes=59, seconds=59)
    assert ada.v2("GET", "/spaces").status_code == 200
    world.clock.move(seconds=1)
    assert ada.v2("GET", "/spaces").json() == UNAUTHORIZED


def test_the_wrong_scheme_has_its_own_category(world: World) -> None:
    url = f"{world.client().base}/wiki/api/v2/spaces"
    answer = world.new_session().get(url, auth=("a", "b"), timeout=10)
    assert answer.headers["X-Failure-Category"] == "FAILURE_CLIENT_AUTH_MISMATCH"


def test_a_missing_scope_is_told_before_the_id_is_looked_at(world: World) -> None:
    ada = world.client(ADA, ("read:space:confluence",))
    for answer in (ada.v2("GET", "/pages/999999999999"), ada.v1("POST", "/content/999999999999/child/attachment")):
        assert answer.status_code == 401
        assert answer.json() == {"code": 401, "message": "Unauthorized; scope does not match"}
        assert answer.headers["X-Failure-Category"] == "FAILURE_CLIENT_SCOPE_CHECK"
    assert world.client().v1("POST", "/content/999999999999/child/attachment").status_code == 403


def test_v1_opens_by_the_classic_scope_too(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    assert world.client(ADA, ("write:confluence-file",)).upload(page, "a.txt", b"x").status_code == 200
    assert world.client(ADA, ("write:attachment:confluence",)).upload(page, "b.txt", b"x").status_code == 401


def test_a_revoked_grant_is_a_bare_404_on_v2_and_a_403_on_v1(world: World) -> None:
    ada = world.client()
    world.half.revoke(ADA)
    v2 = ada.v2("GET", "/pages/1")
    assert (v2.status_code, v2.json()["errors"][0]["title"]) == (404, "Not Found")
    v1 = ada.v1("GET", "/user/current")
    assert (v1.status_code, v1.json()["statusCode"]) == (403, 403)
    assert v1.json()["message"].endswith("Current user not permitted to use Confluence")
    world.half.switches.revoked_answer = "gateway"
    assert ada.v2("GET", "/pages/1").json() == UNAUTHORIZED


def test_a_site_that_the_person_may_not_use_is_not_reached(world: World) -> None:
    other = world.half.add_site("other")
    assert world.client(ADA, site=other.cloud_id).v2("GET", "/spaces").status_code == 404
    world.half.add_person("cy@example.com", "Cy", sites=[world.half.site, other])
    world.half.add_space("OPS", "Operations", site=other)
    cy = world.client("cy@example.com", site=other.cloud_id)
    assert [row["key"] for row in cy.v2("GET", "/spaces").json()["results"]] == ["OPS"]
    page = world.half.create_page(ADA, "ENG", "Plan").id
    assert cy.v2("GET", f"/pages/{page}").status_code == 404


def test_pruned_v1_routes_are_gone(world: World) -> None:
    ada = world.client()
    assert ada.v1("GET", "/content/1").status_code == 410
    assert ada.v1("GET", "/space").status_code == 410
    assert ada.v1("GET", "/nothing").status_code == 404


def test_every_answer_carries_the_rate_limit_and_a_trace(world: World) -> None:
    answer = world.client().v2("GET", "/spaces")
    assert answer.headers["X-RateLimit-Limit"] == "65000"
    assert answer.headers["X-RateLimit-Remaining"] == "64997"
    assert answer.headers["X-RateLimit-Reset"] == "2026-03-03T14:00Z"
    assert answer.headers["atl-traceid"]
    assert "X-RateLimit-NearLimit" not in answer.headers


def test_points_count_objects_and_identities_and_writes_cost_one(world: World) -> None:
    ada = world.client()
    ada.v2("GET", "/spaces")
    ada.v1("GET", "/user/current")
    ada.v2("POST", "/pages", json={"spaceId": world.space_id(), "title": "Plan", "status": "current"})
    assert world.half.meter.by_operation == {"getSpaces": 3, "getCurrentUser": 3, "createPage": 1}
    assert world.half.meter.total == 7


def test_an_hour_that_is_used_up_is_a_429_until_the_next(world: World) -> None:
    world.half.meter.limit = 10
    ada = world.client()
    while (answer := ada.v2("GET", "/spaces")).status_code == 200:
        near = answer.headers.get("X-RateLimit-NearLimit")
    assert near == "true"
    assert answer.status_code == 429
    assert answer.headers["RateLimit-Reason"] == "confluence-quota-global-based"
    assert answer.headers["Retry-After"] == str(55 * 60 + 1)
    world.clock.move(minutes=55)
    assert ada.v2("GET", "/spaces").status_code == 200


def test_faults_strike_by_operation_and_person(world: World) -> None:
    ada, ben = world.client(ADA), world.client(BEN)
    world.core.faults += [
        Rule("getSpaces", "answer", lambda: rate_limited("confluence-burst-based", 3), person=ADA),
        Rule("createPage", "replace", lambda: html_error(502)),
    ]
    burst = ada.v2("GET", "/spaces")
    assert (burst.status_code, burst.headers["Retry-After"]) == (429, "3")
    assert ben.v2("GET", "/spaces").status_code == 200
    sent = {"spaceId": world.space_id(), "title": "Plan", "status": "current"}
    assert ada.v2("POST", "/pages", json=sent).status_code == 502
    assert [page.title for page in world.half.pages] == ["Plan"]


def test_the_journal_tells_reads_from_writes(world: World) -> None:
    ada = world.client()
    mark = world.core.journal.mark()
    page = ada.v2("POST", "/pages", json={"spaceId": world.space_id(), "title": "Plan", "status": "current"}).json()
    ada.v2("GET", f"/pages/{page['id']}")
    ada.v2("POST", "/pages", json={"spaceId": world.space_id(), "title": "plan", "status": "current"})
    ada.v2("POST", "/users-bulk", json={"accountIds": ["557058:ben"]})
    seen = world.core.journal.since(mark)
    assert [(row.operation, row.person, row.status, row.write) for row in seen] == [
        ("createPage", ADA, 200, True),
        ("getPageById", ADA, 200, False),
        ("createPage", ADA, 400, False),
        ("createBulkUserLookup", ADA, 200, False),
    ]


def test_people_are_found_without_their_addresses(world: World) -> None:
    ada = world.client()
    rows = ada.v2("POST", "/users-bulk", json={"accountIds": ["557058:ben", "557058:no"]}).json()["results"]
    assert [(row["accountId"], row["displayName"], row["email"]) for row in rows] == [("557058:ben", "Ben Hart", "")]
    assert ada.v1("GET", "/user/current").json()["accountId"] == "557058:ada"


def test_labels_are_repeatable_and_checked(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    ada = world.client()
    path = f"/content/{page}/label"
    mark = world.core.journal.mark()
    for _ in range(2):
        answer = ada.v1("POST", path, json=[{"prefix": "global", "name": "From-Mail"}])
    assert [row["name"] for row in answer.json()["results"]] == ["from-mail"]
    assert len(world.core.journal.writes(mark)) == 2
    assert ada.v2("GET", f"/pages/{page}/labels").json()["results"][0]["name"] == "from-mail"
    assert ada.v1("POST", path, json=[{"prefix": "global"}]).json()["message"].endswith("Could not parse Labels")
    assert ada.v1("POST", path, json={"prefix": "global", "name": "two words"}).status_code == 400
    assert ada.v1("DELETE", path, params={"name": "from-mail"}).status_code == 204
    assert ada.v1("POST", path, json={"prefix": "global", "name": "x"}).status_code == 200
    assert ada.v1("DELETE", f"{path}/x").status_code == 204
    world.half.restrict_page(page, update=[ADA])
    assert world.client(BEN).v1("POST", path, json={"prefix": "global", "name": "x"}).status_code == 403


def restriction(operation: str, *accounts: str) -> dict[str, object]:
    return {"operation": operation, "restrictions": {"user": [{"type": "known", "accountId": a} for a in accounts]}}


def test_restrictions_always_show_both_operations(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    ada, ben = world.client(ADA), world.client(BEN)
    path = f"/content/{page}/restriction"
    held = ada.v1("GET", path).json()
    assert [(row["operation"], row["restrictions"]["user"]["size"]) for row in held["results"]] == [
        ("read", 0),
        ("update", 0),
    ]
    put = ada.v1("PUT", path, json=[restriction("read", "557058:ada"), restriction("update", "557058:ada")])
    assert [row["restrictions"]["user"]["results"][0]["accountId"] for row in put.json()["results"]] == [
        "557058:ada",
        "557058:ada",
    ]
    assert ben.v2("GET", f"/pages/{page}").status_code == 404
    ada.v1("POST", path, json=[restriction("read", "557058:ben")])
    assert ben.v2("GET", f"/pages/{page}").status_code == 200
    assert ada.v1("PUT", path, json=[restriction("read")]).status_code == 400
    world.half.add_group("team", [BEN])
    groups = [{"operation": "read", "restrictions": {"group": [{"type": "group", "id": "team"}]}}]
    assert ada.v1("PUT", path, json=groups).status_code == 200
    assert ada.v2("GET", f"/pages/{page}").status_code == 404
    assert ben.v2("GET", f"/pages/{page}").status_code == 200


def test_restricting_can_be_forbidden(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    world.half.forbid("ENG", BEN, "restrict")
    path = f"/content/{page}/restriction"
    assert world.client(BEN).v1("PUT", path, json=[restriction("read", "557058:ben")]).status_code == 403
    assert world.half.wiki.content[page].read.users == []


def test_search_lags_and_refuses_what_it_cannot_read(world: World) -> None:
    world.half.create_page(ADA, "ENG", "Release plan")
    ada = world.client()
    query = {"cql": 'type = page and title ~ "release" and space = ENG'}
    assert ada.v1("GET", "/search", params=query).json()["size"] == 0
    world.clock.move(seconds=21)
    assert [row["title"] for row in ada.v1("GET", "/search", params=query).json()["results"]] == ["Release plan"]
    assert ada.v1("GET", "/search", params={"cql": "nonsense"}).status_code == 400


def test_two_runs_from_one_seed_give_the_same_snapshot_ids_aside(world: World) -> None:
    def play() -> None:
        page = world.half.create_page(ADA, "ENG", "Plan", '<ac:structured-macro ac:name="toc"/>').id
        world.half.upload_file(BEN, page, "a.txt", b"x")
        world.half.add_comment(BEN, page, "<p>hi</p>", parent=world.half.add_comment(ADA, page, "<p>yes</p>").id)

    play()
    first = world.half.snapshot()
    world.half.purge_page(world.half.pages[0].id)
    world.clock.move(days=1)
    play()
    assert world.half.snapshot() == first
    page = first["pages"][0]
    assert (page["title"], page["author"], page["files"][0]["author"]) == ("Plan", ADA, BEN)
    assert page["comments"][0]["replies"][0]["body"] == "<p>hi</p>"


def test_what_people_do_by_hand(world: World) -> None:
    half = world.half
    page = half.create_page(ADA, "ENG", "Plan").id
    half.edit_page(BEN, page, "<p>new</p>")
    half.rename_page(BEN, page, "Plan B")
    half.move_page(page, key="HR")
    held = half.wiki.content[page]
    assert (held.version.number, held.title, held.body, held.version.author) == (
        3,
        "Plan B",
        "<p>new</p>",
        "557058:ben",
    )
    assert half.wiki.spaces[held.space].key == "HR"
    half.trash_page(page)
    half.create_page(ADA, "HR", "Plan B")
    with pytest.raises(ValueError, match="taken"):
        half.restore_page(page)
    comment = half.add_comment(ADA, page, "<p>x</p>")
    half.edit_comment(ADA, comment.id, "<p>y</p>")
    assert (comment.version.number, comment.body) == (2, "<p>y</p>")
    half.delete_comment(comment.id)
    assert half.comments == []
