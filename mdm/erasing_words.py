"""What an erasure takes out of rows that stay, or finds by what they hold: words, overrides, rejects, answers, certificates.

Each is a handler that tables name in what they declare of themselves. Idempotent.
"""

import uuid
from collections.abc import Collection, Iterator
from dataclasses import replace

import orjson
from cryptography.exceptions import InvalidTag
from sqlmodel import Session

from consent import ledger
from kernel.errors import Unavailable
from kernel.settings import settings
from mdm import certificate_signing, consent_customers, contact_points, decisions, export_registry, imports, sql
from mdm.erasing import REASON, Subject
from mdm.sealing import DataKey

# Values that tell whose a row is: all of one tuple must stand in it.
Telling = frozenset[tuple[str, ...]]
LEAST_TELLING = 5  # Characters: what is shorter stands in anybody's row.
_WORDED = """
SELECT decision_id FROM decision WHERE reason IS NOT NULL AND (record_a = ANY(%(ids)s) OR record_b = ANY(%(ids)s)
  OR left_records && %(ids)s::uuid[] OR right_records && %(ids)s::uuid[])"""


def words(session: Session, of: Subject, _values: Telling) -> int:
    """Take the words out of decisions about the records, and seal them anew; what they decided stays."""
    found = sql.rows(session, _WORDED, {"ids": list(of.records)})
    secret = settings().secret_for("decision")
    for one in decisions.by_id(session, [row[0] for row in found]):
        seal = decisions.checksum(secret, replace(one, reason=None))
        sql.run(session, "UPDATE decision SET reason = NULL, checksum = %s WHERE decision_id = %s", [seal, one.decision_id])
    return len(found)


_OVERRIDES = """
SELECT decision_id FROM decision WHERE reason_code = 'override' AND right_records && %(ids)s::uuid[]
  AND 2 * (SELECT count(*) FROM unnest(right_records) AS said WHERE said = ANY(%(ids)s)) >= cardinality(right_records)"""


def overrides(session: Session, of: Subject, _values: Telling) -> int:
    """Destroy what stewards set by hand on the records. What was said of more records of others stays with those."""
    found = [row[0] for row in sql.rows(session, _OVERRIDES, {"ids": list(of.records)})]
    decisions.supersede(session, found, REASON)
    return sql.run(
        session,
        """UPDATE steward_record SET wrapped_key = NULL, sealed_statement = '', attribute = '', expires_at = NULL
           WHERE record_id = ANY(%s) AND sealed_statement <> ''""",
        [found],
    )


_DETAILS = """
DELETE FROM consent_detail d USING (
  SELECT entry_id FROM consent_anchor WHERE record_id = ANY(%(ids)s)
  UNION SELECT entry_id FROM consent_entry e WHERE contact = ANY(%(contacts)s::bytea[])
    AND NOT EXISTS (SELECT FROM consent_anchor a WHERE a.entry_id = e.entry_id)) AS mine
WHERE mine.entry_id = d.entry_id AND NOT EXISTS (
  SELECT FROM consent_anchor o JOIN source_record r USING (record_id)
  WHERE o.entry_id = d.entry_id AND o.record_id <> ALL(%(ids)s) AND NOT r.is_deleted)"""


def consents(session: Session, of: Subject, values: Telling) -> int:
    """Delete the words of consents that are the person's alone, and of those that came before anybody held their contact point.

    What another holds as well stays: it may be theirs.
    """
    texts = [told[0] for told in values if len(told) == 1]
    points = {point for kind in contact_points.KINDS for text in texts if (point := contact_points.read(kind, text))}
    own = set(of.records)
    shared = {term for term, held in consent_customers.holders(session, points, len(own)).items() if held - own}
    hashed = ledger.contact_hasher()
    contacts = [bytes.fromhex(hashed(one.kind, one.canonical)) for one in points if one.term not in shared]
    return sql.run(session, _DETAILS, {"ids": list(of.records), "contacts": contacts})


def rejects(session: Session, of: Subject, values: Telling) -> int:
    """Delete rejected rows that hold a key or a telling value of the person: each is opened, nothing else says whose it is."""
    keys = {(key,) for _, key in of.keys}
    wanted = [[_folded(one) for one in told] for told in values | keys if sum(map(len, told)) >= LEAST_TELLING]
    gone = [reject_id for reject_id, text in _opened(session) if any(all(one in text for one in told) for told in wanted)]
    return sql.run(session, "DELETE FROM reject WHERE reject_id = ANY(%s)", [gone])


_REASONS = """
SELECT job_id, params ->> 'reason', kind = %(heal)s AND params ->> 'source' = ANY(%(sources)s)
  OR job_id IN (SELECT undo_job_id FROM record_withdrawal WHERE record_id = ANY(%(ids)s))
FROM job WHERE params ? 'reason' AND params ->> 'reason' <> %(erased)s"""
_UNSAID = (
    "UPDATE job SET params = params || %(said)s::jsonb WHERE job_id = ANY(%(jobs)s)",
    "UPDATE job_chunk SET params = params || %(said)s::jsonb WHERE job_id = ANY(%(jobs)s) AND params ? 'reason'",
)


