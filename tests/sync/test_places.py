from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.confluence import Content, Space, Version
from bridge.errors import Temporary
from bridge.sync.places import place
from bridge.sync.situation import NoPlace, Place

from support.sync import ENG
from support.sync_scene import Scene, scene


def _place(made: Scene, **route: object) -> Place | NoPlace:
    return place(made.bridge, made.grant(), made.client, replace(ENG, **route))  # type: ignore[arg-type]


def test_a_space_is_asked_for_once_in_six_hours(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        found = _place(made)
        assert isinstance(found, Place)
        assert found.destination == "cloud/100/page/-"
        assert (found.space_key, found.site_url, found.container) == ("ENG", "https://example.atlassian.net", "")
        _place(made)
        _place(made, space="eng")
        assert made.confluence.calls == ["space"]
        made.clock.advance(6 * 3600)
        _place(made)
        assert made.confluence.calls == ["space", "space"]


@pytest.mark.parametrize(
    ("route", "container", "kind"),
    [
        ({"parent": "12345"}, "12345", "page"),
        ({"parent": "https://x.atlassian.net/wiki/spaces/ENG/pages/678/Mail"}, "678", "page"),
        ({"parent": "Mail"}, "55", "page"),
        ({"publish_as": "blogpost"}, "", "blogpost"),
        ({"publish_as": "comment", "page": "99"}, "99", "comment"),
    ],
)
@pytest.mark.scenario("A4")
def test_where_pages_posts_and_comments_go(tmp_path: Path, route: dict[str, object], container: str, kind: str) -> None:
    with scene(tmp_path) as made:
        version = Version(1, "", "", None)
        made.confluence.parents["Mail"] = Content("page", "55", "current", "Mail", "100", "", "", version, "", "")
        found = _place(made, **route)
        assert isinstance(found, Place)
        assert (found.container, found.kind) == (container, kind)
        assert found.destination == f"cloud/100/{kind}/{container or '-'}"


def test_a_space_that_is_not_there_or_archived_is_no_place(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        made.confluence.spaces["OLD"] = Space("9", "OLD", "Old", "archived", "")
        for space in ("NIX", "OLD"):
            found = _place(made, space=space)
            assert isinstance(found, NoPlace)
            assert f'Space "{space}" was not found on https://example.atlassian.net' in found.detail


def test_a_parent_that_is_not_there_is_named(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        found = _place(made, parent="Mail")
        assert isinstance(found, NoPlace)
        assert found.detail.startswith('The page "Mail" in space ENG was not found')


def test_a_failure_of_confluence_is_no_verdict(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        made.confluence.refuse["space"] = Temporary("down", provider="atlassian")
        with pytest.raises(Temporary):
            _place(made)
