"""A plain, well-made Splink 5 run over the same standardized records, set up as its documentation teaches.

Columns, `columns`: what we compare, laid out flat; placeholders, shared addresses and echoes are gone for it as they are for us.
Comparisons, `comparisons`: its own library's, with term frequencies wherever it has them; those of empty columns stay out.
Prior: deterministic rules, at a recall of 0.7. u: 10 million random pairs. m: EM over each of `PASSES` and over equal identifiers
of each type, where there are at least 100 pairs. Blocking: `OWN_RULES`, or our candidate pairs. Clusters:
cluster_pairwise_predictions_at_threshold. Tried on the typical retailer, and worse: EM over equal e-mail or phone, which families
share; ForenameSurnameComparison; a comparison for each part of the address; no phonetic column.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.clustering import cluster_pairwise_predictions_at_threshold

from bench.thresholds import best_thresholds
from matching.evaluate import Labelled, Prepared
from matching.forms import comparison_form
from matching.metrics import Measure, bcubed, pairwise
from matching.passes import quiet_splink
from matching.record import Address, StandardRecord

SAMPLED_PAIRS = 1e7
RECALL_OF_RULES = 0.7
LEAST_FILLED = 0.01
FEWEST_PAIRS = 100
LEAST_WEIGHT = -20.0
ID = "unique_id"
IDENTIFIER = "id_"
LISTS = frozenset({"phones", "given_sound", "surname_sound"})
DETERMINISTIC = (
    ("given", "surname", "birth"),
    ("given", "surname", "email"),
    ("given", "surname", "phone"),
    ("given", "surname", "home", "postcode"),
)
PASSES = (("given", "surname"), ("birth",))
OWN_RULES = (
    ("given", "surname"),
    ("birth",),
    ("email",),
    ("phones",),
    ("home",),
    ("surname", "postcode"),
    ("given", "postcode"),
    ("surname", "street"),
    ("given", "street"),
    ("substr(given, 1, 2)", "substr(surname, 1, 3)", "city"),
    ("company",),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it did with some candidate pairs, at the best threshold (bits) for each measure by the truth.

    `best_f1` is what the choice of the threshold foresaw of its pairwise F1, `parts` the clusters there.
    """

    pairs: int
    best_f1: float
    pairwise: Measure
    pairwise_threshold: float
    bcubed: Measure
    bcubed_threshold: float
    parts: tuple[int, ...]


def columns(record: StandardRecord) -> dict[str, Any]:
    """Lay a standard record out flat: one value each of what it has, all phones, and each type of identifier by itself."""
    form = comparison_form(record)
    address = next((one for one in record.addresses if not one.shared and not one.echo), Address())
    street = address.street_key or address.place_key
    tokens = [token.partition("|") for token in form.identifiers or ()]
    return {
        "given": form.given or form.initial,
        "given_sound": [form.given_phonetic] if form.given_phonetic else None,
        "surname": form.surname,
        "surname_sound": [form.surname_phonetic] if form.surname_phonetic else None,
        "middle": form.middle or form.middle_initial,
        "birth": form.birth,
        "gender": form.gender,
        "email": form.emails[0] if form.emails else None,
        "phone": form.phones[0] if form.phones else None,
        "phones": list(form.phones) if form.phones else None,
        "street": street,
        "house": address.house_number,
        "home": f"{address.house_number} {street}" if street and address.house_number else None,
        "postcode": address.postal_key,
        "city": address.city_key,
        "company": form.company,
        **{IDENTIFIER + kind: rest for kind, _, rest in reversed(tokens)},
    }


