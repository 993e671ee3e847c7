"""One planned publication of Ada's, published in a scene."""

from __future__ import annotations

from typing import Any

from bridge.config import Route
from bridge.model import Body, Message
from bridge.store import grants
from bridge.store.tables import (
    Event,
    Follow,
    FollowState,
    Publication,
)
from bridge.sync.publish import Publisher

from support.sync import ENG, mail, thread
from support.sync_rows import add_entry, add_follow, add_publication
from support.sync_scene import Scene


def text(number: int = 1, **fields: Any) -> Message:
    return mail(number, bodies=(Body("text", f"Text of mail {number}.", ""),), **fields)


class Desk:
    """One planned publication with an entry for each mail."""

    def __init__(self, made: Scene, *messages: Message, route: Route = ENG, **publication: Any) -> None:
        self.made, self.route, self.messages = made, route, messages or (text(1), text(2))
        self.publication = add_publication(made.store, made.box, kind=route.publish_as, **publication)
        self.follow = add_follow(made.store, made.box, publication_id=self.publication.id)
        for ordinal, message in enumerate(self.messages):
            add_entry(
                made.store, self.publication, made.box, message, ordinal=ordinal,
                kind="body" if ordinal == 0 else "comment",
            )  # fmt: skip

    def publish(self, *messages: Message, box: Any = None) -> Any:
        made = self.made
        acting = box or made.box
        with made.store.read() as session:
            grant = grants.of_account(session, acting.account_id)["atlassian"]
        publisher = Publisher(made.bridge, made.settings, acting, grant, made.api, made.client)
        return publisher.publish(self.publication.id or 0, self.route, thread(*(messages or self.messages)))

    @property
    def row(self) -> Publication:
        return self.made.rows(Publication)[0]

    @property
    def state(self) -> tuple[FollowState, str]:
        follow = self.made.rows(Follow)[0]
        return follow.state, follow.reason

    def events(self) -> list[tuple[str, str]]:
        return [(one.what, one.outcome) for one in self.made.rows(Event)]
