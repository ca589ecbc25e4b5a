"""Fitting a trained model to its place: what it counts is what its candidates weigh, and its lines follow what policy asks."""

import dataclasses

import pyarrow as pa
import pytest

from matching.bulk import forms_table, score_candidates
from matching.calibration import Kind, Targets, count_weights, expected, weighed_from
from matching.comparisons import comparison_form
from matching.fitting import DecidedPair, Place, fit_to_place, kind_of
from matching.forms import ComparisonForm
from matching.model import Model, default_model, dump_model
from matching.record import BirthDate, Name, Phone, StandardRecord
from matching.score import score_pair

PEOPLE = 60
MODEL = default_model()


def form(given: str, surname: str, born: str, phone: str) -> ComparisonForm:
    year, month, day = (int(part) for part in born.split("-"))
    return comparison_form(
        StandardRecord(
            name=Name(given_folded=given, surname_folded=surname),
            birth_date=BirthDate(born, year, month, day),
            phones=(Phone(phone, key=phone),),
        )
    )


ANN = form("ann", "ellerby", "1979-05-21", "+447911100001")
ANN_AGAIN = form("ann", "ellerby", "1979-05-21", "+441632887543")
FATHER = form("owen", "ellerby", "1951-11-03", "+447911100001")


@pytest.fixture(scope="module")
def forms() -> list[ComparisonForm]:
    found = []
    for n in range(PEOPLE):
        born, phone = f"{1950 + n % 50}-0{1 + n % 9}-1{n % 10}", f"+4479111{n:05}"
        found += [form("ann", f"name{n:03}", born, phone), form("ann" if n % 3 else "eve", f"name{n:03}", born, phone)]
    return found


@pytest.fixture(scope="module")
def pairs() -> pa.Table:
    near = [(n, n + 1) for n in range(0, 2 * PEOPLE, 2)] + [(n, n + 2) for n in range(0, 2 * PEOPLE - 2, 2)]
    return pa.table({"record_a": [str(a) for a, _ in near], "record_b": [str(b) for _, b in near]})


@pytest.fixture(scope="module")
def fitted(forms: list[ComparisonForm], pairs: pa.Table) -> Model:
    return fit_to_place(MODEL, forms, pairs)[0]


def test_each_candidate_is_counted_once_where_it_weighs(forms: list[ComparisonForm], pairs: pa.Table, fitted: Model) -> None:
    weighed = weighed_from({"records": len(forms)} | dict(fitted.report))
    assert weighed is not None
    assert sum(count for bins in weighed.counts.values() for count in bins.values()) == pairs.num_rows
    table = forms_table([str(n) for n in range(len(forms))], forms, MODEL.extras)
    merged = sum(
        kind_of(MODEL, a, b, score_pair(MODEL, a, b)) is Kind.MERGEABLE and weight >= MODEL.lines.merge
        for a, b, weight in (
            (forms[int(row["record_a"])], forms[int(row["record_b"])], row["weight"])
            for row in score_candidates(MODEL, table, pairs).to_pylist()
        )
    )
    assert expected(weighed, MODEL.lines).merged == merged
    assert merged > 0


def test_lines_stay_without_targets_and_follow_them_otherwise(
    forms: list[ComparisonForm], pairs: pa.Table, fitted: Model
) -> None:
    assert fitted.lines == MODEL.lines
    strict, found = fit_to_place(MODEL, forms, pairs, place=Place(Targets(1e-6)))
    assert strict.lines.merge == found.lines.merge == 20.0
    assert strict.fingerprint != fitted.fingerprint


def test_the_same_gives_the_same(forms: list[ComparisonForm], pairs: pa.Table, fitted: Model) -> None:
    assert dump_model(fit_to_place(MODEL, forms, pairs)[0]) == dump_model(fitted)


def test_records_without_candidates_are_counted_as_none() -> None:
    none = pa.table({"record_a": pa.array([], pa.string()), "record_b": pa.array([], pa.string())})
    assert fit_to_place(MODEL, [ANN], none)[1].expected.asked == 0


def test_decisions_stand_in_the_report(forms: list[ComparisonForm], pairs: pa.Table) -> None:
    decided = [DecidedPair(forms[n], forms[n + 1], True) for n in range(0, 60, 2)]
    model, _ = fit_to_place(MODEL, forms, pairs, decided)
    assert model.report["stewards"]["decisions"] == 30
    assert "stewards" not in fit_to_place(MODEL, forms, pairs)[0].report


@pytest.mark.parametrize(
    ("a", "b", "kind"),
    [(ANN, ANN_AGAIN, Kind.ASKED), (ANN, ANN, Kind.MERGEABLE), (ANN, FATHER, Kind.DISTANT)],
    ids=["a name and a birth date that nothing corroborates", "the same", "father and daughter, vetoed and never asked"],
)
def test_what_may_become_of_a_pair(a: ComparisonForm, b: ComparisonForm, kind: Kind) -> None:
    assert kind_of(MODEL, a, b, score_pair(MODEL, a, b)) is kind


def test_what_comes_from_a_source_in_review_is_asked_about(forms: list[ComparisonForm], pairs: pa.Table, fitted: Model) -> None:
    everybody = fit_to_place(MODEL, forms, pairs, place=Place(asked=frozenset(range(len(forms)))))[1].expected
    before = expected(weighed_from(fitted.report) or count_weights(0, ()), MODEL.lines)
    assert (everybody.merged, everybody.asked) == (0, before.merged + before.asked)


def test_of_a_sample_all_are_told(forms: list[ComparisonForm], pairs: pa.Table, fitted: Model) -> None:
    """One record in three is one pair in nine; the budget of questions is for all records."""
    seen = weighed_from(fitted.report) or count_weights(0, ())
    told = fit_to_place(MODEL, forms, pairs, place=Place(records=3 * len(forms)))[1].expected
    before = expected(seen, MODEL.lines)
    assert (told.merged, told.asked, told.questions) == (9 * before.merged, 9 * before.asked, 9 * before.questions)
    assert before.merged
    assert seen.of_all(3 * len(forms)).records == 3 * len(forms)


def test_two_numbers_of_which_a_person_has_one_are_no_merge() -> None:
    one, other = (
        dataclasses.replace(ANN, identifiers=(f"national_id||{number}",), identifier_types=("national_id|",)) for number in (1, 2)
    )
    promised = {"national_id": OneValue()}
    assert kind_of(MODEL, one, other, score_pair(MODEL, one, other), promised) is Kind.VETOED
    assert kind_of(MODEL, one, other, score_pair(MODEL, one, other)) is not Kind.VETOED


class OneValue:
    """One value a person."""

    one_person_per_value = False
    one_value_per_person = True
