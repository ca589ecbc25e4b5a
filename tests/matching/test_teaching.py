"""What a training pass is believed about: nothing of what people keep and its matching pairs mostly differ in."""

import random
from collections.abc import Iterator

import pytest

from matching.bulk import by_position
from matching.comparisons import ADDRESS, BIRTH_DATE, GIVEN, SURNAME, comparison_form
from matching.evaluate import prepare
from matching.model import Model, default_model
from matching.record import StandardRecord
from matching.standardize import Context, standardize
from matching.teaching import Learned, believed, combined_m
from matching.train import train

STEPS = {GIVEN.name: 8, SURNAME.name: 5, BIRTH_DATE.name: 8, ADDRESS.name: 7}
HOMES = 300
COPIED = 40


def told(**different: float) -> Learned:
    """A pass of a thousand matches, by how many of them differ in what it teaches of."""
    m = {name: (1.0 - share, *[0.0] * (STEPS[name] - 2), share) for name, share in different.items()}
    return Learned("birth date", False, 1_000, 1e6, 1.0, 9, True, m, m)


def test_a_pass_whose_pairs_have_other_given_names_found_relatives_and_teaches_nothing() -> None:
    found = believed(told(given_name=0.6, surname=0.1, address=0.1))
    assert (found.m, found.disbelieved, found.teaches) == ({}, ("given_name",), False)
    assert found.pairs == 1_000, "what agrees by chance it has counted all the same"


def test_a_pass_whose_pairs_have_other_birth_dates_teaches_all_the_rest() -> None:
    found = believed(told(birth_date=0.9, address=0.2))
    assert (set(found.m), found.disbelieved, found.teaches) == ({"address"}, ("birth_date",), True)


@pytest.mark.parametrize("different", [{"given_name": 0.5, "birth_date": 0.4}, {"address": 0.9}])
def test_errors_are_believed_and_so_are_people_who_move(different: dict[str, float]) -> None:
    assert believed(told(**different)) == told(**different)


def test_what_no_pass_is_believed_about_stays_as_the_base_model_has_it() -> None:
    base = default_model()
    found = combined_m(base, [believed(told(given_name=0.9, surname=0.0))])
    place = base.comparisons.index(GIVEN)
    assert found[GIVEN.name] == pytest.approx([one.m for one in base.parameters[place]], rel=1e-6)


def registers(seed: int) -> Iterator[StandardRecord]:
    """A register with birth dates, where some couples had one written down for both, and one without, of the same people."""
    chance = random.Random(seed)
    syllables = ("an", "bel", "cor", "da", "el", "fri", "ga", "hil", "ir", "jo", "ka", "lu")
    givens = [(one + other + "a").capitalize() for one in syllables for other in syllables if one != other]
    first = (
        "Alt",
        "Berg",
        "Dorn",
        "Eich",
        "Feld",
        "Grim",
        "Hol",
        "Kirch",
        "Linden",
        "Moor",
        "Neu",
        "Ober",
        "Roth",
        "Stein",
        "Tann",
    )
    surnames = [
        one + last for one in first for last in ("mann", "huber", "ner", "bach", "hof", "haus", "berger", "felder", "müller")
    ]
    for number in range(HOMES):
        surname = chance.choice(surnames)
        born = [f"19{chance.randint(30, 99)}-{chance.randint(1, 12):02}-{chance.randint(2, 28):02}" for _ in range(2)]
        born[1] = born[0] if number < COPIED else born[1]
        home = {
            "line1": f"{number // 9 + 1} {chance.choice(surnames)} Street",
            "city": "Leeds",
            "postal_code": f"LS{number % 9 + 1} 4DY",
        }
        for given, birth in zip(chance.sample(givens, 2), born, strict=True):
            said = {"given_name": given, "surname": surname, "addresses": [home]}
            yield standardize({**said, "birth_date": birth}, Context("GB", "DMY"))
            yield standardize(said, Context("GB", "DMY"))


@pytest.fixture(scope="module")
def trained() -> Model:
    prepared = prepare((f"{at:05}", record) for at, record in enumerate(registers(3)))
    return train(prepared.forms, by_position(prepared.pairs, prepared.ids), default_model())


def test_couples_whose_birth_dates_were_copied_do_not_teach_that_names_differ(trained: Model) -> None:
    weights = dict(zip((one.name for one in GIVEN.levels), trained.parameters[trained.comparisons.index(GIVEN)], strict=True))
    assert weights["different"].weight < -2.0
    [told_of] = [one for one in trained.report["passes"] if one["blocks_on"] == "birth date"]
    assert told_of["disbelieved"] == ["given_name"]


def test_the_form_of_a_register_holds_what_the_pass_blocks_on() -> None:
    assert comparison_form(next(registers(3))).birth is not None
