"""Two surnames and two companies that look alike: what is common to many makes nobody one, and a slip makes nobody two."""

import dataclasses
from typing import Any

import pytest

from matching.ground_levels import seen
from matching.grounds import Lack, lack
from matching.model import Frequencies, term_hash
from matching.score import score_pair

from .lacking import BORN, EXETER, FLAT, MODEL, form, lacking


class TestTwoSurnames:
    def lacking(self, one: str, other: str, **more: Any) -> Lack | None:
        return lacking(*({"given_name": "Emma", "surname": surname, **FLAT, **more} for surname in (one, other)))

    @pytest.mark.parametrize(
        ("one", "other"),
        [("Kelly", "Kenny"), ("Hansen", "Jansen"), ("Schneider", "Wagner"), ("Kelly", "Zwiebelbacher")],
        ids=["look_alike", "both_common", "married_or_not", "one_rare"],
    )
    def test_a_mailbox_of_two_surnames_is_a_flats(self, one: str, other: str) -> None:
        assert self.lacking(one, other) is Lack.NOT_PERSONAL

    @pytest.mark.parametrize(
        ("one", "other"),
        [("Kelly", "Kelyl"), ("Hansen", "Hansem"), ("Hansen", "Ransen"), ("Meyer", "Meier"), ("Wagner", "Schneider-Wagner")],
        ids=["letters_swapped", "slip_at_the_end", "slip_at_the_start", "by_ear", "double_name"],
    )
    def test_a_slip_of_one_surname_and_a_part_of_it_are_one(self, one: str, other: str) -> None:
        assert self.lacking(one, other) is None

    def test_a_surname_that_stands_among_the_others_names_is_no_other(self) -> None:
        one, other = {"surname": "Mercader", **FLAT}, {"middle_name": "Mercader", "surname": "Echeverria", **FLAT}
        assert lacking({"given_name": "Benita", **one}, {"given_name": "Benita", **other}) is None

    def test_a_birth_date_or_an_identifier_tells_that_she_married(self) -> None:
        card = {"identifiers": [{"type": "passport", "issuer": "GB", "value": "A1234567"}]}
        assert self.lacking("Schneider", "Wagner", **BORN) is None
        assert self.lacking("Schneider", "Wagner", **card) is None

    def test_a_surname_is_known_where_the_model_saw_it_often(self) -> None:
        names = [{"given_name": "Emma", "surname": surname, **FLAT} for surname in ("Hansen", "Ransen")]
        a, b = (form(**name) for name in names)
        of = seen(MODEL, a, b, score_pair(MODEL, a, b).levels)
        shares = {**MODEL.frequencies["surname"].values, term_hash(MODEL.salt, "surname", "ransen"): 0.01}
        there = {**MODEL.frequencies, "surname": Frequencies(MODEL.frequencies["surname"].floor, shares)}
        local = dataclasses.replace(MODEL, frequencies=there, fingerprint="")
        assert (lack(a, b, of, MODEL), lack(a, b, of, local)) == (None, Lack.NOT_PERSONAL)


class TestSurnamesOfSeveralWords:
    def lacking(self, one: str, other: str, **more: Any) -> Lack | None:
        return lacking(*({"given_name": "Paloma", "surname": surname, **FLAT, **more} for surname in (one, other)))

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("García López", "García Pérez"), ("Moura Brandão", "Falcão Brandão"), ("Eisele-Wörner", "Eisele-Bantle"),
            ("bin Salem Al Mazrouei", "bin Saeed Al Mazrouei"), ("Hansen Lopez", "Jansen Lopez"),
        ],
    )  # fmt: skip
    def test_each_with_a_surname_of_its_own_are_two(self, one: str, other: str) -> None:
        assert self.lacking(one, other) is Lack.NOT_PERSONAL
        assert self.lacking(one, other, **BORN) is None

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("García López", "García"), ("Ballester Quiroga", "Ballester Quirogo"), ("Valadares Pinheiro", "Pinheiro Valadares"),
            ("de la Fuente Ortuño", "Delafuente Ortuno"), ("García López", "García L."), ("Lopes Garcia", "Lopez García"),
        ],
    )  # fmt: skip
    def test_one_left_out_turned_round_misspelt_or_joined_is_one(self, one: str, other: str) -> None:
        assert self.lacking(one, other) is None

    def test_a_name_told_as_the_maiden_name_is_no_other(self) -> None:
        one = {"given_name": "Annika", "surname": "Kling", "maiden_name": "Oberhauser Stein", **FLAT}
        assert lacking(one, {"given_name": "Annika", "surname": "Oberhauser Stein", **FLAT}) is None


