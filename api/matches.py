"""Shapes what `mdm.search` found: candidates with their certainty, on demand a view of each and the evidence."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from api import asking, limiting, quotas, reading
from api.refusals import is_sayable, refusal, require_source, told
from api.schemas.match import Match
from kernel.actor import Principal
from mdm import lookup, sender_paths, views
from mdm.mapping_values import Problem
from mdm.policy import Policy
from mdm.policy_schema import Source
from mdm.purposes import Limits
from mdm.rules import Rules
from mdm.search import Asked, Certainty, Fit, Found, search
from mdm.search import ask as standardized
from mdm.versions import VersionSet


def may_explain(caller: Principal, body: Match) -> None:
    """Raises: Forbidden when evidence is asked for without the scope for it."""
    if body.explain:
        caller.require("match:explain")


def asked(caller: Principal, versions: VersionSet, body: Match) -> Asked:
    """Standardize the record asked about. Raises: MdmError for one that ingest would refuse as well."""
    source = require_source(versions.policy, body.source, caller) if body.source is not None else None
    found = standardized(versions, body.record, body.source, limiting.limits_of(versions.policy, caller, body.view))
    if isinstance(found, Problem):
        raise refusal(found, pointers_in(source, found, body))
    return found


def pointers_in(source: Source | None, problem: Problem, body: Match) -> list[str]:
    """Where in the request a refusal's problem lies, when it names an attribute of ours."""
    found = sender_paths.pointers(source, problem, body.record) if source is not None else []
    return [f"/record{pointer}" for pointer in found]


async def answer(
    caller: Principal, versions: VersionSet, body: Match, question: Asked, fields: Sequence[str] | None
) -> dict[str, Any]:
    """Search, and give the answer as JSON-ready data; views are read and audited like any other read. Raises: TooMany."""
    if caller.identifiers_per_hour is not None:
        await quotas.spend(caller, [body.model_dump_json(include={"record"})])
    found = await _usable(caller, await search(caller, versions, question, body.limit))
    # Somebody who may only be meant is shown to whoever sees everybody; others ask first.
    told_of = [fit for fit in found.fits if caller.sees_clear or fit.certainty != Certainty.POSSIBLE]
    limits = limiting.limits_of(versions.policy, caller, body.view)
    shown = await _views(caller, versions.policy, told_of, fields, limits) if fields is not None else {}
    ask = None if caller.sees_clear else await _ask(caller, versions.policy, found.fits, body)
    reason = {"reason": question.reason} if question.reason else {}
    return {
        "certainty": found.certainty,
        **reason,
        "ambiguous": found.is_ambiguous,
        "timeline_id": found.timeline_id,
        "candidates": [_candidate(versions, fit, shown, body.explain and fit in told_of) for fit in found.fits],
        **({"ask": ask} if ask else {}),
        "searched": {"keys": found.keys, "hot_keys": found.hot_keys, "compared": found.compared},
        "notes": [told(note) for note in question.notes if is_sayable(note)],
    }


async def _ask(caller: Principal, ruling: Policy, fits: Sequence[Fit], body: Match) -> dict[str, str] | None:
    """The question that tells those apart who may be meant."""
    ids = [fit.golden_id for fit in fits if fit.golden_id is not None and fit.certainty == Certainty.POSSIBLE]
    read = await lookup.goldens(caller, ids, "match.ask") if ids else {}
    held = await limiting.limit(caller, ruling, read, limiting.limits_of(ruling, caller, body.view))
    return asking.best([one for one in held.values() if one.golden_id is not None], body.record)


async def _usable(caller: Principal, found: Found) -> Found:
    """Leave out whoever asked that nothing be done with their data."""
    if not found.is_any_restricted:
        return found
    barred = await lookup.restricted(caller, [fit.golden_id for fit in found.fits if fit.golden_id is not None])
    fits = tuple(fit for fit in found.fits if fit.golden_id not in barred)
    return replace(found, fits=fits, is_ambiguous=found.is_ambiguous and len(fits) > 1) if barred else found


def with_missed(answer: dict[str, Any], ruling: Rules) -> dict[str, Any]:
    """Say in an answer how many records it may have missed."""
    missed = {"stale_records": ruling.stale_records, "refused_records": ruling.refused_records}
    return {**answer, "searched": {**answer["searched"], **missed}}


async def _views(
    caller: Principal, ruling: Policy, fits: Sequence[Fit], fields: Sequence[str], limits: Limits
) -> dict[str, dict[str, Any]]:
    ids = [fit.golden_id for fit in fits if fit.golden_id is not None]
    read = await lookup.goldens(caller, ids, "match", with_flags="flags" in fields)
    held = await reading.shown(caller, ruling, read, fields, limits)
    return {golden_id: views.show(one, fields) for golden_id, one in held.items() if one.golden_id is not None}


def _candidate(versions: VersionSet, fit: Fit, shown: dict[str, dict[str, Any]], with_evidence: bool) -> dict[str, Any]:
    candidate: dict[str, Any] = {"golden_id": fit.golden_id, "certainty": fit.certainty, "records": fit.records}
    if fit.golden_id in shown:
        candidate["view"] = shown[fit.golden_id]
    if with_evidence:
        candidate["explanation"] = _explanation(versions, fit)
    return candidate


def _explanation(versions: VersionSet, fit: Fit) -> dict[str, Any]:
    named = list(zip(versions.model.comparisons, fit.scored.levels, fit.scored.contributions, strict=True))
    return {
        "match_weight": fit.scored.weight,
        "match_probability": 1.0 / (1.0 + 2.0**-fit.scored.weight),
        "reason": fit.decided.reason_code,
        "levels": {one.name: one.level_name(level) for one, level, _ in named if level >= 0},
        "weights": {one.name: given for one, level, given in named if level >= 0},
    }
