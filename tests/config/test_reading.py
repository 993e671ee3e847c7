from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config import SYSTEM, Fault, Pages, Places, check, one_line, render_faults
from bridge.config.environment import KEY_VARIABLES

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"

GOOD = """\
[google]
client_id = "1-a.apps.googleusercontent.com"
domains = ["example.com"]
[atlassian]
client_id = "q"
sites = ["https://example.atlassian.net"]
"""
ROUTE = """\
[[routes]]
name = "eng"
label = "Confluence/ENG"
space = "ENG"
"""


def faults(text: str, environ: dict[str, str] | None = None) -> list[tuple[int, int, str, str]]:
    checked = check(text, environ or {})
    assert checked.settings is None
    return [(fault.line, fault.column, fault.key, fault.what) for fault in checked.faults]


def test_the_smallest_configuration_has_every_default() -> None:
    settings = check(GOOD, {}).settings
    assert settings is not None
    assert settings.routes == ()
    assert settings.google.domains == ("example.com",)
    assert settings.safety.wait == 15.0
    assert settings.store.url == "sqlite:////var/lib/mailbridge/mailbridge.db"


def test_places_give_the_database_and_the_key() -> None:
    own = Places(Path("/home/ada/c.toml"), Path("/home/ada/state"), Path("/home/ada/key"))
    settings = check(GOOD, {}, own).settings
    assert settings is not None
    assert settings.store.url == "sqlite:////home/ada/state/mailbridge.db"
    assert settings.store.seal_key_file == "/home/ada/key"


def test_a_route_has_its_own_words_of_pages_and_the_rest_of_the_whole_file() -> None:
    text = GOOD + '[pages]\ntimezone = "Europe/Berlin"\nsignatures = "keep"\n' + ROUTE + 'signatures = "drop"\n'
    settings = check(text, {}).settings
    assert settings is not None
    route = settings.routes[0]
    assert route.pages == Pages(timezone="Europe/Berlin", signatures="drop")
    assert settings.pages == Pages(timezone="Europe/Berlin", signatures="keep")
    assert (route.name, route.label, route.space, route.page_labels) == ("eng", "Confluence/ENG", "ENG", ("mail",))


