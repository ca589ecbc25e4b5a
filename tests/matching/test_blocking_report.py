"""The blocking report, against the same figures counted by hand and by a plain loop over sets."""

from collections import defaultdict
from itertools import combinations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.blocking import REFINED_STEP, RULES
from matching.blocking_measure import measure
from matching.blocking_report import KEYS_SCHEMA, TRUE_PAIRS_SCHEMA, BlockingReport, LargeKey, RuleReport, blocking_report
from matching.bulk_pairs import find_pairs
from matching.evaluate import Labelled
from matching.exact_copies import COPIES_RULE
from matching.hot_keys import HotLimits
from matching.model import default_model
from matching.standardize import Context, standardize

Filed = list[tuple[int, int, int]]
Pairs = set[tuple[int, int]]


def table(filed: Filed) -> pa.Table:
    columns = zip(*filed, strict=True) if filed else ([], [], [])
    return pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, KEYS_SCHEMA, strict=True)], schema=KEYS_SCHEMA
    )


def true_table(pairs: dict[tuple[int, int], float]) -> pa.Table:
    columns = ([a for a, _ in pairs], [b for _, b in pairs], list(pairs.values()))
    arrays = [pa.array(column, field.type) for column, field in zip(columns, TRUE_PAIRS_SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=TRUE_PAIRS_SCHEMA)


def rule_of(report: BlockingReport, number: int) -> RuleReport:
    return next(rule for rule in report.rules if rule.rule == number)


FILED: Filed = [(1, 11, 0), (1, 11, 1), (2, 21, 0), (2, 21, 1), (2, 21, 2), (2, 22, 3), (5, 51, 4), (105, 151, 4)]


def test_figures_counted_by_hand() -> None:
    """Records 0 and 1 share e-mail and phone, 2 their phone; 3 and 4 hold keys nobody shares, 5 none."""
    found = blocking_report(table(FILED), 6, true_table({(0, 1): 12.0, (0, 2): 1.0, (2, 3): 4.0, (3, 4): -8.0}))
    assert (found.pairs, found.keyless, found.unreachable, found.candidates_mean) == (3, 1, 0, 1.0)
    assert (found.candidates_p99, found.candidates_most) == (2, 2)
    assert (found.true_pairs, found.recall, found.reaching_pairs, found.recall_reaching) == (4, 0.5, 3, 2 / 3)
    email, phone = rule_of(found, 1), rule_of(found, 2)
    assert (email.pairs, email.only_pairs, email.true_pairs, email.only_true_pairs, email.recall) == (1, 0, 1, 0, 0.25)
    assert (phone.keys, phone.pairs, phone.only_pairs, phone.true_pairs, phone.only_true_pairs) == (2, 3, 2, 2, 1)
    assert phone.largest == (LargeKey("0000…", 3), LargeKey("0000…", 1))
    assert (phone.largest_share, rule_of(found, 5).largest_share) == (1.0, 0.0)


def test_a_hot_key_is_named_with_what_its_refinements_yield() -> None:
    """Four share a phone, of whom 0 and 1 share their initials; a fifth has no other key at all."""
    filed: Filed = [(2, 7, one) for one in range(5)] + [(102, 8, 0), (102, 8, 1), (102, 9, 2), (102, 10, 3)]
    found = blocking_report(table(filed), 5, limits=HotLimits.alike(4))
    phone = rule_of(found, 2)
    assert (phone.hot_keys, phone.hot_records, phone.pairs, phone.refined_pairs) == (1, 5, 1, 1)
    assert (found.pairs, found.unreachable, found.true_pairs, found.recall, phone.recall) == (1, 1, None, None, None)


def test_records_of_other_groups_or_of_none_are_not_compared() -> None:
    """0, 1 and 2 share a phone, 3 another; 1 is of another group than 0 and 2, 4 of none but shares it as well."""
    filed: Filed = [(2, 21, 0), (2, 21, 1), (2, 21, 2), (2, 21, 4), (2, 22, 3)]
    found = blocking_report(table(filed), 5, groups=pa.array([0, 1, 0, 0, None], pa.int32()))
    phone = rule_of(found, 2)
    assert (found.pairs, phone.pairs, phone.largest[0].records, phone.largest_share) == (1, 1, 4, 1.0)
    assert (found.candidates_mean, found.candidates_most) == (0.4, 1)


def test_of_nothing_nothing_is_reported() -> None:
    found = blocking_report(table([]), 0)
    assert (found.pairs, found.keys, found.candidates_mean, found.candidates_p99, found.candidates_most) == (0, 0, 0.0, 0, 0)


rules = st.sampled_from([1, 2, 5, 1 + REFINED_STEP, 2 + REFINED_STEP, 2 + 2 * REFINED_STEP])


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(rules, st.integers(-4, 4), st.integers(0, 8)), max_size=60),
    st.builds(HotLimits, st.integers(2, 4), st.integers(1, 3)),
    st.lists(st.sampled_from([0, 0, 0, 1, None]), min_size=9, max_size=9),
)
def test_figures_are_those_of_a_plain_count(made: Filed, limits: HotLimits, groups: list[int | None]) -> None:
    filed = sorted({(rule, key * 1_000 + rule, record) for rule, key, record in made})  # A key belongs to one rule.
    of = pa.array(groups, pa.int32())
    found = blocking_report(table(filed), 9, limits=limits, groups=of)
    by_rule = {
        rule: {(a, b) for a, b in pairs if groups[a] is not None and groups[a] == groups[b]}
        for rule, pairs in plainly(filed, limits).items()
    }
    assert found.pairs == find_pairs(table(filed), of, limits).pairs.num_rows
    assert found.pairs == len(set().union(*by_rule.values()))
    for rule in found.rules:
        mine = by_rule.get(rule.rule, set())
        others = set().union(*(pairs for number, pairs in by_rule.items() if number != rule.rule))
        assert (rule.pairs, rule.only_pairs) == (len(mine), len(mine - others))
    company = [sum(record in pair for pair in set().union(*by_rule.values())) for record in range(9)]
    assert found.candidates_most == max(company)
    assert found.candidates_mean == sum(company) / 9


