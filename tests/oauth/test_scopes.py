from __future__ import annotations

from dataclasses import replace

from bridge.oauth import scopes

from support.consents import ENG, Office


def test_google_is_asked_for_one_scope_of_gmail() -> None:
    assert scopes.GOOGLE == (
        "openid",
        "https://www.googleapis.com/auth/userinfo.email",
        "https://www.googleapis.com/auth/gmail.readonly",
    )


def test_atlassian_is_asked_for_what_the_configuration_needs(office: Office) -> None:
    plain = scopes.atlassian(office.chosen)
    assert plain[-1] == "offline_access"
    assert not [scope for scope in plain if "delete" in scope or "restriction" in scope or scope == "read:me"]
    private = replace(office.chosen, routes=(ENG, replace(ENG, name="own", visibility="author")))
    assert set(scopes.atlassian(private)) - set(plain) == {"write:content.restriction:confluence"}
    classic = replace(office.chosen, atlassian=replace(office.chosen.atlassian, scopes="classic-attachments"))
    assert set(scopes.atlassian(classic)) - set(plain) == {"write:confluence-file"}


def test_what_is_missing() -> None:
    assert scopes.missing(("a", "b", "c"), frozenset({"b", "d"})) == ["a", "c"]
