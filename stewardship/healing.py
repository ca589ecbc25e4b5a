"""Heals what a certificate found: deletes ghosts as their source would, and decides as known what the source merged natively.

Missing and stale records the source must send again: nobody here can invent them. A job, in chunks that name places in the
certificate's list; what has changed since the extract was taken is left alone. What it deletes is taken back like an import
(`mdm imports undo`), what it decides like any set of decisions.
"""

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from sqlmodel import Session

from kernel import audit, jobs
from kernel.actor import Principal
from kernel.errors import Conflict
from kernel.jobs import Claim, Job
from mdm import certificates, export_registry, imports, ingest, policy, sql, uploads
from mdm.certificate_findings import GHOST, MERGED, MISSING, STALE
from mdm.certificates import Certificate
from mdm.chunks import Kind
from mdm.incoming import Incoming
from mdm.resolve import Resolver
from mdm.steps import Steps, insist
from mdm.steward_decisions import Said
from stewardship import decision_sets, settle
from stewardship.decision_sets import LookedAtAll
from stewardship.settle import Wish
from stewardship.sides import Side

KIND = imports.HEAL_KIND
CHUNK_ROWS = {GHOST: 500, MERGED: 100}
# A cut-off extract must not empty a source: whoever deletes a larger share of its records says so.
MOST_DELETED_PERCENT = 5
LIVING = ("matched", "stale", "ahead", "not_compared", "ghost", "merged_away")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a heal would do, by the certificate. `because`: why it must be confirmed, by stable codes; empty when it need not."""

    certificate: Certificate
    path: Path
    ghosts: int
    merges: int
    missing: int
    stale: int
    records: int
    because: tuple[str, ...]


def plan(session: Session, source: str, certificate_id: uuid.UUID) -> Plan:
    """Say what a heal would do.

    Raises: NotFound; Conflict while the certificate is not made; Gone when its list is not kept any more.
    """
    certificate, _ = certificates.find(session, source, certificate_id)
    report = certificate.said
    _, path = export_registry.kept_file(session, certificate_id)
    counts, extract = report["counts"], report["extract"]
    records = sum(counts[name] for name in LIVING)
    reasons = {
        "deletes_much": counts[GHOST] * 100 > records * MOST_DELETED_PERCENT,
        "rows_rejected": bool(extract["rejected"]) and counts[GHOST] > 0,
        "extract_is_empty": not extract["rows"],
        "imported_since": counts[GHOST] > 0 and _imported_since(session, certificate),
    }
    because = tuple(name for name, holds in reasons.items() if holds)
    return Plan(certificate, path, counts[GHOST], counts[MERGED], counts[MISSING], counts[STALE], records, because)


def _imported_since(session: Session, certificate: Certificate) -> bool:
    """Whether the source was imported after its extract was taken: what came again as it was bears no mark of it."""
    ((found,),) = sql.rows(
        session,
        "SELECT EXISTS (SELECT FROM job WHERE kind = %s AND params ->> 'source' = %s AND coalesce(finished_at, now()) > %s)",
        [imports.KIND, certificate.source, certificate.taken_at],
    )
    return bool(found)


def begin(session: Session, found: Plan, caller: Principal, reason: str, confirm: bool) -> Job:
    """Open the heal of a certificate, or find the one there is.

    Raises: Conflict when it must be confirmed and is not, there is nothing to heal, or its list was altered; Forbidden when there
    are merges to decide and the key may not; Invalid for a reason that is none.
    """
    said, certificate = settle.checked_reason(reason), found.certificate
    sql.run(session, "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{KIND}:{certificate.certificate_id}"])
    known = jobs.find_by_fingerprint(session, KIND, str(certificate.certificate_id))
    if known is not None:
        return known
    if found.because and not confirm:
        extra = {"because": list(found.because), "ghosts": found.ghosts, "records": found.records}
        detail = "Look at the certificate; send confirm=true when the extract is whole and this is meant."
        raise Conflict("The heal must be confirmed", code="heal_needs_confirmation", detail=detail, extra=extra)
    if found.merges:
        caller.require("decisions:write")
    parts = _parts(found)
    if not parts:
        raise Conflict("There is nothing that a heal could do", code="nothing_to_heal", extra={"missing": found.missing})
    audit.record(session, caller.actor, "certificate.healed", "job", str(certificate.certificate_id), after=said)
    about = {"source": certificate.source, "file": f"certificate {certificate.certificate_id}", "reason": said}
    scope = {"key_id": caller.key_id, "by": caller.name, "brands": caller.scope.brands, "regions": caller.scope.regions}
    chunks = [{**about, **scope, **part, "certificate_id": str(certificate.certificate_id)} for part in parts]
    total = found.ghosts + found.merges
    fingerprint = str(certificate.certificate_id)
    made = jobs.create_job(session, KIND, about, caller.name, fingerprint=fingerprint, total_units=total, chunks=chunks)
    return jobs.status(session, made)


def _parts(found: Plan) -> list[dict[str, Any]]:
    """Where in the list the rows stand that are to be healed: places only, no key. Raises: Conflict when the list was altered."""
    digest, parts, place = hashlib.sha256(), list[dict[str, Any]](), 0
    with found.path.open("rb") as file:
        for line in file:
            digest.update(line)
            finding = orjson.loads(line)["finding"]
            most = CHUNK_ROWS.get(finding, 0)
            if most and (not parts or parts[-1]["finding"] != finding or parts[-1]["rows"] >= most):
                parts.append({"finding": finding, "at": place, "rows": 0})
            if most:
                parts[-1]["rows"] += 1
            place += len(line)
    if digest.hexdigest() != found.certificate.said["lists"]["sha256"]:
        raise Conflict("The certificate's list is not the one that was signed", code="list_altered")
    return parts


def work(steps: Steps, claim: Claim) -> None:
    """Do one chunk. Raises: Gone when the list is not kept any more."""
    part = claim.params
    with steps() as session:
        certificate, _ = certificates.find(session, part["source"], uuid.UUID(part["certificate_id"]))
        _, path = export_registry.kept_file(session, certificate.certificate_id)
    rows = list(_rows(path, part))
    if part["finding"] == GHOST:
        _delete(steps, claim, [row["key"] for row in rows], certificate.taken_at)
    else:
        _decide(steps, claim, [(row["merged_into"], row["key"]) for row in rows])


def _rows(path: Path, part: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        file.seek(part["at"])
        for _ in range(part["rows"]):
            yield orjson.loads(file.readline())


def _caller(part: Mapping[str, Any]) -> Principal:
    """Who asked for the heal, with the scope they had then; what they had to hold was checked then."""
    asked = uploads.caller_of(part)
    return Principal(asked.key_id, asked.name, frozenset({"records:write", "decisions:write"}), asked.scope)


# Changed since the extract was taken: no ghost. One that was sent again as it was bears no mark of it, and is deleted.
# Locked, so that none is sent while the others are deleted.
_STILL = """
SELECT source_key FROM source_record WHERE source = %s AND source_key = ANY(%s) AND NOT is_deleted AND rekeyed_to IS NULL
  AND received_at <= %s ORDER BY source_key FOR UPDATE"""


def _delete(steps: Steps, claim: Claim, keys: list[str], taken_at: datetime) -> None:
    source = claim.params["source"]

    def act(session: Session) -> None:
        still = [key for (key,) in sql.rows(session, _STILL, [source, keys, taken_at])]
        gone = [Incoming(key, delete=True) for key in still]
        ingest.put_records(session, policy.current(session), source, gone, _caller(claim.params), job_id=claim.job_id)
        _finish(session, claim, {"deleted": len(still), "sent_again_since": len(keys) - len(still)}, len(keys))

    insist(steps, act)


def _decide(steps: Steps, claim: Claim, merges: list[tuple[str, str]]) -> None:
    """Decide merges as `records:merged` does, and finish the chunk with them: one that is cut off has decided nothing."""
    part, resolver, caller = claim.params, Resolver(steps), _caller(claim.params)
    set_id = uuid.uuid5(claim.job_id, str(part["at"]))
    said = Said(f"source:{part['source']}", decision_sets.SOURCE_SAYS, set_id=set_id)
    named = [[Side(records=((part["source"], key),)) for key in pair] for pair in merges]
    wishes = [Wish(settle.MATCH, survivor, merged, part["reason"], yields=True) for survivor, merged in named]

    def act(seen: LookedAtAll) -> None:
        def finish(session: Session) -> None:
            asked = len(seen.asked)
            came_to = {"decided": len(seen.made) - asked, "asked": asked, "known": seen.known, "refused": len(seen.refused)}
            _finish(session, claim, came_to, len(wishes))

        if seen.looked is not None:
            decision_sets.make(resolver, caller, wishes, said, seen.looked.token, finish, is_confirmed=True)
        else:
            insist(steps, finish)

    settle.on_what_is_seen(lambda: decision_sets.look(resolver, caller, wishes), act)


def _finish(session: Session, claim: Claim, came_to: Mapping[str, int], rows: int) -> None:
    """Add what became of rows, under the lock of the job's row, and finish the chunk."""
    ((before,),) = sql.rows(session, "SELECT checkpoint FROM job WHERE job_id = %s FOR UPDATE", [claim.job_id])
    jobs.checkpoint(session, claim.job_id, Counter(before) + Counter(came_to))
    jobs.finish_chunk(session, claim, done_units=rows)


CHUNKS = Kind(KIND, work, lambda params: int(params["rows"]))
