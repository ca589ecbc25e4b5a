"""How the verdicts on stored pairs would change from one model to another: a sample, scored under both. Only reads."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlmodel import Session

from matching.model import Model
from mdm import shadows, versions


@dataclass(frozen=True, slots=True)
class Tried:
    """Pairs by (verdict of the one, verdict of the other), on the candidate pairs of a sample of `records`."""

    records: int
    pairs: int
    counts: Mapping[tuple[str, str], int]


def on_stored(session: Session, before: Model, after: Model, records: int) -> Tried:
    """Try two models on the candidate pairs of a sample of stored records: always the same sample while the records stay."""
    current = versions.current(session)
    sets = (replace(current, model=before), replace(current, model=after))
    compared = shadows.compare_stored(session, *sets, records)
    named = {record for one in compared for record in one.pair}
    return Tried(len(named), len(compared), Counter((one.verdict, one.shadow_verdict) for one in compared))
