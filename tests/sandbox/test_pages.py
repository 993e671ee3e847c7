from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client, TestResponse

from bridge.sandbox.confluence_people import PeopleSide
from bridge.sandbox.confluence_state import Label, Page, Wiki
from bridge.sandbox.core import App, Core
from bridge.sandbox.gmail_people import SandboxGmail
from bridge.sandbox.pages import counts, day, moment, size
from bridge.sandbox.pages_mail import mail_page
from bridge.sandbox.pages_threads import message_ids, without_history
from bridge.sandbox.pages_wiki import wiki_page

ADA, BEN, CY = "ada@example.com", "ben@example.com", "cy@example.com"
LABEL = "Confluence/ENG"
MSGID = "x1+a@acme.example"
SEARCH = "https://mail.google.com/mail/?mailbridge=ABCDEFGHJK#search/rfc822msgid%3A"
ORIGIN = f'<p><a href="{SEARCH}{quote(MSGID, safe="")}">'
EML = (
    b"From: Petra Novak <petra@acme.example>\r\nTo: Ada Lovelace <ada@example.com>\r\nSubject: Plan <b>for</b> all\r\n"
    b"Message-ID: <x1+a@acme.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nThe plan.\r\n\r\nOn Monday Tom wrote:\r\n> Send it?\r\n"
    b"--b\r\nContent-Type: text/csv; name=plan.csv\r\nContent-Disposition: attachment; filename=plan.csv\r\n\r\n"
    b"1,2\r\n--b--\r\n"
)


class StillClock:
    def now(self) -> datetime:
        return datetime(2026, 3, 3, 14, 5, tzinfo=UTC)


@dataclass
class World:
    core: Core
    gmail: SandboxGmail
    side: PeopleSide
    client: Client
    thread: str = ""
    replies: list[tuple[str, str]] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)

    def text(self, path: str, status: int = 200) -> str:
        response = self.client.get(path)
        assert response.status_code == status
        return response.get_data(as_text=True)

    def state(self, person: str = ADA) -> dict[str, Any]:
        value: dict[str, Any] = self.client.get(f"/mail/state.json?person={person}").get_json()
        return value

    def post(self, action: str, **values: str) -> TestResponse:
        return self.client.post(f"/mail/{action}", data={"person": ADA, "thread": self.thread, **values})

    def labels(self) -> list[str]:
        mailbox = self.gmail.mailbox(ADA)
        return [label.name for label in mailbox.user_labels() if label.id in mailbox.messages[self.thread].label_ids]


@pytest.fixture
def world() -> World:
    core = Core(base_url="http://127.0.0.1:8765", clock=StillClock())
    gmail, wiki = SandboxGmail(core), Wiki(core)
    side = PeopleSide(wiki)
    side.add_site("sandbox", url=core.base_url)
    for address, name in ((ADA, "Ada Lovelace"), (BEN, "Ben Hart"), (CY, "Cy Moreno")):
        gmail.add_person(address, name)
        side.add_person(address, name)
    side.add_space("ENG", "Engineering")
    side.add_space("HR", "People", open_to_all=False)
    side.allow("HR", ADA)
    app = App(core)
    made = World(core, gmail, side, Client(app))
    app.mount(
        "/mail",
        mail_page(
            core,
            gmail,
            wiki,
            labels=[LABEL],
            reply=lambda person, thread: made.replies.append((person, thread)),
            printed=lambda: made.printed,
        ),
    )
    app.mount("/wiki", wiki_page(core, wiki))
    made.thread = gmail.deliver(ADA, EML)[1]
    return made


def page(world: World, body: str = "<p>Hello all.</p>", **options: Any) -> Page:
    return world.side.create_page(ADA, "ENG", "Release plan", body, **options)


def url(held: Page) -> str:
    return f"/wiki/spaces/ENG/pages/{held.id}/{quote(held.title)}"


def test_the_mailbox_shows_its_threads_and_escapes_them(world: World) -> None:
    text = world.text("/mail")
    assert "Plan &lt;b&gt;for&lt;/b&gt; all" in text
    assert "Petra Novak" in text
    assert "14:05" in text
    assert f"Label {LABEL}" in text
    assert text.count('aria-current="page"') == 2
    assert "No mail." in world.text(f"/mail?person={BEN}")


def test_a_label_goes_on_and_comes_off(world: World) -> None:
    assert world.post("label", label=LABEL).location == "/mail?person=ada%40example.com"
    assert world.labels() == [LABEL]
    assert "Labelled; the bridge has not published it yet." in world.text("/mail")
    assert world.state()["threads"][0]["labels"] == [LABEL]
    assert world.post("unlabel", label=LABEL).status_code == 303
    assert world.labels() == []
    assert "Stays in Gmail: no label." in world.text("/mail")


