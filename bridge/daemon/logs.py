"""What the log looks like: one constant sentence with its values; text on a terminal, JSON under a service manager.

Tokens, subjects and bodies never go into it; the libraries that could print them are kept quiet. What a library warns
of comes in the same form.
"""

from __future__ import annotations

import logging
from typing import TextIO

import structlog
from structlog.typing import Processor

_TALKATIVE = ("requests_oauthlib", "oauthlib", "urllib3", "googleapiclient", "google", "apscheduler", "httplib2")


class _Libraries(logging.StreamHandler[TextIO]):
    """Writes what the standard library's loggers say; the root has at most one."""


def configure(stream: TextIO, *, as_json: bool, level: int = logging.INFO) -> None:
    """Send the log to a stream.

    Args:
        stream: where it goes, usually standard error.
        as_json: one JSON object a line.
        level: the least level that is shown, of ``logging``; libraries show warnings at least.
    """
    # A traceback's local values would hold mail and tokens.
    text = structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)
    as_objects: list[Processor] = [
        structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
        structlog.processors.JSONRenderer(),
    ]
    before: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    shape: list[Processor] = as_objects if as_json else [text]
    structlog.configure(
        processors=[*before, *shape],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    _hear_libraries(stream, before, shape, max(level, logging.WARNING))


def _hear_libraries(stream: TextIO, before: list[Processor], shape: list[Processor], level: int) -> None:
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Its warnings name whole addresses, and a search for a title has the title in its address.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    handler = _Libraries(stream)
    handler.setLevel(level)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *shape], foreign_pre_chain=before
        )
    )
    root = logging.getLogger()
    for old in [one for one in root.handlers if isinstance(one, _Libraries)]:
        root.removeHandler(old)
    root.addHandler(handler)
