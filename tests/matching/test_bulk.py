"""The bulk engine: parity with the online scorer and with Splink itself, candidate pairs, hot keys."""

import time
from dataclasses import replace
from itertools import combinations, pairwise

import pyarrow as pa
import pytest

from matching import bulk
from matching.bulk import all_pairs, by_position, candidate_pairs, copy_pairs, forms_table, pair_scorer, score_candidates
from matching.forms import ComparisonForm
from matching.hot_keys import HotLimits
from matching.model import Model
from matching.score import scorer

from .hostile_forms import model_with_extras, person
from .splink_itself import splink_predictions

PEOPLE = 460  # 105,570 pairs.


@pytest.fixture(scope="module")
def people() -> dict[str, ComparisonForm]:
    return {f"r{number:04}": person(number) for number in range(PEOPLE)}


@pytest.fixture(scope="module")
def pairs(people: dict[str, ComparisonForm]) -> pa.Table:
    every = list(combinations(sorted(people), 2))
    return pa.table({"record_a": [a for a, _ in every], "record_b": [b for _, b in every]})


@pytest.fixture(scope="module")
def model() -> Model:
    return model_with_extras()


def splink_weights(model: Model, forms: pa.Table, pairs: pa.Table) -> dict[tuple[str, str], float]:
    return {(row["record_id_l"], row["record_id_r"]): row["match_weight"] for row in splink_predictions(model, forms, pairs)}


def test_both_engines_and_splink_agree_on_a_hundred_thousand_hostile_pairs(
    people: dict[str, ComparisonForm], pairs: pa.Table, model: Model
) -> None:
    forms = forms_table(list(people), list(people.values()), model.extras)
    found = score_candidates(model, forms, pairs)
    theirs = splink_weights(model, forms, pairs)
    online = scorer(model)
    worst = 0.0
    seen: list[set[int]] = [set() for _ in model.comparisons]
    for a, b, levels, weight in zip(*(found.column(name).to_pylist() for name in found.column_names), strict=True):
        scored = online.pair(people[a], people[b])
        assert scored.levels == tuple(levels)
        assert scored.weight == weight
        worst = max(worst, abs(weight - theirs[a, b]))
        for place, level in zip(seen, levels, strict=True):
            place.add(level)
    assert found.num_rows == pairs.num_rows >= 100_000
    assert worst <= 1e-9
    missing = {
        f"{comparison.name}.{comparison.level_name(level)}"
        for comparison, place in zip(model.comparisons, seen, strict=True)
        for level in {*range(-1, len(comparison.levels))} - place
    }
    assert missing == set(), "a level that no pair of the test falls on is not tested"


def test_pairs_below_the_least_weight_are_dropped(people: dict[str, ComparisonForm], pairs: pa.Table, model: Model) -> None:
    few = pairs.slice(0, 2_000)
    forms = forms_table(list(people), list(people.values()), model.extras)
    every = score_candidates(model, forms, few)
    some = score_candidates(model, forms, few, least_weight=-6.0)
    assert some.column("weight").to_pylist() == [weight for weight in every.column("weight").to_pylist() if weight >= -6.0]
    assert 0 < some.num_rows < every.num_rows


def test_models_of_one_name_are_each_scored_by_their_own_levels(people: dict[str, ComparisonForm], model: Model) -> None:
    """What Splink writes for a model is kept; another model of that name has comparisons of its own."""
    fewer = replace(model, comparisons=model.comparisons[1:], parameters=model.parameters[1:], fingerprint="")
    some = dict(list(people.items())[:8])
    forms = forms_table(list(some), list(some.values()), model.extras)
    pairs = pa.table({"record_a": list(some)[:-1], "record_b": list(some)[1:]})
    for one in (model, fewer, model):
        levels = score_candidates(one, forms, pairs).column("levels").to_pylist()
        online = scorer(one)
        assert levels == [list(online.pair(some[a], some[b]).levels) for a, b in pairwise(some)]


