"""``mailbridge accounts``: who is connected, and how; pause and resume a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.output import AsJson
from bridge.cli.pause import tell_paused, tell_resumed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlmodel import Session

    from bridge.store.tables import Account, Grant

accounts_app = typer.Typer(help="List, pause and resume people.", invoke_without_command=True)

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="The person's Google address.")]

_PRODUCTS = (("google", "Gmail"), ("atlassian", "Confluence"))


@dataclass(frozen=True, slots=True)
class Person:
    """A person as the list tells.

    ``state`` is "connected", "paused", "must reconnect" or "not connected"; ``detail`` what it means for whom.
    ``gmail`` and ``confluence`` are the states of the two connections, '' where there never was one.
    """

    address: str
    name: str
    state: str
    detail: str
    gmail: str
    confluence: str
    site: str


@accounts_app.callback()
def accounts(context: typer.Context) -> None:
    """List, pause and resume people; without a command, list them."""
    if context.invoked_subcommand is None:
        list_accounts(context)


@accounts_app.command("list")
def list_accounts(context: typer.Context, as_json: AsJson = False) -> None:
    """List everybody, and how their two connections stand."""
    from bridge.cli.database import opened_store
    from bridge.cli.output import print_json

    with opened_store(context) as (_, store), store.read() as session:
        found = people(session)
    if as_json:
        print_json(found)
    else:
        typer.echo("\n".join(lines(found)))


@accounts_app.command()
def pause(context: typer.Context, address: Address) -> None:
    """Write nothing more as a person, until they are resumed: the same as mailbridge pause --account."""
    tell_paused(context, address=address)


@accounts_app.command()
def resume(context: typer.Context, address: Address) -> None:
    """Go on with a paused person; what came meanwhile is published now."""
    tell_resumed(context, address=address)


def people(session: Session) -> list[Person]:
    """Return everybody by address."""
    from bridge.store import accounts, grants

    return [_person(account, grants.of_account(session, account.id or 0)) for account in accounts.everyone(session)]


def lines(found: Sequence[Person]) -> list[str]:
    """Return the list as the terminal shows it: state first, next step last."""
    if not found:
        return ["Nobody is connected yet.", "Connect the first person: mailbridge connect ADDRESS"]
    counted = {state: sum(one.state == state for one in found) for state in dict.fromkeys(one.state for one in found)}
    shown = ", ".join(f"{number} {state}" for state, number in counted.items())
    told = [f"{'1 person' if len(found) == 1 else f'{len(found)} people'}: {shown}."]
    width = max(len(one.address) for one in found)
    told += [f"  {one.address:<{width}}   {one.detail}" for one in found]
    broken = next((one.address for one in found if one.state in ("must reconnect", "not connected")), "")
    return [*told, f"Connect {'again' if broken else 'another'}: mailbridge connect {broken or 'ADDRESS'}"]


def _person(account: Account, held: Mapping[str, Grant]) -> Person:
    from urllib.parse import urlsplit

    from bridge.daemon.words import printable

    states = {provider: str(held[provider].state.value) if provider in held else "" for provider, _ in _PRODUCTS}
    wiki = held.get("atlassian")
    site = wiki.site_url if wiki is not None else ""
    missing = [product for provider, product in _PRODUCTS if not states[provider]]
    ended = [(product, held[provider].reason) for provider, product in _PRODUCTS if states[provider] == "needs consent"]
    if ended:
        state, detail = (
            "must reconnect",
            " ".join(_ended(product, reason) for product, reason in ended),
        )
    elif missing:
        state, detail = "not connected", f"{' and '.join(missing)} not connected yet"
    else:
        state, detail = "connected", f"connected as {wiki.name if wiki else ''} on {urlsplit(site).netloc}"
    if account.paused:
        state, detail = "paused", f"paused; {detail}"
    return Person(
        address=account.address,
        name=account.name,
        state=state,
        detail=printable(detail),
        gmail=states["google"],
        confluence=states["atlassian"],
        site=site,
    )


def _ended(product: str, reason: str) -> str:
    said = reason or f"{product} must be connected again."
    return said if product in said else f"{product}: {said}"
