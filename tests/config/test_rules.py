from __future__ import annotations

from bridge.config import Atlassian, Endpoints, Google, Route, Settings, notes

GOOGLE = Google(client_id="g", domains=("example.com",))
ATLASSIAN = Atlassian(client_id="a", sites=("https://example.atlassian.net",))


def test_a_configuration_without_routes_is_valid_but_publishes_nothing() -> None:
    assert notes(Settings(google=GOOGLE, atlassian=ATLASSIAN)) == (
        "There is no route: nothing will be published. Add [[routes]] with name, label and space.",
    )


def test_a_route_that_can_never_be_used_and_stand_ins_are_named() -> None:
    settings = Settings(
        google=GOOGLE,
        atlassian=ATLASSIAN,
        endpoints=Endpoints(google="http://127.0.0.1:9000"),
        routes=(
            Route(name="eng", label="Confluence/ENG", space="ENG"),
            Route(name="also", label="confluence/eng", space="HR"),
        ),
    )
    assert notes(settings) == (
        'Route "also" is never used: label confluence/eng belongs to "eng" above it.',
        "Google is not asked: [endpoints] names http://127.0.0.1:9000 instead.",
    )
