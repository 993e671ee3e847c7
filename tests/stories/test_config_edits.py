"""The configuration is edited while the service runs: routes come and go; a faulty edit changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bridge.config import ConfigFile, Places, Route
from bridge.store.tables import FollowState

from support.stories import ADA, BASE, BEN, CY, ENG, Story, story
from support.thread_t3 import assert_expected_t3, send_t3

HR = Route(name="hr", label="Confluence/HR", space="HR")
FILE = f"""\
[google]
client_id = "sandbox.apps.googleusercontent.com"
domains = ["example.com"]
[atlassian]
client_id = "sandbox-3lo"
sites = ["{BASE}"]
[endpoints]
google = "{BASE}/google"
atlassian = "{BASE}/atlassian"
[safety]
wait = "0s"
backlog = "publish"
[[routes]]
name = "eng"
label = "Confluence/ENG"
space = "ENG"
"""


def test_a_new_route_publishes_what_has_its_label(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA)
        thread = company.send(CY, ADA, "Salaries")[ADA][1]
        company.label(ADA, thread, "Confluence/HR")
        company.passes()
        assert company.wiki.pages == []
        company.change(routes=(ENG, HR))
        company.passes()
        (page,) = company.wiki.pages
        assert company.wiki.wiki.spaces[page.space].key == "HR"
        assert company.again_from_scratch() == []


def test_a_route_that_is_taken_out_stops_its_threads_and_one_that_is_put_back_posts_what_is_missing(
    tmp_path: Path,
) -> None:
    with story(tmp_path, ENG, HR) as company:
        sent = _published(company)
        company.change(routes=(HR,))
        company.passes()
        mark = company.mark()
        company.reply(BEN, ADA, sent[2], "While there was no route.\n")
        company.passes()
        assert company.world.core.journal.writes(mark) == []
        (follow,) = company.follows()
        assert (follow.state, follow.reason) == (FollowState.STOPPED, "no route")
        company.change(routes=(ENG, HR))
        company.passes(3)
        assert_expected_t3(company, comments=3)
        assert company.follows()[0].state is FollowState.FOLLOWING
        assert company.again_from_scratch() == []


def test_a_route_that_points_elsewhere_leaves_what_stands_and_takes_the_new(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        sent = _published(company)
        company.change(routes=(replace(ENG, space="HR"),))
        company.reply(BEN, ADA, sent[2], "To the old page.\n")
        company.label(ADA, company.send(CY, ADA, "New thread")[ADA][1])
        company.passes()
        spaces = {page.title: company.wiki.wiki.spaces[page.space].key for page in company.wiki.pages}
        assert spaces == {"Release plan": "ENG", "New thread": "HR"}
        assert len(company.wiki.comments) == 3
        assert company.again_from_scratch() == []


def test_another_label_for_a_route(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        _published(company)
        mark = company.mark()
        company.change(routes=(replace(ENG, label="Wiki"),))
        company.label(ADA, company.send(CY, ADA, "Under the new label")[ADA][1], "Wiki")
        company.passes(3)
        assert [page.title for page in company.wiki.pages] == ["Release plan", "Under the new label"]
        writes = [seen.operation for seen in company.world.core.journal.writes(mark)]
        assert writes.count("createPage") == 1
        assert writes.count("createFooterComment") == 0
        assert company.again_from_scratch() == []


def test_how_pages_read_is_changed_for_what_comes_after(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        sent = _published(company)
        company.change(routes=(replace(ENG, pages=replace(ENG.pages, timezone="Asia/Tokyo")),))
        company.reply(BEN, ADA, sent[2], "In Tokyo's time.\n")
        company.passes()
        assert ["UTC+09:00" in comment.body for comment in company.wiki.comments] == [False, False, True]
        assert company.again_from_scratch() == []


def test_the_file_is_edited_under_the_service_well_and_badly(tmp_path: Path) -> None:
    own = Places(tmp_path / "config.toml", tmp_path / "state", tmp_path / "key")
    own.state.mkdir()
    own.config.write_text(FILE)
    file = ConfigFile(own, {})
    with story(tmp_path) as company:
        company.settings = file.settings
        sent = _published(company)
        own.config.write_text(FILE.replace("space", "spaze"))
        assert file.reload() is None
        assert "spaze" in file.problem
        company.settings = file.settings
        company.reply(BEN, ADA, sent[2], "With the last good one.\n")
        company.passes()
        assert_expected_t3(company, comments=3)
        beside = tmp_path / "swap"
        beside.write_text(FILE + '[[routes]]\nname = "hr"\nlabel = "Confluence/HR"\nspace = "HR"\n')
        beside.replace(own.config)
        change = file.reload()
        assert change is not None
        assert change.changed_keys == ("routes[hr]",)
        company.settings = change.settings
        company.label(ADA, company.send(CY, ADA, "Salaries")[ADA][1], "Confluence/HR")
        company.passes()
        assert [page.title for page in company.wiki.pages] == ["Release plan", "Salaries"]
        assert company.again_from_scratch() == []


def _published(company: Story) -> tuple[dict[str, tuple[str, str]], ...]:
    company.connect(ADA, BEN)
    sent = send_t3(company)
    company.label(ADA, sent[0][ADA][1])
    company.passes()
    assert_expected_t3(company)
    return sent
