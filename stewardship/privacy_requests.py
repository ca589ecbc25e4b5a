"""Requests of people about their data: opened, checked, answered member by member, closed in time. Rows hold ids, never a value.

What a request asks for is done by others: `privacy_confirming` has an erasure confirmed, `privacy_erasure` carries it out.
"""

import re
import uuid
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlmodel import Session

from kernel import audit, clock
from kernel.actor import Principal
from kernel.db import Scope
from kernel.errors import Conflict, Forbidden, Invalid, NotFound
from mdm import sql
from stewardship import privacy_members
from stewardship.privacy_members import Person

KINDS = ("access", "erasure", "restriction", "correction")
IDENTITIES = ("unchecked", "passed", "failed")
# By what a person was identified, and why a request may not be carried out: closed lists, so that nobody writes a name into them.
METHODS = ("signed_in", "e_mail_link", "id_document", "in_store", "known_answers", "representative")
HOLDS = ("legal_claim", "tax_records", "open_order", "fraud_case", "court_order")
REFUSALS = ("identity_failed", "not_found", "excessive", "law_requires_data", "withdrawn_by_person")
MONTHS, MONTHS_LONGER = 1, 2  # GDPR Art. 12(3): one month, and two more where that is necessary.
REFERENCE = re.compile(r"[A-Za-z0-9._/-]{1,64}")
OPEN = "open"
Id = uuid.UUID


