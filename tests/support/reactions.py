"""What the stories about reactions share: faults that last, and what ``status`` says meanwhile."""

from __future__ import annotations

from bridge.daemon.report import Report, report
from bridge.sandbox.faults import parse
from bridge.store import accounts, grants
from bridge.store.tables import Grant

from support.stories import ADA, Story
from support.thread_t3 import send_t3


def t3_labelled(company: Story) -> None:
    """Have Ada label T3."""
    company.label(ADA, send_t3(company)[0][ADA][1])


def status_of(company: Story) -> Report:
    """Return what ``mailbridge status`` tells."""
    with company.company.oauth.store.read() as session:
        return report(session, company.clock.now(), subjects=False)


def whose_moves(company: Story) -> set[str]:
    """Return whose move it is, of all that waits."""
    return {row.whose for row in status_of(company).waits}


def lasts(company: Story, *rules: str) -> None:
    """Have faults strike from now on, until they are mended."""
    company.world.core.faults += [parse(f"{rule} times=always") for rule in rules]


def mend(company: Story) -> None:
    """Take every fault away."""
    company.world.core.faults.clear()


def grant_of(company: Story, person: str, provider: str) -> Grant:
    """Return a person's grant at a provider."""
    with company.company.oauth.store.read() as session:
        account = accounts.by_address(session, person)
        assert account is not None
        return grants.of_account(session, account.id or 0)[provider]
