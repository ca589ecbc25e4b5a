"""Principals and API keys: who calls, what they may do, and whose rows they may see. A role is a named bundle of scopes.

A key reads `mdm_live_<id>_<secret>_<checksum>`, or `mdm_test_…`; the checksum catches typing without a query. Only a hash of the
secret is stored, so a dump of the database holds no usable key. The secret has 256 random bits: a plain hash is enough.
"""

import getpass
import hashlib
import hmac
import os
import secrets
import time
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlmodel import Session

from kernel import audit, clock
from kernel.db import Scope
from kernel.errors import Forbidden, Invalid, NotFound, Unauthorized
from kernel.settings import settings

SCOPES = frozenset(
    {
        "records:write",
        "records:read",
        "lookup",
        "match",
        "match:explain",
        "golden:read",
        "decisions:read",
        "decisions:propose",
        "decisions:settle",
        "decisions:write",
        "consents:write",
        "consents:read",
        "consents:check",
        "jobs:read",
        "jobs:write",
        "events:read",
        "exports:write",
        "webhooks:write",
        "privacy:read",
        "privacy:write",
        "audit:read",
        "values:clear",
        "values:reveal",
        "admin",
    }
)
CLEAR, REVEAL = "values:clear", "values:reveal"
# Whoever holds one of these holds the scope as well: keys from before it was told apart go on as they did.
_WITH = {
    "decisions:settle": frozenset({"decisions:write"}),
    "decisions:propose": frozenset({"decisions:write", "decisions:settle"}),
    "decisions:read": frozenset({"decisions:write", "decisions:settle", "decisions:propose"}),
}
_NONE: frozenset[str] = frozenset()
_LOOKS = frozenset({"lookup", "match"})
_STEWARD = _LOOKS | {"consents:read", "decisions:settle", "golden:read", "jobs:read", "match:explain", "records:read", CLEAR}
# Who decides must see what is decided on, and who answers people must see what is told them: these see clear values.
ROLES: dict[str, frozenset[str]] = {
    "lookup": _LOOKS | {"consents:check"},
    "source_writer": frozenset({"records:write", "records:read", "jobs:read", "consents:write"}),
    "steward": _STEWARD,
    "senior_steward": _STEWARD | {"decisions:write", "exports:write", "events:read", "jobs:write"},
    "privacy_officer": _LOOKS
    | {"privacy:read", "privacy:write", "golden:read", "records:read", "match:explain", "decisions:read", "audit:read"}
    | {"consents:read", "consents:write", "consents:check", CLEAR, REVEAL},
    "data_engineer": _LOOKS
    | {"records:write", "records:read", "golden:read", "match:explain", "decisions:read", "jobs:read", "jobs:write"}
    | {"events:read", "exports:write", "webhooks:write", REVEAL},
    "auditor": frozenset({"audit:read", "golden:read", "records:read", "consents:read", "decisions:read", "match:explain"})
    | {"jobs:read", "events:read", "privacy:read"},
    "admin": frozenset({"admin"}),
}
PERSON, SERVICE, AGENT = "person", "service", "agent"
# All that an agent may be given: it reads, masked, and proposes. It never settles, applies, reveals or erases.
AGENT_MAY = _LOOKS | {
    "match:explain",
    "golden:read",
    "records:read",
    "decisions:read",
    "decisions:propose",
    "consents:read",
    "consents:check",
    "jobs:read",
    "events:read",
}
CACHE_SECONDS = 1.0  # A revoked key stops working within this time on every process.
TOUCH_SECONDS = 60.0
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PARTS = 5
_SELECT = (
    "SELECT name, secret_hash, scopes, brands, regions, role, kind, requests_per_minute, identifiers_per_hour, purpose,"
    " expires_at, revoked_at FROM api_key WHERE key_id = "
)
# Often enough to see which keys are dead, seldom enough to cost nothing.
_TOUCH = (
    "UPDATE api_key SET last_used_at = now() WHERE key_id = %s AND coalesce(last_used_at < now() - interval '1 minute', true)"
)


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller: a person, a service or an agent. `role`: the one it was given, None where only scopes were.

    `purpose`: the one that its key is for, if it is for one: what it is answered is limited to what may be used for that.
    """

    key_id: str
    name: str
    scopes: frozenset[str]
    scope: Scope
    role: str | None = None
    kind: str = SERVICE
    requests_per_minute: int | None = None
    identifiers_per_hour: int | None = None
    purpose: str | None = None

    def may(self, scope: str) -> bool:
        """Say whether this caller holds a scope; `admin` holds all."""
        return scope in self.scopes or "admin" in self.scopes or not _WITH.get(scope, _NONE).isdisjoint(self.scopes)

    @property
    def sees_clear(self) -> bool:
        """Whether personal values are shown as they are: to whoever may, and to callers without a role, as ever."""
        return CLEAR in self.scopes or "admin" in self.scopes or (self.role is None and self.kind != AGENT)

    def require(self, scope: str) -> None:
        """Raises: Forbidden unless this caller holds the scope."""
        if not self.may(scope):
            raise Forbidden(f"The key needs the scope {scope}", code="missing_scope", extra={"scope": scope})

    @property
    def actor(self) -> str:
        """How audit rows, decisions and jobs name this caller."""
        return self.key_id if ":" in self.key_id else f"key:{self.key_id}"  # An API key's id is hexadecimal.


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What is known of a key; never its secret."""

    key_id: str
    name: str
    scopes: tuple[str, ...]
    brands: tuple[str, ...] | None
    regions: tuple[str, ...] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    role: str | None = None
    kind: str = SERVICE
    purpose: str | None = None


