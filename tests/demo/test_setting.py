from __future__ import annotations

from pathlib import Path

from bridge.config import load
from bridge.demo import samples
from bridge.demo.setting import write_config
from bridge.demo.stage import SPACES


def test_the_file_is_an_ordinary_one(tmp_path: Path) -> None:
    places = write_config(tmp_path, site="http://127.0.0.1:9", web_port=8)
    assert {path.parent for path in (places.config, places.seal_key, places.last_good)} == {tmp_path}
    settings = load(places.config, {}, places)
    assert (settings.safety.wait, settings.gmail.poll_every, settings.gmail.poll_idle) == (0.0, 1.0, 1.0)
    assert (settings.web.listen.host, settings.web.listen.port) == ("127.0.0.1", 8)
    assert settings.redirect_url("google") == "http://127.0.0.1:8/oauth/google"
    assert settings.atlassian.sites == ("http://127.0.0.1:9",)
    assert settings.store.url == f"sqlite:///{tmp_path}/mailbridge.db"


def test_its_routes_fit_the_sample_mail_and_the_spaces(tmp_path: Path) -> None:
    places = write_config(tmp_path, site="http://127.0.0.1:9", web_port=8)
    routes = load(places.config, {}, places).routes
    assert {route.label for route in routes} == set(samples.labels())
    assert {route.space for route in routes} == set(SPACES)