def test_every_fault_is_told_at_once_in_the_order_of_the_lines() -> None:
    text = (
        'client_id = "x"\n[google]\nclient_id = 5\ndomains = ["example.com", "@b.example", 7]\n'
        '[atlassian]\nclient_id = "q"\nsite = ["https://a.example"]\n[gmial]\n'
        + ROUTE
        + '[[routes]]\nname = "Eng"\nlabel = "X"\n  replies = "comment"\nlisten = "x"\n'
    )
    assert faults(text) == [
        (1, 1, "client_id", "stands outside of any section. Put it below [google] or [atlassian]."),
        (3, 1, "google.client_id", '5 is not text. Put it in quotes: "5".'),
        (
            4,
            27,
            "google.domains[2]",
            '"@b.example" has an @. Write what stands behind it, as "b.example".',
        ),
        (4, 41, "google.domains[3]", '7 is not text. Put it in quotes: "7".'),
        (
            5,
            1,
            "atlassian.sites",
            'is missing. Write which sites may be chosen, as ["https://example.atlassian.net"].',
        ),
        (7, 1, "atlassian.site", 'unknown key. Did you mean "sites"?'),
        (8, 1, "gmial", "unknown section. Did you mean [gmail]?"),
        (13, 1, "routes[2].space", 'is missing. Write the key of the Confluence space, as "ENG".'),
        (
            14,
            1,
            "routes[2].name",
            '"Eng" is the name of the route in line 9 already. Give this one another name.',
        ),
        (16, 3, "routes[2].replies", '"comment" is not allowed. Use "comments" or "none".'),
        (17, 1, "routes[2].listen", "unknown key here. It belongs to [web]."),
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", (1, 1, "google.client_id", "is missing. Write the OAuth client's ID.")),
        (
            "google = 3\n" + GOOD[GOOD.index("[atl") :],
            (1, 1, "google", "3 is not a section. Write [google] once, on a line of its own."),
        ),
        (
            GOOD + '[routes]\nname = "x"\n',
            (7, 1, "routes", "is not a list of routes. Write [[routes]], with two brackets, above each route."),
        ),
        (
            GOOD + "[web]\nzzz = 1\n",
            (8, 1, "web.zzz", "unknown key. [web] takes listen, public_url and admin_sees_subjects."),
        ),
        (
            GOOD + "[zzz]\n",
            (
                7,
                1,
                "zzz",
                "unknown section. There are [google], [atlassian], [store], [gmail], [web], [safety], [pages], "
                "[endpoints] and [[routes]].",
            ),
        ),
        (
            GOOD + '[web]\n"a\\nb" = 1\n',
            (8, 1, 'web."a\\nb"', "unknown key. [web] takes listen, public_url and admin_sees_subjects."),
        ),
        (
            GOOD + '[store]\nurl = "postgresql://u:geheim@h/d"\n',
            (8, 1, "store.url", "holds a password. Put the address into a file of mode 0600 and name it in url_file."),
        ),
        (
            GOOD + '[store]\nurl = "postgresql://h/d"\nurl_file = "/etc/x"\n',
            (9, 1, "store.url_file", "is set beside url. Keep one of the two."),
        ),
        (
            GOOD + ROUTE + 'publish_as = "comment"\n',
            (
                7,
                1,
                "routes[1].page",
                'is missing. With publish_as = "comment" write the page to comment on, as "123456".',
            ),
        ),
        (
            GOOD + ROUTE + 'publish_as = "comment"\npage = "1"\nvisibility = "author"\n',
            (
                13,
                1,
                "routes[1].visibility",
                'a comment is seen by all who see its page. Use "space", or publish a page.',
            ),
        ),
        (
            GOOD + ROUTE + 'publish_as = "comment"\npage = "1"\npage_labels = ["x"]\n',
            (13, 1, "routes[1].page_labels", "a comment has none. Take the line out."),
        ),
        (
            GOOD + ROUTE + 'page = "1"\n',
            (
                11,
                1,
                "routes[1].page",
                'is only for publish_as = "comment". For a place in the tree of pages use parent.',
            ),
        ),
        (
            GOOD + ROUTE + 'publish_as = "blogpost"\nparent = "Mail"\n',
            (
                12,
                1,
                "routes[1].parent",
                'a blogpost has no parent. Take the line out, or use publish_as = "page".',
            ),
        ),
    ],
)
def test_each_fault_says_where_and_what_is_allowed(text: str, fault: tuple[int, int, str, str]) -> None:
    assert fault in faults(text)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[google]\nclient_id = \n", (2, 13, "", "not valid TOML: the value is not complete or not in quotes.")),
        ("[google]\nclient_id = abc\n", (2, 13, "", "not valid TOML: the value is not complete or not in quotes.")),
        ("[google]\na = 1\na = 2\n", (3, 6, "", "not valid TOML: the same key stands here a second time.")),
        ("[google]\n[google]\n", (2, 8, "", "not valid TOML: the same section stands here a second time.")),
        ("[google]\nclient_id\n", (2, 10, "", "not valid TOML: a key and = are expected here.")),
        ("a = [1\n\n", (1, 7, "", "not valid TOML: a list is not closed with ].")),
        ("a = " + "[" * 5000, (1, 1, "", "not valid TOML: lists or tables stand too deep in each other.")),
    ],
)
def test_a_syntax_error_is_one_fault_with_its_line(text: str, fault: tuple[int, int, str, str]) -> None:
    assert faults(text) == [fault]