def principal(
    key_id: str, name: str, scopes: Iterable[str], scope: Scope, role: str | None = None, kind: str = SERVICE
) -> Principal:
    """Make a caller of what was stored of it: a role stands for what it holds now, an unknown one for nothing."""
    held = Principal(key_id, name, frozenset(scopes) | ROLES.get(role or "", _NONE), scope, role, kind)
    if kind != AGENT:
        return held
    return Principal(key_id, name, frozenset(one for one in AGENT_MAY if held.may(one)), scope, role, kind)


def check_powers(scopes: Sequence[str], role: str | None, kind: str = SERVICE) -> None:
    """Raises: Invalid for scopes, a role or a kind that there are not, for neither, and for what no agent may hold."""
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise Invalid(f"Unknown scope: {', '.join(unknown)}. Known: {', '.join(sorted(SCOPES))}", code="unknown_scope")
    if role is not None and role not in ROLES:
        raise Invalid(f"Unknown role: {role}. Known: {', '.join(ROLES)}", code="unknown_role")
    if kind not in {PERSON, SERVICE, AGENT}:
        raise Invalid("A caller is a person, a service or an agent", code="unknown_kind")
    if not scopes and role is None:
        raise Invalid("A key needs at least one scope, or a role", code="no_scope")
    if kind == AGENT and (beyond := sorted(set(scopes) - AGENT_MAY)):
        raise Invalid(f"An agent reads and proposes; it cannot be given {', '.join(beyond)}", code="not_for_agents")


def local(name: str) -> Principal:
    """Speak for the person at the command line, who holds the database's URL and so may do everything."""
    return Principal(f"local:{name}", name, frozenset({"admin"}), Scope())


def at_command_line() -> Principal:
    """Speak for whoever is signed in to this machine: one of two persons, where an act takes two; in the log, who it was."""
    with suppress(KeyError, OSError):  # A container may run as a number that no name belongs to.
        return local(getpass.getuser())
    return local(f"uid-{os.getuid()}")


def create_key(
    session: Session,
    name: str,
    scopes: Iterable[str],
    brands: Sequence[str] | None = None,
    regions: Sequence[str] | None = None,
    expires_at: datetime | None = None,
    role: str | None = None,
    kind: str = SERVICE,
    by: str = "local:mdm",
) -> tuple[KeyInfo, str]:
    """Make a key; return what is known of it and its text, which is shown this once. Raises Invalid as `check_powers`.

    `scopes` come on top of those of the role; with a role there may be none. `by`: who makes it, for the audit log.
    """
    wanted = sorted(set(scopes))
    check_powers(wanted, role, kind)
    try:
        Scope(_tuple(brands), _tuple(regions))
    except ValueError as refused:
        raise Invalid(f"This cannot be the scope of a key: {refused}", code="bad_scope_name") from refused
    key_id, secret = secrets.token_hex(6), "".join(secrets.choice(_ALPHABET) for _ in range(43))
    info = KeyInfo(key_id, name, tuple(wanted), _tuple(brands), _tuple(regions), clock.now(), expires_at, None, role, kind)
    powers = {"name": name, "role": role, "scopes": wanted, "kind": kind, "brands": info.brands, "regions": info.regions}
    lists = {of: None if names is None else list(names) for of, names in (("brands", brands), ("regions", regions))}
    session.connection().execute(
        sa.text(
            "INSERT INTO api_key (key_id, name, secret_hash, scopes, brands, regions, created_at, expires_at, role, kind)"
            " VALUES (:key_id, :name, :hash, :scopes, :brands, :regions, :created_at, :expires_at, :role, :kind)"
        ),
        {**powers, **lists, "created_at": info.created_at, "expires_at": expires_at, "key_id": key_id, "hash": _hash(secret)},
    )
    audit.record(session, by, "key.created", "key", key_id, detail=powers)
    body = f"mdm_{settings().mode}_{key_id}_{secret}"
    return info, f"{body}_{_checksum(body)}"


