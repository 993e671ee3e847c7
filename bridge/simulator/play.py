"""Plays one order after the other in one folder, which is memory where the system has a place for that."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from bridge.simulator.host import Disk
from bridge.simulator.run import Order, Outcome, Simulation

_MEMORY = Path("/dev/shm")


@contextmanager
def workshop() -> Iterator[Callable[[Order], Outcome]]:
    """Give a function that plays an order; its folder goes with the context."""
    in_memory = str(_MEMORY) if os.access(_MEMORY, os.W_OK) else None
    with TemporaryDirectory(prefix="mailbridge-simulation-", dir=in_memory) as folder, _on_one_core(), _quietly():
        disk = Disk(Path(folder))

        def play(order: Order) -> Outcome:
            gc.collect()
            return Simulation(order, disk).run()

        try:
            yield play
        finally:
            disk.close()


@contextmanager
def _on_one_core() -> Iterator[None]:
    """Keep to one core: only one thread runs at a time, and handing on between two cores costs six times as much.

    Garbage is collected between two runs; in one of them it costs more than it frees.
    """
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if cores:
        with suppress(OSError):
            os.sched_setaffinity(0, {sorted(cores)[os.getpid() % len(cores)]})
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        if cores:
            with suppress(OSError):
                os.sched_setaffinity(0, cores)


@contextmanager
def _quietly() -> Iterator[None]:
    """Let the product's own log say nothing: what strikes in a simulation is meant to."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)
