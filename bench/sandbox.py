"""A sandbox company in a process of its own, over TLS, so that its CPU is not counted with the product's."""

from __future__ import annotations

import multiprocessing
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import trustme

from bridge.sandbox.serve import serve
from bridge.sandbox.world import World

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The other process: ``url`` is where it is served, ``ca_file`` whom to trust for it."""

    url: str
    ca_file: Path
    _pipe: Connection

    def ask(self, act: Callable[Concatenate[World, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Let the other process do something with its world; a function of a module, as all of it is pickled."""
        self._pipe.send((act, args, kwargs))
        answer: T = self._pipe.recv()
        return answer


@contextmanager
def sandbox(folder: Path) -> Iterator[Sandbox]:
    """Start a sandbox without people, and end it.

    Args:
        folder: private; certificates go there.
    """
    authority = trustme.CA()
    ca_file, server_file = folder / "ca.pem", folder / "server.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(server_file))
    # A fresh interpreter: a fork would take this process's threads' locks along.
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_run, args=(there, server_file), daemon=True)
    process.start()
    there.close()
    try:
        yield Sandbox(url=here.recv(), ca_file=ca_file, _pipe=here)
    finally:
        here.close()
        process.join(10)
        if process.is_alive():
            process.kill()


def _run(pipe: Connection, server_file: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(server_file)
    world = World()
    world.google.api.quota.limit = None
    world.atlassian.meter.limit = 10**9
    with serve(world.app, ssl_context=tls) as server:
        world.served_at(server.url)
        pipe.send(server.url)
        while True:
            try:
                act, args, kwargs = pipe.recv()
            except EOFError:
                return
            pipe.send(act(world, *args, **kwargs))
