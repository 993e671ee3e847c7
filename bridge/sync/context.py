"""What a sync works with, handed down as one value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bridge.clock import Chance, Clock
from bridge.config import Settings
from bridge.confluence import Confluence
from bridge.gmail import Gmail
from bridge.oauth.seal import Seal
from bridge.render import HtmlParser
from bridge.store.engine import Store
from bridge.store.tables import Grant, Mailbox
from bridge.sync.outages import Outages


@dataclass(frozen=True, slots=True)
class Bridge:
    """Everything outside of a sync that it needs.

    Args:
        settings: gives the settings in force now; a pass asks once a thread, so that an edit applies between threads.
        gmail: opens the Gmail client of a mailbox with its person's Google grant, for the calling thread (its
            connection is that thread's own).
        confluence: opens the Confluence client of a person's Atlassian grant.
        installation: the installation's id, from which markers and write keys are derived.
        spool: a private folder for attachments under way.
        seal: keeps what is kept of mail secret.
        outages: knows whether the providers answer.
        ending: says whether a pass is to end at its next good place; what is left stays queued.
    """

    store: Store
    clock: Clock
    chance: Chance
    settings: Callable[[], Settings]
    gmail: Callable[[Mailbox, Grant], Gmail]
    confluence: Callable[[Grant], Confluence]
    parser: HtmlParser
    installation: str
    spool: Path
    seal: Seal
    outages: Outages
    ending: Callable[[], bool] = lambda: False
