from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest

from bridge.sandbox.atlassian_oauth import App, ConsentFault

from support.atlassian_world import ADA, BEN, REDIRECT, SCOPES, World


def refresh(world: World, token: str) -> tuple[int, dict[str, str]]:
    answer = world.token(grant_type="refresh_token", refresh_token=token)
    return answer.status_code, answer.json()


def test_code_exchange_gives_a_bearer_token_of_an_hour(world: World) -> None:
    held = world.tokens(ADA)
    assert (held["expires_in"], held["token_type"]) == (3600, "Bearer")
    assert set(held["scope"].split()) == set(SCOPES)
    assert held["access_token"].count(".") == 2
    assert 2000 < len(held["access_token"]) < 3500


def test_form_bodies_work_as_json_does(world: World) -> None:
    body = {
        "grant_type": "authorization_code",
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "code": world.code(ADA),
        "redirect_uri": REDIRECT,
    }
    answer = world.new_session().post(f"{world.base}/atlassian/oauth/token", data=body, timeout=10)
    assert answer.status_code == 200
    assert answer.json()["refresh_token"]


def test_no_refresh_token_without_offline_access(world: World) -> None:
    assert "refresh_token" not in world.tokens(ADA, ("read:page:confluence",))


def test_a_code_works_once_and_only_for_its_address(world: World) -> None:
    code = world.code(ADA)
    wrong = world.token(grant_type="authorization_code", code=code, redirect_uri="http://localhost/other")
    assert (wrong.status_code, wrong.json()["error"]) == (403, "invalid_grant")
    again = world.token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT)
    assert (again.status_code, again.json()["error_description"]) == (403, "Invalid authorization code")


def test_a_code_expires(world: World) -> None:
    code = world.code(ADA)
    world.clock.move(minutes=11)
    assert world.token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT).status_code == 403


def test_pkce_is_checked_when_a_challenge_was_sent(world: World) -> None:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"verifier").digest()).decode().rstrip("=")
    more = {"code_challenge": challenge, "code_challenge_method": "S256"}
    sent = {"grant_type": "authorization_code", "redirect_uri": REDIRECT}
    assert world.token(**sent, code=world.code(ADA, more=more), code_verifier="other").status_code == 403
    assert world.token(**sent, code=world.code(ADA, more=more), code_verifier="verifier").status_code == 200


def test_refresh_rotates_and_the_old_token_lives_ten_minutes_more(world: World) -> None:
    first = world.tokens(ADA)["refresh_token"]
    status, held = refresh(world, first)
    assert status == 200
    assert held["refresh_token"] != first
    world.clock.move(minutes=9, seconds=59)
    assert refresh(world, first)[0] == 200
    world.clock.move(seconds=2)
    assert refresh(world, first) == (
        403,
        {"error": "unauthorized_client", "error_description": "refresh_token is invalid"},
    )
    assert refresh(world, held["refresh_token"])[0] == 200


def test_leeway_can_give_the_same_answer_again(world: World) -> None:
    world.half.switches.leeway_gives_same_token = True
    first = world.tokens(ADA)["refresh_token"]
    assert refresh(world, first) == refresh(world, first)


def test_ninety_idle_days_end_a_grant_and_each_refresh_restarts_them(world: World) -> None:
    token = world.tokens(ADA)["refresh_token"]
    world.clock.move(days=89)
    token = refresh(world, token)[1]["refresh_token"]
    world.clock.move(days=89)
    token = refresh(world, token)[1]["refresh_token"]
    world.clock.move(days=91)
    assert refresh(world, token) == (
        403,
        {"error": "invalid_grant", "error_description": "Unknown or invalid refresh token."},
    )


def test_error_rows_of_the_token_endpoint(world: World) -> None:
    token = world.tokens(ADA)["refresh_token"]
    assert refresh(world, "never-issued")[1]["error"] == "unauthorized_client"
    world.half.revoke(ADA)
    assert refresh(world, token)[1]["error"] == "invalid_grant"
    world.half.oauth.app = App(client_secret="changed")
    wrong = world.token(grant_type="refresh_token", refresh_token=token, client_secret="sandbox-secret")
    assert (wrong.status_code, wrong.json()) == (401, {"error": "access_denied", "error_description": "Unauthorized"})
    assert world.token(grant_type="password").status_code == 403


