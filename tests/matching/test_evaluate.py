"""Evaluation: measures that can be worked out by hand, a whole run on a small world, and whatever columns are missing."""

import dataclasses
import random
import time
from typing import Any

import pyarrow as pa
import pytest

from matching.bulk import PairScorer
from matching.calibration import NO_TARGETS, Targets
from matching.cluster import Reason as Asked
from matching.comparisons import comparison_form
from matching.decide import Reason, Verdict, decide
from matching.evaluate import Evaluation, Labelled, evaluate, evaluate_records, prepare, resolve, score_all
from matching.metrics import bcubed, pairwise
from matching.model import default_model
from matching.record import Address, BirthDate, Email, Identifier, Name, StandardRecord
from matching.score import score_pair
from matching.standardize import Context, standardize

from .test_train import birthday, word

KEYS = {"records", "true_clusters", "review_pairs", "seconds", "peak_mb", "automatic", "balanced"}


def world(people: int, seed: int = 2) -> list[Labelled]:
    """Two records of each person, the second with a slip in the given name."""
    chance = random.Random(seed)
    made = []
    for person in range(people):
        given, surname, street = (word(chance, 8) for _ in range(3))
        row = {
            "given_name": given,
            "surname": surname,
            "birth_date": birthday(chance),
            "emails": [f"{surname}{person}@mail{person % 7}.org"],
        }
        row["addresses"] = [
            {"line1": f"{chance.randint(1, 99)} {street} street", "city": word(chance, 6), "postal_code": f"{person:05}"}
        ]
        for copy, name in enumerate((given, given[:-1] + chance.choice("xyz"))):
            record = standardize({**row, "given_name": name}, Context())
            made.append(Labelled(f"{copy}:{person}", f"={person}", record))
    return made


def without(labelled: list[Labelled], *attributes: str) -> list[Labelled]:
    empty = StandardRecord()
    bare = {attribute: getattr(empty, attribute) for attribute in attributes}
    return [dataclasses.replace(item, record=dataclasses.replace(item.record, **bare)) for item in labelled]


def test_pairwise_measures_are_those_worked_out_by_hand() -> None:
    found, truth = ["a", "a", "a", "b", "c"], [1, 1, 2, 2, 3]
    measure = pairwise(found, truth)
    assert (measure.precision, measure.recall) == (1 / 3, 1 / 2)
    assert measure.f1 == pytest.approx(0.4)


def test_bcubed_measures_are_those_worked_out_by_hand() -> None:
    measure = bcubed(["a", "a", "a", "b", "c"], [1, 1, 2, 2, 3])
    assert measure.precision == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1) / 5)
    assert measure.recall == pytest.approx((1 + 1 + 1 / 2 + 1 / 2 + 1) / 5)


def test_nothing_found_and_nothing_to_find_is_right() -> None:
    assert pairwise([], []).f1 == bcubed([], []).f1 == 1.0
    assert pairwise([1, 2], [1, 2]).f1 == 1.0


@pytest.fixture(scope="module")
def run() -> Evaluation:
    found, refusal = evaluate_records(world(150), None)
    assert refusal is None
    return found


def test_a_small_world_is_resolved_whole(run: Evaluation) -> None:
    assert (run.records, run.true_clusters, run.unreachable_records) == (300, 150, 0)
    assert run.balanced.pairwise.f1 == 1.0
    assert run.automatic.pairwise.precision == 1.0
    assert run.balanced.largest_cluster == 2


def test_the_json_has_the_published_keys(run: Evaluation) -> None:
    found = run.as_json()
    assert set(found) == KEYS | {"candidate_pairs", "keyless_records", "partly_filed_records", "left_apart_pairs", "model"}
    for point in ("automatic", "balanced"):
        assert set(found[point]) == {"pairwise", "bcubed", "clusters", "largest_cluster"}
        assert set(found[point]["bcubed"]) == set(found[point]["pairwise"]) == {"precision", "recall", "f1"}