class Rival:
    """Splink, trained on some records without their labels. A context: it holds a DuckDB connection."""

    def __init__(self, records: Sequence[Labelled]) -> None:
        self._truth = [one.truth for one in records]
        self._place = {one.record_id: position for position, one in enumerate(records)}
        self._connection = duckdb.connect()
        self._connection.execute("SET lambda_syntax = 'ENABLE_SINGLE_ARROW'")  # Splink 5.0.0 still writes lambdas so.
        self._api = DuckDBAPI(connection=self._connection)
        self._table = _table([columns(one.record) for one in records])
        self._connection.register("given", self._table)
        with quiet_splink():
            self._linker = self._trained()

    def __enter__(self) -> "Rival":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def _trained(self) -> Linker:
        identifiers = [(name,) for name in self._table.column_names if name.startswith(IDENTIFIER)]
        settings = SettingsCreator(
            link_type="dedupe_only",
            unique_id_column_name=ID,
            comparisons=comparisons(self._table),
            blocking_rules_to_generate_predictions=[_rule(*one) for one in (*OWN_RULES, *identifiers) if self._has(*one)],
            retain_matching_columns=False,
            retain_intermediate_calculation_columns=False,
        )
        linker = Linker(self._api.register(self._table), settings, log_level=None)
        sure = [one for one in (*DETERMINISTIC, *identifiers) if self._has(*one) and one != ("id_device",)]
        if any(map(self._pairs_of, sure)):  # Of no pair at all Splink makes a prior of 0, and fails at its logarithm.
            rules = [_rule(*one) for one in sure]
            linker.training.estimate_probability_two_random_records_match(rules, recall=RECALL_OF_RULES)
        linker.training.estimate_u_using_random_sampling(max_pairs=SAMPLED_PAIRS, seed=1)
        for one in (*PASSES, *identifiers):
            if self._has(*one) and self._pairs_of(one) >= FEWEST_PAIRS:
                with suppress(ValueError):  # Splink 5.0 gives up a pass in which a share falls below 1e-300.
                    linker.training.estimate_parameters_using_expectation_maximisation(_rule(*one))
        return linker

    def _has(self, *names: str) -> bool:
        return all("(" in name or name in self._table.column_names for name in names)

    def _pairs_of(self, names: Sequence[str]) -> int:
        listed = ", ".join(names)
        told = " AND ".join(f"{name} IS NOT NULL" for name in names)
        query = f"SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM given WHERE {told} GROUP BY {listed})"
        return int(self._connection.sql(query).fetchall()[0][0] or 0)

    def outcome(self, prepared: Prepared | None = None) -> Outcome:
        """Score its own blocking rules' pairs, or (from then on) our candidates, and cluster at the best thresholds."""
        with quiet_splink():
            if prepared is not None:
                self._linker.table_management.register_blocked_pairs_for_predict(self._api.register(self._blocked(prepared)))
            found = self._linker.inference.predict(threshold_match_weight=LEAST_WEIGHT, warning_mode="never")
            edges = found.as_duckdbpyrelation().select("match_weight", f"{ID}_l", f"{ID}_r").to_arrow_table()
        weights, ones, others = (column.to_pylist() for column in edges.columns)
        scored = zip(weights, map(int, ones), map(int, others), strict=True)
        best, best_cubes = best_thresholds(scored, self._truth)
        parts = self._clusters(edges, best.threshold)
        cubes = self._clusters(edges, best_cubes.threshold)
        return Outcome(
            edges.num_rows,
            best.f1,
            pairwise(parts, self._truth),
            best.threshold,
            bcubed(cubes, self._truth),
            best_cubes.threshold,
            tuple(parts),
        )

    def _blocked(self, prepared: Prepared) -> pa.Table:
        """Our candidate pairs in Splink's words."""
        sides = (prepared.pairs.column(side).to_pylist() for side in ("record_a", "record_b"))
        pairs = [sorted((self._place[a], self._place[b])) for a, b in zip(*sides, strict=True)]
        lower, upper = ([_name(pair[side]) for pair in pairs] for side in (0, 1))
        return pa.table({"match_key": ["0"] * len(pairs), "join_key_l": lower, "join_key_r": upper})

    def _clusters(self, edges: pa.Table, threshold: float) -> list[int]:
        """Number the cluster of each record, in their order."""
        kept = edges.filter(pa.array([weight >= threshold for weight in edges.column("match_weight").to_pylist()], pa.bool_()))
        with quiet_splink():
            nodes, links = self._api.register(self._table.select([ID])), self._api.register(kept)
            found = cluster_pairwise_predictions_at_threshold(nodes, links, self._api, ID)
        clusters = dict(found.as_duckdbpyrelation().select(ID, "cluster_id").fetchall())
        return [int(clusters[_name(position)]) for position in range(len(self._truth))]


def comparisons(table: pa.Table) -> list[Any]:
    """Its library's comparisons of the columns that at least one record in a hundred fills."""
    filled = {
        name for name in table.column_names if table.num_rows - table.column(name).null_count > LEAST_FILLED * table.num_rows
    }
    known = {
        "given": cl.NameComparison("given", dmeta_col_name="given_sound"),
        "surname": cl.NameComparison("surname", dmeta_col_name="surname_sound"),
        "middle": cl.JaroWinklerAtThresholds("middle", [0.9]),
        "birth": cl.DateOfBirthComparison("birth", input_is_string=True, invalid_dates_as_null=False),
        "gender": cl.ExactMatch("gender"),
        "email": cl.EmailComparison("email"),
        "phones": cl.PairwiseStringDistanceFunctionAtThresholds("phones", "damerau_levenshtein", [1]),
        "street": _home(),
        "postcode": _area(),
        "company": cl.JaroWinklerAtThresholds("company", [0.92, 0.85]).configure(term_frequency_adjustments=True),
    }
    known |= {name: cl.DamerauLevenshteinAtThresholds(name, [1, 2]) for name in sorted(filled) if name.startswith(IDENTIFIER)}
    return [comparison for name, comparison in known.items() if name in filled]


def _home() -> Any:
    return cl.CustomComparison(
        output_column_name="home_levels",
        comparison_levels=[
            cll.NullLevel("street"),
            cll.ExactMatchLevel("home", term_frequency_adjustments=True),
            cll.And(cll.ExactMatchLevel("house"), cll.JaroWinklerLevel("street", 0.9)),
            cll.ExactMatchLevel("street"),
            cll.JaroWinklerLevel("street", 0.9),
            cll.ElseLevel(),
        ],
    )


def _area() -> Any:
    missing = "(postcode_l IS NULL OR postcode_r IS NULL) AND (city_l IS NULL OR city_r IS NULL)"
    return cl.CustomComparison(
        output_column_name="area_levels",
        comparison_levels=[
            {"sql_condition": missing, "is_null_level": True, "label_for_charts": "missing"},
            cll.ExactMatchLevel("postcode", term_frequency_adjustments=True),
            cll.LevenshteinLevel("postcode", 1),
            cll.ExactMatchLevel("city", term_frequency_adjustments=True),
            cll.JaroWinklerLevel("city", 0.9),
            cll.ElseLevel(),
        ],
    )


def _rule(*names: str) -> Any:
    exploded = [name for name in names if name in LISTS]
    return block_on(*names, arrays_to_explode=exploded or None)


def _table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    names = {name: None for row in rows for name in row}
    made = {ID: pa.array([_name(position) for position in range(len(rows))], pa.string())}
    for name in names:
        kind = pa.list_(pa.string()) if name in LISTS else pa.string()
        made[name] = pa.array([row.get(name) for row in rows], kind)
    return pa.table(made)


def _name(position: int) -> str:
    return f"{position:09}"