def limit_key(
    session: Session, key_id: str, requests_per_minute: int | None, identifiers_per_hour: int | None, by: str = "local:mdm"
) -> None:
    """Say how much a key may ask, None: without limit; effective within CACHE_SECONDS. Raises: NotFound, Invalid."""
    if any(one is not None and one < 1 for one in (requests_per_minute, identifiers_per_hour)):
        raise Invalid("A limit is at least 1", code="bad_limit")
    done = session.connection().execute(
        sa.text("UPDATE api_key SET requests_per_minute = :minute, identifiers_per_hour = :hour WHERE key_id = :key_id"),
        {"minute": requests_per_minute, "hour": identifiers_per_hour, "key_id": key_id},
    )
    if done.rowcount == 0:
        raise NotFound("No such key", code="unknown_key")
    limits = {"requests_per_minute": requests_per_minute, "identifiers_per_hour": identifiers_per_hour}
    audit.record(session, by, "key.limited", "key", key_id, detail=limits)


def authenticate(session: Session, text: str) -> Principal:
    """Return the caller that a key speaks for. Raises Unauthorized without saying which part was wrong."""
    key_id, secret = _split(text)
    row = session.connection().execute(sa.text(_SELECT + ":key_id"), {"key_id": key_id}).one_or_none()
    return _checked(key_id, secret, None if row is None else tuple(row))


_seen: dict[str, tuple[float, Principal]] = {}
_touched: dict[str, float] = {}


async def authenticate_async(connection: psycopg.AsyncConnection[Any], text: str) -> Principal:
    """As `authenticate`, on a hot connection."""
    key_id, secret = _split(text)
    row = await (await connection.execute(_SELECT + "%s", (key_id,))).fetchone()
    principal = _checked(key_id, secret, row)
    if time.monotonic() > _touched.get(key_id, 0.0) + TOUCH_SECONDS:
        _touched[key_id] = time.monotonic()
        with suppress(psycopg.errors.ReadOnlySqlTransaction):  # A key is good although its use cannot be noted now.
            await connection.execute(_TOUCH, (key_id,))
    _seen[_cache_key(text)] = (time.monotonic() + CACHE_SECONDS, principal)
    return principal


def recently_seen(text: str) -> Principal | None:
    """Return the caller of a key that was authenticated less than CACHE_SECONDS ago by this process, else None."""
    found = _seen.get(_cache_key(text))
    if found is not None and found[0] > time.monotonic():
        return found[1]
    if len(_seen) > 10_000:
        _seen.clear()
    return None


def revoke(session: Session, key_id: str, by: str = "local:mdm") -> None:
    """Revoke a key, effective within CACHE_SECONDS everywhere. Idempotent. Raises NotFound."""
    done = session.connection().execute(
        sa.text("UPDATE api_key SET revoked_at = coalesce(revoked_at, :now) WHERE key_id = :key_id"),
        {"now": clock.now(), "key_id": key_id},
    )
    if done.rowcount == 0:
        raise NotFound("No such key", code="unknown_key")
    audit.record(session, by, "key.revoked", "key", key_id)


def list_keys(session: Session) -> list[KeyInfo]:
    """Return all keys, the oldest first."""
    statement = (
        "SELECT key_id, name, scopes, brands, regions, created_at, expires_at, revoked_at, role, kind, purpose"
        " FROM api_key ORDER BY created_at"
    )
    rows = session.connection().execute(sa.text(statement))
    return [KeyInfo(r[0], r[1], tuple(r[2]), _tuple(r[3]), _tuple(r[4]), *r[5:]) for r in rows]


def _tuple(names: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"


def _cache_key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()  # So that a memory dump of the cache holds no usable key.


def _split(text: str) -> tuple[str, str]:
    parts = text.strip().split("_")
    if len(parts) != _PARTS or parts[0] != "mdm" or parts[1] not in {"live", "test"} or not text.isascii():
        raise _bad_key("This is not one of our keys: they begin with mdm_live_ or mdm_test_ and have five parts.")
    if not hmac.compare_digest(_checksum("_".join(parts[:4])), parts[4]):
        raise _bad_key("The key's checksum is wrong: it was mistyped or cut off.")
    if parts[1] != settings().mode:
        raise _bad_key(f"This is a key of a {parts[1]} service, and this one is {settings().mode}.")
    return parts[2], parts[3]


def _bad_key(detail: str) -> Unauthorized:
    return Unauthorized("The API key cannot be used", code="bad_key", detail=detail)


def _checked(key_id: str, secret: str, row: tuple[Any, ...] | None) -> Principal:
    stored = row[1] if row is not None else b"\0" * 32
    same = hmac.compare_digest(_hash(secret), bytes(stored))
    if row is None or not same:
        raise _bad_key("No such key is known here: was it made for another installation?")
    name, _, scopes, brands, regions, role, kind, *limits, expires_at, revoked_at = row
    if revoked_at is not None or (isinstance(expires_at, datetime) and expires_at <= clock.now()):
        raise _bad_key("The key is revoked or expired: ask whoever operates this service for another.")
    held = principal(key_id, str(name), scopes, Scope(_tuple(brands), _tuple(regions)), role, kind)
    if limits == [None, None, None]:
        return held
    return replace(held, requests_per_minute=limits[0], identifiers_per_hour=limits[1], purpose=limits[2])
