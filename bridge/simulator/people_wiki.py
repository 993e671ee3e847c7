"""What people do in Confluence with the pages that came of their mail: edit, move, restrict, throw away, comment."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from urllib.parse import unquote

from bridge.sandbox.confluence_access import can_comment, can_edit, can_view
from bridge.sandbox.confluence_state import Page, Person
from bridge.simulator.acts import Act
from bridge.simulator.people_scene import FILE_NAMES, Mail, Scene

ORIGIN = re.compile(r"mail\.google\.com/mail/\?mailbridge=([^#\"&<]+)#search/rfc822msgid%3A([^\"'<\s]+)")
"""The link from what the bridge wrote to its mail: the marker, and the Message-ID as a query has it."""


def edit(scene: Scene) -> Act | None:
    """Have somebody add a line to a page."""
    found = _ours(scene, ("current",), may_edit=True)
    if found is None:
        return None
    page, person, conversation = found
    scene.world.atlassian.edit_page(person, page.id, f"{page.body}<p>Added by hand, {len(scene.history)}.</p>")
    return _edited(scene, person, "edit a page", page, conversation)


def rename(scene: Scene) -> Act | None:
    """Have somebody give a page another title."""
    found = _ours(scene, ("current",), may_edit=True)
    if found is None:
        return None
    page, person, conversation = found
    scene.world.atlassian.rename_page(person, page.id, f"Renamed {len(scene.history)}")
    return _edited(scene, person, "rename a page", page, conversation)


def move(scene: Scene) -> Act | None:
    """Have somebody move a page to another open space, or below another page."""
    found = _ours(scene, ("current",), may_edit=True)
    if found is None or found[0].kind == "blogpost":
        return None
    page, person, conversation = found
    wiki = scene.world.atlassian
    key = scene.random.choice(("OPS", "ENG"))
    space = wiki.wiki.space_by_key(key)
    assert space is not None
    holder = wiki.wiki.title_holder(space.id, page.kind, page.title, but=page.id)
    if holder is not None or wiki.wiki.children(page.id):
        return None
    wiki.move_page(page.id, key=key)
    return scene.done(person, "move a page", conversation, page=page.id, to=key)


def restrict(scene: Scene) -> Act | None:
    """Have somebody let only themselves see a page; they open it again later, more often than not."""
    found = _ours(scene, ("current",), may_edit=True)
    if found is None or found[0].read:
        return None
    page, person, conversation = found
    scene.world.atlassian.restrict_page(page.id, read=[person])
    if scene.random.random() < 0.7:
        scene.soon(scene.random.uniform(60.0, 20_000.0), lambda scene: _open(scene, page, person, conversation))
    return scene.done(person, "restrict a page", conversation, page=page.id, readers=person)


def archive(scene: Scene) -> Act | None:
    """Have somebody archive a page."""
    found = _ours(scene, ("current",), may_edit=True)
    if found is None or found[0].kind == "blogpost":
        return None
    page, person, conversation = found
    scene.world.atlassian.archive_page(page.id)
    if scene.random.random() < 0.6:
        scene.soon(scene.random.uniform(60.0, 20_000.0), lambda scene: _restore(scene, page, person, conversation))
    return scene.done(person, "archive a page", conversation, page=page.id)


def trash(scene: Scene) -> Act | None:
    """Have somebody put a page into the trash; half of the time they take it out again."""
    found = _ours(scene, ("current",), may_edit=True)
    if found is None:
        return None
    page, person, conversation = found
    scene.world.atlassian.trash_page(page.id)
    if scene.random.random() < 0.5:
        scene.soon(scene.random.uniform(30.0, 20_000.0), lambda scene: _restore(scene, page, person, conversation))
    return scene.done(person, "trash a page", conversation, page=page.id)


def purge(scene: Scene) -> Act | None:
    """Have somebody remove for good what is in the trash."""
    found = _ours(scene, ("trashed",), may_edit=False)
    if found is None:
        return None
    page, person, conversation = found
    scene.world.atlassian.purge_page(page.id)
    return scene.done(person, "purge a page", conversation, page=page.id)


def comment(scene: Scene) -> Act | None:
    """Have somebody comment on a page, or answer one of our comments."""
    found = _ours(scene, ("current",), may_edit=False)
    if found is None or not can_comment(scene.world.atlassian.wiki, _account(scene, found[1]), found[0]):
        return None
    page, person, conversation = found
    wiki = scene.world.atlassian
    ours = [one for one in wiki.wiki.comments_on(page.id) if ORIGIN.search(one.body) and not one.parent]
    parent = scene.random.choice(ours).id if ours and scene.random.random() < 0.5 else ""
    made = wiki.add_comment(person, page.id, f"<p>Said by hand, {len(scene.history)}.</p>", parent=parent)
    return scene.done(
        person, "comment", conversation, page=page.id, comment=made.id, parent=parent, digest=digest(made.body)
    )


def delete_comment(scene: Scene) -> Act | None:
    """Have somebody delete a comment of ours, with the answers to it."""
    wiki = scene.world.atlassian
    ours = [one for one in wiki.comments if ORIGIN.search(one.body)]
    if not ours:
        return None
    chosen = scene.random.choice(ours[-12:])
    below = [one for one in wiki.wiki.comments_on(chosen.page) if one.parent == chosen.id]
    gone = [chosen, *below, *(one for one in wiki.wiki.comments_on(chosen.page) if one.parent in {b.id for b in below})]
    mails = [mail.name for one in gone if (mail := _mail_of(scene, one.body)) is not None]
    conversation = next((mail.conversation for one in gone if (mail := _mail_of(scene, one.body)) is not None), "")
    wiki.delete_comment(chosen.id)
    return scene.done(
        scene.person(),
        "delete a comment",
        conversation,
        page=chosen.page,
        comments=" ".join(one.id for one in gone),
        mails=" ".join(mails),
    )


def upload(scene: Scene) -> Act | None:
    """Have somebody upload a file under a name that mails use too; where it stands, that is a new version of it."""
    found = _ours(scene, ("current",), may_edit=True)
    if found is None:
        return None
    page, person, conversation = found
    name = scene.random.choice(FILE_NAMES)
    data = f"by hand {len(scene.history)} {scene.random.getrandbits(64):x}\n".encode()
    scene.world.atlassian.upload_file(person, page.id, name, data)
    return scene.done(person, "upload", conversation, page=page.id, name=name, digest=hashlib.sha256(data).hexdigest())


def digest(body: str) -> str:
    """Return what the model compares a body by."""
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def _edited(scene: Scene, person: str, kind: str, page: Page, conversation: str) -> Act:
    version = page.version
    return scene.done(
        person, kind, conversation, page=page.id, version=str(version.number), digest=digest(version.body)
    )


def _open(scene: Scene, page: Page, person: str, conversation: str) -> Act | None:
    wiki = scene.world.atlassian
    if page.id not in wiki.wiki.content or not page.read:
        return None
    wiki.restrict_page(page.id)
    return scene.done(person, "open a page", conversation, page=page.id)


def _restore(scene: Scene, page: Page, person: str, conversation: str) -> Act | None:
    wiki = scene.world.atlassian
    if page.id not in wiki.wiki.content or page.status not in ("trashed", "archived"):
        return None
    if wiki.wiki.title_holder(page.space, page.kind, page.title, but=page.id) is not None:
        return None
    wiki.restore_page(page.id)
    return scene.done(person, "restore a page", conversation, page=page.id)


def _ours(scene: Scene, statuses: tuple[str, ...], *, may_edit: bool) -> tuple[Page, str, str] | None:
    """Return a page of ours, rather a late one, somebody who sees it, and its conversation."""
    wiki = scene.world.atlassian
    pages = [page for page in (*wiki.pages, *wiki.blogposts) if page.status in statuses]
    ours = [page for page in pages if ORIGIN.search(page.versions[0].body)]
    if not ours:
        return None
    page = scene.random.choice(ours[-10:])
    allowed: Callable[..., bool] = can_edit if may_edit else can_view
    people = [one for one in scene.people if allowed(wiki.wiki, wiki.person(one), page)]
    mail = _mail_of(scene, page.versions[0].body)
    if not people or mail is None:
        return None
    return page, scene.random.choice(people), mail.conversation


def _mail_of(scene: Scene, body: str) -> Mail | None:
    found = ORIGIN.search(body)
    return scene.of_mail(unquote(found[2])) if found else None


def _account(scene: Scene, address: str) -> Person:
    return scene.world.atlassian.person(address)
