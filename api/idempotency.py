"""Idempotency-Key on every POST that names the header: the act happens once, however often the request is sent.

An act that changes something keeps its answer and gives it again. A read keeps no answer (it would be a copy of personal data);
its key is only held to one request, and the read is done again.
"""

import hashlib
import re
from collections.abc import Callable
from functools import partial
from typing import Annotated

import orjson
from fastapi import Header
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from kernel import db
from kernel.actor import Principal
from kernel.errors import Invalid, MdmError
from kernel.settings import settings
from mdm import idempotency as ledger
from mdm.steps import insist

HEADER = b"idempotency-key"
FORM = re.compile(r"[\x21-\x7e]{1,200}")
REPLAYED = {"idempotency-replayed": "true"}
IdempotencyKey = Annotated[
    str | None,
    Header(description="1 to 200 visible ASCII characters that stand for this one request; a repetition has no effect."),
]
Act = Callable[[Session], tuple[int, bytes]]


def checked(key: str | None) -> str | None:
    """Accept a key as sent. Raises: Invalid."""
    if key is not None and not FORM.fullmatch(key):
        detail = "An idempotency key is 1 to 200 visible ASCII characters."
        raise Invalid("The idempotency key cannot be used", code="bad_idempotency_key", status=400, detail=detail)
    return key


def request_hash(scope: Scope, body: bytes | None) -> bytes:
    """Hash what makes a request this request: method, path, query and body. Keyed, because a short body could be guessed."""
    parts = (scope["method"].encode(), scope["path"].encode("utf-8", "surrogatepass"), scope["query_string"], body or b"")
    whole = hashlib.blake2b(key=settings().secret_for("idempotency"), digest_size=32)
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.digest()


def once(
    caller: Principal,
    key: str | None,
    hashed: bytes,
    act: Act,
    role: db.Role = db.Role.APP,
    kept: Callable[[bytes], bytes] = bytes,
) -> Response:
    """Run an act in one transaction and give its answer; with a key that was answered before, give that answer. Blocks.

    An act that waited for another, which waited for it, is run again.

    What a caller may not write themselves (the job ledger) is written in the role of the engine. `kept`: what of the answer is
    kept to be given again, where that is not all.

    Raises: Conflict while the first request is under way, Invalid for another request under the same key, and what the act raises
    (then the key is free again).
    """
    opening = partial(db.transaction, role, caller.scope)
    if checked(key) is None:
        return _response(*insist(opening, act))
    claimed = claim(caller, key or "", hashed)
    if isinstance(claimed, ledger.Answered):
        return _response(claimed.status, claimed.body, replayed=True)
    held = claimed

    def answer(session: Session) -> tuple[int, bytes]:
        status, body = act(session)
        ledger.finish(session, held, status, kept(body))
        return status, body

    try:
        return _response(*insist(opening, answer))
    except MdmError:
        give_up(caller, claimed)
        raise


def act_once(
    caller: Principal, key: str | None, request: Request, body: BaseModel, act: Callable[[], tuple[int, bytes]]
) -> Response:
    """Run an act that opens its own steps, once for the request that this is. Blocks. Raises: as `once`."""
    hashed = request_hash(request.scope, body.model_dump_json().encode())
    return once(caller, key, hashed, lambda _: act())


def claim(caller: Principal, key: str, hashed: bytes) -> ledger.Claim | ledger.Answered:
    """Claim a key, committed at once, or give what it was answered. Blocks. Raises: as `once`."""
    with db.transaction(db.Role.APP, caller.scope) as session:
        return ledger.claim(session, caller.key_id, key, hashed)


def give_up(caller: Principal, claimed: ledger.Claim) -> None:
    """Free the key of a request that was refused."""
    with db.transaction(db.Role.APP, caller.scope) as session:
        ledger.release(session, claimed)


def _response(status: int, body: bytes, replayed: bool = False) -> Response:
    return Response(body, status, REPLAYED if replayed else None, "application/json")


async def check_read(caller: Principal, scope: Scope, body: bytes) -> None:
    """Hold a read's key, when it has one, to this request. Raises: Invalid when the key was used for another request."""
    sent = next((value for name, value in scope["headers"] if name == HEADER), None)
    if sent is not None:
        key = checked(sent.decode("latin-1")) or ""
        await run_in_threadpool(_hold, caller, key, request_hash(scope, body))


def _hold(caller: Principal, key: str, hashed: bytes) -> None:
    with db.transaction(db.Role.APP, caller.scope) as session:
        claimed = ledger.claim(session, caller.key_id, key, hashed)
        if isinstance(claimed, ledger.Claim):
            ledger.finish(session, claimed, 200, orjson.dumps(None))
