"""What the Confluence client relies on, shown against the sandbox and, with the marker live, against a real site.

A real one is named by MAILBRIDGE_LIVE_CONFLUENCE_TOKEN (an access token with all scopes of docs/atlassian.md and
delete:page), MAILBRIDGE_LIVE_CONFLUENCE_CLOUD_ID and MAILBRIDGE_LIVE_CONFLUENCE_SPACE (a key). What the tests make
there goes to the bin afterwards.
"""

from __future__ import annotations

import hashlib
import io
import os
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import requests
import trustme

from bridge import errors
from bridge.clock import Clock, SystemChance, SystemClock, VirtualClock
from bridge.confluence import Comment, Confluence, sites
from bridge.http import Endpoints, Transports, network
from bridge.sandbox.atlassian import AtlassianHalf
from bridge.sandbox.atlassian_oauth import Access, Grant
from bridge.sandbox.core import App, Core
from bridge.sandbox.faults import Plain, Rule
from bridge.sandbox.inprocess import WsgiAdapter, WsgiHttp
from bridge.sandbox.serve import serve

from support.wire import NOW, Ledger

ADA = "ada@example.com"
NAMES = (
    "read:page write:page delete:page read:comment write:comment read:attachment write:attachment read:label "
    "write:label read:space read:content-details write:content.restriction"
)
SCOPES = frozenset(f"{name}:confluence" for name in NAMES.split())
ENDPOINTS = Endpoints.of("https://sandbox.example/google", "https://sandbox.example/atlassian")


class Sandbox:
    """A site with the space ENG, and Ada's token."""

    def __init__(self, scopes: frozenset[str] = SCOPES) -> None:
        self.clock = VirtualClock(NOW)
        self.core = Core(base_url="https://sandbox.example", clock=self.clock)
        self.wiki = AtlassianHalf(self.core)
        self.person = self.wiki.add_person(ADA, "Ada Lovelace")
        self.wiki.add_space("ENG", "Engineering")
        self.app = App(self.core)
        self.app.mount_service("/atlassian", self.wiki)

        def session() -> requests.Session:
            made = requests.Session()
            made.trust_env = False
            made.mount("https://", WsgiAdapter(self.app))
            return made

        self.transports = Transports(session=session, http=lambda: WsgiHttp(self.app))
        self.budget = Ledger()
        self.refreshes = 0
        self._scopes = scopes
        self._grant = Grant(self.person, scopes, list(self.person.sites))
        self._token = ""
        cloud_id = self.wiki.site.cloud_id
        self.client = Confluence(self.transports, ENDPOINTS, cloud_id, self, self.budget, clock=self.clock)

    def __call__(self, refused: str = "") -> str:
        if refused or not self._token:
            self.refreshes += bool(refused)
            self._token = f"access-{self.refreshes}"
            expires = self.clock.now() + timedelta(hours=1)
            self.wiki.oauth.access[self._token] = Access(self._grant, self._scopes, expires)
        return self._token

    def stale(self, token: str) -> bool:
        return False


