"""Which decisions take two stewards, by policy, and whether a second one has given the same.

The same is what has the same outcome: the token of the preview stands for it, so when anything changes that the outcome hangs on,
the first steward's word counts no more.
"""

from sqlmodel import Session

from kernel import approvals
from kernel.actor import AGENT, Principal
from kernel.approvals import Proposal
from mdm.policy import Policy
from stewardship.previews import Preview

KIND = "decision"
BY_AGENT = "agent:"
MOST_NAMED = 20


def records_of(preview: Preview) -> int:
    """How many records are members of golden records that would answer otherwise."""
    states = [state for one in preview.changed for state in (one.before, one.after) if state is not None]
    return len({member for state in states for member in state.members})


def takes_two(policy: Policy, preview: Preview, decisions: int, attribute: str | None = None) -> bool:
    """Whether policy asks for a second steward. `attribute`: of a value that is set by hand."""
    limits = policy.four_eyes
    return (
        (limits.records is not None and records_of(preview) > limits.records)
        or (limits.decisions is not None and decisions > limits.decisions)
        or attribute in limits.values
    )


def wait(
    session: Session,
    caller: Principal,
    policy: Policy,
    token: str,
    preview: Preview,
    decisions: int = 1,
    attribute: str | None = None,
) -> Proposal | None:
    """Keep what is decided as a proposal where it takes a second steward and this is the first; else None: go on and decide.

    `attribute`: of a value that is set by hand; the value itself is not kept, whoever seconds it brings it along.

    What an agent decides is always a proposal, whose subject is another than any person's: it seconds nobody, and is no first
    word where two persons are needed. A person who decides the same uses it up.
    """
    golden_ids = [str(one) for one in preview.golden_ids[:MOST_NAMED]]
    about: dict[str, object] = {"decisions": decisions, "records": records_of(preview), "golden_ids": golden_ids}
    if attribute is not None:
        about["attribute"] = attribute
    if caller.kind == AGENT:
        about["by_agent"] = True
        return approvals.propose(session, KIND, BY_AGENT + token, caller.actor, about, preview.brands, preview.regions)
    approvals.fulfil(session, KIND, BY_AGENT + token, caller.actor)
    if not takes_two(policy, preview, decisions, attribute):
        return None
    return approvals.second(session, KIND, token, caller.actor, about, preview.brands, preview.regions)
