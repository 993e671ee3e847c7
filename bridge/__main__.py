"""``python -m bridge`` is ``mailbridge``."""

from __future__ import annotations

from bridge.cli.main import main

if __name__ == "__main__":
    main()
