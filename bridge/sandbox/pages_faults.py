"""Faults over HTTP: a page on which a person lets something go wrong, and the same for programs.

====================================  =====================================================================
``GET /sandbox``                      the page: what strikes now, every fault with a button, "Make it well again"
``GET /sandbox/faults``               JSON: each rule with ``rule`` (its text), ``seen``, ``struck``, ``over``
``GET /sandbox/faults/kinds``         JSON: each kind with ``name``, ``words``, ``effect``, ``argument``, ``operations``
``POST /sandbox/faults``              sets the rule that the body is: plain text, or JSON ``{"rule": "..."}``; 201, or
                                      400 and a sentence
``DELETE /sandbox/faults``            makes it well again; 204
====================================  =====================================================================

For example ``curl -d 'reset-after createFooterComment' -H 'Content-Type: text/plain' BASE/sandbox/faults``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Request, Response

from bridge.sandbox.core import Core
from bridge.sandbox.faults import CATALOGUE, FaultError, Rule, befallen, parse
from bridge.sandbox.faults.catalogue import GROUPS
from bridge.sandbox.pages import Pages, own_origin, stamp

WHERE: tuple[tuple[str, str], ...] = (
    ("", "any request"),
    ("google", "Google"),
    ("gmail.users.history.list", "Gmail: what is new"),
    ("gmail.users.threads.get", "Gmail: a thread"),
    ("atlassian", "Confluence"),
    ("createPage", "Confluence: a new page"),
    ("updatePage", "Confluence: publish a page"),
    ("createFooterComment", "Confluence: a comment"),
    ("createAttachment", "Confluence: a file"),
    ("addLabelsToContent", "Confluence: a label"),
    ("google.oauth.token", "Google's token endpoint"),
    ("atlassian.oauth.token", "Atlassian's token endpoint"),
)
OFTEN: tuple[tuple[str, str], ...] = (("1", "once"), ("3", "three times"), ("always", "until it is made well"))


class FaultPage:
    """The handler for ``/sandbox``. ``mended`` is called, without the core's lock, when all is made well again."""

    def __init__(self, core: Core) -> None:
        self.mended: Callable[[], object] = tuple
        self._core = core
        self._pages = Pages("/sandbox/live.js")
        self._said = ""
        self._chosen = ("", "1")

    def __call__(self, request: Request) -> Response:
        """Answer a request at or below ``/sandbox``."""
        path = request.path.rstrip("/")
        if request.method in ("POST", "DELETE"):
            return self._change(request, path)
        if path == "/sandbox":
            return self._page(request)
        if path == "/sandbox/state.json":
            return self._pages.json({"stamp": self._stamp()})
        if path == "/sandbox/live.js":
            return self._pages.script()
        if path == "/sandbox/faults":
            return self._pages.json(self._rows())
        if path == "/sandbox/faults/kinds":
            return self._pages.json(_kinds())
        return self._pages.plain("Nothing here. The faults are at /sandbox.", 404)

    def _change(self, request: Request, path: str) -> Response:
        if not own_origin(request):
            return self._pages.plain("Only the page itself may do this.", 403)
        if (request.method, path) == ("DELETE", "/sandbox/faults"):
            self._mend()
            return Response(status=204)
        if (request.method, path) == ("POST", "/sandbox/mend"):
            self._said = ""
            self._mend()
            return self._pages.back("/sandbox")
        if (request.method, path) != ("POST", "/sandbox/faults"):
            return self._pages.plain("Nothing to change here. The faults are at /sandbox/faults.", 404)
        if request.mimetype == "application/x-www-form-urlencoded" and request.form:
            return self._from_page(request)
        try:
            rule = self._set(_text_of(request))
        except FaultError as fault:
            return self._pages.plain(str(fault), 400)
        answer = self._pages.json(_row(rule))
        answer.status_code = 201
        return answer

    def _from_page(self, request: Request) -> Response:
        where, often = self._chosen = (request.form.get("where", ""), request.form.get("often", "1"))
        text = request.form.get("rule", "").strip()
        kind = request.form.get("kind", "")
        self._said = ""
        try:
            self._set(" ".join(part for part in (kind, where, f"times={often}") if part) if kind else text)
        except FaultError as fault:
            self._said = str(fault)
        return self._pages.back("/sandbox")

    def _set(self, text: str) -> Rule:
        rule = parse(text)
        with self._core.lock:
            self._core.faults.append(rule)
        return rule

    def _mend(self) -> None:
        with self._core.lock:
            self._core.faults.clear()
        self.mended()

    def _rows(self) -> list[dict[str, Any]]:
        with self._core.lock:
            return [_row(rule) for rule in self._core.faults if isinstance(rule, Rule)]

    def _page(self, request: Request) -> Response:
        rows = self._rows()
        return self._pages.page(
            request,
            "faults.html",
            rows=[row for row in rows if not row["over"]],
            past=[row for row in rows if row["over"]],
            groups=GROUPS,
            said=self._said,
            where=WHERE,
            often=OFTEN,
            chosen=self._chosen,
            late=len(self._core.late),
            stamp=self._stamp(),
            state="/sandbox/state.json",
        )

    def _stamp(self) -> str:
        return stamp(self._rows(), self._said, self._chosen, len(self._core.late))


def _row(rule: Rule) -> dict[str, Any]:
    kind = CATALOGUE.get(rule.kind)
    words = kind.words if kind else ""
    return {"rule": str(rule), "words": words, "seen": rule.seen, "struck": rule.struck, "over": rule.over}


def _kinds() -> list[dict[str, Any]]:
    return [
        {
            "name": kind.name,
            "words": kind.words,
            "effect": kind.effect,
            "argument": kind.unit,
            "operations": list(befallen(Rule("*", kind.name))),
        }
        for kind in CATALOGUE.values()
    ]


def _text_of(request: Request) -> str:
    """Return the rule's text of a body.

    Raises:
        FaultError: it is JSON of another form.
    """
    if request.mimetype != "application/json":
        return request.get_data(as_text=True)
    try:
        sent = json.loads(request.get_data())
    except ValueError:
        sent = None
    if not isinstance(sent, dict) or not isinstance(sent.get("rule"), str):
        raise FaultError('The body is not {"rule": "..."}.')
    return str(sent["rule"])
