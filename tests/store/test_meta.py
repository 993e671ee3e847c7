from __future__ import annotations

import threading

from sqlmodel import Session, col, select

from bridge.clock import SeededChance
from bridge.store import meta
from bridge.store.engine import Store
from bridge.store.tables import Meta


def test_what_was_never_set_is_empty(session: Session) -> None:
    assert meta.get(session, "epoch") == ""


def test_the_last_value_counts(session: Session) -> None:
    for value in ("1", "2", "2"):
        meta.put(session, "epoch", value)
        assert meta.get(session, "epoch") == value
    assert len(session.exec(select(Meta)).all()) == 1


def test_the_installation_keeps_its_id(store: Store) -> None:
    with store.write() as session:
        first = meta.installation(session, SeededChance(1))
    with store.write() as session:
        assert meta.installation(session, SeededChance(2)) == first
    assert first == SeededChance(1).token(12)


def test_two_processes_agree_on_the_installation(store: Store) -> None:
    found: list[str] = []
    start = threading.Barrier(2)

    def ask(seed: int) -> None:
        start.wait()
        with store.write() as session:
            found.append(meta.installation(session, SeededChance(seed)))

    workers = [threading.Thread(target=ask, args=(seed,)) for seed in (1, 2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with store.read() as session:
        stored = session.exec(select(col(Meta.value)).where(Meta.key == "installation")).all()
    assert found == [stored[0], stored[0]]