@pytest.mark.parametrize(
    "missing",
    [
        ("name",),
        ("birth_date",),
        ("emails",),
        ("addresses",),
        ("birth_date", "emails"),
        ("birth_date", "emails", "addresses"),
        ("name", "emails"),
    ],
    ids=",".join,
)
def test_any_column_may_be_missing(missing: tuple[str, ...]) -> None:
    found, _ = evaluate_records(without(world(150), *missing), default_model())
    assert found.automatic.pairwise.precision == 1.0
    assert found.balanced.pairwise.f1 > (0.1 if "addresses" in missing and "birth_date" in missing else 0.9)


def test_too_few_records_to_train_use_the_shipped_model() -> None:
    found, refusal = evaluate_records(world(20), None)
    assert refusal is not None
    assert "at least" in refusal
    assert found.model == default_model()


def test_records_that_say_nothing_stand_alone_and_are_counted() -> None:
    found, _ = evaluate_records([Labelled(str(n), "=same", StandardRecord()) for n in range(5)], default_model())
    assert (found.balanced.clusters, found.unreachable_records, found.candidate_pairs) == (5, 5, 4)
    assert found.balanced.pairwise.recall == 0.0


def test_no_records_at_all() -> None:
    found, _ = evaluate_records([], default_model())
    assert (found.records, found.balanced.clusters, found.balanced.pairwise.f1) == (0, 0, 1.0)


ASKED_LITTLE = Targets(false_merge_rate=1e-3, reviews_per_day=1.0, records_per_day=300.0)


@dataclasses.dataclass(frozen=True)
class Rule:
    """A promise of an identifier type."""

    one_person_per_value: bool = True
    one_value_per_person: bool = False


