"""The policy and version set in force, for the async side: looked up once a second at most, loaded in a thread."""

import asyncio
import time
from dataclasses import dataclass

from kernel import db
from kernel.errors import Unavailable
from kernel.settings import settings
from mdm import policy as policies
from mdm import renewal, sql, versions
from mdm.policy import Policy
from mdm.versions import VersionSet

KEPT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds now. Without a version set nothing has been resolved yet, and nothing can be matched.

    `stale_records`: how many records (at most renewal.MOST_COUNTED) still stand as an older program or policy read them.
    `refused_records`: how many do for good, since the policy refuses their payload.
    """

    policy: Policy
    version_set: VersionSet | None
    stale_records: int = 0
    refused_records: int = 0

    def matching(self) -> VersionSet:
        """The version set. Raises: Unavailable when there is none yet."""
        if self.version_set is None:
            raise Unavailable(
                "Nothing can be matched yet", code="no_version_set", detail="No worker has adopted a model and policy yet."
            )
        return self.version_set


# The answer that this process keeps, by the database that it is of: until when it holds, and what it says.
_kept: dict[str, tuple[float, Rules]] = {}


async def current() -> Rules:
    """Give the rules in force, at most a second old. Raises: Unavailable when no policy is stored."""
    url = settings().require_database_url()
    held = _kept.get(url)
    if held is None or held[0] < time.monotonic():
        held = (time.monotonic() + KEPT_SECONDS, await asyncio.to_thread(_load))
        _kept.clear()
        _kept[url] = held
    return held[1]


def forget() -> None:
    """Look the rules up again at the next question."""
    _kept.clear()


def _load() -> Rules:
    with db.read_only(db.Role.APP, db.Scope()) as session:
        if sql.rows(session, "SELECT FROM version_set WHERE is_current"):
            try:
                found = versions.current(session)
            except Unavailable:  # A model that this program cannot read stops matching, not reading.
                return Rules(policies.current(session), None)
            return Rules(found.policy, found, renewal.stale(session, found.policy), renewal.refused(session, found.policy))
        return Rules(policies.current(session), None)
