"""How many standard records an older program or policy made: until a worker renews them, they stand under stale keys.

The work itself is in the pending ledger (every record is asked for again when a version set is adopted, and renewed before it is
matched), so it goes on wherever it was stopped. Here it is only counted, so that no search passes over it in silence.
"""

import uuid
from dataclasses import dataclass

from sqlmodel import Session

from mdm import program, sql
from mdm.policy import Policy

# Counting ten thousand takes 3 ms, and all of 200,000 takes 65: a search asks every second, a person who looks once has the time.
MOST_COUNTED = 10_000
NO_LIMIT = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that stands as an older mapping read it, since the one in force refuses its payload: why, and which field."""

    record_id: uuid.UUID
    source_key: str
    code: str
    field: str


def stale(session: Session, policy: Policy, most: int = MOST_COUNTED) -> int:
    """Count the records that another standardizer or blocking than this program's, or another policy, made; at most `most`.

    Records of a source that the policy does not name are renewed by nobody and found by nobody: they do not count. Nor do those
    that the policy was tried on and refuses.
    """
    found = sql.rows(session, "SELECT stale_records(%s, %s, %s, %s)", _params(policy, most))
    return int(found[0][0])


def refused(session: Session, policy: Policy, most: int = MOST_COUNTED) -> int:
    """Count the records that stand as they were because this program refuses their payload by the policy; at most `most`."""
    found = sql.rows(session, "SELECT refused_records(%s, %s, %s, %s)", _params(policy, most))
    return int(found[0][0])


def refused_of(session: Session, policy: Policy, source: str, most: int) -> list[Refused]:
    """List such records of one source, in the session's row scope, by their keys; at most `most`."""
    found = sql.rows(
        session,
        """SELECT record_id, source_key, refusal FROM standard_record
           WHERE source = %s AND refusal IS NOT NULL AND (refused_standardizer, refused_policy) = (%s, %s)
           ORDER BY source_key LIMIT %s""",
        [source, program.stamp(), policy.version, most],
    )
    return [Refused(record_id, key, *split_refusal(refusal)) for record_id, key, refusal in found]


def split_refusal(refusal: str) -> tuple[str, str]:
    """The code and the field of a refusal as it is stored."""
    code, _, field = refusal.partition(":")
    return code, field


def _params(policy: Policy, most: int) -> list[object]:
    return [program.stamp(), policy.version, list(policy.sources), most]