def test_a_reply_is_asked_for(world: World) -> None:
    assert world.post("reply").status_code == 303
    assert world.replies == [(ADA, world.thread)]


@pytest.mark.parametrize(
    ("action", "values", "status"),
    [
        ("label", {"label": " "}, 400),
        ("unlabel", {"label": "None such"}, 400),
        ("label", {"label": LABEL, "thread": "ffff"}, 404),
        ("label", {"label": LABEL, "person": BEN}, 404),
        ("label", {"label": LABEL, "person": "dee@example.com"}, 404),
        ("burn", {}, 404),
    ],
)
def test_what_cannot_be_done_changes_nothing(world: World, action: str, values: dict[str, str], status: int) -> None:
    assert world.post(action, **values).status_code == status
    assert world.labels() == []


def test_another_site_cannot_label(world: World) -> None:
    values = {"person": ADA, "thread": world.thread, "label": LABEL}
    foreign = world.client.post("/mail/label", data=values, headers={"Origin": "http://evil.example"})
    assert foreign.status_code == 403
    assert world.labels() == []
    own = world.client.post("/mail/label", data=values, headers={"Origin": "http://localhost"})
    assert own.status_code == 303
    assert world.labels() == [LABEL]


def test_a_published_page_appears_beside_its_thread(world: World) -> None:
    before = world.state()
    assert before["threads"][0]["published"] == []
    held = page(world, f"{ORIGIN}Open in Gmail</a></p>")
    world.side.add_comment(BEN, held.id, "<p>Noted.</p>")
    world.side.upload_file(ADA, held.id, "plan.csv", b"1,2")
    after = world.state()
    assert after["stamp"] != before["stamp"]
    assert after["threads"][0]["published"] == [
        {
            "page_id": held.id,
            "kind": "page",
            "title": "Release plan",
            "space": "ENG",
            "author": "Ada Lovelace",
            "url": f"/wiki/spaces/ENG/pages/{held.id}/Release+plan",
            "comments": 1,
            "files": 1,
            "private": False,
        }
    ]
    text = world.text("/mail")
    assert "Page in ENG by Ada Lovelace" in text
    assert "1 comment, 1 file" in text
    assert f"{after['threads'][0]['published'][0]['url']}?as=ada%40example.com" in text


def test_a_comment_alone_counts_as_published_and_a_draft_does_not(world: World) -> None:
    page(world, f"{ORIGIN}mail</a></p>", status="draft")
    assert world.state()["threads"][0]["published"] == []
    held = page(world)
    world.side.add_comment(ADA, held.id, f"{ORIGIN}mail</a></p>")
    assert [what["page_id"] for what in world.state()["threads"][0]["published"]] == [held.id]


def test_a_page_shows_only_beside_the_mail_of_those_who_may_see_it(world: World) -> None:
    world.gmail.deliver(BEN, EML)
    held = page(world, f"{ORIGIN}mail</a></p>")
    assert len(world.state(BEN)["threads"][0]["published"]) == 1
    world.side.restrict_page(held.id, read=[ADA])
    assert world.state(BEN)["threads"][0]["published"] == []
    assert world.state()["threads"][0]["published"][0]["private"] is True


def test_the_state_changes_with_mail_labels_comments_and_printed_lines(world: World) -> None:
    held = page(world)
    stamps = [world.state()["stamp"]]
    changes = (
        lambda: world.post("label", label=LABEL),
        lambda: world.gmail.deliver(ADA, EML),
        lambda: world.side.add_comment(ADA, held.id, "<p>x</p>"),
        lambda: world.side.edit_page(ADA, held.id, "<p>y</p>"),
        lambda: world.side.upload_file(ADA, held.id, "a.txt", b"a"),
        lambda: world.printed.append("14:03:12  Ada labelled"),
    )
    for change in changes:
        change()
        stamps.append(world.state()["stamp"])
        assert world.state()["stamp"] == stamps[-1]
    assert len(set(stamps)) == len(changes) + 1
    assert "14:03:12  Ada labelled" in world.text("/mail")