def test_routes_on_one_line_are_still_told_apart() -> None:
    one = '{ name = "a", label = "l", space = "S" }'
    assert faults(f"routes = [{one}, {one}]\n{GOOD}") == [
        (1, 55, "routes[2].name", '"a" is the name of the route in line 1 already. Give this one another name.')
    ]


def test_a_comment_has_no_page_labels() -> None:
    settings = check(GOOD + ROUTE + 'publish_as = "comment"\npage = "77"\n', {}).settings
    assert settings is not None
    assert settings.routes[0].page_labels == ()
    assert settings.routes[0].page_id == "77"


def test_two_routes_may_have_one_label_and_the_first_is_used() -> None:
    second = ROUTE.replace('"eng"', '"hr"').replace("Confluence/ENG", "confluence/eng")
    settings = check(GOOD + ROUTE + second, {}).settings
    assert settings is not None
    assert [route.name for route in settings.routes_of("CONFLUENCE/eng")] == ["eng", "hr"]


def test_the_environment_goes_before_the_file() -> None:
    environ = {
        "MAILBRIDGE_GOOGLE__DOMAINS": '["acme.example"]',
        "MAILBRIDGE_GOOGLE__CLIENT_ID": "12345",
        "MAILBRIDGE_GMAIL__POLL_EVERY": "1s",
        "MAILBRIDGE_GMAIL__POLL_IDLE": '"2s"',
        "MAILBRIDGE_WEB__ADMIN_SEES_SUBJECTS": "true",
        "MAILBRIDGE_STORE__URL": "postgresql://u:geheim@h/d",
        "MAILBRIDGE_CONFIG": "/x",
        "MAILBRIDGE_GOOGLE__CLIENT_SECRET": "hush",
    }
    settings = check(GOOD, environ).settings
    assert settings is not None
    assert settings.google.domains == ("acme.example",)
    assert settings.google.client_id == "12345"
    assert (settings.gmail.poll_every, settings.gmail.poll_idle) == (1.0, 2.0)
    assert settings.web.admin_sees_subjects is True
    assert settings.store.url == "postgresql://u:geheim@h/d"


def test_faults_of_the_environment_name_the_variable() -> None:
    environ = {
        "MAILBRIDGE_GMAIL__POLL_EVERY": "15",
        "MAILBRIDGE_GMAIL__POLL_IDEL": "15s",
        "MAILBRIDGE_ROUTES__NAME": "x",
        "MAILBRIDGE_WEB__ADMIN_SEES_SUBJECTS": "yes\nx = 1",
    }
    assert faults(GOOD, environ) == [
        (
            0,
            0,
            "MAILBRIDGE_GMAIL__POLL_EVERY",
            '"15" is not a duration. Write a number and s, min, h or d, as "15s" or "10 min".',
        ),
        (0, 0, "MAILBRIDGE_GMAIL__POLL_IDEL", 'unknown variable. Did you mean "MAILBRIDGE_GMAIL__POLL_IDLE"?'),
        (0, 0, "MAILBRIDGE_ROUTES__NAME", "routes cannot come from the environment. Write them in the file."),
        (0, 0, "MAILBRIDGE_WEB__ADMIN_SEES_SUBJECTS", '"yes\\nx = 1" is not allowed. Use true or false.'),
    ]