def test_consent_page_is_for_people_and_names_the_scopes(world: World) -> None:
    session = world.new_session()
    page = session.get(world.authorize_url(("read:page:confluence",)), timeout=10)
    assert page.status_code == 200
    assert "read:page:confluence" in page.text
    assert "Accept as Ada Lovelace" in page.text
    accepted = session.post(world.authorize_url(), data={"person": ADA}, allow_redirects=False, timeout=10)
    query = parse_qs(urlsplit(accepted.headers["Location"]).query)
    assert query["state"] == ["st/1"]
    held = world.token(grant_type="authorization_code", code=query["code"][0], redirect_uri=REDIRECT)
    assert held.status_code == 200


def test_cancel_comes_back_without_a_code(world: World) -> None:
    answer = world.new_session().post(world.authorize_url(), data={}, allow_redirects=False, timeout=10)
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert (query["error"], query["state"], "code" in query) == (["access_denied"], ["st/1"], False)
    assert world.half.deny(world.authorize_url()) == answer.headers["Location"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "x"},
        {"audience": "x"},
        {"response_type": "token"},
        {"scope": ""},
        {"redirect_uri": "https://evil.example/"},
        {"code_challenge": "x", "code_challenge_method": "plain"},
    ],
)
def test_a_wrong_authorize_request_ends_on_an_error_page(world: World, wrong: dict[str, str]) -> None:
    world.half.oauth.app = App(redirect_uris=frozenset({REDIRECT}))
    url = world.authorize_url(more=wrong)
    assert world.new_session().get(url, timeout=10).status_code == 400
    with pytest.raises(ConsentFault):
        world.half.approve(url, ADA)


def resources(world: World, token: str) -> list[dict[str, object]]:
    answer = world.new_session(token).get(f"{world.base}/atlassian/oauth/token/accessible-resources", timeout=10)
    held: list[dict[str, object]] = answer.json()
    return held


def test_accessible_resources_with_one_two_and_no_sites(world: World) -> None:
    one = resources(world, world.tokens(ADA)["access_token"])
    assert [(row["id"], row["url"], row["name"]) for row in one] == [(world.half.site.cloud_id, world.base, "sandbox")]
    second = world.half.add_site("other")
    world.half.add_person("cy@example.com", "Cy", sites=[world.half.site, second])
    world.half.add_person("no@example.com", "No", sites=[])
    two = resources(world, world.tokens("cy@example.com")["access_token"])
    assert [row["url"] for row in two] == [world.base, f"{world.base}/other"]
    assert resources(world, world.tokens("no@example.com")["access_token"]) == []


def test_a_site_can_stand_twice_in_accessible_resources(world: World) -> None:
    world.half.switches.duplicate_resources = True
    rows = resources(world, world.tokens(ADA)["access_token"])
    assert [row["id"] for row in rows] == [world.half.site.cloud_id] * 2
    assert [("read:page:confluence" in row["scopes"]) for row in rows] == [False, True]  # type: ignore[operator]


def test_granted_scopes_can_be_fewer_than_asked(world: World) -> None:
    back = world.half.approve(world.authorize_url(), BEN, scopes=["read:space:confluence"])
    code = parse_qs(urlsplit(back).query)["code"][0]
    held = world.token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT).json()
    assert held["scope"] == "read:space:confluence"
    assert resources(world, held["access_token"])[0]["scopes"] == ["read:space:confluence"]


def test_me_needs_its_scope(world: World) -> None:
    url = f"{world.base}/atlassian/me"
    held = world.new_session(world.tokens(ADA)["access_token"]).get(url, timeout=10)
    assert (held.json()["account_id"], held.json()["email"]) == ("557058:ada", ADA)
    assert (
        world.new_session(world.tokens(ADA, ("read:page:confluence",))["access_token"]).get(url, timeout=10).status_code
        == 403
    )


def test_the_journal_names_the_operations_and_the_person(world: World) -> None:
    mark = world.core.journal.mark()
    token = world.tokens(ADA)["access_token"]
    resources(world, token)
    world.new_session(token).get(f"{world.base}/atlassian/me", timeout=10)
    seen = world.core.journal.since(mark)
    assert [(row.operation, row.person, row.write) for row in seen] == [
        ("atlassian.oauth.token", ADA, False),
        ("atlassian.oauth.resources", ADA, False),
        ("atlassian.me", ADA, False),
    ]
