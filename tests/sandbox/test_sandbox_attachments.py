from __future__ import annotations

import hashlib

import requests

from support.atlassian_world import ADA, BEN, Client, World


def listed(client: Client, page: str, **params: str) -> list[tuple[str, int, int]]:
    rows = client.v2("GET", f"/pages/{page}/attachments", params=params).json()["results"]
    return [(row["title"], row["fileSize"], row["version"]["number"]) for row in rows]


def test_post_creates_and_refuses_an_existing_name(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    ada = world.client()
    held = ada.upload(page, "Grüße a b.txt", b"hello", comment="Füße").json()
    row = held["results"][0]
    assert (held["size"], row["title"], row["type"]) == (1, "Grüße a b.txt", "attachment")
    assert row["id"].startswith("att")
    assert row["id"][3:].isdecimal()
    assert (row["extensions"]["fileSize"], row["metadata"]["comment"]) == (5, "Füße")
    again = ada.upload(page, "Grüße a b.txt", b"other")
    assert again.status_code == 400
    text = "Cannot add a new attachment with same file name as an existing attachment: Grüße a b.txt"
    assert again.json()["message"].endswith(text)
    file = world.half.attachments[0]
    assert (file.sha256, len(file.versions)) == (hashlib.sha256(b"hello").hexdigest(), 1)


def test_put_makes_a_new_version_with_the_same_id(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    ada = world.client()
    first = ada.upload(page, "a.txt", b"1", method="PUT").json()["results"][0]
    second = ada.upload(page, "a.txt", b"22", method="PUT").json()["results"][0]
    assert (first["id"], first["version"]["number"]) == (second["id"], 1)
    assert listed(ada, page) == [("a.txt", 2, 2)]


def test_without_the_token_header_the_answer_is_plain_text(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    files = {"file": ("a.txt", b"x"), "minorEdit": (None, "true")}
    answer = world.client().v1("POST", f"/content/{page}/child/attachment", files=files)
    assert (answer.status_code, answer.text) == (403, "XSRF check failed")
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_a_comment_without_charset_is_read_as_latin_1(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    files = [("file", ("a.txt", b"x")), ("minorEdit", (None, "true")), ("comment", (None, "Füße".encode()))]
    headers = {"X-Atlassian-Token": "nocheck"}
    answer = world.client().v1("POST", f"/content/{page}/child/attachment", files=files, headers=headers)
    assert answer.json()["results"][0]["metadata"]["comment"] == "FÃ¼Ã\x9fe"


def test_a_draft_takes_files_with_status_draft_only(world: World) -> None:
    ada = world.client()
    sent = {"spaceId": world.space_id(), "status": "draft", "title": "Plan"}
    draft = ada.v2("POST", "/pages", json=sent).json()["id"]
    assert ada.upload(draft, "a.txt", b"x").status_code == 404
    assert ada.upload(draft, "a.txt", b"x", status="draft").status_code == 200
    assert ada.upload(draft, "b.txt", b"x", method="PUT", status="draft").status_code == 404
    assert listed(ada, draft) == [("a.txt", 1, 1)]
    assert world.client(BEN).upload(draft, "c.txt", b"x", status="draft").status_code == 404


def test_list_by_name_is_exact_and_50_long(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    for number in range(60):
        world.half.upload_file(ADA, page, f"{number}.txt", b"x" * number)
    ada = world.client()
    assert listed(ada, page, filename="7.txt") == [("7.txt", 7, 1)]
    assert listed(ada, page, filename="07.txt") == []
    assert len(listed(ada, page)) == 50
    assert len(listed(ada, page, limit="250")) == 60


def test_download_redirects_to_an_address_that_needs_no_authorization(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    data = bytes(range(256))
    file = world.half.upload_file(ADA, page, "a #%.bin", data).id
    ada = world.client()
    link = ada.v2("GET", f"/attachments/{file}").json()["downloadLink"]
    answer = ada.session.get(f"{ada.base}/wiki{link}", allow_redirects=False, timeout=10)
    assert answer.status_code == 302
    assert requests.get(answer.headers["Location"], timeout=10).content == data
    assert requests.get(answer.headers["Location"].split("?")[0], timeout=10).status_code == 403
    assert world.client(BEN).v1("GET", f"/content/{page}/child/attachment/{file}/download").status_code == 200


def test_new_bytes_by_data(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    file = world.half.upload_file(ADA, page, "a.txt", b"x").id
    files = [("file", ("other.txt", b"new")), ("minorEdit", (None, "true"))]
    path = f"/content/{page}/child/attachment/{file}/data"
    answer = world.client().v1("POST", path, files=files, headers={"X-Atlassian-Token": "no-check"})
    assert (answer.json()["title"], answer.json()["version"]["number"]) == ("a.txt", 2)
    assert world.half.attachments[0].version.data == b"new"


def test_a_broken_off_upload_leaves_a_half_entry(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    world.half.switches.half_uploads = 1
    ada = world.client()
    mark = world.core.journal.mark()
    assert ada.upload(page, "a.txt", b"whole").status_code == 503
    assert listed(ada, page) == [("a.txt", 0, 1)]
    assert [seen.operation for seen in world.core.journal.writes(mark)] == ["createAttachment"]
    assert ada.upload(page, "a.txt", b"whole").status_code == 400
    assert ada.upload(page, "a.txt", b"whole", method="PUT").status_code == 200
    assert world.half.attachments[0].half is False


def test_too_large_and_illegal_names(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    world.half.switches.max_file_bytes = 10
    ada = world.client()
    assert ada.upload(page, "a.txt", b"x" * 11).status_code == 404
    assert ada.upload(page, "a/b.txt", b"x").status_code == 400
    assert world.half.attachments == []


def test_delete_goes_to_the_trash_and_frees_the_name(world: World) -> None:
    page = world.half.create_page(ADA, "ENG", "Plan").id
    file = world.half.upload_file(ADA, page, "a.txt", b"x").id
    ada = world.client()
    assert ada.v2("DELETE", f"/attachments/{file}").status_code == 204
    assert listed(ada, page) == []
    assert listed(ada, page, status="trashed") == [("a.txt", 1, 1)]
    assert ada.upload(page, "a.txt", b"x").status_code == 200
    assert ada.v2("DELETE", "/attachments/77").json()["errors"][0]["title"] == "Expected type is ContentId"


def test_a_site_may_list_the_files_of_a_draft_to_nobody(world: World) -> None:
    draft = world.half.create_page(ADA, "ENG", "Plan", status="draft").id
    ada = world.client()
    assert ada.v2("GET", f"/pages/{draft}/attachments").status_code == 200
    world.half.switches.draft_files_listed = False
    assert ada.v2("GET", f"/pages/{draft}/attachments").status_code == 404