def test_a_thread_opens_by_its_id_and_by_a_message_id(world: World) -> None:
    text = world.text(f"/mail/thread?person={ADA}&thread={world.thread}")
    assert world.text(f"/mail/thread?person={ADA}&message={quote(MSGID)}") == text
    assert '<pre dir="auto">The plan.</pre>' in text
    assert "&gt; Send it?" in text
    assert "plan.csv (3 bytes)" in text
    assert "3 Mar 2026, 14:05 UTC" in text
    assert "ben@example.com has no such mail." in world.text(f"/mail/thread?person={BEN}&message={quote(MSGID)}", 404)
    world.text("/mail/nothing", 404)
    world.text("/mail?person=dee@example.com", 404)


def test_drafts_and_thrown_away_mail_are_not_listed(world: World) -> None:
    world.gmail.trash(ADA, world.thread)
    world.gmail.save_draft(ADA, EML)
    assert world.state()["threads"] == []


def test_pages_run_one_script_and_load_nothing_from_elsewhere(world: World) -> None:
    for path, script in (("/mail", "/mail/live.js"), ("/wiki", "/wiki/live.js")):
        response = world.client.get(path)
        policy = response.headers["Content-Security-Policy"]
        assert f"script-src http://localhost{script};" in policy
        assert policy.startswith("default-src 'none';")
        assert not re.search(r'(?:src|href)="(?:https?:)?//', response.get_data(as_text=True))
        assert world.client.get(script).mimetype == "text/javascript"


def test_the_wiki_shows_the_spaces_that_its_reader_may_see(world: World) -> None:
    home = world.text("/wiki")
    assert "/wiki/spaces/ENG" in home
    assert "/wiki/spaces/HR" in home
    chosen = world.client.get(f"/wiki/spaces/HR?as={BEN}&x=1")
    assert chosen.location == "/wiki/spaces/HR?x=1"
    assert "/wiki/spaces/HR" not in world.text("/wiki")
    assert "Ben Hart may not see it" in world.text("/wiki/spaces/HR", 404)
    assert "wiki_reader" not in world.client.get("/wiki?as=nobody@example.com").headers.get("Set-Cookie", "")


def test_a_page_has_title_byline_labels_body_and_history(world: World) -> None:
    held = page(world, "<p>Freeze on <strong>Monday</strong>.</p>")
    held.labels["mail"] = Label("9", "mail")
    world.side.edit_page(BEN, held.id, "<p>Freeze on Tuesday.</p>")
    held.version.message = "A day later"
    text = world.text(url(held))
    assert "<h1><bdi>Release plan</bdi></h1>" in text
    assert "Ada Lovelace, 3 Mar 2026" in text
    assert '<span class="chip">mail</span>' in text
    assert "Freeze on Tuesday." in text
    assert "History: 2 versions" in text
    assert "A day later" in text
    old = world.text(url(held) + "?version=1")
    assert "<strong>Monday</strong>" in old
    assert "Version 1; <a" in old


def test_comments_stand_below_what_they_answer(world: World) -> None:
    held = page(world)
    first = world.side.add_comment(ADA, held.id, "<p>One.</p>")
    world.side.add_comment(CY, held.id, "<p>Two.</p>")
    answer = world.side.add_comment(BEN, held.id, "<p>To one.</p>", parent=first.id)
    text = world.text(f"{url(held)}?focusedCommentId={answer.id}")
    assert "3 comments" in text
    places = [text.index(said) for said in ("One.", "To one.", "Two.")]
    assert places == sorted(places)
    assert re.search(rf'class="comment focused" id="comment-{answer.id}"[^>]*margin-left:40px', text)


def test_files_are_served_and_only_harmless_kinds_open_in_the_browser(world: World) -> None:
    held = page(world, '<ac:image><ri:attachment ri:filename="a b.png"/></ac:image>')
    world.side.upload_file(ADA, held.id, "a b.png", b"\x89PNG")
    world.side.upload_file(ADA, held.id, "evil.html", b"<script>")
    base = f"/wiki/download/attachments/{held.id}"
    assert f'src="{base}/a%20b.png"' in world.text(url(held))
    image = world.client.get(f"{base}/a%20b.png")
    assert (image.data, image.mimetype) == (b"\x89PNG", "image/png")
    assert image.headers["Content-Disposition"] == "inline; filename*=UTF-8''a%20b.png"
    evil = world.client.get(f"{base}/evil.html")
    assert evil.mimetype == "application/octet-stream"
    assert evil.headers["Content-Disposition"].startswith("attachment;")
    assert evil.headers["X-Content-Type-Options"] == "nosniff"
    world.text(f"{base}/none.png", 404)
    world.side.restrict_page(held.id, read=[BEN])
    world.text(f"{base}/a%20b.png", 404)


