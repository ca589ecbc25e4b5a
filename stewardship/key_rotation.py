"""Changes an API key for a new one that may do the same, the old one going on for a while; says what a key is for."""

from datetime import timedelta

from sqlmodel import Session

from kernel import actor, audit, clock
from kernel.actor import KeyInfo
from kernel.errors import Conflict, NotFound
from mdm import purposes, sql


def rotate(session: Session, key_id: str, by: str, overlap: timedelta) -> tuple[KeyInfo, str]:
    """Make a key with the powers, scope, purpose, limits and span of another, which ends after `overlap`; as `actor.create_key`.

    Raises: NotFound; Conflict for a key that is revoked or over: whoever had it is to have it no more.
    """
    found = sql.rows(
        session,
        """SELECT name, scopes, brands, regions, role, kind, requests_per_minute, identifiers_per_hour, purpose, created_at,
             expires_at, revoked_at FROM api_key WHERE key_id = %s FOR UPDATE""",
        [key_id],
    )
    if not found:
        raise NotFound("No such key", code="unknown_key")
    name, scopes, brands, regions, role, kind, minute, hour, purpose, created_at, expires_at, revoked_at = found[0]
    now = clock.now()
    if revoked_at is not None or (expires_at is not None and expires_at <= now):
        raise Conflict("The key is revoked or over", code="key_over", detail="Make another: mdm keys create.")
    until = None if expires_at is None else now + (expires_at - created_at)
    made, text = actor.create_key(session, name, scopes, brands, regions, until, role, kind, by)
    if purpose is not None:
        bind(session, made.key_id, purpose, by)
    if minute is not None or hour is not None:
        actor.limit_key(session, made.key_id, minute, hour, by)
    sql.run(
        session,
        "UPDATE api_key SET expires_at = least(coalesce(expires_at, 'infinity'), %s) WHERE key_id = %s",
        [now + overlap, key_id],
    )
    audit.record(session, by, "key.rotated", "key", key_id, detail={"to": made.key_id, "hours": overlap.total_seconds() / 3600})
    return made, text


def bind(session: Session, key_id: str, purpose: str, by: str) -> None:
    """Say for which purpose a key is, for good; effective within `actor.CACHE_SECONDS`.

    Raises: Invalid for no purpose; NotFound for no such key, or one that is for another purpose.
    """
    purposes.check(purpose)
    bound = "UPDATE api_key SET purpose = %(purpose)s WHERE key_id = %(key_id)s AND coalesce(purpose, %(purpose)s) = %(purpose)s"
    if not sql.run(session, bound, {"purpose": purpose, "key_id": key_id}):
        raise NotFound("No such key", code="unknown_key")
    audit.record(session, by, "key.bound", "key", key_id, detail={"purpose": purpose})
