"""Webhook endpoints: where events go, which of them, how fast, and under which secret. Delivers nothing.

Row scope is the session's: a caller sees and makes endpoints within its own scope, and an endpoint hears of no more than that.
"""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from sqlmodel import Session

from kernel import audit, clock
from kernel.actor import Principal
from kernel.errors import Conflict, Invalid, NotFound
from webhooks import feed, signing

LONGEST_OVERLAP = timedelta(days=7)
OVERLAP = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Wish:
    """What an endpoint should be like. Empty lists let everything through; `changed` looks at `golden.updated` only. `brands`: it
    hears of these alone; None: of all that its maker may see, or, when it is changed, of those of before.

    Of a load: its `load.finished`, and then with `latest_of_loads` the latest version of each golden record, or with
    `each_of_loads` every event, as it comes. `is_ordered`: an event of a subject waits for those of the same subject before it.
    """

    url: str
    description: str = ""
    types: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    each_of_loads: bool = False
    latest_of_loads: bool = True
    is_ordered: bool = False
    concurrency: int = 5
    per_second: int = 100
    brands: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as it stands. `reached_seq`: up to which number the log has been looked through for it; `delivered_seq`: up to
    which everything that it hears of has arrived."""

    endpoint_id: uuid.UUID
    url: str
    description: str
    types: tuple[str, ...]
    sources: tuple[str, ...]
    changed: tuple[str, ...]
    each_of_loads: bool
    latest_of_loads: bool
    is_ordered: bool
    concurrency: int
    per_second: int
    brands: tuple[str, ...] | None
    regions: tuple[str, ...] | None
    disabled_at: datetime | None
    disabled_because: str | None
    failing_since: datetime | None
    failures: int
    open_until: datetime | None
    reached_seq: int
    applied_seq: int | None
    applied_at: datetime | None
    overdue_since: datetime | None
    secret_before_until: datetime | None
    created_at: datetime
    created_by: str
    due: int
    dead: int
    delivered_seq: int

    def state_at(self, now: datetime) -> str:
        """Say in one word how it stands: enabled, resting (after failures), disabled."""
        rests = self.open_until is not None and self.open_until > now
        return "disabled" if self.disabled_at else "resting" if rests else "enabled"


_LISTS = ("types", "sources", "changed", "brands", "regions")
_COLUMNS = ", ".join(f"e.{one.name}" for one in fields(Endpoint) if one.name not in {"due", "dead", "delivered_seq"})
_SELECT = f"""
SELECT {_COLUMNS},
  (SELECT count(*) FROM webhook_delivery d WHERE d.endpoint_id = e.endpoint_id AND d.state = 'due') AS due,
  (SELECT count(*) FROM webhook_delivery d WHERE d.endpoint_id = e.endpoint_id AND d.state = 'dead') AS dead,
  least(e.reached_seq,
    (SELECT min(d.seq) - 1 FROM webhook_delivery d WHERE d.endpoint_id = e.endpoint_id AND d.state <> 'delivered'),
    (SELECT min(following.seq) - 1 FROM webhook_catch_up c CROSS JOIN LATERAL (
       SELECT seq FROM event WHERE load_id = c.load_id AND seq > c.reached_seq AND seq < c.until_seq ORDER BY seq LIMIT 1
     ) AS following WHERE c.endpoint_id = e.endpoint_id)) AS delivered_seq
