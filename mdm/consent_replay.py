"""Replays the consents of stored records into the ledger: every version that is kept, in the order in which it came. Idempotent.

For records that were stored before there was a ledger, and after the policy began to map consents. Opens sealed payloads. What an
undone import brought is left out. A payload that cannot be opened or read is counted, never passed over in silence.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from sqlmodel import Session

from consent import ledger
from consent.purposes import Rules
from kernel import clock
from kernel.errors import NotFound, Unavailable
from kernel.settings import settings
from mdm import consent_intake, payloads, record_consents, sql
from mdm.incoming import Incoming, Prepared, SourceRules, prepare
from mdm.mapping_values import Problem
from mdm.policy import Policy
from mdm.record_consents import Bringer
from mdm.sealing import DataKey, wrapper
from mdm.standardized import standardized
from mdm.steps import Steps

RECORDS_A_STEP = 500
FIRST = UUID(int=0)
_PAGE = "SELECT record_id FROM source_record WHERE record_id > %s ORDER BY record_id LIMIT %s"
_VERSIONS = """
SELECT v.record_id, r.source, r.source_key, v.version_no, v.received_by, k.wrapped_key, v.sealed_payload
FROM source_record r JOIN record_data_key k USING (record_id) JOIN record_version v USING (record_id)
WHERE r.record_id = ANY(%s) AND NOT v.is_deleted AND v.sealed_payload IS NOT NULL AND NOT EXISTS (
  SELECT FROM record_withdrawal w WHERE w.record_id = v.record_id AND w.job_id = v.job_id)
ORDER BY v.record_id, v.version_no"""


@dataclass(slots=True)
class Replayed:
    """What came of it: records and versions looked at, entries that are new, what is wrong with others, and versions unread."""

    records: int = 0
    versions: int = 0
    entries: int = 0
    problems: Counter[Problem] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)


def run(steps: Steps, policy: Policy, rules: Rules, tell: Callable[[Replayed], None] = lambda _: None) -> Replayed:
    """Replay everything, some hundred records a step, so that it may be cut off and begun again."""
    done, last = Replayed(), FIRST
    while True:
        with steps() as session:
            page = [row[0] for row in sql.rows(session, _PAGE, [last, RECORDS_A_STEP])]
            if not page:
                return done
            new, wrong = consent_intake.take(session, rules, _brought(session, policy, page, done), clock.now())
        last = page[-1]
        done.records += len(page)
        done.entries += new
        done.problems.update(wrong)
        tell(done)


def said_still(session: Session, policy: Policy, rules: Rules, record_ids: Sequence[UUID]) -> set[UUID]:
    """Name the entries that the versions of records bring which count still: all but those of undone imports."""
    hashed, now = ledger.contact_hasher(), clock.now()
    brought = _brought(session, policy, list(record_ids), Replayed())
    found = (record_consents.statements(bringer, orjson.loads(body), rules, hashed, now)[0] for bringer, body in brought)
    return {one.entry.entry_id for said in found for one in said}


def _brought(session: Session, policy: Policy, page: list[UUID], done: Replayed) -> Iterator[consent_intake.Brought]:
    secret, cipher = settings().secret_for("blocking"), wrapper()
    known: dict[str, SourceRules] = {}
    for record_id, source, key, version_no, sent_by, wrapped, sealed in sql.rows(session, _VERSIONS, [page]):
        done.versions += 1
        try:
            said = known.get(source) or SourceRules.of(policy, source, settings().secret_for("payload-hash"))
            raw = DataKey.unwrap(record_id, bytes(wrapped), cipher).open(bytes(sealed))
        except (NotFound, Unavailable, InvalidTag, ValueError) as error:
            done.unread["unknown_source" if isinstance(error, NotFound) else "unopened"] += 1
            continue
        known[source] = said
        parsed = payloads.parse(raw)
        prepared = prepare(said, Incoming(key, parsed, raw=raw), clock.now()) if isinstance(parsed, dict) else None
        if not isinstance(prepared, Prepared):
            done.unread["unreadable"] += 1
        elif "consents" in prepared.input:
            body = standardized(prepared.input, said.context, secret, prepared.notes).body
            yield Bringer(record_id, version_no, source, said.source.brand, said.source.timezone, sent_by), body
