"""How long attributes are kept (`kept_days`): where the payload of a source holds one, and what a policy may say of it. Pure.

An attribute can be let go of alone where its fields in the payload are its own. A field that says something else as well (a whole
name, an address with a phone in it) would take that along, or stay: such a rule is refused.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from consent.purposes import shipped
from mdm import payloads
from mdm.documents import Finding
from mdm.policy_schema import AttributeUse, PolicyDocument, Source, paths_read

EXTRAS = "extras"
# Where a payload in our own terms holds an attribute, and a mapping what reads it.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "birth_date": ("birth_date", "birth_date_alternative", "birth_year", "birth_month", "birth_day"),
    "gender": ("gender",), "language": ("language",), "preferred_store": ("preferred_store",), "address": ("addresses",),
    "identifiers": ("identifiers",), "loyalty_accounts": ("loyalty_accounts",),
}  # fmt: skip
# How a standard record names it, where otherwise.
_STANDARD = {"address": "addresses"}


def fields_of(attribute: str) -> tuple[str, ...]:
    """The fields of a payload in our own terms that hold an attribute, as paths; none for one that is not let go of alone."""
    group, _, own = attribute.partition(".")
    return (attribute,) if group == EXTRAS and own else _FIELDS.get(attribute, ())


def paths(source: Source, attribute: str) -> tuple[str, ...]:
    """The dotted paths at which payloads of a source hold an attribute."""
    fields = fields_of(attribute)
    if source.fields is None:
        return fields
    return tuple(dict.fromkeys(path for field, path in _read(source) if field in fields))


def _read(source: Source) -> Iterator[tuple[str, str]]:
    """What a mapping reads: each of our fields, with a path that it is read from."""
    for spot, path in paths_read(source):
        yield (f"{EXTRAS}.{spot[2]}" if spot[1] == EXTRAS else str(spot[1])), path


def holds(standard: Mapping[str, Any], attribute: str) -> bool:
    """Say whether a standard record, as JSON, says anything of an attribute."""
    group, _, own = attribute.partition(".")
    if own:
        return any(one["name"] == own for one in standard.get(EXTRAS, ()))
    return bool(standard.get(_STANDARD.get(group, group)))


def dropped(value: Any, path: list[str]) -> Any:
    """A copy without what stands at a dotted path (in every element of a list on the way); the same object when it is absent."""
    return payloads.changed_at(value, path, _without)


def _without(held: dict[str, Any], name: str) -> dict[str, Any]:
    return {one: said for one, said in held.items() if one != name} if name in held else held


def days(policy: PolicyDocument, use: AttributeUse | Source) -> int | None:
    """For how many days after the customer was last heard of an attribute, or a source's records, are kept; None: for good.

    The fewest of its own and of what its purposes say. Of several purposes the one that keeps it longest says so, and one without
    a rule keeps it for good; a purpose is under the rules of those above it.
    """
    by_purpose = [_days_for(policy, purpose) for purpose in use.serves]
    longest = [one for one in by_purpose if one is not None]
    said = [use.kept_days, max(longest) if longest and len(longest) == len(by_purpose) else None]
    return min((one for one in said if one is not None), default=None)


def _days_for(policy: PolicyDocument, purpose: str) -> int | None:
    rules = (policy.purposes.get(one) for one in shipped().family(purpose))
    return min((rule.kept_days for rule in rules if rule is not None and rule.kept_days is not None), default=None)


def faults(policy: PolicyDocument) -> Iterator[Finding]:
    """What the rules of a policy cannot be kept to."""
    yield from _unknown(policy)
    for attribute in (name for name, use in policy.attributes.items() if days(policy, use) is not None):
        spot = ("attributes", attribute, "serves" if policy.attributes[attribute].kept_days is None else "kept_days")
        if not fields_of(attribute):
            known = ", ".join(sorted(_FIELDS))
            yield spot, f"can be said of {known} and extras.<name>; else let go of the record"
        for name, source in policy.sources.items():
            if shared := sorted(_shared(source, attribute)):
                yield spot, f"cannot be kept to: {', '.join(shared)} of source {name!r} says something else as well"


def _unknown(policy: PolicyDocument) -> Iterator[Finding]:
    """Purposes that nobody knows, and rules of one that nothing follows."""
    known = shipped().purposes
    told = f"is no purpose; there are: {', '.join(sorted(known))}"
    serving = [("attributes", name, use.serves) for name, use in policy.attributes.items()]
    serving += [("sources", name, source.serves) for name, source in policy.sources.items()]
    for section, name, purposes in serving:
        for place, purpose in enumerate(purposes):
            if purpose not in known:
                yield (section, name, "serves", place), f"{purpose!r} {told}"
    served = {above for *_, purposes in serving for one in purposes for above in shipped().family(one)}
    for purpose in policy.purposes:
        if purpose not in known:
            yield ("purposes", purpose), f"{purpose!r} {told}"
        elif purpose not in served:
            yield (
                ("purposes", purpose),
                "nothing would be let go of: no attribute and no source says that it serves it (`serves`)",
            )


def _shared(source: Source, attribute: str) -> Iterator[str]:
    if source.fields is None:
        return
    fields, own = fields_of(attribute), paths(source, attribute)
    others = [path for field, path in _read(source) if field not in fields]
    named = (source.key, source.version, source.updated_at, source.deleted)
    others += [one.path for one in named if one is not None and one.path is not None]
    for path in own:
        if any(_overlap(path, other) for other in others):
            yield path


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
