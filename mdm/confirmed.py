"""Whom a golden id that a customer confirmed speaks of, and which components it brings together. Pure.

An id is its founders. It speaks of the part in which most of them live without anybody's confirmation (tie: the part of the
oldest of them, as golden ids themselves do); the records that confirm the id have no voice in that. So it does not matter
which of them came first, or where anybody lived until now.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matching.components import Component
from mdm.assertions import Assertion
from mdm.changes import home_of
from mdm.policy_schema import AssertedMeaning

Id = uuid.UUID


@dataclass(frozen=True, slots=True, order=True)
class Confirmed:
    """A customer said that a record is one with another: the oldest founder of the golden id that lives where the id does."""

    record_id: Id
    anchor: Id
    golden_id: Id


def confirmed_pairs(
    said: Collection[Assertion], founders: Mapping[Id, frozenset[Id]], parts: Iterable[frozenset[Id]], order: Mapping[Id, Any]
) -> list[Confirmed]:
    """Name what the assertions that decide bring together that is not together anyway, oldest records first.

    `parts` are disjoint and hold the records that may be merged; `order` sorts records by age.
    """
    homes = {record: part for part in parts for record in part}
    deciding = [one for one in said if one.meaning is AssertedMeaning.MATCH and one.record_id in homes]
    found = []
    for one in sorted(deciding, key=lambda one: order[one.record_id]):
        living = founders.get(one.golden_id, frozenset()) & homes.keys()
        silent = {other.record_id for other in deciding if other.golden_id == one.golden_id}
        voices = (living - silent) or living
        home = home_of(voices, homes, order)
        if home is not None and one.record_id not in home:
            anchor = min(home & voices, key=order.__getitem__)
            found.append(Confirmed(one.record_id, anchor, one.golden_id))
    return found


Said = list[tuple[Component[Id], list[Confirmed]]]


def brought_together(components: Sequence[Component[Id]], pairs: Iterable[Confirmed], cap: int) -> tuple[Said, list[Confirmed]]:
    """Unite the components of each pair, while what is weighed stays within the cap.

    Gives every component with its pairs, and the pairs left out, which would pass the cap. A united component counts as cut off
    where one of its components was.
    """
    beyond: list[Confirmed] = []
    groups: dict[Id, tuple[Component[Id], list[Confirmed]]] = {}
    for component in components:
        groups |= dict.fromkeys(component.records, (component, []))
    for pair in pairs:
        (left, mine), (right, others) = groups[pair.record_id], groups[pair.anchor]
        united = _united(left, right)
        together = [*mine, *(others if others is not mine else ()), pair]
        if united.line is not None and _size(united, together) <= cap:
            groups |= dict.fromkeys(united.records, (united, together))
        else:
            beyond.append(pair)
    return list({id(group[1]): group for group in groups.values()}.values()), beyond


def _united(left: Component[Id], right: Component[Id]) -> Component[Id]:
    if left is right:
        return left
    higher = max(left, right, key=lambda component: component.rung)
    return Component({**left.records, **right.records}, higher.rung, higher.line)


def _size(component: Component[Id], pairs: Sequence[Confirmed]) -> int:
    """How many forms are weighed: who confirms an id, and whom it speaks of, each apart from their copies."""
    confirmed = {one.record_id: one.golden_id for one in pairs}
    anchors = {one.anchor for one in pairs}
    weighed = {(form, confirmed.get(one), one if one in anchors else None) for one, form in component.records.items()}
    return len(weighed)
