"""Idempotency keys of requests: claimed before the act, finished in the act's own transaction, so that it happens once.

A claim that nobody finished within LEASE_SECONDS belonged to a process that died; the next request takes it over, and should the
first come back after all, its transaction finds the claim gone and is rolled back. Holds no personal value.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from kernel.errors import Conflict, Invalid
from mdm import sql

LEASE_SECONDS = 300.0  # Longer than the largest keyed batch takes (64 MB).
KEPT_HOURS = 72


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to act for one idempotency key, until the lease ends."""

    principal: str
    key: str
    claimed_at: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """What the first request of this key was answered."""

    status: int
    body: bytes


def claim(session: Session, principal: str, key: str, request_hash: bytes) -> Claim | Answered:
    """Claim a key, or give the answer it had. Commit at once.

    Raises: Conflict while another request of this key is under way; Invalid when the key was used for another request.
    """
    found = sql.rows(
        session,
        """INSERT INTO idempotency AS i (principal, idempotency_key, request_hash, created_at)
           VALUES (%(principal)s, %(key)s, %(hash)s, clock_timestamp())
           ON CONFLICT (principal, idempotency_key) DO UPDATE SET created_at = EXCLUDED.created_at
             WHERE i.status_code IS NULL AND i.request_hash = EXCLUDED.request_hash
               AND i.created_at < clock_timestamp() - make_interval(secs => %(lease)s)
           RETURNING created_at""",
        {"principal": principal, "key": key, "hash": request_hash, "lease": LEASE_SECONDS},
    )
    if found:
        return Claim(principal, key, found[0][0])
    return _before(session, principal, key, request_hash)


def _before(session: Session, principal: str, key: str, request_hash: bytes) -> Answered:
    found = sql.rows(
        session,
        "SELECT request_hash, status_code, response FROM idempotency WHERE principal = %s AND idempotency_key = %s",
        [principal, key],
    )
    if found and bytes(found[0][0]) != request_hash:
        detail = "An idempotency key stands for one request: use another key for another request."
        raise Invalid("The idempotency key was used for another request", code="idempotency_key_reused", detail=detail)
    if not found or found[0][1] is None:
        detail = "Try again in a moment with the same key; if its process died, it is free in five minutes."
        raise Conflict("The first request of this key is still under way", code="idempotency_in_flight", detail=detail)
    return Answered(found[0][1], bytes(found[0][2] or b""))


def finish(session: Session, claimed: Claim, status: int, body: bytes) -> None:
    """Keep the answer, in the transaction of the act.

    Raises: Conflict when the claim was lost, so that the act is rolled back.
    """
    touched = sql.run(
        session,
        """UPDATE idempotency SET status_code = %s, response = %s
           WHERE principal = %s AND idempotency_key = %s AND created_at = %s AND status_code IS NULL""",
        [status, body, claimed.principal, claimed.key, claimed.claimed_at],
    )
    if touched != 1:
        raise Conflict("Another request took this idempotency key over", code="idempotency_lost")


def release(session: Session, claimed: Claim) -> None:
    """Give a claim up because the request was refused; a corrected one may use the key."""
    sql.run(
        session,
        "DELETE FROM idempotency WHERE principal = %s AND idempotency_key = %s AND created_at = %s AND status_code IS NULL",
        [claimed.principal, claimed.key, claimed.claimed_at],
    )


def forget_old(session: Session) -> int:
    """Delete answers older than KEPT_HOURS; run by the scheduled retention."""
    return sql.run(session, "DELETE FROM idempotency WHERE created_at < now() - make_interval(hours => %s)", [KEPT_HOURS])
