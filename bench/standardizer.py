"""Standardizing typical records of the simulated retailer: µs a record, and the share of each kind.

The records of each round were never seen before, so that caches hold what is frequent and nothing else; the best of three
rounds, in processor time.
"""

import time
from itertools import islice
from typing import Any

from bench.line import Line, calibration
from bench.stages import REST, measured
from matching.standardize import Context, form_hash, standardize
from mdm import mapping, policy
from sampledata.files import policy_text
from sampledata.retailer import simulate

RECORDS = 10_000
SEEDS = (101, 102, 103, 104)
GOAL_MICROSECONDS = 170.0
KINDS = {
    kind: (f"matching.standardize.assemble:{function}",)
    for kind, function in {
        "names and companies": "read_party",
        "birth dates": "_birth_date",
        "e-mails": "_emails",
        "phones": "_phones",
        "addresses": "_addresses",
        "identifiers": "_identifiers",
        "loyalty accounts": "_loyalty_accounts",
        "extras": "_extras",
        "consents": "_consents",
    }.items()
}
Given = list[tuple[dict[str, Any], Context]]


def measure() -> list[Line]:
    """One round to warm up; three that count; one more by kind."""
    first, *others = (_given(seed) for seed in SEEDS)
    _seconds(first)
    best = min(_seconds(given) for given in others) / RECORDS * 1e6
    records = [standardize(*one) for one in others[-1]]
    hashed = time.process_time()
    for record in records:
        form_hash(record)
    hashed = time.process_time() - hashed
    return [
        Line("standardize", best, "µs/record", GOAL_MICROSECONDS, note=f"{1e6 / best:,.0f} records/s on one core"),
        Line("standardize, by calibration", best * calibration().value, "additions/record", note="independent of the machine"),
        Line("form hash", hashed / RECORDS * 1e6, "µs/record"),
        *_by_kind(_given(SEEDS[-1] + 1)),
    ]


def _given(seed: int) -> Given:
    told = policy.parse(policy_text())
    some = islice(simulate(RECORDS, seed, "typical"), RECORDS)
    return [(mapping.apply(told.source(one.source), one.payload).input, told.standardize_context(one.source)) for one in some]


def _seconds(given: Given) -> float:
    started = time.process_time()
    for data, context in given:
        standardize(data, context)
    return time.process_time() - started


def _by_kind(given: Given) -> list[Line]:
    with measured(KINDS) as stages:
        _seconds(given)
    return [
        Line(f"  {kind}", stages.seconds[kind] / RECORDS * 1e6, "µs/record", note="with the clock's own cost")
        for kind in (*KINDS, REST)
    ]
