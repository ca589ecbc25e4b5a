"""The shadow: a second model that scores some of what was just resolved, decides nothing, and is reported where it differs.

Runs after a batch is settled, in transactions of its own, for at most a twentieth of a worker's time: whoever waits for a record
has the answer before. What fails here is noted and forgotten. Writes no decision, no golden record and no task.
"""

import random
import time
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlmodel import Session

from kernel import clock, log
from matching.model import Model
from mdm import candidates, judge, models, sql, versions
from mdm.records import CurrentRecord, Pair, Shelf
from mdm.steps import Steps, snapshot
from mdm.versions import VersionSet

NOT_KEPT = "not_kept"
# What of a batch is looked at, and how long the next look has to wait for each second that this one took.
RECORDS_A_LOOK, PAIRS_A_LOOK = 32, 1_000
REST_PER_SECOND = 19.0
LOOK_FOR_A_SHADOW_SECONDS = 5.0
STATEMENT_MILLISECONDS, LOCK_MILLISECONDS = 2_000, 200
LOOKS_AFTER_BULK, BULK_SECONDS = 40, 10.0
EXAMPLES_A_VERDICT = 20
logger = log.get_logger()


@dataclass(frozen=True, slots=True)
class Compared:
    """One pair under both models; NOT_KEPT is below the component line, where nothing is stored."""

    pair: Pair
    verdict: str
    shadow_verdict: str
    weight: float
    shadow_weight: float


@dataclass(frozen=True, slots=True)
class Report:
    """What the shadow has shown since it began: pairs by (verdict, its verdict), and pairs on which the two differ."""

    model: str
    name: str
    started_at: datetime
    counts: Mapping[tuple[str, str], int]
    examples: Sequence[Compared]


def start(session: Session, model: Model, by: str) -> None:
    """Let a model be the shadow; the one before ends, and its examples go."""
    models.store(session, model, by)
    stop(session)
    sql.run(session, "DELETE FROM shadow_example")
    sql.run(
        session,
        "INSERT INTO shadow_model (shadow_id, model, started_by, started_at) VALUES (%s, %s, %s, %s)",
        [clock.uuid7(), model.fingerprint, by, clock.now()],
    )


def stop(session: Session) -> bool:
    """End the shadow; whether there was one. What it has shown stays until the next begins."""
    return sql.run(session, "UPDATE shadow_model SET ended_at = %s WHERE ended_at IS NULL", [clock.now()]) > 0


def report(session: Session) -> Report | None:
    """Say what the latest shadow has shown, whether or not it still runs."""
    found = sql.rows(
        session,
        """SELECT s.shadow_id, s.model, m.name, s.started_at FROM shadow_model s JOIN model_version m ON m.fingerprint = s.model
           ORDER BY s.started_at DESC LIMIT 1""",
    )
    if not found:
        return None
    shadow_id, fingerprint, name, started_at = found[0]
    counts = sql.rows(
        session,
        "SELECT verdict, shadow_verdict, sum(pairs)::bigint FROM shadow_count WHERE shadow_id = %s GROUP BY 1, 2",
        [shadow_id],
    )
    examples = sql.rows(
        session,
        """SELECT record_a, record_b, verdict, shadow_verdict, weight, shadow_weight FROM shadow_example
           WHERE shadow_id = %s ORDER BY verdict, shadow_verdict, seen_at, record_a, record_b""",
        [shadow_id],
    )
    shown = [Compared((row[0], row[1]), *row[2:]) for row in examples]
    return Report(fingerprint, name, started_at, {(row[0], row[1]): row[2] for row in counts}, shown)


def compare(
    one: VersionSet, other: VersionSet, pairs: Iterable[Pair], records: Mapping[uuid.UUID, CurrentRecord]
) -> list[Compared]:
    """Score candidate pairs under two version sets. A pair with a record that is gone, or of two identity domains, gives none."""
    found = []
    for id_a, id_b in pairs:
        a, b = records.get(id_a), records.get(id_b)
        if a and b and one.domain(a.source) == one.domain(b.source):
            found.append(Compared((id_a, id_b), *_verdicts(one, other, a, b)))
    return found


def _verdicts(one: VersionSet, other: VersionSet, a: CurrentRecord, b: CurrentRecord) -> tuple[str, str, float, float]:
    first, second = judge.in_form_order(a, b)
    scored = [of.scorer.pair(first.form, second.form) for of in (one, other)]
    made = [judge.decision_of(of, a, b, each) for of, each in zip((one, other), scored, strict=True)]
    verdict, shadow_verdict = (each.verdict if each else NOT_KEPT for each in made)
    return verdict, shadow_verdict, scored[0].weight, scored[1].weight


def compare_stored(
    session: Session, one: VersionSet, other: VersionSet, records: int, shelf: Shelf | None = None
) -> list[Compared]:
    """Compare on the candidate pairs of a sample of stored records: always the same ones, as if drawn by lot."""
    drawn = "SELECT record_id FROM standard_record ORDER BY md5(record_id::text) LIMIT %s"
    ids = [row[0] for row in sql.rows(session, drawn, [records])]
    return compare(one, other, *_near(session, one, ids, shelf or Shelf(), 50 * PAIRS_A_LOOK))


def _near(
    session: Session, of: VersionSet, record_ids: Collection[uuid.UUID], shelf: Shelf, most: int
) -> tuple[list[Pair], Mapping[uuid.UUID, CurrentRecord]]:
    """Read the candidate pairs of records, at most so many of them, and the records of these. The same pairs, the same draw."""
    pairs = sorted(candidates.find(session, of, record_ids).pairs)
    pairs = pairs if len(pairs) <= most else random.Random(most).sample(pairs, most)  # noqa: S311 - a draw, not a secret.
    return pairs, shelf.load(session, {record for pair in pairs for record in pair})


