"""Proof that the simulator bites: with each of ten protections taken out, some seed fails within the thousand.

``make mutations`` runs it. Each protection is taken out in a scratch copy of the package, where seeds are played until
one fails; the table says which, and by which rule it was caught. Without a mutation the same seeds must not fail.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

ROOT = Path(__file__).parents[2]
SEEDS = 1000
PEOPLE, DAYS = 4, 2.0


_PLAY = f"""
import json, sys
from bridge.simulator.play import workshop
from bridge.simulator.run import Order

told = {{"seed": 0, "rule": ""}}
with workshop() as play:
    for seed in range(int(sys.argv[1]), int(sys.argv[2]) + 1):
        try:
            violations = play(Order(seed, {DAYS}, {PEOPLE})).violations
        except Exception as error:
            told = {{"seed": seed, "rule": f"a worker broke: {{type(error).__name__}}"}}
            break
        if violations:
            told = {{"seed": seed, "rule": "; ".join(dict.fromkeys(one.rule for one in violations))}}
            break
print(json.dumps(told))
"""
"""Plays seeds with the package in the current folder until one fails; a worker that breaks is a failure too."""


class NotFound(Exception):
    """The text of a protection does not stand exactly once where it is looked for."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change: in a file of ``bridge``, what stands there and what is to stand there instead."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutation:
    """One protection taken out."""

    name: str
    edits: tuple[Edit, ...]

    def __init__(self, name: str, *edits: Edit) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "edits", edits)


@dataclass(frozen=True, slots=True)
class Caught:
    """How a mutation was caught; ``seed`` 0 where it was not."""

    name: str
    seed: int
    rule: str
    seconds: float


MUTATIONS = (
    Mutation(
        "intent commit",
        Edit(
            "store/writes.py",
            "    row.state = WriteState.SENT\n    row.sent_at = now\n",
            "    row.state = WriteState.PLANNED\n    row.sent_at = now\n",
        ),
    ),
    Mutation(
        "look before resend",
        Edit(
            "sync/writes/perform.py",
            'following == "look":\n            found = self._look(kind, row)\n',
            'following == "look":\n            found = None\n',
        ),
    ),
    Mutation(
        "settle time",
        Edit(
            "sync/writes/comment.py",
            "    settle: float = 120.0\n    looks: int = 3\n",
            "    settle: float = 0.0\n    looks: int = 1\n",
        ),
    ),
    Mutation(
        "publication lease",
        Edit(
            "store/publications.py",
            ".values(lease=owner, lease_until=now + LEASE)\n    )\n    return bool(done.rowcount)\n",
            ".values(lease=owner, lease_until=now + LEASE)\n    )\n    return bool(done)\n",
        ),
        Edit(
            "store/writes.py",
            "    if not unchanged(session, row_id, tries):\n        return False\n",
            "",
        ),
    ),
    Mutation(
        "claim",
        Edit(
            "store/publications.py",
            "        found.update((claim.message_key, claim.publication_id) for claim in session.exec(query))\n",
            "        session.exec(query)\n",
        ),
        Edit(
            "store/publications.py",
            "            message_key=message_key,\n            publication_id=publication.id,\n",
            '            message_key=f"{message_key}/{publication.id}",\n            publication_id=publication.id,\n',
        ),
    ),
    Mutation(
        "create-only attachment",
        Edit(
            "confluence/files.py",
            '"POST", path, write=True, scope=WRITE_FILE,',
            '"PUT" if params == {"status": "current"} else "POST", path, write=True, scope=WRITE_FILE,',
        ),
    ),
    Mutation(
        "restriction read-back",
        Edit(
            "sync/writes/restrict.py",
            "client.restrict(self.content_id, self.subject)\n            if not self._stands(client):\n",
            "client.restrict(self.content_id, self.subject)\n            if not self.content_id:\n",
        ),
    ),
    Mutation(
        "stale-thread check",
        Edit(
            "sync/thread.py",
            "if thread.history_id < row.history_id and row.failures < _STALE_MOST:\n",
            "if thread.history_id < 0:\n",
        ),
    ),
    Mutation(
        "refresh lease",
        Edit("oauth/tokens.py", "not grants.free(row, now):\n", "not row.id:\n"),
        Edit(
            "oauth/tokens.py",
            "mine = grants.lease(session, self._grant_id, owner=self._owner, now=now)\n",
            "mine = True\n",
        ),
    ),
    Mutation(
        "epoch",
        Edit(
            "store/epoch.py",
            "-> bool:\n    if standing is None:\n",
            "-> bool:\n    return False\n    if standing is None:\n",
        ),
        Edit("store/epoch.py", "        if ahead <= number:\n", "        if True:\n"),
    ),
)
"""The ten protections."""


def apply(mutation: Mutation, root: Path) -> None:
    """Take a protection out of a copy of the package.

    Raises:
        NotFound: a text does not stand there exactly once.
    """
    for edit in mutation.edits:
        file = root / "bridge" / edit.file
        text = file.read_text()
        if text.count(edit.old) != 1:
            raise NotFound(f"{mutation.name}: the text stands {text.count(edit.old)} times in {edit.file}")
        file.write_text(text.replace(edit.old, edit.new))


def hunt(mutation: Mutation, last: int, sound: dict[int, bool]) -> Caught:
    """Play seeds with a protection taken out until one fails that does not fail as it is.

    Args:
        mutation: what is taken out.
        last: the last seed.
        sound: by seed, whether it passes with nothing taken out; what is found out is added.
    """
    began, seed, rule = monotonic(), 0, ""
    with TemporaryDirectory(prefix="mailbridge-mutation-") as folder:
        copy = Path(folder)
        shutil.copytree(ROOT / "bridge", copy / "bridge", ignore=shutil.ignore_patterns("__pycache__"))
        apply(mutation, copy)
        while seed < last:
            seed, rule = play(copy, seed + 1, last)
            if not seed:
                break
            if seed not in sound:
                sound[seed] = play(ROOT, seed, seed) == (0, "")
            if sound[seed]:
                return Caught(mutation.name, seed, rule, monotonic() - began)
    return Caught(mutation.name, 0, "", monotonic() - began)


def play(root: Path, first: int, last: int) -> tuple[int, str]:
    """Play seeds with the package in a folder until one fails; return it and the rule it breaks, (0, '') for none.

    Raises:
        RuntimeError: it could not be played at all.
    """
    command = [sys.executable, "-c", _PLAY, str(first), str(last)]
    done = subprocess.run(command, cwd=root, env={"PYTHONPATH": str(root)}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    told = json.loads(done.stdout.splitlines()[-1])
    return told["seed"], told["rule"]


def line(caught: Caught) -> str:
    """Return a row of the table."""
    seed = str(caught.seed) if caught.seed else "none"
    return f"{caught.name:<24}  {seed:>5}  {caught.seconds:>7.1f} s  {caught.rule or 'not caught'}"


def main() -> int:
    """Run the mutations that are named, all by default; return 1 where one is not caught."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="protections to take out; all by default")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many seeds are played at most")
    chosen = parser.parse_args()
    print(f"{'protection taken out':<24}  {'seed':>5}  {'time':>9}  caught by")
    escaped, sound = 0, dict[int, bool]()
    for mutation in MUTATIONS:
        if chosen.names and mutation.name not in chosen.names:
            continue
        caught = hunt(mutation, chosen.seeds, sound)
        escaped += not caught.seed
        print(line(caught), flush=True)
    return 1 if escaped else 0


if __name__ == "__main__":
    sys.exit(main())
