"""Who was told of an erasure and has applied it, and which sources are told that they hold a value that a person says is wrong.

Both by events that carry ids and names of attributes, never a value.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from kernel import outbox
from kernel.errors import Invalid
from mdm import erasing_traces, sql
from mdm.events import CORRECTION, OfRecord
from stewardship.privacy_requests import Request

Id = uuid.UUID
LISTS = {
    "emails": ("value",),
    "phones": ("value",),
    "identifiers": ("type", "value"),
    "loyalty_accounts": ("programme", "number"),
}
PLAIN = {"name": ("given", "middle", "surname"), "birth_date": ("text",)}


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """How far subscribers are with an erasure: endpoints that were told, that have it, and those that have not."""

    told: int
    applied: int
    waiting: tuple[Id, ...]


# An endpoint that has ever confirmed is judged by that, any other by what was delivered to it, as `webhooks.lag` does.
_TOLD = """
SELECT ep.endpoint_id, bool_and(CASE WHEN ep.applied_seq IS NULL THEN d.state = 'delivered' ELSE ep.applied_seq >= d.seq END)
FROM event e JOIN webhook_delivery d USING (seq) JOIN webhook_endpoint ep USING (endpoint_id)
WHERE e.type = 'golden.erased' AND e.subject_id = ANY(CAST(:ids AS uuid[])) GROUP BY ep.endpoint_id ORDER BY ep.endpoint_id"""


def acknowledged(session: Session, request: Request) -> Acknowledged | None:
    """Say who has applied an erasure; None of a request that is none or is not done."""
    if request.kind != "erasure" or request.result is None:
        return None
    rows = session.connection().execute(sa.text(_TOLD), {"ids": list(request.result["golden_ids"])}).all()
    waiting = tuple(row[0] for row in rows if not row[1])
    return Acknowledged(len(rows), len(rows) - len(waiting), waiting)


def correct(session: Session, request: Request, attribute: str) -> list[Id]:
    """Tell the sources of those records that say something else than the golden record about an attribute; the records.

    The right value is the golden record's: a steward has set it by hand. Raises: Invalid for what cannot be compared.
    """
    if attribute not in {*LISTS, *PLAIN, "language", "gender", "preferred_store", "company_name"}:
        raise Invalid("This attribute cannot be corrected at sources", code="unknown_attribute")
    found = sql.rows(
        session,
        """SELECT r.record_id, r.source, r.brand, r.region, r.version_no, g.body #> ARRAY['values', %s, 'value']
           FROM crosswalk c JOIN source_record r USING (record_id) JOIN golden g ON g.golden_id = c.golden_id
           WHERE r.record_id = ANY(%s) AND NOT r.is_deleted ORDER BY r.record_id""",
        [attribute, request.mine],
    )
    standard = erasing_traces.standard(session, [row[0] for row in found])
    wrong = [row for row in found if _differs(attribute, standard.get(row[0], {}).get(attribute), row[5])]
    told = [_event(OfRecord(*row[:4]), row[4], attribute) for row in wrong]
    outbox.emit_all(session, told)
    return [row[0] for row in wrong]


def _event(of: OfRecord, version_no: int, attribute: str) -> outbox.Event:
    made = of.event(CORRECTION, version_no, "correction")
    return outbox.Event(
        made.type,
        made.subject_id,
        made.subject_version,
        {**made.body, "attribute": attribute},
        made.brands,
        made.regions,
        made.sources,
    )


def _differs(attribute: str, said: Any, right: Any) -> bool:
    """Whether a record says something of an attribute that is not what is right; what it does not say is not wrong."""
    if said is None:
        return False
    if attribute in LISTS:
        names = LISTS[attribute]
        return not {_parts(one, names) for one in said} <= {_parts(one, names) for one in right or ()}
    if attribute in PLAIN:
        return _parts(said, PLAIN[attribute]) != _parts(
            right if isinstance(right, Mapping) else {"text": right}, PLAIN[attribute]
        )
    return bool(said != right)


def _parts(value: Mapping[str, Any], names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(value.get(name) or None for name in names)
