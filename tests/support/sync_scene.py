"""One mailbox with both fake clients and a bridge over them, at one virtual time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from bridge.clock import SeededChance, VirtualClock
from bridge.config import Settings
from bridge.confluence import Confluence
from bridge.gmail import Gmail
from bridge.oauth.seal import Seal, make_key
from bridge.render import HtmlParser
from bridge.store import grants
from bridge.store.engine import Store
from bridge.store.tables import (
    Grant,
    Mailbox,
    Publication,
)
from bridge.sync.context import Bridge
from bridge.sync.outages import Outages
from bridge.sync.writes.perform import Performer

from support.sync import NOW, settings
from support.sync_clients import FakeConfluence, FakeGmail
from support.sync_rows import Row, hire, new_store, rows


def performer(store: Store, clock: VirtualClock, client: FakeConfluence, publication: Publication) -> Performer:
    """Return the performer of a publication, as its own account."""
    return Performer(
        store=store,
        clock=clock,
        client=cast("Confluence", client),
        account_id=publication.account_id,
        publication_id=publication.id or 0,
        installation="inst",
        publication_uid=publication.uid,
        thread_id="t1",
    )


@dataclass
class Scene:
    """Ada's mailbox, both fake clients and a bridge over them, at one virtual time."""

    folder: Path
    store: Store
    settings: Settings
    box: Mailbox
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(NOW))
    gmail: FakeGmail = field(default_factory=FakeGmail)

    def __post_init__(self) -> None:
        self.confluence = FakeConfluence(self.clock)
        self.bridge = Bridge(
            store=self.store,
            clock=self.clock,
            chance=SeededChance(1),
            settings=lambda: self.settings,
            gmail=lambda box, grant: cast("Any", self.gmail),
            confluence=lambda grant: cast("Any", self.confluence),
            parser=HtmlParser(),
            installation="inst",
            spool=self.folder / "spool",
            seal=Seal([make_key()]),
            outages=Outages(self.store, self.clock),
        )

    @property
    def client(self) -> Confluence:
        """Confluence, as the product sees it."""
        return cast("Confluence", self.confluence)

    @property
    def api(self) -> Gmail:
        """Gmail, as the product sees it."""
        return cast("Gmail", self.gmail)

    def grant(self) -> Grant:
        """Return Ada's grant at Atlassian."""
        with self.store.read() as session:
            return grants.of_account(session, self.box.account_id)["atlassian"]

    def rows(self, table: type[Row]) -> list[Row]:
        """Return all rows of a table, oldest first."""
        return rows(self.store, table)


@contextmanager
def scene(folder: Path, chosen: Settings | None = None, **box: Any) -> Iterator[Scene]:
    """Give Ada's mailbox in a store of its own; ``box`` are fields of its row."""
    with new_store(folder) as store:
        made = Scene(folder, store, chosen or settings(), hire(store, **box))
        yield made
        made.bridge.parser.close()
