"""Search before create: who among the stored customers fits a record that is not stored, and how surely. Nothing is written.

Candidates come from the blocking-key index as in resolution (hot keys through their refinements); records outside the caller's
row scope or identity domain are never compared. Reading is async; decoding and scoring run in a thread.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import orjson

from kernel import db
from kernel.actor import Principal
from kernel.audit import Entry
from kernel.settings import settings
from matching import blocking
from matching.decide import Decided, Verdict, decide
from matching.forms import ComparisonForm, comparison_form
from matching.record import StandardRecord, from_json
from matching.score import Scored
from matching.standardize import Context, standardize
from mdm import lookup, mapping, payloads
from mdm.appraisal import PARTLY_FILED
from mdm.identify import needs_country
from mdm.incoming import REFUSING, SourceRules
from mdm.lookup import Connection
from mdm.mapping_schema import Fields
from mdm.mapping_values import Problem
from mdm.policy_schema import Source
from mdm.versions import VersionSet

DEFAULT_DOMAIN = Source.model_fields["identity_domain"].default
KEPT_FORMS = 20_000
OUR_TERMS = frozenset(Fields.model_fields)
NOTHING_MAPPED, NOTHING_TO_SEARCH_BY = "nothing_mapped", "nothing_to_search_by"

HOLDERS = """
SELECT mine.blocking_key, held.record_ids FROM unnest(%s::bigint[]) AS mine (blocking_key)
CROSS JOIN LATERAL (SELECT array_agg(b.record_id::text) AS record_ids FROM (
  SELECT record_id FROM blocking_key WHERE blocking_key = mine.blocking_key LIMIT %s) AS b) AS held