class Fixed:
    """A token that is what it is."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, refused: str = "") -> str:
        return self._token

    def stale(self, token: str) -> bool:
        return False


@dataclass
class Place:
    """Where the tests run."""

    client: Confluence
    space: str
    clock: Clock
    unique: str

    def title(self, name: str) -> str:
        """Return a title that nobody else has."""
        return f"mailbridge test {name} {self.unique}"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture(params=["sandbox", pytest.param("live", marks=pytest.mark.live)])
def place(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Place]:
    if request.param == "sandbox":
        yield Place(sandbox.client, "ENG", sandbox.clock, "1")
        return
    names = ("TOKEN", "CLOUD_ID", "SPACE")
    token, cloud_id, space = (os.environ.get(f"MAILBRIDGE_LIVE_CONFLUENCE_{name}", "") for name in names)
    if not (token and cloud_id and space):
        pytest.skip("MAILBRIDGE_LIVE_CONFLUENCE_TOKEN, _CLOUD_ID and _SPACE name no site.")
    clock = SystemClock()
    client = Confluence(network(os.environ), Endpoints(), cloud_id, Fixed(token), Ledger(), clock=clock)
    yield Place(client, space, clock, SystemChance().token(6))
    client.close()


@pytest.fixture
def published(place: Place) -> Iterator[str]:
    """Give the id of a published page."""
    client, space = place.client, place.client.space(place.space)
    assert space is not None
    draft = client.create_draft("page", space_id=space.id, title=place.title("page"))
    client.publish("page", draft.id, title=draft.title, storage="<p>One</p>", message="note [0a1b2c3d]")
    yield draft.id
    if client.content("page", draft.id).status == "current":
        client.trash("page", draft.id)


def listed(clock: Clock, look: Callable[[], Iterator[Comment]], comment_id: str) -> Comment:
    """Look until a comment is listed: lists lag behind."""
    for _ in range(20):
        for comment in look():
            if comment.id == comment_id:
                return comment
        clock.wait(threading.Event(), 1.0)
    pytest.fail("The comment never came up in the list.")


def test_a_space_is_found_by_key_in_any_case(place: Place) -> None:
    space = place.client.space(place.space.lower())
    assert space is not None
    assert space.key.upper() == place.space.upper()
    assert place.client.space("NOSUCHSPACEATALL") is None


def test_the_person_is_known(place: Place) -> None:
    user = place.client.current_user()
    assert user.account_id
    assert user.display_name


@pytest.mark.parametrize("kind", ["page", "blogpost"])
def test_a_draft_becomes_a_page(place: Place, kind: str) -> None:
    client, space = place.client, place.client.space(place.space)
    assert space is not None
    title = place.title(kind)
    here = "blogpost" if kind == "blogpost" else "page"
    draft = client.create_draft(here, space_id=space.id, title=title)
    assert client.by_title(space.id, title, kind=here) == []
    assert client.content(here, draft.id, draft=True).status == "draft"
    page = client.publish(here, draft.id, title=title, storage="<p>One</p>", message="note [0a1b2c3d]")
    assert (page.id, page.version.number) == (draft.id, 1)
    read = client.content(here, draft.id, body=True)
    assert (read.status, read.title, read.version.number, read.version.message) == (
        "current",
        title,
        1,
        "note [0a1b2c3d]",
    )
    assert read.author_id == client.current_user().account_id
    assert "One" in read.storage
    assert read.url.startswith("https://")
    assert [found.id for found in client.by_title(space.id, title.upper(), kind=here)] == [draft.id]
    client.trash(here, draft.id)
    assert client.content(here, draft.id).status == "trashed"


def test_a_title_is_taken_in_any_case(place: Place, published: str) -> None:
    client = place.client
    page = client.content("page", published)
    draft = client.create_draft("page", space_id=page.space_id, title=place.title("other"))
    with pytest.raises(errors.TitleTaken):
        client.publish("page", draft.id, title=page.title.upper(), storage="<p>Two</p>", message="x")
    client.trash("page", draft.id, draft=True)
    with pytest.raises(errors.RemoteError):
        client.content("page", draft.id, draft=True)


def test_a_version_that_is_not_the_next_one(place: Place, published: str) -> None:
    client = place.client
    page = client.content("page", published)
    with pytest.raises(errors.Conflict):
        client.publish("page", published, title=page.title, storage="<p>Two</p>", message="x", version=1)
    client.publish("page", published, title=page.title, storage="<p>Two</p>", message="second", version=2)
    assert next((v.number, v.message) for v in client.versions("page", published)) == (2, "second")


def test_a_body_that_is_not_well_formed(place: Place, published: str) -> None:
    page = place.client.content("page", published)
    with pytest.raises(errors.Refused):
        place.client.publish("page", published, title=page.title, storage="<p>a<b></p>", message="x", version=2)


def test_a_page_below_another(place: Place, published: str) -> None:
    client, parent = place.client, place.client.content("page", published)
    found = client.find_parent(parent.space_id, parent.title.upper())
    assert found is not None
    assert found.id == published
    draft = client.create_draft("page", space_id=parent.space_id, title=place.title("child"), parent_id=published)
    client.publish("page", draft.id, title=draft.title, storage="<p>x</p>", message="x")
    assert client.content("page", draft.id).parent_id == published
    client.trash("page", draft.id)


def test_what_stands_in_a_space_is_listed_with_its_text(place: Place, published: str) -> None:
    page = place.client.content("page", published, body=True)
    listed = next(found for found in place.client.newest("page", page.space_id) if found.id == published)
    assert (listed.storage, listed.version, listed.author_id) == (page.storage, page.version, page.author_id)
    assert all(found.kind == "blogpost" for found in place.client.newest("blogpost", page.space_id))


def test_comments_and_replies_are_listed_newest_first(place: Place, published: str) -> None:
    client = place.client
    first = client.comment_on("page", published, "<p>First</p>")
    second = client.comment_on("page", published, "<p>Second</p>")
    reply = client.reply_to(first.id, "<p>Reply</p>")
    assert reply.parent_id == first.id
    listed(place.clock, lambda: client.comments("page", published), second.id)
    listed(place.clock, lambda: client.comments("page", published), first.id)
    assert [comment.id for comment in client.comments("page", published)] == [second.id, first.id]
    assert "Reply" in listed(place.clock, lambda: client.replies(first.id), reply.id).storage
    read = client.comment(second.id)
    assert "Second" in read.storage
    assert read.author_id == client.current_user().account_id
    assert read.version.created_at is not None


def test_files_are_create_only(place: Place, published: str) -> None:
    client, data = place.client, bytes(range(256)) * 40
    name, note = "Plän (1).bin", f"From Zoë's mail {hashlib.sha256(data).hexdigest()[:16]}"
    kinds = {"mime_type": "application/octet-stream", "comment": note}
    made = client.upload(published, name=name, data=io.BytesIO(data), draft=False, **kinds)
    (found,) = client.files("page", published, name)
    assert (found.id, found.name, found.size, found.comment) == (made.id, name, len(data), note)
    with pytest.raises(errors.NameTaken):
        client.upload(published, name=name, data=b"other", draft=False, **kinds)
    assert client.files("page", published)[0].size == len(data)
    mended = client.replace_data(published, made.id, name=name, data=b"other", **kinds)
    assert mended.id == made.id
    assert client.files("page", published, name)[0].size == 5


def test_a_file_on_a_draft_stays_when_it_is_published(place: Place) -> None:
    client, space = place.client, place.client.space(place.space)
    assert space is not None
    draft = client.create_draft("page", space_id=space.id, title=place.title("file"))
    client.upload(draft.id, name="a.png", data=b"\x89PNG", mime_type="image/png", comment="c", draft=True)
    body = '<ac:image><ri:attachment ri:filename="a.png" /></ac:image>'
    client.publish("page", draft.id, title=draft.title, storage=body, message="x")
    assert [file.name for file in client.files("page", draft.id)] == ["a.png"]
    client.trash("page", draft.id)


def test_labels_stay(place: Place, published: str) -> None:
    place.client.add_labels(published, ["mail", "from-mail"])
    place.client.add_labels(published, ["mail"])
    assert sorted(place.client.labels("page", published)) == ["from-mail", "mail"]


def test_a_property_is_set_once(place: Place, published: str) -> None:
    client = place.client
    assert client.property("page", published, "mailbridge.test") is None
    client.set_property("page", published, "mailbridge.test", {"by": "one"})
    with pytest.raises(errors.Conflict):
        client.set_property("page", published, "mailbridge.test", {"by": "two"})
    found = client.property("page", published, "mailbridge.test")
    assert found is not None
    assert found.value == {"by": "one"}


def test_a_restriction_is_read_back(place: Place, published: str) -> None:
    client = place.client
    me = client.current_user().account_id
    assert client.readers(published) == frozenset()
    client.restrict(published, me)
    assert client.readers(published) == {me}


def test_a_page_that_is_gone_is_not_found(place: Place) -> None:
    with pytest.raises(errors.NotFound):
        place.client.content("page", "999999999999")


def test_a_private_draft_is_readable_by_its_author_alone(sandbox: Sandbox) -> None:
    space = sandbox.client.space("ENG")
    assert space is not None
    draft = sandbox.client.create_draft("page", space_id=space.id, title="T", private=True)
    assert sandbox.client.readers(draft.id) == {sandbox.person.account_id}
    sandbox.wiki.switches.restrictions_available = False
    with pytest.raises(errors.PersonMustAct, match="only its author may read"):
        sandbox.client.create_draft("page", space_id=space.id, title="U", private=True)


def test_the_sites_of_a_grant(sandbox: Sandbox) -> None:
    sandbox.wiki.switches.duplicate_resources = True
    (site,) = sites(sandbox.transports, ENDPOINTS, sandbox(), clock=sandbox.clock)
    assert (site.cloud_id, site.url) == (sandbox.wiki.site.cloud_id, "https://sandbox.example")
    assert site.scopes >= {"read:page:confluence"}


def test_an_hour_later_the_token_is_refreshed_once(sandbox: Sandbox) -> None:
    sandbox.client.current_user()
    sandbox.clock.advance(3700)
    space = sandbox.client.space("ENG")
    assert space is not None
    sandbox.clock.advance(3700)
    sandbox.client.create_draft("page", space_id=space.id, title="T")
    assert sandbox.refreshes == 2
    assert len(sandbox.wiki.drafts()) == 1


def test_a_missing_scope_is_named_and_not_refreshed() -> None:
    poor = Sandbox(SCOPES - {"write:page:confluence"})
    space = poor.client.space("ENG")
    assert space is not None
    with pytest.raises(errors.NeedsConsent) as caught:
        poor.client.create_draft("page", space_id=space.id, title="T")
    assert (caught.value.scope, poor.refreshes) == ("write:page:confluence", 0)


def test_a_person_without_permission(sandbox: Sandbox) -> None:
    space = sandbox.client.space("ENG")
    assert space is not None
    sandbox.wiki.forbid("ENG", ADA, "page")
    with pytest.raises(errors.PersonMustAct):
        sandbox.client.create_draft("page", space_id=space.id, title="T")


@pytest.mark.parametrize(("kind", "left"), [("drop-before", 0), ("drop-after", 1)])
def test_a_dropped_write_is_sent_once(sandbox: Sandbox, kind: Plain, left: int) -> None:
    space = sandbox.client.space("ENG")
    assert space is not None
    sandbox.core.faults.append(Rule(operation="createPage", kind=kind))
    with pytest.raises(errors.Temporary) as caught:
        sandbox.client.create_draft("page", space_id=space.id, title="T")
    assert caught.value.maybe_applied
    assert len(sandbox.wiki.drafts()) == left


def test_more_comments_than_a_page_holds(sandbox: Sandbox) -> None:
    page = sandbox.wiki.create_page(ADA, "ENG", "T", "<p>x</p>")
    ids = []
    for number in range(120):
        sandbox.clock.advance(1)
        ids.append(sandbox.wiki.add_comment(ADA, page.id, f"<p>{number}</p>").id)
    assert [comment.id for comment in sandbox.client.comments("page", page.id)] == ids[::-1]


def test_over_a_real_connection_with_a_certificate_of_the_companys_own(sandbox: Sandbox, tmp_path: Path) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    page = sandbox.wiki.create_page(ADA, "ENG", "T", "<p>x</p>")
    data = bytes(range(256)) * 20_000
    with serve(sandbox.app, ssl_context=context) as server:
        endpoints = Endpoints.of(f"{server.url}/google", f"{server.url}/atlassian")
        cloud_id = sandbox.wiki.site.cloud_id

        def client(environ: dict[str, str]) -> Confluence:
            return Confluence(network(environ), endpoints, cloud_id, sandbox, sandbox.budget, clock=sandbox.clock)

        trusting = client({"REQUESTS_CA_BUNDLE": str(tmp_path / "ca.pem")})
        kinds = {"mime_type": "application/octet-stream", "comment": "c"}
        file = trusting.upload(page.id, name="big.bin", data=io.BytesIO(data), draft=False, **kinds)
        assert (file.size, sandbox.wiki.attachments[0].sha256) == (len(data), hashlib.sha256(data).hexdigest())
        trusting.close()
        stranger = client({})
        with pytest.raises(errors.Temporary) as caught:
            stranger.comment_on("page", page.id, "<p>x</p>")
        assert not caught.value.maybe_applied
        stranger.close()
