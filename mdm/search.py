"""Search before create: who among the stored customers fits a record that is not stored, and how surely. Nothing is written.

Candidates come from the blocking-key index as in resolution (hot keys through their refinements); records outside the caller's
row scope or identity domain are never compared. Reading is `mdm.search_reading`'s; scoring many runs in a thread.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from kernel.actor import Principal
from matching import blocking, withheld
from matching.decide import Decided, Verdict, decide
from matching.forms import ComparisonForm, comparison_form
from matching.record import StandardRecord
from matching.score import Scored
from matching.standardize import standardize
from mdm import mapping, payloads, search_reading
from mdm.appraisal import PARTLY_FILED
from mdm.identify import needs_country
from mdm.incoming import REFUSING
from mdm.lookup import NOT_FOR_PURPOSE
from mdm.mapping_schema import Fields
from mdm.mapping_values import Problem
from mdm.policy_schema import Source
from mdm.purposes import NONE, Limits
from mdm.search_reading import Neighbour
from mdm.versions import VersionSet

DEFAULT_DOMAIN = Source.model_fields["identity_domain"].default
# Scoring more than this takes longer than a hand-over to another thread; less is done at once.
MOST_AT_ONCE = 100
OUR_TERMS = frozenset(Fields.model_fields)
NOT_FOR_MATCHING = "not_for_matching"
NOTHING_MAPPED, NOTHING_TO_SEARCH_BY = "nothing_mapped", "nothing_to_search_by"


class Certainty(StrEnum):
    """How surely a customer is the one asked for, in words that promise what resolution would do."""

    EXACT = "exact"
    STRONG = "strong"
    POSSIBLE = "possible"
    NONE = "none"


RANK = {certainty: place for place, certainty in enumerate(Certainty)}


@dataclass(frozen=True, slots=True)
class Fit:
    """How well the best record of one customer fits. `golden_id` None: a record that is not resolved yet."""

    golden_id: str | None
    certainty: Certainty
    records: int
    scored: Scored
    decided: Decided


@dataclass(frozen=True, slots=True)
class Found:
    """Who fits, the best first; whether two fit alike; and what the index could not say.

    `is_any_restricted`: there are customers whose data may not be used, so that those who fit have to be looked up.
    """

    fits: Sequence[Fit]
    is_ambiguous: bool
    keys: int
    hot_keys: int
    compared: int
    timeline_id: str
    is_any_restricted: bool = False

    @property
    def certainty(self) -> Certainty:
        """The certainty of the best fit."""
        return self.fits[0].certainty if self.fits else Certainty.NONE


@dataclass(frozen=True, slots=True)
class Asked:
    """The record asked about, standardized as one of its source would be. `notes`: fields and values that are no use; `without`:
    sources whose records may not be used for the purpose."""

    form: ComparisonForm
    keys: Sequence[blocking.BlockingKey]
    domain: str
    notes: tuple[Problem, ...] = ()
    is_empty: bool = False
    without: frozenset[str] = frozenset()

    @property
    def reason(self) -> str | None:
        """Why nothing can be searched for, when nothing can: no field was understood, or none that anybody is found by."""
        if self.keys:
            return None
        return NOTHING_MAPPED if self.is_empty else NOTHING_TO_SEARCH_BY


def ask(versions: VersionSet, record: Mapping[str, Any], source: str | None, limits: Limits = NONE) -> Asked | Problem:
    """Standardize a record that is in a source's own fields, or (without source) in our attributes.

    What may not be used for the purpose (`limits`) is not searched by either.

    A Problem for what ingest would refuse as well. Raises: NotFound for an unknown source.
    """
    problem = payloads.check(dict(record))
    if problem is not None:
        return problem
    read = _in_our_terms(versions, record) if source is None else _as_its_source(versions, record, source)
    if isinstance(read, Problem):
        return read
    standard, notes = _limited(read[0], limits), read[1]
    keys = tuple(blocking.blocking_keys(standard, versions.blocking_secret))
    domain = versions.domain(source) if source else DEFAULT_DOMAIN
    is_empty = not keys and replace(standard, notes=(), withheld=()) == StandardRecord()
    told = (*notes, *_notes_of(standard), *_unused(read[0], standard))
    return Asked(comparison_form(standard), keys, domain, told, is_empty, limits.sources)


def _limited(standard: StandardRecord, limits: Limits) -> StandardRecord:
    kept_out = {name for name in withheld.WITHHOLDABLE if name in limits.attributes}.union(standard.withheld)
    extras = tuple(one for one in standard.extras if not limits.bars(f"extras.{one.name}"))
    return replace(standard, extras=extras, withheld=tuple(sorted(kept_out))) if limits else standard


def _in_our_terms(versions: VersionSet, record: Mapping[str, Any]) -> tuple[StandardRecord, list[Problem]]:
    unmapped = [Problem("unmapped_field", name) for name in record if name not in OUR_TERMS]
    return standardize(dict(record), versions.policy.asked_context()), unmapped


def _as_its_source(
    versions: VersionSet, record: Mapping[str, Any], source: str
) -> tuple[StandardRecord, list[Problem]] | Problem:
    rules = versions.source_rules(source)
    mapped = mapping.apply(rules.source, dict(record), rules.echo)
    refused = next((problem for problem in mapped.problems if problem.code in REFUSING), None)
    if refused is not None:
        return refused
    unmapped = [Problem("unmapped_field", name) for name in mapped.unmapped if name not in rules.about_the_row]
    return standardize(mapped.input, rules.context), [*mapped.problems, *unmapped]


def _notes_of(standard: StandardRecord) -> list[Problem]:
    countries = [Problem("country_needed", "phones")] if any(map(needs_country, standard.phones)) else []
    partly = [Problem(PARTLY_FILED, attribute) for attribute in blocking.left_out(standard)]
    return [*(Problem(note.code, note.attribute) for note in standard.notes), *countries, *partly]


def _unused(sent: StandardRecord, usable: StandardRecord) -> Iterator[Problem]:
    """What may be used for no matching, and what may not be used for this purpose."""
    never = withheld.left_unused(sent)
    yield from (Problem(NOT_FOR_MATCHING, field) for field in never)
    yield from (Problem(NOT_FOR_PURPOSE, field) for field in withheld.left_unused(usable) if field not in never)


async def search(caller: Principal, versions: VersionSet, asked: Asked, limit: int) -> Found:
    """Find who fits, at most `limit` of them. One statement, bounded by a limit of records a key; audited as one act."""
    read = await search_reading.read(caller, asked.keys)
    usable = [one for one in read.neighbours if one.source not in asked.without]
    near = [one for one in usable if versions.merges(one.source) and versions.domain(one.source) == asked.domain]
    if len(near) > MOST_AT_ONCE:
        fits = await asyncio.to_thread(_fit, versions, asked, near)
    else:
        fits = _fit(versions, asked, near)
    return Found(
        fits[:limit], is_ambiguous(fits), len(asked.keys), read.hot_keys, len(near), read.timeline_id, read.is_any_restricted
    )


def _fit(versions: VersionSet, asked: Asked, near: Sequence[Neighbour]) -> list[Fit]:
    """Score every neighbour and keep the best of each customer, the best first."""
    of = asked.form
    held = frozenset(of.identifiers or ())
    lowest = versions.lines.lowest
    counted: Counter[str] = Counter()
    best: dict[str, Fit] = {}
    for one in near:
        customer = one.golden_id or one.record_id
        counted[customer] += 1
        # Below the lowest line only a shared identifier says more than no: the verdict is worth twice the weight.
        if versions.scorer.weight(of, one.form, lowest) < lowest and held.isdisjoint(one.form.identifiers or ()):
            continue
        scored = versions.scorer.pair(of, one.form)
        decided = decide(versions.model, of, one.form, scored, versions.identifier_rules)
        fit = Fit(one.golden_id, certainty_of(decided), 1, scored, decided)
        if fit.certainty is not Certainty.NONE and (customer not in best or _order(fit) < _order(best[customer])):
            best[customer] = fit
    return sorted((replace(fit, records=counted[customer]) for customer, fit in best.items()), key=_order)


def _order(fit: Fit) -> tuple[int, float, str]:
    return (RANK[fit.certainty], -fit.scored.weight, fit.golden_id or "")


def certainty_of(decided: Decided) -> Certainty:
    """Say in a word what resolution would do: merge by an identifier, merge by weight, ask a steward, nothing."""
    if decided.verdict is Verdict.MATCH:
        return Certainty.EXACT if decided.decides_by_itself else Certainty.STRONG
    return Certainty.POSSIBLE if decided.verdict is Verdict.REVIEW else Certainty.NONE


def is_ambiguous(fits: Sequence[Fit]) -> bool:
    """Whether two customers fit alike: both would be merged, for the same kind of reason."""
    return len(fits) > 1 and fits[0].certainty is fits[1].certainty and fits[0].certainty in {Certainty.EXACT, Certainty.STRONG}
