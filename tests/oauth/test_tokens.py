from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, update

from bridge.errors import ConfigError, NeedsConsent, OperatorMustAct, Provider, RateLimited, RemoteError, Temporary
from bridge.oauth.keeping import open_pair
from bridge.oauth.tokens import Tokens
from bridge.store import events, grants
from bridge.store.tables import Grant, GrantState

from support.consents import ADA, BEN, START, Office, refusal

BOTH: list[Provider] = ["google", "atlassian"]


@pytest.fixture
def office(office: Office) -> Office:
    office.connect(ADA)
    return office


def source(office: Office, provider: Provider, tokens: Tokens | None = None) -> Any:
    return (tokens or office.opened.tokens).of(office.grant(provider).id or 0)


def refresh_token(office: Office, provider: Provider) -> str:
    row = office.grant(provider)
    return open_pair(office.opened.oauth, row.sealed, address=ADA, provider=provider).refresh


def counting(office: Office, provider: Provider) -> Callable[[], int]:
    mark = office.world.core.journal.mark()
    return lambda: office.posts(f"{provider}.oauth.token", mark)


@pytest.mark.parametrize("provider", BOTH)
def test_a_token_serves_until_a_minute_before_its_end(office: Office, provider: Provider) -> None:
    posts, get = counting(office, provider), source(office, provider)
    first = get()
    lifetime = (office.grant(provider).expires_at or START) - START
    office.clock.advance(lifetime.total_seconds() - 61)
    assert get() == first
    assert posts() == 0
    office.clock.advance(1)
    assert get() != first
    assert posts() == 1
    row = office.grant(provider)
    assert (row.generation, row.refresh_owner, row.refresh_until) == (2, "", None)
    assert row.refreshed_at == office.clock.now()


@pytest.mark.parametrize("provider", BOTH)
def test_a_refused_token_is_refreshed_once(office: Office, provider: Provider) -> None:
    posts, get = counting(office, provider), source(office, provider)
    first = get()
    second = get(refused=first)
    assert second != first
    assert get(refused=first) == second
    assert get() == second
    assert posts() == 1


def test_what_is_stale(office: Office) -> None:
    get = source(office, "google")
    assert get.stale("anything")
    token = get()
    assert not get.stale(token)
    assert get.stale("another")
    office.clock.advance(3599)
    assert get.stale(token)


@pytest.mark.parametrize("provider", BOTH)
def test_many_threads_cause_one_refresh(office: Office, provider: Provider) -> None:
    posts = counting(office, provider)
    office.clock.advance(4000)
    barrier = threading.Barrier(8)

    def ask(number: int) -> str:
        barrier.wait(10)
        return str(source(office, provider)())

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(ask, range(8)))
    assert len(found) == 1
    assert posts() == 1
    assert office.grant(provider).generation == 2


@pytest.mark.scenario("A42")
@pytest.mark.parametrize("provider", BOTH)
def test_two_processes_cause_one_refresh(office: Office, provider: Provider) -> None:
    posts = counting(office, provider)
    office.clock.pause = 0.02
    processes = [office.install(seed=number).tokens for number in (21, 22, 23)]
    office.clock.advance(4000)
    barrier = threading.Barrier(3)

    def ask(tokens: Tokens) -> str:
        get = source(office, provider, tokens)
        barrier.wait(10)
        return str(get())

    with ThreadPoolExecutor(3) as pool:
        found = set(pool.map(ask, processes))
    assert len(found) == 1
    assert posts() == 1


def test_another_process_has_refreshed_in_between(office: Office) -> None:
    posts = counting(office, "atlassian")
    mine, other = source(office, "atlassian"), source(office, "atlassian", office.install(seed=5).tokens)
    old = mine()
    new = other(refused=old)
    assert mine(refused=old) == new
    assert posts() == 1


