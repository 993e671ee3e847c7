"""One pass of a mailbox as every engine makes it: whatever it meets, the mailbox comes back with its next time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import structlog

from bridge.clock import Clock
from bridge.errors import BridgeError, StoreError
from bridge.store.mailboxes import Settled
from bridge.store.tables import Mailbox

log = structlog.get_logger()

Work = Callable[[Mailbox], Settled]
"""Makes one pass of a mailbox and says when it is due next."""

_AFTER_A_FAULT = timedelta(minutes=1)


def one_pass(work: Work, box: Mailbox, clock: Clock) -> Settled:
    """Make a pass; one that failed puts its mailbox off for a minute, with the reason.

    That the database fails is told by the engine, once and not for each mailbox.
    """
    try:
        return work(box)
    except StoreError as error:
        log.debug("a mailbox's pass ended early", mailbox=box.id, problem=str(error))
        return _put_off(box, clock, str(error))
    except BridgeError as error:
        log.error("a mailbox's pass ended early", mailbox=box.id, problem=str(error))
        return _put_off(box, clock, str(error))
    except Exception:
        log.exception("a mailbox's pass failed", mailbox=box.id)
        return _put_off(box, clock, "A fault of mailbridge; see its log.")


def untouched(box: Mailbox) -> Settled:
    """Return a mailbox as it was claimed: the next start looks at it."""
    return Settled(box.id or 0, box.due_at, box.reason, box.tries)


def _put_off(box: Mailbox, clock: Clock, reason: str) -> Settled:
    return Settled(box.id or 0, clock.now() + _AFTER_A_FAULT, reason, box.tries + 1)
