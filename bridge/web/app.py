"""The web application. It keeps no session and needs no script; a link's ``state`` is all that a browser brings.

Nothing that a browser sends is logged: the addresses of the redirects hold codes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from bridge.config import Settings
from bridge.errors import BridgeError, ConsentFailed, Provider
from bridge.oauth.consent import Consents, Outcome
from bridge.store import accounts, publications
from bridge.store.engine import Store
from bridge.store.tables import Publication, PublicationState
from bridge.web.pages import Pages

SITE_PATH = "/oauth/site"

_LARGEST_FORM = 8192
_KINDS = {"page": "page", "blogpost": "blog post", "comment": "comment"}
_BACK = "You can close this window and go back to where you began."


@dataclass(frozen=True, slots=True)
class Web:
    """What the pages need.

    Args:
        consents: finishes consents.
        store: for "What is this page?".
        settings: gives the settings in force.
    """

    consents: Consents
    store: Store
    settings: Callable[[], Settings]


def make_app(web: Web) -> FastAPI:
    """Return the application."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    pages = Pages()
    _add_headers(app, pages)
    _add_errors(app, pages)
    _add_consents(app, web, pages)

    @app.get("/", response_class=HTMLResponse)
    def start() -> HTMLResponse:
        return pages.message(
            "mailbridge",
            "This is the service that publishes labelled Gmail threads to Confluence.",
            "To connect your Gmail and your Confluence, ask whoever runs it for your two links.",
        )

    @app.get("/healthz")
    def health() -> JSONResponse:
        with web.store.read() as session:
            publications.by_uid(session, "")
        return JSONResponse({"status": "ok"})

    @app.get("/p/{uid}", response_class=HTMLResponse)
    def about(uid: str) -> HTMLResponse:
        return _about(web, pages, uid)

    return app


def _add_headers(app: FastAPI, pages: Pages) -> None:
    @app.middleware("http")
    async def headers(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await go_on(request)
        response.headers.update(pages.headers)
        return response


def _add_errors(app: FastAPI, pages: Pages) -> None:
    @app.exception_handler(HTTPException)
    async def unknown(request: Request, error: HTTPException) -> HTMLResponse:
        heading = "There is nothing here" if error.status_code == 404 else "This does not work"
        page = pages.message(heading, "Check the address, or go back.", status=error.status_code)
        page.headers.update(error.headers or {})
        return page

    @app.exception_handler(ConsentFailed)
    async def failed(request: Request, error: ConsentFailed) -> HTMLResponse:
        return pages.message("Not connected", str(error), status=400)

    @app.exception_handler(BridgeError)
    async def unusable(request: Request, error: BridgeError) -> HTMLResponse:
        return pages.message("This does not work now", "Please try again in a few minutes.", status=503)


def _add_consents(app: FastAPI, web: Web, pages: Pages) -> None:
    def finish(provider: Provider, state: str, code: str, error: str) -> HTMLResponse:
        if not state:
            raise ConsentFailed(
                "This address is where a consent ends; nothing begins here. Open the link you were given."
            )
        return _outcome(web, pages, web.consents.finish(provider, state, code=code, error=error), state)

    @app.get("/oauth/google", response_class=HTMLResponse)
    def google(state: str = "", code: str = "", error: str = "") -> HTMLResponse:
        return finish("google", state, code, error)

    @app.get("/oauth/atlassian", response_class=HTMLResponse)
    def atlassian(state: str = "", code: str = "", error: str = "") -> HTMLResponse:
        return finish("atlassian", state, code, error)

    @app.post(SITE_PATH, response_class=HTMLResponse)
    async def site(request: Request) -> HTMLResponse:
        form = await _form(request)
        state, chosen = form.get("state", ""), form.get("site", "")
        outcome = await run_in_threadpool(web.consents.choose_site, state, chosen)
        return _outcome(web, pages, outcome, state)


async def _form(request: Request) -> dict[str, str]:
    """Return a small form's fields; the state in it is what proves that it was sent from our own page."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_FORM:
            raise HTTPException(413)
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


def _outcome(web: Web, pages: Pages, outcome: Outcome, state: str) -> HTMLResponse:
    if outcome.state == "choose site":
        return pages.page(
            "sites.html", sentence=outcome.sentence, choices=outcome.choices, state=state, action=SITE_PATH
        )
    if outcome.state == "failed":
        return pages.message("Not connected", outcome.sentence, status=400)
    if outcome.provider == "google":
        return pages.message("Gmail is connected", outcome.sentence, _BACK)
    return pages.message("Confluence is connected", f"{outcome.sentence} {_next_step(web)}", _BACK)


def _next_step(web: Web) -> str:
    labels = list(dict.fromkeys(route.label for route in web.settings().routes))
    return (
        f'Now label a thread "{labels[0]}" in Gmail.' if labels else "Once there is a route, label a thread in Gmail."
    )


def _about(web: Web, pages: Pages, uid: str) -> HTMLResponse:
    """Say what a published page is: whose, and where; nothing of its mail."""
    with web.store.read() as session:
        publication = publications.by_uid(session, uid)
        account = accounts.by_id(session, publication.account_id) if publication is not None else None
    if publication is None or account is None or not publication.content_id:
        return pages.message(
            "Nothing is known about this page",
            "It was not published from here, or its record is gone. Ask whoever sent you the link.",
            status=404,
        )
    return pages.page(
        "about.html",
        kind=_KINDS.get(publication.kind, "page"),
        name=account.name or account.address,
        url=_link(publication),
        removed=publication.state is PublicationState.REMOVED,
    )


def _link(publication: Publication) -> str:
    return publication.url if publication.url.startswith(("https://", "http://")) else ""
