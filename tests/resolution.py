"""A small customer master to test with: sources of every stage, records by plain dicts, resolved in this process."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from kernel import db, jobs
from kernel.actor import Principal
from kernel.settings import settings
from mdm import import_undo, imports, ingest, owed, pending, policy, resolve, sql, verify
from mdm.incoming import Incoming
from mdm.policy import Policy
from stewardship import tasks

from .emptying import empty_tables

POLICY = """
sources:
  shop: {channel_kind: ecommerce, brand: acme, trust: 0.7}
  pos: {channel_kind: pos, brand: acme, trust: 0.6}
  crm: {channel_kind: crm, brand: bolt, trust: 0.9}
  trial: {channel_kind: marketing, brand: acme, stage: shadow}
  bought: {channel_kind: acquired_brand, brand: cord, stage: review}
  staff: {channel_kind: crm, brand: acme, identity_domain: staff}
identifiers:
  national_id: {one_person_per_value: true, one_value_per_person: true}
"""
WHO = Principal("test", "test", frozenset(), db.Scope())
MARIA: dict[str, Any] = {
    "given_name": "Maria",
    "surname": "Garcia Lopez",
    "birth_date": "1984-03-12",
    "emails": ["maria.garcia@telefonica.net"],
    "phones": ["+34655872310"],
    "addresses": [{"line1": "Calle Mayor 5", "city": "Madrid", "postal_code": "28013", "country": "ES"}],
}
RECORD_TABLES = (
    "source_record", "record_version", "record_sighting", "standard_record", "blocking_key", "hot_key", "pending_record",
    "decision", "golden", "golden_version", "founder", "crosswalk", "crosswalk_version", "task", "outbox", "event",
    "record_data_key", "search_term", "consent_entry",
)  # fmt: skip
Key = tuple[str, str]


@dataclass
class Master:
    """What a test does to the system and sees of it."""

    policy: Policy
    resolver: resolve.Resolver = field(default_factory=lambda: resolve.Resolver(db.transaction, tasks.project))

    def put(self, source: str, key: str, data: dict[str, Any] | None = None, **more: Any) -> ingest.Outcome:
        """Take in one record, committed."""
        return self.put_many(source, [Incoming(key, data, **more)])[0]

    def put_many(
        self, source: str, items: Sequence[Incoming], priority: int = pending.INTERACTIVE_PRIORITY
    ) -> list[ingest.Outcome]:
        """Take in records of one source in one transaction."""
        with db.transaction() as session:
            return ingest.put_records(session, self.policy, source, items, WHO, priority)

    def delete(self, source: str, key: str, **more: Any) -> ingest.Outcome:
        """Delete one record, committed."""
        return self.put(source, key, None, delete=True, **more)

    def load(self, source: str, *items: Incoming) -> uuid.UUID:
        """Take in rows of one source as an import that is done; its id."""
        with db.transaction() as session:
            job_id = jobs.create_job(session, imports.KIND, {"file": "c.csv", "source": source, "kind": "csv"}, "test")
            ingest.put_records(session, self.policy, source, items, WHO, job_id=job_id)
            imports.finish(session, imports.ImportJob(job_id, source, False, imports.Tally()))
        return job_id

    def undo_import(self, job_id: uuid.UUID, reason: str = "The wrong file.") -> dict[str, int]:
        """Undo an import, record by record; what became of how many. Resolves nothing."""
        with db.transaction() as session:
            begun = import_undo.begin(session, job_id, WHO, reason)
        done = import_undo.run(db.transaction, begun, "test", lambda *_: None)
        assert (done.state, done.failed_units) == ("finished", 0)
        return done.checkpoint

    def drain(self, batch_size: int = pending.BATCH_SIZE) -> resolve.Resolved:
        """Resolve all that is owed."""
        return owed.drain(self.resolver, batch_size)

    def verify(self, deep: bool = False) -> verify.Report:
        """Verify everything."""
        return (verify.verify_deep if deep else verify.verify)(db.transaction, tasks)


def start(text: str = POLICY) -> Master:
    """Store the policy in the (empty) database."""
    with db.transaction() as session:
        return Master(policy.store(session, policy.parse(text), "test"))


def query(statement: str, *params: Any, role: db.Role = db.Role.ENGINE) -> list[sql.Row]:
    """Read or change rows past the services."""
    with db.transaction(role) as session, sql.cursor(session) as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else []


def golden_of(source: str, key: str) -> uuid.UUID | None:
    """The golden id of a record, by the crosswalk."""
    found: uuid.UUID | None = query("SELECT golden_id FROM crosswalk WHERE source = %s AND source_key = %s", source, key)[0][0]
    return found


def partition() -> frozenset[frozenset[Key]]:
    """The records under one golden id, by source and key."""
    parts: dict[uuid.UUID, set[Key]] = {}
    for source, key, golden_id in query("SELECT source, source_key, golden_id FROM crosswalk WHERE golden_id IS NOT NULL"):
        parts.setdefault(golden_id, set()).add((source, key))
    return frozenset(map(frozenset, parts.values()))


def contents() -> dict[frozenset[Key], bytes]:
    """The content hash of each live golden, by its members: comparable between installations and orders."""
    rows = query("SELECT body, content_hash FROM golden WHERE status = 'live'")
    return {frozenset((m["source"], m["source_key"]) for m in body["members"]): bytes(digest) for body, digest in rows}


def questions() -> set[tuple[str, frozenset[Key], str]]:
    """The open tasks: kind, the records asked about, and why."""
    rows = query(
        """SELECT t.task_id, t.kind, t.reason_code, array_agg(ARRAY[c.source, c.source_key])
           FROM task t JOIN crosswalk c ON c.record_id = ANY(t.record_ids) WHERE t.state = 'open' GROUP BY 1, 2, 3"""
    )
    return {(kind, frozenset((source, key) for source, key in keys), reason) for _, kind, reason, keys in rows}


def events(*golden_ids: uuid.UUID | None) -> list[str]:
    """The types of the events about golden ids, in order."""
    rows = query(
        """SELECT type, subject_id FROM (SELECT type, subject_id, 0 AS stage, seq AS place FROM event
             UNION ALL SELECT type, subject_id, 1, outbox_id FROM outbox) AS told
           WHERE type LIKE 'golden.%%' ORDER BY stage, place"""
    )
    return [type_ for type_, subject in rows if not golden_ids or subject in golden_ids]


def at(day: int, hour: int = 0) -> datetime:
    """A time in March 2026."""
    return datetime.fromisoformat(f"2026-03-{day:02}T{hour:02}:00:00+00:00")


def empty_records() -> None:
    """Forget all records and what came of them; policy and version set stay."""
    empty_tables(settings().require_database_url(), RECORD_TABLES)


def end_other_connections(database_url: str) -> None:
    """End all connections to a database but those that are yet to come: pools that tests before have left would be in the way."""
    db.dispose()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()"""
        )