class TestCommonEndings:
    def lacking(self, one: str, other: str) -> Lack | None:
        return lacking(*({"given_name": "Kristín", "surname": surname, **FLAT} for surname in (one, other)))

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Sigurðsson", "Sigmundsson"), ("Jónsdóttir", "Jóhannsdóttir"), ("Christopoulos", "Chronopoulos"),
            ("Petrosyan", "Poghosyan"), ("Jonsdottir", "Karlsdottir"), ("Jónsdóttir", "Jónasdóttir"),
        ],
    )  # fmt: skip
    def test_what_stands_before_the_ending_is_the_name(self, one: str, other: str) -> None:
        assert self.lacking(one, other) is Lack.NOT_PERSONAL

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Kristjánsdóttir", "Kristjansdotir"),
            ("Karlsdóttir", "Carlsdottir"),
            ("Thompson", "Thornpson"),
            ("Hakobyan", "Hakopyan"),
        ],
    )
    def test_a_slip_before_it_is_one(self, one: str, other: str) -> None:
        assert self.lacking(one, other) is None


class TestMoreThanASlip:
    def lacking(self, one: str, other: str) -> Lack | None:
        return lacking(*({"given_name": "Selam", "surname": surname, **FLAT} for surname in (one, other)))

    @pytest.mark.parametrize(
        ("one", "other"), [("Tesfaye", "Tesfahun"), ("Malinowska", "Maliszewska"), ("Kapanadze", "Kavtaradze")]
    )
    def test_one_beginning_and_another_end_are_two(self, one: str, other: str) -> None:
        assert self.lacking(one, other) is Lack.NOT_PERSONAL

    @pytest.mark.parametrize(
        ("one", "other"),
        [("Trachtenbrodt", "Trachtenbr"), ("Tesfaye", "Tesfaey"), ("Tesfaye", "Tesphaye"), ("Garmendia", "Garmendi Aalfaro")],
    )
    def test_a_name_cut_off_and_two_slips_are_one(self, one: str, other: str) -> None:
        assert self.lacking(one, other) is None


class TestTwoCompanies:
    def lacking(self, one: str, other: str, *numbers: str) -> Lack | None:
        held = [{"identifiers": [{"type": "vat", "issuer": "PL", "value": number}]} for number in numbers] or [{}, {}]
        place = {"party": "company", "addresses": [EXETER], "phones": ["01392 441872"]}
        return lacking(*({"company_name": name, **place, **more} for name, more in zip((one, other), held, strict=True)))

    def test_two_legal_forms_or_two_tax_numbers_are_asked(self) -> None:
        assert self.lacking("Baltyk Sp. z o.o.", "Baltyk Sp. z o.o. Sp.k.") is Lack.NOT_CORROBORATED
        assert self.lacking("Baltyk", "Baltyk", "5260250274", "7740001454") is Lack.NOT_CORROBORATED

    def test_one_form_or_one_left_out_is_one_company(self) -> None:
        assert self.lacking("Baltyk Sp. z o.o.", "BALTYK spółka z o.o.") is None
        assert self.lacking("Baltyk Sp. z o.o.", "Baltyk") is None
        assert self.lacking("Baltyk", "Baltyk", "5260250274", "5260250274") is None

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Immobilien 1", "Immobilien 2"),
            ("Osiedle Zielone II", "Osiedle Zielone III"), ("Prairie Wind", "Prairie Wind 2020"),
            ("Huber Holzbau", "Huber Hochbau"), ("Lundqvist Bygg", "Lundqvist Byggservice"), ("Apotheke A", "Apotheke B"),
            ("Rossetti Impianti", "Rossetti Impianti Holding"),
        ],
    )  # fmt: skip
    def test_a_number_or_a_whole_word_makes_two_of_one_group(self, one: str, other: str) -> None:
        assert self.lacking(one, other) in {Lack.NOT_CORROBORATED, Lack.NOT_PERSONAL}

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Schreinerei Obermüller", "Schreinerei Obermuler"), ("Carpintería Hermanos Belmonte", "Carpinteria Hnos. Belmonte"),
            ("Apotheke 24", "Apotheke24"), ("Rossetti Impianti", "Rossetti Impianti Exeter"), 
            ("Blenkinsop Daughters", "Blenkinsop & Daughters"),
        ],
    )  # fmt: skip
    def test_a_slip_a_short_form_a_space_or_the_town_is_one(self, one: str, other: str) -> None:
        assert self.lacking(one, other) is None

    def test_one_number_says_that_it_took_another_name(self) -> None:
        assert self.lacking("Lundqvist Bygg", "Lundqvist Byggservice", "5260250274", "5260250274") is None
