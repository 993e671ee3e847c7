"""What people made of what we published: trashed, deleted for good, archived, hidden, or still there.

A 404 alone never says which: one look with the person's own token does, as far as it can be seen. What follows from it,
and every sentence here, stands in ``docs/pages-and-people.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.confluence import Confluence, Content
from bridge.confluence import Kind as ContainerKind
from bridge.errors import CredentialRefused, NotFound, PersonMustAct, RemoteError
from bridge.store.tables import Publication, PublicationState
from bridge.sync.probe import probed

LOOK_AGAIN = timedelta(hours=6)
"""How often a page is looked at that cannot be written to."""

WAITS = timedelta(days=30)
"""How long it is looked at by itself; after that when something new comes, when the configuration changes, on retry."""

REASONS = {
    "trashed": "removed in Confluence",
    "purged": "removed in Confluence",
    "archived": "page archived",
    "hidden": "hidden",
}
"""A fate's name for a follow's reason."""

TRASHED = (
    "Removed in Confluence: the {what} is in the trash. What is to follow waits. "
    "Restore it there, or publish the thread again: mailbridge republish {thread}"
)
PURGED = (
    "Removed in Confluence: the {what} was deleted for good. What is to follow waits. "
    "To publish the thread again: mailbridge republish {thread}"
)
ARCHIVED = "Page archived. What is to follow waits until somebody takes the {what} out of the archive."
HIDDEN = (
    "You no longer have access to the {what}, or it was removed. What is to follow waits for 30 days. "
    "Ask for access, or publish the thread again: mailbridge republish {thread}"
)
DRAFT_GONE = (
    "The draft of the {what} is not in Confluence any more. Nothing was published. "
    "To publish the thread: mailbridge republish {thread}"
)
WAITED = (
    "After 30 days the {what} is not looked at by itself any more; nothing is lost. "
    "When it can go on: mailbridge retry {thread}"
)
MAY_NOT_WRITE = (
    "You may see the {what}, but not comment on it or add files to it. "
    "Ask an admin of space {space} for that permission."
)

_SENTENCES = {"trashed": TRASHED, "purged": PURGED, "archived": ARCHIVED, "hidden": HIDDEN}
_STATUSES = {"trashed": "trashed", "deleted": "purged", "archived": "archived"}
_WHAT = {"page": "page", "blogpost": "blog post", "comment": "comment"}


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a publication, as one person sees it.

    ``remote`` is as ``Publication.remote`` has it. ``seen`` is true where Confluence showed it, so that it holds for
    everybody, and false where it was concluded from this person's 404. ``content`` is what was shown.
    """

    remote: str
    seen: bool = True
    content: Content | None = None


def fate_of(content: Content | None, before: str) -> Fate:
    """Return what an answer says.

    Args:
        content: what Confluence shows this person, None for a 404.
        before: what was known before. What was in the trash and is not shown any more was deleted for good, as far as
            anybody can tell.
    """
    if content is None:
        return Fate("purged" if before in ("trashed", "purged") else "hidden", seen=False)
    return Fate(_STATUSES.get(content.status, ""), content=content)


def look(client: Confluence, publication: Publication) -> Fate:
    """Look, as the client's person, at what became of a publication.

    Raises:
        errors.RemoteError: Confluence could not be asked, or does not accept the connection.
    """
    drafted = publication.state is PublicationState.DRAFTED
    kind: ContainerKind = "blogpost" if publication.kind == "blogpost" else "page"
    content = _shown(client, kind, publication.page_id or publication.content_id, draft=drafted)
    fate = fate_of(content, publication.remote)
    if publication.kind == "comment" and publication.content_id and fate.remote == "":
        # A comment that people delete is gone for good; its page, which is shown, proves that it is not merely hidden.
        try:
            client.comment(publication.content_id)
        except NotFound:
            return Fate("purged", content=content)
        except PersonMustAct:
            return Fate("hidden", seen=False, content=content)
    return fate


def sentence(publication: Publication, remote: str, thread_id: str, *, waited: bool) -> str:
    """Return what a person is told about a fate; ``waited`` when its time is over."""
    told = _SENTENCES[remote]
    if publication.state is PublicationState.DRAFTED and remote in ("hidden", "purged"):
        told, waited = DRAFT_GONE, False
    elif waited:
        told = f"{told.split('. ', 1)[0]}. {WAITED}"
    return told.format(what=_WHAT[publication.kind], thread=thread_id)


def may_not_write(publication: Publication) -> str:
    """Return what a person is told who may see a page and not add to it."""
    return MAY_NOT_WRITE.format(what=_WHAT[publication.kind], space=publication.space_key)


def has_waited(since: datetime, now: datetime) -> bool:
    """Say whether a follow has waited for as long as anything is looked at by itself."""
    return now - since >= WAITS


def _shown(client: Confluence, kind: ContainerKind, content_id: str, *, draft: bool) -> Content | None:
    try:
        return client.content(kind, content_id, draft=draft)
    except PersonMustAct:
        return None
    except CredentialRefused as refused:
        meaning: RemoteError = probed(refused, client)
        if isinstance(meaning, PersonMustAct):
            return None
        raise meaning from None
