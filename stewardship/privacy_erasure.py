"""Erases a person everywhere: noted in the ledger first, then removed from every table, file and cache, then told of.

Steps that each may be done again: killed anywhere, whoever takes the work over ends it. A database restored from before an
erasure is brought to the same state by `replay`.
"""

import uuid
from collections.abc import Callable, Collection, Mapping
from functools import partial

import orjson
from sqlmodel import Session

from kernel import audit, clock
from kernel.settings import fault_point
from mdm import erasing, erasing_late, erasing_traces, erasing_words, owed, sql, suppression, uploads
from mdm import policy as policies
from mdm.erasing import Subject
from mdm.erasing_words import Telling
from mdm.resolve import Resolver
from mdm.steps import Steps, insist
from stewardship import privacy_catalogue, privacy_ledger, tasks
from stewardship.privacy_ledger import Entry
from webhooks import deliveries

ACTOR = "service:privacy"
PLACE = "mdm.erasure"  # Whoever takes the next place in the ledger holds this lock.
Id = uuid.UUID
Handler = Callable[[Session, Subject, Telling], int]
HANDLERS: Mapping[str, Handler] = {
    "records": lambda session, of, _: erasing.records(session, of),
    "goldens": lambda session, of, _: erasing.goldens(session, of),
    "decisions": erasing_words.words,
    "overrides": erasing_words.overrides,
    "consents": erasing_words.consents,
    "rejects": erasing_words.rejects,
    "job_words": erasing_words.job_words,
    "answers": erasing_words.answers,
    "approvals": erasing_words.approvals,
    "certificates": erasing_words.certificates,
    "exports": erasing_words.exports,
    "tasks": lambda session, of, _: tasks.close_gone(session, of.golden_ids),
    "deliveries": lambda session, of, _: deliveries.forget_answers(session, [*of.records, *of.golden_ids]),
}


def begin(steps: Steps, request_id: Id, record_ids: Collection[Id]) -> Entry:
    """Note an erasure in the database and in the ledger, before anything is removed; once a request, however often it is begun.

    Raises: Unavailable when a table does not say how it is erased, or the ledger cannot be written.
    """
    entry = insist(steps, partial(_note, request_id=request_id, record_ids=record_ids))
    fault_point("privacy.noted")
    privacy_ledger.append(entry)
    fault_point("privacy.in_ledger")
    return entry


