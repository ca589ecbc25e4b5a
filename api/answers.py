"""Builds the bytes of answers, from stored JSON text without parsing it where nothing of it is chosen."""

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson
from starlette.responses import Response

from kernel.errors import Forbidden, Invalid
from mdm import views
from mdm.lookup import NOT_FOR_PURPOSE, Held, erased, unknown
from mdm.policy import Policy
from mdm.policy_schema import Source

JSON = "application/json"
# Personal data: no shared cache may keep it, and one's own asks again.
PRIVATE = {"cache-control": "private, no-cache"}
READY_HEADERS = ((b"content-type", JSON.encode()), (b"cache-control", PRIVATE["cache-control"].encode()))


class JsonBytes(Response):
    """A JSON answer whose headers are bytes already: making them from a mapping costs more than all else of a hot answer."""

    def __init__(self, body: bytes, status: int = 200, etag: str | None = None) -> None:
        self.body, self.status_code, self.background = body, status, None
        self.raw_headers = [*READY_HEADERS, (b"content-length", str(len(body)).encode())]
        if etag is not None:
            self.raw_headers.append((b"etag", etag.encode()))


def json_answer(body: Any, status: int = 200) -> Response:
    """Answer JSON-ready data."""
    return JsonBytes(orjson.dumps(body), status)


def golden_answer(held: Held, if_none_match: str | None) -> Response:
    """Answer one golden record, or 304 when the caller has this very answer. Raises: NotFound, Gone."""
    refuse_missing(held)
    body = (
        f'{{"requested_id":"{held.requested_id}","status":"{held.status}","golden_id":"{held.golden_id}",'
        f'"redirect_chain":[{_ids(held.redirect_chain)}],"split_into":[{_ids(held.split_into)}],"timeline_id":"{held.timeline_id}","golden":{held.body}}}'
    ).encode()
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    if if_none_match is not None and matches(etag, if_none_match):
        return Response(b"", 304, {**PRIVATE, "etag": etag})
    return JsonBytes(body, 200, etag)


def _ids(ids: Sequence[str]) -> str:
    return ",".join(f'"{one}"' for one in ids)


def standing(held: Held) -> dict[str, Any]:
    """What became of an id, without the record."""
    shown: dict[str, Any] = {"requested_id": held.requested_id, "status": held.status}
    if held.golden_id is None:
        return shown
    chain = {"golden_id": held.golden_id, "redirect_chain": held.redirect_chain, "version": held.version}
    return {**shown, **chain, "split_into": held.split_into}


def matches(etag: str, if_none_match: str) -> bool:
    """Compare as If-None-Match does: weakly, any of a list, or `*`. Source: RFC 9110, section 13.1.2."""
    return if_none_match.strip() == "*" or etag in {one.strip().removeprefix("W/") for one in if_none_match.split(",")}


def refuse_missing(held: Held) -> None:
    """Raises: Gone for an erased id, NotFound for one that is unknown within the caller's scope on this timeline, Forbidden for
    one of which nothing may be used for the purpose."""
    if held.status == NOT_FOR_PURPOSE:
        about = {"golden_id": held.requested_id, "timeline_id": held.timeline_id}
        detail = "All that is known of it comes from sources that the policy keeps out of this purpose."
        raise Forbidden("Nothing of it may be used for this purpose", code=NOT_FOR_PURPOSE, detail=detail, extra=about)
    if held.status == "erased":
        raise erased(held.requested_id, held.timeline_id)
    if held.golden_id is None:
        raise unknown(held.requested_id, held.timeline_id)


def view_fields(policy: Policy, view: str) -> Sequence[str]:
    """The fields of a view. Raises: Invalid naming those that the policy declares."""
    if view not in policy.views:
        known = sorted(policy.views)
        detail = "Name one of those listed under views." if known else "The policy declares no view: add one under `views`."
        raise Invalid("The policy declares no such view", code="unknown_view", detail=detail, extra={"views": known})
    return policy.views[view]


def item(held: Held, fields: Sequence[str] | None) -> dict[str, Any]:
    """One item of a batch: the whole record, or the chosen fields."""
    shown: dict[str, Any] = {"requested_id": held.requested_id, "status": held.status}
    if held.golden_id is None or held.status == "erased":
        return shown
    body = orjson.Fragment(held.body) if fields is None else views.show(held, fields)
    return {**shown, "golden_id": held.golden_id, "version": held.version, "golden": body}


def source_item(name: str, source: Source) -> dict[str, Any]:
    """What a sender must know of a source."""
    return {
        "name": name,
        "channel_kind": source.channel_kind,
        "brand": source.brand,
        "region": source.region,
        "owner": source.owner,
        "stage": source.stage,
        "identity_domain": source.identity_domain,
        "default_country": source.default_country,
        "key_is_personal": source.key_is_personal,
    }
