"""Training passes: Splink's EM over pairs that agree on something, and what each pass may teach.

Passes that block on what a household shares teach how much a household shares; they teach m only where no other pass can.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pyarrow as pa
from splink import DuckDBAPI, Linker, SettingsCreator

from matching.bulk import candidate_pairs, score_candidates
from matching.comparisons import (
    ADDRESS,
    BIRTH_DATE,
    COMPANY,
    EMAIL,
    GENDER,
    GIVEN,
    IDENTIFIER,
    MIDDLE,
    PHONE,
    SURNAME,
    Comparison,
)
from matching.estimate import BASE_PAIRS, RAREST, Mixture
from matching.forms import RECORD_ID, ComparisonForm
from matching.hot_keys import HotLimits
from matching.model import Model, Parameter
from matching.splink_form import splink_comparison
from matching.teaching import COUNTED, Learned, believed, combined_m

# A pass of fewer pairs says less of a level than the base model, which counts for as many (BASE_PAIRS). Of the 50 doubles of
# RLdata500 33 agree on the birth date.
FEWEST_PAIRS = 30
EM_PAIRS = 500_000
LARGEST_BLOCK = 200
# Splink's own 25 rounds and 0.0001 leave a level's weight 1.1 and 0.8 bits from where EM ends (1,500 simulated customers), these
# 0.1. The slowest pass of the model that ships takes 73 rounds; one that takes 400 is told of as not converged.
EM_ROUNDS = 400
EM_CONVERGENCE = 0.00002
MOST_SHARE = 1.0 - 1e-6


@dataclass(frozen=True, slots=True)
class Pass:
    """A training pass: pairs that agree on `key` of a form. It teaches nothing of `used`. `household`: people of one home agree
    too."""

    name: str
    key: Callable[[ComparisonForm], str | None]
    used: frozenset[str]
    household: bool = False


def _first(values: Sequence[str] | None) -> str | None:
    return values[0] if values else None


# The passes that say what a shared contact is worth, the best first, and the comparison that each blocks on.
CONTACT_PASSES = {"building": ADDRESS, "phone": PHONE, "e-mail": EMAIL}
BY_FAMILY = "surname and postal code"
BY_NAMES = "namesakes"
# What tells the people of one company apart says nothing of how one person's records differ.
PERSONAL = (GIVEN.name, SURNAME.name, MIDDLE.name, BIRTH_DATE.name, GENDER.name)
PASSES: tuple[Pass, ...] = (
    Pass("birth date", lambda form: form.birth, frozenset({BIRTH_DATE.name})),
    Pass(
        "given name and surname",
        lambda form: f"{form.given}|{form.surname}" if form.given and form.surname else None,
        frozenset({GIVEN.name, SURNAME.name}),
    ),
    Pass(
        BY_NAMES,
        lambda form: f"{form.given}|{form.surname}" if form.given and form.surname else None,
        frozenset({GIVEN.name, SURNAME.name}),
        household=True,
    ),
    Pass("identifier", lambda form: _first(form.identifiers), frozenset({IDENTIFIER.name}), household=True),
    Pass("company name", lambda form: form.company, frozenset({COMPANY.name, *PERSONAL}), household=True),
    Pass("building", lambda form: _first(form.buildings), frozenset({ADDRESS.name}), household=True),
    Pass(
        BY_FAMILY,
        lambda form: f"{form.surname}|{form.postals[0]}" if form.surname and form.postals else None,
        frozenset({SURNAME.name, ADDRESS.name}),
        household=True,
    ),
    Pass("phone", lambda form: _first(form.phones), frozenset({PHONE.name}), household=True),
    Pass("e-mail", lambda form: _first(form.emails), frozenset({EMAIL.name}), household=True),
)


def pairs_among(records: int) -> float:
    """How many pairs so many records make."""
    return max(records * (records - 1) / 2, 1.0)


def level_patterns(scored: pa.Table, places: Sequence[int] | None = None) -> Counter[tuple[int, ...]]:
    """Count the level patterns of scored pairs; of the comparisons at `places` only, when given."""
    levels = scored.column("levels").to_pylist()
    return Counter(tuple(one) if places is None else tuple(one[place] for place in places) for one in levels)


def learn_from_people(
    start: Model, table: pa.Table, forms: Sequence[ComparisonForm], u: Mapping[str, Sequence[float]]
) -> list[Learned]:
    learned = []
    for one in PASSES:
        keys = _usable_keys([one.key(form) for form in forms])
        if not one.household and _pairs_of(keys) >= FEWEST_PAIRS and _chosen(one, start, table, u):
            learned.append(believed(_run(one, start, table, keys, u)))
    return learned


def learn_from_households(
    start: Model, table: pa.Table, forms: Sequence[ComparisonForm], u: Mapping[str, Sequence[float]], before: Sequence[Learned]
) -> list[Learned]:
    """Run the passes that block on what a household shares: u is free there, m only where no earlier pass taught it."""
    taught, known = combined_m(start, before), {name for each in before for name in each.m}
    found = []
    for one in PASSES:
        keys = _usable_keys([one.key(form) for form in forms])
        if one.household and _pairs_of(keys) >= FEWEST_PAIRS and _chosen(one, start, table, u):
            found.append(believed(_run_mixture(one, start, table, keys, u, taught, known)))
    return found


def _run_mixture(
    one: Pass,
    start: Model,
    table: pa.Table,
    keys: Sequence[str | None],
    u: Mapping[str, Sequence[float]],
    m: Mapping[str, tuple[float, ...]],
    taught: Collection[str],
) -> Learned:
    chosen = [
        (position, comparison.name)
        for position, comparison in enumerate(start.comparisons)
        if comparison.name not in one.used and not comparison.correction
    ]
    filed = pa.table({"blocking_key": pa.array(keys, pa.string()), RECORD_ID: table.column(RECORD_ID)})
    scored = score_candidates(
        start, table, candidate_pairs(filed.filter(filed.column("blocking_key").is_valid()), HotLimits.alike(LARGEST_BLOCK))
    )
    told = _Told(one, start, m, u)
    patterns = level_patterns(scored, [*(position for position, _ in chosen), *told.places])
    # Levels count from the weakest; parameters stand strongest first.
    weakest_m, weakest_u = ([tuple(reversed(side[name])) for _, name in chosen] for side in (m, u))
    mixture = Mixture(patterns, [*weakest_m, *told.m], [*weakest_u, *told.u], BASE_PAIRS)
    free = [*(name not in taught for _, name in chosen), *(True for _ in told.places)]
    rounds = mixture.run(free, EM_ROUNDS, EM_CONVERGENCE, free_u=one.household)
    names = [name for _, name in chosen]
    return Learned(
        name=one.name,
        household=one.household,
        pairs=scored.num_rows,
        possible_pairs=pairs_among(sum(key is not None for key in keys)),
        matching=min(mixture.share, MOST_SHARE),
        rounds=rounds,
        converged=rounds < EM_ROUNDS,
        m={name: tuple(reversed(side)) for name, side in zip(names, mixture.m, strict=False)},
        u={name: tuple(reversed(side)) for name, side in zip(names, mixture.u, strict=False)},
        apart=told.apart(mixture),
    )


class _Told:
    """The comparison that a pass blocks on, where several of its levels say that the block's value is shared: an address that
    holds its holder's name is shared by other people than one that does not. Only how these levels differ is learned from."""

    def __init__(self, one: Pass, start: Model, m: Mapping[str, Sequence[float]], u: Mapping[str, Sequence[float]]) -> None:
        names = [comparison.name for comparison in start.comparisons]
        self.comparison, counted = COUNTED.get(one.name, (EMAIL, ()))
        is_told = len(counted) > 1 and self.comparison.name in names and self.comparison.name in m
        self.places = [names.index(self.comparison.name)] if is_told else []
        self.m, self.u = ([self._within(side[self.comparison.name], counted)] if is_told else [] for side in (m, u))

    def _within(self, shares: Sequence[float], counted: Collection[str]) -> tuple[float, ...]:
        """Give the shares of the counted levels among themselves, weakest level first."""
        kept = [share if level.name in counted else 0.0 for level, share in zip(self.comparison.levels, shares, strict=True)]
        return tuple(max(share / sum(kept), RAREST) for share in reversed(kept))

    def apart(self, mixture: Mixture) -> dict[str, float]:
        """Count the pairs that do not match by their level of the comparison, each by its probability."""
        found: dict[str, float] = {}
        for pattern, pairs in mixture.patterns.items() if self.places else ():
            name = self.comparison.level_name(pattern[-1])
            found[name] = found.get(name, 0.0) + pairs * (1.0 - mixture.probability(pattern))
        return found


