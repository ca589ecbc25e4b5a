"""Train a model from comparison forms without labels: u by sampling, m by Splink's EM over several blocking passes, prior from
pairs.

Starts from a base model, whose parameters stay where the data says nothing, and refuses to give a degenerate model. Passes that
block on what a household shares teach how much a household shares; they teach m only where no other pass can.
"""

import hashlib
import logging
import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import pyarrow as pa
from splink import DuckDBAPI, Linker, SettingsCreator

from matching.bulk import RECORD_ID, candidate_pairs, forms_table, score_candidates, splink_comparison
from matching.comparisons import (
    ADDRESS,
    BIRTH_DATE,
    COMPANY,
    EMAIL,
    GENDER,
    GIVEN,
    HOUSEHOLD,
    IDENTIFIER,
    MIDDLE,
    NAMESAKES,
    PHONE,
    SURNAME,
    TWINS,
    Comparison,
)
from matching.estimate import BASE_PAIRS, Mixture, frequencies, monotone, prior_from, shared_bits, smoothed_m, smoothed_u
from matching.forms import ComparisonForm
from matching.model import MOST_WEIGHT, Model, Parameter, comparisons_by_name, match_probability

FEWEST_RECORDS = 100
FEWEST_PAIRS = 50
FEWEST_MATCHES = 20.0
SAMPLED_PAIRS = 300_000
EM_PAIRS = 500_000
LARGEST_BLOCK = 200
EM_ROUNDS = 40
EM_CONVERGENCE = 0.002
MOST_SHARE = 1.0 - 1e-6
FEWEST_BITS = 1.0
FEWEST_TELLING = 2


class TrainingRefused(ValueError):
    """The data cannot train a model that is fit for use; says why, and the old model stays."""


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


@dataclass(frozen=True, slots=True)
class Learned:
    """What one pass taught: the share of its pairs that match, and m and u of each comparison's levels, strongest first."""

    name: str
    household: bool
    pairs: int
    possible_pairs: float
    matching: float
    rounds: int
    converged: bool
    m: Mapping[str, tuple[float, ...]]
    u: Mapping[str, tuple[float, ...]]

    @property
    def matches(self) -> float:
        """The number of matching pairs that it saw, as far as it can tell."""
        return self.pairs * self.matching


def train(
    forms: Sequence[ComparisonForm],
    pairs: pa.Table,
    base: Model,
    extras: Sequence[tuple[str, str]] = (),
    name: str = "trained",
    seed: int = 1,
) -> Model:
    """Train a model. `pairs` are the candidates (record_a, record_b) by position in `forms`, as decimal text.

    A comparison of which the data holds nothing keeps the base model's parameters. The same forms in the same order give the same
    model. Raises: TrainingRefused.
    """
    if len(forms) < FEWEST_RECORDS:
        raise TrainingRefused(f"{len(forms)} records: at least {FEWEST_RECORDS} are needed")
    start = _start(base, extras, len(forms))
    table = forms_table([str(position) for position in range(len(forms))], forms, start.extras)
    sample = _patterns(score_candidates(start, table, _random_pairs(len(forms), seed)))
    u = _u_of(start, sample)
    learned = _passes(start, table, forms, u)
    learned += _household_passes(start, table, forms, u, learned)
    m = _combined_m(start, learned)
    model = _assemble(start, forms, learned, m, u, name)
    # Once more with what was learned: the first time the sample was cleared of matches by the base model's lights.
    model = _assemble(start, forms, learned, m, _u_of(model, sample), name)
    scored = score_candidates(model, table, pairs)
    prior = prior_from(scored.column("weight").to_pylist(), model.prior_weight, _all_pairs(len(forms)))
    _refuse_degenerate(model, learned, scored.num_rows)
    return replace(model, prior=prior, report=_report(model, forms, learned, scored.num_rows), fingerprint="")


def _all_pairs(records: int) -> float:
    return max(records * (records - 1) / 2, 1.0)


def _start(base: Model, extras: Sequence[tuple[str, str]], records: int) -> Model:
    """Begin with the base model's parameters, an even guess for each extra, and one matching pair for every two records."""
    known = dict(zip((comparison.name for comparison in base.comparisons), base.parameters, strict=True))
    wanted = [*base.comparisons, *(one for one in comparisons_by_name(extras).values() if one.extra is not None)]
    wanted = list({one.name: one for one in wanted}.values())
    return Model(
        name="start",
        comparisons=tuple(wanted),
        parameters=tuple(known.get(one.name) or _guess(one) for one in wanted),
        prior=min(0.5, 1.0 / records),
        lines=base.lines,
        extras=tuple(extras),
    )


