from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from bridge.config import Safety
from bridge.errors import ConsentFailed, Provider
from bridge.oauth import scopes
from bridge.oauth.consent import Outcome
from bridge.store import accounts, events, grants, threads
from bridge.store.tables import Consent, Event, Follow, FollowState, GrantState, Mailbox

from support.consents import ADA, BASE, BEN, START, Office, query, refusal

BOTH: list[Provider] = ["google", "atlassian"]


def rows(office: Office, kind: type[Any]) -> list[Any]:
    with office.store.read() as session:
        return list(session.exec(select(kind)))


def cause(office: Office) -> str:
    told: list[Event] = [event for event in rows(office, Event) if event.what == "not connected"]
    return told[-1].cause


def test_both_consents_make_an_account_two_grants_and_a_mailbox(office: Office) -> None:
    first = office.consent("google", ADA)
    assert first == Outcome("connected", "google", ADA, "Gmail of ada@example.com is connected.")
    second = office.consent("atlassian", ADA)
    assert second == Outcome("connected", "atlassian", ADA, "Connected as Ada Lovelace on 127.0.0.1:1.")
    google, atlassian = office.grant("google"), office.grant("atlassian")
    assert google.subject == office.world.google.gmail.mailbox(ADA).person.sub
    assert set(google.scopes.split()) == set(scopes.GOOGLE)
    assert (google.generation, google.state, google.expires_at) == (1, GrantState.LIVE, START + timedelta(seconds=3599))
    assert atlassian.subject == office.world.atlassian.person(ADA).account_id
    assert (atlassian.cloud_id, atlassian.site_url) == (office.world.atlassian.site.cloud_id, BASE)
    assert set(atlassian.scopes.split()) == set(scopes.atlassian(office.chosen))
    with office.store.read() as session:
        account = accounts.by_address(session, ADA)
        assert account is not None
        assert account.name == "Ada Lovelace"
        assert [event.outcome for event in events.after(session, 0)] == ["google", "atlassian"]
    assert office.box().backlog == "ask"


def test_an_address_is_taken_in_any_case_of_letters(office: Office) -> None:
    begun = office.opened.consents.begin("google", " Ada@Example.COM ")
    assert query(begun.url)["login_hint"] == ADA
    answer = office.approve("google", begun, ADA)
    assert office.opened.consents.finish("google", answer["state"], code=answer["code"]).address == ADA


def test_what_the_links_ask_for(office: Office) -> None:
    google = query(office.opened.consents.begin("google", ADA).url)
    atlassian = query(office.opened.consents.begin("atlassian", ADA).url)
    assert (google["access_type"], google["prompt"], google["include_granted_scopes"]) == (
        "offline",
        "consent",
        "false",
    )
    assert google["scope"].split() == list(scopes.GOOGLE)
    assert (atlassian["audience"], atlassian["prompt"]) == ("api.atlassian.com", "consent")
    assert atlassian["scope"].split() == list(scopes.atlassian(office.chosen))
    assert google["code_challenge_method"] == atlassian["code_challenge_method"] == "S256"
    assert google["redirect_uri"] == "http://localhost:8765/oauth/google"
    assert google["state"] != atlassian["state"]


@pytest.mark.parametrize("address", ["ada@other.example", "ada@example.com.evil.example", "example.com", ""])
def test_an_address_of_another_domain_gets_no_link(office: Office, address: str) -> None:
    with pytest.raises(ConsentFailed, match=r"only addresses that end in @example\.com can"):
        office.opened.consents.begin("google", address)
    assert rows(office, Consent) == []


def test_somebody_else_at_google_is_refused_before_anything_is_kept(office: Office) -> None:
    outcome = office.consent("google", BEN, person=ADA)
    assert outcome == Outcome(
        "failed",
        "google",
        BEN,
        "You signed in as ada@example.com, not as ben@example.com. "
        "Nothing was kept. Start again and choose ben@example.com.",
    )
    with office.store.read() as session:
        assert accounts.everyone(session) == []
        assert grants.everyone(session) == []
    assert cause(office) == "WrongAccount"
    # Ada's own grants to the program stand: nothing was revoked.
    assert office.posts("google.oauth.revoke") == 0


@pytest.mark.parametrize("provider", BOTH)
def test_one_person_cannot_be_two_accounts(office: Office, provider: Provider) -> None:
    office.connect(ADA)
    before = office.grant("atlassian")
    if provider == "google":
        # The mailbox got another address, as after a change of name; the person is the same.
        person = office.world.google.gmail.mailbox(ADA).person
        office.world.google.gmail.mailbox(BEN).person = replace(person, address=BEN)
        outcome = office.consent("google", BEN)
    else:
        outcome = office.consent("atlassian", BEN, person=ADA)
    assert outcome.state == "failed"
    assert "is connected here as ada@example.com already. Nothing was kept." in outcome.sentence
    assert not office.has_grant(provider, BEN)
    assert office.grant("atlassian") == before


