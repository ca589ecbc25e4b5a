"""Carries a source's duplicates from `mdm.duplicates` to the wire, as JSON or as CSV, one line a record."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from starlette.responses import Response

from api import answers
from api.accepting import prefers
from api.refusals import require_visible
from kernel import audit, db
from kernel.actor import Principal
from mdm import duplicates, masking
from mdm import policy as policies
from mdm.duplicates import Group, OneOf, Page, PairOf
from mdm.export_files import without_formula

CSV, JSON = "text/csv", "application/json"
COLUMNS = (
    "golden_id", "source", "key", "survivor", "kept_for", "attributes", "observed_at", "loyalty_accounts",
    "beside", "verdict", "weight", "reason",
)  # fmt: skip
Evidence = Mapping[UUID, Sequence[PairOf]]


def answer(caller: Principal, source: str, after: UUID | None, limit: int, accept: str | None) -> Response:
    """Answer a page of duplicates. Each golden record that is told of is audited. Blocks. Raises: NotFound for the source."""
    with db.transaction(db.Role.APP, caller.scope) as session:
        require_visible(policies.current(session), source, caller)
        page = duplicates.read(session, source, after, limit)
        for group in page.groups:
            audit.record(session, caller.actor, "golden.read_duplicates", "golden", str(group.golden_id))
    with db.transaction() as session:
        pairs = duplicates.evidence(session, page)
    if prefers(accept, CSV, JSON):
        return _as_csv(source, page, pairs, limit, caller.sees_clear)
    items = [_item(group, pairs.get(group.golden_id, ())) for group in page.groups]
    return answers.json_answer({"source": source, "items": items, "next": page.following})


def _item(group: Group, known: Sequence[PairOf]) -> dict[str, Any]:
    about = {"golden_id": group.golden_id, "keys": group.keys, "survivor": group.records[0].key, "kept_for": group.kept_for}
    pairs = [{"keys": one.keys, "verdict": one.verdict, "weight": one.weight, "reason": one.reason_code} for one in known]
    return {**about, "records": [_record(one) for one in group.records], "evidence": pairs}


def _record(one: OneOf) -> dict[str, Any]:
    accounts = [{"programme": programme, "number": number} for programme, number in one.loyalty_accounts]
    return {"key": one.key, "attributes": one.attributes, "observed_at": one.observed_at, "loyalty_accounts": accounts}


def _as_csv(source: str, page: Page, pairs: Evidence, limit: int, is_clear: bool) -> Response:
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\r\n")
    lines.writerow(COLUMNS)
    for group in page.groups:
        for place, one in enumerate(group.records):
            numbers = [(programme, number if is_clear else masking.number(number)) for programme, number in one.loyalty_accounts]
            accounts = " ".join(f"{programme}:{number}" for programme, number in numbers)
            kept = ("yes", group.kept_for) if place == 0 else ("no", "")
            surest = _surest(one.key, pairs.get(group.golden_id, ()))
            said = [source, one.key, *kept, one.attributes, one.observed_at.isoformat(), accounts, *surest]
            lines.writerow([group.golden_id, *(without_formula(cell) if isinstance(cell, str) else cell for cell in said)])
    # The address stands for the whole question: what is left out of it would be asked otherwise from here on.
    following = {"link": f'<?after={page.following}&limit={limit}>; rel="next"'} if page.following else {}
    return Response(written.getvalue(), 200, {**answers.PRIVATE, **following}, CSV)


def _surest(key: str, pairs: Sequence[PairOf]) -> tuple[str | float | None, ...]:
    """What is known best of a record and another of its group; nothing where none of the pairs that are told is about it."""
    for one in pairs:
        if key in one.keys:
            beside = one.keys[one.keys[0] == key]
            return beside, one.verdict, None if one.weight is None else round(one.weight, 2), one.reason_code
    return (None,) * 4
