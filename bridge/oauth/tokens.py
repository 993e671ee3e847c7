"""A live access token whenever one is asked for, with one refresh at a time for a grant in all processes.

A refresh happens under the grant's lease. Under it the row is read again, since another process may have refreshed in
between; the new pair is committed before anybody uses it. Atlassian changes the refresh token each time and lets the
old one work for ten minutes more, so after a lost answer the old one is sent again. No failure deletes a grant.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.errors import ConfigError, NeedsConsent, OperatorMustAct, Provider, RemoteError, SealError, Temporary
from bridge.oauth.context import OAuth
from bridge.oauth.exchange import TokenPair, ask_token, refresh_form
from bridge.oauth.keeping import open_pair, seal_pair
from bridge.store import accounts, events, grants
from bridge.store.tables import Grant, GrantState

EARLY = timedelta(seconds=60)
"""A token with less time than this left is refreshed before it is used."""

QUIET = timedelta(days=60)
"""A grant that was not refreshed for so long is refreshed unasked: Atlassian ends one after 90 days, Google after six
months."""

_LONGEST_WAIT = 45.0
_STEP = 0.25


@dataclass(frozen=True, slots=True)
class _Held:
    """The pair as it stands in the row, and which generation it is."""

    pair: TokenPair
    generation: int


class GrantTokens:
    """The access token of one grant; fits ``http.TokenSource``. Any thread may call it.

    Args:
        oauth: what it works with.
        grant_id: the row.
        owner: this process's name in leases.
        lock: held by the thread that refreshes.
    """

    def __init__(
        self, oauth: OAuth, grant_id: int, *, owner: str, lock: AbstractContextManager[object] | None = None
    ) -> None:
        self._oauth = oauth
        self._grant_id = grant_id
        self._owner = owner
        self._lock = lock or threading.Lock()
        self._held: _Held | None = None

    def __call__(self, refused: str = "") -> str:
        """Return a live access token; see ``http.TokenSource``.

        Raises:
            NeedsConsent: only the person can mend it.
            OperatorMustAct: the client secret is wrong or missing.
            Temporary: the provider, or another process that refreshes just now; try again later.
        """
        with self._lock:
            if self._held is not None and self._good(self._held, refused):
                return self._held.pair.access
            with self._oauth.store.read() as session:
                row = session.get_one(Grant, self._grant_id)
            self._held = self._opened(row)
            if not self._good(self._held, refused):
                self._held = self._renewed(refused)
            return self._held.pair.access

    def stale(self, token: str) -> bool:
        """Say whether the recorded expiry of this token has passed; one that was replaced has none any more."""
        held = self._held
        return held is None or held.pair.access != token or self._oauth.clock.now() >= held.pair.expires_at

    def at_least(self, generation: int) -> None:
        """Forget the token in memory if the row has newer ones: its person connected again, perhaps elsewhere."""
        with self._lock:
            if self._held is not None and self._held.generation < generation:
                self._held = None

    def _good(self, held: _Held, refused: str) -> bool:
        return held.pair.access != refused and self._oauth.clock.now() < held.pair.expires_at - EARLY

    def _opened(self, row: Grant) -> _Held:
        provider = _provider(row)
        if row.state is not GrantState.LIVE:
            raise NeedsConsent(row.reason or "The connection ended. Connect again.", provider=provider, reason="known")
        with self._oauth.store.read() as session:
            address = accounts.by_id(session, row.account_id).address
        try:
            pair = open_pair(self._oauth, row.sealed, address=address, provider=provider)
        except SealError as error:
            raise OperatorMustAct(str(error), provider=provider) from error
        return _Held(pair, row.generation)

    def _renewed(self, refused: str) -> _Held:
        """Refresh under the lease, or take what another process has refreshed meanwhile."""
        clock, never = self._oauth.clock, threading.Event()
        give_up_at = clock.monotonic() + _LONGEST_WAIT
        while True:
            mine, row = self._lease()
            try:
                held = self._opened(row)
                if self._good(held, refused):
                    return held
                if mine:
                    renewed, mine = self._refresh(row, held), False  # what keeps new tokens gives the lease back
                    return renewed
            finally:
                if mine:
                    self._release()
            if clock.monotonic() >= give_up_at:
                raise Temporary(
                    "Another process renews this connection; it is tried again later.", provider=_provider(row)
                )
            clock.wait(never, _STEP)

    def _lease(self) -> tuple[bool, Grant]:
        """Try to take the lease; return whether it was got, and the row as it stands after that."""
        now = self._oauth.clock.now()
        with self._oauth.store.read() as session:
            row = session.get_one(Grant, self._grant_id)
        if row.refresh_owner != self._owner and not grants.free(row, now):
            return False, row
        with self._oauth.store.write() as session:
            mine = grants.lease(session, self._grant_id, owner=self._owner, now=now)
            return mine, session.get_one(Grant, self._grant_id)

    def _release(self) -> None:
        with self._oauth.store.write() as session:
            grants.release(session, self._grant_id, owner=self._owner)

    def _refresh(self, row: Grant, held: _Held) -> _Held:
        try:
            pair = self._ask(_provider(row), held.pair)
        except NeedsConsent as error:
            newer = self._ended(row, error)
            if newer is not None:
                return newer
            raise
        return self._committed(row, held, pair)

    def _ask(self, provider: Provider, old: TokenPair) -> TokenPair:
        """Send the refresh; once more with the same token where its answer was lost."""
        oauth = self._oauth
        try:
            form = refresh_form(oauth.client(provider), old.refresh)
            endpoint = oauth.token_endpoint(provider)
            try:
                found = ask_token(oauth.transports, endpoint, form, provider=provider, clock=oauth.clock)
            except Temporary as error:
                if not error.maybe_applied:
                    raise
                found = ask_token(oauth.transports, endpoint, form, provider=provider, clock=oauth.clock)
        except ConfigError as error:
            raise OperatorMustAct(str(error), provider=provider) from error
        return replace(found, refresh=found.refresh or old.refresh, scopes=found.scopes or old.scopes)

    def _committed(self, row: Grant, held: _Held, pair: TokenPair) -> _Held:
        """Commit the new pair before it is used; a consent that came meanwhile has a better one."""
        oauth, provider = self._oauth, _provider(row)
        with oauth.store.write() as session:
            address = accounts.by_id(session, row.account_id).address
            kept = grants.renewed(
                session,
                self._grant_id,
                generation=held.generation,
                sealed=seal_pair(oauth, pair, address=address, provider=provider),
                expires_at=pair.expires_at,
                scopes=" ".join(sorted(pair.scopes)),
                now=oauth.clock.now(),
            )
        return _Held(pair, held.generation + 1) if kept else self._reread()

    def _ended(self, row: Grant, error: NeedsConsent) -> _Held | None:
        """Write down that the person must connect again, unless they just did: then return their new tokens."""
        now = self._oauth.clock.now()
        with self._oauth.store.write() as session:
            marked = grants.needs_consent(session, self._grant_id, str(error), now, generation=row.generation)
            if marked:
                events.tell(
                    session,
                    now,
                    "connection ended",
                    account_id=row.account_id,
                    cause=error.reason,
                    outcome=row.provider,
                )
        return None if marked else self._reread()

    def _reread(self) -> _Held:
        with self._oauth.store.read() as session:
            row = session.get_one(Grant, self._grant_id)
        return self._opened(row)


class Tokens:
    """The token sources of all grants, one for each in a process, so that threads share a token and its refresh.

    ``make_lock`` makes what a thread holds over its refresh; a simulation, in which waiting for it must not stop the
    thread that has it, gives its own.
    """

    def __init__(
        self, oauth: OAuth, *, make_lock: Callable[[], AbstractContextManager[object]] = threading.Lock
    ) -> None:
        self._oauth = oauth
        self._make_lock = make_lock
        self._owner = oauth.chance.token(8)
        self._lock = threading.Lock()
        self._sources: dict[int, GrantTokens] = {}

    def of(self, grant_id: int, *, generation: int = 0) -> GrantTokens:
        """Return the source of a grant.

        Args:
            grant_id: the row.
            generation: of the row that the caller has just read; 0 where it has not, then it is read here. A token in
                memory that is older is forgotten: a person who connected again may have allowed more.
        """
        if not generation:
            with self._oauth.store.read() as session:
                generation = session.get_one(Grant, grant_id).generation
        with self._lock:
            source = self._sources.get(grant_id)
            if source is None:
                source = GrantTokens(self._oauth, grant_id, owner=self._owner, lock=self._make_lock())
                self._sources[grant_id] = source
        source.at_least(generation)
        return source

    def refresh_quiet(self, now: datetime) -> dict[int, RemoteError]:
        """Refresh the grants that nobody used for 60 days, before they end by that; return what failed, by grant.

        Made to be called often (every few minutes): an answer that was lost is asked for again while the old refresh
        token still works.
        """
        with self._oauth.store.read() as session:
            quiet = [(grant.id or 0, grant.generation) for grant in grants.quiet(session, now - QUIET)]
        failed: dict[int, RemoteError] = {}
        for grant_id, generation in quiet:
            try:
                self.of(grant_id, generation=generation)()
            except RemoteError as error:
                failed[grant_id] = error
        return failed


def _provider(row: Grant) -> Provider:
    return "google" if row.provider == "google" else "atlassian"
