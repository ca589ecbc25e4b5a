"""The evidence of a component: a record that fits two who speak against each other is certain of neither."""

import dataclasses
from dataclasses import dataclass
from itertools import combinations

import pytest

from matching.cluster import Member, partition
from matching.comparisons import comparison_form
from matching.evidence import Weigher, contested
from matching.forms import ComparisonForm
from matching.model import Lines, default_model
from matching.standardize import Context, standardize
from matching.units import Evidence

LINES = Lines(component=-6, guard=0, merge=10)
AGAINST = Evidence(3.0, against=True)
STRONG = Evidence(15.0, personal=True)
DAY = {"birth_date": "07/07/1997"}


def named(found: set[tuple[bytes, bytes]]) -> list[str]:
    return sorted(b"".join(pair).decode() for pair in found)


def weighed(**pairs: Evidence) -> dict[tuple[bytes, bytes], Evidence]:
    return {(pair[0].encode(), pair[1].encode()): evidence for pair, evidence in pairs.items()}


def test_a_record_between_two_who_cannot_be_one_is_contested() -> None:
    assert named(contested(weighed(ab=STRONG, bc=STRONG, ac=AGAINST), LINES)) == ["ab", "bc"]


def test_it_is_enough_that_it_weighs_as_much_with_the_other() -> None:
    assert named(contested(weighed(ab=STRONG, bc=Evidence(10.0), ac=AGAINST), LINES)) == ["ab", "bc"]


@pytest.mark.parametrize(
    "other", [Evidence(9.9), Evidence(30.0, against=True), Evidence(30.0, veto=True)], ids=["weak", "against", "veto"]
)
def test_what_does_not_fit_contests_nothing(other: Evidence) -> None:
    assert contested(weighed(ab=STRONG, bc=other, ac=AGAINST), LINES) == set()


def test_a_record_far_nearer_to_one_of_the_two_is_that_ones() -> None:
    far_nearer = Evidence(25.0, personal=True)
    assert contested(weighed(ab=far_nearer, bc=STRONG, ac=AGAINST), LINES) == set()


def test_without_a_contradiction_nothing_is_contested() -> None:
    assert contested(weighed(ab=STRONG, bc=STRONG, ac=Evidence(-20.0)), LINES) == set()


def test_questions_alone_are_not_contested() -> None:
    assert contested(weighed(ab=Evidence(8.0), bc=Evidence(8.0), ac=AGAINST), LINES) == set()


def form(**data: object) -> ComparisonForm:
    return comparison_form(standardize({"given_name": "Laurence", "surname": "Attwater", **data}, Context("GB")))


def test_the_weigher_takes_certainty_from_a_bridge_whatever_it_has_weighed_before() -> None:
    area = {"addresses": [{"postal_code": "BS1 2JL"}]}
    father, bridge = form(birth_date="09/09/1955", **area), form(**area)
    forms = {b"a": father, b"b": bridge, b"c": form(birth_date="14/02/1987", **area)}
    weigher = Weigher(default_model(), {}, 5)
    alone = {b"a": father, b"b": bridge}
    assert weigher.weights(alone)[b"a", b"b"].personal
    together = weigher.weights(forms)
    assert [together[pair].personal for pair in combinations(sorted(forms), 2)] == [False, False, False]
    assert together[b"a", b"c"].against
    assert weigher.weights(alone)[b"a", b"b"].personal


@pytest.mark.parametrize("born", ["17/04/1954", "02/11/1983"], ids=["one_digit", "another_day"])
def test_a_father_and_a_son_stay_two_however_much_they_share(born: str) -> None:
    family = {
        "phones": ["01392 441872"],
        "emails": ["laurence.attwater@web.de"],
        "addresses": [{"line1": "8 Quay Street", "city": "Bath"}],
    }
    son = born if born != "17/04/1954" else "17/04/1984"
    forms = {b"a": form(birth_date="17/04/1954", **family), b"b": form(**family), b"c": form(birth_date=son, **family)}
    weights = Weigher(default_model(), {}, 5).weights(forms)
    assert weights[b"a", b"c"].weight >= LINES.merge  # They share so much that the weight alone calls them one.
    assert weights[b"a", b"c"].against
    members = [Member(key.decode(), ("crm", key.decode()), key) for key in sorted(forms)]
    found = partition(members, weights, (), LINES)
    assert len(found.parts) == 3
    assert len(found.reviews) == 2


@pytest.mark.parametrize(
    ("one", "other", "slip"),
    [
        ({"surname": "Cebrián Ruiz"}, {"surname": "Cebrián Mora"}, {"surname": "Cebrián"}),
        ({"middle_name": "Alan"}, {"middle_name": "James"}, {}),
        ({"surname": "Phạm", "middle_name": "Văn"}, {"surname": "Phạm", "middle_name": "Thị"}, {"surname": "Phạm"}),
        ({"given_name": "Julie", **DAY}, {"given_name": "Jules", **DAY}, {"given_name": "J.", **DAY}),
    ],
    ids=["surname", "middle_name", "gender", "two_full_names"],
)  # fmt: skip
def test_a_slip_that_leaves_out_the_name_that_tells_two_makes_them_not_one(
    one: dict[str, str], other: dict[str, str], slip: dict[str, str]
) -> None:
    home = {"phones": ["01392 441872"], "addresses": [{"line1": "8 Quay Street", "city": "Bath"}]}
    forms = {b"a": form(**home, **one), b"b": form(**home, **slip), b"c": form(**home, **other)}
    weights = Weigher(default_model(), {}, 5).weights(forms)
    assert weights[b"a", b"c"].against
    members = [Member(key.decode(), ("crm", key.decode()), key) for key in sorted(forms)]
    assert len(partition(members, weights, (), LINES).parts) == 3


def test_a_known_pair_is_not_weighed_again() -> None:
    forms = {b"a": form(birth_date="09/09/1955"), b"b": form()}
    weigher = Weigher(default_model(), {}, 5)
    known = Evidence(1.25, told_apart=True)
    weigher.know([((b"a", b"b"), known)])
    assert weigher.weights(forms) == {(b"a", b"b"): known}


@dataclass(frozen=True)
class Promise:
    one_person_per_value: bool = True
    one_value_per_person: bool = False


@pytest.mark.parametrize(("holders", "decides"), [(5, True), (6, False)])
def test_as_many_may_hold_an_identifier_as_the_model_says(holders: int, decides: bool) -> None:
    card = dataclasses.replace(ComparisonForm(), identifiers=("card|shop|C1",), identifier_types=("card|shop",))
    forms = {str(n).encode(): dataclasses.replace(card, given="abcdef"[n] * 5, surname="smith") for n in range(holders)}
    found = Weigher(default_model(), {"card": Promise()}, default_model().lines.most_holders).weights(forms)
    assert {one.decided for one in found.values()} == {decides}
