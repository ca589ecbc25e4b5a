"""A model said in Splink's terms, and the SQL that Splink writes for its levels.

Loaded by whoever scores in bulk or trains: loading Splink takes half a second. Computes nothing, stores nothing.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from splink import SettingsCreator
from splink.internals.comparison_vector_values import compute_comparison_vector_values_from_id_pairs_sqls

from matching.comparisons import Comparison, comparison_column
from matching.forms import RECORD_ID
from matching.model import Model, Parameter


@lru_cache(maxsize=4)
def levels_sql(model: Model) -> str:
    """Have Splink write the common table expressions that compute the level of each comparison of the blocked pairs.

    That takes 0.3 s, most of what a small bulk run takes, and hangs on the model alone.
    """
    settings = splink_settings(model, frequencies=False).get_settings("duckdb")
    queries = compute_comparison_vector_values_from_id_pairs_sqls(
        settings._columns_to_select_for_blocking,
        settings._columns_to_select_for_comparison_vector_values,
        input_tablename_l="forms",
        input_tablename_r="forms",
        source_dataset_input_column=settings.column_info_settings.source_dataset_input_column,
        unique_id_input_column=settings.column_info_settings.unique_id_input_column,
    )
    return ", ".join(f"{query['output_table_name']} AS ({query['sql']})" for query in queries)


def splink_settings(model: Model, frequencies: bool = True) -> SettingsCreator:
    """Say a model in Splink's terms: the same levels, m and u, for DuckDB; with or without term frequency adjustments."""
    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name=RECORD_ID,
        probability_two_random_records_match=model.prior,
        comparisons=[
            splink_comparison(position, comparison, parameters, model.frequencies if frequencies else {})
            for position, (comparison, parameters) in enumerate(zip(model.comparisons, model.parameters, strict=True))
        ],
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=True,
    )


def splink_comparison(
    position: int, comparison: Comparison, parameters: Sequence[Parameter], frequencies: Mapping[str, Any]
) -> dict[str, Any]:
    """Say one comparison in Splink's terms. Splink numbers levels as we do: from the last up, the null level -1."""
    levels: list[dict[str, Any]] = [
        {"sql_condition": comparison.null.sql(), "is_null_level": True, "label_for_charts": "missing"}
    ]
    for level, parameter in zip(comparison.levels, parameters, strict=True):
        entry = {
            "sql_condition": level.condition.sql(),
            "label_for_charts": level.name,
            "m_probability": parameter.m,
            "u_probability": parameter.u,
        }
        if level.frequency in frequencies:
            # Splink would look for an exact-match level by parsing the SQL; our base is the level's own u.
            entry |= {"tf_adjustment_column": level.frequency, "disable_tf_exact_match_detection": True}
        levels.append(entry)
    return {"output_column_name": comparison_column(position), "comparison_levels": levels}
