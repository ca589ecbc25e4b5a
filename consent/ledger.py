"""Appends entries to the consent ledger and reads them back. Never changes one, and never says what they amount to.

A contact point is stored as a keyed hash, and beside it in words as long as nobody erases them. An entry has the id of what it
says, so that the same statement is one entry however often it comes.
"""

import hashlib
import hmac
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlmodel import Session

from consent.entries import Basis, Channel, Entry, Method, Origin, State, Strength, Suppression
from kernel.settings import settings

CONTACT_BYTES = 16
Row = Sequence[Any]
Hasher = Callable[[str, str], str]
_COLUMNS = """entry_id, state, recorded_at, occurred_at, encode(contact, 'hex'), channel, purpose, brand, jurisdiction, origin,
  strength, is_evidenced, suppression, implied_by, asked_at, expires_at, lifts, records, parted_at"""
# Takes ids of records, hashes of contact points, and the time as at which only the latest of a kind are wanted.
ENTRIES = f"SELECT {_COLUMNS} FROM consent_entries(%s::uuid[], %s::bytea[], %s::timestamptz)"
_APPEND = sa.text("SELECT * FROM consent_append(CAST(:entries AS json))")
_READ = sa.text(f"SELECT {_COLUMNS} FROM consent_entries(CAST(:records AS uuid[]), CAST(:contacts AS bytea[]), :at)")
_LISTED = sa.text("""
SELECT * FROM consent_listed(CAST(:records AS uuid[]), CAST(:contacts AS bytea[]), :at, CAST(:brands AS text[]), :most)""")
_BROUGHT = sa.text("""
SELECT e.entry_id, e.brought_by FROM consent_entry e JOIN consent_anchor a USING (entry_id)
WHERE a.record_id = ANY(CAST(:ids AS uuid[])) AND e.brought_by = a.record_id AND e.state IN ('given', 'renewed', 'implied')
  AND NOT EXISTS (SELECT FROM consent_parting p WHERE p.entry_id = e.entry_id)""")
_OF_SEVERAL = sa.text("""
SELECT a.entry_id, array_agg(a.record_id) FROM consent_anchor a JOIN consent_entry e USING (entry_id)
WHERE e.state IN ('given', 'renewed', 'implied') AND NOT EXISTS (SELECT FROM consent_parting p WHERE p.entry_id = e.entry_id)
GROUP BY 1 HAVING count(*) > 1""")
_PART = sa.text("SELECT * FROM consent_part(CAST(:ids AS uuid[]), :at)")
_ANCHOR = sa.text("SELECT FROM consent_anchor_to(CAST(:entries AS uuid[]), CAST(:records AS uuid[]), :at)")
_WITH_RECORDS = """
SELECT e.entry_id, state, recorded_at, occurred_at, encode(contact, 'hex'), channel, purpose, brand, jurisdiction, origin,
  strength, is_evidenced, suppression, implied_by, asked_at, expires_at, lifts,
  (SELECT array_agg(record_id ORDER BY record_id) FROM consent_anchor a WHERE a.entry_id = e.entry_id),
  (SELECT parted_at FROM consent_parting p WHERE p.entry_id = e.entry_id)"""
# To look a member up is a third of what its class takes to find it, and a batch has tens of thousands.
_STATES = {one.value: one for one in State}
_ORIGINS = {one.value: one for one in Origin}
_STRENGTHS = {one.value: one for one in Strength}
_CHANNELS: Mapping[str | None, Channel | None] = {None: None, **{one.value: one for one in Channel}}
_SUPPRESSIONS: Mapping[str | None, Suppression | None] = {None: None, **{one.value: one for one in Suppression}}
_BESIDE = ("basis", "method", "notice", "source", "recorded_by", "evidence_hash", "contact_point", "evidence", "reason")
_BY_ID = sa.text(f"{_WITH_RECORDS} FROM consent_entry e WHERE e.entry_id = ANY(CAST(:ids AS uuid[]))")
_LIFTED = sa.text("SELECT lifts, lifted_by FROM consent_lifts(CAST(:ids AS uuid[]))")
_KEPT = sa.text(f"""{_WITH_RECORDS}, {", ".join(_BESIDE)}
FROM consent_entry e LEFT JOIN consent_detail d ON d.entry_id = e.entry_id WHERE e.entry_id = ANY(CAST(:ids AS uuid[]))""")


