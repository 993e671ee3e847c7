"""Where a thread goes: post, comment, below a parent, for its author alone, under a title that is taken."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.wrappers import Request, Response

from bridge.config import Route
from bridge.store.tables import FollowState

from support.stories import ADA, BASE, BEN, CY, ENG, Story, story
from support.thread_t3 import PDF, PNG, SUBJECT, assert_expected_t3, send_t3

NEWS = Route(name="news", label="Confluence/News", space="ENG", publish_as="blogpost")


@pytest.mark.scenario("A4")
def test_a_blog_post_with_its_comments(tmp_path: Path) -> None:
    with story(tmp_path, NEWS) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1], "Confluence/News")
        company.passes()
        assert company.wiki.pages == []
        (post,) = company.wiki.blogposts
        assert (post.title, post.version.number, sorted(post.labels)) == (SUBJECT, 1, ["mail"])
        assert [comment.page for comment in company.wiki.comments] == [post.id, post.id]
        assert {file.name for file in company.wiki.wiki.files_on(post.id)} == {"timeline.png", "plan.pdf"}
        assert company.again_from_scratch() == []


@pytest.mark.scenario("A4")
def test_a_comment_on_a_given_page_with_its_replies_and_its_files_on_that_page(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        page = company.wiki.create_page(CY, "ENG", "Decisions", "<p>Ours.</p>")
        company.wiki.upload_file(CY, page.id, "plan.pdf", b"another plan")
        company.change(routes=(replace(ENG, publish_as="comment", page=page.id, page_labels=()),))
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes()
        assert [one.id for one in company.wiki.pages] == [page.id]
        assert (page.version.number, page.body, page.labels) == (1, "<p>Ours.</p>", {})
        first, second, third = company.wiki.comments
        assert (first.page, first.parent) == (page.id, "")
        assert {second.parent, third.parent} == {first.id}
        assert "The plan for April is below." in first.body
        assert "Then Monday it is." in third.body
        digests = {file.name: file.sha256 for file in company.wiki.wiki.files_on(page.id)}
        assert digests.pop("plan.pdf") == hashlib.sha256(b"another plan").hexdigest(), "another's file is not replaced"
        assert sorted(digests.values()) == sorted(hashlib.sha256(data).hexdigest() for data in (PNG, PDF))
        assert company.again_from_scratch() == []


@pytest.mark.parametrize("form", ["title", "id", "url"])
def test_a_parent_is_named_by_title_by_id_or_by_address(tmp_path: Path, form: str) -> None:
    with story(tmp_path) as company:
        parent = company.wiki.create_page(CY, "ENG", "Mail archive")
        named = {
            "title": "Mail archive",
            "id": parent.id,
            "url": f"{BASE}/wiki/spaces/ENG/pages/{parent.id}/Mail+archive",
        }
        company.change(routes=(replace(ENG, parent=named[form]),))
        company.connect(ADA)
        _published(company, "Minutes")
        (page,) = [one for one in company.wiki.pages if one.title == "Minutes"]
        assert page.parent == parent.id
        assert company.again_from_scratch() == []


def test_a_page_for_its_author_alone_is_readable_by_nobody_else_from_its_first_byte_on(tmp_path: Path) -> None:
    with story(tmp_path, replace(ENG, visibility="author")) as company:
        company.connect(ADA, BEN)
        watch = _Readers(company)
        company.world.core.faults.append(watch)
        mark = company.mark()
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes()
        assert_expected_t3(company)
        (page,) = company.wiki.pages
        mine = company.wiki.person(ADA).account_id
        assert page.read.users == [mine]
        writes = [seen.operation for seen in company.world.core.journal.writes(mark)]
        first_words = min(writes.index("createAttachment"), writes.index("updatePage"))
        created = next(seen for seen in company.world.core.journal.since(mark) if seen.operation == "createPage")
        assert "private=true" in created.query
        assert writes.index("createPage") < first_words
        assert watch.readers == {(mine,)}, "restricted from the answer that made it on"
        assert _seen_by(company, BEN, page.id) == 404
        assert _seen_by(company, ADA, page.id) == 200
        assert company.again_from_scratch() == []


def test_a_second_person_gets_a_page_of_their_own_where_pages_are_for_their_authors(tmp_path: Path) -> None:
    with story(tmp_path, replace(ENG, visibility="author")) as company:
        company.connect(ADA, BEN)
        sent = company.send(ADA, BEN, "Secret plan")
        company.label(ADA, sent[ADA][1])
        company.passes()
        company.label(BEN, sent[BEN][1])
        company.passes()
        pages = {page.author: page for page in company.wiki.pages}
        assert set(pages) == {company.wiki.person(one).account_id for one in (ADA, BEN)}
        for account, page in pages.items():
            assert page.read.users == [account]
        assert company.again_from_scratch() == []


def test_nothing_is_published_where_the_site_cannot_restrict(tmp_path: Path) -> None:
    with story(tmp_path, replace(ENG, visibility="author")) as company:
        company.wiki.switches.restrictions_available = False
        company.connect(ADA)
        _published(company, "Secret plan")
        company.passes(3)
        assert company.wiki.pages == []
        assert all(page.body == "" for page in company.wiki.drafts())
        (follow,) = company.follows()
        assert follow.state is FollowState.NEEDS_SOMEBODY
        assert company.again_from_scratch() == []


def test_a_title_that_is_taken_gets_the_date_and_then_a_number(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        theirs = company.wiki.create_page(CY, "ENG", "budget", "<p>Cy's.</p>")
        company.connect(ADA)
        for text in ("First.\n", "Second.\n", "Third.\n"):
            _published(company, "Budget", text)
        dated = "Budget (20 Apr 2026)"
        assert [page.title for page in company.wiki.pages] == ["budget", dated, f"{dated} (2)", f"{dated} (3)"]
        assert (theirs.body, theirs.version.number) == ("<p>Cy's.</p>", 1)
        assert company.wiki.drafts() == []
        assert company.again_from_scratch() == []


def test_a_title_that_is_taken_while_the_page_is_a_draft(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.wiki.switches.draft_titles_checked = True
        company.wiki.create_page(CY, "ENG", "Budget")
        company.connect(ADA)
        _published(company, "Budget")
        assert [page.title for page in company.wiki.pages] == ["Budget", "Budget (20 Apr 2026)"]
        assert company.wiki.drafts() == []
        assert company.again_from_scratch() == []


def test_a_title_pattern_and_page_labels(tmp_path: Path) -> None:
    route = replace(ENG, title="{date:%Y-%m-%d} {from}: {subject}", page_labels=("mail", "minutes"))
    with story(tmp_path, route) as company:
        company.connect(ADA)
        _published(company, "Re: Fwd: Board")
        (page,) = company.wiki.pages
        assert page.title == "2026-04-20 Cy Moreno: Board"
        assert sorted(page.labels) == ["mail", "minutes"]
        page.labels.clear()
        assert company.again_from_scratch() == []
        assert page.labels == {}, "a label that a person takes off stays off"


def test_a_route_without_replies_publishes_the_first_mail_alone(tmp_path: Path) -> None:
    with story(tmp_path, replace(ENG, replies="none")) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes()
        company.reply(BEN, ADA, sent[2], "A fourth.\n")
        company.passes()
        (page,) = company.wiki.pages
        assert company.wiki.comments == []
        assert "Replies follow" not in page.body
        assert company.again_from_scratch() == []


def test_two_labels_of_two_routes_make_two_publications_and_of_one_destination_one(tmp_path: Path) -> None:
    hr = Route(name="hr", label="Confluence/HR", space="HR")
    again = Route(name="eng-too", label="Confluence/Also", space="ENG")
    with story(tmp_path, ENG, hr, again) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        for label in ("Confluence/ENG", "Confluence/HR", "confluence/also"):
            company.label(ADA, sent[0][ADA][1], label)
        company.passes(3)
        spaces = [company.wiki.wiki.spaces[page.space].key for page in company.wiki.pages]
        assert sorted(spaces) == ["ENG", "HR"]
        assert len(company.wiki.comments) == 4
        assert len({follow.publication_id for follow in company.follows()}) == 2
        assert len(company.follows()) == 3
        assert company.again_from_scratch() == []


def test_two_routes_of_one_label_publish_under_the_first(tmp_path: Path) -> None:
    other = Route(name="other", label="Confluence/ENG", space="HR")
    with story(tmp_path, ENG, other) as company:
        company.connect(ADA)
        _published(company, "Once")
        (page,) = company.wiki.pages
        assert company.wiki.wiki.spaces[page.space].key == "ENG"
        assert company.again_from_scratch() == []


def _published(company: Story, subject: str, text: str = "Hello.\n") -> None:
    thread = company.send(CY, ADA, subject, text)[ADA][1]
    company.label(ADA, thread)
    company.passes()


def _seen_by(company: Story, person: str, page_id: str) -> int:
    """Ask for a page with a person's own token; return the answer's status."""
    half = company.wiki
    token = next(key for key, one in half.oauth.access.items() if one.grant.person.address == person)
    with company.company.oauth.transports.session() as session:
        url = f"{BASE}/atlassian/ex/confluence/{half.site.cloud_id}/wiki/api/v2/pages/{page_id}"
        return session.get(url, headers={"Authorization": f"Bearer {token}"}).status_code


class _Readers:
    """Notes after each request who may read what stands: one tuple for every set of readers that ever was."""

    def __init__(self, company: Story) -> None:
        self.readers: set[tuple[str, ...]] = set()
        self._wiki = company.wiki

    def before(self, request: Request, operation: str, person: str) -> None:
        """Let everything pass."""

    def after(self, request: Request, operation: str, person: str, response: Response) -> Response:
        """Look, and change nothing."""
        pages = (*self._wiki.pages, *self._wiki.drafts())
        self.readers |= {tuple(page.read.users) for page in pages}
        return response
