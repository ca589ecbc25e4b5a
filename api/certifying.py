"""Carries certificates of sources from the wire to `mdm.certificates`, and heals to `stewardship.healing`."""

import base64
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from api import answers, exporting, idempotency, uploading
from api.schemas.certificates import Heal
from kernel import db
from kernel.actor import Principal
from kernel.jobs import Job
from mdm import certificate_signing, certificates
from mdm import policy as policies
from mdm.certificates import Certificate, Wish
from stewardship import healing
from stewardship.healing import Plan

OK, ACCEPTED = 200, 202


async def take(caller: Principal, request: Request, wish: Wish, key: str | None) -> Response:
    """Take an extract in and open its job. Raises: as `uploading.receive` and `certificates.check`."""

    def begin(session: Session, upload: UUID) -> dict[str, Any]:
        made = certificates.begin(session, policies.current(session), wish, str(upload), caller)
        return shown(*certificates.find(session, wish.source, made))

    taking = uploading.Taking(lambda session: certificates.check(policies.current(session), wish, caller), begin)
    return await uploading.receive(caller, request, wish.format, key, taking)


def wish(source: str, file_format: str, taken_at: datetime, allow_empty: bool) -> Wish:
    """What is wanted."""
    return Wish(source, file_format, taken_at, allow_empty)


def shown(certificate: Certificate, job: Job) -> dict[str, Any]:
    """Show a certificate as JSON-ready data."""
    signature = None if certificate.signature is None else signed(certificate.signature)
    return {
        "certificate_id": certificate.certificate_id,
        "source": certificate.source,
        "taken_at": certificate.taken_at,
        "state": job.state,
        "error": job.error,
        "created_by": certificate.created_by,
        "report": None if certificate.report is None else orjson.Fragment(certificate.report),
        "signature": signature,
    }


def signed(value: bytes) -> dict[str, str]:
    """Show a signature with what verifies it."""
    return {
        "algorithm": certificate_signing.ALGORITHM,
        "public_key": base64.b64encode(certificate_signing.public_key()).decode(),
        "value": base64.b64encode(value).decode(),
    }


def read(session: Session, source: str, certificate_id: UUID) -> Response:
    """Answer one certificate. Raises: NotFound."""
    return answers.json_answer(shown(*certificates.find(session, source, certificate_id)))


def lists(caller: Principal, source: str, certificate_id: UUID, if_none_match: str | None) -> Response:
    """Hand out the full lists. Blocks. Raises: as `certificates.find` and `exporting.content`."""
    with db.read_only(db.Role.APP, caller.scope) as session:
        certificates.find(session, source, certificate_id)
        known = policies.current(session).sources.get(source)
    holds_values = known is None or known.key_is_personal
    return exporting.content(caller, certificate_id, if_none_match, holds_values)


def heal(
    caller: Principal, source: str, certificate_id: UUID, request: Request, body: Heal, dry_run: bool, key: str | None
) -> Response:
    """Heal what a certificate found, or only look. Blocks. Raises: as `healing.plan` and `healing.begin`."""
    with db.transaction(db.Role.APP, caller.scope) as session:
        found = healing.plan(session, source, certificate_id)
    if dry_run:
        return answers.json_answer(_plan(found, None))

    def act(session: Session) -> tuple[int, bytes]:
        job = healing.begin(session, found, caller, body.reason, body.confirm)
        return ACCEPTED, orjson.dumps(_plan(found, job.job_id))

    hashed = idempotency.request_hash(request.scope, body.model_dump_json().encode())
    return idempotency.once(caller, key, hashed, act, db.Role.ENGINE)


def _plan(found: Plan, job_id: UUID | None) -> dict[str, Any]:
    return {
        "certificate_id": found.certificate.certificate_id,
        "deletes": found.ghosts,
        "decides": found.merges,
        "source_must_send": found.missing + found.stale,
        "records": found.records,
        "needs_confirmation": found.because,
        "job_id": job_id,
    }
