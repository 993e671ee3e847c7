from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from atlassian.confluence_v2 import ConfluenceV2
from requests import HTTPError

from support.atlassian_world import ADA, World


def foreign(world: World, version: int) -> ConfluenceV2:
    base = f"{world.base}/atlassian/ex/confluence/{world.half.site.cloud_id}/wiki"
    with pytest.warns(DeprecationWarning, match="V1 methods are deprecated"):
        return ConfluenceV2(base, token=world.tokens(ADA)["access_token"], api_version=version, cloud=True)


@pytest.fixture
def v2(world: World) -> Iterator[ConfluenceV2]:
    client = foreign(world, 2)
    yield client
    client.close()


@pytest.fixture
def v1(world: World) -> Iterator[ConfluenceV2]:
    client = foreign(world, 1)
    yield client
    client.close()


def test_atlassian_python_api_creates_reads_updates_and_deletes_a_page(world: World, v2: ConfluenceV2) -> None:
    page = v2.create_page(space_id=world.space_id(), title="Plan", body="<p>one</p>")
    assert page["version"]["number"] == 1
    v2.update_page(page["id"], title="Plan B", body="<p>two</p>", status="current", version=1)
    read = v2.get_page_by_id(page["id"], body_format="storage")
    assert (read["title"], read["version"]["number"]) == ("Plan B", 2)
    assert read["body"]["storage"]["value"] == "<p>two</p>"
    assert v2.delete_page(page["id"]) is True
    assert world.half.pages[0].status == "trashed"


def test_atlassian_python_api_makes_a_draft(world: World, v2: ConfluenceV2) -> None:
    draft = v2.create_page(space_id=world.space_id(), title="Plan", status="draft")
    assert [page.id for page in world.half.drafts()] == [draft["id"]]


def test_atlassian_python_api_finds_spaces_and_pages_by_title(world: World, v2: ConfluenceV2) -> None:
    assert [row["key"] for row in v2.get_spaces(keys=["ENG"])] == ["ENG"]
    page = world.half.create_page(ADA, "ENG", "Plan").id
    found = v2.get_pages(space_id=world.space_id(), title="plan", body_format="storage", get_body=True)
    assert [row["id"] for row in found] == [page]


def test_atlassian_python_api_pages_through_versions_by_cursor(world: World, v2: ConfluenceV2) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    for _ in range(4):
        world.half.edit_page(ADA, page, "<p>again</p>")
    rows = list(v2.iter_page_versions(page, limit=2))
    assert [row["number"] for row in rows] == [5, 4, 3, 2, 1]


def test_atlassian_python_api_reads_children_comments_and_labels(world: World, v2: ConfluenceV2) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    child = world.half.create_page(ADA, "ENG", "Child", parent=page).id
    world.half.add_comment(ADA, page, "<p>hi</p>")
    assert [row["id"] for row in v2.get_child_pages(page)] == [child]
    comments = v2.get_page_footer_comments(page, body_format="storage", sort="-created-date")
    assert [row["body"]["storage"]["value"] for row in comments] == ["<p>hi</p>"]
    assert v2.get_page_labels(page) == []


def test_atlassian_python_api_creates_and_lists_page_properties(world: World, v2: ConfluenceV2) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    v2.create_page_property(page, "mailbridge.origin", {"n": 1})
    rows = v2.get_page_properties(page)
    assert [(row["key"], row["value"]) for row in rows] == [("mailbridge.origin", {"n": 1})]


def test_atlassian_python_api_labels_a_page_by_v1(world: World, v1: ConfluenceV2) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    assert v1.add_label(page, "mail")["results"][0]["name"] == "mail"
    assert list(world.half.wiki.content[page].labels) == ["mail"]


def test_atlassian_python_api_raises_on_a_duplicate_title(
    world: World, v2: ConfluenceV2, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    world.half.create_page(ADA, "ENG", "Plan")
    with pytest.raises(HTTPError) as raised:
        v2.create_page(space_id=world.space_id(), title="Plan", body="<p>x</p>")
    assert "already exists" in raised.value.response.text