@pytest.mark.parametrize("variable", sorted(KEY_VARIABLES))
def test_every_key_outside_the_routes_comes_from_its_variable(variable: str) -> None:
    section, key = KEY_VARIABLES[variable]
    values = {"client_id": "other", "domains": '["b.example"]', "sites": '["https://b.atlassian.net"]'}
    values |= {"listen": "127.0.0.1:1", "timezone": "Europe/Berlin", "brake": "off", "max_body": "1 MiB"}
    values |= {"scopes": "classic-attachments", "backlog": "ignore", "narrow_replies": "skip", "wait": "1s"}
    values |= {"poll_every": "2s", "poll_idle": "3s", "full_pass_every": "1h", "units_per_minute": "7000"}
    values |= {"url": "postgresql://h/d", "show_addresses": "always", "signatures": "drop", "remote_images": "drop"}
    values |= {"action_links": "keep", "admin_sees_subjects": "true", "collapse_quotes": "false"}
    values |= {"skip_automatic": "false", "mode": "observe"}
    raw = values.get(key, "/etc/other" if key.endswith("_file") else "https://other.example.com")
    before, after = check(GOOD, {}), check(GOOD, {variable: raw})
    assert after.faults == ()
    found = {entry.key: entry.origin.variable for entry in after.entries if entry.origin.source == "environment"}
    assert found == {f"{section}.{key}": variable}
    assert getattr(getattr(after.settings, section), key) != getattr(getattr(before.settings, section), key)


LINES = EXAMPLE.read_text(encoding="utf-8").split("\n")
VALUES = st.sampled_from(
    r"""1|-1|true|""|"x"|"{"|"%"|[]|[""]|["a", 1]|{}|{ a = 1 }|2026-01-01|07:00:00|nan|inf|{}}|[[1], {}]|~""".split("|")
    + r""""off"|"/"|'http://['|"1e9 s"|"\u0000"|"\U0001F600"|"{date:%"|["x", "x"]|[{}]|9223372036854775808""".split("|")
)
EDITS = st.one_of(
    st.tuples(st.just("drop"), st.integers(0, len(LINES) - 1), st.just("")),
    st.tuples(st.just("double"), st.integers(0, len(LINES) - 1), st.just("")),
    st.tuples(st.just("uncomment"), st.integers(0, len(LINES) - 1), st.just("")),
    st.tuples(st.just("value"), st.integers(0, len(LINES) - 1), VALUES),
    st.tuples(st.just("insert"), st.integers(0, len(LINES) - 1), st.text(max_size=8)),
    st.tuples(st.just("swap"), st.integers(0, len(LINES) - 1), st.just("")),
)


def _edited(edits: list[tuple[str, int, str]], seed: int) -> str:
    lines = list(LINES)
    chance = random.Random(seed)
    for kind, place, word in edits:
        at = place % len(lines)
        line = lines[at]
        match kind:
            case "drop" if len(lines) > 1:
                del lines[at]
            case "double":
                lines.insert(at, line)
            case "uncomment":
                lines[at] = line.removeprefix("# ")
            case "value":
                lines[at] = f"{line.removeprefix('# ').partition('=')[0]}= {word}"
            case "insert":
                cut = chance.randint(0, len(line))
                lines[at] = line[:cut] + word + line[cut:]
            case _:
                other = chance.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
    return "\n".join(lines)


@given(st.lists(EDITS, min_size=1, max_size=6), st.integers(0, 1000))
def test_edits_of_the_example_give_settings_or_faults_and_never_anything_else(
    edits: list[tuple[str, int, str]], seed: int
) -> None:
    text = _edited(edits, seed)
    checked = check(text, {})
    assert (checked.settings is None) == bool(checked.faults)
    for fault in checked.faults:
        assert 1 <= fault.line <= text.count("\n") + 1
        assert fault.column >= 1
        assert fault.what.endswith((".", "?"))
        assert "\n" not in fault.key + fault.what
    shown = render_faults(SYSTEM.config, checked.faults, running=False)
    assert len(shown.splitlines()) == len(checked.faults) + 2
    assert "\n" not in one_line(SYSTEM.config, checked.faults)


@given(st.dictionaries(st.sampled_from(sorted(KEY_VARIABLES)), st.text(max_size=12), max_size=4))
def test_any_text_in_the_environment_gives_settings_or_faults(environ: dict[str, str]) -> None:
    checked = check(GOOD, environ)
    assert (checked.settings is None) == bool(checked.faults)
    assert all(isinstance(fault, Fault) and fault.line == 0 and fault.key in environ for fault in checked.faults)