def test_an_address_that_went_to_another_person_is_refused(office: Office) -> None:
    office.connect(ADA)
    mailbox = office.world.google.gmail.mailbox(ADA)
    mailbox.person = replace(mailbox.person, sub="199999")
    office.world.google.oauth.grants.revoke_grant(ADA)
    outcome = office.consent("google", ADA)
    assert outcome.state == "failed"
    assert "belongs to another person than the one who connected it before" in outcome.sentence
    assert office.grant("google").generation == 1


def test_gmail_unticked(office: Office) -> None:
    outcome = office.consent("google", ADA, scopes=[])
    assert outcome.state == "failed"
    assert outcome.sentence.startswith("Reading mail was not allowed.")
    assert not office.has_grant("google")


def test_a_scope_that_atlassian_did_not_grant_is_named(office: Office) -> None:
    all_but = [scope for scope in scopes.atlassian(office.chosen) if not scope.startswith("write:attachment")]
    outcome = office.consent("atlassian", ADA, scopes=all_but)
    assert outcome.state == "failed"
    assert outcome.sentence.startswith("Atlassian did not grant write:attachment:confluence.")
    assert not office.has_grant("atlassian")


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize(
    ("error", "part"),
    [
        ("access_denied", "it was not allowed at"),
        ("", "it was not allowed at"),
        ("admin_policy_enforced", "An administrator of your company blocks this program."),
        ("<b>odd</b> thing", "refused (boddbthing)"),
    ],
)
def test_a_refusal_at_the_provider(office: Office, provider: Provider, error: str, part: str) -> None:
    begun = office.opened.consents.begin(provider, ADA)
    outcome = office.opened.consents.finish(provider, begun.state, error=error)
    assert outcome.state == "failed"
    assert part in outcome.sentence
    assert office.opened.consents.outcome(begun.state) == outcome
    assert office.posts(f"{provider}.oauth.token") == 0


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize(
    ("status", "error", "part"),
    [
        (400, "invalid_grant", "did not accept the answer: it is too old or used up."),
        (401, "invalid_client", "does not accept this program's client id, secret or redirect URL"),
        (503, "", "gave no token (503)"),
        (429, "", "asks for a pause"),
    ],
)
def test_the_token_endpoint_fails(office: Office, provider: Provider, status: int, error: str, part: str) -> None:
    office.strike(f"{provider}.oauth.token", "answer", refusal(status, error))
    outcome = office.consent(provider, ADA)
    assert outcome.state == "failed"
    assert part in outcome.sentence
    assert not office.has_grant(provider)


@pytest.mark.parametrize(
    ("provider", "operation"),
    [
        ("google", "google.oauth.userinfo"),
        ("google", "gmail.users.getProfile"),
        ("atlassian", "atlassian.oauth.resources"),
        ("atlassian", "getCurrentUser"),
    ],
)
@pytest.mark.parametrize("kind", ["answer", "drop-before", "drop-after"])
def test_a_look_at_who_it_is_fails(office: Office, provider: Provider, operation: str, kind: Any) -> None:
    rule = office.strike(operation, kind, refusal(500, "x"))
    outcome = office.consent(provider, ADA)
    assert rule.struck == 1
    assert outcome.state == "failed"
    assert "tried again later" in outcome.sentence
    assert not office.has_grant(provider)
    assert office.consent(provider, ADA).state == "connected"


def test_a_wrong_client_secret_keeps_what_there_is(office: Office) -> None:
    office.connect(ADA)
    office.secrets["google"] = "wrong"
    outcome = office.consent("google", ADA)
    assert outcome.state == "failed"
    assert "[google]" in outcome.sentence
    assert office.grant("google").state is GrantState.LIVE


def test_an_answer_counts_once(office: Office) -> None:
    begun = office.opened.consents.begin("google", ADA)
    answer = office.approve("google", begun, ADA)
    consents = office.opened.consents
    assert consents.outcome(begun.state) is None
    done = consents.finish("google", begun.state, code=answer["code"])
    assert consents.outcome(begun.state) == done
    with pytest.raises(ConsentFailed, match="answered already"):
        consents.finish("google", begun.state, code=answer["code"])
    assert office.grant("google").generation == 1