def job_words(session: Session, of: Subject, values: Telling) -> int:
    """Take the reasons out of undos of imports that were about the records, heals of their sources, and what names them."""
    wanted = [[_folded(one) for one in told] for told in values if sum(map(len, told)) >= LEAST_TELLING]
    about = {"sources": sorted({source for source, _ in of.keys}), "ids": list(of.records), "heal": imports.HEAL_KIND}
    found = sql.rows(session, _REASONS, {**about, "erased": REASON})
    gone = [job for job, said, is_about in found if is_about or any(all(one in _folded(said) for one in told) for told in wanted)]
    for statement in _UNSAID:
        sql.run(session, statement, {"said": orjson.dumps({"reason": REASON}).decode(), "jobs": gone})
    return len(gone)


def _opened(session: Session) -> Iterator[tuple[uuid.UUID, str]]:
    found = sql.rows(session, "SELECT reject_id, wrapped_key, sealed_payload FROM reject WHERE wrapped_key IS NOT NULL")
    for reject_id, wrapped, sealed in found:
        try:
            raw = DataKey.unwrap(reject_id, bytes(wrapped)).open(bytes(sealed))
        except (InvalidTag, Unavailable, ValueError):
            continue  # Nobody can read it, so it tells nothing.
        yield reject_id, _folded(_plain(raw))


def _plain(raw: bytes) -> str:
    """Undo the escapes of JSON: a value may be written in several ways."""
    try:
        return orjson.dumps(orjson.loads(raw)).decode()
    except orjson.JSONDecodeError:
        return raw.decode("utf-8", "replace")


def _folded(text: str) -> str:
    """Without case and without what parts the digits of a number."""
    return "".join(one for one in text.casefold() if one not in " -./()")


def answers(session: Session, of: Subject, _values: Telling) -> int:
    """Delete kept answers that name the records, their keys or the golden ids: a copy of what was said of them."""
    named = [*map(str, of.records), *map(str, of.golden_ids), *(key for _, key in of.keys if len(key) >= LEAST_TELLING)]
    return sql.run(
        session,
        """DELETE FROM idempotency WHERE response IS NOT NULL AND EXISTS (
             SELECT FROM unnest(%s::text[]) AS n (name) WHERE position(convert_to(n.name, 'UTF8') IN response) > 0)""",
        [named],
    )


def certificates(session: Session, of: Subject, _values: Telling) -> int:
    """Take the keys out of the examples of certificates of their sources, which are signed anew."""
    sources, keys = {source for source, _ in of.keys}, {key for _, key in of.keys}
    found = sql.rows(
        session, "SELECT certificate_id, report FROM certificate WHERE source = ANY(%s) AND report IS NOT NULL", [list(sources)]
    )
    changed = 0
    for certificate_id, text in found:
        report = orjson.loads(text)
        shown = {name: [one for one in some if not _holds(one, keys)] for name, some in report["examples"].items()}
        if shown != report["examples"]:
            written = certificate_signing.canonical({**report, "examples": shown})
            params = [written.decode(), certificate_signing.sign(written), certificate_id]
            changed += sql.run(session, "UPDATE certificate SET report = %s, signature = %s WHERE certificate_id = %s", params)
    return changed


def _holds(example: object, keys: Collection[str]) -> bool:
    return (example in keys) if isinstance(example, str) else any(_holds(one, keys) for one in _inner(example))


def _inner(example: object) -> list[object]:
    if isinstance(example, dict):
        return list(example.values())
    return list(example) if isinstance(example, list) else []


_DECIDED = """
SELECT approval_id, reason, EXISTS (SELECT FROM unnest(%s::text[]) AS n (name) WHERE position(n.name IN a.about::text) > 0)
FROM approval a WHERE reason IS NOT NULL"""
_REQUESTS = "SELECT request_id::text FROM privacy_request WHERE golden_id = ANY(%s)"


def approvals(session: Session, of: Subject, values: Telling) -> int:
    """Take the words out of what a second person decided about the person, and out of whatever tells of them by a value.

    A proposal names the first of the golden ids that it is about, and never all: so the words are read as well.
    """
    about = [row[0] for row in sql.rows(session, _REQUESTS, [list(of.golden_ids)])]
    named = [*map(str, of.records), *map(str, of.golden_ids), *about]
    wanted = [[_folded(one) for one in told] for told in values if sum(map(len, told)) >= LEAST_TELLING]
    found = sql.rows(session, _DECIDED, [named])
    gone = [
        row[0] for row in found if row[2] or any(all(one in _folded(row[1]) for one in told) for told in wanted)
    ]  # fmt: skip
    return sql.run(session, "UPDATE approval SET reason = NULL WHERE approval_id = ANY(%s)", [gone])


def exports(session: Session, _of: Subject, _values: Telling) -> int:
    """Note that every file of bulk data that was made until now is removed; `forget_files` then deletes them."""
    return sql.run(session, "UPDATE export SET removed_at = now() WHERE file_name IS NOT NULL AND removed_at IS NULL")


def forget_files(session: Session) -> int:
    """Delete the files of bulk data that the register does not name as kept, whatever their age; how many.

    What is being written now finds its file gone and begins again, in a snapshot after the erasure.
    """
    kept, gone = export_registry.kept(session), 0
    for path in export_registry.folder().iterdir():
        if path.name not in kept:
            path.unlink(missing_ok=True)
            gone += 1
    return gone
