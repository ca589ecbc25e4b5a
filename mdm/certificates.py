"""Certificates of sources: how a source's full extract compares with what is stored of it, as a signed report and full lists.

Made by a job, from an uploaded file, in a process of limited memory. Changes no record: `stewardship.healing` does, when asked.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlmodel import Session

from kernel import audit, clock, db, jobs
from kernel.actor import Principal
from kernel.errors import Conflict, Forbidden, Invalid, MdmError, NotFound
from kernel.jobs import Claim, Job
from mdm import certificate_findings, certificate_signing, export_registry, exports, policy, sql, uploads
from mdm.certificate_findings import COLUMNS, LISTED, Findings
from mdm.export_files import ExportFile, Written
from mdm.export_registry import Entry
from mdm.extract_reading import FORMATS, Extract
from mdm.ingest import rules_for
from mdm.policy import Policy
from mdm.policy_schema import Source
from mdm.steps import Steps

KIND = "certificate"
MOST_EXAMPLES = 20
OTHERS = ("matched", "later", "ahead", "not_compared", "agreed", "merged_away", "merge_undecided")
TOLD = ("counts", "extract", "seq", "is_clean")


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate, asked for or made. `report` is canonical JSON, as it was signed."""

    certificate_id: uuid.UUID
    source: str
    taken_at: datetime
    created_by: str
    report: str | None
    signature: bytes | None

    @property
    def said(self) -> dict[str, Any]:
        """What the report says. Raises: Conflict while there is none."""
        if self.report is None:
            raise Conflict("The certificate is not made", code="certificate_not_ready")
        found: dict[str, Any] = orjson.loads(self.report)
        return found


@dataclass(frozen=True, slots=True)
class Wish:
    """Of what a certificate is wanted: whose extract, in which format, and when it was taken."""

    source: str
    format: str
    taken_at: datetime
    allow_empty: bool = False


def check(ruling: Policy, wish: Wish, caller: Principal) -> Source:
    """Check a wish; its source.

    Raises: NotFound, Forbidden for a source that the caller may not write all of; Invalid for a format that is not known, or a
    time in the future.
    """
    of = rules_for(ruling, wish.source, caller).source
    if caller.scope.regions is not None:
        raise Forbidden("An extract is of every region of its source, this key of some", code="outside_scope")
    if wish.format not in FORMATS:
        raise Invalid("There is no such format of extract", code="unknown_extract_format", extra={"known": list(FORMATS)})
    if wish.taken_at > clock.now():
        raise Invalid("The extract is said to be of the future", code="taken_at_in_future")
    return of


def begin(session: Session, ruling: Policy, wish: Wish, upload: str, caller: Principal) -> uuid.UUID:
    """Open the job of a certificate of an uploaded extract. Raises: as `check`."""
    of = check(ruling, wish, caller)
    about = {"source": wish.source, "kind": wish.format, "taken_at": wish.taken_at.isoformat(), "allow_empty": wish.allow_empty}
    scope = {"brands": caller.scope.brands, "regions": caller.scope.regions}
    part = {**about, "upload": upload, "key_id": caller.key_id, "by": caller.name, **scope}
    made = jobs.create_job(session, KIND, about, caller.name, chunks=[part])
    sql.run(
        session,
        "INSERT INTO certificate (certificate_id, source, brand, taken_at, created_by) VALUES (%s, %s, %s, %s, %s)",
        [made, wish.source, of.brand, wish.taken_at, caller.name],
    )
    export_registry.add(session, Entry(made, KIND, "ndjson", "records:read", (), (wish.source,), (of.brand,)), caller)
    audit.record(session, caller.actor, "certificate.begun", "job", str(made))
    return made


def find(session: Session, source: str, certificate_id: uuid.UUID) -> tuple[Certificate, Job]:
    """Read a certificate of a source and its job, within the row scope of the session. Raises: NotFound."""
    found = sql.rows(
        session,
        """SELECT certificate_id, source, taken_at, created_by, report, signature FROM certificate
           WHERE certificate_id = %s AND source = %s""",
        [certificate_id, source],
    )
    if not found:
        raise NotFound("There is no such certificate of this source within the key's scope", code="unknown_certificate")
    return Certificate(*found[0]), jobs.status(session, certificate_id)


