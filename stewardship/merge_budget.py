"""The budget of false merges: where what stewards checked says that too many may be wrong, automatic merging is put on hold.

Judged by the upper end of the interval, of all merges and of each two sources, from as many answers on as the policy asks.
Answers from before a hold was lifted count no more, so that whoever lifts it is not overruled by what they have seen. What waits
is `mdm.merge_holds`'.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from kernel import approvals, db, log
from kernel.approvals import Proposal
from mdm import merge_holds
from mdm import policy as policies
from mdm.merge_holds import Hold
from mdm.policy_schema import MergeBudget
from stewardship import precision
from stewardship.precision import Pair, Precision

ACTOR = "mdm merge budget"
KIND = "merging"
logger = log.get_logger()


@dataclass(frozen=True, slots=True)
class Breach:
    """More merges may be wrong than the budget allows: of all (None) or of two sources."""

    sources: Pair | None
    budget: MergeBudget
    found: Precision

    @property
    def most_wrong(self) -> float:
        """The upper end of the interval of the share that is wrong."""
        told = self.found.precision
        return 1 - told.low if told else 0.0

    @property
    def wrong(self) -> int:
        """How many of the answers were no."""
        return sum(band.wrong for band in self.found.bands)

    @property
    def figures(self) -> Mapping[str, float]:
        """What it was judged by."""
        return {
            "wrong": self.wrong,
            "checked": self.found.answers,
            "most_wrong": round(self.most_wrong, 4),
            "budget": self.budget.false_merges,
        }

    @property
    def reason(self) -> str:
        """Say it in a sentence."""
        whose = f"merges of {self.sources[0]} with {self.sources[1]}" if self.sources else "automatic merges"
        return (
            f"{self.wrong} of {self.found.answers} {whose} that were checked were wrong: up to {self.most_wrong:.1%} may be,"
            f" and the policy allows {self.budget.false_merges:.1%}."
        )


def run(session: Session) -> list[Hold]:
    """Judge, and put on hold what is beyond the budget and is not on hold yet; what was put on hold. Idempotent."""
    ruling = policies.in_force(session)
    if ruling is None or ruling.merge_audit.budget is None:
        return []
    held = {one.sources for one in merge_holds.in_force(session)}
    if None in held:
        return []
    made = []
    for breach in breaches(session, ruling.merge_audit.budget):
        if breach.sources not in held:
            made.append(merge_holds.begin(session, ACTOR, breach.reason, breach.sources, breach.figures))
            logger.warning("merging_held", sources=breach.sources, **breach.figures)
    return made


def resume(session: Session, hold_id: UUID, by: str, reason: str) -> Proposal | int:
    """Lift a hold: how many records were let go. Where policy asks two persons for what rules, and this is the first: what waits.

    Commit either way. Raises: NotFound; Conflict when it has ended already.
    """
    ruling = policies.in_force(session)
    if ruling is not None and ruling.four_eyes.policy_records is not None:
        about = {"records": merge_holds.waiting(session)}
        waiting = approvals.second(session, KIND, str(hold_id), by, about)
        if waiting is not None:
            return waiting
    return merge_holds.lift(session, hold_id, by, reason)


def breaches(session: Session, budget: MergeBudget) -> list[Breach]:
    """What is beyond the budget: all merges, and where those are within it each two sources."""
    lifted = _lifted(merge_holds.listed(session))
    everything = list(judged({None: precision.read(session, db.Scope(), since=lifted.get(None))}, budget))
    if everything:
        return everything
    found = precision.read_by_sources(session, since=lifted.get(None))
    again = {pair: at for pair, at in lifted.items() if pair in found}
    found |= {pair: precision.read_by_sources(session, since=at).get(pair, Precision(())) for pair, at in again.items() if pair}
    return list(judged(found, budget))


def judged(found: Mapping[Pair, Precision] | Mapping[None, Precision], budget: MergeBudget) -> Iterator[Breach]:
    """Give what is beyond the budget."""
    for sources, told in found.items():
        breach = Breach(sources, budget, told)
        if told.answers >= budget.checks and breach.most_wrong > budget.false_merges:
            yield breach


def _lifted(holds: Sequence[Hold]) -> dict[Pair | None, datetime]:
    """When a hold of the same merges was last lifted; one of all merges counts for each two sources as well."""
    found: dict[Pair | None, datetime] = {}
    for one in holds:
        if one.ended_at is not None:
            found[one.sources] = max(one.ended_at, found.get(one.sources, one.ended_at))
    everything = found.get(None)
    return {pair: max(at, everything) if everything else at for pair, at in found.items()}