WHERE held.record_ids IS NOT NULL
"""
HEADS = """
SELECT s.record_id::text, s.version_no, s.standardizer, s.policy_version, s.source, c.golden_id::text
FROM standard_record s JOIN crosswalk c USING (record_id)
WHERE s.record_id = ANY(%s::uuid[]) AND c.state IN ('resolved', 'pending')
"""
BODIES = "SELECT record_id::text, version_no, body::text FROM standard_record WHERE record_id = ANY(%s::uuid[])"


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
    """Who fits, the best first; whether two fit alike; and what the index could not say."""

    fits: Sequence[Fit]
    is_ambiguous: bool
    keys: int
    hot_keys: int
    compared: int
    timeline_id: str

    @property
    def certainty(self) -> Certainty:
        """The certainty of the best fit."""
        return self.fits[0].certainty if self.fits else Certainty.NONE


@dataclass(frozen=True, slots=True)
class Asked:
    """The record asked about, standardized as one of its source would be. `notes`: fields and values that are no use."""

    form: ComparisonForm
    keys: Sequence[blocking.BlockingKey]
    domain: str
    notes: tuple[Problem, ...] = ()
    is_empty: bool = False

    @property
    def reason(self) -> str | None:
        """Why nothing can be searched for, when nothing can: no field was understood, or none that anybody is found by."""
        if self.keys:
            return None
        return NOTHING_MAPPED if self.is_empty else NOTHING_TO_SEARCH_BY


def ask(versions: VersionSet, record: Mapping[str, Any], source: str | None) -> Asked | Problem:
    """Standardize a record that is in a source's own fields, or (without source) in our attributes.

    A Problem for what ingest would refuse as well. Raises: NotFound for an unknown source.
    """
    problem = payloads.check(dict(record))
    if problem is not None:
        return problem
    read = _in_our_terms(versions, record) if source is None else _as_its_source(versions, record, source)
    if isinstance(read, Problem):
        return read
    standard, notes = read
    keys = tuple(blocking.blocking_keys(standard, settings().secret_for("blocking")))
    domain = versions.domain(source) if source else DEFAULT_DOMAIN
    is_empty = replace(standard, notes=()) == StandardRecord()
    return Asked(comparison_form(standard), keys, domain, (*notes, *_notes_of(standard)), is_empty)


def _in_our_terms(versions: VersionSet, record: Mapping[str, Any]) -> tuple[StandardRecord, list[Problem]]:
    shared = versions.policy.shared_values
    context = Context(shared_values=frozenset((*shared.emails, *shared.phones)))
    return standardize(dict(record), context), [Problem("unmapped_field", name) for name in record if name not in OUR_TERMS]


def _as_its_source(
    versions: VersionSet, record: Mapping[str, Any], source: str
) -> tuple[StandardRecord, list[Problem]] | Problem:
    rules = SourceRules.of(versions.policy, source, b"")
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


async def search(caller: Principal, versions: VersionSet, asked: Asked, limit: int) -> Found:
    """Find who fits, at most `limit` of them. Four statements, bounded by HOT_LIMIT records a key; audited as one act."""
    async with db.hot_connection(caller.scope) as connection:
        record_ids, hot = await _candidates(connection, asked.keys)
        heads = await (await connection.execute(HEADS, [list(record_ids)])).fetchall()
        heads = [head for head in heads if versions.merges(head[4]) and versions.domain(head[4]) == asked.domain]
        missing = [head[0] for head in heads if head[:4] not in _FORMS]
        bodies = await (await connection.execute(BODIES, [missing])).fetchall() if missing else []
        fits = await asyncio.to_thread(_fit, versions, asked, heads, bodies)
        detail = {"keys": len(asked.keys), "compared": len(heads), "found": len(fits)}
        await lookup.audited(connection, [Entry(caller.actor, "match", "match", "", detail=detail)])
        timeline_id = await lookup.timeline(connection)
    return Found(fits[:limit], is_ambiguous(fits), len(asked.keys), hot, len(heads), timeline_id)


async def _candidates(connection: Connection, keys: Sequence[blocking.BlockingKey]) -> tuple[set[str], int]:
    """Who shares a key that is not hot, or a refined one of a hot key; and how many of the keys are hot."""
    holders = await _holders(connection, {key.key for key in keys})
    hot = {key for key, held in holders.items() if len(held) > blocking.HOT_LIMIT}
    refined = {refinement for key in keys if key.key in hot for _, refinement in key.refined}
    if refined:
        holders |= await _holders(connection, refined)
    usable = [held for held in holders.values() if len(held) <= blocking.HOT_LIMIT]
    return {record_id for held in usable for record_id in held}, len(hot)


async def _holders(connection: Connection, keys: Collection[int]) -> dict[int, list[str]]:
    if not keys:
        return {}
    cursor = await connection.execute(HOLDERS, [sorted(keys), blocking.HOT_LIMIT + 1])
    return {row[0]: row[1] for row in await cursor.fetchall()}


# Forms by what names one immutable text: record, version, standardizer, policy.
_FORMS: "OrderedDict[tuple[Any, ...], ComparisonForm]" = OrderedDict()


def _fit(versions: VersionSet, asked: Asked, heads: Sequence[tuple[Any, ...]], bodies: Sequence[tuple[Any, ...]]) -> list[Fit]:
    """Score every candidate and keep the best of each customer, the best first."""
    fresh = {(row[0], row[1]): comparison_form(from_json(StandardRecord, orjson.loads(row[2]))) for row in bodies}
    forms = {head[0]: fresh.get(head[:2]) or _FORMS.get(head[:4]) for head in heads}
    found: dict[str, list[Fit]] = {}
    for head in heads:
        form = forms[head[0]]
        if form is None:
            continue  # It changed between the two reads; its own resolution will see it.
        _remember(head[:4], form)
        scored = versions.scorer.pair(asked.form, form)
        decided = decide(versions.model, asked.form, form, scored, versions.identifier_rules)
        found.setdefault(head[5] or head[0], []).append(Fit(head[5], certainty_of(decided), 1, scored, decided))
    best = [min(fits, key=_order) for fits in found.values()]
    counted = [
        Fit(fit.golden_id, fit.certainty, len(found[customer]), fit.scored, fit.decided)
        for customer, fit in zip(found, best, strict=True)
    ]
    return sorted((fit for fit in counted if fit.certainty is not Certainty.NONE), key=_order)


def _remember(key: tuple[Any, ...], form: ComparisonForm) -> None:
    _FORMS[key] = form
    while len(_FORMS) > KEPT_FORMS:
        _FORMS.popitem(last=False)


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
