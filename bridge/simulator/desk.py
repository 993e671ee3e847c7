"""What people and the operator do with the product itself: connect, disconnect, answer, pause, edit the configuration.

Each is a short process of its own, as the web page's request or a command is. It runs between the steps of the
daemons and is never killed.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sqlmodel import Session, col, select

from bridge.config import Settings
from bridge.daemon.report import Report, report
from bridge.daemon.wiring import make_bridge
from bridge.errors import BridgeError, Provider
from bridge.oauth.backlog import BacklogChoice, answer_backlog
from bridge.simulator.host import Host
from bridge.simulator.machine import Program
from bridge.store import accounts, follows, mailboxes, meta
from bridge.store.tables import Grant, GrantState
from bridge.sync import orders
from bridge.sync.held import Held, answer, held
from bridge.sync.republish import look_at, republish


class Desk(Program):
    """Everything that is done from a browser or a terminal."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "desk")
        self.open()

    @property
    def settings(self) -> Settings:
        """The configuration as it stands in the file."""
        return self.host.settings

    def edit(self, **parts: Any) -> None:
        """Edit the configuration: whole sections of ``Settings``, or ``routes``."""
        self.host.settings = replace(self.host.settings, **parts)
        self.host.stir()

    def connect(self, address: str, provider: Provider) -> bool:
        """Let a person connect one of their accounts with a click of Allow; return whether it ended well."""
        world = self.host.world
        approve = world.google.oauth.approve if provider == "google" else world.atlassian.approve
        try:
            begun = self.consents().begin(provider, address)
            back = parse_qs(urlsplit(approve(begun.url, address)).query)
            outcome = self.consents().finish(provider, back["state"][0], code=back["code"][0])
        except BridgeError:
            return False
        self.host.stir()
        return outcome.state == "connected"

    def answer_backlog(self, address: str, choice: BacklogChoice) -> bool:
        """Answer what is to become of mail that was labelled before; return False where there is no mailbox yet."""
        with self.opened.store.read() as session:
            account = accounts.by_address(session, address)
        if account is None:
            return False
        try:
            answer_backlog(self.opened.oauth, account.id or 0, choice)
        except BridgeError:
            return False
        self.host.stir()
        return True

    def held(self) -> list[Held]:
        """Return every open question."""
        with self.opened.store.read() as session:
            return held(session)

    def answer(self, item_id: str, choice: str) -> bool:
        """Answer an open question; return False where it is open no more."""
        try:
            answer(self.opened.store, item_id, choice, self.host.clock.now())
        except BridgeError:
            return False
        self.host.stir()
        return True

    def publish_anew(self, address: str, thread_id: str) -> bool:
        """Begin ``mailbridge republish`` of a thread; return False where nothing of it was published yet.

        It asks Confluence as its person, in a process of its own, while the daemons go on.
        """
        with self.opened.store.read() as session:
            account = accounts.by_address(session, address)
            box = mailboxes.by_account(session, account.id or 0) if account is not None else None
            listed = follows.of_thread(session, box.id or 0, thread_id) if box is not None else []
        named = next((follow.id for follow in listed if follow.publication_id is not None), None)
        if named is None:
            return False
        self.host.scheduler.start("desk republish", partial(self._publish_anew, named), group=self.name)
        return True

    def _publish_anew(self, follow_id: int) -> None:
        opened, spool = self.opened, self.host.disk.folder / "desk"
        with suppress(BridgeError), make_bridge(opened.oauth, self.tokens(), spool) as bridge:
            look_at(bridge, follow_id)
            republish(opened.store, follow_id, self.host.clock.now())
        self.host.stir()

    def pause(self, address: str, paused: bool) -> None:
        """Pause a person, or let them go on."""
        now, who = self.host.clock.now(), "operator"
        with self.opened.store.write() as session:
            if accounts.by_address(session, address) is None:
                return
            scope = orders.scope_of(session, self.settings, everything=False, route="", address=address)
            if paused:
                orders.pause(session, scope, now, who=who)
            else:
                orders.resume(session, scope, now, who=who)
        self.host.stir()

    def look_now(self, address: str) -> None:
        """Make a person's mailbox due at once."""
        with self.opened.store.write() as session:
            account = accounts.by_address(session, address)
            box = mailboxes.by_account(session, account.id or 0) if account is not None else None
            if box is not None:
                mailboxes.due_now(session, box.id or 0, self.host.clock.now())
        self.host.stir()

    def ended(self) -> list[tuple[str, Provider]]:
        """Return whose connections need their person, and at which provider."""
        query = select(Grant).where(col(Grant.state) != GrantState.LIVE).order_by(col(Grant.id))
        with self.opened.store.read() as session:
            return [(_address(session, grant), _provider(grant)) for grant in session.exec(query)]

    def status(self) -> Report:
        """Return what ``mailbridge status`` would tell."""
        with self.opened.store.write() as session:
            meta.put(session, "daemon.looked", self.host.clock.now().isoformat())
        with self.opened.store.read() as session:
            return report(session, self.host.clock.now(), subjects=True)


def _address(session: Session, grant: Grant) -> str:
    return accounts.by_id(session, grant.account_id).address


def _provider(grant: Grant) -> Provider:
    return "google" if grant.provider == "google" else "atlassian"
