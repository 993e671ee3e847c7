from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from bridge.store import mailboxes
from bridge.store.engine import Store, open_store
from bridge.store.mailboxes import LEASE, Settled
from bridge.store.migrate import migrate
from bridge.store.tables import Mailbox

from support import rows
from support.rows import NOW, after

HORIZON = timedelta(hours=7)


def boxes(session: Session, **due: datetime) -> None:
    for name, due_at in due.items():
        rows.mailbox(session, f"{name}@acme.example", due_at=due_at)


def claim(session: Session, now: datetime = NOW, *, owner: str = "one", limit: int = 10) -> list[str]:
    taken = mailboxes.claim_due(session, now=now, owner=owner, limit=limit, horizon=HORIZON)
    return [box.address.partition("@")[0] for box in taken]


def only(session: Session) -> Mailbox:
    (box,) = mailboxes.everyone(session)
    session.refresh(box)
    return box


def settle(session: Session, outcome: Settled, *, owner: str = "one", now: datetime = NOW) -> Mailbox:
    mailboxes.settle(session, [outcome], owner=owner, now=now)
    return only(session)


def test_due_ones_are_claimed_the_longest_waiting_first(session: Session) -> None:
    boxes(session, a=after(seconds=-1), b=after(seconds=-3), c=NOW, d=after(seconds=1))
    assert claim(session) == ["b", "a", "c"]
    assert claim(session, after(seconds=1)) == ["d"]


def test_the_limit_takes_the_longest_waiting(session: Session) -> None:
    boxes(session, a=after(seconds=-1), b=after(seconds=-3), c=after(seconds=-2))
    assert claim(session, limit=2) == ["b", "c"]
    assert claim(session, limit=2) == ["a"]


def test_a_claim_is_a_lease(session: Session) -> None:
    boxes(session, a=NOW)
    (box,) = mailboxes.claim_due(session, now=NOW, owner="one", limit=1, horizon=HORIZON)
    assert (box.lease, box.lease_until) == ("one", NOW + LEASE)
    assert claim(session, owner="two") == []
    assert claim(session, NOW + LEASE, owner="two") == []
    assert claim(session, NOW + LEASE + timedelta(seconds=1), owner="two") == ["a"]


def test_the_claimed_row_is_fresh(session: Session) -> None:
    boxes(session, a=NOW)
    before = only(session)
    claim(session)
    assert before.lease == "one"


def test_a_time_beyond_the_horizon_is_due(session: Session) -> None:
    boxes(session, a=NOW + HORIZON, b=NOW + HORIZON + timedelta(seconds=1))
    assert claim(session) == ["b"]


def test_a_lease_from_before_the_clock_was_set_back_is_over(session: Session) -> None:
    boxes(session, a=after(days=-2))
    assert claim(session) == ["a"]
    assert claim(session, after(minutes=-5), owner="two") == []
    assert claim(session, after(days=-1), owner="two") == ["a"]


def test_any_due_says_what_claim_due_would_find(session: Session) -> None:
    def any_due(now: datetime) -> bool:
        return mailboxes.any_due(session, now=now, horizon=HORIZON)

    assert not any_due(NOW)
    boxes(session, a=NOW)
    assert [any_due(after(seconds=-1)), any_due(NOW), any_due(NOW - HORIZON - timedelta(seconds=1))] == [
        False,
        True,
        True,
    ]
    claim(session)
    assert [any_due(NOW), any_due(NOW + LEASE + timedelta(seconds=1))] == [False, True]


