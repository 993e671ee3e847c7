"""The list of the product's HTTP requests is whole, each is made in its scene, and N is as large as it must be."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.confluence import Confluence
from bridge.gmail import Gmail
from bridge.sandbox.faults import CATALOGUE, OPERATIONS

from faults.matrix_calls import CALLS
from faults.matrix_cells import cells
from faults.matrix_runs import plainly
from faults.matrix_scenes import SCENES, Scene
from faults.matrix_stage import Stage
from support.shared import ROOT

CLIENTS: dict[str, tuple[str, ...]] = {
    "profile": ("gmail.users.getProfile",),
    "labels": ("gmail.users.labels.list", "getPageLabels", "getBlogPostLabels"),
    "history": ("gmail.users.history.list",),
    "threads_with_label": ("gmail.users.threads.list",),
    "thread": ("gmail.users.threads.get",),
    "label_ids": ("gmail.users.threads.get",),
    "message": ("gmail.users.messages.get",),
    "attachment": ("gmail.users.messages.attachments.get",),
    "space": ("getSpaces",),
    "current_user": ("getCurrentUser",),
    "content": ("getPageById", "getBlogPostById"),
    "find_parent": ("getPages",),
    "newest": ("getPages", "getBlogPosts"),
    "create_draft": ("createPage", "createBlogPost"),
    "publish": ("updatePage", "updateBlogPost"),
    "versions": ("getPageVersions", "getBlogPostVersions"),
    "add_labels": ("addLabelsToContent",),
    "property": ("getPageContentProperties", "getBlogpostContentProperties"),
    "set_property": ("createPageProperty", "createBlogpostProperty"),
    "comment_on": ("createFooterComment",),
    "reply_to": ("createFooterComment",),
    "comment": ("getFooterCommentById",),
    "comments": ("getPageFooterComments", "getBlogPostFooterComments"),
    "replies": ("getFooterCommentChildren",),
    "upload": ("createAttachment",),
    "replace_data": ("updateAttachmentData",),
    "files": ("getPageAttachments", "getBlogpostAttachments"),
    "readers": ("getRestrictions",),
    "restrict": ("updateRestrictions",),
}
"""What each method of both clients asks for."""

OAUTH = (
    "google.oauth.token",
    "google.oauth.userinfo",
    "atlassian.oauth.token",
    "atlassian.oauth.resources",
)
BELOW_OTHERS = {"by_title": "find_parent"}
"""Methods that the product calls by way of another one alone."""

UNUSED = {"trash"}
"""Methods that nothing in the product calls yet."""

NO_REQUEST = {"close", "fenced"}
LISTED = {call.operation for call in CALLS}


def _methods(*clients: type) -> Iterator[str]:
    for client in clients:
        yield from (name for name in dir(client) if not name.startswith("_"))


def test_every_method_of_the_clients_is_in_the_list() -> None:
    known = set(CLIENTS) | set(BELOW_OTHERS) | UNUSED | NO_REQUEST
    assert set(_methods(Gmail, Confluence)) == known
    assert {name for names in CLIENTS.values() for name in names} | set(OAUTH) == LISTED


@pytest.mark.parametrize("method", sorted(UNUSED | set(BELOW_OTHERS)))
def test_what_is_left_out_is_called_by_nothing(method: str) -> None:
    called = [
        file.name
        for file in (ROOT / "bridge").rglob("*.py")
        if "sandbox" not in file.parts and "simulator" not in file.parts and _calls(file, method)
    ]
    assert called == [], f"{method} is called: give it a scene and a line in CALLS"


def _calls(file: Path, method: str) -> bool:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method:
            owner = node.func.value
            if not (isinstance(owner, ast.Name) and owner.id == "self"):
                return True
    return False


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_whatever_a_scene_asks_for_is_in_the_list_and_its_calls_are_made(scene: Scene, tmp_path: Path) -> None:
    stage = Stage(scene, tmp_path / "mailbridge")
    try:
        made = Counter(operation for operation, _, _ in plainly(stage).calls)
    finally:
        stage.close()
    assert set(made) <= LISTED
    mine = [call for call in CALLS if call.scene == scene.name]
    assert [call.name for call in mine if made[call.operation] < call.nth] == []


def test_there_are_as_many_cells_as_operations_times_the_faults_that_apply() -> None:
    found = {(cell.call.operation, cell.column.kind) for cell in cells()}
    wanted = {
        (operation, kind.name)
        for operation in LISTED
        for kind in CATALOGUE.values()
        if kind.applies(*OPERATIONS[operation], operation)
    }
    assert found == wanted
    assert len(cells()) >= len(wanted)
