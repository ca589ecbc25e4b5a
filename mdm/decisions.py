"""The decision log: what the model and the stewards said about pairs, superseded but never edited.

Kept is every candidate pair at or above the component line, with its levels and both record versions; below the line nothing.
Each row carries a keyed checksum, so that an edit past this module is found by `mdm verify`. Never decides by itself.
"""

import hashlib
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from kernel.clock import uuid7
from matching.closure import StewardRule
from matching.components import PairEdge, edge_of
from matching.decide import Verdict
from matching.units import Evidence
from mdm import sql
from mdm.records import Pair, stamp

MODEL = "model"
WRITE_PASSES = 4
STEWARD_COLUMNS = "decision_id, verdict, left_records, right_records, across_blockers, yields, created_at"


@dataclass(frozen=True, slots=True)
class PairDecision:
    """What the model says about one pair of record versions. Ids are ordered."""

    record_a: uuid.UUID
    record_b: uuid.UUID
    version_a: int
    version_b: int
    verdict: str
    weight: float
    levels: tuple[int, ...]
    reason_code: str
    version_set_id: int
    # What the two standard records were made of when they were scored: what was renewed since is scored again.
    stamps: tuple[str, str] = field(default=("", ""), compare=False)
    # What clusters are formed by; not stored, since it can be weighed again.
    evidence: Evidence | None = field(default=None, compare=False)

    @property
    def pair(self) -> Pair:
        return (self.record_a, self.record_b)


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A row of the log as it is stored, whoever its author is."""

    decision_id: uuid.UUID
    author: str
    verdict: str
    record_a: uuid.UUID | None
    record_b: uuid.UUID | None
    version_a: int | None
    version_b: int | None
    left_records: tuple[uuid.UUID, ...]
    right_records: tuple[uuid.UUID, ...]
    weight: float | None
    levels: tuple[int, ...]
    reason_code: str
    reason: str | None
    version_set_id: int
    checksum: bytes
    across_blockers: tuple[str, ...] = ()
    yields: bool = False


@dataclass(frozen=True, slots=True)
class StewardDecision:
    """A steward's live verdict about two sets of records. `across`: the policy's merge blockers that it was made in spite of.

    `yields`: a merge that a source asserts, which gives way to what we know (`mdm.yielding`).
    """

    decision_id: uuid.UUID
    verdict: str
    left: frozenset[uuid.UUID]
    right: frozenset[uuid.UUID]
    across: frozenset[str] = frozenset()
    yields: bool = False
    made_at: datetime | None = field(default=None, compare=False)

    @property
    def records(self) -> frozenset[uuid.UUID]:
        """Both sides."""
        return self.left | self.right

    @property
    def is_match(self) -> bool:
        """Whether it says that both sides are one customer; else it holds them apart."""
        return self.verdict == Verdict.MATCH

    @property
    def as_rule(self) -> StewardRule[uuid.UUID]:
        """What clusters are formed by."""
        return StewardRule(self.left, self.right, "match" if self.is_match else "no_match", self.decision_id)

    @property
    def resolved(self) -> frozenset[uuid.UUID]:
        """Those of both sides that are resolved: not the record of an override, which bears the id of its decision."""
        return self.records - {self.decision_id}


def checksum(secret: bytes, decision: StoredDecision) -> bytes:
    """Seal everything a decision says; when it was superseded is not part of what it says."""
    said = (
        decision.decision_id, decision.author, decision.verdict, decision.record_a, decision.record_b, decision.version_a,
        decision.version_b, sorted(decision.left_records), sorted(decision.right_records), decision.weight, list(decision.levels),
        decision.reason_code, decision.reason, decision.version_set_id, *sorted(decision.across_blockers),
        *(["yields"] if decision.yields else []),
    )  # fmt: skip
    return hashlib.blake2b("|".join(map(str, said)).encode(), key=secret, digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class Written:
    """The records whose decisions changed; of them, those that a superseded decision named."""

    changed: frozenset[uuid.UUID] = frozenset()
    lost: frozenset[uuid.UUID] = frozenset()


def store(session: Session, decisions: Sequence[PairDecision], secret: bytes) -> Written:
    """Write the model's decisions; give the records whose decisions changed.

    An equal live row stays; one that says something else is superseded. A decision about a standard record that was replaced
    since is dropped (that record is pending again); the records are locked in the order of keys, so that none of their standard
    records is replaced before this commits. Repeated when another worker wrote the same pair in between.
    """
    decisions = _current(session, decisions)
    changed: set[uuid.UUID] = set()
    lost: set[uuid.UUID] = set()
    if not decisions:
        return Written()
    params = _columns(decisions, secret)
    for _ in range(WRITE_PASSES):
        others = [row[0] for row in sql.rows(session, _OTHER, params)]
        lost |= supersede(session, others, "scored_again")
        inserted = sql.rows(session, _INSERT, params)
        changed.update(one for row in inserted for one in row)
        if len(inserted) == len(decisions) or not sql.rows(session, _MISSING, params)[0][0]:
            break
    return Written(frozenset(changed | lost), frozenset(lost))


def _current(session: Session, decisions: Sequence[PairDecision]) -> list[PairDecision]:
    """Keep the decisions about versions that are current, and hold those versions until the transaction ends.

    Whoever replaces a standard record holds its source record, of which a page has ten times as many: most neighbours lie on
    pages of their own, and each page that a lock is written on first is logged whole. Read only then: what was waited for shows.
    """
    ids = [list({one for decision in decisions for one in decision.pair})]
    sql.run(session, "SELECT FROM source_record WHERE record_id = ANY(%s) ORDER BY source, source_key FOR SHARE", ids)
    found = sql.rows(
        session, "SELECT record_id, version_no, standardizer, policy_version FROM standard_record WHERE record_id = ANY(%s)", ids
    )
    stamps = {row[0]: stamp(*row[1:]) for row in found}
    return [one for one in decisions if (stamps.get(one.record_a), stamps.get(one.record_b)) == one.stamps]


def _columns(decisions: Sequence[PairDecision], secret: bytes) -> dict[str, object]:
    stored = [
        StoredDecision(
            uuid7(), MODEL, one.verdict, one.record_a, one.record_b, one.version_a, one.version_b, (), (), one.weight, one.levels,
            one.reason_code, None, one.version_set_id, b"",
        )
        for one in decisions
    ]  # fmt: skip
    columns: dict[str, object] = {name: _array(str(getattr(one, name)) for one in stored) for name in _PLAIN_COLUMNS}
    # Arrays of arrays must be rectangular in PostgreSQL, so each row's levels travel as text.
    columns["levels"] = _array(f'"{_array(map(str, one.levels))}"' for one in stored)
    columns["checksum"] = _array(f'"\\\\x{checksum(secret, one).hex()}"' for one in stored)
    return columns


# Ids, numbers and codes of ours: as text they need no quotes.
_PLAIN_COLUMNS = (
    "decision_id", "verdict", "record_a", "record_b", "version_a", "version_b", "weight", "reason_code", "version_set_id",
)  # fmt: skip


def _array(texts: Iterable[str]) -> str:
    """Write an array as PostgreSQL reads it, once for all statements that are given it: the driver would turn each element of a
    list into text again for each of them, and ask each what it is."""
    return "{" + ",".join(texts) + "}"


_NEW = """new AS (
  SELECT n.* FROM unnest(%(decision_id)s::uuid[], %(verdict)s::text[], %(record_a)s::uuid[], %(record_b)s::uuid[],
    %(version_a)s::int[], %(version_b)s::int[], %(weight)s::float8[], %(levels)s::text[], %(reason_code)s::text[],
    %(version_set_id)s::int[], %(checksum)s::bytea[])
    AS n (decision_id, verdict, record_a, record_b, version_a, version_b, weight, levels, reason_code, version_set_id,
          checksum))"""
_SAME = """d.version_a = n.version_a AND d.version_b = n.version_b AND d.verdict = n.verdict AND d.weight = n.weight
  AND d.levels = n.levels::smallint[] AND d.reason_code = n.reason_code AND d.version_set_id = n.version_set_id"""
_LIVE_PAIR = "d.superseded_at IS NULL AND d.author = 'model' AND d.record_a = n.record_a AND d.record_b = n.record_b"
# OFFSET 0 keeps the look-up of each record or pair a descent of an index of its own. Until PostgreSQL has counted the table (a
# minute after a load) it believes that next to nothing is live, and would read all live pairs for each batch: 3 ms a statement
# with 4,000 records stored, and ten times as much with 40,000.
_EACH = "OFFSET 0"

_OTHER = f"""WITH {_NEW}
SELECT o.decision_id FROM new n CROSS JOIN LATERAL (
  SELECT d.decision_id FROM decision d WHERE {_LIVE_PAIR} AND NOT ({_SAME}) {_EACH}) AS o"""

_INSERT = f"""WITH {_NEW}
INSERT INTO decision (decision_id, author, verdict, record_a, record_b, version_a, version_b, weight, levels, reason_code,
  version_set_id, checksum)
