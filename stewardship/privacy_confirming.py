"""An erasure is looked at, confirmed on what was seen, by one person or by two, and then carried out as a job.

Whoever confirms sends the token of their preview; when anything that it showed has changed, it fits no more.
"""

import hashlib
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from kernel import approvals, audit, jobs
from kernel.actor import Principal
from kernel.approvals import Proposal
from kernel.errors import Conflict, MdmError
from kernel.jobs import Claim
from kernel.settings import settings
from mdm import erasing, owed, sql, steward_decisions, versions
from mdm.chunks import Kind
from mdm.decisions import StewardDecision
from mdm.resolve import Resolver
from mdm.steps import Steps
from mdm.steward_decisions import Said
from stewardship import privacy_catalogue, privacy_erasure, privacy_members, privacy_requests
from stewardship.privacy_requests import Request
from stewardship.settle import NO_MATCH

KIND = "erasure"
APART = "privacy_request"  # The reason code of the decision that holds records of others apart.
OUTDATED = 412
Id = uuid.UUID


@dataclass(frozen=True, slots=True)
class Preview:
    """What an erasure would remove: rows by table, golden ids that will answer 410, how many others share a contact point.

    `blocked`: why it cannot be confirmed, by stable codes.
    """

    request: Request
    rows: Mapping[str, int]
    golden_ids: tuple[Id, ...]
    withheld: int
    blocked: tuple[str, ...]
    token: str


def preview(session: Session, caller: Principal, request_id: Id) -> Preview:
    """See what an erasure would remove; its members are brought up to date.

    Raises: as `privacy_requests.held_open`; Forbidden when the person has grown beyond what the caller may see.
    """
    found = privacy_requests.brought_up(session, caller, privacy_requests.held_open(session, request_id))
    catalogue = privacy_catalogue.understood(session, privacy_erasure.HANDLERS)
    of = erasing.subject(session, found.mine)
    rows = catalogue.counts(session, of)
    withheld = privacy_members.withheld(session, found.mine, _homes(session, found.mine))
    seen = (str(request_id), _members(found), _heads(session, found.mine), _goldens(session, of.golden_ids))
    token = hashlib.blake2b(repr(seen).encode(), digest_size=16).hexdigest()
    return Preview(found, rows, of.golden_ids, withheld, tuple(_blocked(session, found)), token)


def _members(found: Request) -> list[tuple[str, bool | None]]:
    return [(str(one.record_id), one.counts) for one in found.members]


def _heads(session: Session, record_ids: list[Id]) -> list[sql.Row]:
    return sql.rows(
        session, "SELECT record_id::text, version_no FROM source_record WHERE record_id = ANY(%s) ORDER BY 1", [record_ids]
    )


def _goldens(session: Session, golden_ids: tuple[Id, ...]) -> list[sql.Row]:
    return sql.rows(
        session, "SELECT golden_id::text, version FROM golden WHERE golden_id = ANY(%s) ORDER BY 1", [list(golden_ids)]
    )


def _blocked(session: Session, found: Request) -> list[str]:
    # A hold is of the data, whichever request it was noted with.
    held = sql.rows(
        session,
        """SELECT FROM privacy_member m JOIN privacy_request q USING (request_id)
           WHERE m.record_id = ANY(%s) AND m.belongs IS DISTINCT FROM false
             AND q.held_because IS NOT NULL AND q.state IN ('open', 'confirmed') LIMIT 1""",
        [found.mine],
    )
    reasons = {
        "not_an_erasure": found.kind != "erasure",
        "identity_not_checked": found.identity != "passed",
        "legal_hold": found.held_because is not None or bool(held),
        "members_unanswered": bool(found.unanswered),
        "nothing_to_erase": not found.mine,
    }
    return [name for name, holds in reasons.items() if holds]


def confirm(session: Session, caller: Principal, request_id: Id, token: str | None) -> Request:
    """Confirm an erasure as it was seen. The last confirmation that is needed opens its job.

    Raises: MdmError 428 without a token, 412 when what was seen has changed; Conflict when something bars it.
    """
    seen = preview(session, caller, request_id)
    if seen.blocked:
        detail = "See the preview: each of these must be settled first."
        raise Conflict(
            "The erasure cannot be confirmed", code="erasure_blocked", detail=detail, extra={"because": list(seen.blocked)}
        )
    if token is None or token != seen.token:
        code, status = ("preview_needed", 428) if token is None else ("preview_outdated", OUTDATED)
        raise MdmError("Look first: send the token of the preview", code=code, status=status)
    audit.record(session, caller.actor, "privacy.erasure_confirmed", "privacy_request", str(request_id))
    if settings().erasure_approvals == 1 or _is_second(session, caller, seen):
        _open_job(session, caller, request_id)
    return privacy_requests.find(session, request_id)


def _is_second(session: Session, caller: Principal, seen: Preview) -> bool:
    """Keep the confirmation of what was seen as a proposal; whether somebody else has confirmed the very same before."""
    about = {"request_id": str(seen.request.request_id), "records": len(seen.request.mine)}
    where = (seen.request.brands, seen.request.regions)
    return approvals.second(session, KIND, seen.token, caller.actor, about, *where) is None