def make(steps: Steps, claim: Claim) -> None:
    """Make a certificate; what is wrong with the whole extract ends its job.

    Raises: Conflict (lease_lost, job_over) when it is somebody else's, or nobody's any more.
    """
    try:
        _make(steps, claim)
    except Conflict:
        uploads.forget_over(steps, claim)
        raise
    except MdmError as error:
        uploads.fail(steps, claim, error.code)
        return
    uploads.forget(claim.params)


def _make(steps: Steps, claim: Claim) -> None:
    part, beat = claim.params, exports.Beat(steps, claim)
    with steps() as session:
        of = rules_for(policy.current(session), part["source"], uploads.caller_of(part)).source
        entry, _ = export_registry.find(session, claim.job_id)
    export_registry.delete_files(entry)
    path = export_registry.folder() / f"{entry.export_id}.{uuid.uuid4().hex[:8]}.{entry.format}"
    upload = uploads.path_of(part)
    upload.touch()  # It is in use: see uploads.forget_old.
    extract = Extract(upload, part["kind"], of, uploads.most_decoded(upload))
    try:
        with steps() as session, ExportFile(path, entry.format, COLUMNS) as file:
            certificate_findings.load(session, extract.said(), beat)
            _refuse_empty(extract, part)
            findings = certificate_findings.judge(session, part["source"], datetime.fromisoformat(part["taken_at"]))
            for portion in certificate_findings.listed(session):
                file.write(portion)
                beat()
            report = _report(session, claim, of, extract, findings, file.publish(), entry)
            jobs.finish_chunk(session, claim, done_units=extract.rows)
            jobs.finish_job(
                session, claim.job_id, result={name: report[name] for name in ("counts", "extract", "seq", "is_clean")}
            )
    except db.UNAVAILABLE:
        raise  # The commit may have succeeded: the sweeper removes what the register does not name.
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _refuse_empty(extract: Extract, part: Mapping[str, Any]) -> None:
    """Refuse what says of no key that the source has it: all records would be ghosts. Blank it may be, when that is meant."""
    if not extract.rows and not part["allow_empty"]:
        raise Invalid("The extract has no rows", code="empty_extract")
    if extract.rows and extract.rejected.total() == extract.rows:
        raise Invalid("No row of the extract can be used: is it of this source and format?", code="unusable_extract")


def _report(
    session: Session, claim: Claim, of: Source, extract: Extract, findings: Findings, lists: Written, entry: Entry
) -> dict[str, Any]:
    """Make the report, sign and keep it, and let its lists be handed out."""
    part, counts = claim.params, findings.counts
    shown = {} if of.key_is_personal else {one: certificate_findings.examples(session, one, MOST_EXAMPLES) for one in LISTED}
    report = {
        "certificate_id": str(claim.job_id),
        "source": part["source"],
        "taken_at": part["taken_at"],
        "judged_at": clock.now().isoformat(),
        "timeline_id": str(findings.log.timeline_id),
        "seq": findings.log.last_seq,
        "extract": {
            "rows": extract.rows, "keys": findings.keys, "duplicates": findings.duplicates, "rejected": dict(extract.rejected),
            "flagged_deleted": findings.flagged_deleted, "flagged_merged": findings.flagged_merged,
        },
        "counts": {name: counts[name] for name in (*LISTED, *OTHERS)},
        "is_clean": not any(counts[name] for name in LISTED) and not extract.rejected,
        "examples": shown,
        "lists": {"rows": lists.rows, "sha256": lists.sha256.hex()},
    }  # fmt: skip
    written = certificate_signing.canonical(report)
    sql.run(
        session,
        "UPDATE certificate SET report = %s, signature = %s WHERE certificate_id = %s",
        [written.decode(), certificate_signing.sign(written), claim.job_id],
    )
    export_registry.publish(session, entry, lists, findings.log, uploads.caller_of(part).actor)
    return report
