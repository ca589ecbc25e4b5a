"""Shapes what `mdm.search` found: candidates with their certainty, on demand a view of each and the evidence."""

from collections.abc import Sequence
from typing import Any

from api.refusals import refusal
from api.schemas.match import Match
from kernel.actor import Principal
from mdm import lookup, views
from mdm.mapping_values import Problem
from mdm.search import Asked, Fit, Found, ask
from mdm.versions import VersionSet


def may_explain(caller: Principal, body: Match) -> None:
    """Raises: Forbidden when evidence is asked for without the scope for it."""
    if body.explain:
        caller.require("match:explain")


def asked(versions: VersionSet, body: Match) -> Asked:
    """Standardize the record asked about. Raises: MdmError for one that ingest would refuse as well."""
    found = ask(versions, body.record, body.source)
    if isinstance(found, Problem):
        raise refusal(found)
    return found


async def answer(
    caller: Principal, versions: VersionSet, body: Match, found: Found, fields: Sequence[str] | None
) -> dict[str, Any]:
    """Give the answer as JSON-ready data; views are read and audited like any other read."""
    shown = await _views(caller, found.fits, fields) if fields is not None else {}
    return {
        "certainty": found.certainty,
        "ambiguous": found.is_ambiguous,
        "timeline_id": found.timeline_id,
        "candidates": [_candidate(versions, fit, shown, body.explain) for fit in found.fits],
        "searched": {"keys": found.keys, "hot_keys": found.hot_keys, "compared": found.compared},
    }


async def _views(caller: Principal, fits: Sequence[Fit], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
    ids = [fit.golden_id for fit in fits if fit.golden_id is not None]
    held = await lookup.goldens(caller, ids, "match", with_flags="flags" in fields)
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