def _usable_keys(keys: list[str | None]) -> list[str | None]:
    """Drop keys held by more records than a household or a namesake explains; hash the rest, so that a key may hold anything."""
    counts: dict[str | None, int] = {}
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    return [None if key is None or counts[key] > LARGEST_BLOCK else digest(key) for key in keys]


def digest(text: str) -> str:
    """Hash a text, of a key or for a salt, to 128 bits as hex."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _pairs_of(keys: Sequence[str | None]) -> int:
    counts: dict[str, int] = {}
    for key in keys:
        if key is not None:
            counts[key] = counts.get(key, 0) + 1
    return sum(count * (count - 1) // 2 for count in counts.values())


def _run(one: Pass, start: Model, table: pa.Table, keys: Sequence[str | None], u: Mapping[str, Sequence[float]]) -> Learned:
    """Run Splink's EM on the pairs of one pass, with u as sampled; our own where a share falls below what Splink can hold."""
    try:
        return _run_splink(one, start, table.append_column("pass_key", pa.array(keys, pa.string())), u, _pairs_of(keys))
    except ValueError:  # "m_probability value 0.0 is below the minimum": at a level that ever fewer matching pairs are at.
        return _run_mixture(one, start, table, keys, u, combined_m(start, ()), ())


def _run_splink(one: Pass, start: Model, table: pa.Table, u: Mapping[str, Sequence[float]], pairs: int) -> Learned:
    chosen = _chosen(one, start, table, u)
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name=RECORD_ID,
        probability_two_random_records_match=0.5,
        comparisons=[splink_comparison(position, comparison, parameters, {}) for position, comparison, parameters in chosen],
        em_convergence=EM_CONVERGENCE,
        max_iterations=EM_ROUNDS,
        retain_matching_columns=False,
    )
    with duckdb.connect() as connection, quiet_splink():
        linker = Linker(DuckDBAPI(connection=connection).register(table), settings, log_level=None)
        session = linker.training.estimate_parameters_using_expectation_maximisation(
            "l.pass_key = r.pass_key",
            estimate_without_term_frequencies=True,
            fix_u_probabilities=True,
            max_pairs=EM_PAIRS if pairs > EM_PAIRS else None,
        )
        final = session.core_model_settings
        rounds = len(session._core_model_settings_history) - 1
    levels = [comparison.comparison_levels[1:] for comparison in final.comparisons]
    names = [comparison.name for _, comparison, _ in chosen]
    return Learned(
        name=one.name,
        household=False,
        pairs=pairs,
        possible_pairs=pairs_among(table.num_rows - table.column("pass_key").null_count),
        matching=min(float(final.probability_two_random_records_match), MOST_SHARE),
        rounds=rounds,
        converged=rounds < EM_ROUNDS,
        m={name: tuple(float(level.m_probability or 0.0) for level in found) for name, found in zip(names, levels, strict=True)},
        u={name: tuple(float(level.u_probability or 0.0) for level in found) for name, found in zip(names, levels, strict=True)},
    )


def _chosen(
    one: Pass, start: Model, table: pa.Table, u: Mapping[str, Sequence[float]]
) -> list[tuple[int, Comparison, list[Parameter]]]:
    """List the comparisons that a pass can teach, with their positions and first parameters; those without data stay out."""
    return [
        (position, comparison, [Parameter(p.m, one_u) for p, one_u in zip(parameters, u[comparison.name], strict=True)])
        for position, (comparison, parameters) in enumerate(zip(start.comparisons, start.parameters, strict=True))
        if comparison.name not in one.used and not comparison.correction and _has_data(comparison, table)
    ]


def _has_data(comparison: Comparison, table: pa.Table) -> bool:
    """Say whether any record has a column that the comparison's null condition looks at."""
    condition = comparison.null.sql()
    named = [column for column in table.column_names if f"{column}_l" in condition]
    return any(table.column(column).null_count < table.num_rows for column in named)


@contextmanager
def quiet_splink() -> Iterator[None]:
    """Keep Splink's warnings of levels not observed to itself: smoothing answers them, and they would fill the terminal."""
    logger = logging.getLogger("splink")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