def _note(session: Session, request_id: Id, record_ids: Collection[Id]) -> Entry:
    sql.run(session, "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [PLACE])
    known = sql.rows(session, "SELECT body FROM erasure WHERE request_id = %s", [request_id])
    if known:
        return privacy_ledger.of_body(known[0][0])
    privacy_catalogue.understood(session, HANDLERS)
    of = _with_late(session, request_id, record_ids)
    ((place,),) = sql.rows(session, "SELECT coalesce(max(entry_no), 0) + 1 FROM erasure")
    entry = Entry(place, clock.uuid7(), clock.now(), request_id, of.records, of.golden_ids, _suppressed(session, of))
    _keep(session, entry)
    return entry


def _with_late(session: Session, request_id: Id, record_ids: Collection[Id]) -> Subject:
    """The person, with what was delivered since it was confirmed whom to erase."""
    of = erasing.subject(session, record_ids)
    confirmed = sql.rows(
        session, "SELECT j.created_at FROM privacy_request r JOIN job j USING (job_id) WHERE r.request_id = %s", [request_id]
    )
    since = confirmed[0][0] if confirmed else clock.now()
    late = erasing_late.find(session, _hasher(session), _suppressed(session, of), of.records, since)
    return erasing.subject(session, [*of.records, *(one.record_id for one in late)]) if late else of


def _hasher(session: Session) -> suppression.Hasher:
    return suppression.Hasher(policies.current(session))


def _suppressed(session: Session, of: Subject) -> tuple[Mapping[str, object], ...]:
    standard = erasing_traces.standard(session, of.records)
    found = sql.rows(
        session, "SELECT record_id, source, source_key FROM source_record WHERE record_id = ANY(%s)", [list(of.records)]
    )
    records = [(source, key, standard.get(record_id)) for record_id, source, key in found]
    return tuple(one.row() for one in suppression.of_person(_hasher(session), records))


def _keep(session: Session, entry: Entry) -> None:
    sql.run(
        session,
        """INSERT INTO erasure (entry_no, entry_id, request_id, body, begun_at) VALUES (%s, %s, %s, %s::jsonb, %s)
           ON CONFLICT DO NOTHING""",
        [entry.entry_no, entry.entry_id, entry.request_id, orjson.dumps(entry.body()).decode(), entry.at],
    )


def end(resolver: Resolver, entry: Entry) -> dict[str, int]:
    """Remove all that an entry tells of, and let what hangs together with it be resolved anew; what was removed, by table."""
    removed = insist(resolver.steps, partial(remove, entry=entry))
    fault_point("privacy.removed")
    files = _forget_files(resolver.steps)
    with resolver.steps() as session:
        waiting = _living(session, entry)
    owed.work(resolver, waiting)
    fault_point("privacy.resolved")
    with resolver.steps() as session:
        sql.run(session, "UPDATE erasure SET state = 'done', finished_at = now() WHERE entry_id = %s", [entry.entry_id])
    return {**removed, **files}


def remove(session: Session, entry: Entry) -> dict[str, int]:
    """Remove everything of an entry from the tables, all at once; how many rows of each. Idempotent.

    Records are stored by nobody meanwhile: who was about to store one of the person's finds them suppressed, and what was stored
    since the entry was made goes with the others.
    """
    suppression.hold_off(session)
    suppression.store(session, entry.entry_id, entry.suppressed)
    late = erasing_late.find(session, _hasher(session), entry.suppressed, entry.records, entry.at)
    suppression.count(session, [(one.source, one.kind) for one in late])
    of = erasing.subject(session, [*entry.records, *(one.record_id for one in late)], entry.golden_ids)
    telling = erasing_traces.telling(session, of.records)
    catalogue = privacy_catalogue.understood(session, HANDLERS)
    erasing.lock(session, of)
    gone = {name: sql.run(session, statement, privacy_catalogue.parameters(of)) for name, statement in catalogue.statements()}
    gone |= {name: HANDLERS[name](session, of, telling) for name in catalogue.handlers()}
    erasing.ask_again(session, of)
    detail = {"entry_no": entry.entry_no, "rows": sum(gone.values())}
    for golden_id in of.golden_ids:
        audit.record(session, ACTOR, "golden.erased", "golden", str(golden_id), detail=detail)
    sql.run(session, "UPDATE erasure SET state = 'removed', removed_at = now() WHERE entry_id = %s", [entry.entry_id])
    return {name: number for name, number in gone.items() if number}


def _forget_files(steps: Steps) -> dict[str, int]:
    """Delete exported files and uploads; what a job reads still is deleted by that job, and refused rows of it are not stored."""
    with steps() as session:
        return {"export_files": erasing_words.forget_files(session), "upload_files": uploads.forget_idle(session)}


def _living(session: Session, entry: Entry) -> list[Id]:
    """The records of an entry whose end is not resolved yet, and those beside them."""
    found = sql.rows(session, "SELECT record_id FROM pending_record WHERE record_id = ANY(%s)", [list(entry.records)])
    return [row[0] for row in found]


def replay(resolver: Resolver) -> int:
    """Bring the database to where the erasure ledger is: all that it lacks is erased again; how many entries that were.

    What the database knows and the ledger does not is written into the ledger.
    """
    known = {entry.entry_id for entry in privacy_ledger.entries()}
    with resolver.steps() as session:
        held = sql.rows(session, "SELECT body, state FROM erasure ORDER BY entry_no")
    for body, _ in held:
        if (entry := privacy_ledger.of_body(body)).entry_id not in known:
            privacy_ledger.append(entry)
    done = {privacy_ledger.of_body(body).entry_id for body, state in held if state == "done"}
    lacking = [entry for entry in privacy_ledger.entries() if entry.entry_id not in done]
    for entry in lacking:
        insist(resolver.steps, partial(_keep, entry=entry))
        end(resolver, entry)
    return len(lacking)


def resolver(steps: Steps) -> Resolver:
    """A resolver that keeps stewards' tasks as well."""
    return Resolver(steps, tasks.project)
