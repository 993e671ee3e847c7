"""Behaviours of the sandbox's Confluence and Atlassian sign-in that a test turns on or off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass
class Switches:
    """The defaults are what is known or likely of the real service.

    Attributes:
        strict_storage: refuse bodies that the tables of ``storage_rules`` do not name (Confluence takes nearly all).
        files_must_exist: refuse a published body or a comment that names a file which is not on the page.
        trashed_titles_taken: a title in the trash counts as taken.
        draft_titles_checked: a draft's title is checked already when it is made.
        draft_needs_get_draft: a draft that was never published is found with ``get-draft=true`` only.
        restrictions_available: the site's plan has restrictions; without, ``private=true`` is a 404.
        put_uploads_to_drafts: PUT of a file works on drafts too.
        status_as_text: v2 errors give the status as text, as some recordings do.
        stale_comment_status: what a comment update with a wrong version answers.
        comment_lag: the number of listings that miss a new comment, within minutes after it was made.
        draft_files_listed: the list of files answers for drafts too; without, it is a 404.
        half_uploads: the number of coming uploads that answer 503 and leave an entry with the name and no bytes.
        max_file_bytes: the site's limit for one file.
        search_lag_seconds: how long the search index misses a change.
        revoked_answer: what a call under a revoked grant gets: v2 a bare 404 and v1 a 403, or the gateway's 401.
        leeway_gives_same_token: a refresh token that is used again in its leeway gives the same answer again.
        duplicate_resources: every site stands twice in accessible-resources, first with Jira's scopes.
        enforce_quota: answer 429 when the hour's points are used up.
    """

    strict_storage: bool = True
    files_must_exist: bool = True
    trashed_titles_taken: bool = False
    draft_titles_checked: bool = False
    draft_needs_get_draft: bool = False
    restrictions_available: bool = True
    put_uploads_to_drafts: bool = False
    status_as_text: bool = False
    stale_comment_status: Literal[400, 409] = 409
    comment_lag: int = 0
    draft_files_listed: bool = True
    half_uploads: int = 0
    max_file_bytes: int = 100 * 1024 * 1024
    search_lag_seconds: int = 20
    revoked_answer: Literal["not-found", "gateway"] = "not-found"
    leeway_gives_same_token: bool = False
    duplicate_resources: bool = False
    enforce_quota: bool = True
