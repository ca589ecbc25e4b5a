"""Local users: who may sign in to the console, with which password, and the sessions that they have.

Passwords are kept as scrypt hashes, session tokens as plain hashes (they have 256 random bits). Five wrong passwords lock an
account for fifteen minutes; what is wrong about a sign-in is never said. A session ends after an hour without use, or twelve; one
that an identity provider vouched for may have to end sooner, since it is asked at sign-in alone.
"""

import base64
import hashlib
import hmac
import re
import secrets
import zoneinfo
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session

from kernel import audit, clock
from kernel.actor import PERSON, Principal, check_powers, principal
from kernel.db import Scope
from kernel.errors import Conflict, Invalid, NotFound, Unauthorized
from kernel.settings import settings
from mdm import sql

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200
MOST_FAILURES, LOCKED_FOR = 5, timedelta(minutes=15)
IDLE, LONGEST = timedelta(hours=1), timedelta(hours=12)
MOST_SESSIONS = 5
SEEN_EVERY = timedelta(minutes=1)  # A session that is used writes no oftener.
NAME = re.compile(r"[a-z][a-z0-9._-]{0,62}")
# What a steward needs: to decide, to read golden records, why, and what was consented to, and to see jobs.
STEWARD_SCOPES = ("consents:read", "decisions:write", "golden:read", "jobs:read", "match:explain", "records:read")
# Source: OWASP Password Storage Cheat Sheet, scrypt with N=2^15, r=8, p=3.
COST = (2**15, 8, 3)  # Kept with each hash, so that a greater one later leaves those that there are readable.
_SELECT = """SELECT name, display_name, scopes, brands, regions, timezone, created_at, disabled_at, locked_until, role, issuer
FROM user_account"""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in."""

    name: str
    display_name: str
    scopes: tuple[str, ...]
    brands: tuple[str, ...] | None
    regions: tuple[str, ...] | None
    timezone: str
    created_at: datetime
    disabled_at: datetime | None
    locked_until: datetime | None
    role: str | None = None
    issuer: str | None = None  # Of whom an identity provider speaks; None: a local user, who has a password.
    purpose: str | None = None  # What their role is for, by the policy in force; who signs a session in looks it up.

    @property
    def principal(self) -> Principal:
        """Whom acts of theirs are told of: of somebody an identity provider speaks of as their tokens are."""
        scope, key_id = Scope(self.brands, self.regions), f"user:{self.name}" if self.issuer is None else self.name
        return replace(principal(key_id, self.name, self.scopes, scope, self.role, PERSON), purpose=self.purpose)


@dataclass(frozen=True, slots=True)
class Signed:
    """A session that holds: whose it is, and the word that every form of theirs must repeat."""

    user: User
    token_hash: bytes

    @property
    def csrf(self) -> str:
        """Derived from the session, so that no other site and no other session can know it."""
        return hmac.new(settings().secret_for("csrf"), self.token_hash, hashlib.sha256).hexdigest()

    def require_csrf(self, sent: str) -> None:
        """Raises: Unauthorized for a form that is none of this session's."""
        if not hmac.compare_digest(self.csrf.encode(), sent.encode()):
            detail = "The form was made for another session: open the page again."
            raise Unauthorized("The form cannot be used", code="stale_form", detail=detail)


def add(
    session: Session,
    by: str,
    name: str,
    *,
    display_name: str = "",
    scopes: Iterable[str] = STEWARD_SCOPES,
    brands: Sequence[str] | None = None,
    regions: Sequence[str] | None = None,
    timezone: str = "UTC",
    password: str | None = None,
) -> str:
    """Add a user; their password, made here unless it is given. Raises: Invalid, Conflict."""
    wanted = sorted(set(scopes))
    _check(name, wanted, brands, regions, timezone)
    chosen = checked_password(password) if password is not None else secrets.token_urlsafe(15)
    made = sql.run(
        session,
        """INSERT INTO user_account (name, display_name, password_hash, scopes, brands, regions, timezone, created_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING""",
        [name, display_name or name, _hashed(chosen), wanted, _list(brands), _list(regions), timezone, clock.now()],
    )
    if not made:
        raise Conflict("There is a user of this name already", code="user_exists")
    audit.record(session, by, "user.added", "user", name, detail={"scopes": wanted})
    return chosen


