"""Mail that was labelled before its person connected: how much there is, and what they want of it."""

from __future__ import annotations

from typing import Literal, get_args

from bridge.config import Settings
from bridge.config.names import label_key
from bridge.errors import BridgeError
from bridge.gmail import Gmail
from bridge.oauth.context import OAuth
from bridge.store import accounts, events, mailboxes

BacklogChoice = Literal["publish", "new", "ignore"]
"""Publish it; publish a thread of it only when something new comes; leave it alone."""


def count_labelled(gmail: Gmail, settings: Settings) -> int:
    """Return how many threads carry a label of a route already; reads no mail.

    Raises:
        errors.RemoteError: Gmail failed.
    """
    wanted = {route.label_key for route in settings.routes}
    found: set[str] = set()
    for label in gmail.labels():
        if label_key(label.name) in wanted:
            found.update(thread_id for thread_id, _ in gmail.threads_with_label(label.id))
    return len(found)


def answer_backlog(oauth: OAuth, account_id: int, choice: BacklogChoice) -> None:
    """Keep a person's answer for the first full pass of their mailbox, and let that begin.

    Where the pass was made before the answer came, its threads are held and answered as such.

    Raises:
        BridgeError: the choice is none, or there is no mailbox.
    """
    if choice not in get_args(BacklogChoice):
        raise BridgeError(f'"{choice}" is no answer to this. Use "publish", "new" or "ignore".')
    now = oauth.clock.now()
    with oauth.store.write() as session:
        box = mailboxes.by_account(session, account_id)
        if box is None or box.id is None:
            raise BridgeError(f"{accounts.by_id(session, account_id).address} has not connected Gmail yet.")
        box.backlog = choice
        session.flush()
        mailboxes.due_now(session, box.id, now)
        events.tell(session, now, "answered", account_id=account_id, cause="backlog", outcome=choice)
