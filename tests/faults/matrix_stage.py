"""A scene that is prepared once in a process, and runs of it in forked children.

A child has the world, the product and its clock as they were when the scene was prepared, and works on the same
database file; the parent puts that file back after each child.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

import structlog

from bridge.config import Gmail

from faults.matrix_scenes import Scene
from support.stories import Story, settings

LONGEST = 60
"""Seconds of the machine's time after which a run is given up."""


@dataclass
class Stage:
    """A scene that is prepared, in a folder of its own."""

    scene: Scene
    folder: Path
    company: Story = field(init=False)

    def __post_init__(self) -> None:
        """Prepare it, and keep the database as it is then."""
        chosen = replace(settings(*self.scene.routes), gmail=Gmail(poll_every=900.0, poll_idle=3600.0))
        self.company = Story(self.folder, chosen)
        self.scene.prepare(self.company)
        self.company.company.oauth.store.engine.dispose()
        self._kept = {file.name: file.read_bytes() for file in self.folder.iterdir() if file.is_file()}

    def close(self) -> None:
        """End it."""
        self.company.close()

    def in_child(self, run: Callable[[Story], Any]) -> Any:
        """Run in a forked child and return what it gives, by way of JSON; the database is put back afterwards.

        Raises:
            RuntimeError: the run failed, or did not end.
        """
        gc.freeze()
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            self._as_child(run, writing)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            answer = pipe.read()
        os.waitpid(child, 0)
        self._put_back()
        if not answer:
            raise RuntimeError(f"The run did not end within {LONGEST} seconds.")
        found = json.loads(answer)
        if "failed" in found:
            raise RuntimeError(found["failed"])
        return found["value"]

    def _as_child(self, run: Callable[[Story], Any], writing: int) -> NoReturn:
        """Run, say what came of it, and end without the parent's clean-up."""
        signal.alarm(LONGEST)
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
        gc.disable()  # it does not live long
        try:
            answer: dict[str, Any] = {"value": run(self.company)}
        except BaseException:
            answer = {"failed": traceback.format_exc()[-3000:]}
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(json.dumps(answer).encode())
        sys.stdout.flush()
        os._exit(0)

    def _put_back(self) -> None:
        for file in self.folder.iterdir():
            if file.is_dir():
                shutil.rmtree(file)
            elif file.name not in self._kept:
                file.unlink()
        for name, data in self._kept.items():
            (self.folder / name).write_bytes(data)
