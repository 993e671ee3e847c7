"""What ``mailbridge connect`` says and waits for: two consents, a site where there are several, and the backlog.

A consent may be finished by the running service, by this command's own web server, or by the address that a person
pastes; all three end in the same row, which is what is waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from bridge.cli.terminal import Terminal
from bridge.daemon.opening import Opened
from bridge.errors import BridgeError, ConsentFailed, Provider, RemoteError
from bridge.gmail import Gmail, build_service
from bridge.oauth.backlog import BacklogChoice, answer_backlog, count_labelled
from bridge.oauth.consent import Begun, Outcome
from bridge.store import accounts, grants, mailboxes
from bridge.store.tables import GrantState, Mailbox
from bridge.sync import held
from bridge.web.app import Web, make_app
from bridge.web.serve import WebServer

_STEP_SECONDS = 0.5
_ASKED_SECONDS = 600.0
_CHOICES: tuple[BacklogChoice, ...] = ("publish", "new", "ignore")


@dataclass(frozen=True, slots=True)
class Connecting:
    """One run of the command.

    Args:
        opened: the installation.
        address: whose accounts are connected.
        terminal: what its person types.
        say: prints a line; ``nl=False`` leaves it open.
        again: also connect what is connected already.
    """

    opened: Opened
    address: str
    terminal: Terminal
    say: Callable[..., None]
    again: bool = False

    def run(self) -> bool:
        """Connect both; return whether both are.

        Raises:
            BridgeError: nothing could be begun, or nobody answered.
        """
        done = "" if self.again else self._already("google")
        if not done:
            begun = self.opened.consents.begin("google", self.address)
            self.say(f"Step 1 of 2: Gmail. Open this as {self.address}:  {begun.url}")
            self.say(
                '  Google will say "View your email messages and settings". '
                "It has no narrower permission; only labelled threads are opened."
            )
            outcome = self._ended("google", begun)
            if outcome.state != "connected":
                return self._refused(outcome)
            done = outcome.sentence
        there = "" if self.again else self._already("atlassian")
        if not there:
            begun = self.opened.consents.begin("atlassian", self.address)
            self.say(f"{done} Step 2 of 2: Confluence. Open:  {begun.url}")
            outcome = self._ended("atlassian", begun)
            if outcome.state != "connected":
                return self._refused(outcome)
            done = outcome.sentence
        else:
            done = f"{done} {there}"
        self._backlog(done)
        return True

    def _already(self, provider: Provider) -> str:
        """Say that a connection stands, '' where it does not."""
        with self.opened.store.read() as session:
            account = accounts.by_address(session, self.address)
            grant = grants.find(session, account.id or 0, provider) if account else None
        if grant is None or grant.state is not GrantState.LIVE:
            return ""
        if provider == "google":
            return f"Gmail of {self.address} is connected already (anew with --again)."
        return f"Confluence is connected already as {grant.name} on {urlsplit(grant.site_url).netloc}."

    def _refused(self, outcome: Outcome) -> bool:
        self.say(outcome.sentence)
        self.say(f"Begin again with: mailbridge connect {self.address}")
        return False

    def _ended(self, provider: Provider, begun: Begun) -> Outcome:
        """Wait until a consent has ended, and have a site chosen on the way."""
        asked = False
        self.say("  Waiting. On another computer? Paste the address your browser ends at:  ", nl=False)
        while True:
            outcome = self.opened.consents.outcome(begun.state)
            if outcome is not None and outcome.state != "choose site":
                self.say("")
                return outcome
            if outcome is not None and not asked:
                self._list_sites(outcome)
                asked = True
            line = self.terminal.line(_STEP_SECONDS)
            if not line:
                continue
            try:
                if outcome is None:
                    self._pasted(provider, begun, line)
                else:
                    self._chosen(begun, outcome, line)
            except ConsentFailed as error:
                self.say(f"  {error}")

    def _pasted(self, provider: Provider, begun: Begun, line: str) -> None:
        answer = {name: values[0] for name, values in parse_qs(urlsplit(line).query).items()}
        if answer.get("state") != begun.state or not (answer.get("code") or answer.get("error")):
            wanted = self.opened.settings.redirect_url(provider)
            raise ConsentFailed(f"That is not the address that this link ends at. It begins with {wanted}?")
        self.opened.consents.finish(provider, begun.state, code=answer.get("code", ""), error=answer.get("error", ""))

    def _list_sites(self, outcome: Outcome) -> None:
        self.say("")
        self.say(outcome.sentence)
        for number, site in enumerate(outcome.choices, start=1):
            self.say(f"  {number}  {site.url}")
        self.say("  Its number:  ", nl=False)

    def _chosen(self, begun: Begun, outcome: Outcome, line: str) -> None:
        if not line.isdecimal() or not 1 <= int(line) <= len(outcome.choices):
            raise ConsentFailed(f"Type a number from 1 to {len(outcome.choices)}.")
        self.opened.consents.choose_site(begun.state, outcome.choices[int(line) - 1].cloud_id)

    def _backlog(self, done: str) -> None:
        """Tell what comes next, and ask about mail that was labelled before, if nobody has answered that yet."""
        box = self._box()
        routes = self.opened.settings.routes
        if not routes:
            self.say(f"{done} There is no route yet: add one to the configuration, then label a thread in Gmail.")
            return
        next_step = f'{done} Now label a thread "{routes[0].label}" in Gmail.'
        try:
            labelled = count_labelled(self._gmail(box), self.opened.settings)
        except RemoteError as error:
            self.say(f"{next_step} How many have a label already could not be seen: {error}")
            return
        if labelled:
            has = "1 thread has" if labelled == 1 else f"{labelled} threads have"
            self.say(f"{next_step} {has} such a label already.")
            self._ask_backlog(box)
            return
        self.say(f"{next_step} 0 threads have it yet.")
        if box.full_pass_at is None and box.backlog == "ask":
            # None is old, so whatever the first pass finds was labelled after this moment.
            answer_backlog(self.opened.oauth, box.account_id, "publish")

    def _ask_backlog(self, box: Mailbox) -> None:
        configured = self.opened.settings.safety.backlog
        if box.backlog != "ask" or configured != "ask":
            return
        self.say(
            "  Publish them, publish only where something new comes, or ignore them? [publish / new / ignore]  ",
            nl=False,
        )
        clock = self.opened.clock
        give_up_at = clock.monotonic() + _ASKED_SECONDS
        while not self.terminal.ended and clock.monotonic() < give_up_at:
            line = (self.terminal.line(_STEP_SECONDS) or "").lower()
            for choice in _CHOICES:
                if line == choice:
                    self._answer(box, choice)
                    self.say(
                        {"publish": "They are published now.", "new": _NEW, "ignore": "They are left alone."}[choice]
                    )
                    return
            if line:
                self.say("  Type publish, new or ignore:  ", nl=False)
        self.say("")
        self.say("They are held until you answer. See them with: mailbridge held")

    def _answer(self, box: Mailbox, choice: BacklogChoice) -> None:
        answer_backlog(self.opened.oauth, box.account_id, choice)
        with self.opened.store.read() as session:
            waiting = [one.id for one in held.held(session) if (one.reason, one.address) == ("backlog", box.address)]
        for item in waiting:
            held.answer(self.opened.store, item, choice, self.opened.clock.now())

    def _box(self) -> Mailbox:
        with self.opened.store.read() as session:
            account = accounts.by_address(session, self.address)
            box = mailboxes.by_account(session, account.id or 0) if account else None
        if box is None:
            raise BridgeError(f"Gmail of {self.address} is not connected. Start again.")
        return box

    def _gmail(self, box: Mailbox) -> Gmail:
        with self.opened.store.read() as session:
            grant = grants.find(session, box.account_id, "google")
        assert grant is not None
        http = self.opened.transports.http()
        tokens = self.opened.tokens.of(grant.id or 0, generation=grant.generation)
        return Gmail(build_service(self.opened.endpoints, http), http, tokens, clock=self.opened.clock)


_NEW = "They are published when something new comes to them."


@contextmanager
def listening(opened: Opened) -> Iterator[None]:
    """Answer the redirects here for as long as this lasts, unless the service does, or this machine cannot."""
    web = Web(consents=opened.consents, store=opened.store, settings=opened.in_force)
    server = WebServer(make_app(web), opened.settings.web.listen)
    try:
        server.start()
    except BridgeError:
        yield
        return
    try:
        yield
    finally:
        server.stop()
