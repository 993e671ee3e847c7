"""The normal form: two runs of one story are equal, whatever ids, times and installations; a difference is told."""

from __future__ import annotations

from pathlib import Path

from support.standing import difference, standing
from support.stories import ADA, BEN, Story, story
from support.thread_t3 import send_t3


def _t3(company: Story) -> None:
    company.connect(ADA, BEN)
    company.label(ADA, send_t3(company)[0][ADA][1])
    company.passes()


def test_two_installations_come_to_the_same_and_what_people_change_is_a_difference(tmp_path: Path) -> None:
    with story(tmp_path / "one") as one, story(tmp_path / "other") as other:
        other.wiki.create_page(ADA, "ENG", "Gone")
        other.wiki.purge_page(other.wiki.pages[0].id)  # so that every id is another one
        _t3(one)
        _t3(other)
        wanted = standing(one.world)
        latest = other.wiki.pages[0].version
        latest.body = latest.body.replace("mailbridge=", "mailbridge=another")
        assert one.wiki.pages[0].id != other.wiki.pages[0].id
        assert standing(other.world) == wanted
        assert difference(wanted, standing(other.world)) == ""
        other.wiki.create_page(ADA, "ENG", "A draft").status = "draft"
        assert (standing(other.world) == wanted, standing(other.world).empty_drafts) == (True, 1)
        other.wiki.delete_comment(other.wiki.comments[0].id)
        assert standing(other.world) != wanted
        assert "-.pages[0].comments[1]" in difference(wanted, standing(other.world))


def test_the_order_of_comments_the_bytes_of_files_and_the_labels_of_mail_count(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        _t3(company)
        wanted = standing(company.world)
        (page,) = company.wiki.pages
        wiki = company.wiki.wiki
        wiki._comments_on[page.id].reverse()
        assert standing(company.world) != wanted
        wiki._comments_on[page.id].reverse()
        assert standing(company.world) == wanted
        file = wiki.files_on(page.id)[0]
        data = file.version.data
        file.version.data = data + b"!"
        assert "sha256" in difference(wanted, standing(company.world))
        file.version.data = data
        company.unlabel(ADA, next(iter(company.gmail.mailbox(ADA).by_thread)))
        assert "labels" in difference(wanted, standing(company.world))
