"""The consent page of the sandbox's Atlassian, as small as it can be."""

from __future__ import annotations

from html import escape

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from bridge.sandbox.atlassian_oauth import Asked, ConsentFault, OAuth

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Allow access (sandbox)</title>
<meta name="viewport" content="width=device-width">
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem;color:#172b4d}}
button{{font:inherit;padding:.5rem 1rem;margin:.25rem .5rem .25rem 0}}li{{overflow-wrap:anywhere}}</style></head>
<body>{body}</body></html>"""


def consent(oauth: OAuth, request: Request) -> Response:
    """Answer the authorize page: GET shows it, POST with ``person`` accepts as that person, POST without cancels."""
    try:
        asked = oauth.asked(request.url)
    except ConsentFault as fault:
        return _html(f"<h1>Something went wrong</h1><p>{escape(str(fault))}.</p>", 400)
    if request.method != "POST":
        return _html(_question(oauth, asked))
    address = request.form.get("person", "")
    if not address:
        return redirect(oauth.deny(asked), 302)
    person = oauth.wiki.people.get(address)
    if person is None:
        return _html(f"<h1>Nobody here has the address {escape(address)}</h1>", 400)
    return redirect(oauth.approve(asked, person), 302)


def _question(oauth: OAuth, asked: Asked) -> str:
    scopes = "".join(f"<li><code>{escape(scope)}</code></li>" for scope in sorted(asked.scopes))
    people = "".join(
        f'<button name="person" value="{escape(person.address)}">Accept as {escape(person.name)}</button>'
        for person in oauth.wiki.people.values()
    )
    return (
        "<h1>Allow access to Confluence?</h1><p>This is the sandbox's stand-in for Atlassian's consent screen. "
        f"The app asks for:</p><ul>{scopes}</ul>"
        f'<form method="post">{people}<button name="person" value="">Cancel</button></form>'
    )


def _html(body: str, status: int = 200) -> Response:
    return Response(_PAGE.format(body=body), status=status, mimetype="text/html")