def waiting(session: Session, request_ids: Collection[Id]) -> dict[Id, Proposal]:
    """Say which requests one person has confirmed and wait for a second, within the session's row scope; the latest of each.

    It counts for just what that person saw: when something has changed since, the second is the first again.
    """
    asked = {str(one): one for one in request_ids}
    found = [one for one in approvals.listed(session) if one.kind == KIND and one.about.get("request_id") in asked]
    return {asked[one.about["request_id"]]: one for one in reversed(found)}


def _open_job(session: Session, caller: Principal, request_id: Id) -> None:
    about = {"request_id": str(request_id)}
    job_id = jobs.create_job(session, KIND, about, caller.name, total_units=1, chunks=[about])
    sql.run(session, "UPDATE privacy_request SET state = 'confirmed', job_id = %s WHERE request_id = %s", [job_id, request_id])


def work(steps: Steps, claim: Claim) -> None:
    """Carry out a confirmed erasure. Each step may be done again. Raises: Conflict while others' records are not split off."""
    request_id, resolver = uuid.UUID(claim.params["request_id"]), privacy_erasure.resolver(steps)
    with steps() as session:
        found = privacy_requests.find(session, request_id)
        if _has_parted(session, found):
            _ask_again(session, found)
            jobs.finish_chunk(session, claim, done_units=1)
            return
    if found.others:
        _split(resolver, found)
    with steps() as session:
        if _has_company(session, found) and not _erased(session, request_id):
            _ask_again(session, found)
            jobs.finish_chunk(session, claim, done_units=1)
            return
    entry = privacy_erasure.begin(steps, request_id, found.mine)
    removed = privacy_erasure.end(resolver, entry)
    result: dict[str, Any] = {
        "entry_no": entry.entry_no,
        "golden_ids": [str(one) for one in entry.golden_ids],
        "removed": removed,
    }
    with steps() as session:
        privacy_requests.close(session, request_id, "done", result=result)
        jobs.finish_chunk(session, claim, done_units=1)


def _apart(found: Request) -> Id:
    """The id of the decision that holds the records of others apart."""
    return uuid.uuid5(found.request_id, APART)


def _homes(session: Session, record_ids: Collection[Id]) -> list[Id]:
    """The golden records that some records live in."""
    found = "SELECT DISTINCT golden_id FROM crosswalk WHERE record_id = ANY(%s) AND golden_id IS NOT NULL ORDER BY 1"
    return [row[0] for row in sql.rows(session, found, [list(record_ids)])]


def _has_parted(session: Session, found: Request) -> bool:
    """Whether records that were one customer when this was confirmed are several: somebody has found since that they are not."""
    begun = sql.rows(session, "SELECT FROM erasure WHERE request_id = %s", [found.request_id])
    if begun or steward_decisions.find(session, _apart(found)) is not None:
        return False  # We have parted them.
    return len(_homes(session, [one.record_id for one in found.members])) > 1


def _split(resolver: Resolver, found: Request) -> None:
    """Hold the records of others apart by a steward's decision, and wait until they live elsewhere. Idempotent."""
    decision = StewardDecision(_apart(found), NO_MATCH, frozenset(found.mine), frozenset(found.others))
    with resolver.steps() as session:
        of = versions.current(session)
        known = steward_decisions.find(session, decision.decision_id)
        if known is None and not _erased(session, found.request_id):
            steward_decisions.make(session, of, decision, Said(privacy_erasure.ACTOR, APART))
    owed.work(resolver, sorted(decision.records))
    with resolver.steps() as session:
        together = sql.rows(
            session,
            """SELECT FROM crosswalk a JOIN crosswalk b USING (golden_id)
               WHERE a.record_id = ANY(%s) AND b.record_id = ANY(%s)""",
            [found.mine, found.others],
        )
    if together:
        raise Conflict("Records of somebody else are not split off yet", code="not_split_yet")


def _has_company(session: Session, found: Request) -> bool:
    """Whether records live with the person's of which nobody was asked: they joined since, or the split brought them back."""
    return bool(
        sql.rows(
            session,
            """SELECT FROM crosswalk a JOIN crosswalk b USING (golden_id)
               WHERE a.record_id = ANY(%s) AND b.record_id <> ALL(%s) LIMIT 1""",
            [found.mine, found.mine],
        )
    )


def _ask_again(session: Session, found: Request) -> None:
    """Open the request anew, about whoever lives with the person's records now; it must be looked at and confirmed again.

    The person is where the record is by which they were identified, else where the request said, else where one of theirs is.
    """
    anchored = _homes(session, [found.anchor] if found.anchor else [])
    homes = _homes(session, found.mine)
    golden_id = next(iter([*anchored, *(one for one in homes if one == found.golden_id), *homes]), found.golden_id)
    sql.run(
        session,
        "UPDATE privacy_request SET state = 'open', job_id = NULL, golden_id = %s WHERE request_id = %s",
        [golden_id, found.request_id],
    )
    person = privacy_members.read(session, golden_id, found.anchor if anchored else None)
    privacy_requests.look_again(session, found.request_id, person)


def _erased(session: Session, request_id: Id) -> bool:
    return bool(sql.rows(session, "SELECT FROM erasure WHERE request_id = %s AND state <> 'begun'", [request_id]))


CHUNKS = Kind(KIND, work, lambda _: 1)
