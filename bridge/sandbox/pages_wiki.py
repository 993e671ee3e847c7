"""The wiki page: spaces, pages, posts and comments as Confluence would show them to the person who reads.

Who reads is kept in the cookie ``wiki_reader`` and chosen by ``?as=ADDRESS`` on any address, so that restrictions show.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote, urlencode

from werkzeug.wrappers import Request, Response

from bridge import viewer
from bridge.sandbox.confluence_access import can_view, may
from bridge.sandbox.confluence_shapes import webui
from bridge.sandbox.confluence_state import Attachment, Comment, Page, Person, Space, Version, Wiki
from bridge.sandbox.core import Core, Handler
from bridge.sandbox.pages import Pages, name_of, reader_of, stamp, wiki_stamp

COOKIE = "wiki_reader"
_SHOWN_INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"})
_GMAIL = re.compile(r'href="https://mail\.google\.com/mail/[^"#]*#search/rfc822msgid%3A([^"]+)"', re.IGNORECASE)


class WikiPage:
    """The page under ``/wiki``; see ``wiki_page`` for the arguments."""

    def __init__(self, core: Core, wiki: Wiki, mail: str) -> None:
        self._core, self._wiki, self._mail = core, wiki, mail
        self._pages = Pages("/wiki/live.js")

    def __call__(self, request: Request) -> Response:
        """Answer a request at or below ``/wiki``."""
        if request.method not in ("GET", "HEAD"):
            return self._pages.plain("The wiki is only for looking.", 405)
        with self._core.lock:
            if "as" in request.args:
                return self._choose(request)
            reader = self._reader(request)
            path = unquote(request.path).rstrip("/")
            if path == "/wiki/state.json":
                return self._pages.json({"stamp": self._stamp()})
            if path == "/wiki/live.js":
                return self._pages.script()
            if reader is None:
                return self._pages.plain("The wiki has no people yet.", 404)
            return self._route(request, path.removeprefix("/wiki").strip("/").split("/"), reader)

    def _route(self, request: Request, parts: list[str], reader: Person) -> Response:
        match parts:
            case [""] | ["home"]:
                return self._show(request, reader, "wiki_home.html", "Home", drafts=self._drafts(reader), space=None)
            case ["spaces", key] | ["spaces", key, "pages"] | ["spaces", key, "blog"]:
                return self._space(request, reader, key)
            case ["spaces", key, "overview"]:
                space = self._wiki.space_by_key(key)
                home = self._wiki.content.get(space.homepage_id) if space else None
                return self._page(request, reader, home.id) if home else self._space(request, reader, key)
            case ["spaces", _, "pages", page_id, *_] if page_id != "edit-v2":
                return self._page(request, reader, page_id)
            case ["spaces", _, "pages", "edit-v2", page_id]:
                return self._page(request, reader, page_id)
            case ["spaces", _, "blog", _, _, _, page_id, *_] | ["spaces", _, "blog", page_id, *_]:
                return self._page(request, reader, page_id)
            case ["pages", "resumedraft.action" | "viewpage.action"]:
                return self._page(request, reader, request.args.get("draftId") or request.args.get("pageId", ""))
            case ["download", "attachments", page_id, *name]:
                return self._download(request, reader, page_id, "/".join(name))
        return self._missing(request, reader)

    def _choose(self, request: Request) -> Response:
        rest = [(key, value) for key, value in request.args.items(multi=True) if key != "as"]
        response = self._pages.back(quote(request.path) + ("?" + urlencode(rest) if rest else ""))
        chosen = reader_of(self._wiki, request.args["as"])
        if chosen is not None:
            response.set_cookie(COOKIE, chosen.address, samesite="Lax", httponly=True, path="/wiki")
        return response

    def _reader(self, request: Request) -> Person | None:
        chosen = reader_of(self._wiki, request.cookies.get(COOKIE, ""))
        return chosen or next(iter(self._wiki.people.values()), None)

    def _stamp(self) -> str:
        return stamp(wiki_stamp(self._wiki))

    def _show(self, request: Request, reader: Person, template: str, title: str, **values: Any) -> Response:
        spaces = [space for space in self._wiki.spaces.values() if may(space, reader, "view")]
        return self._pages.page(
            request,
            template,
            title=title,
            reader=reader,
            people=list(self._wiki.people.values()),
            spaces=spaces,
            here=request.path,
            mail=self._mail,
            stamp=self._stamp(),
            state="/wiki/state.json",
            name=lambda account: name_of(self._wiki, account),
            url=lambda page: "/wiki" + webui(self._wiki, page),
            content_css=viewer.CSS,
            **values,
        )

    def _missing(self, request: Request, reader: Person) -> Response:
        return self._show(request, reader, "wiki_missing.html", "Not found", status=404, space=None)

    def _drafts(self, reader: Person) -> list[Page]:
        return [p for p in self._wiki.content.values() if p.status == "draft" and p.author == reader.account_id]

    def _visible(self, reader: Person, space: Space, kind: str) -> list[Page]:
        pages = [page for page in self._wiki.content.values() if page.space == space.id and page.kind == kind]
        return [page for page in pages if page.status == "current" and can_view(self._wiki, reader, page)]

    def _tree(self, reader: Person, space: Space) -> list[tuple[int, Page]]:
        """Return the pages of a space, parents before children, each with its depth from 0."""
        pages = self._visible(reader, space, "page")
        below: dict[str, list[Page]] = {}
        ids = {page.id for page in pages if not page.is_home}
        for page in pages:
            if not page.is_home:
                below.setdefault(page.parent if page.parent in ids else "", []).append(page)
        rows: list[tuple[int, Page]] = []
        waiting = [(0, page) for page in reversed(below.get("", []))]
        while waiting:
            depth, page = waiting.pop()
            rows.append((depth, page))
            waiting += [(depth + 1, child) for child in reversed(below.get(page.id, []))]
        return rows

    def _space(self, request: Request, reader: Person, key: str) -> Response:
        space = self._wiki.space_by_key(key)
        if space is None or not may(space, reader, "view"):
            return self._missing(request, reader)
        return self._show(request, reader, "wiki_space.html", space.name, **self._around(reader, space))

    def _around(self, reader: Person, space: Space) -> dict[str, Any]:
        posts = sorted(self._visible(reader, space, "blogpost"), key=lambda page: page.created_at, reverse=True)
        drafts = [page for page in self._drafts(reader) if page.space == space.id]
        home = self._wiki.content.get(space.homepage_id)
        return {"space": space, "tree": self._tree(reader, space), "posts": posts, "drafts": drafts, "home": home}

    def _page(self, request: Request, reader: Person, page_id: str) -> Response:
        page = self._wiki.content.get(page_id)
        if page is None or page.status == "trashed" or not can_view(self._wiki, reader, page):
            return self._missing(request, reader)
        shown = self._version(page, request.args.get("version", ""))
        above = [p for p in self._wiki.ancestors(page) if not p.is_home][::-1]
        return self._show(
            request,
            reader,
            "wiki_page.html",
            shown.title or "Untitled draft",
            page=page,
            shown=shown,
            above=above,
            body=self._html(reader, page, shown.body),
            files=self._wiki.files_on(page.id),
            file_url=self._file_url,
            comments=self._comments(reader, page),
            focused=request.args.get("focusedCommentId", ""),
            only_for=self._only_for(page),
            **self._around(reader, self._wiki.spaces[page.space]),
        )

    @staticmethod
    def _version(page: Page, wanted: str) -> Version:
        if page.status == "draft" and page.draft is not None:
            return page.draft
        return next((version for version in page.versions if str(version.number) == wanted), page.version)

    def _only_for(self, page: Page) -> list[str]:
        people = [name_of(self._wiki, account) for account in page.read.users]
        return people + [f"group {group}" for group in page.read.groups]

    def _comments(self, reader: Person, page: Page) -> list[tuple[int, Comment, str]]:
        """Return the comments as (depth, comment, body as HTML), each answer below what it answers."""
        below: dict[str, list[Comment]] = {}
        for comment in self._wiki.comments_on(page.id):
            below.setdefault(comment.parent, []).append(comment)
        rows: list[tuple[int, Comment, str]] = []
        waiting = [(0, comment) for comment in reversed(below.get("", []))]
        while waiting:
            depth, comment = waiting.pop()
            rows.append((depth, comment, self._html(reader, page, comment.body)))
            waiting += [(depth + 1, answer) for answer in reversed(below.get(comment.id, []))]
        return rows

    def _html(self, reader: Person, page: Page, storage: str) -> str:
        """Return a body as HTML to look at; links to mail lead to the sandbox's mailbox instead of the real one."""
        shown = viewer.to_html(storage, attachment_url=self._urls_on(page))
        if not self._mail:
            return shown
        who = quote(reader.address, safe="")
        return _GMAIL.sub(lambda found: f'href="{self._mail}/thread?person={who}&amp;message={found[1]}"', shown)

    def _urls_on(self, page: Page) -> Callable[[str], str]:
        return lambda name: f"/wiki/download/attachments/{page.id}/{quote(name, safe='')}"

    @staticmethod
    def _file_url(file: Attachment) -> str:
        return f"/wiki/download/attachments/{file.page}/{quote(file.name, safe='')}"

    def _download(self, request: Request, reader: Person, page_id: str, name: str) -> Response:
        page = self._wiki.content.get(page_id)
        if page is None or not can_view(self._wiki, reader, page):
            return self._missing(request, reader)
        file = next((file for file in self._wiki.files_on(page_id) if file.name == name), None)
        if file is None:
            return self._missing(request, reader)
        kind = file.media_type.partition(";")[0].strip().lower()
        inline = kind in _SHOWN_INLINE
        response = Response(file.version.data, mimetype=kind if inline else "application/octet-stream")
        response.headers["Content-Disposition"] = (
            f"{'inline' if inline else 'attachment'}; filename*=UTF-8''{quote(name, safe='')}"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return response


def wiki_page(core: Core, wiki: Wiki, *, mail: str = "/mail") -> Handler:
    """Return the handler for ``/wiki``.

    Args:
        core: for its lock.
        wiki: what is shown.
        mail: path of the mailbox page, where "Open in Gmail" leads; '' leaves these links as they are.
    """
    return WikiPage(core, wiki, mail)
