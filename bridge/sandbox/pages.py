"""What the two pages to look at share: templates, answers with a content policy, how names and times are shown."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from bridge.sandbox.confluence_state import Person, Wiki

POLICY = (
    "default-src 'none'; script-src {host}{script}; style-src 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def day(at: datetime) -> str:
    """Return a date as a reader likes it: "3 Mar 2026"."""
    return f"{at.day} {at:%b %Y}"


def moment(at: datetime) -> str:
    """Return a date and a time: "3 Mar 2026, 14:05 UTC"."""
    return f"{day(at)}, {at:%H:%M} UTC"


def size(number: int) -> str:
    """Return a number of bytes in the unit that a reader expects: "1.2 MB"."""
    if number < 1000:
        return count(number, "byte")
    kilo = number / 1000
    return f"{kilo:.0f} KB" if kilo < 1000 else f"{kilo / 1000:.1f} MB"


def count(number: int, thing: str) -> str:
    """Return "1 comment" or "2 comments"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def counts(comments: int, files: int) -> str:
    """Return what stands with a page: "2 comments, 1 file", naming only what there is."""
    said = [count(number, thing) for number, thing in ((comments, "comment"), (files, "file")) if number]
    return ", ".join(said) or "no comments yet"


def _environment() -> Environment:
    env = Environment(
        loader=PackageLoader("bridge.sandbox", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(day=day, moment=moment, size=size)
    env.globals.update(count=count, counts=counts)
    return env


class Pages:
    """Answers requests from templates; ``script`` is the path of the one script that its pages may run."""

    def __init__(self, script: str) -> None:
        self._env = _environment()
        self._script = script

    def page(self, request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
        """Return a page; the template sees the values and ``script``."""
        text = self._env.get_template(template).render(script=self._script, **values)
        response = Response(text, status=status, mimetype="text/html")
        response.headers["Content-Security-Policy"] = POLICY.format(
            host=request.host_url.rstrip("/"), script=self._script
        )
        return self._guarded(response)

    def script(self) -> Response:
        """Return the script."""
        return self._guarded(Response(self._env.get_template("live.js").render(), mimetype="text/javascript"))

    def json(self, value: Any) -> Response:
        """Return a value as JSON."""
        return self._guarded(Response(json.dumps(value, ensure_ascii=False), mimetype="application/json"))

    def plain(self, text: str, status: int) -> Response:
        """Return a sentence and a status."""
        return self._guarded(Response(text + "\n", status=status, mimetype="text/plain"))

    def back(self, location: str) -> Response:
        """Return the browser to a page of this server after a POST."""
        return self._guarded(Response.force_type(redirect(location, 303)))

    @staticmethod
    def _guarded(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        # Not "no-referrer": with it a browser without scripts names no origin in a form of our own page.
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cache-Control"] = "no-store"
        return response


def own_origin(request: Request) -> bool:
    """Tell whether a POST comes from a page of this server (or from no page at all, such as a test)."""
    origin = request.headers.get("Origin")
    return origin is None or origin.rstrip("/") == request.host_url.rstrip("/")


def stamp(*parts: object) -> str:
    """Return a short text that changes when any of the values does; a page is fetched anew when its stamp changed."""
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def wiki_stamp(wiki: Wiki) -> str:
    """Return a stamp over everything in the wiki that a page shows."""
    pages = [
        (p.id, p.status, p.parent, len(p.versions), p.title, sorted(p.labels), bool(p.read), len(wiki.files_on(p.id)))
        for p in wiki.content.values()
    ]
    comments = [(c.id, len(c.versions)) for c in wiki.comments.values()]
    return stamp(pages, comments, sorted(wiki.spaces))


def reader_of(wiki: Wiki, address: str) -> Person | None:
    """Return the wiki's person with an address, None where there is none."""
    return next((person for person in wiki.people.values() if person.address == address.lower()), None)


def name_of(wiki: Wiki, account_id: str) -> str:
    """Return the display name of an account."""
    person = wiki.person_by_account(account_id)
    return person.name if person is not None else "Former user"
