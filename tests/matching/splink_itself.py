"""Splink's own scoring, by its public API alone, to compare ours with."""

from typing import Any

import pyarrow as pa
from splink import DuckDBAPI, Linker

from matching.model import Model
from matching.splink_form import splink_settings


def splink_predictions(model: Model, forms: pa.Table, pairs: pa.Table) -> list[dict[str, Any]]:
    """Let Splink's own public API predict."""
    api = DuckDBAPI()
    linker = Linker(api.register(forms), splink_settings(model), log_level=None)
    for column in sorted(model.frequencies):
        values = sorted({value for value in forms.column(column).to_pylist() if value is not None})
        shares = pa.array([model.frequency(column, value) for value in values], pa.float64())
        table = pa.table({column: pa.array(values, pa.string()), f"tf_{column}": shares})
        linker.table_management.register_term_frequency_lookup(api.register(table), column)
    blocked = pairs.rename_columns(["join_key_l", "join_key_r"]).append_column("match_key", pa.array(["0"] * pairs.num_rows))
    linker.table_management.register_blocked_pairs_for_predict(api.register(blocked))
    predicted: list[dict[str, Any]] = linker.inference.predict(warning_mode="never").as_record_list()
    return predicted