@dataclass(frozen=True, slots=True)
class Statement:
    """An entry with what is kept beside it: where it came from, how it was taken, and what is personal of it.

    `contact_point` is the point in words, `kind` of which kind. `evidence` is hashed with a key, so that a change of it shows.
    """

    entry: Entry
    recorded_by: str
    basis: Basis = Basis.CONSENT
    method: Method = Method.IMPORT
    kind: str | None = None
    contact_point: str | None = None
    notice: str | None = None
    evidence: Mapping[str, Any] | None = None
    reason: str | None = None
    source: str | None = None
    brought_by: UUID | None = None
    version_no: int | None = None
    golden_id: UUID | None = None

    def named(self, ids: Mapping[UUID, UUID]) -> "Statement":
        """The same, under another id where one is given for its own."""
        return replace(self, entry=replace(self.entry, entry_id=ids.get(self.entry.entry_id, self.entry.entry_id)))

    def about(self, records: Iterable[UUID]) -> "Statement":
        """The same, about these records."""
        return replace(self, entry=replace(self.entry, records=frozenset(records)))


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry as it is in the ledger, with what is kept beside it. What was erased is None."""

    entry: Entry
    basis: str
    method: str
    notice: str | None
    source: str | None
    recorded_by: str
    evidence_hash: bytes | None
    contact_point: str | None
    evidence: dict[str, Any] | None
    reason: str | None

    @property
    def is_intact(self) -> bool | None:
        """Whether the evidence is what it was when the entry was made; None when none is kept."""
        if self.evidence is None or self.evidence_hash is None:
            return None
        return hmac.compare_digest(evidence_hash(self.evidence), bytes(self.evidence_hash))


def contact_hasher() -> Hasher:
    """Give what names a contact point by a keyed hash: its kind, and itself in the form in which it is compared."""
    key = settings().secret_for("consent contact point")

    def hashed(kind: str, contact_point: str) -> str:
        return hmac.digest(key, f"{kind}:{contact_point}".encode(), "sha256")[:CONTACT_BYTES].hex()

    return hashed


def evidence_hash(evidence: Mapping[str, Any]) -> bytes:
    """Hash evidence with a key: much of it, an IP address say, could be guessed."""
    written = orjson.dumps(dict(evidence), option=orjson.OPT_SORT_KEYS)
    return hmac.new(settings().secret_for("consent evidence"), written, hashlib.sha256).digest()


def entry_id(*said: Any) -> UUID:
    """Give the id of what is said: whoever says the same of the same again means the same entry."""
    written = orjson.dumps(said, option=orjson.OPT_SORT_KEYS, default=str)
    digest = hmac.new(settings().secret_for("consent entry"), written, hashlib.sha256).digest()
    number = int.from_bytes(digest[:16], "big")
    return UUID(int=number & ~(0xF << 76 | 0b11 << 62) | 0x8 << 76 | 0b10 << 62)  # Version 8 (RFC 9562): a form of our own.


def append(session: Session, statements: Sequence[Statement]) -> set[UUID]:
    """Append entries, one statement whatever their number; the ids of those that were not in the ledger. Idempotent."""
    if not statements:
        return set()
    document = orjson.dumps([_json(one) for one in statements]).decode()
    return {row[0] for row in session.connection().execute(_APPEND, {"entries": document})}


def _json(one: Statement) -> dict[str, Any]:
    entry = one.entry
    names = (
        "entry_id", "state", "recorded_at", "occurred_at", "contact", "channel", "purpose", "brand", "jurisdiction", "origin",
        "strength", "is_evidenced", "suppression", "implied_by", "asked_at", "expires_at", "lifts",
    )  # fmt: skip
    beside = (
        "basis", "method", "contact_point", "notice", "evidence", "reason", "source", "brought_by", "version_no", "golden_id",
        "recorded_by",
    )  # fmt: skip
    return {
        **{name: getattr(entry, name) for name in names},
        **{name: getattr(one, name) for name in beside},
        "contact_kind": one.kind if entry.contact else None,
        "evidence_hash": evidence_hash(one.evidence).hex() if one.evidence else None,
        "records": sorted(entry.records),
    }


def read(
    session: Session, records: Collection[UUID], contacts: Collection[str], at: datetime, before: datetime | None = None
) -> list[Entry]:
    """Read the entries that may speak of records, and of what speaks against contact points all that decides as at a time.

    `before`: of the latter also what decided then.
    """
    if not records and not contacts:
        return []
    parameters = {"records": [str(one) for one in records], "contacts": [bytes.fromhex(one) for one in contacts]}
    found = {row[0]: row for row in session.connection().execute(_READ, {**parameters, "at": at})}
    if before is not None and contacts:
        found |= {row[0]: row for row in session.connection().execute(_READ, {**parameters, "records": [], "at": before})}
    return [entry_of(row) for row in found.values()]


def listed(
    session: Session,
    records: Collection[UUID],
    contacts: Collection[str],
    at: datetime,
    brands: Collection[str] | None,
    most: int,
) -> list[UUID]:
    """Name the entries that may speak of records, or speak against contact points, until a time: the last recorded first.

    `brands`: of which, beside those of no brand; None: of all.
    """
    parameters = {
        "records": [str(one) for one in records], "contacts": [bytes.fromhex(one) for one in contacts], "at": at,
        "brands": None if brands is None else list(brands), "most": most,
    }  # fmt: skip
    return [row[0] for row in session.connection().execute(_LISTED, parameters)]


def by_id(session: Session, entry_ids: Collection[UUID]) -> dict[UUID, Entry]:
    """Read entries by their ids, within the row scope of the session."""
    found = session.connection().execute(_BY_ID, {"ids": [str(one) for one in entry_ids]})
    return {row[0]: entry_of(row) for row in found}


def unlifted(session: Session, entry_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Give each suppression that is said again an id that no lift has ended: its own, or one that follows from the lift."""
    found = {one: one for one in entry_ids}
    while lifted := _lifted(session, found.values()):
        found = {one: entry_id(now, lifted[now]) if now in lifted else now for one, now in found.items()}
    return found