FROM webhook_endpoint e"""


def _run(session: Session, statement: str, **values: Any) -> Any:
    return session.connection().execute(sa.text(statement), values)


def _endpoint(row: Any) -> Endpoint:
    found = dict(row._mapping)
    lists = {name: None if found[name] is None else tuple(found[name]) for name in _LISTS}
    return Endpoint(**{**found, **lists})


@dataclass(frozen=True, slots=True)
class Sending:
    """What is needed to send to an endpoint that is enabled, and how it fares. Without `secrets` nothing can be sent to it.

    `read_at`: the database's time, by which pauses and days of failure are judged: a host's clock may jump.
    """

    endpoint_id: uuid.UUID
    url: str
    secrets: tuple[str, ...]
    brands: tuple[str, ...] | None
    regions: tuple[str, ...] | None
    sources: tuple[str, ...]
    concurrency: int
    per_second: int
    failures: int
    failing_since: datetime | None
    open_until: datetime | None
    read_at: datetime


def sendings(session: Session) -> list[Sending]:
    """Read the endpoints that are enabled, with the secrets that sign: the new one first, then the one before while it lasts."""
    rows = _run(
        session,
        """SELECT endpoint_id, url, secret, CASE WHEN secret_before_until > now() THEN secret_before END, brands, regions,
             sources, concurrency, per_second, failures, failing_since, open_until, now()
           FROM webhook_endpoint WHERE disabled_at IS NULL ORDER BY endpoint_id""",
    )
    return [
        Sending(
            row[0], row[1], _secrets(row[0], [bytes(one) for one in row[2:4] if one is not None]),
            None if row[4] is None else tuple(row[4]), None if row[5] is None else tuple(row[5]), tuple(row[6]), *row[7:],
        )
        for row in rows
    ]  # fmt: skip


def _secrets(endpoint_id: uuid.UUID, sealed: Sequence[bytes]) -> tuple[str, ...]:
    """Open secrets; none when one cannot be opened."""
    try:
        return tuple(signing.unseal(endpoint_id, one) for one in sealed)
    except InvalidTag:
        return ()


def create(session: Session, caller: Principal, wish: Wish) -> tuple[Endpoint, str]:
    """Make an endpoint that hears of what happens from now on; it, and its secret, which nobody can read again."""
    endpoint_id, made = clock.uuid7(), signing.new_secret()
    _run(
        session,
        """INSERT INTO webhook_endpoint (endpoint_id, url, description, types, sources, changed, each_of_loads,
             latest_of_loads, is_ordered, concurrency, per_second, brands, regions, secret, reached_seq, created_by)
           VALUES (:endpoint_id, :url, :description, :types, :sources, :changed, :each_of_loads, :latest_of_loads, :is_ordered,
             :concurrency, :per_second, :brands, :regions, :secret, :reached, :by)""",
        **_values(wish, caller.scope.brands), endpoint_id=endpoint_id, regions=_list(caller.scope.regions),
        secret=signing.seal(endpoint_id, made), reached=feed.log(session).last_seq, by=caller.actor,
    )  # fmt: skip
    audit.record(session, caller.actor, "webhook.created", "webhook", str(endpoint_id))
    return get(session, endpoint_id), made


def _values(wish: Wish, brands: tuple[str, ...] | None) -> dict[str, Any]:
    """Give the values of a wish; `brands` stands in for those that it does not name."""
    wished = wish if wish.brands is not None else replace(wish, brands=brands)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(wished).items()}


def _list(names: Sequence[str] | None) -> list[str] | None:
    return None if names is None else list(names)


def get(session: Session, endpoint_id: uuid.UUID) -> Endpoint:
    """Read one endpoint. Raises: NotFound."""
    row = _run(session, f"{_SELECT} WHERE e.endpoint_id = :id", id=endpoint_id).one_or_none()
    if row is None:
        raise NotFound("There is no such webhook endpoint", code="unknown_endpoint")
    return _endpoint(row)


def every(session: Session) -> list[Endpoint]:
    """Read all endpoints, the oldest first."""
    return [_endpoint(row) for row in _run(session, f"{_SELECT} ORDER BY e.endpoint_id")]


def count_hearing(session: Session, subject: str, brands: Sequence[str], regions: Sequence[str]) -> int:
    """Count the endpoints in the session's scope that hear of a kind of subject (`golden`) of some brands and regions."""
    statement = """SELECT count(*) FROM webhook_endpoint WHERE disabled_at IS NULL
      AND (cardinality(types) = 0 OR EXISTS (SELECT FROM unnest(types) AS one WHERE split_part(one, '.', 1) = :subject))
      AND (brands IS NULL OR brands && CAST(:brands AS text[])) AND (regions IS NULL OR regions && CAST(:regions AS text[]))"""
    return int(_run(session, statement, subject=subject, brands=list(brands), regions=list(regions)).scalar_one())


def change(session: Session, caller: Principal, endpoint_id: uuid.UUID, wish: Wish) -> Endpoint:
    """Make an endpoint another one under the same id; what is due already goes to the new address. Raises: NotFound."""
    before = get(session, endpoint_id)
    columns = ", ".join(f"{one.name} = :{one.name}" for one in fields(Wish))
    statement = f"UPDATE webhook_endpoint SET {columns} WHERE endpoint_id = :id"
    _run(session, statement, **_values(wish, before.brands), id=endpoint_id)
    audit.record(session, caller.actor, "webhook.changed", "webhook", str(endpoint_id))
    return get(session, endpoint_id)


def delete(session: Session, caller: Principal, endpoint_id: uuid.UUID) -> None:
    """Forget an endpoint and everything that was to be delivered to it. Raises: NotFound."""
    get(session, endpoint_id)
    _run(session, "DELETE FROM webhook_endpoint WHERE endpoint_id = :id", id=endpoint_id)
    audit.record(session, caller.actor, "webhook.deleted", "webhook", str(endpoint_id))