@dataclass(frozen=True, slots=True)
class Asked:
    """A member of a request and what was answered."""

    record_id: Id
    source: str
    evidence: Mapping[str, Any]
    is_certain: bool
    belongs: bool | None
    answered_by: str | None

    @property
    def counts(self) -> bool | None:
        """Whether it is the person's: what was answered, else yes where it is certain; None while somebody must say."""
        return self.belongs if self.belongs is not None else (True if self.is_certain else None)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it stands."""

    request_id: Id
    kind: str
    state: str
    golden_id: Id
    anchor: Id | None
    brands: tuple[str, ...]
    regions: tuple[str, ...]
    reference: str | None
    received_at: datetime
    due_at: datetime
    extended_at: datetime | None
    identity: str
    identity_method: str | None
    identity_by: str | None
    held_because: str | None
    opened_by: str
    opened_at: datetime
    closed_because: str | None
    closed_at: datetime | None
    job_id: Id | None
    result: Mapping[str, Any] | None
    members: tuple[Asked, ...]

    @property
    def mine(self) -> list[Id]:
        """The records that are the person's."""
        return [one.record_id for one in self.members if one.counts]

    @property
    def others(self) -> list[Id]:
        """The records that were found to be somebody else's."""
        return [one.record_id for one in self.members if one.counts is False]

    @property
    def unanswered(self) -> list[Id]:
        """The records of which somebody must say whether they are the person's."""
        return [one.record_id for one in self.members if one.counts is None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for. `anchor`: source and key of the record by which they were identified."""

    kind: str
    golden_id: Id
    anchor: tuple[str, str] | None = None
    reference: str | None = None
    received_at: datetime | None = None


def month_after(at: datetime, months: int) -> datetime:
    """The same day some months later, or the last of that month. Source: Regulation 1182/71, Art. 3(2)(c)."""
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, monthrange(year, month + 1)[1]))


def open_request(session: Session, caller: Principal, wish: Wish) -> Id:
    """Open a request about whatever a golden id leads to; its id.

    Raises: as `privacy_members.read`; Forbidden unless the caller may see all of the person; Conflict while another is open.
    """
    if wish.kind not in KINDS or (wish.reference is not None and not REFERENCE.fullmatch(wish.reference)):
        raise Invalid("The kind or the reference cannot be used", code="bad_request_about_data", extra={"kinds": list(KINDS)})
    now = clock.now()
    if wish.received_at is not None and wish.received_at > now:
        raise Invalid("The request is said to be of the future", code="received_in_future")
    person = privacy_members.read(session, wish.golden_id, _record_of(session, wish.anchor))
    require_whole(caller.scope, person)
    _refuse_second(session, wish.kind, person.golden_id)
    request_id, received_at = clock.uuid7(), wish.received_at or now
    sql.run(
        session,
        """INSERT INTO privacy_request (request_id, kind, golden_id, anchor, brands, regions, reference, received_at, due_at,
             opened_by, opened_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [
            request_id, wish.kind, person.golden_id, _record_of(session, wish.anchor), list(person.brands), list(person.regions),
            wish.reference, received_at, month_after(received_at, MONTHS), caller.actor, now,
        ],
    )  # fmt: skip
    look_again(session, request_id, person)
    audit.record(session, caller.actor, f"privacy.{wish.kind}_asked", "golden", str(person.golden_id))
    return request_id


def _record_of(session: Session, key: tuple[str, str] | None) -> Id | None:
    if key is None:
        return None
    named = "SELECT coalesce(rekeyed_to, record_id) FROM source_record WHERE source = %s AND source_key = %s"
    found = sql.rows(session, named, list(key))
    if not found:
        raise NotFound("There is no such record", code="unknown_record")
    record_id: Id = found[0][0]
    return record_id


def require_whole(scope: Scope, person: Person) -> None:
    """Raises: Forbidden unless every brand and region of the person is within a scope: nobody is erased in part."""
    for allowed, held in ((scope.brands, person.brands), (scope.regions, person.regions)):
        if allowed is not None and not set(held) <= set(allowed):
            detail = "The person has records of other brands or regions: somebody who may see all of them must do this."
            raise Forbidden("The request reaches beyond the key's scope", code="outside_scope", detail=detail)


def _refuse_second(session: Session, kind: str, golden_id: Id) -> None:
    sql.run(session, "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"privacy:{golden_id}"])
    wanted = "SELECT request_id FROM privacy_request WHERE golden_id = %s AND kind = %s AND state IN ('open', 'confirmed')"
    if found := sql.rows(session, wanted, [golden_id, kind]):
        raise Conflict("Such a request is open already", code="request_open", extra={"request_id": str(found[0][0])})


def brought_up(session: Session, caller: Principal, found: Request) -> Request:
    """Let the members of a request be those of the person now: some joined and some were split off since it was opened.

    Raises: as `privacy_members.read`; Forbidden when the person has grown beyond what the caller may see.
    """
    person = privacy_members.read(session, found.golden_id, found.anchor)
    require_whole(caller.scope, person)
    look_again(session, found.request_id, person)
    return find(session, found.request_id)


def look_again(session: Session, request_id: Id, person: Person) -> None:
    """Let the members of a request be those of a person, for whoever may see all of them; answers about who stays are kept."""
    rows = [{"record_id": str(one.record_id), "evidence": one.evidence(), "is_certain": one.is_certain} for one in person.members]
    sql.run(
        session,
        """WITH n AS (SELECT * FROM json_to_recordset(%(rows)s::json) AS r (record_id uuid, evidence jsonb, is_certain boolean)),
           gone AS (DELETE FROM privacy_member m WHERE request_id = %(id)s AND record_id NOT IN (SELECT record_id FROM n))
           INSERT INTO privacy_member (request_id, record_id, evidence, is_certain)
           SELECT %(id)s, record_id, evidence, is_certain FROM n
           ON CONFLICT (request_id, record_id) DO UPDATE SET evidence = EXCLUDED.evidence, is_certain = EXCLUDED.is_certain""",
        {"id": request_id, "rows": orjson.dumps(rows).decode()},
    )
    seen_by = [list(person.brands), list(person.regions), request_id]
    sql.run(session, "UPDATE privacy_request SET brands = %s, regions = %s WHERE request_id = %s", seen_by)


_COLUMNS = """request_id, kind, state, golden_id, anchor, brands, regions, reference, received_at, due_at, extended_at, identity,
  identity_method, identity_by, held_because, opened_by, opened_at, closed_because, closed_at, job_id, result"""
_MEMBERS = """
SELECT m.record_id, coalesce(r.source, ''), m.evidence, m.is_certain, m.belongs, m.answered_by
FROM privacy_member m LEFT JOIN source_record r USING (record_id) WHERE m.request_id = %s ORDER BY m.record_id"""


def find(session: Session, request_id: Id, lock: bool = False) -> Request:
    """Read a request with its members, within the row scope of the session. Raises: NotFound."""
    statement = f"SELECT {_COLUMNS} FROM privacy_request WHERE request_id = %s{' FOR UPDATE' if lock else ''}"
    found = sql.rows(session, statement, [request_id])
    if not found:
        raise NotFound("There is no such request within the key's scope", code="unknown_privacy_request")
    members = tuple(Asked(*row) for row in sql.rows(session, _MEMBERS, [request_id]))
    return _request(found[0], members)


def _request(row: sql.Row, members: tuple[Asked, ...] = ()) -> Request:
    values: list[Any] = [tuple(value) if isinstance(value, list) else value for value in row]
    return Request(*[*values, members])


def listed(session: Session, state: str | None = None, limit: int = 100) -> list[Request]:
    """List requests without their members, the most urgent first; closed ones after the open."""
    found = sql.rows(
        session,
        f"""SELECT {_COLUMNS} FROM privacy_request WHERE %(state)s::text IS NULL OR state = %(state)s
            ORDER BY state NOT IN ('open', 'confirmed'), due_at, request_id LIMIT %(limit)s""",
        {"state": state, "limit": limit},
    )
    return [_request(row) for row in found]


def held_open(session: Session, request_id: Id) -> Request:
    """Lock a request that is open. Raises: NotFound; Conflict when it is confirmed or over."""
    found = find(session, request_id, lock=True)
    if found.state != OPEN:
        raise Conflict(f"The request is {found.state}", code="request_not_open", extra={"state": found.state})
    return found


def answer(session: Session, caller: Principal, request_id: Id, answers: Mapping[Id, bool]) -> None:
    """Say of members whether they are the person's. Raises: as `held_open`; Invalid for a record that is no member."""
    found = held_open(session, request_id)
    if unknown := answers.keys() - {one.record_id for one in found.members}:
        raise Invalid("Only members are answered", code="not_a_member", extra={"records": sorted(map(str, unknown))})
    for record_id, belongs in answers.items():
        sql.run(
            session,
            "UPDATE privacy_member SET belongs = %s, answered_by = %s, answered_at = %s WHERE request_id = %s AND record_id = %s",
            [belongs, caller.actor, clock.now(), request_id, record_id],
        )
    _audit(session, caller, "privacy.members_answered", request_id, {"answers": len(answers)})


def identify(session: Session, caller: Principal, request_id: Id, outcome: str, method: str) -> None:
    """Note whether the person is who they say, and by what that was checked. Raises: as `held_open`; Invalid."""
    held_open(session, request_id)
    if outcome not in IDENTITIES or method not in METHODS:
        raise Invalid("There is no such outcome or method", code="unknown_identity_check", extra={"methods": list(METHODS)})
    sql.run(
        session,
        "UPDATE privacy_request SET identity = %s, identity_method = %s, identity_by = %s WHERE request_id = %s",
        [outcome, method, caller.actor, request_id],
    )
    _audit(session, caller, "privacy.identity_checked", request_id, {"outcome": outcome})


def hold(session: Session, caller: Principal, request_id: Id, because: str | None) -> None:
    """Hold a request for a legal reason, or let it go on (None). Raises: as `held_open`; Invalid."""
    held_open(session, request_id)
    if because is not None and because not in HOLDS:
        raise Invalid("There is no such reason to hold data", code="unknown_hold", extra={"known": list(HOLDS)})
    sql.run(session, "UPDATE privacy_request SET held_because = %s WHERE request_id = %s", [because, request_id])
    _audit(session, caller, "privacy.held", request_id, {"because": because})


def extend(session: Session, caller: Principal, request_id: Id) -> None:
    """Take the two months more that the law allows; once. Raises: as `held_open`; Conflict the second time."""
    found = held_open(session, request_id)
    if found.extended_at is not None:
        raise Conflict("The time was extended before", code="already_extended")
    due_at = month_after(found.received_at, MONTHS + MONTHS_LONGER)
    sql.run(
        session,
        "UPDATE privacy_request SET due_at = %s, extended_at = %s WHERE request_id = %s",
        [due_at, clock.now(), request_id],
    )
    _audit(session, caller, "privacy.extended", request_id)


def refuse(session: Session, caller: Principal, request_id: Id, because: str) -> None:
    """Close a request without doing what it asks. Raises: as `held_open`; Invalid."""
    held_open(session, request_id)
    if because not in REFUSALS:
        raise Invalid("There is no such reason to refuse", code="unknown_refusal", extra={"known": list(REFUSALS)})
    state = "cancelled" if because == "withdrawn_by_person" else "refused"
    close(session, request_id, state, because)
    _audit(session, caller, "privacy.refused", request_id, {"because": because})


def complete(session: Session, caller: Principal, request_id: Id) -> None:
    """Close a request that was carried out; a restriction begins by this.

    Raises: as `held_open`; Conflict for an erasure, which closes by itself, and while something is missing.
    """
    found = held_open(session, request_id)
    if found.kind == "erasure":
        raise Conflict("An erasure is done when it is carried out", code="erasure_not_done")
    found = brought_up(session, caller, found)
    if found.identity != "passed" or found.unanswered:
        raise Conflict("The identity and every member come first", code="request_incomplete")
    if found.kind == "restriction":
        _restrict(session, found)
    close(session, request_id, "done")
    _audit(session, caller, "privacy.completed", request_id)


def note(session: Session, request_id: Id, result: Mapping[str, Any]) -> None:
    """Note what came of a request. Ids and codes only."""
    said = orjson.dumps(dict(result)).decode()
    sql.run(session, "UPDATE privacy_request SET result = %s::jsonb WHERE request_id = %s", [said, request_id])


def _restrict(session: Session, found: Request) -> None:
    sql.run(
        session,
        """INSERT INTO restriction (record_id, request_id, since) SELECT unnest(%s::uuid[]), %s, %s ON CONFLICT DO NOTHING""",
        [found.mine, found.request_id, clock.now()],
    )


def lift(session: Session, caller: Principal, request_id: Id) -> None:
    """Let data be used again whose use was restricted. Raises: NotFound; Conflict when this request restricts nothing."""
    find(session, request_id, lock=True)
    if not sql.run(session, "DELETE FROM restriction WHERE request_id = %s", [request_id]):
        raise Conflict("The request restricts nothing", code="nothing_restricted")
    _audit(session, caller, "privacy.restriction_lifted", request_id)


def _audit(session: Session, caller: Principal, action: str, request_id: Id, detail: Mapping[str, Any] | None = None) -> None:
    audit.record(session, caller.actor, action, "privacy_request", str(request_id), detail=detail)


def close(
    session: Session, request_id: Id, state: str, because: str | None = None, result: Mapping[str, Any] | None = None
) -> None:
    """Let a request be over. Idempotent."""
    said = None if result is None else orjson.dumps(dict(result)).decode()
    sql.run(
        session,
        """UPDATE privacy_request SET state = %s, closed_because = %s, closed_at = %s, result = %s::jsonb
           WHERE request_id = %s AND closed_at IS NULL""",
        [state, because, clock.now(), said, request_id],
    )