def test_a_link_is_good_for_ten_minutes(office: Office) -> None:
    begun = office.opened.consents.begin("google", ADA)
    answer = office.approve("google", begun, ADA)
    office.clock.advance(600)
    with pytest.raises(ConsentFailed, match="older than ten minutes"):
        office.opened.consents.finish("google", begun.state, code=answer["code"])
    with pytest.raises(ConsentFailed, match="Nobody answered within ten minutes"):
        office.opened.consents.outcome(begun.state)


@pytest.mark.parametrize("state", ["", "x" * 43, "\ud800"])
def test_a_state_that_was_never_given_out(office: Office, state: str) -> None:
    with pytest.raises(ConsentFailed, match="not made here"):
        office.opened.consents.finish("google", state, code="c")


def test_a_state_of_the_other_provider(office: Office) -> None:
    begun = office.opened.consents.begin("google", ADA)
    with pytest.raises(ConsentFailed, match="not made here"):
        office.opened.consents.finish("atlassian", begun.state, code="c")


def test_a_link_of_another_browser(office: Office) -> None:
    begun = office.opened.consents.begin("google", ADA, browser="session-of-ada")
    answer = office.approve("google", begun, ADA)
    for browser in ("", "session-of-eve"):
        with pytest.raises(ConsentFailed, match="another browser"):
            office.opened.consents.finish("google", begun.state, code=answer["code"], browser=browser)
    done = office.opened.consents.finish("google", begun.state, code=answer["code"], browser="session-of-ada")
    assert done.state == "connected"


def test_a_code_is_bound_to_its_own_link(office: Office) -> None:
    mine, other = office.opened.consents.begin("google", ADA), office.opened.consents.begin("google", ADA)
    answer = office.approve("google", mine, ADA)
    outcome = office.opened.consents.finish("google", other.state, code=answer["code"])
    assert outcome.state == "failed"
    assert not office.has_grant("google")


def test_of_the_state_only_a_digest_is_kept_and_yesterdays_links_are_cleared(office: Office) -> None:
    begun = office.opened.consents.begin("google", ADA)
    [row] = rows(office, Consent)
    assert row.state_digest == hashlib.sha256(begun.state.encode()).hexdigest()
    office.clock.advance(25 * 3600)
    office.opened.consents.begin("google", BEN)
    assert [row.address for row in rows(office, Consent)] == [BEN]


def several_sites(office: Office) -> tuple[str, str]:
    """Give Ada a second site, and one that nobody may choose; return the two that may be chosen."""
    half = office.world.atlassian
    second = half.add_site("second", url="https://second.atlassian.net")
    third = half.add_site("third", url="https://third.atlassian.net")
    office.world.atlassian.person(ADA).sites += [second.cloud_id, third.cloud_id]
    office.sites(BASE, "https://second.atlassian.net")
    return half.site.cloud_id, second.cloud_id


def test_of_several_sites_one_is_chosen(office: Office) -> None:
    first, second = several_sites(office)
    begun = office.opened.consents.begin("atlassian", ADA)
    answer = office.approve("atlassian", begun, ADA)
    outcome = office.opened.consents.finish("atlassian", begun.state, code=answer["code"])
    assert outcome.state == "choose site"
    assert [choice.cloud_id for choice in outcome.choices] == [first, second]
    assert [choice.url for choice in outcome.choices] == [BASE, "https://second.atlassian.net"]
    assert office.opened.consents.outcome(begun.state) == outcome
    assert not office.has_grant("atlassian")
    [row] = rows(office, Consent)
    assert not [secret for secret in office.secrets_of_the_world() if secret in row.sealed]
    with pytest.raises(ConsentFailed, match="none of those"):
        office.opened.consents.choose_site(begun.state, "another")
    done = office.install(seed=9).consents.choose_site(begun.state, second)
    assert done.sentence == "Connected as Ada Lovelace on second.atlassian.net."
    assert (office.grant("atlassian").cloud_id, office.grant("atlassian").site_url) == (
        second,
        "https://second.atlassian.net",
    )
    with pytest.raises(ConsentFailed, match="nothing to choose"):
        office.opened.consents.choose_site(begun.state, first)
    assert [row.sealed for row in rows(office, Consent)] == [""]


def test_a_choice_waits_for_ten_minutes(office: Office) -> None:
    first, _ = several_sites(office)
    begun = office.opened.consents.begin("atlassian", ADA)
    answer = office.approve("atlassian", begun, ADA)
    office.opened.consents.finish("atlassian", begun.state, code=answer["code"])
    office.clock.advance(600)
    with pytest.raises(ConsentFailed, match="nothing to choose"):
        office.opened.consents.choose_site(begun.state, first)


