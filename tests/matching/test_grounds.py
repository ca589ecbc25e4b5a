"""What merges a pair without a human, whatever it weighs: each rule, the case that taught it and the one it must let pass."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.decide import Verdict, decide
from matching.forms import ComparisonForm
from matching.ground_levels import seen
from matching.grounds import Lack, a_generation_apart, is_contradicted, lack
from matching.score import score_pair

from .hostile_forms import person
from .lacking import AREA, BORN, DURHAM, EXETER, FLAT, MODEL, NAME, form, lacking


def at(address: dict[str, str], **more: Any) -> dict[str, Any]:
    return {**NAME, "addresses": [address], **more}


class TestChineseCharacters:
    @pytest.mark.parametrize(("one", "other"), [("王伟", "汪威"), ("佐藤健", "佐藤建")])
    def test_names_that_only_sound_alike_are_two_peoples(self, one: str, other: str) -> None:
        assert lacking({"name": one, "addresses": [EXETER], **BORN}, {"name": other, "addresses": [EXETER], **BORN}) is (
            Lack.NOT_PERSONAL
        )
        assert lacking({"name": one, "addresses": [EXETER], **BORN}, {"name": one, "addresses": [EXETER], **BORN}) is None

    def test_one_name_in_two_styles_of_writing_needs_more_than_a_town(self) -> None:
        one, other = {"given_name": "伟", "surname": "陈", **BORN}, {"given_name": "伟", "surname": "陳", **BORN}
        phone = {"phones": ["01392 441872"]}
        assert lacking({**one, "addresses": [EXETER]}, {**other, "addresses": [EXETER]}) is Lack.NOT_PERSONAL
        assert lacking({**one, **phone}, {**other, **phone}) is None

    def test_swapped_fields_and_a_part_left_out_are_no_other_name(self) -> None:
        one, home = {"given_name": "伟", "surname": "王", **BORN}, {"addresses": [EXETER]}
        assert lacking({**one, **home}, {"given_name": "王", "surname": "伟", **BORN, **home}) is None
        assert lacking({**one, **home}, {"surname": "王", **BORN, **home}) is None


class TestCorroboration:
    def test_a_name_and_a_birth_date_in_two_towns_are_two_customers_of_one_insurer(self) -> None:
        assert lacking(at(EXETER, **BORN), at(DURHAM, **BORN)) is Lack.NOT_CORROBORATED

    def test_a_name_and_a_birth_date_with_nothing_else_are_no_more(self) -> None:
        assert lacking({**NAME, **BORN}, {**NAME, **BORN}) is Lack.NOT_CORROBORATED

    @pytest.mark.parametrize("shared", [{"phones": ["01392 441872"]}, {"emails": ["aw@whitcombe.org"]}, {"addresses": [EXETER]}])
    def test_a_contact_point_or_a_home_corroborates(self, shared: dict[str, Any]) -> None:
        assert lacking({**NAME, **BORN, **shared}, {**NAME, **BORN, **shared}) is None
        assert lacking({**NAME, **shared}, {**NAME, **shared}) is None

    def test_a_sure_birth_date_in_one_town_corroborates_a_name(self) -> None:
        other_street = {**EXETER, "line1": "3 Queen Street", "postal_code": "EX1 1AA"}
        assert lacking(at(EXETER, **BORN), at(other_street, **BORN)) is None
        assert lacking(at(EXETER), at(other_street)) is Lack.NOT_CORROBORATED

    def test_the_first_of_january_is_what_forms_write_for_everybody(self) -> None:
        other_street = {**EXETER, "line1": "3 Queen Street", "postal_code": "EX1 1AA"}
        first = {"birth_date": "01/01/1990"}
        assert lacking(at(EXETER, **first), at(other_street, **first)) is Lack.NOT_CORROBORATED

    def test_a_name_behind_one_postal_code_is_enough_until_something_differs(self) -> None:
        assert lacking(at(AREA), at(EXETER)) is None
        assert lacking(at({**EXETER, "line1": "90 High Street"}), at(EXETER)) is Lack.NOT_CORROBORATED
        assert lacking(at(AREA, phones=["01392 441872"]), at(AREA, phones=["01392 220118"])) is Lack.NOT_CORROBORATED

    def test_a_given_name_behind_one_postal_code_is_anybody(self) -> None:
        assert lacking({"given_name": "Andrew", "addresses": [AREA]}, at(EXETER)) is Lack.NOT_CORROBORATED
        swapped = {"given_name": "Whitcombe", "surname": "Andrew"}
        assert lacking({**swapped, "addresses": [AREA]}, at(EXETER)) is None

    @pytest.mark.parametrize("given", ["Drew", "Andrev"])
    def test_a_home_says_who_only_beside_a_name_that_is_written_alike(self, given: str) -> None:
        """Of such pairs in simulated families one in twenty were father and son, or brothers."""
        for place in (EXETER, AREA):
            assert lacking(at(place, given_name=given), at(EXETER)) is Lack.NOT_CORROBORATED
            assert lacking(at(place, **BORN, given_name=given), at(EXETER, **BORN)) is None

    def test_behind_one_postal_code_the_surname_is_written_alike_as_well(self) -> None:
        assert lacking(at(AREA, surname="Whitcomb"), at(EXETER)) is Lack.NOT_CORROBORATED
        assert lacking(at(EXETER, surname="Whitcomb"), at(EXETER)) is None

    def test_two_addresses_made_of_one_name_are_two_mens(self) -> None:
        mine, his = {**NAME, "emails": ["andrew.whitcombe@web.de"]}, {**NAME, "emails": ["andrew.whitcomb@web.de"]}
        assert lacking(mine, his) is Lack.NOT_CORROBORATED

    def test_a_phone_one_digit_apart_is_another_where_mailboxes_differ(self) -> None:
        mine, his = {**NAME, "phones": ["01392 441872"]}, {**NAME, "phones": ["01392 441873"]}
        assert lacking(mine, his) is None
        assert lacking({**mine, "emails": ["zed77@web.de"]}, {**his, "emails": ["kit31@web.de"]}) is Lack.NOT_CORROBORATED

    def test_a_birth_date_behind_one_postal_code_names_nobody(self) -> None:
        assert lacking({**BORN, "addresses": [AREA]}, at(EXETER, **BORN)) is Lack.NOT_CORROBORATED

    def test_two_of_one_name_and_home_with_each_an_e_mail_address_may_be_father_and_son(self) -> None:
        mine, his = {"emails": ["andrew@whitcombe.org"]}, {"emails": ["zed77@web.de"]}
        assert lacking(at(EXETER, **mine), at(EXETER, **his)) is Lack.NOT_CORROBORATED
        assert lacking(at(EXETER, **mine, **BORN), at(EXETER, **his, **BORN)) is None

    def test_two_of_one_name_and_street_with_each_a_phone_are_neighbours(self) -> None:
        mine, his = at(EXETER, phones=["01392 441872"]), at({**EXETER, "line1": "90 Laurel Avenue"}, phones=["01392 220118"])
        assert lacking(mine, his) is Lack.NOT_CORROBORATED
        assert lacking({**mine, **BORN}, {**his, **BORN}) is None

    def test_two_of_one_name_and_home_with_each_a_phone_may_be_father_and_son(self) -> None:
        mine, his = {"phones": ["01392 441872"]}, {"phones": ["01392 220118"]}
        assert lacking(at(EXETER, **mine), at(EXETER, **his)) is Lack.NOT_CORROBORATED
        assert lacking(at(EXETER, **mine, **BORN), at(EXETER, **his, **BORN)) is None

    def test_an_address_without_a_name_is_personal_when_it_is_called_after_its_holder(self) -> None:
        own, shared = {"emails": ["andrew77@web.de"]}, {"emails": ["family77@web.de"]}
        assert lacking(at(EXETER, **own), own) is None
        assert lacking(at(EXETER, **shared), shared) is Lack.NOT_PERSONAL

    def test_a_company_needs_its_name_and_its_place(self) -> None:
        shop = {"party": "company", "company_name": "Flower Corner Ltd"}
        assert lacking({**shop, "addresses": [EXETER]}, {**shop, "addresses": [AREA]}) is None
        assert lacking({**shop, "addresses": [EXETER]}, {**shop, "addresses": [DURHAM]}) is Lack.NOT_CORROBORATED


class TestPersonal:
    def test_a_given_name_is_personal_within_its_family_only(self) -> None:
        flat = {"phones": ["01392 441872"], "addresses": [EXETER]}
        one, other = {"given_name": "Hannah", "surname": "Eisenreich"}, {"given_name": "Hannah", "surname": "Teufelhart"}
        assert lacking({**one, **flat}, {**other, **flat}) is Lack.NOT_PERSONAL
        assert lacking({**one, **flat, **BORN}, {**other, **flat, **BORN}) is None
        assert lacking({"given_name": "Hannah", **flat}, {**one, **flat}) is None

    def test_the_given_name_of_a_couples_record_is_neithers(self) -> None:
        flat = {"phones": ["01392 441872"], "addresses": [EXETER]}
        assert lacking({"name": "Mr & Mrs Andrew Whitcombe", **flat}, {**NAME, **flat}) is Lack.NOT_PERSONAL
        assert lacking({"name": "Mr Andrew Whitcombe", **flat}, {**NAME, **flat}) is None


class TestScripts:
    @pytest.mark.parametrize("born", [{}, BORN], ids=["no_birth_date", "one_birth_date"])
    @pytest.mark.parametrize(
        ("one", "other"), [(("محمد", "القحطاني"), ("Mahmoud", "Al-Qahtani")), (("健太", "佐藤"), ("Shota", "Sato"))]
    )
    def test_what_only_may_be_read_alike_is_asked(
        self, one: tuple[str, str], other: tuple[str, str], born: dict[str, Any]
    ) -> None:
        a, b = ({"given_name": given, "surname": surname, **FLAT, **born} for given, surname in (one, other))
        assert lacking(a, b) is Lack.NOT_PERSONAL
        verdict = decide(MODEL, form(**a), form(**b), score_pair(MODEL, form(**a), form(**b))).verdict
        assert verdict is Verdict.REVIEW

    @pytest.mark.parametrize(("one", "other"), [(("דוד", "לוי"), ("David", "Levi")), (("小明", "王"), ("Xiaoming", "Wang"))])
    def test_what_is_known_to_be_one_name_is(self, one: tuple[str, str], other: tuple[str, str]) -> None:
        assert lacking(*({"given_name": given, "surname": surname, **FLAT} for given, surname in (one, other))) is None

    def test_two_names_in_a_script_contradict(self) -> None:
        a = {"given_name": "محمد", "surname": "القحطاني", **FLAT}
        assert lacking(a, {"given_name": "Yusuf", "surname": "Al-Qahtani", **FLAT}) is Lack.CONTRADICTION

    def test_an_identifier_outweighs_what_cannot_be_read(self) -> None:
        card = {"identifiers": [{"type": "passport", "issuer": "JP", "value": "TK1234567"}], **BORN}
        one, other = {"given_name": "翔", "surname": "長谷川"}, {"given_name": "Sho", "surname": "Hasegawa"}
        assert lacking({**one, **FLAT, **card}, {**other, **FLAT, **card}) is None


class TestContradiction:
    def told(self, one: dict[str, Any], other: dict[str, Any]) -> bool:
        a, b = form(**one), form(**other)
        return is_contradicted(a, b, seen(MODEL, a, b, score_pair(MODEL, a, b).levels))

    def test_one_digit_of_the_year_may_be_a_generation(self) -> None:
        assert self.told({**NAME, "birth_date": "11/10/1954"}, {**NAME, "birth_date": "11/10/1984"})
        assert not self.told({**NAME, "birth_date": "11/10/1954"}, {**NAME, "birth_date": "11/10/1955"})

    def test_two_letters_may_be_initials(self) -> None:
        jean = {"given_name": "Jean-Baptiste", "surname": "Martin"}
        assert not self.told(jean, {"given_name": "JB", "surname": "Martin"})
        assert self.told(jean, {"given_name": "Al", "surname": "Martin"})

    def test_a_shared_identifier_outweighs_one_contradiction_not_two(self) -> None:
        card = {"identifiers": [{"type": "passport", "issuer": "GB", "value": "A1234567"}]}
        one, other = {**NAME, **BORN, **card}, {"given_name": "Laura", "surname": "Whitcombe", **card}
        assert not self.told(one, {**other, **BORN})
        assert self.told(one, {**other, "birth_date": "02/03/1990"})


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_what_lacks_grounds_is_never_a_match_whatever_it_weighs(one: int, other: int) -> None:
    a, b = person(one), person(other)
    scored = score_pair(MODEL, a, b)._replace(weight=500.0)
    of = seen(MODEL, a, b, scored.levels)
    assert lack(a, b, of, MODEL) == lack(b, a, of, MODEL)
    if lack(a, b, of, MODEL) is not None:
        assert decide(MODEL, a, b, scored).verdict is not Verdict.MATCH


@pytest.mark.parametrize(("year", "apart"), [(1994, False), (1995, True), (1966, False), (1965, True)])
def test_fifteen_years_are_a_generation(year: int, apart: bool) -> None:
    one, other = (dataclasses.replace(ComparisonForm(), birth_year=born) for born in (1980, year))
    assert a_generation_apart(one, other) is apart


@pytest.mark.parametrize(
    ("party", "expected"), [("company", None), (None, None), ("person", Lack.NOT_PERSONAL)], ids=["company", "unknown", "person"]
)
def test_two_people_at_a_company_are_not_that_company(party: str | None, expected: Lack | None) -> None:
    office = dataclasses.replace(ComparisonForm(), company="acme tools", phones=("+441392441872",))
    one, other = (dataclasses.replace(office, party=kind) for kind in (party, None))
    for a, b in ((one, other), (other, one)):
        assert lack(a, b, seen(MODEL, a, b, score_pair(MODEL, a, b).levels), MODEL) is expected
