"""Cases in a crowd: what is merged, asked, missed or merged with strangers is told as it is; only what matters is looked at."""

import random
from typing import Any

import pytest

from matching.decide import Verdict
from matching.evaluate import Prepared, prepare, resolve
from matching.evaluate_pack import Expectation, PackEvaluation, evaluate_pack, within_reach
from matching.model import default_model
from matching.record import StandardRecord
from matching.standardize import Context, standardize

from .test_train import birthday, word

MODEL = default_model()
MATCH, REVIEW, NO_MATCH = Verdict.MATCH, Verdict.REVIEW, Verdict.NO_MATCH
HOME = {"addresses": [{"line1": "7 Main Street", "city": "Leeds", "postal_code": "LS1 1AA"}], "phones": ["0113 246 0188"]}
ANNA = {"given_name": "Anna", "surname": "Okonkwo", "birth_date": "1980-02-13", "emails": ["anna@okonkwo.org"], **HOME}
PETER = {"given_name": "Peter", "surname": "Okonkwo", **HOME}
OLGA = {"given_name": "Olga", "surname": "Quint", "birth_date": "1951-07-30", "emails": ["olga@quint.org"]}
COUPLE = {"a": ANNA, "b": ANNA, "c": PETER}


def standard(data: dict[str, Any]) -> StandardRecord:
    return standardize(data, Context("GB", "YMD"))


def crowd(people: int) -> list[tuple[str, StandardRecord]]:
    chance = random.Random(5)
    rows = []
    for number in range(people):
        row = {"given_name": word(chance, 6), "surname": word(chance, 7), "birth_date": birthday(chance)}
        rows += [(f"crowd:{number}:{copy}", standard({**row, "emails": [f"{number}@mail.org"]})) for copy in "xy"]
    return rows


def evaluated(
    records: dict[str, dict[str, Any]], pairs: dict[str, Verdict], strangers: tuple[dict[str, Any], ...] = ()
) -> PackEvaluation:
    """Judge one case of one-letter records among a small crowd and these strangers."""
    held = [(f"case/{label}", standard(data)) for label, data in records.items()]
    held += [(f"stranger:{place}", standard(data)) for place, data in enumerate(strangers)]
    case = Expectation("case", "category", {(f"case/{pair[0]}", f"case/{pair[1]}"): verdict for pair, verdict in pairs.items()})
    return evaluate_pack([case], prepare([*held, *crowd(30)]), MODEL)


def test_what_is_found_is_told_beside_what_was_expected() -> None:
    found = evaluated(COUPLE, {"ab": MATCH, "ac": NO_MATCH, "bc": NO_MATCH})
    (outcome,) = found.outcomes
    assert outcome.found == {("case/a", "case/b"): MATCH, ("case/a", "case/c"): REVIEW, ("case/b", "case/c"): REVIEW}
    assert (found.false_merges, outcome.missed, outcome.matched, outcome.as_expected) == (0, 0, True, False)
    assert list(found.differences()) == [
        {"case": "case", "pair": f"{one} c", "expected": "no_match", "found": "review"} for one in "ab"
    ]


@pytest.mark.parametrize("expected", [NO_MATCH, REVIEW])
def test_a_merge_that_was_not_expected_is_false(expected: Verdict) -> None:
    found = evaluated({"a": ANNA, "b": ANNA}, {"ab": expected})
    assert found.false_merges == 1
    assert found.by_category()["category"]["false_merges"] == 1


def test_a_merge_with_a_stranger_is_false() -> None:
    found = evaluated({"a": ANNA, "b": OLGA}, {"ab": NO_MATCH}, strangers=(ANNA,))
    assert (found.false_merges, found.outcomes[0].strangers) == (1, {"case/a"})
    assert list(found.differences()) == [{"case": "case", "pair": "a and a stranger", "expected": "no_match", "found": "match"}]


def test_one_customer_neither_merged_nor_asked_about_is_missed() -> None:
    found = evaluated({"a": ANNA, "b": OLGA, "c": OLGA}, {"ab": MATCH, "ac": MATCH, "bc": MATCH})
    assert found.as_json()["missed"] == 2
    assert (found.outcomes[0].matched, found.as_json()["matched_or_asked"]) == (False, 0)


def test_asked_about_is_neither_merged_nor_missed() -> None:
    found = evaluated({"a": ANNA, "b": PETER}, {"ab": MATCH}).as_json()
    assert (found["matched"], found["matched_or_asked"], found["missed"]) == (0, 1, 0)


def test_the_json_has_the_published_keys() -> None:
    found = evaluated(COUPLE, {"ab": MATCH, "ac": NO_MATCH, "bc": NO_MATCH}).as_json()
    figures = {"cases", "as_expected", "false_merges", "missed", "match_cases", "matched", "matched_or_asked"}
    rest = {"by_category", "differences", "crowd_records", "candidate_pairs", "model", "seconds", "peak_mb"}
    assert set(found) == figures | rest
    assert set(found["by_category"]["category"]) == figures
    assert (found["cases"], found["crowd_records"]) == (1, 60)


def test_only_what_can_bear_on_the_cases_is_looked_at_and_all_of_it() -> None:
    """The components that hold a case's record are those of the whole, to the last record."""
    chain = [
        ("far:1", standard({**PETER, "emails": ["peter@okonkwo.org"]})),
        ("far:2", standard({"emails": ["peter@okonkwo.org"]})),
    ]
    prepared = prepare([*((f"case/{label}", standard(data)) for label, data in COUPLE.items()), *chain, *crowd(30)])
    starts = frozenset(record for record in prepared.ids if record.startswith("case/"))
    reached = within_reach(prepared, starts, MODEL)
    assert {"far:1", "far:2"} <= set(reached.ids)
    assert len(reached.ids) < len(prepared.ids)
    assert _parts(reached, starts) == _parts(prepared, starts)


def _parts(prepared: Prepared, starts: frozenset[str]) -> set[frozenset[str]]:
    return {part for one in resolve(prepared, MODEL) for part in (*one.parts, *one.balanced) if part & starts}
