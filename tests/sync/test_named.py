from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import BridgeError
from bridge.sync.named import bare_address, named, thread_of

from support.installation import Installation

SITE = "https://example.atlassian.net/wiki/spaces/ENG"


@pytest.mark.parametrize(
    "name",
    [
        "18c0ffee0000002a",
        "18C0FFEE0000002A",
        "https://mail.google.com/mail/u/0/#all/18c0ffee0000002a",
        "1001",
        f"{SITE}/pages/1001",
        f"{SITE}/pages/1001/Release+plan",
        f"{SITE}/blog/2026/03/03/1001/Release+plan",
        f"{SITE}/pages/7/Another?focusedCommentId=1001",
        "abcde23456",
        "https://mailbridge.example.com/p/abcde23456",
    ],
)
def test_a_thread_is_named_by_its_id_or_by_what_it_became(tmp_path: Path, name: str) -> None:
    here = Installation.make(tmp_path)
    ada = here.person("Ada Lovelace")
    page = here.publication(ada, uid="abcde23456")
    here.follow(ada, "18c0ffee0000002a", publication_id=page.id)
    here.follow(here.person("Ben Hart"), "18c0ffee0000002b")
    with here.store.read() as session:
        assert [follow.thread_id for follow in named(session, f" {name} ")] == ["18c0ffee0000002a"]


@pytest.mark.parametrize("name", ["", "2002", "18c0ffee00000000", f"{SITE}/pages/2002", "x/p/zzzzzzzzzz", "%"])
def test_what_is_not_known_is_said(tmp_path: Path, name: str) -> None:
    here = Installation.make(tmp_path)
    ada = here.person("Ada Lovelace")
    here.follow(ada, "t1", publication_id=here.publication(ada, content_id="").id)
    with here.store.read() as session, pytest.raises(BridgeError, match="Nothing is followed under"):
        named(session, name)


def test_an_address_without_the_title(tmp_path: Path) -> None:
    assert bare_address(f"{SITE}/pages/1001/Secret+plan") == f"{SITE}/pages/1001"
    assert bare_address(f"{SITE}/blog/2026/03/03/1001/Secret?x=1") == f"{SITE}/blog/2026/03/03/1001?x=1"
    assert bare_address(f"{SITE}/pages/7?focusedCommentId=1") == f"{SITE}/pages/7?focusedCommentId=1"
    assert bare_address("") == ""
    assert thread_of("") == ""
