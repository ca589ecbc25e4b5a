"""What a policy document would change against the one that rules, and what nobody should lose by mistake. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mdm.policy import Policy

# Sections in which each name stands for itself, and what one of them is called.
NAMED = {
    "sources": "source",
    "identifiers": "identifier",
    "loyalty_programmes": "loyalty programme",
    "extras": "extra",
    "attributes": "attribute",
    "views": "view",
    "view_purposes": "purpose of the view",
}
WHOLE = {"survivorship": "survivorship", "matching": "matching", "shared_values": "shared values"}
# What changes about a source or attribute and fits into a line; the rest is named only.
TOLD = frozenset({
    "stage", "brand", "trust", "channel_kind", "default_country", "date_order", "identity_domain", "not_for", "kept_days",
})  # fmt: skip


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
    changes += [Change(Sign.CHANGED, "", name) for section, name in WHOLE.items() if old and old[section] != new[section]]
    return Difference(tuple(changes), tuple(_losses(old, new, records)))


def _named(section: str, old: Mapping[str, Any], new: Mapping[str, Any], records: Mapping[str, int]) -> Iterator[Change]:
    what = NAMED[section]
    for name in (*new, *(gone for gone in old if gone not in new)):
        held = f"{records[name]:,} records" if section == "sources" and records.get(name) else ""
        if name not in old:
            yield Change(Sign.ADDED, what, name, _added(section, new[name]))
        elif name not in new:
            yield Change(Sign.REMOVED, what, name, held)
        elif old[name] != new[name]:
            said = _changed(old[name], new[name]) if section in {"sources", "attributes"} else []
            yield Change(Sign.CHANGED, what, name, ", ".join([*said, *([held] if held else [])]))


def _added(section: str, said: Any) -> str:
    if section == "attributes":
        return ", ".join(_changed({}, {name: value for name, value in said.items() if value}))
    return str(said["stage"]) if section == "sources" else ""


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Say what of one source changes: small things with both values, the others by name."""
    names = [name for name in new if old.get(name) != new[name]]
    return [f"{name} {_said(old.get(name))} → {_said(new[name])}" if name in TOLD else name for name in names]


def _said(value: Any) -> str:
    return "nothing" if value in (None, []) else ", ".join(value) if isinstance(value, list) else str(value)


def _losses(old: Mapping[str, Any], new: Mapping[str, Any], records: Mapping[str, int]) -> Iterator[str]:
    for name in old.get("sources", {}):
        if name not in new["sources"] and (count := records.get(name)):
            verb = "record leaves its golden record" if count == 1 else "records leave their golden records"
            yield f"the source {name} would go: its {count:,} {verb}, and the source answers unknown_source"
    if old.get("views") and not new["views"]:
        yield "the last view would go: every lookup would answer unknown_view"
    yield from _loosened(old, new)


def _loosened(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """What would be let go of sooner, and what is kept out of a purpose and would be used for it."""
    for name, use in new["attributes"].items():
        kept, was = use["kept_days"], old.get("attributes", {}).get(name, {}).get("kept_days")
        if old and kept is not None and (was is None or kept < was):
            yield f"{name} of customers who were not heard of for {kept:,} days would be let go of, for good"
    for section in ("attributes", "sources"):
        for name in old.get(section, {}):
            left = new[section].get(name, {"not_for": [] if section == "attributes" else old[section][name]["not_for"]})
            if gone := [one for one in old[section][name]["not_for"] if one not in left["not_for"]]:
                yield f"{name} could be used for {', '.join(gone)} again"
