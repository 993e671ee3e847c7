from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from bridge.config import Atlassian, Brake, Gmail, Google, Listen, Route, Safety, Settings, Web

GOOGLE = Google(client_id="g", domains=("example.com",))
ATLASSIAN = Atlassian(client_id="a", sites=("https://example.atlassian.net",))
ENG = Route(name="eng", label="Confluence/ENG", space="ENG")
ALSO = Route(
    name="also", label="confluence/eng", space="HR", parent="https://example.atlassian.net/wiki/spaces/HR/pages/7/x"
)
SETTINGS = Settings(google=GOOGLE, atlassian=ATLASSIAN, routes=(ENG, ALSO))


def test_the_redirect_url_comes_from_the_public_address() -> None:
    public = Settings(google=GOOGLE, atlassian=ATLASSIAN, web=Web(public_url="https://mailbridge.example.com"))
    assert public.redirect_url("google") == "https://mailbridge.example.com/oauth/google"
    assert public.redirect_url("atlassian") == "https://mailbridge.example.com/oauth/atlassian"


def test_without_a_public_address_it_is_this_machine() -> None:
    assert SETTINGS.redirect_url("google") == "http://localhost:8765/oauth/google"
    other = Settings(google=GOOGLE, atlassian=ATLASSIAN, web=Web(listen=Listen("127.0.0.1", 9000)))
    assert other.redirect_url("google") == "http://localhost:9000/oauth/google"
    chosen = Settings(google=GOOGLE, atlassian=ATLASSIAN, web=Web(listen=Listen("127.0.0.1", 0)))
    assert chosen.redirect_url("google") == "http://localhost:8765/oauth/google"


def test_routes_are_found_by_label_in_order_and_by_name() -> None:
    assert SETTINGS.routes_of("CONFLUENCE/Eng") == (ENG, ALSO)
    assert SETTINGS.routes_of("Confluence") == ()
    assert SETTINGS.route("also") is ALSO
    assert SETTINGS.route("ALSO") is None


def test_a_route_knows_its_key_and_the_ids_in_its_addresses() -> None:
    assert ENG.key == "eng"
    assert ENG.label_key == "confluence/eng"
    assert (ENG.parent_id, ENG.page_id, ALSO.parent_id) == ("", "", "7")


def test_defaults_are_what_the_interface_says() -> None:
    assert (Gmail().poll_every, Gmail().poll_idle, Gmail().full_pass_every) == (15.0, 60.0, 21600.0)
    assert Safety().brake == Brake(20, 600.0)
    assert Safety().max_body == 4 * 1024**2
    assert ENG.attachment_limit == 100 * 1024**2


def test_settings_never_change() -> None:
    with pytest.raises(FrozenInstanceError):
        SETTINGS.google.client_id = "x"  # type: ignore[misc]
