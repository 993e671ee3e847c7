"""``mailbridge status``: how the service does, what waits, and whose move it is."""

from __future__ import annotations

import typer

from bridge.cli.output import AsJson, print_json


def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Tell what waits, and whose move it is."""
    from bridge.cli.database import opened_store
    from bridge.clock import SystemClock
    from bridge.daemon.report import report, text

    with opened_store(context) as (settings, store), store.read() as session:
        found = report(session, SystemClock().now(), subjects=settings.web.admin_sees_subjects)
    if as_json:
        print_json(found)
    else:
        typer.echo(text(found))
