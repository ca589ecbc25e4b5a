"""Training: parameters that made the data are found again, degenerate data is refused, and the same data gives the same model."""

import dataclasses
import json
import math
import random
from collections.abc import Sequence

import pyarrow as pa
import pytest

from matching.bulk import candidate_pairs
from matching.comparisons import BIRTH_DATE, EMAIL, GIVEN, SURNAME, TWINS, comparison_form, extra_comparison
from matching.estimate import BASE_PAIRS, Mixture, frequencies, monotone, prior_from, smoothed_m, smoothed_u
from matching.forms import ComparisonForm
from matching.hot_keys import HOT_LIMIT, HotLimits
from matching.model import Model, Parameter, default_model, dump_model, model_from_json, term_hash
from matching.record import BirthDate, Name, Phone, StandardRecord
from matching.score import score_pair
from matching.train import TrainingRefused, _held_down, train

PEOPLE = 700
WRONG_GIVEN = 0.15
WRONG_BIRTH = 0.10
NO_PAIRS = pa.table({"record_a": pa.array([], pa.string()), "record_b": pa.array([], pa.string())})
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def word(chance: random.Random, length: int) -> str:
    return "".join(chance.choice(LETTERS) for _ in range(length))


def world(seed: int) -> tuple[list[ComparisonForm], list[int]]:
    """Two records of each person; in the second each attribute is replaced at a known rate."""
    chance = random.Random(seed)
    givens, surnames = ([word(chance, 8) for _ in range(count)] for count in (60, 300))
    forms, owners = [], []
    for owner in range(PEOPLE):
        given, surname, birth = chance.choice(givens), chance.choice(surnames), birthday(chance)
        forms += [form(given, surname, birth, f"+1415{owner:07}")]
        other = chance.choice(givens) if chance.random() < WRONG_GIVEN else given
        forms += [form(other, surname, birthday(chance) if chance.random() < WRONG_BIRTH else birth, f"+1415{owner:07}")]
        owners += [owner, owner]
    return forms, owners


def birthday(chance: random.Random) -> str:
    return f"{chance.randint(1940, 2000)}-{chance.randint(1, 12):02}-{chance.randint(2, 28):02}"


def form(given: str, surname: str, birth: str, phone: str) -> ComparisonForm:
    year, month, day = (int(part) for part in birth.split("-"))
    name = Name(given_folded=given, surname_folded=surname)
    return comparison_form(
        StandardRecord(name=name, birth_date=BirthDate(birth, year, month, day), phones=(Phone(phone, key=phone),))
    )


def candidates(forms: Sequence[ComparisonForm]) -> pa.Table:
    """Pair the records that share a phone, a birth date or a surname."""
    filed = [(f"{key}", str(n)) for n, one in enumerate(forms) for key in (*(one.phones or ()), one.birth, one.surname) if key]
    table = pa.table({"blocking_key": [key for key, _ in filed], "record_id": [record for _, record in filed]})
    return candidate_pairs(table, HotLimits.alike(HOT_LIMIT))


@pytest.fixture(scope="module")
def trained() -> Model:
    forms, _ = world(5)
    return train(forms, candidates(forms), default_model())


def parameters(model: Model, name: str) -> Sequence[Parameter]:
    return model.parameters[[comparison.name for comparison in model.comparisons].index(name)]


def test_an_even_sample_teaches_what_all_would(trained: Model) -> None:
    """Half the records hold a quarter of the pairs of one person, and of all pairs: what is learned stays what it was."""
    forms, _ = world(5)
    chance = random.Random(3)
    sample = [one for one in forms if chance.random() < 0.5]
    found = train(sample, candidates(sample), default_model(), records=len(forms))
    assert (found.report["records"], found.report["sampled_records"]) == (len(forms), len(sample))
    assert found.prior_weight == pytest.approx(trained.prior_weight, abs=0.35)
    for one in (GIVEN, SURNAME):
        exact = [level.name for level in one.levels].index("exact")
        assert parameters(found, one.name)[exact].weight == pytest.approx(parameters(trained, one.name)[exact].weight, abs=0.5)


def test_known_m_and_u_are_recovered(trained: Model) -> None:
    names = [level.name for level in GIVEN.levels]
    given = parameters(trained, GIVEN.name)
    exact = given[names.index("exact")]
    assert exact.m == pytest.approx(1 - WRONG_GIVEN * 59 / 60, abs=0.05)
    assert exact.u == pytest.approx(1 / 60, rel=0.15)
    birth = parameters(trained, BIRTH_DATE.name)[0]
    assert birth.m == pytest.approx(1 - WRONG_BIRTH, abs=0.05)
    assert birth.u == pytest.approx(1 / (61 * 12 * 27), rel=0.9)
    assert parameters(trained, SURNAME.name)[0].u == pytest.approx(1 / 300, rel=0.25)


