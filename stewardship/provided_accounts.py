"""Accounts of people whom an identity provider speaks of: made when they first sign in, and as it says each time.

They have no password here. Each sign-in is used once, whoever repeats it and whatever the provider lets pass.
"""

import base64
import hashlib
import secrets
import zoneinfo
from datetime import datetime

from sqlmodel import Session

from kernel import audit, clock
from kernel.actor import Principal
from kernel.errors import Forbidden, Unauthorized
from mdm import sql
from stewardship import accounts

LONGEST_NAME = 100


def begin(session: Session, caller: Principal, issuer: str, state: str, shown: str, timezone: str) -> str:
    """Begin a session for whom the provider spoke of; its token. `shown`: how it calls them; `timezone`: "" for unsaid.

    Raises: Unauthorized for a sign-in that was used; Forbidden for somebody disabled here.
    """
    hashed = hashlib.sha256(state.encode()).digest()
    used = "INSERT INTO provider_sign_in (state_hash, used_at) VALUES (%s, %s) ON CONFLICT DO NOTHING"
    if not sql.run(session, used, [hashed, clock.now()]):
        raise Unauthorized("This sign-in was used already", code="sign_in_used", detail="Each counts once: sign in again.")
    _keep(session, caller, issuer, _plain(shown) or caller.name, timezone)
    audit.record(session, caller.actor, "user.signed_in", "user", "", detail={"by": "provider"})
    return accounts.begin(session, caller.actor)


def sign_out(session: Session, actor: str, until: datetime) -> int:
    """End the sessions that somebody had when their provider signed them out; how many. Idempotent: those begun later go on."""
    ended = sql.run(session, "DELETE FROM user_session WHERE name = %s AND begun_at <= %s", [actor, until])
    if ended:
        audit.record(session, actor, "user.signed_out", "user", actor, detail={"by": "provider", "sessions": ended})
    return ended


def refused(session: Session, actor: str, code: str) -> None:
    """Note that somebody the provider spoke of was not let in, and why."""
    audit.record(session, actor, "user.sign_in_failed", "user", "", detail={"by": "provider", "code": code})


def _keep(session: Session, caller: Principal, issuer: str, shown: str, timezone: str) -> None:
    found = sql.rows(
        session,
        "SELECT disabled_at, role, scopes, brands, regions FROM user_account WHERE name = %s FOR UPDATE",
        [caller.actor],
    )
    if found and found[0][0] is not None:
        detail = "Your account was disabled here: ask whoever operates this service."
        raise Forbidden("You cannot sign in", code="account_disabled", detail=detail)
    brands, regions = ((None if one is None else list(one)) for one in (caller.scope.brands, caller.scope.regions))
    held = [caller.role, sorted(caller.scopes), brands, regions]
    sql.run(
        session,
        """INSERT INTO user_account
             (name, issuer, display_name, password_hash, role, scopes, brands, regions, timezone, created_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, coalesce(%s, 'UTC'), %s)
           ON CONFLICT (name) DO UPDATE SET issuer = EXCLUDED.issuer, display_name = EXCLUDED.display_name, role = EXCLUDED.role,
             scopes = EXCLUDED.scopes, brands = EXCLUDED.brands, regions = EXCLUDED.regions,
             timezone = coalesce(%s, user_account.timezone)""",
        [caller.actor, issuer, shown, _no_password(), *held, _zone(timezone), clock.now(), _zone(timezone)],
    )
    if not found or list(found[0][1:]) != held:
        said = {"role": caller.role, "scopes": held[1], "brands": brands, "regions": regions}
        audit.record(session, caller.actor, "user.changed" if found else "user.added", "user", caller.actor, detail=said)


def _no_password() -> str:
    """A hash that is of no password, for programs of before that ask for one."""
    salt, digest = (base64.b64encode(secrets.token_bytes(size)).decode() for size in (16, 32))
    return "$".join(["scrypt", *map(str, accounts.COST), salt, digest])


def _plain(shown: str) -> str:
    return "".join(sign for sign in shown if sign.isprintable())[:LONGEST_NAME].strip()


def _zone(name: str) -> str | None:
    try:
        return zoneinfo.ZoneInfo(name).key if name else None
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return None