def _lifted(session: Session, entry_ids: Collection[UUID]) -> dict[UUID, str]:
    if not entry_ids:
        return {}
    return {row[0]: row[1] for row in session.connection().execute(_LIFTED, {"ids": [str(one) for one in entry_ids]})}


def kept(session: Session, entry_ids: Sequence[UUID]) -> list[Kept]:
    """Read entries with all that is kept beside them, in the order of the ids; for whoever may see every entry."""
    found = session.connection().execute(_KEPT, {"ids": [str(one) for one in entry_ids]})
    by_id_ = {row[0]: Kept(entry_of(row[: -len(_BESIDE)]), *row[-len(_BESIDE) :]) for row in found}
    return [by_id_[one] for one in entry_ids if one in by_id_]


def consents_of(session: Session, record_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The consents that records have brought and that count still, with the record of each."""
    found = session.connection().execute(_BROUGHT, {"ids": [str(one) for one in record_ids]})
    return {row[0]: row[1] for row in found}


def of_several(session: Session) -> dict[UUID, list[UUID]]:
    """The consents of several records each that are not noted as parted, with their records. Reads the whole ledger."""
    return {row[0]: row[1] for row in session.connection().execute(_OF_SEVERAL)}


def part(session: Session, entry_ids: Collection[UUID], at: datetime) -> set[UUID]:
    """Note that the records of consents are apart since a time; the entries for which that was not known. It stays."""
    if not entry_ids:
        return set()
    return {row[0] for row in session.connection().execute(_PART, {"ids": [str(one) for one in entry_ids], "at": at})}


def anchor(session: Session, records_of: Mapping[UUID, Collection[UUID]], at: datetime) -> None:
    """Add records that entries may speak of. Idempotent; for what speaks against something only."""
    pairs = [(entry_id, record) for entry_id, records in records_of.items() for record in records]
    if pairs:
        entries, records = ([str(pair[side]) for pair in pairs] for side in (0, 1))
        session.connection().execute(_ANCHOR, {"entries": entries, "records": records, "at": at})


def entry_of(row: Row) -> Entry:
    """Read an entry from a row of ENTRIES."""
    (
        entry_id_, state, recorded_at, occurred_at, contact, channel, purpose, brand, jurisdiction, origin, strength,
        is_evidenced, suppression, implied_by, asked_at, expires_at, lifts, records, parted_at,
    ) = row  # fmt: skip
    return Entry(
        entry_id_, _STATES[state], recorded_at, occurred_at, contact, _CHANNELS[channel], purpose, brand, jurisdiction,
        _ORIGINS[origin], _STRENGTHS[strength], is_evidenced, _SUPPRESSIONS[suppression], implied_by, asked_at, expires_at, lifts,
        frozenset(records or ()), parted_at,
    )  # fmt: skip
