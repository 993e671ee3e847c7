"""Everything that stands in the sandbox's Confluence as plain data, without ids and times."""

from __future__ import annotations

import json
from typing import Any

from bridge.sandbox import storage
from bridge.sandbox.confluence_state import Comment, Page, Restriction, Wiki


def snapshot(wiki: Wiki) -> dict[str, Any]:
    """Return pages, blog posts and drafts, each list in an order that does not depend on ids.

    A page names its space by key, its parent by title and people by address; comments stand in the order in which they
    were made, replies below what they answer; files by name with digest, size and number of versions.
    """
    answer: dict[str, Any] = {"pages": [], "blogposts": [], "drafts": []}
    for page in wiki.content.values():
        if not page.is_home:
            name = "drafts" if page.status == "draft" else f"{page.kind}s"
            answer[name].append(_page(wiki, page))
    for rows in answer.values():
        rows.sort(key=lambda row: json.dumps(row, sort_keys=True))
    return answer


def _page(wiki: Wiki, page: Page) -> dict[str, Any]:
    space = wiki.spaces[page.space]
    above = wiki.content.get(page.parent)
    files = sorted(wiki.files_on(page.id), key=lambda file: file.name)
    comments = wiki.comments_on(page.id)
    return {
        "site": wiki.sites[space.site].name,
        "space": space.key,
        "kind": page.kind,
        "status": page.status,
        "title": page.title,
        "parent": above.title if above is not None else "",
        "author": _who(wiki, page.author),
        "version": page.version.number,
        "body": storage.without_ids(page.body),
        "labels": sorted(page.labels),
        "properties": {key: held.value for key, held in sorted(page.properties.items()) if "." in key},
        "read": _limits(wiki, page.read),
        "update": _limits(wiki, page.update),
        "files": [
            {
                "name": file.name,
                "media_type": file.media_type,
                "size": len(file.version.data),
                "sha256": file.sha256,
                "versions": len(file.versions),
                "author": _who(wiki, file.version.author),
                "half": file.half,
            }
            for file in files
        ],
        "comments": [_comment(wiki, held, comments) for held in comments if not held.parent],
    }


def _comment(wiki: Wiki, comment: Comment, everyone: list[Comment]) -> dict[str, Any]:
    return {
        "author": _who(wiki, comment.author),
        "version": comment.version.number,
        "body": storage.without_ids(comment.body),
        "replies": [_comment(wiki, held, everyone) for held in everyone if held.parent == comment.id],
    }


def _who(wiki: Wiki, account_id: str) -> str:
    person = wiki.person_by_account(account_id)
    return person.address if person is not None else account_id


def _limits(wiki: Wiki, held: Restriction) -> list[str]:
    return sorted([_who(wiki, user) for user in held.users] + [f"group:{group}" for group in held.groups])
