"""CPU of a poll that finds nothing, over TLS, beside the same call by Google's client and by requests alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import httplib2
import requests
from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp

from bench.figures import Cpu, Figure
from bench.office import Office, office
from bench.sandbox import sandbox
from bridge.gmail import build_service
from bridge.http import Endpoints

SHARE_MS = 1.0
"""What the product may take above the bare client's call."""

WHOLE_MS = 30_000 / 10_000
"""What a poll may take in all, so that one core polls 10,000 mailboxes every 30 s."""


def measure(mailboxes: int = 50, rounds: int = 15) -> list[Figure]:
    """Poll every mailbox once a round: the product, then each peer with the same tokens and cursors."""
    product, library, least = Cpu(), Cpu(), Cpu()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        at = stack.enter_context(office(stack.enter_context(sandbox(folder)), folder, places=mailboxes))
        at.connect(*(f"person{number}@example.com" for number in range(mailboxes)))
        asked = [(str(box.cursor), at.google_token(box)) for box in at.mailboxes()]
        client, bare = stack.enter_context(_google_client(at, asked)), stack.enter_context(_requests_alone(at, asked))
        at.work()
        for _ in range(rounds):
            with product.stretch():
                polled = at.turn()
            assert polled == mailboxes, f"{polled} of {mailboxes} mailboxes were polled"
            with library.stretch():
                client()
            with least.stretch():
                bare()
    whole, peer, floor = (cpu.each(mailboxes) for cpu in (product, library, least))
    return [
        Figure("idle poll: product's share above the bare call", whole - peer, "ms CPU", "at most", SHARE_MS),
        Figure("idle poll: whole", whole, "ms CPU", "at most", WHOLE_MS),
        Figure("idle poll: whole", whole, "ms CPU", "history.list by Google's client", peer),
        Figure("idle poll: whole", whole, "ms CPU", "the same GET by requests alone", floor),
    ]


@contextmanager
def _google_client(at: Office, asked: Sequence[tuple[str, str]]) -> Iterator[Callable[[], None]]:
    """Give the polls as a program would make them that has only Google's client, one Http and the tokens."""
    with closing(at.transports.http()) as http:
        history = build_service(Endpoints.of(f"{at.sandbox.url}/google", ""), http).history

        def poll() -> None:
            for cursor, token in asked:
                authorized = AuthorizedHttp(Credentials(token), http=http)  # type: ignore[no-untyped-call]
                request = history.list(
                    userId="me",
                    startHistoryId=cursor,
                    historyTypes=["messageAdded", "messageDeleted", "labelAdded", "labelRemoved"],
                    maxResults=500,
                )
                assert "historyId" in request.execute(http=cast("httplib2.Http", authorized))

        yield poll


@contextmanager
def _requests_alone(at: Office, asked: Sequence[tuple[str, str]]) -> Iterator[Callable[[], None]]:
    url = f"{at.sandbox.url}/google/gmail/v1/users/me/history"
    kinds = "historyTypes=messageAdded&historyTypes=messageDeleted&historyTypes=labelAdded&historyTypes=labelRemoved"
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(at.sandbox.ca_file)

        def poll() -> None:
            for cursor, token in asked:
                answer = session.get(
                    f"{url}?startHistoryId={cursor}&{kinds}&maxResults=500&alt=json",
                    headers={"Authorization": f"Bearer {token}"},
                )
                assert "historyId" in answer.json()

        yield poll