SELECT n.decision_id, 'model', n.verdict, n.record_a, n.record_b, n.version_a, n.version_b, n.weight, n.levels::smallint[],
  n.reason_code, n.version_set_id, n.checksum
FROM new n ORDER BY n.record_a, n.record_b
ON CONFLICT (record_a, record_b, author, version_set_id) WHERE superseded_at IS NULL DO NOTHING
RETURNING record_a, record_b"""

_MISSING = f"""WITH {_NEW}
SELECT count(*) FROM new n WHERE NOT EXISTS (SELECT 1 FROM decision d WHERE {_LIVE_PAIR} AND {_SAME} {_EACH})"""


def _live_of_each(columns: str) -> str:
    """Give the statement that reads the model's live decisions about each of `ids`. A pair of two of them is read twice."""
    live = f"SELECT {columns} FROM decision WHERE superseded_at IS NULL AND author = 'model' AND"
    return f"""SELECT live.* FROM unnest(%(ids)s::uuid[]) AS mine (record_id) CROSS JOIN LATERAL (
      ({live} record_a = mine.record_id {_EACH}) UNION ALL ({live} record_b = mine.record_id {_EACH})) AS live"""


def live_about(session: Session, record_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Pair]:
    """Read the model's live decisions that name any of the records: decision id to pair."""
    found = sql.rows(session, _live_of_each("decision_id, record_a, record_b"), {"ids": list(record_ids)})
    return {decision_id: (record_a, record_b) for decision_id, record_a, record_b in found}


