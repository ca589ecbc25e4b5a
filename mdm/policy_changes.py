"""What a policy document would change against the one that rules, and what nobody should lose by mistake. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mdm import kept_days
from mdm.policy import Policy

# Sections in which each name stands for itself, and what one of them is called.
NAMED = {
    "sources": "source",
    "identifiers": "identifier",
    "loyalty_programmes": "loyalty programme",
    "extras": "extra",
    "merge_blockers": "merge blocker",
    "attributes": "attribute",
    "views": "view",
    "view_purposes": "purpose of the view",
    "role_purposes": "purpose of the role",
    "purposes": "purpose",
}
# Sections that are told as one, by their options.
WHOLE = {
    "survivorship": "survivorship",
    "matching": "matching",
    "merge_audit": "merge audit",
    "four_eyes": "four eyes",
    "double_review": "double review",
    "shared_values": "shared values",
}
# What fits into a line with both values though it is a text or a list; other texts and lists may be long, and are named only.
TOLD = frozenset({
    "serves", "values", "stage", "brand", "channel_kind", "default_country", "date_order", "identity_domain", "not_for", "when",
    "kind", "earliest_birth_year",
})  # fmt: skip
FOUR_EYES = {
    "records": "a decision about any number of records",
    "decisions": "any number of decisions at once",
    "policy_records": "a policy or model by which any number of records is resolved again",
}


class Sign(StrEnum):
    """Added, removed or changed."""

    ADDED = "+"
    REMOVED = "-"
    CHANGED = "~"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that the document says otherwise than the policy that rules."""

    sign: Sign
    what: str
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """All changes, and the losses that a person has to confirm."""

    changes: tuple[Change, ...]
    losses: tuple[str, ...]


def difference(before: Policy | None, after: Policy, records: Mapping[str, int]) -> Difference:
    """Compare a document with the policy that rules (None: the first one). `records` counts the living records of each source."""
    old, new = before.model_dump(mode="json", by_alias=True) if before else {}, after.model_dump(mode="json", by_alias=True)
    changes = [change for section in NAMED for change in _named(section, old.get(section, {}), new[section], records)]
    changes += [
        Change(Sign.CHANGED, "", name, ", ".join(_changed(old[section], new[section])))
        for section, name in WHOLE.items()
        if old and old[section] != new[section]
    ]
    return Difference(tuple(changes), (*_losses(old, new, records), *_let_go_sooner(before, after), *_used_again(old, new)))


def _named(section: str, old: Mapping[str, Any], new: Mapping[str, Any], records: Mapping[str, int]) -> Iterator[Change]:
    what = NAMED[section]
    for name in (*new, *(gone for gone in old if gone not in new)):
        held = f"{records[name]:,} records" if section == "sources" and records.get(name) else ""
        if name not in old:
            yield Change(Sign.ADDED, what, name, _added(section, new[name]))
        elif name not in new:
            yield Change(Sign.REMOVED, what, name, held)
        elif old[name] != new[name]:
            said = _changed(old[name], new[name]) if isinstance(new[name], Mapping) else []
            yield Change(Sign.CHANGED, what, name, ", ".join([*said, *([held] if held else [])]))


def _added(section: str, said: Any) -> str:
    if section in {"attributes", "purposes"}:
        return ", ".join(_changed({}, {name: value for name, value in said.items() if value}))
    return str(said["stage"]) if section == "sources" else ""


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Say which options change: small things with both values, the others by name."""
    names = [name for name in new if old.get(name) != new[name]]
    return [f"{name} {_said(old.get(name))} → {_said(new[name])}" if _is_small(name, old, new) else name for name in names]


def _is_small(name: str, *of: Mapping[str, Any]) -> bool:
    return name in TOLD or all(isinstance(one.get(name), bool | int | float | None) for one in of)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return "nothing" if value in (None, []) else ", ".join(value) if isinstance(value, list) else str(value)


def _losses(old: Mapping[str, Any], new: Mapping[str, Any], records: Mapping[str, int]) -> Iterator[str]:
    for name in old.get("sources", {}):
        if name not in new["sources"] and (count := records.get(name)):
            verb = "record leaves its golden record" if count == 1 else "records leave their golden records"
            yield f"the source {name} would go: its {count:,} {verb}, and the source answers unknown_source"
    if old.get("views") and not new["views"]:
        yield "the last view would go: every lookup would answer unknown_view"
    if old:
        yield from _unguarded(old, new)


def _unguarded(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """What was kept for a human, or for a second one, and would be no longer."""
    for name in old["merge_blockers"]:
        if name not in new["merge_blockers"]:
            yield f"the merge blocker {name} would go: what it holds apart could be merged without a human"
    for name, what in FOUR_EYES.items():
        if old["four_eyes"][name] is not None and new["four_eyes"][name] is None:
            yield f"one person would suffice for {what} (four_eyes.{name})"
    for name in old["four_eyes"]["values"]:
        if name not in new["four_eyes"]["values"]:
            yield f"one person would suffice to set {name} by hand (four_eyes.values)"


def _let_go_sooner(before: Policy | None, after: Policy) -> Iterator[str]:
    if before is None:
        return
    for section, whose in (("attributes", ""), ("sources", "records of ")):
        held, uses = getattr(before, section), getattr(after, section)
        for name, use in uses.items():
            kept = kept_days.days(after, use)
            was = kept_days.days(before, held[name]) if name in held else None
            if kept is not None and (was is None or kept < was):
                yield f"{whose}{name} of customers who were not heard of for {kept:,} days would be let go of, for good"


def _used_again(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """What is kept out of a purpose and would be used for it, and who would see it."""
    for role, purpose in old.get("role_purposes", {}).items():
        if new["role_purposes"].get(role) != purpose:
            yield f"whoever has the role {role} would not be held to the limits of {purpose} any more"
    for section in ("attributes", "sources"):
        for name in old.get(section, {}):
            left = new[section].get(name, {"not_for": [] if section == "attributes" else old[section][name]["not_for"]})
            if gone := [one for one in old[section][name]["not_for"] if one not in left["not_for"]]:
                yield f"{name} could be used for {', '.join(gone)} again"
