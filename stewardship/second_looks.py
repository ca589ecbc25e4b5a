"""A share of the answers is asked for a second time, of another steward who is not told the first: how often do two agree.

Drawn with the answer, by a keyed hash of its task: nobody who answers can tell which. A second answer changes nothing. One that
differs waits for a third person, who keeps the first answer or takes it back as any other. Answers that took several decisions
are not drawn: there is no yes or no to hold against another.
"""

import hashlib
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from kernel import audit, clock
from kernel.actor import Principal
from kernel.db import Scope
from kernel.errors import Conflict, Forbidden, NotFound
from kernel.settings import settings
from mdm import policy as policies
from mdm import sql
from stewardship.precision import Z_95, Interval, wilson
from stewardship.settle import MATCH, NO_MATCH

WAITING, DIFFERS = "waiting", "differs"
MOST_SHOWN = 6
_WHOLE = 2**64


@dataclass(frozen=True, slots=True)
class Look:
    """An answer that is asked for again. `first_verdict` and `second_verdict` are for those who settle a difference."""

    decision_id: uuid.UUID
    task_id: uuid.UUID
    kind: str
    reason_code: str
    drawn_at: datetime
    first_by: str
    first_verdict: str
    second_by: str | None
    second_verdict: str | None
    kept_by: str | None
    left_records: tuple[uuid.UUID, ...]
    right_records: tuple[uuid.UUID, ...]

    @property
    def differs(self) -> bool:
        """Whether two have answered, and not the same."""
        return self.second_verdict is not None and self.second_verdict != self.first_verdict


@dataclass(frozen=True, slots=True)
class Shown:
    """A record as it is looked at: on which side it stands, and its values."""

    side: int
    record_id: uuid.UUID
    source: str
    key: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often two stewards said the same of one question. `kappa` is None where chance alone would make them agree."""

    kind: str
    asked_twice: int
    agreed: Interval
    kappa: Interval | None


def draw(session: Session, task_id: uuid.UUID, by: str, verdict: str, decision_id: uuid.UUID | None) -> None:
    """Perhaps have an answer asked for again. In the transaction that keeps the answer."""
    share = policies.current(session).double_review.share
    if decision_id is None or verdict not in {MATCH, NO_MATCH} or not _is_drawn(task_id, share):
        return
    sql.run(
        session,
        """INSERT INTO second_look (decision_id, task_id, share, first_by, first_verdict, drawn_at)
           VALUES (%s, %s, %s, %s, %s, %s)""",
        [decision_id, task_id, share, by, verdict, clock.now()],
    )


def _is_drawn(task_id: uuid.UUID, share: float) -> bool:
    """Ever the same of the same task under the same secret. Source: permanent random numbers (Ohlsson 1995)."""
    drawn = hashlib.blake2b(task_id.bytes, key=settings().secret_for("second look"), digest_size=8).digest()
    return int.from_bytes(drawn) < share * _WHOLE


# What was taken back, or superseded, is asked no more: there is no answer left to agree with.
_LOOKS = """
SELECT l.decision_id, l.task_id, t.kind, t.reason_code, l.drawn_at, l.first_by, l.first_verdict, l.second_by, l.second_verdict,
  l.kept_by, d.left_records, d.right_records