def _check(name: str, scopes: Sequence[str], brands: Sequence[str] | None, regions: Sequence[str] | None, timezone: str) -> None:
    if not NAME.fullmatch(name):
        raise Invalid("A user's name is small letters, digits, dot, dash, underscore, and begins with a letter", code="bad_name")
    if scopes:
        check_powers(scopes, None, PERSON)
    try:
        Scope(None if brands is None else tuple(brands), None if regions is None else tuple(regions))
        zoneinfo.ZoneInfo(timezone)
    except (ValueError, zoneinfo.ZoneInfoNotFoundError) as refused:
        raise Invalid(f"This cannot be an account: {refused}", code="bad_account") from refused


def checked_password(text: str) -> str:
    """Accept a password. Raises: Invalid. Source: NIST SP 800-63B: length counts, no rules on what it is made of."""
    if not SHORTEST_PASSWORD <= len(text) <= LONGEST_PASSWORD:
        raise Invalid(f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters", code="bad_password")
    return text


def give_role(session: Session, by: str, name: str, role: str) -> None:
    """Give a user a role, with what it holds now and later, in place of the scopes that they had. Raises: Invalid, NotFound."""
    check_powers((), role, PERSON)
    _require_local(session, name)
    sql.run(session, "UPDATE user_account SET role = %s, scopes = '{}' WHERE name = %s", [role, name])
    audit.record(session, by, "user.role_given", "user", name, detail={"role": role})


def _require_local(session: Session, name: str) -> None:
    found = sql.rows(session, "SELECT issuer FROM user_account WHERE name = %s FOR UPDATE", [name])
    if not found:
        raise NotFound("There is no such user", code="unknown_user")
    if found[0][0] is not None:
        detail = "What they may and how they sign in is said by the identity provider; here they can be disabled and enabled."
        raise Conflict("This account is of the identity provider", code="provided_account", detail=detail)


def every(session: Session) -> list[User]:
    """All users, by name."""
    return [_user(row) for row in sql.rows(session, f"{_SELECT} ORDER BY name")]


def disable(session: Session, by: str, name: str) -> None:
    """Let a user sign in no more, and end their sessions. Raises: NotFound."""
    if not sql.run(session, "UPDATE user_account SET disabled_at = %s WHERE name = %s", [clock.now(), name]):
        raise NotFound("There is no such user", code="unknown_user")
    sql.run(session, "DELETE FROM user_session WHERE name = %s", [name])
    audit.record(session, by, "user.disabled", "user", name)


def sign_out(session: Session, by: str, name: str) -> int:
    """End all sessions of a user, who may sign in again; how many there were. Raises: NotFound."""
    if not sql.rows(session, "SELECT 1 FROM user_account WHERE name = %s", [name]):
        raise NotFound("There is no such user", code="unknown_user")
    ended = sql.run(session, "DELETE FROM user_session WHERE name = %s", [name])
    audit.record(session, by, "user.signed_out", "user", name, detail={"sessions": ended})
    return ended


def enable(session: Session, by: str, name: str) -> None:
    """Let a user sign in again who was disabled. Raises: NotFound."""
    if not sql.run(session, "UPDATE user_account SET disabled_at = NULL WHERE name = %s", [name]):
        raise NotFound("There is no such user", code="unknown_user")
    audit.record(session, by, "user.enabled", "user", name)


def set_password(session: Session, by: str, name: str, password: str | None = None) -> str:
    """Give a user another password, end their sessions and lift a lock. Raises: NotFound, Invalid."""
    chosen = checked_password(password) if password is not None else secrets.token_urlsafe(15)
    _require_local(session, name)
    sql.run(
        session,
        "UPDATE user_account SET password_hash = %s, failures = 0, locked_until = NULL, disabled_at = NULL WHERE name = %s",
        [_hashed(chosen), name],
    )
    sql.run(session, "DELETE FROM user_session WHERE name = %s", [name])
    audit.record(session, by, "user.password_set", "user", name)
    return chosen


def is_right(session: Session, name: str, password: str) -> bool:
    """Check a password, count a wrong one, and lock after too many. Takes as long for a name that nobody has. Commits nothing."""
    found = sql.rows(
        session,
        "SELECT password_hash, disabled_at, locked_until FROM user_account WHERE name = %s AND issuer IS NULL FOR UPDATE",
        [name],
    )
    stored, disabled_at, locked_until = found[0] if found else (_NOBODY, None, None)
    is_locked = locked_until is not None and locked_until > clock.now()
    right = _is_of(password[:LONGEST_PASSWORD], stored) and bool(found) and disabled_at is None and not is_locked
    if found and not is_locked:
        _count(session, name, right)
    audit.record(session, f"user:{name if found else '?'}", "user.signed_in" if right else "user.sign_in_failed", "user", "")
    return right


def _count(session: Session, name: str, right: bool) -> None:
    if right:
        sql.run(session, "UPDATE user_account SET failures = 0, locked_until = NULL WHERE name = %s AND failures > 0", [name])
        return
    sql.run(
        session,
        """UPDATE user_account SET failures = CASE WHEN failures + 1 >= %(most)s THEN 0 ELSE failures + 1 END,
             locked_until = CASE WHEN failures + 1 >= %(most)s THEN %(until)s::timestamptz END WHERE name = %(name)s""",
        {"most": MOST_FAILURES, "until": clock.now() + LOCKED_FOR, "name": name},
    )


def begin(session: Session, name: str) -> str:
    """Begin a session; its token, which is stored nowhere. The oldest of too many ends."""
    token, now = secrets.token_urlsafe(32), clock.now()
    sql.run(
        session,
        "INSERT INTO user_session (token_hash, name, begun_at, seen_at) VALUES (%s, %s, %s, %s)",
        [_token_hash(token), name, now, now],
    )
    sql.run(
        session,
        """DELETE FROM user_session WHERE name = %s AND token_hash NOT IN
             (SELECT token_hash FROM user_session WHERE name = %s ORDER BY begun_at DESC LIMIT %s)""",
        [name, name, MOST_SESSIONS],
    )
    return token


def signed(session: Session, token: str) -> Signed | None:
    """Whose session a token is; None when it has ended, its user may sign in no more, or its issuer is no longer trusted."""
    now, hashed, chosen = clock.now(), _token_hash(token), settings()
    vouched = timedelta(minutes=chosen.oidc_session_minutes)
    found = sql.rows(
        session,
        f"""{_SELECT} JOIN user_session s USING (name)
            WHERE s.token_hash = %s AND s.seen_at > %s AND s.begun_at > %s AND disabled_at IS NULL
              AND (issuer IS NULL OR (issuer = %s AND s.begun_at > %s))""",
        [hashed, now - IDLE, now - LONGEST, chosen.oidc_issuer if chosen.oidc_client_id else None, now - vouched],
    )
    if not found:
        return None
    sql.run(
        session, "UPDATE user_session SET seen_at = %s WHERE token_hash = %s AND seen_at < %s", [now, hashed, now - SEEN_EVERY]
    )
    return Signed(_user(found[0]), hashed)


def end(session: Session, token_hash: bytes) -> None:
    """End a session."""
    sql.run(session, "DELETE FROM user_session WHERE token_hash = %s", [token_hash])


def sweep(session: Session) -> int:
    """Forget sessions that are over, and sign-ins that nobody can repeat; how many sessions."""
    now = clock.now()
    sql.run(session, "DELETE FROM provider_sign_in WHERE used_at < %s", [now - IDLE])
    return sql.run(session, "DELETE FROM user_session WHERE seen_at < %s OR begun_at < %s", [now - IDLE, now - LONGEST])


def _user(row: sql.Row) -> User:
    name, display_name, scopes, brands, regions, *rest = row
    return User(name, display_name, tuple(scopes), _tuple(brands), _tuple(regions), *rest)


def _tuple(names: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


def _list(names: Sequence[str] | None) -> list[str] | None:
    return None if names is None else list(names)


def _token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _hashed(password: str) -> str:
    salt = secrets.token_bytes(16)
    return _written(COST, salt, _stretched(password, salt, *COST))


def _written(cost: Sequence[int], salt: bytes, digest: bytes) -> str:
    return "$".join(["scrypt", *map(str, cost), base64.b64encode(salt).decode(), base64.b64encode(digest).decode()])


def _stretched(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    text = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(text, salt=salt, n=n, r=r, p=p, maxmem=128 * n * r + 2**20, dklen=32)


def _is_of(password: str, stored: str) -> bool:
    _, n, r, p, salt, digest = stored.split("$")
    return hmac.compare_digest(_stretched(password, base64.b64decode(salt), int(n), int(r), int(p)), base64.b64decode(digest))


# Held against the password of a name that nobody has, so that the answer takes as long.
_NOBODY = _written(COST, bytes(16), bytes(32))
