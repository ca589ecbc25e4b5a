"""What a decision would change, golden record by golden record: standing, members and values, before and after. Only reads."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlmodel import Session

from kernel.db import Scope
from kernel.errors import Forbidden
from mdm import sql
from mdm.around import Evaluated
from mdm.changes import Status
from mdm.drafts import Draft
from mdm.evaluation import Evaluation
from mdm.policy import Policy
from mdm.questions import QuestionKind

VALUES_ONLY = "values"


@dataclass(frozen=True, slots=True)
class State:
    """A golden id at one time. `members` are (source, source key); `values` the attributes by name, whose `provenance` stands
    beside them."""

    status: str
    redirect_to: uuid.UUID | None
    members: tuple[tuple[str, str], ...]
    values: Mapping[str, Any]
    provenance: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Changed:
    """A golden id that would answer otherwise. `before` is None for an id that would be issued; its id is then not known yet.

    `draft_id` names it within what was looked at, also where it is not known yet.
    """

    golden_id: uuid.UUID | None
    draft_id: uuid.UUID
    cause: str
    before: State | None
    after: State

    @property
    def values_changed(self) -> tuple[str, ...]:
        """The attributes whose values would differ."""
        was: Mapping[str, Any] = self.before.values if self.before else {}
        return tuple(sorted(name for name in {*was, *self.after.values} if was.get(name) != self.after.values.get(name)))


@dataclass(frozen=True, slots=True)
class CrossedBlocker:
    """A merge blocker of the policy that a match would cross. `records`: source, key, and what each says of it, never its values;
    `overridden`: whoever decides names the blocker, and policy lets them."""

    name: str
    title: str
    may_be_overridden: bool
    overridden: bool
    golden_id: uuid.UUID
    records: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """All that would change. `questions`: how many a steward would be asked about these golden records afterwards; `blockers`:
    what policy says bars the merge; `brands` and `regions`: whose golden records it speaks of."""

    changed: tuple[Changed, ...]
    questions: int
    blockers: tuple[CrossedBlocker, ...] = ()
    brands: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    @property
    def golden_ids(self) -> tuple[uuid.UUID, ...]:
        """The ids there are now that it speaks of."""
        return tuple(one.golden_id for one in self.changed if one.golden_id is not None)


def crossed(policy: Policy, evaluated: Evaluated, joined: Collection[uuid.UUID]) -> tuple[CrossedBlocker, ...]:
    """Name the blockers that golden records with any of the joined records would cross."""
    found = []
    for unit, _ in evaluated.units:
        for golden_id, one in unit.crossings:
            if not unit.plan.standings[golden_id].members.isdisjoint(joined):
                declared = policy.merge_blockers[one.name]
                said = ((unit.records[held].source, unit.records[held].source_key, str(at)) for held, at in one.holders.items())
                told = (declared.title, declared.may_be_overridden, one.accepted, golden_id, tuple(sorted(said)))
                found.append(CrossedBlocker(one.name, *told))
    return tuple(found)


def preview(session: Session, scope: Scope, evaluated: Evaluated, blockers: tuple[CrossedBlocker, ...] = ()) -> Preview:
    """Compare what would be stored with what is. Raises: Forbidden when it reaches beyond the caller's scope."""
    stored = _stored(session, [golden_id for unit, _ in evaluated.units for golden_id in unit.closure.goldens])
    changed = [one for unit, drafts in evaluated.units for one in _of_unit(unit, drafts, stored)]
    brands, regions = _places(evaluated)
    _refuse_foreign(scope, brands, regions)
    # Merges that are to be checked stand: whoever decides leaves nothing open by them.
    asked = sum(one.kind is not QuestionKind.AUDIT for unit, _ in evaluated.units for one in unit.questions)
    return Preview(tuple(changed), asked, blockers, tuple(sorted(brands)), tuple(sorted(regions)))


def _places(evaluated: Evaluated) -> tuple[set[str], set[str]]:
    drafts = [draft for _, drafts in evaluated.units for draft in drafts]
    return {brand for draft in drafts for brand in draft.brands}, {region for draft in drafts for region in draft.regions}


def _refuse_foreign(scope: Scope, brands: set[str], regions: set[str]) -> None:
    if (scope.brands is not None and not brands <= set(scope.brands)) or (
        scope.regions is not None and not regions <= set(scope.regions)
    ):
        detail = "The decision would move golden records that your key may not see."
        raise Forbidden("The decision reaches beyond the key's brands or regions", code="outside_scope", detail=detail)


def _of_unit(unit: Evaluation, drafts: Sequence[Draft], stored: Mapping[uuid.UUID, State]) -> list[Changed]:
    causes = {change.golden_id: str(change.cause) for change in unit.plan.changes}
    found = []
    for draft in drafts:
        head = unit.closure.goldens.get(draft.golden_id)
        cause = causes.get(draft.golden_id)
        if cause is None and head is not None and not draft.differs_from(head):
            continue
        known = draft.golden_id if head is not None else None
        found.append(Changed(known, draft.golden_id, cause or VALUES_ONLY, stored.get(draft.golden_id), _after(draft)))
    return found


def _after(draft: Draft) -> State:
    return _state(str(draft.status), draft.redirect_to, orjson.loads(orjson.dumps(draft.body)))


def _stored(session: Session, golden_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, State]:
    found = sql.rows(
        session, "SELECT golden_id, status, redirect_to, body FROM golden WHERE golden_id = ANY(%s)", [list(golden_ids)]
    )
    return {row[0]: _state(*row[1:]) for row in found}


def _state(status: str, redirect_to: uuid.UUID | None, body: Mapping[str, Any]) -> State:
    members = tuple((one["source"], one["source_key"]) for one in body.get("members", ()))
    told = body.get("values", {}) if status == Status.LIVE else {}
    values = {name: held["value"] for name, held in told.items()}
    return State(status, redirect_to, members, values, {name: held.get("provenance") for name, held in told.items()})