def plainly(filed: Filed, limits: HotLimits) -> dict[int, Pairs]:
    """The candidates of each rule, as the online index finds them: refined keys are asked of the holders of hot keys only."""
    held: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    for rule, key, record in filed:
        held[rule, key].add(record)
    in_hot = {
        one for (rule, key), records in held.items() if rule < REFINED_STEP and len(records) > limits.of(key) for one in records
    }
    found: dict[int, Pairs] = defaultdict(set)
    for (rule, key), records in held.items():
        asked = records if rule < REFINED_STEP else records & in_hot
        if len(records) <= limits.of(key):
            found[rule % REFINED_STEP] |= set(combinations(sorted(asked), 2))
    return found


def test_labelled_records_are_measured_from_their_own_keys_and_weights() -> None:
    def person(number: int, truth: str, **data: object) -> Labelled:
        return Labelled(f"r{number}", truth, standardize({"given_name": "Anna", **data}, Context("DE")))

    found = measure(
        [
            person(0, "anna", surname="Schmidt", emails=["anna.schmidt@web.de"], birth_date="1985-03-12"),
            person(1, "anna", surname="Schmidt", emails=["anna.schmidt@web.de"], phones=["0171 2345671"]),
            person(2, "anna", surname="Ohm", identifiers=[{"type": "device", "value": "A1B2C3D4E5"}]),
        ],
        default_model(),
    )
    assert (found.records, found.true_pairs, found.pairs) == (3, 3, 1)
    assert (found.reaching_pairs, found.recall_reaching) == (1, 1.0)
    assert rule_of(found, 1).only_true_pairs == 0
    assert [rule.rule for rule in found.rules] == [*(rule.number for rule in RULES), COPIES_RULE]
