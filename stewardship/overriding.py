"""Values that stewards set by hand on golden records: looked at first, set on what was looked at, told, and withdrawn.

Withdrawing is taking back the decision that ties the value to its records, so it is looked at and undone as any decision is.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlmodel import Session

from kernel import approvals, audit, clock
from kernel.actor import Principal
from kernel.errors import Invalid, NotFound
from mdm import override_values, overrides, sql, versions
from mdm.override_values import Override, Unreadable
from mdm.overrides import KeptOverride
from mdm.resolve import Resolver
from mdm.steps import Steps
from mdm.steward_decisions import Supposed
from mdm.versions import VersionSet
from stewardship import seconding, settle, sides
from stewardship.settle import STEWARD, Looked
from stewardship.sides import Standing

LARGEST_VALUE_BYTES = 4_096
# The last days of all cannot be told in every zone: a page that shows one would fail.
LATEST = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class OverrideWish:
    """What a steward wants to set on a golden record, why, and until when."""

    golden_id: uuid.UUID
    attribute: str
    value: Any
    reason: str
    expires_at: datetime | None = None


def look(resolver: Resolver, caller: Principal, wish: OverrideWish) -> Looked:
    """See what setting a value would do, storing nothing but audit rows.

    Raises: NotFound, Gone and Conflict for a golden record that is none (any more); Invalid for an attribute that is not set by
    hand, a value that cannot be read as it, an expiry that has passed; Forbidden beyond the caller's scope.
    """
    with resolver.steps() as session:
        of = versions.current(session)
        _, members = sides.members(session, caller.scope, wish.golden_id)
    _check(of, wish)
    override = Override(
        clock.uuid7(), wish.attribute, wish.value, f"{STEWARD}:{caller.actor}", clock.now(), wish.expires_at, members
    )
    return settle.look_at(resolver, caller, of, Supposed(overrides=(override,)), members)


def _check(of: VersionSet, wish: OverrideWish) -> None:
    known = override_values.overridable(of.policy.extras)
    if wish.attribute not in known:
        detail = f"Set by hand are: {', '.join(known)}. Identifiers and loyalty accounts stay with the records that bring them."
        raise Invalid("There is no such attribute to set", code="unknown_attribute", detail=detail, extra={"attributes": known})
    if wish.expires_at is not None and wish.expires_at <= clock.now():
        raise Invalid("It would have expired already", code="expires_in_past")
    if wish.expires_at is not None and wish.expires_at >= LATEST:
        raise Invalid("It would hardly ever expire", code="expires_too_late", detail="Leave the expiry out: it holds until then.")
    if len(orjson.dumps(wish.value)) > LARGEST_VALUE_BYTES:
        raise Invalid("The value is too long", code="value_too_long")
    try:
        override_values.check(wish.attribute, wish.value, of.policy.steward_context())
    except Unreadable as error:
        extra = {"attribute": wish.attribute, "codes": error.codes}
        raise Invalid("The value is none of its attribute", code="value_unreadable", detail=str(error), extra=extra) from error


def make(resolver: Resolver, caller: Principal, wish: OverrideWish, token: str | None) -> uuid.UUID:
    """Set a value that was looked at; the id of the override. The records are resolved by a worker.

    One that by policy takes two stewards is kept as a proposal, until another sets the same value.

    Raises: as `look`; MdmError 428 without a token, 412 when what was looked at has changed; Conflict (second_person_needed).
    """
    reason = settle.checked_reason(wish.reason)
    looked = look(resolver, caller, wish)
    (override,) = looked.supposed.overrides
    with resolver.steps() as session:
        settle.hold(session, looked, token)
        seen = (looked.of.policy, looked.token, looked.preview)
        proposed = seconding.wait(session, caller, *seen, attribute=override.attribute)
        if proposed is None:
            _store(session, caller, looked.of, wish.golden_id, override, reason)
    if proposed is not None:
        raise approvals.needed(proposed)
    return override.override_id


def _store(session: Session, caller: Principal, of: VersionSet, golden_id: uuid.UUID, override: Override, reason: str) -> None:
    overrides.store(session, of, override, reason)
    detail = {"attribute": override.attribute, "golden_id": str(golden_id)}
    audit.record(session, caller.actor, "override.set", "override", str(override.override_id), after=reason, detail=detail)


def of_golden(steps: Steps, caller: Principal, golden_id: uuid.UUID) -> tuple[Standing, list[KeptOverride]]:
    """Read how a golden id stands and the overrides that belong to it, the latest first, also what counts no more.

    Of one that ended: those of its last records that belong nowhere else; they count again when one returns. Raises: NotFound,
    Gone; audited.
    """
    with steps() as session:
        stands = sides.standing(session, caller.scope, golden_id)
        records, home = (stands.records, stands.golden_id) if stands.records else (_last_records(session, stands), None)
        found = [one for one in overrides.said_of(session, records) if overrides.home_of(session, one.override) == home]
        if home is None:
            found = [one for one in found if sides.all_within(session, caller.scope, one.override.records)]
        audit.record(session, caller.actor, "override.read", "golden", str(stands.golden_id))
    return stands, found


_LAST = "SELECT members FROM golden_version WHERE golden_id = %s AND members <> '{}' ORDER BY version DESC LIMIT 1"


def _last_records(session: Session, stands: Standing) -> frozenset[uuid.UUID]:
    """The records that an ended golden record had last."""
    return frozenset(one for (members,) in sql.rows(session, _LAST, [stands.golden_id]) for one in members)


def look_back(resolver: Resolver, caller: Principal, golden_id: uuid.UUID, override_id: uuid.UUID) -> Looked:
    """See what withdrawing an override would do. Raises: NotFound when the golden record has no such; as `settle.look_back`."""
    read(resolver.steps, caller, golden_id, override_id)
    return settle.look_back(resolver, caller, override_id)


def withdraw(
    resolver: Resolver, caller: Principal, golden_id: uuid.UUID, override_id: uuid.UUID, reason: str, token: str | None
) -> None:
    """Withdraw an override: the golden record stands as if it had never been set. Raises: as `look_back` and `make`."""
    read(resolver.steps, caller, golden_id, override_id)
    settle.take_back(resolver, caller, override_id, reason, token)


def read(steps: Steps, caller: Principal, golden_id: uuid.UUID, override_id: uuid.UUID) -> KeptOverride:
    """Read one override of a golden record. Raises: NotFound when it has no such; as `of_golden`."""
    _, held = of_golden(steps, caller, golden_id)
    found = {one.override.override_id: one for one in held}
    if override_id not in found:
        raise NotFound("The golden record has no such override", code="unknown_override")
    return found[override_id]