FROM second_look l JOIN task t USING (task_id) JOIN decision d ON d.decision_id = l.decision_id AND d.superseded_at IS NULL
WHERE (%(brands)s::text[] IS NULL OR t.brands <@ %(brands)s) AND (%(regions)s::text[] IS NULL OR t.regions <@ %(regions)s)
  AND l.first_by <> %(me)s AND l.second_by IS DISTINCT FROM %(me)s AND {which}"""
_STATES = {WAITING: "l.second_by IS NULL", DIFFERS: "l.second_verdict <> l.first_verdict AND l.kept_at IS NULL"}


def listed(session: Session, caller: Principal, state: str, most: int) -> list[Look]:
    """List what a caller may answer (`waiting`) or settle (`differs`), the oldest first: nothing that is their own.

    Of a scope all is asked that lies wholly within. Reads past the application's row scope.
    """
    statement = f"{_LOOKS.format(which=_STATES[state])} ORDER BY l.drawn_at, l.decision_id LIMIT %(most)s"
    return [_look(row) for row in sql.rows(session, statement, {**_of(caller), "most": most})]


def find(session: Session, caller: Principal, decision_id: uuid.UUID) -> Look:
    """Read one that a caller may answer or settle.

    Raises: NotFound, also for their own and beyond their scope; Conflict once two said the same, or a third kept the first.
    """
    statement = f"{_LOOKS.format(which='l.decision_id = %(id)s')} FOR UPDATE OF l"
    found = [_look(row) for row in sql.rows(session, statement, {**_of(caller), "id": decision_id})]
    if not found:
        raise NotFound("There is no such second look for you", code="unknown_second_look")
    (look,) = found
    if look.kept_by is not None or (look.second_by is not None and not look.differs):
        raise Conflict("It is settled", code="second_look_settled", detail="Two have said the same, or a third kept the first.")
    return look


def _of(caller: Principal) -> dict[str, Any]:
    scope: Scope = caller.scope
    brands, regions = (None if one is None else list(one) for one in (scope.brands, scope.regions))
    return {"me": caller.actor, "brands": brands, "regions": regions}


def _look(row: sql.Row) -> Look:
    values: list[Any] = [tuple(value) if isinstance(value, list) else value for value in row]
    return Look(*values)


def records(session: Session, caller: Principal, look: Look) -> list[Shown]:
    """Read the records of both sides as their sources have them now, three of each; audited one by one."""
    half = MOST_SHOWN // 2
    chosen = [(side, one) for side, ids in enumerate((look.left_records, look.right_records)) for one in ids[:half]]
    found = {
        row[0]: row[1:]
        for row in sql.rows(
            session,
            """SELECT c.record_id, c.source, c.source_key, s.body FROM crosswalk c JOIN standard_record s USING (record_id)
               WHERE c.record_id = ANY(%s)""",
            [[one for _, one in chosen]],
        )
    }
    for one in found:
        audit.record(session, caller.actor, "record.read", "record", str(one), purpose="stewardship")
    return [Shown(side, one, *found[one]) for side, one in chosen if one in found]


def answer(session: Session, caller: Principal, decision_id: uuid.UUID, verdict: str) -> bool:
    """Answer for the second time; whether it is what the first steward said. Changes no decision.

    Raises: as `find`; Conflict when somebody was quicker.
    """
    look = find(session, caller, decision_id)
    if look.second_by is not None:
        raise Conflict("Somebody else has answered", code="second_look_answered")
    said = [caller.actor, verdict, clock.now(), decision_id]
    sql.run(session, "UPDATE second_look SET second_by = %s, second_verdict = %s, answered_at = %s WHERE decision_id = %s", said)
    agrees = verdict == look.first_verdict
    audit.record(session, caller.actor, "second_look.answered", "decision", str(decision_id), detail={"agrees": agrees})
    return agrees


def keep(session: Session, caller: Principal, decision_id: uuid.UUID) -> None:
    """Keep the first answer where the second differs, as a third person. Taken back it is as any other answer.

    Raises: as `find`; Conflict where nothing differs; Forbidden without decisions:write.
    """
    if not caller.may("decisions:write"):
        raise Forbidden("A senior steward settles what two said differently", code="missing_scope")
    if not find(session, caller, decision_id).differs:
        raise Conflict("Nobody has said otherwise", code="nothing_differs")
    said = [caller.actor, clock.now(), decision_id]
    sql.run(session, "UPDATE second_look SET kept_by = %s, kept_at = %s WHERE decision_id = %s", said)
    audit.record(session, caller.actor, "second_look.kept", "decision", str(decision_id))


def agreement(session: Session, since: datetime, until: datetime) -> list[Agreement]:
    """Tell how often two agreed, by kind of question and of all, of what was answered a second time within."""
    found = sql.rows(
        session,
        """SELECT t.kind, l.first_verdict, l.second_verdict, count(*) FROM second_look l JOIN task t USING (task_id)
           WHERE l.answered_at >= %s AND l.answered_at < %s GROUP BY 1, 2, 3 ORDER BY 1""",
        [since, until],
    )
    kinds: dict[str, dict[tuple[str, str], int]] = {}
    for kind, first, second, number in found:
        for name in (kind, "all"):
            told = kinds.setdefault(name, {})
            told[first, second] = told.get((first, second), 0) + number
    ordered = sorted(kinds, key=lambda kind: (kind == "all", kind))
    return [agreed(kind, [kinds[kind].get(cell, 0) for cell in CELLS]) for kind in ordered]


CELLS = ((MATCH, MATCH), (MATCH, NO_MATCH), (NO_MATCH, MATCH), (NO_MATCH, NO_MATCH))


def agreed(kind: str, counts: Sequence[int]) -> Agreement:
    """Tell agreement of how often two said each of `CELLS`; at least one of them.

    Kappa is what is agreed beyond chance, of what chance leaves; its interval by the large-sample error, within -1 and 1.
    Source: Cohen 1960, "A coefficient of agreement for nominal scales", formulas 1 and 7.
    """
    whole = sum(counts)
    both, first, second, none = (one / whole for one in counts)
    observed = both + none
    chance = (both + first) * (both + second) + (second + none) * (first + none)
    share = wilson(counts[0] + counts[3], whole)
    if chance >= 1:
        return Agreement(kind, whole, share, None)
    kappa = (observed - chance) / (1 - chance)
    error = math.sqrt(observed * (1 - observed) / whole) / (1 - chance)
    return Agreement(kind, whole, share, Interval(kappa, max(-1.0, kappa - Z_95 * error), min(1.0, kappa + Z_95 * error)))