def _guess(comparison: Comparison) -> tuple[Parameter, ...]:
    """Guess parameters of a comparison that nobody has trained: each level weighs less than the one above."""
    steps = len(comparison.levels)
    m = [0.9 / 2.0**step for step in range(steps - 1)]
    u = [0.05 * 2.0**step for step in range(steps - 1)]
    return tuple(Parameter(one_m, one_u) for one_m, one_u in zip([*m, 1 - min(sum(m), 0.95)], [*u, 0.9], strict=True))


def _patterns(scored: pa.Table, places: Sequence[int] | None = None) -> Counter[tuple[int, ...]]:
    """Count the level patterns of scored pairs; of the comparisons at `places` only, when given."""
    levels = scored.column("levels").to_pylist()
    return Counter(tuple(one) if places is None else tuple(one[place] for place in places) for one in levels)


def _u_of(model: Model, sample: Mapping[tuple[int, ...], int]) -> dict[str, tuple[float, ...]]:
    """Estimate u from the patterns of random pairs, each counted by the probability that it does not match."""
    weights = [[*(one.weight for one in reversed(parameters)), 0.0] for parameters in model.parameters]
    counts = [[0.0] * len(parameters) for parameters in model.parameters]
    for pattern, pairs in sample.items():
        weight = model.prior_weight + sum(one[level] for one, level in zip(weights, pattern, strict=True))
        others = pairs * match_probability(-weight)
        for place, level in enumerate(pattern):
            if level >= 0:
                counts[place][-1 - level] += others
    return {
        comparison.name: smoothed_u(count, parameters)
        for comparison, count, parameters in zip(model.comparisons, counts, model.parameters, strict=True)
    }


def _random_pairs(records: int, seed: int) -> pa.Table:
    """Draw distinct random pairs; all pairs when there are few. Repeatable: a hash of the pair's number takes the place of
    chance."""
    wanted = min(SAMPLED_PAIRS, int(_all_pairs(records)))
    with duckdb.connect() as connection:
        if wanted == int(_all_pairs(records)):
            query = """SELECT a.n::VARCHAR AS record_a, b.n::VARCHAR AS record_b
                       FROM range(?) AS a(n) JOIN range(?) AS b(n) ON a.n < b.n"""
            return connection.sql(query, params=[records, records]).to_arrow_table()
        query = """SELECT DISTINCT least(x, y)::VARCHAR AS record_a, greatest(x, y)::VARCHAR AS record_b FROM (
                     SELECT hash(n, $seed) % $records AS x, hash(n, $seed + 1) % $records AS y FROM range($wanted) AS r(n))
                   WHERE x <> y ORDER BY 1, 2"""
        return connection.sql(query, params={"seed": seed, "records": records, "wanted": wanted}).to_arrow_table()


def _passes(start: Model, table: pa.Table, forms: Sequence[ComparisonForm], u: Mapping[str, Sequence[float]]) -> list[Learned]:
    learned = []
    for one in PASSES:
        keys = _usable_keys([one.key(form) for form in forms])
        pairs = _pairs_of(keys)
        if pairs >= FEWEST_PAIRS and not one.household and _chosen(one, start, table, u):
            learned.append(_run(one, start, table.append_column("pass_key", pa.array(keys, pa.string())), u, pairs))
    return learned


def _household_passes(
    start: Model, table: pa.Table, forms: Sequence[ComparisonForm], u: Mapping[str, Sequence[float]], before: Sequence[Learned]
) -> list[Learned]:
    """Run the passes that block on what a household shares: u is free there, m only where no earlier pass taught it."""
    taught = _combined_m(start, before)
    found = []
    for one in PASSES:
        keys = _usable_keys([one.key(form) for form in forms])
        if one.household and _pairs_of(keys) >= FEWEST_PAIRS:
            found.append(_run_household(one, start, table, keys, u, taught, {name for each in before for name in each.m}))
    return found