def test_the_prior_is_found_without_labels(trained: Model) -> None:
    assert trained.prior == pytest.approx(PEOPLE / (PEOPLE * (2 * PEOPLE - 1)), rel=0.1)


def test_nothing_is_taken_back_where_no_home_is_shared(trained: Model) -> None:
    assert parameters(trained, TWINS.name)[0].weight > -4.0


def test_what_the_data_lacks_keeps_the_base_models_parameters(trained: Model) -> None:
    for name in ("email", "address", "company_name", "gender"):
        shipped = parameters(default_model(), name)
        assert [one.weight for one in parameters(trained, name)] == pytest.approx([one.weight for one in shipped], abs=0.02)


def test_the_same_data_give_the_same_model(trained: Model) -> None:
    forms, _ = world(5)
    assert dump_model(train(forms, candidates(forms), default_model())) == dump_model(trained)


def test_the_last_digits_which_hang_on_threads_are_left_out(trained: Model) -> None:
    shares = [share for told in trained.parameters for one in told for share in (one.m, one.u)]
    assert [float(f"{share:.9g}") for share in (*shares, trained.prior)] == [*shares, trained.prior]


def test_the_report_tells_the_passes(trained: Model) -> None:
    passes = {one["blocks_on"]: one for one in trained.report["passes"]}
    assert passes["birth date"]["converged"]
    assert passes["phone"]["matching"] > 0.95


def test_a_users_attribute_is_trained_when_the_data_holds_it() -> None:
    chance = random.Random(8)
    forms, owners = world(6)
    colours = {owner: chance.choice(("red", "green", "blue", "white")) for owner in owners}
    forms = [dataclasses.replace(one, extras=(("colour", colours[owner]),)) for one, owner in zip(forms, owners, strict=True)]
    model = train(forms, candidates(forms), default_model(), extras=(("colour", "category"),))
    agreed, differed = parameters(model, "extra:colour")
    assert agreed.weight == pytest.approx(2.0, abs=0.3)
    assert differed.weight < -3


def test_a_rare_category_in_common_weighs_more_than_a_frequent_one() -> None:
    chance = random.Random(8)
    forms, owners = world(6)
    colours = {owner: chance.choice(("red",) * 9 + ("teal",)) for owner in owners}
    forms = [dataclasses.replace(one, extras=(("colour", colours[owner]),)) for one, owner in zip(forms, owners, strict=True)]
    model = train(forms, candidates(forms), default_model(), extras=(("colour", "category"),))
    bits = {dict(one.extras or ())["colour"]: score_pair(model, one, one).contributions[-1] for one in forms}
    assert bits["red"] == pytest.approx(math.log2(1 / 0.9), abs=0.2)
    assert bits["teal"] == pytest.approx(math.log2(1 / 0.1), abs=0.4)


@pytest.mark.parametrize("extras", [(), (("colour", "text"),), (("age", "number"), ("colour", "category"))])
def test_a_users_attribute_may_go_or_be_another_kind_when_training_again(extras: tuple[tuple[str, str], ...]) -> None:
    forms, _ = world(6)
    forms = [dataclasses.replace(one, extras=(("colour", "red" if one.phones == forms[0].phones else "blue"),)) for one in forms]
    base = dataclasses.replace(
        default_model(),
        comparisons=(*default_model().comparisons, extra_comparison("colour", "category", 0)),
        parameters=(*default_model().parameters, (Parameter(0.9, 0.3), Parameter(0.1, 0.7))),
        extras=(("colour", "category"),),
        fingerprint="",
    )
    model = model_from_json(json.loads(dump_model(train(forms, candidates(forms), base, extras))))
    assert sorted(one.extra for one in model.comparisons if one.extra) == sorted(name for name, _ in extras)


def test_what_says_a_name_again_weighs_no_more_than_it_may() -> None:
    """A mailbox a sign apart and a local part at two providers: both would weigh 13 bits here, and are held at 6 and 3."""
    m, u = (0.4, 0.3, 0.1, 0.1, 0.1), (1e-5, 1e-5, 1e-5, 1e-5, 0.9)
    weights = [Parameter(one, other).weight for one, other in zip(m, _held_down(EMAIL, m, u), strict=True)]
    assert [level.name for level in EMAIL.levels] == ["own", "exact", "close", "same_local_part", "different"]
    assert weights == pytest.approx([math.log2(4e4), math.log2(3e4), 6.0, 3.0, math.log2(0.1 / 0.9)])


