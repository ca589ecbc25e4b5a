"""What this installation still lacks before it can serve: asked by the health route, answered in codes."""

import asyncio

import psycopg
import psycopg_pool

from kernel import db

ANSWER_SECONDS = 2.0  # Whoever probes our health does not wait as long as a request may.
MEND = {
    "database": "The database does not answer: see mdm doctor.",
    "migrations": "The schema is not there: mdm migrate.",
    "erasures": "The database is older than the erasure ledger: mdm privacy replay.",
    "policy": "No policy is stored: mdm policy apply policy.yaml.",
}


async def missing() -> list[str]:
    """The codes of what is missing, in the order to mend them; empty when requests can be served. Never raises."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS), db.hot_connection(db.Scope()) as connection:
            tables = await (await connection.execute("SELECT to_regclass('task'), to_regclass('policy_version')")).fetchone()
            if tables is None or None in tables:
                return ["migrations"]
            policy = await (await connection.execute("SELECT EXISTS (SELECT FROM policy_version)")).fetchone()
    except (psycopg.Error, psycopg_pool.PoolTimeout, TimeoutError, OSError):
        return ["database"]
    return [] if policy and policy[0] else ["policy"]
