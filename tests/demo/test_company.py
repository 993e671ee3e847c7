from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from bridge.demo.company import Company, found
from bridge.errors import BridgeError, SealError
from bridge.oauth.seal import make_key
from bridge.store.tables import Grant, Mailbox

from support.stories import ADA, BEN, Story, settings, story


@pytest.fixture
def at_hand(tmp_path: Path) -> Iterator[Story]:
    with story(tmp_path) as made:
        yield made


def again(at_hand: Story, seal_key: str) -> Company:
    """Set the installation up once more in the same folder."""
    oauth = at_hand.company.oauth
    return found(
        at_hand.world,
        at_hand.folder,
        settings=settings,
        transports=oauth.transports,
        clock=oauth.clock,
        chance=oauth.chance,
        seal_key=seal_key,
    )


@pytest.mark.parametrize(("answer", "backlog"), [("publish", "publish"), ("ignore", "ignore"), (None, "ask")])
def test_connecting_connects_both_and_answers(at_hand: Story, answer: str | None, backlog: str) -> None:
    at_hand.company.connect(ADA, backlog=answer)  # type: ignore[arg-type]
    with at_hand.company.oauth.store.read() as session:
        assert sorted(session.exec(select(Grant.provider))) == ["atlassian", "google"]
        box = session.exec(select(Mailbox)).one()
    assert (box.address, box.backlog) == (ADA, backlog)


def test_a_consent_that_does_not_end_well_is_told(at_hand: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BridgeError, match=r"^guest@partner\.example cannot connect here;"):
        at_hand.company.connect("guest@partner.example")
    oauth = at_hand.world.google.oauth
    approve = oauth.approve
    monkeypatch.setattr(oauth, "approve", lambda url, person: approve(url, BEN))
    with pytest.raises(BridgeError, match=r"^ada@example\.com could not connect: .*ben@example\.com"):
        at_hand.company.connect(ADA)


def test_the_database_is_the_same_at_the_next_start(at_hand: Story) -> None:
    key = at_hand._seal_key
    at_hand.company.connect(BEN)
    company = again(at_hand, key)
    with company.oauth.store.read() as session:
        assert session.exec(select(Mailbox.address)).all() == [BEN]
    company.oauth.store.close()


def test_another_key_is_refused(at_hand: Story) -> None:
    with pytest.raises(SealError):
        again(at_hand, make_key())