def test_pairs_scored_ahead_are_the_same_slice_by_slice(
    people: dict[str, ComparisonForm], pairs: pa.Table, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "SCORED_AT_ONCE", 700)
    place = {name: number for number, name in enumerate(people)}
    few = pairs.slice(0, 2_000)
    numbered = pa.table({side: [place[one] for one in few.column(side).to_pylist()] for side in few.column_names})
    forms = forms_table([str(number) for number in place.values()], list(people.values()), model.extras)
    with pair_scorer(model, forms) as scorer_of_pairs:
        found = list(scorer_of_pairs.score_ahead(numbered, -6.0))
        every = scorer_of_pairs.score(numbered, -6.0)
    assert len(found) == 3
    assert pa.concat_tables(found).sort_by([(side, "ascending") for side in few.column_names]) == every


def keys_of(**filed: list[int]) -> pa.Table:
    rows = [(key, record) for record, keys in filed.items() for key in keys]
    return pa.table({"blocking_key": pa.array([key for key, _ in rows], pa.int64()), "record_id": [record for _, record in rows]})


def test_records_that_share_a_key_are_a_pair_once() -> None:
    found = candidate_pairs(keys_of(b=[1, 2], a=[2, 1, 1], c=[3]))
    assert found.to_pylist() == [{"record_a": "a", "record_b": "b"}]


def test_a_hot_key_yields_no_pair_but_its_refined_keys_do() -> None:
    keys = keys_of(a=[1, 10], b=[1, 10], c=[1, 11], d=[1])
    assert candidate_pairs(keys, limits=HotLimits.alike(3)).to_pylist() == [{"record_a": "a", "record_b": "b"}]
    assert candidate_pairs(keys, limits=HotLimits.alike(4)).num_rows == 6


def test_a_key_of_a_hundred_thousand_records_costs_seconds() -> None:
    """All share key -1, each ten of them a refined key besides: ten records are 45 pairs."""
    count = 100_000
    positions = pa.array(range(count))
    ids = positions.cast(pa.string())
    filed = pa.concat_arrays([pa.array([-1] * count, pa.int64()), pa.array([at // 10 for at in range(count)], pa.int64())])
    keys = pa.table({"blocking_key": filed, "record_id": pa.concat_arrays([ids, ids])})
    started = time.process_time()
    assert candidate_pairs(keys).num_rows == count // 10 * 45
    assert time.process_time() - started < 20


def test_no_keys_no_pairs() -> None:
    assert candidate_pairs(keys_of()).num_rows == 0


def test_pairs_are_named_by_position() -> None:
    pairs = pa.table({"record_a": ["x", "x"], "record_b": ["z", "gone"]})
    assert by_position(pairs, ["z", "y", "x"]).to_pylist() == [{"record_a": "2", "record_b": "0"}]


def test_a_thousand_copies_are_a_chain_whatever_the_order_of_rows() -> None:
    ids = [f"{n:04}" for n in range(1_000)]
    found = copy_pairs([b"same", b"other"] * 500, pa.array(ids))
    assert found.to_pylist() == [{"record_a": a, "record_b": b} for a, b in zip(ids, ids[2:], strict=False)]
    assert copy_pairs([b"same", b"other"] * 500, pa.array(ids[::-1])).num_rows == 998
    assert copy_pairs([], pa.array([], pa.string())).num_rows == 0


def test_pairs_of_keys_and_of_copies_are_given_once() -> None:
    keys = candidate_pairs(keys_of(a=[1], b=[1], c=[1]))
    every = all_pairs(keys, copy_pairs([b"x", b"x", b"x"], pa.array(["b", "c", "d"])))
    assert [(row["record_a"], row["record_b"]) for row in every.to_pylist()] == [("a", "b"), ("a", "c"), ("b", "c"), ("c", "d")]
