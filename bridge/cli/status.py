"""``mailbridge status``: how the service does, what waits, and whose move it is."""

from __future__ import annotations

import typer

from bridge.cli.output import AsJson, print_json


def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Tell what waits, and whose move it is."""
    from bridge.cli.database import opened_store, places_of
    from bridge.clock import SystemClock
    from bridge.daemon.report import report, text
    from bridge.daemon.workers import serving

    with opened_store(context) as (settings, store), store.read() as session:
        subjects = settings.web.admin_sees_subjects
        found = report(
            session,
            SystemClock().now(),
            subjects=subjects,
            mode=settings.safety.mode,
            serving=serving(store, places_of(context).state),
        )
    if as_json:
        print_json(found)
    else:
        typer.echo(text(found))