def test_pairs_are_scored_once_where_the_lines_are_drawn_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scoring is most of what an evaluation costs; only the lines change between drawing them and resolving under them."""
    scored: list[int] = []
    score = PairScorer.score

    def counted(self: PairScorer, pairs: pa.Table, *more: Any) -> pa.Table:
        scored.append(pairs.num_rows)
        return score(self, pairs, *more)

    monkeypatch.setattr(PairScorer, "score", counted)
    found, _ = evaluate_records(world(150), default_model(), rules={"card": Rule()}, targets=ASKED_LITTLE)
    assert scored == [found.candidate_pairs]
    assert found.model.lines != default_model().lines


def test_scores_that_are_there_give_what_scoring_gives() -> None:
    records = world(150)
    prepared = prepare([(one.record_id, one.record) for one in records])
    model, rules = default_model(), {"card": Rule()}
    for lines in (model.lines, dataclasses.replace(model.lines, merge=30.0, guard=9.0, component=8.0)):
        other = dataclasses.replace(model, lines=lines, fingerprint="")
        anew, again = (evaluate(records, prepared, other, rules, scored) for scored in (None, score_all(prepared, model)))
        assert (anew.automatic, anew.balanced, anew.questions) == (again.automatic, again.balanced, again.questions)


def test_a_card_that_is_one_persons_decides_below_every_line() -> None:
    """Such a pair is no candidate by its weight, whether it was scored for its lines before or not."""
    card = (Identifier("card", "shop", "C100", key="C100"),)
    people = [
        StandardRecord(
            name=Name(given=given, surname="Ellerby", given_folded=given.lower(), surname_folded=surname), identifiers=card
        )
        for given, surname in (("Owen", "ellerby"), ("Xenia", "quillfeather"))
    ]
    labelled = [Labelled(str(n), f"={n}", record) for n, record in enumerate(people)]
    for targets in (NO_TARGETS, ASKED_LITTLE):
        alone, _ = evaluate_records(labelled, default_model(), targets=targets)
        decided, _ = evaluate_records(labelled, default_model(), rules={"card": Rule()}, targets=targets)
        assert (alone.automatic.clusters, decided.automatic.clusters) == (2, 1)


@pytest.mark.parametrize(("more", "asked"), [({}, 0), ({"emails": ("benedikt.schmidt@example.de",)}, 1)])
def test_a_veto_is_asked_about_where_the_service_asks(more: dict[str, Any], asked: int) -> None:
    """Two tax numbers beside one name and postal code: the verdict is no match, which is no edge, whoever else is there."""
    place = {"given_name": "Benedikt", "surname": "Schmidt", "addresses": [{"city": "Hamburg", "postal_code": "22765"}], **more}
    numbers: list[dict[str, Any]] = [{"identifiers": [{"type": "tax", "value": value}]} for value in ("111222333", "999888777")]
    people = [standardize(place | own, Context("DE", "DMY")) for own in (*numbers, {})]
    rules = {"tax": Rule(one_person_per_value=False, one_value_per_person=True)}
    a, b = (comparison_form(record) for record in people[:2])
    decided = decide(default_model(), a, b, score_pair(default_model(), a, b), rules)
    assert (decided.veto, decided.has_personal_evidence) == (Reason.IDENTIFIER_CONFLICT, True)
    assert decided.verdict is (Verdict.REVIEW if asked else Verdict.NO_MATCH)
    labelled = [Labelled(str(n), f"={n}", record) for n, record in enumerate(people)]
    for some in (labelled[:2], labelled):
        clusterings = resolve(prepare([(one.record_id, one.record) for one in some]), default_model(), rules)
        reviews = [review for one in clusterings for review in one.reviews if review.reason is Asked.CONTRADICTION]
        assert len(reviews) == asked
    alone = resolve(prepare([(one.record_id, one.record) for one in labelled[:2]]), default_model(), rules)
    assert len(alone) == 2 - asked  # One component each, or one for both.


def test_nobody_at_all_is_evaluated_within_targets() -> None:
    found, _ = evaluate_records([], default_model(), targets=ASKED_LITTLE)
    assert (found.records, found.candidate_pairs, found.left_apart) == (0, 0, 0)


def test_copies_of_one_record_are_one_customer() -> None:
    record = StandardRecord(
        name=Name(given_folded="anna", surname_folded="okonkwo", given_phonetic="AN", surname_phonetic="AKNK"),
        birth_date=BirthDate("1980-02-13", 1980, 2, 13),
        emails=(Email("anna@a.com", key="anna@a.com"),),
        addresses=(Address(house_number="7", street_key="main st", city_key="leeds", postal_key="LS11AA"),),
    )
    found, _ = evaluate_records([Labelled(str(n), "=anna", record) for n in range(120)], default_model())
    assert (found.automatic.clusters, found.automatic.largest_cluster) == (1, 120)


def test_five_thousand_people_with_one_phone_are_never_one_customer() -> None:
    """Every one is compared with sixty others over the phone alone, as if no key were ever hot, under the model that ships."""
    chance, count = random.Random(5), 5_000
    phone = standardize({"phones": ["+34655119427"]}, Context()).phones
    crowd = []
    for number in range(count):
        given, surname = word(chance, 7), word(chance, 8)
        name = Name(given=given, surname=surname, given_folded=given, surname_folded=surname)
        crowd.append((f"{number:04}", StandardRecord(name=name, phones=phone)))
    prepared = prepare(crowd)
    assert prepared.pairs.num_rows < 10 * count  # The phone's key is hot: those of like initials are left.
    glued = {(a, (a + step * step) % count) for a in range(count) for step in range(1, 31)}
    ordered = sorted((f"{min(pair):04}", f"{max(pair):04}") for pair in glued)
    pairs = pa.table({"record_a": [a for a, _ in ordered], "record_b": [b for _, b in ordered]})
    started = time.process_time()
    found = resolve(dataclasses.replace(prepared, pairs=pairs), default_model())
    assert time.process_time() - started < 60
    assert sum(len(part) for one in found for part in one.parts) == count
    assert max(len(part) for one in found for part in one.parts) <= 2
    assert max(len(part) for one in found for part in one.balanced) <= 5
