"""The requests of a stretch of the sandbox's journal, sent anew without the product, and answered alike."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import requests
from werkzeug.wrappers import Request, Response

from bench.sandbox import Sandbox
from bridge.http import Transports
from bridge.sandbox.world import World

_OF_THE_CONNECTION = frozenset({"host", "connection", "content-length", "transfer-encoding", "date", "server"})


@dataclass(frozen=True, slots=True)
class Sent:
    """One request: ``target`` is path and query, ``headers`` what its sender chose, ``status`` its answer's."""

    service: str
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    status: int


@contextmanager
def bare_requests(
    sandbox: Sandbox, transports: Transports, mark: int
) -> Iterator[tuple[list[Sent], Callable[[], None]]]:
    """Give what came after a mark of the journal, and what sends it again, once.

    Gmail's requests go through one ``httplib2.Http``, Atlassian's through one ``requests.Session``, as the product
    sends them; each is answered with the bytes that the product got. Nothing is read but the status.
    """
    sent = sandbox.ask(_answer_again, mark)
    with closing(transports.http()) as http, requests.Session() as session:
        session.trust_env = False
        session.verify = str(sandbox.ca_file)

        def send() -> None:
            for one in sent:
                url = f"{sandbox.url}/replay/{mark}{one.target}"
                if one.service == "google":
                    status = int(http.request(url, one.method, body=one.body or None, headers=one.headers)[0].status)
                else:
                    status = session.request(one.method, url, data=one.body or None, headers=one.headers).status_code
                assert status == one.status, f"{one.method} {one.target}: {status}"

        yield sent, send


def journal_mark(world: World) -> int:
    """Return the end of the journal."""
    return world.core.journal.mark()


def _answer_again(world: World, mark: int) -> list[Sent]:
    """Return the journal's requests; answer those that come below ``/replay/MARK`` as they were, in their order."""
    seen = world.core.journal.since(mark)
    answers = deque(seen)

    def answer(request: Request) -> Response:
        request.get_data()
        one = answers.popleft()
        return Response(one.response_body, status=one.status, headers=_without(one.response_headers))

    world.app.mount(f"/replay/{mark}", answer)
    return [
        Sent(
            service=one.service,
            method=one.method,
            target=one.path + (f"?{one.query}" if one.query else ""),
            headers=_without(one.request_headers),
            body=one.request_body,
            status=one.status,
        )
        for one in seen
    ]


def _without(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _OF_THE_CONNECTION}
