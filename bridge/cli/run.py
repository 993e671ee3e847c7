"""``mailbridge run``: the service itself."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer


def run(
    context: typer.Context,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse to start with a faulty configuration.")] = False,
) -> None:
    """Look at every connected mailbox, publish what is labelled, until told to stop (SIGTERM or Ctrl-C)."""
    import logging

    from bridge.cli.database import places_of
    from bridge.daemon.logs import configure
    from bridge.daemon.opening import open_all
    from bridge.daemon.service import Service
    from bridge.daemon.systemd import Notifier
    from bridge.web.app import Web, make_app
    from bridge.web.serve import WebServer

    seen = sys.stderr.isatty()
    configure(sys.stderr, as_json=not seen, level=logging.INFO)
    where = places_of(context)
    with open_all(where.config, strict=strict, make_key=True, need_secrets=True) as opened:
        for remark in opened.remarks:
            _tell(remark, plainly=seen)
        config = opened.config
        assert config is not None

        def web() -> WebServer:
            site = Web(opened.consents, opened.store, opened.oauth.settings)
            return WebServer(make_app(site), config.settings.web.listen)

        service = Service(
            oauth=opened.oauth,
            tokens=opened.tokens,
            config=config,
            notifier=Notifier(os.environ, os.getpid()),
            web=web,
            spool=config.places.state / "spool",
        )
        code = service.run()
    if code:
        # The interpreter's own exit would wait for the pass that did not end.
        sys.stderr.flush()
        os._exit(code)


def _tell(remark: str, *, plainly: bool) -> None:
    """Say what was found at the start: to a person as it is, to a service manager as a line of the log."""
    import structlog

    if plainly:
        typer.echo(remark, err=True)
    else:
        structlog.get_logger().warning("found at the start", remark=remark)
