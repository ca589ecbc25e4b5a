"""What this installation still lacks before it can serve, and what it cannot do meanwhile: asked by health, told in codes."""

import asyncio
from dataclasses import dataclass

import psycopg
import psycopg_pool

from kernel import db
from kernel.errors import MdmError, Unavailable
from kernel.settings import settings

ANSWER_SECONDS = 2.0  # Whoever probes our health does not wait as long as a request may.
MEND = {
    "database": "The database does not answer: see mdm doctor.",
    "migrations": "The schema is not there, or is an older one: mdm migrate.",
    "erasures": "The database is older than the erasure ledger: mdm privacy replay.",
    "policy": "No policy is stored: mdm policy apply policy.yaml.",
    "mode": "The database is of a live service and this one is a test, or the other way round: see MDM_MODE and DATABASE_URL.",
    "secret": "The data was stored under another secret key: put the right one into MDM_SECRET_KEY or its file.",
    "read_only": "The database takes no writes: what must be audited or stored is refused until it does.",
    "model": "No model is in force: records are stored and wait. mdm model use default.",
}
NEWEST_TABLES = ("policy_version", "task", "audit_chain")  # One of the last migration that the API cannot do without.
_TABLES = "SELECT bool_and(to_regclass(name) IS NOT NULL) FROM unnest(%s::text[]) AS name"
_STANDS = """SELECT EXISTS (SELECT FROM policy_version), EXISTS (SELECT FROM version_set),
  (SELECT secret_check FROM timeline ORDER BY started_at DESC LIMIT 1),
  pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean"""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What is missing, in the order to mend it, and what is degraded: requests are served, some of them refused or late."""

    missing: tuple[str, ...] = ()
    degraded: tuple[str, ...] = ()


async def look() -> Readiness:
    """Look at what there is. Never raises."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS), db.hot_connection(db.Scope()) as connection:
            tables = await (await connection.execute(_TABLES, [list(NEWEST_TABLES)])).fetchone()
            if tables is None or not tables[0]:
                return Readiness(("migrations",))
            found = await (await connection.execute(_STANDS)).fetchone()
    except (psycopg.Error, psycopg_pool.PoolTimeout, TimeoutError, OSError):
        return Readiness(("database",))
    except Unavailable as refused:
        if refused.code != db.WRONG_MODE:
            raise
        return Readiness(("mode",))
    return _judged(*found or (False, False, None, False))


def _judged(has_policy: bool, has_model: bool, secret_check: bytes | None, is_read_only: bool) -> Readiness:
    missing = (("secret", not _is_ours(secret_check)), ("policy", not has_policy))
    degraded = (("read_only", is_read_only), ("model", not has_model))
    return Readiness(*(tuple(code for code, holds in codes if holds) for codes in (missing, degraded)))


def _is_ours(secret_check: bytes | None) -> bool:
    """A database that no secret has taken as its own yet is anybody's."""
    try:
        return secret_check is None or bytes(secret_check) == settings().secret_for("check")
    except (MdmError, OSError):
        return False
