"""Footer comments and replies to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.confluence.calls import V2, Calls
from bridge.confluence.contents import FOLDERS, READ_COMMENT, WRITE_COMMENT
from bridge.confluence.values import Comment, Kind, as_comment, rows, text
from bridge.errors import Temporary

_NEWEST_FIRST = {"sort": "-created-date", "body-format": "storage", "limit": "50"}


class Comments(Calls):
    """What is said below a page or post."""

    def comment_on(self, kind: Kind, content_id: str, storage: str) -> Comment:
        """Comment on a page or post.

        Raises:
            NotFound: it is gone, invisible to this person, or they may not comment.
            ValueError: the text is empty; Confluence would take it.
        """
        return self._create("pageId" if kind == "page" else "blogPostId", content_id, storage)

    def reply_to(self, comment_id: str, storage: str) -> Comment:
        """Reply to a comment.

        Raises:
            NotFound: it is gone, invisible to this person, or they may not comment.
            ValueError: the text is empty.
        """
        return self._create("parentCommentId", comment_id, storage)

    def comment(self, comment_id: str) -> Comment:
        """Return a comment with its text.

        Raises:
            NotFound: it was deleted, which is for good, or is invisible to this person.
        """
        params = {"body-format": "storage"}
        return as_comment(self._call("GET", f"{V2}/footer-comments/{comment_id}", scope=READ_COMMENT, params=params))

    def comments(self, kind: Kind, content_id: str) -> Iterator[Comment]:
        """Yield the root comments with their texts, newest first; replies are not among them.

        A new comment shows up with a delay: one that is not here may still have been made.
        """
        return self._list(f"{V2}/{FOLDERS[kind]}/{content_id}/footer-comments")

    def replies(self, comment_id: str) -> Iterator[Comment]:
        """Yield the replies to a comment with their texts, newest first; also with a delay."""
        return self._list(f"{V2}/footer-comments/{comment_id}/children")

    def _list(self, path: str) -> Iterator[Comment]:
        for page in self._pages(path, scope=READ_COMMENT, params=_NEWEST_FIRST):
            base = text(page, "_links", "base")
            for row in rows(page, "results"):
                yield as_comment(row, base)

    def _create(self, container: str, container_id: str, storage: str) -> Comment:
        if not storage.strip():
            raise ValueError("A comment needs a text.")
        data: dict[str, Any] = {container: container_id, "body": {"representation": "storage", "value": storage}}
        answer = self._call("POST", f"{V2}/footer-comments", write=True, scope=WRITE_COMMENT, json=data)
        comment = as_comment(answer)
        if not comment.id:
            raise Temporary(
                "Confluence's answer names no comment; it is tried again later.",
                provider="atlassian",
                maybe_applied=True,
            )
        return comment