def test_restrictions_show_and_hold(world: World) -> None:
    held = page(world)
    world.side.restrict_page(held.id, read=[ADA])
    assert "only for Ada Lovelace" in world.text(url(held))
    world.client.get(f"/wiki?as={CY}")
    assert "Hello all." not in world.text(url(held), 404)
    assert "Release plan" not in world.text("/wiki/spaces/ENG")


def test_drafts_are_listed_for_their_author_alone(world: World) -> None:
    held = page(world, status="draft")
    assert "Drafts of Ada Lovelace" in world.text("/wiki")
    assert "Drafts of Ada Lovelace" in world.text("/wiki/spaces/ENG")
    assert "A draft that only Ada Lovelace sees." in world.text(f"/wiki/pages/resumedraft.action?draftId={held.id}")
    world.client.get(f"/wiki?as={BEN}")
    assert "Drafts of" not in world.text("/wiki")
    world.text(f"/wiki/pages/resumedraft.action?draftId={held.id}", 404)


def test_the_space_shows_its_tree_and_its_blog(world: World) -> None:
    held = page(world)
    below = world.side.create_page(BEN, "ENG", "Details", parent=held.id)
    world.side.create_page(CY, "ENG", "Another")
    post = world.side.create_page(CY, "ENG", "News of March", kind="blogpost")
    text = world.text("/wiki/spaces/ENG")
    assert "Space ENG: 3 pages, 1 post" in text
    listed = text[text.index("<h1>") :]
    places = [listed.index(f"<bdi>{title}</bdi>") for title in ("Release plan", "Details", "Another", "News of March")]
    assert places == sorted(places)
    assert re.search(r"padding-left:20px[^>]*><a [^>]*><bdi>Details", listed)
    assert f"/wiki/spaces/ENG/blog/2026/03/03/{post.id}/News+of+March" in text
    assert "<h1><bdi>News of March</bdi></h1>" in world.text(f"/wiki/spaces/ENG/blog/2026/03/03/{post.id}/x")
    assert f'<a href="{url(held).replace("%20", "+")}"><bdi>Release plan</bdi></a>' in world.text(url(below))
    assert "<h1><bdi>Engineering</bdi></h1>" in world.text("/wiki/spaces/ENG/overview")


def test_links_to_mail_lead_to_the_sandbox_mailbox(world: World) -> None:
    held = page(world, f"{ORIGIN}Open in Gmail</a></p>")
    text = world.text(url(held))
    assert "mail.google.com" not in text
    link = re.search(r'href="(/mail/thread[^"]*)"', text)
    assert link is not None
    assert "The plan." in world.text(link[1].replace("&amp;", "&"))


def test_what_is_not_there_is_said(world: World) -> None:
    held = page(world)
    world.side.trash_page(held.id)
    for path in (url(held), "/wiki/spaces/NONE", "/wiki/spaces/ENG/pages/999", "/wiki/some/where"):
        assert "Nothing to see here" in world.text(path, 404)
    assert world.client.post("/wiki").status_code == 405


def test_the_wiki_has_a_stamp_of_its_own(world: World) -> None:
    before = world.client.get("/wiki/state.json").get_json()["stamp"]
    assert f'data-stamp="{before}"' in world.text("/wiki")
    page(world)
    assert world.client.get("/wiki/state.json").get_json()["stamp"] != before


def test_words_for_numbers_and_times() -> None:
    at = datetime(2026, 3, 3, 9, 5, tzinfo=UTC)
    assert (day(at), moment(at)) == ("3 Mar 2026", "3 Mar 2026, 09:05 UTC")
    assert [size(n) for n in (1, 999, 80_000, 1_234_567)] == ["1 byte", "999 bytes", "80 KB", "1.2 MB"]
    assert [counts(*n) for n in ((0, 0), (1, 0), (2, 1))] == ["no comments yet", "1 comment", "2 comments, 1 file"]


def test_message_ids_are_read_from_origin_links() -> None:
    assert message_ids(f"{ORIGIN}mail</a></p>" * 2) == [MSGID, MSGID]
    search = SEARCH.replace("?", "?a=1&amp;")
    assert message_ids(f'<a href="{search}y%26z%40e.example">') == ["y&z@e.example"]
    assert message_ids("<p>rfc822msgid</p>") == []


@given(st.lists(st.sampled_from(["word", "> quoted", "", "On Monday Tom wrote:", ">"]), max_size=8).map("\n".join))
def test_parting_off_the_history_loses_nothing(text: str) -> None:
    said, quoted = without_history(text)
    assert (said + quoted).replace("\n", "") == text.replace("\n", "")
    assert not quoted or any(line.startswith(">") for line in quoted.split("\n"))
