"""Rows that could not be used: kept sealed with their reason, and counted. Nothing is skipped in silence.

A row of a job is kept once, however often the job is run again.
"""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from kernel.clock import uuid7
from mdm import sql
from mdm.mapping import LISTS
from mdm.sealing import DataKey

KEPT_DAYS = 30  # Of a row's own text: it may hold a customer whom nobody ever stored, and whom no rule of a source reaches.


@dataclass(frozen=True, slots=True)
class Reject:
    """One unusable row: a stable code, the field it concerns, and what may be kept of the row."""

    code: str
    field: str = ""
    source: str | None = None
    line_no: int | None = None
    content: bytes | None = None


def keep(session: Session, rejects: Sequence[Reject], job_id: uuid.UUID | None = None) -> int:
    """Store rejects with one statement; the number newly kept."""
    if not rejects:
        return 0
    ids = [uuid7() for _ in rejects]
    keys = [DataKey.new(one) if reject.content else None for one, reject in zip(ids, rejects, strict=True)]
    return sql.run(
        session,
        """INSERT INTO reject (reject_id, job_id, source, line_no, code, detail, wrapped_key, sealed_payload)
           SELECT r.id, %(job)s::uuid, r.source, r.line_no, r.code, r.detail, r.wrapped, r.sealed
           FROM unnest(%(ids)s::uuid[], %(sources)s::text[], %(lines)s::bigint[], %(codes)s::text[], %(details)s::text[],
                       %(wrapped)s::bytea[], %(sealed)s::bytea[]) AS r (id, source, line_no, code, detail, wrapped, sealed)
           ON CONFLICT (job_id, line_no) WHERE job_id IS NOT NULL DO NOTHING""",
        {
            "job": job_id,
            "ids": ids,
            "sources": [reject.source for reject in rejects],
            "lines": [reject.line_no for reject in rejects],
            "codes": [reject.code for reject in rejects],
            "details": [reject.field for reject in rejects],
            "wrapped": [key.wrapped if key else None for key in keys],
            "sealed": [key.seal(reject.content or b"") if key else None for key, reject in zip(keys, rejects, strict=True)],
        },
    )


def of_job(session: Session, job_id: uuid.UUID, most: int | None = None) -> list[tuple[int, str, str]]:
    """Line number, code and field of every reject of a job, by line; of the first so many, where that is said."""
    wanted = "SELECT line_no, code, detail FROM reject WHERE job_id = %s ORDER BY line_no LIMIT %s"
    found = sql.rows(session, wanted, [job_id, most])
    return [(line_no, code, detail) for line_no, code, detail in found]


def content(session: Session, reject_id: uuid.UUID) -> bytes | None:
    """Open what was kept of a rejected row; None when nothing was."""
    found = sql.rows(session, "SELECT wrapped_key, sealed_payload FROM reject WHERE reject_id = %s", [reject_id])
    if not found or found[0][0] is None:
        return None
    return DataKey.unwrap(reject_id, found[0][0]).open(found[0][1])


def forget_old(session: Session) -> int:
    """Let go of what was kept of rows that were rejected more than KEPT_DAYS ago; how many. Where and why they were stays."""
    return sql.run(
        session,
        """UPDATE reject SET wrapped_key = NULL, sealed_payload = NULL
           WHERE sealed_payload IS NOT NULL AND rejected_at < now() - make_interval(days => %s)""",
        [KEPT_DAYS],
    )


# What a person can do about each code; `mdm import` writes it beside the code.
REASONS = {
    "bad_field_name": "a field's name is longer than 500 characters or holds a NUL",
    "bad_key": "the key holds a character that cannot be stored",
    "bad_source_updated_at": "the time of change is no ISO or Unix time or date in the source's date_order, 1900 to next year",
    "bad_source_version": "the version is not a whole number of 64 bits",
    "broken_quoting": "a quote stands inside a value, or a quoted value is never closed",
    "erased_person": "the person was erased; remove them from the source as well",
    "invalid_encoding": "the line is not in the file's encoding",
    "invalid_json": "the line is not JSON",
    "invalid_utf8": "the text is not UTF-8",
    "key_is_card_number": "the key is a payment card's number (if it only looks so: keys_like_cards of the source)",
    "key_is_reserved": "keys that begin with erased: are those of erased records",
    "key_missing": "there is no source key: does the source's `key` name the right field?",
    "key_too_long": "the key is longer than 500 characters",
    "key_was_renamed": "this key was given up for another; send the record under the new one",
    "not_a_number": "a number is NaN or infinite",
    "not_an_object": "the line is JSON, but not an object with fields",
    "nul_character": "a value holds a NUL character",
    "outside_scope": "the record's region is outside what this key may write",
    "payload_too_large": "the record is larger than 2 MB",
    "source_updated_at_in_future": "the time of change is more than a day ahead",
    "too_deep": "the record is nested more than 64 deep",
    "too_many_elements": "a list or object holds more than 1,000 elements",
    "value_too_long": "a value is longer than 1,000 characters",
    "wrong_column_count": "the line has more or fewer columns than the header",
    "wrong_type": "the field holds a list or an object where one value is expected",
}
COUNTS = re.compile(r"(\d+) of (\d+)")
OBJECTS_EXPECTED = "the field holds a plain value where a list of objects is expected"


def reason(code: str, field: str = "") -> str:
    """Say a code in words; `field` is the attribute that it concerns, of a line of the wrong width how wide it is of what."""
    if code == "wrong_type" and field in LISTS:
        return OBJECTS_EXPECTED
    if code == "wrong_column_count" and (counts := COUNTS.fullmatch(field)):
        return f"the line has {counts[1]} columns, the header {counts[2]}"
    return REASONS.get(code, code.replace("_", " "))
