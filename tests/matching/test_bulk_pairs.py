"""Pairs by position: those of the online index, of one group only, whatever is hot."""

import time
from collections import defaultdict
from itertools import combinations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.blocking import REFINED_STEP
from matching.bulk_pairs import KEYS_SCHEMA, PAIRS_SCHEMA, find_pairs
from matching.hot_keys import HotLimits

Filed = set[tuple[int, int, int]]


def table(filed: Filed) -> pa.Table:
    columns = list(zip(*sorted(filed), strict=True)) or [(), (), ()]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, KEYS_SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=KEYS_SCHEMA)


def one_group(count: int) -> pa.Array:
    return pa.array([0] * count, pa.int32())


def pairs_of(keys: pa.Table, groups: pa.Array, limits: HotLimits) -> list[tuple[int, int]]:
    found = find_pairs(keys, groups, limits).pairs
    return list(zip(found.column("record_a").to_pylist(), found.column("record_b").to_pylist(), strict=True))


def test_records_that_share_a_key_are_a_pair_once_and_in_order() -> None:
    keys = table({(1, 5, 2), (1, 5, 0), (2, 6, 0), (2, 6, 2), (4, 7, 1)})
    assert pairs_of(keys, one_group(3), HotLimits.alike(9)) == [(0, 2)]


def test_records_of_two_groups_are_no_pair_and_one_of_none_still_fills_its_keys() -> None:
    keys = table({(1, 5, record) for record in range(4)})
    assert pairs_of(keys, pa.array([0, 1, 0, None], pa.int32()), HotLimits.alike(9)) == [(0, 2)]
    found = find_pairs(keys, pa.array([0, 1, 0, None], pa.int32()), limits=HotLimits.alike(3))
    assert (found.pairs.num_rows, found.hot, found.unreachable) == (0, frozenset((5,)), 3)


def test_refined_keys_serve_for_a_hot_one_and_who_is_left_alone_is_counted() -> None:
    keys = table({(2, 5, record) for record in range(5)} | {(102, 6, 0), (102, 6, 1), (102, 7, 2)})
    found = find_pairs(keys, one_group(6), limits=HotLimits.alike(4))
    assert found.pairs.to_pylist() == [{"record_a": 0, "record_b": 1}]
    assert (found.hot, found.keyless, found.unreachable) == (frozenset((5,)), 1, 2)


def test_copies_are_pairs_besides_and_no_pair_stands_twice() -> None:
    keys = table({(1, 5, 0), (1, 5, 1)})
    copies = pa.Table.from_arrays([pa.array([0, 1], pa.int32()), pa.array([1, 2], pa.int32())], schema=PAIRS_SCHEMA)
    found = find_pairs(keys, one_group(3), copies=copies)
    assert [tuple(row.values()) for row in found.pairs.to_pylist()] == [(0, 1), (1, 2)]


def test_a_key_of_a_hundred_thousand_records_costs_seconds() -> None:
    count = 100_000
    columns = [
        pa.concat_arrays([pa.array([2] * count, pa.int16()), pa.array([102] * count, pa.int16())]),
        pa.concat_arrays([pa.array([-1] * count, pa.int64()), pa.array([at // 10 for at in range(count)], pa.int64())]),
        pa.concat_arrays([pa.array(range(count), pa.int32())] * 2),
    ]
    started = time.process_time()
    found = find_pairs(pa.Table.from_arrays(columns, schema=KEYS_SCHEMA), one_group(count))
    assert time.process_time() - started < 20
    assert (found.pairs.num_rows, found.hot, found.unreachable) == (count // 10 * 45, frozenset((-1,)), 0)


rules = st.sampled_from([1, 2, 1 + REFINED_STEP, 2 + REFINED_STEP])


@settings(max_examples=25, deadline=None)
@given(
    st.sets(st.tuples(rules, st.integers(0, 3), st.integers(0, 7)), max_size=50),
    st.lists(st.sampled_from([0, 0, 0, 1, None]), min_size=8, max_size=8),
    st.builds(HotLimits, st.integers(2, 4), st.integers(1, 3)),
)
def test_pairs_are_those_that_the_online_index_finds(made: Filed, groups: list[int | None], limits: HotLimits) -> None:
    """Online: the base keys of a record; its refined keys as well once it holds a hot one; never a hot key.

    Whoever shares a refined key shares the key that it refines, so that both hold a hot one, or are a pair by that key anyway.
    """
    filed = {(rule, key * 1_000 + rule, record) for rule, key, record in made}
    held: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    for rule, key, record in filed:
        held[rule, key].add(record)
    in_hot = {
        one for (rule, key), records in held.items() if rule < REFINED_STEP and len(records) > limits.of(key) for one in records
    }
    expected = set()
    for (rule, key), records in held.items():
        if len(records) <= limits.of(key):
            asking = records if rule < REFINED_STEP else records & in_hot
            expected |= set(combinations(sorted(asking), 2))
    same = {(a, b) for a, b in expected if groups[a] is not None and groups[a] == groups[b]}
    assert pairs_of(table(filed), pa.array(groups, pa.int32()), limits) == sorted(same)
