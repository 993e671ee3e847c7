"""``mailbridge demo``: see it work on this machine, without any account."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.output import FAILED, AsJson

if TYPE_CHECKING:
    from bridge.sandbox.faults import Rule


def demo(
    once: Annotated[bool, typer.Option("--once", help="Label everything, publish, run again, count, end.")] = False,
    as_json: AsJson = False,
    port: Annotated[int, typer.Option(help="Where the two pages are served.")] = 8765,
    browser: Annotated[bool, typer.Option(help="Open the mailbox page in a browser.")] = True,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the service's own log too.")] = False,
    fault: Annotated[
        list[str] | None,
        typer.Option(metavar="RULE", help="Let something go wrong; may be repeated. --fault list shows what can."),
    ] = None,
) -> None:
    """Show a made-up company: label a thread in its mailbox and see the page appear in its wiki."""
    import logging

    if "list" in (fault or []):
        _list_faults()
        return
    faults = _faults(fault or [])

    from bridge.daemon.logs import configure

    configure(sys.stderr, as_json=False, level=logging.INFO if verbose else logging.ERROR)
    pressed: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, interrupt)  # whatever ends it, its folder goes too
    if once:
        _once(as_json, faults)
        return
    with suppress(KeyboardInterrupt):
        from bridge.demo.show import play

        shown = _open if browser and _has_browser() else None
        code = play(typer.echo, port=port, opened=shown, interrupted=lambda: bool(pressed), faults=faults)
        if code:
            raise typer.Exit(code)


def _faults(texts: list[str]) -> list[Rule]:
    from bridge.sandbox.faults import FaultError, parse

    try:
        return [parse(text) for text in texts]
    except FaultError as error:
        typer.echo(f"--fault: {error}", err=True)
        raise typer.Exit(2) from None


def _list_faults() -> None:
    from bridge.sandbox.faults import CATALOGUE

    for kind in CATALOGUE.values():
        argument = f" (ARG: {kind.unit})" if kind.unit else ""
        typer.echo(f"{kind.name:22}{kind.words}{argument}")
    typer.echo("")
    typer.echo("RULE: KIND[=ARG] [OPERATION or METHOD /path] [nth=N] [times=M or always] [person=ADDRESS]")
    typer.echo("For example: mailbridge demo --fault 'reset-after createFooterComment nth=2'")


def _once(as_json: bool, faults: list[Rule]) -> None:
    from bridge.cli.output import print_json
    from bridge.demo.once import once

    report = once(faults=faults)
    if as_json:
        print_json(report.as_json())
    else:
        for name, number in report.as_json().items():
            typer.echo(f"{name.replace('_', ' '):22}{number}")
    if not report.whole:
        typer.echo("Not everything was published as it should be.", err=True)
        raise typer.Exit(FAILED)


def _has_browser() -> bool:
    """Say whether a window could open; a browser of the terminal would take the screen away."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open(url: str) -> None:
    import webbrowser

    webbrowser.open(url)