def test_while_another_process_refreshes_one_waits_then_gives_up(office: Office) -> None:
    office.clock.advance(4000)
    grant_id = office.grant("atlassian").id or 0
    with office.store.write() as session:
        assert grants.lease(session, grant_id, owner="another", now=office.clock.now())
    posts, began = counting(office, "atlassian"), office.clock.monotonic()
    with pytest.raises(Temporary, match="Another process renews"):
        source(office, "atlassian")()
    assert posts() == 0
    assert 45 <= office.clock.monotonic() - began < 46
    # The other one never comes back: its lease runs out.
    office.clock.advance(60)
    source(office, "atlassian")()
    assert posts() == 1


def test_a_restart_goes_on_with_the_stored_token(office: Office) -> None:
    token = source(office, "atlassian")()
    posts = counting(office, "atlassian")
    assert source(office, "atlassian", office.install(seed=5).tokens)() == token
    assert posts() == 0


def test_atlassian_changes_the_refresh_token_and_the_new_one_is_kept(office: Office) -> None:
    first = refresh_token(office, "atlassian")
    seen = {first}
    for _ in range(3):
        office.clock.advance(4000)
        source(office, "atlassian")()
        seen.add(refresh_token(office, "atlassian"))
    assert len(seen) == 4


def test_google_keeps_its_refresh_token(office: Office) -> None:
    first = refresh_token(office, "google")
    office.clock.advance(4000)
    source(office, "google")()
    assert refresh_token(office, "google") == first


@pytest.mark.scenario("A42")
@pytest.mark.parametrize("kind", ["drop-before", "drop-after"])
def test_a_lost_answer_is_asked_for_again_with_the_old_token(office: Office, kind: Any) -> None:
    office.clock.advance(4000)
    rule = office.strike("atlassian.oauth.token", kind)
    posts = counting(office, "atlassian")
    source(office, "atlassian")()
    assert (rule.struck, posts()) == (1, 2)
    row = office.grant("atlassian")
    assert (row.state, row.generation) == (GrantState.LIVE, 2)
    # What was kept is the pair of the second answer: it works on.
    office.clock.advance(4000)
    source(office, "atlassian")()
    assert office.grant("atlassian").generation == 3


@pytest.mark.scenario("A42")
def test_lost_answers_in_a_row_keep_the_grant_and_the_old_token_works_for_ten_minutes(office: Office) -> None:
    office.clock.advance(4000)
    office.strike("atlassian.oauth.token", "drop-after", times=2)
    with pytest.raises(Temporary) as lost:
        source(office, "atlassian")()
    assert lost.value.maybe_applied
    row = office.grant("atlassian")
    assert (row.state, row.generation, row.refresh_owner) == (GrantState.LIVE, 1, "")
    office.clock.advance(9 * 60)
    source(office, "atlassian")()
    assert office.grant("atlassian").state is GrantState.LIVE


def test_a_process_that_dies_between_answer_and_commit(office: Office) -> None:
    office.clock.advance(4000)
    dying = office.install(seed=5)
    row = office.grant("atlassian")
    with office.store.write() as session:
        grants.lease(session, row.id or 0, owner="dying", now=office.clock.now())
    pair = open_pair(dying.oauth, row.sealed, address=ADA, provider="atlassian")
    source(office, "atlassian", dying.tokens)._ask("atlassian", pair)
    office.clock.advance(91)
    source(office, "atlassian", office.install(seed=6).tokens)()
    assert (office.grant("atlassian").state, office.grant("atlassian").generation) == (GrantState.LIVE, 2)


CONSENT = [
    ("google", 400, {"error": "invalid_grant"}, "Google ended the connection. Connect Gmail again."),
    ("google", 400, {"error": "invalid_grant", "error_subtype": "invalid_rapt"}, "The company's Google settings"),
    ("google", 401, {"error": "unauthorized_client"}, "Google ended the connection."),
    ("atlassian", 403, {"error": "unauthorized_client"}, "Atlassian ended the connection. Connect Confluence again."),
    ("atlassian", 403, {"error": "invalid_grant"}, "Atlassian ended the connection."),
]