def test_a_choice_that_fails_is_over(office: Office) -> None:
    first, _ = several_sites(office)
    begun = office.opened.consents.begin("atlassian", ADA)
    answer = office.approve("atlassian", begun, ADA)
    office.opened.consents.finish("atlassian", begun.state, code=answer["code"])
    office.strike("getCurrentUser", "drop-before")
    assert office.opened.consents.choose_site(begun.state, first).state == "failed"
    assert not office.has_grant("atlassian")


def test_a_site_listed_twice_is_one_site(office: Office) -> None:
    office.world.atlassian.switches.duplicate_resources = True
    assert office.consent("atlassian", ADA).state == "connected"


def test_no_site_that_may_be_chosen(office: Office) -> None:
    office.sites("https://example.atlassian.net")
    outcome = office.consent("atlassian", ADA)
    assert outcome.state == "failed"
    assert outcome.sentence == (
        "You chose 127.0.0.1:1; pages go to example.atlassian.net only. Nothing was kept. "
        "Start again and choose example.atlassian.net."
    )
    office.world.atlassian.person(ADA).sites.clear()
    outcome = office.consent("atlassian", ADA)
    assert outcome.sentence.startswith("The Atlassian account that signed in reaches no Confluence site.")
    assert not office.has_grant("atlassian")


def test_connecting_again_replaces_the_tokens_and_wakes_what_waited(office: Office) -> None:
    office.connect(ADA)
    box = office.box()
    assert box.id is not None
    with office.store.write() as session:
        row = session.get_one(Mailbox, box.id)
        row.full_pass_at, row.reason, row.due_at = START, "Gmail must be connected again.", START + timedelta(hours=6)
        grant = grants.find(session, box.account_id, "atlassian")
        assert grant is not None
        grants.needs_consent(session, grant.id or 0, "Atlassian ended the connection.", START, generation=1)
        threads.touch(session, box.id, "t1", history_id=5, due_at=START + timedelta(hours=5))
        for thread_id, state in (("t2", FollowState.NEEDS_SOMEBODY), ("t3", FollowState.FOLLOWING)):
            session.add(
                Follow(
                    mailbox_id=box.id,
                    thread_id=thread_id,
                    route="eng",
                    state=state,
                    since=START,
                    labelled_at=START,
                    not_before=START,
                )
            )
    office.clock.advance(60)
    assert office.consent("atlassian", ADA).state == "connected"
    grant = office.grant("atlassian")
    assert (grant.generation, grant.state, grant.reason) == (2, GrantState.LIVE, "")
    assert grant.state_since == office.clock.now()
    after = office.box()
    assert (after.due_at, after.reason) == (office.clock.now(), "")
    with office.store.read() as session:
        queue = {row.thread_id: (row.due_at, row.history_id) for row in threads.of_mailbox(session, box.id)}
    assert queue == {"t1": (office.clock.now(), 5), "t2": (office.clock.now(), 0)}


def test_a_new_mailbox_waits_for_the_answer_about_its_backlog(office: Office) -> None:
    office.connect(ADA)
    assert office.box().due_at == START + timedelta(minutes=10)


@pytest.mark.parametrize("order", [BOTH, BOTH[::-1]])
def test_where_the_configuration_answers_the_mailbox_is_due_once_both_are_connected(
    office: Office, order: list[Provider]
) -> None:
    office.chosen = replace(office.chosen, safety=Safety(backlog="publish"))
    office.consent(order[0], ADA)
    if order[0] == "google":
        assert office.box().due_at == START + timedelta(minutes=10)
    office.consent(order[1], ADA)
    assert office.box().due_at == START


@pytest.mark.scenario("P24")
def test_the_raw_database_holds_no_secret(office: Office) -> None:
    office.connect(ADA)
    office.connect(BEN)
    several_sites(office)
    begun = office.opened.consents.begin("atlassian", ADA)
    answer = office.approve("atlassian", begun, ADA)
    office.opened.consents.finish("atlassian", begun.state, code=answer["code"])
    office.clock.advance(4000)
    for provider in BOTH:
        office.opened.tokens.of(office.grant(provider).id or 0)()
    secrets = [*office.secrets_of_the_world(), begun.state, answer["code"], *office.keys, *office.secrets.values()]
    assert len(secrets) > 15
    office.store.close()
    folder = office.url.removeprefix("sqlite:///").rpartition("/")[0]
    raw = b"".join(path.read_bytes() for path in sorted(Path(folder).glob("mailbridge.db*")))
    assert b"ada@example.com" in raw
    assert [secret for secret in secrets if secret.encode() in raw] == []