def all_live(session: Session) -> dict[uuid.UUID, Pair]:
    """Read every live decision of the model: decision id to pair."""
    found = sql.rows(
        session, "SELECT decision_id, record_a, record_b FROM decision WHERE superseded_at IS NULL AND author = 'model'"
    )
    return {decision_id: (record_a, record_b) for decision_id, record_a, record_b in found}


def supersede(session: Session, decision_ids: Collection[uuid.UUID], because: str) -> set[uuid.UUID]:
    """End decisions by id; give the records they named. Ends only what the caller has read, never what came since."""
    if not decision_ids:
        return set()
    ended = sql.rows(
        session,
        """WITH old AS (SELECT decision_id FROM decision WHERE decision_id = ANY(%(ids)s) AND superseded_at IS NULL
                        ORDER BY decision_id FOR UPDATE)
           UPDATE decision d SET superseded_at = now(), superseded_because = %(because)s FROM old
           WHERE d.decision_id = old.decision_id AND d.superseded_at IS NULL RETURNING d.record_a, d.record_b""",
        {"ids": list(decision_ids), "because": because},
    )
    return {one for row in ended for one in row if one is not None}


def edges(session: Session, record_ids: Collection[uuid.UUID]) -> dict[Pair, PairEdge]:
    """Read the live pairs that touch the records as edges; the newest version set's where a pair has several."""
    columns = "record_a, record_b, weight, reason_code, verdict, version_set_id"
    found = sql.rows(session, _live_of_each(columns) + " ORDER BY version_set_id", {"ids": list(record_ids)})
    made = ((row[:2], edge_of(weight=row[2], reason_code=row[3], verdict=row[4])) for row in found)
    return {(record_a, record_b): edge for (record_a, record_b), edge in made if edge}


def steward_rules(session: Session, record_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, StewardDecision]:
    """Read the stewards' live decisions that name any of the records, on either side; none that ties an override to them.

    `record_a` tells them from the model's: asked for a thousand records, PostgreSQL would else read the whole log. The index for
    that leaves overrides out as well, of which there may be many.
    """
    found = sql.rows(
        session,
        f"""SELECT {STEWARD_COLUMNS} FROM decision
           WHERE superseded_at IS NULL AND record_a IS NULL AND reason_code <> 'override'
             AND (left_records && %(ids)s::uuid[] OR right_records && %(ids)s::uuid[])""",
        {"ids": list(record_ids)},
    )
    return {row[0]: of_row(row) for row in found}


def of_row(row: sql.Row) -> StewardDecision:
    """Make a steward's decision of a row that begins with STEWARD_COLUMNS."""
    return StewardDecision(row[0], row[1], frozenset(row[2]), frozenset(row[3]), frozenset(row[4]), row[5], row[6])


def stewards(session: Session) -> list[StewardDecision]:
    """Read all live decisions of stewards about whether records are one customer, the oldest first; nothing that yields."""
    found = sql.rows(
        session,
        f"""SELECT {STEWARD_COLUMNS} FROM decision
           WHERE superseded_at IS NULL AND author <> 'model' AND left_records IS NOT NULL AND reason_code <> 'override'
             AND NOT yields
           ORDER BY decision_id""",
    )
    return [of_row(row) for row in found]


_WHOLE = """
SELECT decision_id, author, verdict, record_a, record_b, version_a, version_b, coalesce(left_records, '{{}}'),
  coalesce(right_records, '{{}}'), weight, coalesce(levels, '{{}}'), reason_code, reason, version_set_id, checksum,
  across_blockers, yields
FROM decision WHERE {where} ORDER BY decision_id"""


def read(session: Session, record_ids: Collection[uuid.UUID]) -> list[StoredDecision]:
    """Read the live rows that name any of the records, whole; for verification and explanation."""
    where = """superseded_at IS NULL AND (record_a = ANY(%(ids)s) OR record_b = ANY(%(ids)s)
             OR left_records && %(ids)s::uuid[] OR right_records && %(ids)s::uuid[])"""
    return [_stored(row) for row in sql.rows(session, _WHOLE.format(where=where), {"ids": list(record_ids)})]


def by_id(session: Session, decision_ids: Collection[uuid.UUID]) -> list[StoredDecision]:
    """Read rows whole by their ids, superseded ones among them."""
    found = sql.rows(session, _WHOLE.format(where="decision_id = ANY(%(ids)s)"), {"ids": list(decision_ids)})
    return [_stored(row) for row in found]


def _stored(row: sql.Row) -> StoredDecision:
    columns = list(row)
    columns[7:9] = [tuple(columns[7]), tuple(columns[8])]
    columns[10], columns[14], columns[15] = tuple(columns[10]), bytes(columns[14]), tuple(columns[15])
    return StoredDecision(*columns)
