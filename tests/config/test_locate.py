from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bridge.config.locate import KeyPath, Spot, locate, nearest

DOCUMENT = '''\
top = 1
a.b = "x # no comment"
[google]   # [not.a.header]
domains = [
  "one",   # ]
  "two",
]
"quoted key" = 'c'
long = """
[routes]
name = "no key"
"""
  indented = { x = 1, y.z = [1, 2] }
[[routes]]
name = "first"
[[routes]]
name = "second"
[routes.sub]
deep = true
[[routes.many]]
n = 1
[[routes.many]]
n = 2
'''


def test_every_kind_of_key_is_found_with_line_and_column() -> None:
    assert locate(DOCUMENT) == {
        ("top",): (1, 1),
        ("a",): (2, 1),
        ("a", "b"): (2, 3),
        ("google",): (3, 1),
        ("google", "domains"): (4, 1),
        ("google", "domains", 0): (5, 3),
        ("google", "domains", 1): (6, 3),
        ("google", "quoted key"): (8, 1),
        ("google", "long"): (9, 1),
        ("google", "indented"): (13, 3),
        ("google", "indented", "x"): (13, 16),
        ("google", "indented", "y"): (13, 23),
        ("google", "indented", "y", "z"): (13, 25),
        ("google", "indented", "y", "z", 0): (13, 30),
        ("google", "indented", "y", "z", 1): (13, 33),
        ("routes",): (14, 1),
        ("routes", 0): (14, 1),
        ("routes", 0, "name"): (15, 1),
        ("routes", 1): (16, 1),
        ("routes", 1, "name"): (17, 1),
        ("routes", 1, "sub"): (18, 1),
        ("routes", 1, "sub", "deep"): (19, 1),
        ("routes", 1, "many"): (20, 1),
        ("routes", 1, "many", 0): (20, 1),
        ("routes", 1, "many", 0, "n"): (21, 1),
        ("routes", 1, "many", 1): (22, 1),
        ("routes", 1, "many", 1, "n"): (23, 1),
    }


def test_windows_line_ends_count_as_one() -> None:
    assert locate("a = 1\r\n\r\n[b]\r\nc = 2\r\n")["b", "c"] == Spot(4, 1)


def test_nearest_goes_outwards_and_ends_at_the_first_line() -> None:
    spots = locate("\n[google]\n")
    assert nearest(spots, ("google", "client_id")) == Spot(2, 1)
    assert nearest(spots, ("atlassian", "sites", 0)) == Spot(1, 1)


SCALARS = st.sampled_from(
    [
        "1",
        "-2.5",
        "1_000",
        "true",
        "1979-05-27 07:32:00",
        '""',
        "''",
        '"a # b = ]}"',
        "'c ] d \\'",
        r'"\"q\" \\"',
        '"""x\n# = [y]\n"""',
        "'''\nz = 1\n'''",
        '"""a""""',
        '"""a"""""',
        '"""""b"""',
        "'''''b''''",
        '""""""',
        '"""\\\n  folded \\""""',
    ]
)


def _lists(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    gap = st.sampled_from([", ", ",", ",\n  # a comment, ] [\n  ", " , "])
    return st.tuples(st.lists(inner, max_size=3), gap, st.sampled_from(["", "\n", " # [\n"])).map(
        lambda made: f"[{made[2]}{made[1].join(made[0])}{made[2]}]"
    )


def _inline(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    keys = st.lists(st.sampled_from(["a", "b.c", '"d }"', "'e = '", "f . g"]), unique=True, max_size=4)
    return st.tuples(keys, inner).map(lambda made: "{ " + ", ".join(f"{key} = {made[1]}" for key in made[0]) + " }")


VALUES = st.recursive(SCALARS, lambda inner: _lists(inner) | _inline(inner), max_leaves=6)
PAIRS = st.lists(st.tuples(st.sampled_from(["{}", "{}.x", '"{}"', "'{}'.\"y # z\"", " {} "]), VALUES), max_size=4)
HEADERS = st.sampled_from(["[t{}]", "[[many]]", "[[many.inner]]", "[ u{} . 'v.w' ]", "[t{}.deep]", "[[ u{} ]] # x"])


@st.composite
def documents(draw: st.DrawFn) -> str:
    lines = ["[[many]]"] if draw(st.booleans()) else []
    lines += [f"k{number}x = {value}" for number, value in enumerate(draw(st.lists(VALUES, max_size=2)))][
        : 0 if lines else 2
    ]
    number = 0
    for header, pairs in draw(st.lists(st.tuples(HEADERS, PAIRS), max_size=5)):
        if header == "[[many.inner]]":
            lines.append("[[many]]")
        lines.append(header.format(number))
        for style, value in pairs:
            number += 1
            lines.append(f"{style.format(f'k{number}')} = {value}{draw(st.sampled_from(['', ' # c']))}")
        number += 1
    return draw(st.sampled_from(["\n", "\n\n", "\n# = [x]\n"])).join(lines)


def _paths(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    inner: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    found = {path} if path else set()
    for key, one in inner:
        found |= _paths(one, (*path, key))
    return found


@given(documents())
def test_finds_exactly_the_keys_that_tomllib_finds_and_each_where_it_stands(text: str) -> None:
    spots = locate(text)
    assert set(spots) == _paths(tomllib.loads(text))
    lines = text.split("\n")
    for path, spot in spots.items():
        rest = lines[spot.line - 1][spot.column - 1 :]
        if isinstance(path[-1], str) and not rest.startswith("["):
            assert rest.lstrip("\"'").startswith(path[-1])


@given(st.text(alphabet="[]{}=.,#\"'\\\n ab1", max_size=40))
def test_never_fails_or_hangs_on_any_text(text: str) -> None:
    try:
        document = tomllib.loads(text)
    except ValueError:
        return
    assert set(locate(text)) == _paths(document)
