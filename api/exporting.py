"""Carries exports from the wire to `mdm.exports` and back, and their files to whoever may have them."""

import base64
from dataclasses import asdict
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from api import answers, idempotency
from api.schemas.exports import ExportWish, ReachIn
from kernel import db
from kernel.actor import Principal
from kernel.errors import Gone
from kernel.jobs import Job
from mdm import export_registry, exports
from mdm import policy as policies
from mdm.export_consents import Reach
from mdm.export_registry import Entry
from mdm.exports import Wish

ACCEPTED = 202
MEDIA = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson", "parquet": "application/vnd.apache.parquet"}


def begin(caller: Principal, request: Request, body: ExportWish, key: str | None) -> Response:
    """Open the job of an export, once for the request that this is. Blocks. Raises: what `exports.begin` raises."""
    of = _names(body.brands), _names(body.sources)
    wish = Wish(body.kind, body.format, tuple(body.fields or ()), *of, body.after, body.purpose, _reach(body.consent))

    def act(session: Session) -> tuple[int, bytes]:
        export_id = exports.begin(session, policies.current(session), wish, caller)
        return ACCEPTED, orjson.dumps(shown(*export_registry.find(session, export_id)))

    hashed = idempotency.request_hash(request.scope, body.model_dump_json().encode())
    return idempotency.once(caller, key, hashed, act, db.Role.ENGINE)


def _reach(said: ReachIn | None) -> Reach | None:
    return None if said is None else Reach(said.channel, said.brand)


def _names(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


def shown(entry: Entry, job: Job) -> dict[str, Any]:
    """Show an export as JSON-ready data."""
    inside = {"file_name", "timeline_id", "sha256"}
    about = {name: value for name, value in asdict(entry).items() if name not in inside}
    sha256 = None if entry.sha256 is None else entry.sha256.hex()
    return {
        **about,
        "sha256": sha256,
        "cursor": entry.cursor,
        "purpose": job.params.get("purpose"),
        "consent": job.params.get("reach"),
        "state": job.state,
        "error": job.error,
    }


def content(caller: Principal, export_id: UUID, if_none_match: str | None, holds_values: bool = True) -> Response:
    """Hand out the file. Blocks. Raises: what `export_registry.hand_out` raises."""
    with db.transaction(db.Role.APP, caller.scope) as session:
        entry, path = export_registry.hand_out(session, export_id, caller, holds_values)
    sha256 = entry.sha256 or b""
    etag = f'"{sha256.hex()}"'
    headers = {
        **answers.PRIVATE,
        "etag": etag,
        "repr-digest": f"sha-256=:{base64.b64encode(sha256).decode()}:",
        "mdm-cursor": entry.cursor or "",
    }
    if if_none_match is not None and answers.matches(etag, if_none_match):
        return Response(b"", 304, headers)
    try:
        there = path.stat()
    except FileNotFoundError as gone:
        raise Gone("The file is not kept any more", code="export_expired", detail="It was removed at this moment.") from gone
    return FileResponse(
        path, headers=headers, media_type=MEDIA[entry.format], filename=f"{entry.kind}.{entry.format}", stat_result=there
    )


def remove(caller: Principal, export_id: UUID) -> Response:
    """Cancel an export, or remove its file before its time. Blocks. Raises: NotFound."""
    with db.read_only(db.Role.APP, caller.scope) as session:
        export_registry.find(session, export_id)
    with db.transaction() as session:
        entry = export_registry.remove(session, export_id, caller.actor)
    export_registry.delete_files(entry)
    return Response(status_code=204)