@pytest.mark.parametrize(("provider", "status", "body", "said"), CONSENT)
def test_only_the_person_can_mend_it(
    office: Office, provider: Provider, status: int, body: dict[str, str], said: str
) -> None:
    office.clock.advance(4000)
    office.strike(f"{provider}.oauth.token", "answer", refusal(status, **body))
    posts, get = counting(office, provider), source(office, provider)
    with pytest.raises(NeedsConsent) as first:
        get()
    assert str(first.value).startswith(said)
    row = office.grant(provider)
    assert (row.state, row.generation, row.refresh_owner) == (GrantState.NEEDS_CONSENT, 1, "")
    assert row.reason == str(first.value)
    assert row.sealed
    with office.store.read() as session:
        [told] = [event for event in events.after(session, 0) if event.what == "connection ended"]
    assert told.outcome == provider
    with pytest.raises(NeedsConsent, match=r"ended the connection|The company's"):
        get()
    assert posts() == 1


@pytest.mark.parametrize(
    ("provider", "status", "body"),
    [("google", 401, {"error": "invalid_client"}), ("atlassian", 401, {"error": "access_denied"})],
)
def test_the_operators_secret_is_wrong(office: Office, provider: Provider, status: int, body: dict[str, str]) -> None:
    office.clock.advance(4000)
    office.secrets[provider] = "wrong"
    with pytest.raises(OperatorMustAct):
        source(office, provider)()
    row = office.grant(provider)
    assert (row.state, row.generation, row.refresh_owner) == (GrantState.LIVE, 1, "")
    # The file was mended; nothing is remembered of the wrong one.
    office.secrets[provider] = "sandbox-secret"
    source(office, provider)()
    assert office.grant(provider).generation == 2


def test_a_missing_secret_is_the_operators_too(office: Office) -> None:
    def missing(provider: Provider) -> str:
        raise ConfigError("No google_client_secret is known.")

    office.clock.advance(4000)
    object.__setattr__(office.opened.oauth, "secret", missing)
    with pytest.raises(OperatorMustAct, match="No google_client_secret is known"):
        source(office, "google")()
    assert office.grant("google").refresh_owner == ""


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, {"error": "invalid_grant"}, Temporary),
        (503, {"error": ""}, Temporary),
        (429, {"error": ""}, RateLimited),
        (403, {"error": "something_new"}, Temporary),
        (200, {"error": ""}, Temporary),
    ],
)
def test_what_passes_by_itself_keeps_everything(
    office: Office, provider: Provider, status: int, body: dict[str, str], kind: type[RemoteError]
) -> None:
    office.clock.advance(4000)
    before = office.grant(provider)
    rule = office.strike(f"{provider}.oauth.token", "answer", refusal(status, **body), times=2)
    with pytest.raises(kind):
        source(office, provider)()
    after = office.grant(provider)
    assert (after.sealed, after.state, after.generation) == (before.sealed, GrantState.LIVE, 1)
    assert after.refresh_owner == ""
    rule.times = 0
    source(office, provider)()
    assert office.grant(provider).generation == 2


@pytest.mark.parametrize("how", ["revoked", "password", "atlassian"])
def test_the_ways_in_which_grants_really_die(office: Office, how: str) -> None:
    office.clock.advance(4000)
    provider: Provider = "atlassian" if how == "atlassian" else "google"
    if how == "revoked":
        office.world.google.oauth.grants.revoke_grant(ADA)
    elif how == "password":
        office.world.google.oauth.grants.change_password(ADA)
    else:
        office.world.atlassian.revoke(ADA)
    with pytest.raises(NeedsConsent):
        source(office, provider)()
    if how == "atlassian":
        office.world.atlassian.oauth.grants.clear()
    assert office.consent(provider, ADA).state == "connected"
    assert source(office, provider)()
    assert office.grant(provider).state is GrantState.LIVE


