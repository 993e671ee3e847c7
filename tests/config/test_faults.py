from __future__ import annotations

from pathlib import Path

from bridge.config import ConfigFaults, Fault, one_line, render_faults
from bridge.config.faults import either, key_name, quoted
from bridge.errors import ConfigError

PATH = Path("/etc/mailbridge/config.toml")
TWO = (
    Fault(14, 1, "atlassian.site", 'unknown key. Did you mean "sites"?'),
    Fault(58, 1, "routes[2].replies", '"comment" is not allowed. Use "comments" or "none".'),
)


def test_faults_read_as_the_terminal_shows_them() -> None:
    assert render_faults(PATH, TWO, running=True) == (
        "/etc/mailbridge/config.toml has 2 faults; "
        "nothing was changed and the service runs on with the last good one.\n"
        '  line 14  atlassian.site       unknown key. Did you mean "sites"?\n'
        '  line 58  routes[2].replies    "comment" is not allowed. Use "comments" or "none".\n'
        "Mend them and run this again."
    )


def test_one_fault_is_told_in_the_singular_and_places_are_in_a_column() -> None:
    faults = (Fault(0, 0, "MAILBRIDGE_WEB__LISTEN", "is wrong."), Fault(9, 2, "", "not valid TOML: x."))
    assert render_faults(PATH, faults[:1], running=False).splitlines()[::2] == [
        "/etc/mailbridge/config.toml has 1 fault; nothing was changed.",
        "Mend it and run this again.",
    ]
    assert render_faults(PATH, faults, running=False).splitlines()[1:3] == [
        "  environment  MAILBRIDGE_WEB__LISTEN    is wrong.",
        "  line 9       not valid TOML: x.",
    ]


def test_the_error_carries_the_faults_and_prints_them() -> None:
    error = ConfigFaults(PATH, TWO)
    assert isinstance(error, ConfigError)
    assert (error.path, error.faults) == (PATH, TWO)
    assert str(error) == render_faults(PATH, TWO, running=False)


def test_a_log_gets_one_line_with_file_line_and_column() -> None:
    assert one_line(PATH, TWO) == (
        '/etc/mailbridge/config.toml:14:1: atlassian.site: unknown key. Did you mean "sites"? (and 1 more)'
    )
    assert one_line(PATH, (Fault(0, 0, "", "is not there."),)) == "/etc/mailbridge/config.toml: is not there."
    assert one_line(PATH, ()) == ""


def test_words() -> None:
    assert either(["a"]) == "a"
    assert either(["a", "b", "c"], last="and") == "a, b and c"
    assert either([]) == ""
    assert key_name(("routes", 1, "a b", "c")) == 'routes[2]."a b".c'
    assert quoted("x" * 99) == '"' + "x" * 57 + '..."'
    assert quoted("a\u202eb") == '"a\\u202eb"'
