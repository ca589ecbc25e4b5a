"""How many standard records an older program or policy made: until a worker renews them, they stand under stale keys.

The work itself is in the pending ledger (every record is asked for again when a version set is adopted, and renewed before it is
matched), so it goes on wherever it was stopped. Here it is only counted, so that no search passes over it in silence.
"""

from sqlmodel import Session

from mdm import program, sql
from mdm.policy import Policy

# Counting ten thousand takes 3 ms, and all of 200,000 takes 65: a search asks every second, a person who looks once has the time.
MOST_COUNTED = 10_000
NO_LIMIT = 2**31 - 1


def stale(session: Session, policy: Policy, most: int = MOST_COUNTED) -> int:
    """Count the records that another standardizer or blocking than this program's, or another policy, made; at most `most`.

    Records of a source that the policy does not name are renewed by nobody and found by nobody: they do not count.
    """
    params = [program.stamp(), policy.version, list(policy.sources), most]
    found = sql.rows(session, "SELECT stale_records(%s, %s, %s, %s)", params)
    return int(found[0][0])
