"""Templates and the headers that every page carries: no script, no frame, no referrer, nothing kept by a cache."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup


class Pages:
    """Renders the templates of ``bridge.web``; everything that is put into one is escaped."""

    def __init__(self) -> None:
        css = files("bridge.web").joinpath("templates/page.css").read_text("utf-8")
        digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
        self._environment = Environment(
            loader=PackageLoader("bridge.web"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["css"] = Markup(css)  # our own file; its hash stands in the policy
        self.headers = {
            "Content-Security-Policy": (
                f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
                "base-uri 'none'; frame-ancestors 'none'"
            ),
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cache-Control": "no-store",
        }

    def message(self, heading: str, *paragraphs: str, status: int = 200) -> HTMLResponse:
        """Return a page of a heading and a few sentences."""
        return self.page("message.html", status=status, heading=heading, paragraphs=paragraphs)

    def page(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page of a template."""
        return HTMLResponse(self._environment.get_template(template).render(**values), status_code=status)
