from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from bridge.clock import VirtualClock
from bridge.errors import ConfigError, NeedsConsent, OperatorMustAct, Provider, RateLimited, Temporary
from bridge.oauth.exchange import Client, TokenPair, ask_token, code_form, consent_url, refresh_form

from support.wire import ENDPOINTS, NOW, Reply, Wire

CLIENT = Client("the-client", "s&cret", "https://mailbridge.example.com/oauth/google")
VERIFIER = "v" * 64


def ask(wire: Wire, provider: Provider = "google", endpoint: str = "") -> TokenPair:
    url = endpoint or (ENDPOINTS.google_token if provider == "google" else ENDPOINTS.atlassian_token)
    return ask_token(wire.transports, url, "form", provider=provider, clock=VirtualClock(NOW))


def test_the_address_carries_state_and_challenge_but_not_the_verifier() -> None:
    url = consent_url(
        ENDPOINTS.google_authorize, CLIENT, ("openid", "b c"), state="S", verifier=VERIFIER, prompt="consent"
    )
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert url.startswith("https://google.example/o/oauth2/auth?")
    assert VERIFIER not in url
    assert query == {
        "response_type": "code",
        "client_id": "the-client",
        "redirect_uri": "https://mailbridge.example.com/oauth/google",
        "scope": "openid b c",
        "state": "S",
        "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("="),
        "code_challenge_method": "S256",
        "prompt": "consent",
    }


@pytest.mark.parametrize("host", ["127.0.0.1:9000", "localhost:9000", "[::1]:9000"])
def test_plain_http_stays_on_this_machine(host: str) -> None:
    url = consent_url(f"http://{host}/authorize", CLIENT, ("a",), state="S", verifier=VERIFIER)
    assert url.startswith(f"http://{host}/authorize?")


@pytest.mark.parametrize("endpoint", ["http://auth.example/authorize", "ftp://127.0.0.1/x", "auth.example"])
def test_nothing_goes_anywhere_unencrypted(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="not encrypted"):
        consent_url(endpoint, CLIENT, ("a",), state="S", verifier=VERIFIER)
    with pytest.raises(ConfigError, match="not encrypted"):
        ask(Wire(), endpoint=endpoint)


def test_what_is_sent_for_a_code_and_for_a_refresh() -> None:
    def fields(form: str) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(form).items()}

    assert fields(code_form(CLIENT, "4/0A", VERIFIER)) == {
        "grant_type": "authorization_code",
        "client_id": "the-client",
        "client_secret": "s&cret",
        "code": "4/0A",
        "code_verifier": VERIFIER,
        "redirect_uri": "https://mailbridge.example.com/oauth/google",
    }
    assert fields(refresh_form(CLIENT, "1//0")) == {
        "grant_type": "refresh_token",
        "client_id": "the-client",
        "client_secret": "s&cret",
        "refresh_token": "1//0",
    }


def test_an_answer_becomes_a_pair() -> None:
    wire = Wire(Reply(200, {"access_token": "a", "refresh_token": "r", "expires_in": 3599, "scope": "x y"}))
    assert ask(wire) == TokenPair("a", "r", NOW + timedelta(seconds=3599), frozenset({"x", "y"}))
    assert wire.sent[0].headers["Content-Type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize("lifetime", [None, "soon", 0, -5, 1e12])
def test_without_a_sensible_lifetime_an_hour_is_taken(lifetime: object) -> None:
    pair = ask(Wire(Reply(200, {"access_token": "a", "expires_in": lifetime})))
    assert pair == TokenPair("a", "", NOW + timedelta(hours=1), frozenset())


@pytest.mark.parametrize(
    ("provider", "reply", "kind", "maybe_applied"),
    [
        ("google", Reply(400, {"error": "invalid_grant"}), NeedsConsent, False),
        ("google", Reply(400, {"error": "invalid_grant", "error_subtype": "invalid_rapt"}), NeedsConsent, False),
        ("google", Reply(401, {"error": "invalid_client"}), OperatorMustAct, False),
        ("google", Reply(400, {"error": "redirect_uri_mismatch"}), OperatorMustAct, False),
        ("google", Reply(401, {"error": "unauthorized_client"}), NeedsConsent, False),
        ("google", Reply(403, {"error": "rate_limit_exceeded"}), RateLimited, False),
        ("google", Reply(500, {"error": "invalid_grant"}), Temporary, False),
        ("google", Reply(503, b"<html>"), Temporary, False),
        ("google", Reply(200, b"<html>"), Temporary, False),
        ("google", Reply(200, {"token_type": "Bearer"}), Temporary, False),
        ("google", Reply(200, b"[]"), Temporary, False),
        ("google", Reply(302, b"", {"Location": "https://portal.example"}), Temporary, False),
        ("google", requests.ReadTimeout("slow"), Temporary, False),
        ("atlassian", Reply(403, {"error": "unauthorized_client"}), NeedsConsent, False),
        ("atlassian", Reply(403, {"error": "invalid_grant"}), NeedsConsent, False),
        ("atlassian", Reply(401, {"error": "access_denied"}), OperatorMustAct, False),
        ("atlassian", Reply(429, b"<html>", {"Retry-After": "7"}), RateLimited, False),
        ("atlassian", Reply(502, b"<html>"), Temporary, True),
        ("atlassian", Reply(200, b""), Temporary, True),
        ("atlassian", requests.ReadTimeout("slow"), Temporary, True),
        ("atlassian", requests.ConnectTimeout("no"), Temporary, False),
    ],
)
def test_every_answer_without_a_token(
    provider: Provider, reply: Reply | Exception, kind: type[Temporary], maybe_applied: bool
) -> None:
    with pytest.raises(kind) as raised:
        ask(Wire(reply), provider)
    assert type(raised.value) is kind
    assert raised.value.maybe_applied is maybe_applied