@dataclass(slots=True)
class Watcher:
    """Lets the shadow look at what a process has just resolved, now and then, and never fails."""

    steps: Steps
    shelf_of: Callable[[VersionSet], Shelf]
    _rest_until: float = field(default=0.0)
    _known: dict[str, Model] = field(default_factory=dict)

    def watch(self, record_ids: Collection[uuid.UUID]) -> int:
        """Look at some of the records, unless it is too soon; how many pairs were compared."""
        started = time.monotonic()
        if started < self._rest_until or not record_ids:
            return 0
        looked = self._look(record_ids)
        rest = (time.monotonic() - started) * REST_PER_SECOND
        self._rest_until = time.monotonic() + (max(LOOK_FOR_A_SHADOW_SECONDS, rest) if looked is None else rest)
        return looked or 0

    def watch_stored(self) -> int:
        """Look at a sample of all records, after a bulk run; for some seconds at most."""
        started, compared = time.monotonic(), 0
        try:
            with self.steps() as session:
                if not sql.rows(session, "SELECT 1 FROM shadow_model WHERE ended_at IS NULL"):
                    return 0
                wanted = RECORDS_A_LOOK * LOOKS_AFTER_BULK
                found = sql.rows(session, "SELECT record_id FROM standard_record ORDER BY random() LIMIT %s", [wanted])
        except Exception as error:  # noqa: BLE001 - the shadow must never stop what is real
            logger.warning("shadow_failed", error=type(error).__name__)
            return 0
        for first in range(0, len(found), RECORDS_A_LOOK):
            if time.monotonic() - started > BULK_SECONDS:
                break
            compared += self._look([row[0] for row in found[first : first + RECORDS_A_LOOK]]) or 0
        return compared

    def _look(self, record_ids: Collection[uuid.UUID]) -> int | None:
        """Look once; None when there is no shadow, or it failed."""
        try:
            return self._compare(random.sample(sorted(record_ids), min(len(record_ids), RECORDS_A_LOOK)))
        except Exception as error:  # noqa: BLE001 - the shadow must never stop what is real
            logger.warning("shadow_failed", error=type(error).__name__)
            return None

    def _compare(self, record_ids: Collection[uuid.UUID]) -> int | None:
        with snapshot(self.steps) as session:
            _bound(session)
            found = sql.rows(session, "SELECT shadow_id, model FROM shadow_model WHERE ended_at IS NULL")
            current = versions.stored(session) if found else None
            if current is None:
                return None
            shadow = replace(current, model=self._model(session, found[0][1]))
            near = _near(session, current, record_ids, self.shelf_of(current), PAIRS_A_LOOK)
        compared = compare(current, shadow, *near)
        with self.steps() as session:
            _bound(session)
            _note(session, found[0][0], current.version_set_id, compared)
        return len(compared)

    def _model(self, session: Session, fingerprint: str) -> Model:
        if fingerprint not in self._known:
            self._known = {fingerprint: models.load(session, fingerprint)}
        return self._known[fingerprint]


def _bound(session: Session) -> None:
    """Give up what takes long, here and in what waits for us."""
    sql.run(session, f"SET LOCAL statement_timeout = {STATEMENT_MILLISECONDS}")
    sql.run(session, f"SET LOCAL lock_timeout = {LOCK_MILLISECONDS}")


def _note(session: Session, shadow_id: uuid.UUID, version_set_id: int, compared: Sequence[Compared]) -> None:
    """Note what was seen; the counts last, since other workers wait for their rows."""
    _note_examples(session, shadow_id, [one for one in compared if one.verdict != one.shadow_verdict])
    counts = Counter((one.verdict, one.shadow_verdict) for one in compared)
    for (verdict, shadow_verdict), pairs in sorted(counts.items()):
        sql.run(
            session,
            """INSERT INTO shadow_count AS c (shadow_id, version_set_id, verdict, shadow_verdict, pairs)
               VALUES (%s, %s, %s, %s, %s)
               ON CONFLICT (shadow_id, version_set_id, verdict, shadow_verdict) DO UPDATE SET pairs = c.pairs + EXCLUDED.pairs""",
            [shadow_id, version_set_id, verdict, shadow_verdict, pairs],
        )


def _note_examples(session: Session, shadow_id: uuid.UUID, differing: Sequence[Compared]) -> None:
    """Keep pairs on which the two differ, while there is room for more of their verdicts, and of records that live still."""
    held = "SELECT verdict, shadow_verdict, count(*) FROM shadow_example WHERE shadow_id = %s GROUP BY 1, 2"
    kept = Counter({(row[0], row[1]): row[2] for row in sql.rows(session, held, [shadow_id])}) if differing else Counter()
    for one in differing:
        kept[one.verdict, one.shadow_verdict] += 1
        if kept[one.verdict, one.shadow_verdict] <= EXAMPLES_A_VERDICT:
            sql.run(
                session,
                """INSERT INTO shadow_example
                     (shadow_id, record_a, record_b, verdict, shadow_verdict, weight, shadow_weight, seen_at)
                   SELECT %(shadow)s, %(a)s, %(b)s, %(verdict)s, %(other)s, %(weight)s, %(other_weight)s, %(now)s
                   WHERE EXISTS (SELECT 1 FROM standard_record WHERE record_id = %(a)s)
                     AND EXISTS (SELECT 1 FROM standard_record WHERE record_id = %(b)s)
                   ON CONFLICT DO NOTHING""",
                {
                    "shadow": shadow_id, "a": one.pair[0], "b": one.pair[1], "verdict": one.verdict, "other": one.shadow_verdict,
                    "weight": one.weight, "other_weight": one.shadow_weight, "now": clock.now(),
                },
            )  # fmt: skip