def test_few_records_are_refused() -> None:
    forms, _ = world(1)
    with pytest.raises(TrainingRefused, match="10 records"):
        train(forms[:10], candidates(forms[:10]), default_model())


def test_a_small_file_of_few_doubles_teaches_all_the_same() -> None:
    forms, _ = world(5)
    alone = [one for number, one in enumerate(forms) if number % 2 == 0]
    doubled = [dataclasses.replace(one, phones=None) for one in [*alone[:400], *alone[:40]]]
    found = train(doubled, candidates(doubled), default_model())
    assert [one["blocks_on"] for one in found.report["passes"]][:2] == ["birth date", "given name and surname"]
    assert found.prior == pytest.approx(40 / math.comb(440, 2), rel=0.2)


def test_records_of_nothing_but_strangers_are_refused() -> None:
    forms, _ = world(1)
    with pytest.raises(TrainingRefused, match="no blocking pass"):
        train(forms[::2], candidates(forms[::2]), default_model())


def test_records_that_are_all_the_same_are_refused() -> None:
    forms, _ = world(1)
    with pytest.raises(TrainingRefused):
        train([forms[0]] * 300, NO_PAIRS, default_model())


def test_empty_records_are_refused() -> None:
    with pytest.raises(TrainingRefused):
        train([ComparisonForm()] * 300, NO_PAIRS, default_model())


LEVELS = (Parameter(0.6, 0.01), Parameter(0.3, 0.09), Parameter(0.1, 0.9))


def test_a_level_never_seen_is_rare_and_not_impossible() -> None:
    assert all(0 < share < 1e-3 for share in smoothed_u([0, 10_000, 990_000], LEVELS)[:1])
    assert 0 < smoothed_m([900, 100, 0], LEVELS)[2] < 0.01
    assert smoothed_u([0, 0, 0], LEVELS) == (0.01, 0.09, 0.9)
    assert smoothed_m([0, 0, 0], LEVELS) == pytest.approx((0.6, 0.3, 0.1))


def test_levels_that_weigh_more_than_the_one_above_are_pooled() -> None:
    pooled = monotone((0.1, 0.5, 0.4), (0.1, 0.1, 0.8))
    assert [one.weight for one in pooled] == pytest.approx([pooled[0].weight, pooled[0].weight, -1.0])
    assert sum(one.m for one in pooled) == pytest.approx(1.0)
    assert [one.u for one in pooled] == [0.1, 0.1, 0.8]


def test_frequent_and_rare_values_together_agree_as_often_as_u_says() -> None:
    forms = [ComparisonForm(surname="smith")] * 60 + [ComparisonForm(surname=f"rare{n}") for n in range(40)] + [ComparisonForm()]
    found = frequencies([form.surname for form in forms], "surname", "salt", agreement=0.4)
    assert found is not None
    assert list(found.values.values()) == [0.6]
    assert 0.6 * 0.6 + 0.4 * found.floor == pytest.approx(0.4)
    assert frequencies([None] * 101, "given", "salt", 0.1) is None


def test_a_model_holds_a_value_that_20_hold_and_none_that_19_hold() -> None:
    found = frequencies(["often"] * 20 + ["seldom"] * 19 + ["twice"] * 2, "surname", "salt", agreement=0.4)
    assert found is not None
    assert found.values == {term_hash("salt", "surname", "often"): 20 / 41}


def test_a_mixture_is_taken_apart() -> None:
    chance = random.Random(3)
    m, u = ((0.1, 0.9), (0.2, 0.8), (0.05, 0.95)), ((0.9, 0.1), (0.7, 0.3), (0.95, 0.05))
    patterns: dict[tuple[int, ...], int] = {}
    for _ in range(4_000):
        side = m if chance.random() < 0.3 else u
        pattern = tuple(int(chance.random() < one[1]) if chance.random() < 0.9 else -1 for one in side)
        patterns[pattern] = patterns.get(pattern, 0) + 1
    mixture = Mixture(patterns, m, ((0.99, 0.01),) * 3, BASE_PAIRS)
    mixture.run([True] * 3, 100, 1e-4)
    assert mixture.share == pytest.approx(0.3, abs=0.04)
    assert mixture.u[1][1] == pytest.approx(0.3, abs=0.05)


def test_the_prior_comes_from_what_weighs_enough() -> None:
    weights = [20.0] * 50 + [-20.0] * 1_000
    assert prior_from(weights, -10.0, 100_000.0) == pytest.approx(50 / 100_000, rel=0.01)
    assert prior_from([], -10.0, 100.0) == pytest.approx(1 / 100)
