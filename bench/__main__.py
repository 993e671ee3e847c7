"""``python -m bench [NAME...] [--json]``: measure, and print each figure beside its peer or its limit."""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Callable, Sequence

from bench import idle, published, rendering, start, store
from bench.figures import Figure

BENCHES: dict[str, Callable[[], list[Figure]]] = {
    "idle": idle.measure,
    "published": published.measure,
    "rendering": rendering.measure,
    "store": store.measure,
    "start": start.measure,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benches that are named, all by default."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure, beside the peers and the limits.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHES)}; all by default")
    parser.add_argument("--json", action="store_true", help="print one JSON list")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.names if name not in BENCHES]
    if unknown:
        parser.error(f"there is no bench {unknown[0]!r}; choose from {', '.join(BENCHES)}")
    logging.disable(logging.INFO)
    rows: list[dict[str, object]] = []
    for name in chosen.names or BENCHES:
        for figure in BENCHES[name]():
            rows.append({"bench": name, **figure.as_object()})
            if not chosen.json:
                print(figure.line(), flush=True)
    if chosen.json:
        print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
