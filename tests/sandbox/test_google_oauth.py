"""Google's OAuth of the sandbox, by google_auth_oauthlib's Flow over real HTTP and by plain requests."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from google.oauth2.credentials import Credentials
from google_auth_oauthlib.flow import Flow

from bridge.sandbox.google_consent import ConsentError
from bridge.sandbox.google_oauth import token_error
from bridge.sandbox.serve import serve

from support.google import ADA, BEN, CLIENT_ID, EMAIL, MODIFY, READONLY, REDIRECT, SECRET, Google, query_of

SIGN_IN = ("openid", EMAIL, READONLY)


@pytest.fixture
def google() -> Google:
    return Google()


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    world = Google()
    with serve(world.app) as server:
        world.core.base_url = server.url
        yield world


def flow_of(live: Google, scopes: tuple[str, ...]) -> Flow:
    web = {
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "auth_uri": f"{live.url}/o/oauth2/auth",
        "token_uri": f"{live.url}/token",
    }
    return Flow.from_client_config({"web": web}, scopes=list(scopes), redirect_uri=REDIRECT)


def refused(answer: requests.Response) -> tuple[int, str, str]:
    body = answer.json()
    return answer.status_code, body["error"], body["error_description"]


def claims(id_token: str) -> dict[str, Any]:
    head, body, signature = id_token.split(".")
    padded = (part + "=" * (-len(part) % 4) for part in (head, body, signature))
    decoded = [base64.urlsafe_b64decode(part) for part in padded]
    assert json.loads(decoded[0])["typ"] == "JWT"
    assert len(decoded[2]) == 32
    return dict(json.loads(decoded[1]))


def test_flow_by_the_library_and_refresh(live: Google) -> None:
    flow = flow_of(live, SIGN_IN)
    url, state = flow.authorization_url(access_type="offline", prompt="consent", login_hint=ADA)
    page = requests.get(url, timeout=10)
    assert page.status_code == 200
    assert f'value="{ADA}" required checked' in page.text
    assert "View your email messages and settings" in page.text
    form = {"person": ADA, "decision": "allow", "granted": [READONLY]}
    answer = requests.post(url, data=form, allow_redirects=False, timeout=10)
    back = query_of(answer.headers["Location"])
    assert answer.headers["Location"].startswith(f"{REDIRECT}?")
    assert (back["state"], back["hd"]) == (state, "example.com")
    token = flow.fetch_token(code=back["code"], timeout=10)
    assert token["expires_in"] == 3599
    assert token["access_token"].startswith("ya29.")
    assert token["refresh_token"].startswith("1//0")
    assert claims(token["id_token"])["email"] == ADA
    credentials = Credentials(
        None,
        refresh_token=token["refresh_token"],
        token_uri=f"{live.url}/token",
        client_id=CLIENT_ID,
        client_secret=SECRET,
        scopes=list(SIGN_IN),
    )
    credentials.refresh(Request())
    assert credentials.token != token["access_token"]
    assert credentials.refresh_token == token["refresh_token"]
    live.half.oauth.grants.revoke_grant(ADA)
    with pytest.raises(RefreshError) as caught:
        credentials.refresh(Request())
    assert caught.value.args[1] == {
        "error": "invalid_grant",
        "error_description": "Token has been expired or revoked.",
    }


def test_cancel_comes_back_refused(live: Google) -> None:
    url, state = flow_of(live, SIGN_IN).authorization_url()
    answer = requests.post(url, data={"decision": "deny"}, allow_redirects=False, timeout=10)
    assert query_of(answer.headers["Location"]) == {"error": "access_denied", "state": state}
    assert live.half.oauth.deny(url) == answer.headers["Location"]


def test_unticked_scope_is_not_granted(live: Google) -> None:
    flow = flow_of(live, SIGN_IN)
    url, _ = flow.authorization_url()
    back = query_of(live.half.oauth.approve(url, ADA, scopes=[]))
    with pytest.raises(Warning, match="Scope has changed") as caught:
        flow.fetch_token(code=back["code"], timeout=10)
    assert set(caught.value.new_scope) == {"openid", EMAIL}


def test_pkce_is_checked_and_codes_work_once(google: Google) -> None:
    verifier = "v" * 60
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    code = google.code(code_challenge=challenge, code_challenge_method="S256")
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
    assert refused(google.post_token(**form))[2] == "Missing code verifier."
    assert refused(google.post_token(**form, code_verifier="wrong"))[2] == "Invalid code verifier."
    assert google.post_token(**form, code_verifier=verifier).status_code == 200
    again = google.post_token(**form, code_verifier=verifier)
    assert refused(again) == (400, "invalid_grant", "Malformed auth code.")


def test_code_exchange_refusals(google: Google) -> None:
    google.half.oauth.register_client("other", "x", [REDIRECT])
    form = {"grant_type": "authorization_code", "code": google.code(), "redirect_uri": REDIRECT}
    assert (
        refused(google.post_token(**{**form, "redirect_uri": "https://evil.example.com"}))[1] == "redirect_uri_mismatch"
    )
    assert refused(google.post_token(**form, client_id="other", client_secret="x"))[1] == "invalid_grant"
    assert refused(google.post_token(**form, client_secret="wrong")) == (401, "invalid_client", "Unauthorized")
    assert refused(google.post_token(**form, client_id="gone"))[2] == "The OAuth client was not found."
    assert refused(google.post_token(**{**form, "grant_type": "password"}))[1] == "unsupported_grant_type"
    google.clock.advance(601)
    assert refused(google.post_token(**form))[2] == "Malformed auth code."


def test_client_credentials_in_the_basic_header(google: Google) -> None:
    form = {"grant_type": "authorization_code", "code": google.code(), "redirect_uri": REDIRECT}
    answer = google.session().post(f"{google.url}/token", data=form, auth=(CLIENT_ID, SECRET))
    assert answer.json()["scope"] == READONLY
    assert "id_token" not in answer.json()


def test_refresh_token_comes_with_offline_first_or_asked_consent(google: Google) -> None:
    assert "refresh_token" not in google.tokens(access_type="online")
    assert "refresh_token" in google.tokens()
    assert "refresh_token" not in google.tokens()
    assert "refresh_token" in google.tokens(prompt="consent")


def refresh(google: Google, token: str, **more: str) -> requests.Response:
    return google.post_token(grant_type="refresh_token", refresh_token=token, **more)


def test_refresh_narrows_but_never_widens(google: Google) -> None:
    token = google.tokens(scopes=SIGN_IN)["refresh_token"]
    assert refresh(google, token, scope="openid").json()["scope"] == "openid"
    assert refresh(google, token).json()["scope"] == " ".join(SIGN_IN)
    assert "refresh_token" not in refresh(google, token).json()
    assert refused(refresh(google, token, scope=MODIFY))[1] == "invalid_scope"


def test_ways_in_which_refresh_tokens_die(google: Google) -> None:
    grants, dead = google.half.oauth.grants, (400, "invalid_grant", "Token has been expired or revoked.")
    assert refused(refresh(google, "never was")) == dead
    mine, hers = google.tokens()["refresh_token"], google.tokens(BEN)["refresh_token"]
    grants.change_password(ADA)
    assert refused(refresh(google, mine)) == dead
    assert refresh(google, hers).status_code == 200
    google.clock.advance(timedelta(days=183).total_seconds())
    assert refused(refresh(google, hers)) == dead


def test_password_change_spares_tokens_without_mail(google: Google) -> None:
    token = google.tokens(scopes=("openid",))["refresh_token"]
    google.half.oauth.grants.change_password(ADA)
    assert refresh(google, token).status_code == 200


def test_oldest_of_more_than_a_hundred_dies(google: Google) -> None:
    tokens = [google.tokens(prompt="consent")["refresh_token"] for _ in range(101)]
    assert refused(refresh(google, tokens[0]))[1] == "invalid_grant"
    assert refresh(google, tokens[1]).status_code == 200


def test_testing_clients_tokens_live_seven_days(google: Google) -> None:
    google.client.testing = True
    answer = google.tokens()
    assert answer["refresh_token_expires_in"] == 604_799
    google.clock.advance(604_798)
    assert refresh(google, answer["refresh_token"]).status_code == 200
    google.clock.advance(1)
    assert refused(refresh(google, answer["refresh_token"]))[1] == "invalid_grant"


def test_session_control(google: Google) -> None:
    token = google.tokens()["refresh_token"]
    google.half.oauth.grants.require_reauthentication(ADA)
    answer = refresh(google, token)
    assert (answer.status_code, answer.json()["error_subtype"]) == (400, "invalid_rapt")
    google.half.oauth.grants.require_reauthentication(ADA, False)
    assert refresh(google, token).status_code == 200


def test_secret_changed_and_foreign_token(google: Google) -> None:
    token = google.tokens()["refresh_token"]
    google.half.oauth.register_client("other", "x", [REDIRECT])
    foreign = refresh(google, token, client_id="other", client_secret="x")
    assert refused(foreign) == (400, "invalid_grant", "Bad Request")
    google.half.oauth.grants.set_client_secret(CLIENT_ID, "new")
    assert refused(refresh(google, token)) == (401, "invalid_client", "Unauthorized")
    assert refresh(google, token, client_secret="new").status_code == 200


def test_revoke_ends_the_whole_grant(google: Google) -> None:
    answer = google.tokens()
    session, url = google.session(), f"{google.url}/revoke"
    assert session.post(url, data={"token": answer["access_token"]}).status_code == 200
    assert refused(refresh(google, answer["refresh_token"]))[1] == "invalid_grant"
    assert refused(session.post(url, data={"token": answer["access_token"]}))[:2] == (400, "invalid_token")
    assert session.get(url).status_code == 405


def test_userinfo(google: Google) -> None:
    session, url = google.session(), f"{google.url}/v1/userinfo"

    def ask(token: str) -> requests.Response:
        return session.get(url, headers={"Authorization": f"Bearer {token}"})

    token = google.tokens(scopes=SIGN_IN, nonce="n1")
    body = ask(token["access_token"]).json()
    person = google.gmail.mailbox(ADA).person
    assert (body["sub"], body["email"], body["email_verified"], body["hd"]) == (person.sub, ADA, True, "example.com")
    inside = claims(token["id_token"])
    assert (inside["sub"], inside["nonce"], inside["aud"]) == (person.sub, "n1", CLIENT_ID)
    assert inside["exp"] - inside["iat"] == 3600
    assert ask(google.tokens(prompt="consent")["access_token"]).status_code == 403
    google.half.oauth.grants.expire_access_tokens(ADA)
    assert ask(token["access_token"]).status_code == 401


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"redirect_uri": "https://evil.example.com/"}, 400, "redirect_uri_mismatch"),
        ({"response_type": "token"}, 400, "unsupported_response_type"),
        ({"scope": ""}, 400, "invalid_request"),
        ({"scope": "everything"}, 400, "invalid_scope"),
        ({"code_challenge": "x", "code_challenge_method": "plain"}, 400, "invalid_request"),
    ],
)
def test_error_pages(google: Google, change: dict[str, str], status: int, error: str) -> None:
    url = google.authorize_url(**change)
    answer = google.session().get(url)
    assert (answer.status_code, error in answer.text) == (status, True)
    with pytest.raises(ConsentError) as caught:
        google.half.oauth.approve(url, ADA)
    assert (caught.value.status, caught.value.error) == (status, error)


def test_people_who_are_not_admitted(google: Google) -> None:
    url = google.authorize_url()
    google.gmail.add_person("eve@gmail.com", "Eve")
    google.client.internal_domain = "example.com"
    with pytest.raises(ConsentError, match="org_internal"):
        google.half.oauth.approve(url, "eve@gmail.com")
    assert "code" in query_of(google.half.oauth.approve(url, ADA))
    google.client.internal_domain, google.client.test_users = "", (BEN,)
    with pytest.raises(ConsentError, match="access_denied"):
        google.half.oauth.approve(url, ADA)
    with pytest.raises(ConsentError, match="Nobody here"):
        google.half.oauth.approve(url, "nobody@example.com")


def test_desktop_client_uses_any_loopback_port(google: Google) -> None:
    google.half.oauth.register_client("desktop", "x", [], desktop=True)
    url = google.authorize_url(client_id="desktop", redirect_uri="http://127.0.0.1:51111/back")
    assert google.half.oauth.approve(url, ADA).startswith("http://127.0.0.1:51111/back?state=S&code=4")


def test_the_page_escapes_what_it_is_given(google: Google) -> None:
    google.gmail.add_person("x@example.com", "<script>alert(1)</script>")
    text = google.session().get(google.authorize_url(login_hint='"><b>')).text
    assert "<script>" not in text
    assert '"><b>' not in text


def test_journal_names_operation_and_person(google: Google) -> None:
    token = google.tokens()["refresh_token"]
    refresh(google, token)
    seen = google.core.journal.seen
    assert [(s.operation, s.person, s.write) for s in seen] == [("google.oauth.token", ADA, False)] * 2


def test_token_error_for_faults() -> None:
    answer = token_error(403, "rate_limit_exceeded", "Rate Limit Exceeded")
    assert (answer.status_code, json.loads(answer.get_data())["error"]) == (403, "rate_limit_exceeded")
