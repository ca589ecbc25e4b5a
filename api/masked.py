"""Answers of v1 to callers who may not see personal values: masked as a whole on their way out, whatever the route put into them.

One place for all routes, so that none is forgotten: what is no JSON is let through where its route is listed here, else refused.
"""

import orjson
from starlette.responses import Response
from starlette.types import Scope

from api.deps import CALLER
from kernel.actor import CLEAR
from kernel.errors import Forbidden
from mdm import rules
from mdm.masking import Masker

# Their lines say which line it was and what was wrong with it, or what the answer is; exports were masked when they were written.
WITHOUT_VALUES = {
    "records_batch",
    "activities_batch",
    "audiences_content",
    "certificates_lists",
    "exports_content",
    "jobs_progress",
    "sources_duplicates",
}
# Revealed for a reason, which is audited.
REVEALED = {"golden_reveal"}
# Signed, or made for the person whom it is about: of no use with holes in it.
WHOLE = {"consents_receipt", "privacy_export"}
JSON = "application/json"


def is_for_masked(scope: Scope) -> bool:
    """Say whether the caller of a request, where it has one, may not see personal values."""
    caller = scope.get(CALLER)
    return caller is not None and not caller.sees_clear


async def answer(operation: str, response: Response) -> Response:
    """Mask an answer. Raises: Forbidden for one that cannot be masked."""
    if operation in WHOLE:
        raise _needed()
    if operation in REVEALED:
        return response
    kind = response.headers.get("content-type", "")
    if operation in WITHOUT_VALUES and not kind.startswith(JSON):
        return response
    body = bytes(getattr(response, "body", b"?"))
    if not body:
        return response
    if not kind.startswith(JSON):
        raise _needed()
    made = Response(orjson.dumps(await _masked(body)), response.status_code, None, JSON)
    # The tag of a golden record stands for its values: whoever guesses them all would see that they are right.
    left_out = {b"content-length", b"content-type"} | ({b"etag"} if operation == "golden_get" else set())
    made.raw_headers += [one for one in response.raw_headers if one[0] not in left_out]
    return made


async def _masked(body: bytes) -> object:
    policy = (await rules.current()).policy
    private = {name for name, source in policy.sources.items() if source.key_is_personal}
    return Masker(private).mask(orjson.loads(body))


def _needed() -> Forbidden:
    detail = f"This answer holds personal values that cannot be masked: it needs {CLEAR}."
    return Forbidden("Not without seeing clear values", code="clear_values_needed", detail=detail, extra={"scope": CLEAR})
