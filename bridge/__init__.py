"""mailbridge: publishes labelled Gmail threads to Confluence, as the person who labelled them."""

from __future__ import annotations

__version__ = "0.1.0"
