"""The command ``mailbridge``: its options, its commands in the order of its help, and what an error ends with.

Nothing but typer is imported before a command runs, so that ``--help`` answers at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from shutil import get_terminal_size
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bridge.cli.accounts import accounts_app
from bridge.cli.adopt import adopt
from bridge.cli.answer import answer
from bridge.cli.config import config_app
from bridge.cli.connect import connect
from bridge.cli.demo import demo
from bridge.cli.explain import explain
from bridge.cli.forget import forget
from bridge.cli.held import held
from bridge.cli.log import log
from bridge.cli.output import exit_code
from bridge.cli.pause import pause, resume
from bridge.cli.preview import preview
from bridge.cli.republish import republish
from bridge.cli.retry import retry
from bridge.cli.run import run
from bridge.cli.setup import setup
from bridge.cli.simulate import simulate
from bridge.cli.status import status
from bridge.cli.sync import sync

ABOUT = "Publishes labelled Gmail threads to Confluence, as the person who labelled them."
USAGE = "Usage: mailbridge [--config FILE] COMMAND ...        mailbridge COMMAND --help tells more"
START = "New here? Start with:  mailbridge demo"

GROUPS = {
    "Try": ("demo", "preview"),
    "Set up": ("setup", "config", "connect", "accounts"),
    "Run": ("run", "sync"),
    "Look": ("status", "explain", "held", "log"),
    "Mend": ("answer", "retry", "republish", "forget", "pause", "resume", "adopt"),
}
"""The order of the help. A heading or a name whose command does not exist is left out."""

_TWO_COLUMNS = 125
_CELL, _NAMES, _HEADING = 64, (11, 10), 9


class _Root(TyperGroup):
    """Writes the help in groups, and ends with one sentence and an exit code where the bridge raised on purpose."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands in the order of the help."""
        ordered = [name for names in GROUPS.values() for name in names if name in self.commands]
        return ordered + [name for name in self.commands if name not in ordered]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the whole help: what it is, the groups, the options, where to begin."""
        formatter.write("\n".join([ABOUT, USAGE, *self._groups(), *_OPTIONS, START]) + "\n")

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error that is expected becomes its sentence on standard error."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            code = exit_code(error)
            if code is None:
                raise
            typer.echo(str(error), err=True)
            raise typer.Exit(code) from error

    def _groups(self) -> Iterator[str]:
        columns = 2 if get_terminal_size().columns >= _TWO_COLUMNS else 1
        for heading, names in GROUPS.items():
            known = [name for name in names if name in self.commands]
            for start in range(0, len(known), columns):
                shown = zip(known[start : start + columns], _NAMES, strict=False)
                row = "".join(f"{f'{name:<{width}}{self.commands[name].short_help}':<{_CELL}}" for name, width in shown)
                yield f"  {heading if not start else '':<{_HEADING}}{row}".rstrip()


_OPTIONS = (
    "  Options  --config FILE  read this configuration file",
    "           --version      tell the version",
    "           --install-completion, --show-completion  complete commands with the Tab key",
)

app = typer.Typer(
    cls=_Root,
    help=ABOUT,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from bridge import __version__

        typer.echo(f"mailbridge {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    config: Annotated[str, typer.Option("--config", metavar="FILE", help="Read this configuration file.")] = "",
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Tell it.")] = False,
) -> None:
    """Take the options that stand before every command; without one, tell what there is."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.command("demo", short_help="see it work on this machine, without any account")(demo)
app.command("preview", short_help="show a mail as the page it would become")(preview)
app.command("setup", short_help="register with Google and Atlassian, step by step")(setup)
app.add_typer(config_app, name="config", short_help="check, show")
app.command("connect", short_help="connect a person's Gmail and Confluence")(connect)
app.add_typer(accounts_app, name="accounts", short_help="list, pause, resume people")
app.command("run", short_help="the service itself")(run)
app.command("sync", short_help="one pass now")(sync)
app.command("status", short_help="what waits, and whose move it is")(status)
app.command("explain", short_help="all that is known about one thread")(explain)
app.command("log", short_help="who read and wrote what, and when")(log)
app.command("held", short_help="what waits for a person's decision")(held)
app.command("answer", short_help="decide about what is held")(answer)
app.command("retry", short_help="try waiting threads again")(retry)
app.command("republish", short_help="publish a thread anew")(republish)
app.command("forget", short_help="stop following a thread")(forget)
app.command("pause", short_help="stop writing now: all, a route, a person")(pause)
app.command("resume", short_help="go on writing")(resume)
app.command("adopt", short_help="find our pages after a lost database")(adopt)
app.command("simulate", hidden=True, short_help="play a company's days from a seed")(simulate)


def main() -> None:
    """Run the program; it ends the process with its exit code."""
    app(prog_name="mailbridge")