def _run_household(
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
    scored = score_candidates(start, table, candidate_pairs(filed.filter(filed.column("blocking_key").is_valid()), LARGEST_BLOCK))
    # Levels count from the weakest; parameters stand strongest first.
    patterns = _patterns(scored, [position for position, _ in chosen])
    weakest_m, weakest_u = ([tuple(reversed(side[name])) for _, name in chosen] for side in (m, u))
    mixture = Mixture(patterns, weakest_m, weakest_u, BASE_PAIRS)
    rounds = mixture.run([name not in taught for _, name in chosen], EM_ROUNDS, EM_CONVERGENCE)
    return Learned(
        name=one.name,
        household=True,
        pairs=scored.num_rows,
        possible_pairs=_all_pairs(sum(key is not None for key in keys)),
        matching=min(mixture.share, MOST_SHARE),
        rounds=rounds,
        converged=rounds < EM_ROUNDS,
        m={name: tuple(reversed(side)) for (_, name), side in zip(chosen, mixture.m, strict=True)},
        u={name: tuple(reversed(side)) for (_, name), side in zip(chosen, mixture.u, strict=True)},
    )


def _usable_keys(keys: list[str | None]) -> list[str | None]:
    """Drop keys held by more records than a household or a namesake explains; hash the rest, so that a key may hold anything."""
    counts: dict[str | None, int] = {}
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    return [None if key is None or counts[key] > LARGEST_BLOCK else _digest(key) for key in keys]


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _pairs_of(keys: Sequence[str | None]) -> int:
    counts: dict[str, int] = {}
    for key in keys:
        if key is not None:
            counts[key] = counts.get(key, 0) + 1
    return sum(count * (count - 1) // 2 for count in counts.values())


def _run(one: Pass, start: Model, table: pa.Table, u: Mapping[str, Sequence[float]], pairs: int) -> Learned:
    """Run Splink's EM on the pairs of one pass, with u as sampled."""
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
    with duckdb.connect() as connection, _quiet_splink():
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
        possible_pairs=_all_pairs(table.num_rows),
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
def _quiet_splink() -> Iterator[None]:
    """Keep Splink's warnings of levels not observed to itself: smoothing answers them, and they would fill the terminal."""
    logger = logging.getLogger("splink")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _combined_m(start: Model, learned: Sequence[Learned]) -> dict[str, tuple[float, ...]]:
    """Average m over the passes that can teach it, each counting by its matches up to a thousand, and smooth towards the base."""
    found = {}
    for comparison, parameters in zip(start.comparisons, start.parameters, strict=True):
        if comparison.correction:
            continue
        teachers = [one for one in learned if comparison.name in one.m and one.matches >= FEWEST_MATCHES]
        teachers = [one for one in teachers if not one.household] or teachers
        counts = [
            sum(min(one.matches, 1000.0) * one.m[comparison.name][step] for one in teachers) for step in range(len(parameters))
        ]
        found[comparison.name] = smoothed_m(counts, parameters)
    return found


def _assemble(
    start: Model,
    forms: Sequence[ComparisonForm],
    learned: Sequence[Learned],
    m: Mapping[str, Sequence[float]],
    u: Mapping[str, Sequence[float]],
    name: str,
) -> Model:
    trained = {
        comparison.name: monotone(m[comparison.name], _held_down(comparison, m[comparison.name], u[comparison.name]))
        if comparison.name in m
        else parameters
        for comparison, parameters in zip(start.comparisons, start.parameters, strict=True)
    }
    trained |= _corrections(start, learned, trained)
    salt = _digest("\x1f".join(sorted(form.surname or "" for form in forms)))
    kept = {}
    for comparison in start.comparisons:
        for level, parameter in zip(comparison.levels, trained[comparison.name], strict=True):
            found = frequencies(forms, level.frequency, salt, parameter.u) if level.frequency else None
            if level.frequency and found:
                kept[level.frequency] = found
    parameters = tuple(trained[comparison.name] for comparison in start.comparisons)
    return replace(start, name=name, parameters=parameters, frequencies=kept, salt=salt, fingerprint="")


def _held_down(comparison: Comparison, m: Sequence[float], u: Sequence[float]) -> tuple[float, ...]:
    """Raise u where a level would weigh more than it may."""
    most = [MOST_WEIGHT.get((comparison.name, level.name)) for level in comparison.levels]
    return tuple(one_u if bits is None else max(one_u, one_m / 2.0**bits) for one_m, one_u, bits in zip(m, u, most, strict=True))


def _corrections(
    start: Model, learned: Sequence[Learned], trained: Mapping[str, tuple[Parameter, ...]]
) -> dict[str, tuple[Parameter, ...]]:
    """Set what a shared home takes back: the difference between what agreement there is worth and what the sum over comparisons
    says.

    In a home the odds of a match are those that the household pass found, whatever contacts are shared; each further contact
    and the surname are worth less by how much commoner their agreement is among its people. Nothing is taken back where no two
    people share a home; without such a pass the base model's corrections stay.
    """
    taught = {one.name: one for one in learned if one.household and one.matches >= FEWEST_MATCHES}
    return _home_corrections(start, taught, trained) | _name_corrections(taught, trained)


def _name_corrections(
    taught: Mapping[str, Learned], trained: Mapping[str, tuple[Parameter, ...]]
) -> dict[str, tuple[Parameter, ...]]:
    """Set what is taken back of one full name in two people: how much likelier it is, alone and by area, than its parts say."""
    teacher = taught.get(BY_NAMES)
    if teacher is None:
        return {}
    others = teacher.pairs * (1.0 - teacher.matching)
    exact = [trained[one.name][[level.name for level in one.levels].index("exact")].u for one in (GIVEN, SURNAME)]
    alone = shared_bits((others + 1.0) / teacher.possible_pairs, exact[0] * exact[1] + 1.0 / teacher.possible_pairs)
    names = [level.name for level in ADDRESS.levels]

    def area(first: str, last: str) -> float:
        """Bits by which agreement between two levels of the address is overrated between namesakes."""
        if ADDRESS.name not in teacher.u:
            return 0.0
        places = range(names.index(first), names.index(last) + 1)
        common = sum(trained[ADDRESS.name][place].u for place in places)
        seen = (others * sum(teacher.u[ADDRESS.name][place] for place in places) + BASE_PAIRS * common) / (others + BASE_PAIRS)
        return shared_bits(seen, common)

    areas = (area("same_home", "same_house"), area("same_street", "same_postal_code"), area("same_city", "same_city"), 0.0)
    return {NAMESAKES.name: tuple(Parameter(2.0 ** -(alone + bits), 1.0) for bits in areas)}


def _home_corrections(
    start: Model, taught: Mapping[str, Learned], trained: Mapping[str, tuple[Parameter, ...]]
) -> dict[str, tuple[Parameter, ...]]:
    """Set what is taken back of a shared home and of a birth date shared there, from the best pass that blocks on a contact."""
    found = next(((taught[name], entry) for name, entry in CONTACT_PASSES.items() if name in taught), None)
    if found is None:
        return {}
    teacher, entry = found
    lent = _lent(teacher, trained)
    one = min(0.0, _gained(teacher, start, trained[entry.name][0].weight) - lent(SURNAME))
    steps = sorted((lent(comparison) for comparison in CONTACT_PASSES.values() if comparison is not entry), reverse=True)
    family = taught.get(BY_FAMILY)
    area = 0.0
    if family is not None:
        postal = trained[ADDRESS.name][[level.name for level in ADDRESS.levels].index("same_postal_code")].weight
        area = min(0.0, _gained(family, start, trained[SURNAME.name][0].weight + postal))
    shared = (one - steps[0] - steps[1], one - steps[0], one, max(area, one - steps[0] - steps[1]))
    twins = lent(BIRTH_DATE)
    return {
        HOUSEHOLD.name: tuple(Parameter(2.0**bits, 1.0) for bits in shared),
        TWINS.name: tuple(Parameter(2.0**bits, 1.0) for bits in (-twins, -twins / 2.0)),
    }


def _gained(teacher: Learned, start: Model, agreement: float) -> float:
    """Say how far the odds of a match among the pairs of a pass differ from what the sum over comparisons would say, in bits."""
    return math.log2(teacher.matching / (1.0 - teacher.matching)) - start.prior_weight - agreement


def _lent(teacher: Learned, trained: Mapping[str, tuple[Parameter, ...]]) -> Callable[[Comparison], float]:
    """Say for a comparison by how many bits the agreement of two people of one home is overrated."""
    others = teacher.pairs * (1.0 - teacher.matching)

    def lent(comparison: Comparison) -> float:
        if comparison.name not in teacher.u or comparison.name not in trained:
            return 0.0
        step = [level.name for level in comparison.levels].index("same_home" if comparison is ADDRESS else "exact")
        common = trained[comparison.name][step].u
        seen = (others * teacher.u[comparison.name][step] + BASE_PAIRS * common) / (others + BASE_PAIRS)
        return shared_bits(seen, common)

    return lent


def _refuse_degenerate(model: Model, learned: Sequence[Learned], candidates: int) -> None:
    """Refuse a model that cannot tell people apart. Raises: TrainingRefused."""
    if candidates < FEWEST_PAIRS:
        raise TrainingRefused(f"{candidates} candidate pairs: at least {FEWEST_PAIRS} are needed")
    teachers = [one for one in learned if one.matches >= FEWEST_MATCHES]
    if not teachers:
        raise TrainingRefused("no blocking pass has enough matching pairs to learn from")
    if not any(one.converged for one in teachers):
        raise TrainingRefused(f"EM did not converge within {EM_ROUNDS} rounds on any blocking pass")
    telling = [
        comparison.name
        for comparison, parameters in zip(model.comparisons, model.parameters, strict=True)
        if not comparison.correction and parameters[0].weight - parameters[-1].weight > FEWEST_BITS
    ]
    if len(telling) < FEWEST_TELLING:
        raise TrainingRefused("fewer than two comparisons tell matching from other pairs")


def _report(model: Model, forms: Sequence[ComparisonForm], learned: Sequence[Learned], candidates: int) -> dict[str, Any]:
    taught = {name for one in learned for name in one.m}
    return {
        "records": len(forms),
        "candidate_pairs": candidates,
        "passes": [
            {
                "blocks_on": one.name,
                "pairs": one.pairs,
                "matching": round(one.matching, 6),
                "rounds": one.rounds,
                "converged": one.converged,
            }
            for one in learned
        ],
        "kept_from_base": sorted(one.name for one in model.comparisons if not one.correction and one.name not in taught),
    }
