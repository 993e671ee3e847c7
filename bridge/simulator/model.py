"""The model: what must stand, may stand and must not stand in Confluence once everything has settled; and the judge.

It knows what people did (``model_history``), whose mail may go where by that (``model_follows``), and what stands
(``standing``), and nothing of the bridge. Where the truth depends on a moment that nobody can tell, it lets both be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from bridge.simulator import model_conduct as conduct
from bridge.simulator import model_content as content
from bridge.simulator.acts import Act
from bridge.simulator.evidence import Evidence
from bridge.simulator.model_case import Case, Violation

__all__ = ["RULES", "Rule", "Violation", "judge", "judge_early"]

Rule = Callable[[Case], Iterator[Violation]]

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "nothing lost": content.lost,
        "nothing twice": content.twice,
        "order kept": content.out_of_order,
        "nothing unlabelled or held published": content.leaked,
        "each file once": content.files,
        "deleted stays deleted": content.revived,
        "people's edits stand": content.overwritten,
        "people's files stand": content.replaced,
        "written once": conduct.put_again,
        "restricted before readable": conduct.readable,
        "own tokens only": conduct.foreign_token,
        "nothing after a pause": conduct.paused,
        "nothing after a revocation": conduct.revoked,
        "refreshed once": conduct.refreshed,
        "drafts only for lost answers": conduct.drafts,
        "waits with a reason": conduct.waits,
        "no quota exceeded": conduct.quota,
    }
)
"""Every rule by its name; its sentence is the docstring of what checks it."""


def judge(history: Sequence[Act], evidence: Evidence) -> list[Violation]:
    """Return what is wrong with what stands, given what people did; nothing, in a good run.

    Args:
        history: every act, in order.
        evidence: what stands now that all has settled, and what was seen on the way.
    """
    case = Case(history, evidence)
    return [violation for rule in RULES.values() for violation in rule(case)]


def judge_early(history: Sequence[Act], evidence: Evidence) -> list[Violation]:
    """Return who waits in silence, once nothing strikes any more and everything was looked at, but may not be done."""
    return list(content.silent(Case(history, evidence)))
