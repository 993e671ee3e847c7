"""What the log looks like: one constant sentence with its values; text on a terminal, JSON under a service manager.

Tokens, subjects and bodies never go into it; the libraries that could print them stay at WARNING.
"""

from __future__ import annotations

import logging
from typing import TextIO

import structlog

_TALKATIVE = ("requests_oauthlib", "oauthlib", "urllib3", "googleapiclient", "google", "apscheduler", "httplib2")


def configure(stream: TextIO, *, as_json: bool, level: int = logging.INFO) -> None:
    """Send the log to a stream.

    Args:
        stream: where it goes, usually standard error.
        as_json: one JSON object a line.
        level: the least level that is shown, of ``logging``.
    """
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    # A traceback's local values would hold mail and tokens.
    text = structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)
    shape: list[structlog.typing.Processor] = [
        structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
        structlog.processors.JSONRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *(shape if as_json else [text]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
