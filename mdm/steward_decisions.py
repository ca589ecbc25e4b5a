"""Stewards' decisions in the log: made, taken back, and supposed, to see what they would do before they are made.

A decision speaks of two sets of records. It is superseded, never edited, and outlives every version of the records it names.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from mdm import decisions, pending, sql
from mdm.decisions import StewardDecision, StoredDecision
from mdm.override_values import Override
from mdm.versions import VersionSet

REDO_REASON = "steward_decision"


@dataclass(frozen=True, slots=True)
class Supposed:
    """Decisions to be looked at as if they had been made, and some as if they had been taken back. Nothing is stored.

    `overrides`: values as if they had been set; one that was set is taken back like a decision.
    """

    made: tuple[StewardDecision, ...] = ()
    undone: frozenset[uuid.UUID] = frozenset()
    overrides: tuple[Override, ...] = ()

    def about(
        self, stored: Mapping[uuid.UUID, StewardDecision], records: Collection[uuid.UUID]
    ) -> dict[uuid.UUID, StewardDecision]:
        """The live decisions about records as they would then be."""
        named = set(records)
        made = {one.decision_id: one for one in self.made if not one.records.isdisjoint(named)}
        return {known: one for known, one in stored.items() if known not in self.undone} | made

    def overrides_about(self, stored: Mapping[uuid.UUID, Override], records: Collection[uuid.UUID]) -> dict[uuid.UUID, Override]:
        """The overrides said of records as they would then be."""
        named = set(records)
        made = {one.override_id: one for one in self.overrides if not one.records.isdisjoint(named)}
        return {known: one for known, one in stored.items() if known not in self.undone} | made


NOTHING = Supposed()


@dataclass(frozen=True, slots=True)
class Kept:
    """A steward's decision as the log keeps it, taken back or not."""

    decision: StewardDecision
    author: str
    reason_code: str
    reason: str | None
    created_at: datetime
    superseded_at: datetime | None
    superseded_because: str | None
    said_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """Who decides, by what stable code, and with which words; decisions made together bear one set id. `said_at`: when it was
    decided elsewhere."""

    author: str
    reason_code: str
    reason: str | None = None
    set_id: uuid.UUID | None = None
    said_at: datetime | None = None


def make(session: Session, of: VersionSet, decision: StewardDecision, said: Said) -> None:
    """Write a decision and ask for its records to be resolved, before anything that is not waited for."""
    left, right = sorted(decision.left), sorted(decision.right)
    row = StoredDecision(
        decision.decision_id, said.author, decision.verdict, None, None, None, None, tuple(left), tuple(right), None, (),
        said.reason_code, said.reason, of.version_set_id, b"", tuple(sorted(decision.across)), decision.yields,
    )  # fmt: skip
    sql.run(
        session,
        """INSERT INTO decision (decision_id, author, verdict, left_records, right_records, reason_code, reason, version_set_id,
             checksum, set_id, across_blockers, said_at, yields) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [
            decision.decision_id, said.author, decision.verdict, left, right, said.reason_code, said.reason, of.version_set_id,
            decisions.checksum(of.decision_secret, row), said.set_id, list(row.across_blockers), said.said_at, row.yields,
        ],
    )  # fmt: skip
    _redo(session, decision)


def take_back(session: Session, decision: StewardDecision, because: str) -> None:
    """End a decision and ask for its records to be resolved. One that is ended already stays as it is."""
    decisions.supersede(session, [decision.decision_id], because)
    _redo(session, decision)


def _redo(session: Session, decision: StewardDecision) -> None:
    """Ask for the records of a decision; a steward's own record, which bears the decision's id, is none that is resolved."""
    pending.request(session, sorted(decision.resolved), REDO_REASON, pending.INTERACTIVE_PRIORITY, fresh=False)


def find(session: Session, decision_id: uuid.UUID) -> Kept | None:
    """Read a steward's decision by its id, taken back or not; None when there is none."""
    found = sql.rows(
        session,
        f"""SELECT {decisions.STEWARD_COLUMNS}, author, reason_code, reason, created_at, superseded_at, superseded_because,
             said_at FROM decision WHERE decision_id = %s AND record_a IS NULL""",
        [decision_id],
    )
    if not found:
        return None
    return Kept(decisions.of_row(found[0]), *found[0][7:])


def live_of_set(session: Session, set_id: uuid.UUID) -> list[StewardDecision]:
    """Read the decisions of a set that hold still, the oldest first."""
    found = sql.rows(
        session,
        f"""SELECT {decisions.STEWARD_COLUMNS} FROM decision
           WHERE set_id = %s AND superseded_at IS NULL ORDER BY decision_id""",
        [set_id],
    )
    return [decisions.of_row(row) for row in found]


def live_of_authors(session: Session, authors: Collection[str], since: datetime, until: datetime) -> list[StewardDecision]:
    """Read what some authors decided from one time until before another and what holds still, values set by hand among it."""
    found = sql.rows(
        session,
        f"""SELECT {decisions.STEWARD_COLUMNS} FROM decision
           WHERE author = ANY(%s) AND created_at >= %s AND created_at < %s AND superseded_at IS NULL AND record_a IS NULL
           ORDER BY decision_id""",
        [list(authors), since, until],
    )
    return [decisions.of_row(row) for row in found]


def known(session: Session, decision_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, bool]:
    """Say of the ids that were ever made whether they hold still."""
    found = sql.rows(
        session, "SELECT decision_id, superseded_at IS NULL FROM decision WHERE decision_id = ANY(%s)", [list(decision_ids)]
    )
    return {row[0]: row[1] for row in found}