def test_many_claimers_never_share_a_mailbox(store: Store) -> None:
    with store.write() as session:
        boxes(session, **{f"m{number}": after(seconds=-number) for number in range(24)})
    start = threading.Barrier(4)
    taken: list[str] = []

    def work(owner: str) -> None:
        start.wait()
        for _ in range(4):
            with store.write() as session:
                taken.extend(claim(session, owner=owner, limit=3))

    workers = [threading.Thread(target=work, args=(str(number),)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(taken) == sorted(f"m{number}" for number in range(24))


def test_postgresql_skips_what_another_session_is_claiming(postgres_url: str) -> None:
    migrate(postgres_url)
    store = open_store(postgres_url)
    with store.write() as session:
        boxes(session, a=after(seconds=-3), b=after(seconds=-2), c=after(seconds=-1))
    with store.write() as first, store.write() as second:
        assert claim(first, limit=2) == ["a", "b"]
        assert claim(second, owner="two", limit=2) == ["c"]
    store.close()


def test_claim_one_takes_it_due_or_not(session: Session) -> None:
    box = rows.mailbox(session, due_at=after(days=1))

    def one(owner: str, now: datetime = NOW) -> bool:
        return mailboxes.claim_one(session, box.id or 0, owner=owner, now=now) is not None

    assert one("one")
    assert (box.lease, box.lease_until) == ("one", NOW + LEASE)
    assert [one("two"), one("one"), one("two", NOW + LEASE + timedelta(seconds=1))] == [False, True, True]
    assert mailboxes.claim_one(session, 10**9, owner="one", now=NOW) is None


def test_settle_gives_the_mailbox_back(session: Session) -> None:
    boxes(session, a=NOW)
    claim(session)
    box = settle(session, Settled(only(session).id or 0, after(minutes=1), "429", tries=2), now=after(seconds=5))
    assert (box.due_at, box.lease, box.lease_until) == (after(minutes=1), "", None)
    assert (box.reason, box.tries, box.looked_at) == ("429", 2, after(seconds=5))


def test_settle_leaves_what_another_owner_holds(session: Session) -> None:
    boxes(session, a=NOW)
    claim(session, owner="two")
    box = settle(session, Settled(only(session).id or 0, after(hours=1)))
    assert (box.due_at, box.lease, box.looked_at) == (NOW, "two", None)


def test_settle_leaves_due_what_was_made_due_meanwhile(session: Session) -> None:
    boxes(session, a=NOW)
    claim(session)
    box_id = only(session).id or 0
    mailboxes.due_now(session, box_id, after(seconds=3))
    box = settle(session, Settled(box_id, after(hours=6), "connect again", tries=4), now=after(seconds=5))
    assert (box.due_at, box.tries, box.reason, box.lease) == (after(seconds=3), 0, "connect again", "")


def test_settle_after_the_clock_was_set_back(session: Session) -> None:
    boxes(session, a=after(days=1))
    claim(session)
    box = settle(session, Settled(only(session).id or 0, after(minutes=1)), now=after(seconds=5))
    assert box.due_at == after(minutes=1)


def test_settle_takes_many(session: Session) -> None:
    boxes(session, a=NOW, b=NOW, c=NOW)
    claim(session)
    ids = [box.id or 0 for box in mailboxes.everyone(session)]
    mailboxes.settle(session, (Settled(i, after(seconds=i)) for i in ids), owner="one", now=NOW)
    session.expire_all()
    assert [box.due_at for box in mailboxes.everyone(session)] == [after(seconds=i) for i in ids]


def test_renew_lengthens_a_lease_that_is_held(session: Session) -> None:
    boxes(session, a=NOW)
    claim(session)
    box_id = only(session).id or 0
    assert mailboxes.renew(session, box_id, owner="one", now=after(minutes=9))
    assert only(session).lease_until == after(minutes=9) + LEASE
    assert not mailboxes.renew(session, box_id, owner="two", now=after(minutes=9))
    assert only(session).lease_until == after(minutes=9) + LEASE


def test_due_now(session: Session) -> None:
    box = rows.mailbox(session, due_at=after(hours=6), tries=5)
    mailboxes.due_now(session, box.id or 0, NOW)
    assert (only(session).due_at, only(session).tries) == (NOW, 0)


def test_by_account(session: Session) -> None:
    box = rows.mailbox(session)
    assert mailboxes.by_account(session, box.account_id) is box
    assert mailboxes.by_account(session, rows.account(session, "bob@acme.example").id or 0) is None


def test_everyone_by_address(session: Session) -> None:
    boxes(session, bob=NOW, ada=NOW)
    assert [box.address for box in mailboxes.everyone(session)] == ["ada@acme.example", "bob@acme.example"]


def test_an_address_has_one_mailbox(session: Session) -> None:
    box = rows.mailbox(session)
    other = rows.account(session, "bob@acme.example")
    with pytest.raises(IntegrityError):
        rows.add(session, Mailbox(account_id=other.id or 0, address=box.address, due_at=NOW))


def test_large_history_ids_fit(session: Session) -> None:
    rows.mailbox(session, cursor=2**63 - 1)
    assert only(session).cursor == 2**63 - 1


def test_labels_that_are_gone_are_marked(session: Session) -> None:
    box = rows.mailbox(session)

    def saved(names: dict[str, str], now: datetime) -> dict[str, tuple[str, datetime | None]]:
        mailboxes.save_labels(session, box.id or 0, names, now)
        return {label.gmail_id: (label.name, label.gone_at) for label in mailboxes.labels(session, box.id or 0)}

    later, last = after(hours=1), after(hours=2)
    assert saved({"L1": "Wiki", "L2": "News"}, NOW) == {"L1": ("Wiki", None), "L2": ("News", None)}
    assert saved({"L1": "Wiki/New"}, later) == {"L1": ("Wiki/New", None), "L2": ("News", later)}
    assert saved({"L1": "Wiki/New"}, last) == {"L1": ("Wiki/New", None), "L2": ("News", later)}
    assert only(session).labels_looked_at == last
    assert saved({"L2": "News"}, last) == {"L1": ("Wiki/New", last), "L2": ("News", None)}
