"""Purpose limits: which attributes and sources the policy keeps out of a purpose, and what a policy says against itself there.

Purposes are those of consent, a narrower one under the limits of those above it; `matching` is a word of ours. Pure; who is held
to the limits of which purpose is known to whoever answers.
"""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from itertools import chain

from consent.purposes import shipped
from kernel.actor import ROLES
from kernel.errors import Invalid
from matching.withheld import WITHHOLDABLE
from mdm.documents import Finding, Spot
from mdm.policy_schema import AssertedMeaning, PolicyDocument

MATCHING = "matching"
ADMIN = "admin"
EXTRAS = "extras"
# What a display name is made of, and what a view shows of records and not of values.
_NAMED_BY = frozenset({"name", "company_name"})
_PROMISED = {"identifiers": "identifiers", "loyalty_accounts": "loyalty_programmes"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What may not be used for a purpose: attributes (`extras.<name>` among them), and whatever records of some sources say."""

    attributes: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Whether anything is kept out."""
        return bool(self.attributes or self.sources)

    def bars(self, field: str) -> bool:
        """Say whether a field that somebody asks for (an attribute, a part of one, `display_name`) is kept out."""
        group = field.partition(".")[0]
        if field == "display_name":
            return not self.attributes.isdisjoint(_NAMED_BY)
        return field in self.attributes or group in self.attributes


NONE = Limits()


def known() -> tuple[str, ...]:
    """The purposes that a limit may name."""
    return (MATCHING, *sorted(shipped().purposes))


def check(purpose: str) -> None:
    """Raises: Invalid for a purpose under which nothing can be answered."""
    if purpose not in shipped().purposes:
        raise Invalid("No such purpose is known", code="unknown_purpose", extra={"known": sorted(shipped().purposes)})


def limits(policy: PolicyDocument, *wanted: str | None) -> Limits:
    """Give what a policy keeps out of any of some purposes and of those above them; None is no purpose. Raises: Invalid."""
    family: set[str] = set()
    for purpose in filter(None, wanted):
        check(purpose)
        family.update(shipped().family(purpose))
    return _limits(policy, family) if family else NONE


def _limits(policy: PolicyDocument, family: Set[str]) -> Limits:
    attributes = (name for name, use in policy.attributes.items() if not family.isdisjoint(use.not_for))
    sources = (name for name, source in policy.sources.items() if not family.isdisjoint(source.not_for))
    return Limits(frozenset(attributes), frozenset(sources))


def withheld(policy: PolicyDocument, source: str | None) -> tuple[str, ...]:
    """Name the attributes that records of a source (None: of no source) hold and that matching may not use."""
    kept_out = _limits(policy, {MATCHING})
    if source in kept_out.sources:
        return WITHHOLDABLE
    return tuple(name for name in WITHHOLDABLE if name in kept_out.attributes)  # An extra that is no evidence is none already.


def faults(policy: PolicyDocument) -> Iterator[Finding]:
    """What limits of a policy name that is not there, and what they say against the rest of it."""
    said: Iterable[tuple[Spot, tuple[str, ...]]] = chain(
        ((("attributes", name, "not_for"), use.not_for) for name, use in policy.attributes.items()),
        ((("sources", name, "not_for"), source.not_for) for name, source in policy.sources.items()),
    )
    for spot, purposes in said:
        for place, purpose in enumerate(purposes):
            if purpose not in known():
                yield (*spot, place), f"{purpose!r} is no purpose; there are: {', '.join(known())}"
    for name, use in policy.attributes.items():
        if MATCHING in use.not_for:
            yield from ((("attributes", name, "not_for"), fault) for fault in _matched_all_the_same(policy, name))
    for name, source in policy.sources.items():
        if MATCHING in source.not_for and source.asserted_golden_id is AssertedMeaning.MATCH:
            yield ("sources", name, "not_for"), "is not for matching, and 'asserted_golden_id: match' matches by it"
    yield from _views(policy)
    yield from _roles(policy)


def _matched_all_the_same(policy: PolicyDocument, name: str) -> Iterator[str]:
    if name == "party":
        yield "whether a record is of a person or a company cannot be kept out of matching"
    for section in filter(None, [_PROMISED.get(name)]):
        for kind, promise in getattr(policy, section).items():
            if promise.one_person_per_value or promise.one_value_per_person:
                yield f"{name!r} is not for matching, and '{section}.{kind}' says what its numbers decide about identity"
    group, _, own = name.partition(".")
    extras = (own,) if own else tuple(policy.extras) if group == EXTRAS else ()
    for extra in extras if group == EXTRAS else ():
        if extra in policy.extras and policy.extras[extra].match:
            yield f"{name!r} is not for matching, and 'extras.{extra}' says 'match: true'"
        blocking = [title for title, blocker in policy.merge_blockers.items() if extra in blocker.facts]
        yield from (f"{name!r} is not for matching, and 'merge_blockers.{title}' asks about it" for title in blocking)


def _roles(policy: PolicyDocument) -> Iterator[Finding]:
    for role, purpose in policy.role_purposes.items():
        if role not in ROLES:
            yield ("role_purposes", role), f"is no role; there are: {', '.join(sorted(ROLES))}"
        elif role == ADMIN:
            yield ("role_purposes", role), "works for every purpose: nobody else could take this back"
        elif purpose not in shipped().purposes:
            yield ("role_purposes", role), f"{purpose!r} is no purpose; there are: {', '.join(sorted(shipped().purposes))}"


def _views(policy: PolicyDocument) -> Iterator[Finding]:
    for view, purpose in policy.view_purposes.items():
        if view not in policy.views:
            yield ("view_purposes", view), "is no view of the policy"
        elif purpose not in shipped().purposes:
            yield ("view_purposes", view), f"{purpose!r} is no purpose; there are: {', '.join(sorted(shipped().purposes))}"
        else:
            kept_out = limits(policy, purpose)
            for place, field in enumerate(policy.views[view]):
                if kept_out.bars(field):
                    yield ("views", view, place), f"shows {field!r} for {purpose}, which is said not to be for it (not_for)"
