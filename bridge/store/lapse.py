"""When a lease is over: given back, run out, or from a clock that was set back since."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import Mapped


def lapsed(owner: Mapped[Any], until: Mapped[Any], now: datetime, length: timedelta) -> ColumnElement[bool]:
    """Return the condition that nobody has a lease of this length.

    One that would last for more than twice its length was taken before the clock was set back; its worker may be long
    gone. Twice, since the clocks of two machines differ a little.
    """
    return or_(owner == "", until < now, until > now + 2 * length)