@pytest.mark.parametrize("answer", ["token", "refusal"])
def test_a_consent_during_a_refresh_wins(office: Office, answer: str) -> None:
    """The person connects again while the old refresh token is under way: neither its end nor its success counts."""
    office.clock.advance(4000)

    class Meanwhile:
        done = False

        def before(self, request: Any, operation: str, person: str) -> Any:
            if operation != "atlassian.oauth.token" or self.done:
                return None
            self.done = True
            assert office.consent("atlassian", ADA).state == "connected"
            return refusal(403, "unauthorized_client") if answer == "refusal" else None

        def after(self, request: Any, operation: str, person: str, response: Any) -> Any:
            return response

    office.world.core.faults.append(Meanwhile())
    token = source(office, "atlassian")()
    row = office.grant("atlassian")
    kept = open_pair(office.opened.oauth, row.sealed, address=ADA, provider="atlassian")
    assert (row.state, row.generation) == (GrantState.LIVE, 2)
    assert token == kept.access


def test_a_token_in_memory_is_forgotten_when_its_person_connected_elsewhere(office: Office) -> None:
    old = source(office, "atlassian")()
    elsewhere = office.opened
    office.opened = office.install(seed=5)
    office.consent("atlassian", ADA)
    row = office.grant("atlassian")
    assert elsewhere.tokens.of(row.id or 0, generation=row.generation)() != old


def test_a_row_copied_to_another_person_does_not_open(office: Office) -> None:
    office.connect(BEN)
    with office.store.write() as session:
        bens = session.get_one(Grant, office.grant("google", BEN).id)
        bens.sealed = office.grant("google", ADA).sealed
    with pytest.raises(OperatorMustAct, match="belongs to somebody else"):
        office.opened.tokens.of(office.grant("google", BEN).id or 0)()


def test_quiet_grants_are_refreshed_in_time(office: Office) -> None:
    office.connect(BEN)
    office.clock.advance(59 * 86400)
    assert office.opened.tokens.refresh_quiet(office.clock.now()) == {}
    assert office.grant("google").generation == 1
    for _ in range(4):
        office.clock.advance(30 * 86400)
        assert office.opened.tokens.refresh_quiet(office.clock.now()) == {}
    for person in (ADA, BEN):
        for provider in BOTH:
            row = office.grant(provider, person)
            assert (row.state, row.generation) == (GrantState.LIVE, 3)


def test_one_quiet_grant_that_fails_does_not_stop_the_others(office: Office) -> None:
    office.connect(BEN)
    office.clock.advance(61 * 86400)
    with office.store.write() as session:
        session.exec(update(Grant).where(col(Grant.provider) == "google").values(refreshed_at=office.clock.now()))
    office.strike("atlassian.oauth.token", "answer", refusal(503, ""), times=2)
    failed = office.opened.tokens.refresh_quiet(office.clock.now())
    assert [type(error) for error in failed.values()] == [Temporary]
    assert sorted(office.grant("atlassian", person).generation for person in (ADA, BEN)) == [1, 2]
    assert office.opened.tokens.refresh_quiet(office.clock.now()) == {}
    assert sorted(office.grant("atlassian", person).generation for person in (ADA, BEN)) == [2, 2]


def test_everything_works_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    office = Office(tmp_path, url=postgres_url)
    office.connect(ADA)
    posts = counting(office, "atlassian")
    office.clock.advance(4000)
    office.clock.pause = 0.02
    processes = [office.install(seed=number).tokens for number in (21, 22)]
    try:
        with ThreadPoolExecutor(2) as pool:
            found = set(pool.map(lambda tokens: source(office, "atlassian", tokens)(), processes))
        assert (len(found), posts()) == (1, 1)
        row = office.grant("atlassian")
        assert (row.generation, row.refresh_owner) == (2, "")
        assert (row.expires_at or START) > START + timedelta(seconds=7000)
    finally:
        office.store.close()
