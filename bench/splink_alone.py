"""Bare Splink 5 as its documentation would have it, on our standardized columns: train, predict, cluster."""

import time
from dataclasses import dataclass
from typing import Any, Self

import pyarrow as pa
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.internals.blocking_rule_creator import BlockingRuleCreator

SEED = 7
THRESHOLD = 0.95
LINE_WEIGHT = -6.0
MOST_RANDOM_PAIRS = 1e6
FIRSTS = {"email": "emails", "phone": "phones", "postal": "postals", "city": "cities"}
SINGLE = ("record_id", "given", "surname", "birth", "given_phonetic", "surname_phonetic")
RULES: list[BlockingRuleCreator | dict[str, Any]] = [
    block_on("email"), block_on("phone"), block_on("surname", "given"), block_on("birth"), block_on("surname", "postal"),
    block_on("given", "postal"),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class SplinkAlone:
    """Seconds of training and of predicting with clustering, and how many pairs it scored at or above the line."""

    trained: float
    resolved: float
    pairs: int

    @classmethod
    def run(cls, forms: pa.Table) -> Self:
        """Do it on a `forms_table`: multi-valued columns by their first value, since Splink's own comparisons take one."""
        api = DuckDBAPI()
        linker = Linker(api.register(_columns(forms)), _settings(), log_level=None)
        started = time.perf_counter()
        _train(linker)
        trained = time.perf_counter()
        predicted = linker.inference.predict(threshold_match_weight=LINE_WEIGHT, warning_mode="never")
        linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, threshold_match_probability=THRESHOLD)
        resolved = time.perf_counter()
        return cls(trained - started, resolved - trained, len(predicted.as_record_list()))


def _columns(forms: pa.Table) -> pa.Table:
    firsts = {name: _first(forms.column(column)) for name, column in FIRSTS.items()}
    return pa.table({name: forms.column(name) for name in SINGLE} | firsts)


def _first(values: pa.ChunkedArray) -> pa.Array:
    """The first of each list; null of none."""
    return pa.array([one[0] if one else None for one in values.to_pylist()], pa.string())


def _settings() -> SettingsCreator:
    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record_id",
        comparisons=[
            cl.NameComparison("given"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("birth", input_is_string=True),
            cl.EmailComparison("email"),
            cl.ExactMatch("phone"),
            cl.ExactMatch("postal").configure(term_frequency_adjustments=True),
            cl.ExactMatch("city").configure(term_frequency_adjustments=True),
        ],
        blocking_rules_to_generate_predictions=RULES,
    )


def _train(linker: Linker) -> None:
    linker.training.estimate_probability_two_random_records_match([block_on("email"), block_on("phone")], recall=0.6)
    linker.training.estimate_u_using_random_sampling(max_pairs=MOST_RANDOM_PAIRS, seed=SEED)
    for rule in (block_on("surname", "given"), block_on("email"), block_on("phone")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