def disable(session: Session, caller: Principal, endpoint_id: uuid.UUID) -> Endpoint:
    """Deliver nothing until it is enabled. Raises: NotFound."""
    get(session, endpoint_id)
    _run(
        session,
        """UPDATE webhook_endpoint SET disabled_at = now(), disabled_because = 'by_hand'
           WHERE endpoint_id = :id AND disabled_at IS NULL""",
        id=endpoint_id,
    )
    audit.record(session, caller.actor, "webhook.disabled", "webhook", str(endpoint_id))
    return get(session, endpoint_id)


# Up to which number an endpoint was told of everything, the loads that it catches up with included.
_REACHED = """
SELECT least(e.reached_seq, min(c.reached_seq)) FROM webhook_endpoint e LEFT JOIN webhook_catch_up c USING (endpoint_id)
WHERE e.endpoint_id = :id GROUP BY e.endpoint_id"""


def enable(session: Session, caller: Principal, endpoint_id: uuid.UUID) -> Endpoint:
    """Deliver again, beginning with what happened meanwhile and was not applied already.

    Raises: NotFound; Gone when that is not kept any more.
    """
    applied_seq = get(session, endpoint_id).applied_seq or 0
    loads_done = "DELETE FROM webhook_catch_up WHERE endpoint_id = :id AND until_seq <= :applied"
    _run(session, loads_done, id=endpoint_id, applied=applied_seq)
    log, reached = feed.log(session), int(_run(session, _REACHED, id=endpoint_id).scalar_one())
    feed.place(log, log.cursor(max(reached, applied_seq)))
    _run(
        session,
        """UPDATE webhook_endpoint SET disabled_at = NULL, disabled_because = NULL, failing_since = NULL, failures = 0,
             open_until = NULL, reached_seq = greatest(reached_seq, :applied)
           WHERE endpoint_id = :id""",
        id=endpoint_id,
        applied=applied_seq,
    )
    audit.record(session, caller.actor, "webhook.enabled", "webhook", str(endpoint_id))
    return get(session, endpoint_id)


def rotate(session: Session, caller: Principal, endpoint_id: uuid.UUID, overlap: timedelta = OVERLAP) -> tuple[Endpoint, str]:
    """Give an endpoint a new secret; both sign while they overlap. Without an overlap the new one alone does from now on.

    Raises: NotFound; Invalid for too long an overlap; Conflict while two sign: a request that was sent twice would end the one
    that the subscriber uses.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Invalid("Two secrets overlap for at most seven days", code="overlap_too_long")
    before = get(session, endpoint_id)
    made = signing.new_secret()
    changed = _run(
        session,
        """UPDATE webhook_endpoint SET secret_before = secret, secret_before_until = now() + :overlap, secret = :secret
           WHERE endpoint_id = :id AND (NOT :overlaps OR secret_before_until IS NULL OR secret_before_until <= now())""",
        id=endpoint_id, overlap=overlap, overlaps=bool(overlap), secret=signing.seal(endpoint_id, made),
    )  # fmt: skip
    if changed.rowcount == 0:
        raise Conflict(
            "Two secrets overlap already",
            code="rotation_under_way",
            detail="Rotate when the one before has ended, or without an overlap: then the new one alone signs from now on.",
            extra={"secret_before_until": before.secret_before_until and before.secret_before_until.isoformat()},
        )
    audit.record(session, caller.actor, "webhook.secret_rotated", "webhook", str(endpoint_id))
    return get(session, endpoint_id), made


def applied(session: Session, endpoint_id: uuid.UUID, cursor: str) -> Endpoint:
    """Note that the subscriber has applied everything up to a cursor.

    Raises: NotFound; Conflict when more than that was applied already; what `feed.place` raises.
    """
    get(session, endpoint_id)
    seq = feed.place(feed.log(session), cursor)
    # Judged by the statement that writes: of two confirmations at once the lower one may be written last.
    noted = _run(
        session,
        """UPDATE webhook_endpoint SET applied_seq = :seq, applied_at = now()
           WHERE endpoint_id = :id AND coalesce(applied_seq, 0) <= :seq""",
        id=endpoint_id,
        seq=seq,
    ).rowcount
    now = get(session, endpoint_id)
    if noted == 0:
        raise Conflict("More than that was applied already", code="applied_already", extra={"applied_seq": now.applied_seq})
    return now
