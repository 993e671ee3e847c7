"""``mailbridge adopt``: searches every place of the routes for what is ours, after a database was lost.

It may run beside the service or without it. What is found is kept as marks; each thread takes what is its own when it
is looked at, so nothing is published before its person's mailbox has been read and their questions are answered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlmodel import Session, col, select

from bridge.config import Route
from bridge.confluence import Confluence
from bridge.errors import NeedsConsent, OperatorMustAct, RemoteError
from bridge.store import accounts, epoch, events, grants
from bridge.store.epoch import Epoch
from bridge.store.tables import Grant, GrantState, Mark
from bridge.sync.adopt_search import Ground, Searcher
from bridge.sync.context import Bridge
from bridge.sync.places import place
from bridge.sync.probe import probed
from bridge.sync.situation import NoPlace

ORDERED = "adopt ordered"
"""The event of the order."""


@dataclass(frozen=True, slots=True)
class Looked:
    """One place that was searched as one person; ``problem`` says why not and what to do, '' where all was read."""

    place: str
    person: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search of all places found.

    Args:
        pages: pages and blog posts of ours.
        comments: comments of ours.
        threads: how many mail threads these are: each page or post, and each comment that is one.
        new: how many of them were not known from an earlier search.
        looked: what was searched as whom.
    """

    pages: int
    comments: int
    threads: int
    new: int
    looked: tuple[Looked, ...] = field(default=())

    @property
    def read(self) -> frozenset[str]:
        """The places that somebody could read."""
        return frozenset(one.place for one in self.looked if not one.problem)

    @property
    def unread(self) -> tuple[str, ...]:
        """The places that nobody who is connected could read."""
        return tuple(dict.fromkeys(one.place for one in self.looked if one.place not in self.read))


def adopt(bridge: Bridge, progress: Callable[[str, str], None], *, who: str) -> Found:
    """Search every place of the routes as everybody who is connected; what one sees another may not.

    From then on every thread takes what is found for its own before anything is written for it. A search that is
    repeated finds nothing new and changes nothing.

    Args:
        bridge: the installation.
        progress: told of each place and person before it is searched.
        who: gives the order, for the record.
    """
    settings, now = bridge.settings(), bridge.clock.now()
    with bridge.store.write() as session:
        known = epoch.order(session, now, bridge.chance)
        living = [grant for grant in grants.everyone(session) if _usable(grant)]
        people = {grant.account_id: accounts.by_id(session, grant.account_id).address for grant in living}
        events.tell(session, now, ORDERED, cause=who)
    looked: list[Looked] = []
    new = 0
    for grant in sorted(living, key=lambda one: one.account_id):
        searching = _Searching(bridge, grant, people[grant.account_id], known)
        new += searching.everywhere(settings.routes, looked, progress)
    with bridge.store.read() as session:
        return _found(session, new, looked)


@dataclass(frozen=True, slots=True)
class _Searching:
    """Searches as one person."""

    bridge: Bridge
    grant: Grant
    person: str
    known: Epoch

    def everywhere(self, routes: Sequence[Route], looked: list[Looked], progress: Callable[[str, str], None]) -> int:
        """Search the places of all routes, each once; say in ``looked`` how it went, and return how many are new."""
        client, done, new = self.bridge.confluence(self.grant), set[Ground](), 0
        searcher = Searcher(self.bridge, client, self.grant.account_id, self.known)
        for route in routes:
            try:
                ground = self._ground(client, route)
                if isinstance(ground, NoPlace):
                    looked.append(Looked(_words(route), self.person, ground.detail))
                    continue
                if ground not in done:
                    progress(_words(route), self.person)
                    done.add(ground)
                    new += searcher.search(ground)
                looked.append(Looked(_words(route), self.person))
            except RemoteError as error:
                meaning = probed(error, client)
                looked.append(Looked(_words(route), self.person, str(meaning)))
                if isinstance(meaning, (NeedsConsent, OperatorMustAct)):
                    break
        return new

    def _ground(self, client: Confluence, route: Route) -> Ground | NoPlace:
        found = place(self.bridge, self.grant, client, route)
        if isinstance(found, NoPlace):
            return found
        if client.space(route.space) is None:
            # It is known from somebody who sees it; to others its lists are empty, and no error.
            return NoPlace(f'Space "{route.space}" is not shown to them. Ask its admin for access.')
        return Ground(found.cloud_id, found.space_id, found.kind, found.container if found.kind == "comment" else "")


def _usable(grant: Grant) -> bool:
    return grant.provider == "atlassian" and grant.state is GrantState.LIVE


def _words(route: Route) -> str:
    """Return a place's name for people."""
    if route.publish_as == "comment":
        return f"comments on page {route.page or route.page_id} in space {route.space}"
    return f"{'blog posts' if route.publish_as == 'blogpost' else 'pages'} in space {route.space}"


def _found(session: Session, new: int, looked: Sequence[Looked]) -> Found:
    marks = list(session.exec(select(Mark).order_by(col(Mark.id))))
    own = {mark.content_id for mark in marks if mark.kind != "comment"}
    comments = [mark for mark in marks if mark.kind == "comment"]
    alone = sum(mark.page_id not in own and not mark.parent_id for mark in comments)
    return Found(len(own), len(comments), len(own) + alone, new, tuple(looked))
