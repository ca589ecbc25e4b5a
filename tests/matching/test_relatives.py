"""What relatives look like: twins, siblings, generations, two genders; and what of one person looks like them and is none."""

import pytest

from matching.decide import Reason, Verdict, decide
from matching.grounds import Lack
from matching.relatives import other_generation
from matching.score import score_pair

from .lacking import BORN, EXETER, FAMILY, HOME, MODEL, NAME, form, lacking


class TestRelatives:
    def test_an_initial_with_another_mailbox_or_phone_may_be_the_twins(self) -> None:
        twin = {"surname": "Vester", **FAMILY}
        one, other = {**twin, "given_name": "K", "emails": ["kasper@web.de"]}, {**twin, "given_name": "Kasper"}
        assert lacking(one, {**other, "emails": ["zed77@web.de"]}) is Lack.RELATIVES
        assert lacking({**one, "phones": ["01392 441872"]}, {**other, "phones": ["01392 220118"]}) is Lack.RELATIVES
        assert lacking(one, {**other, "emails": ["kasper@web.de"]}) is None
        assert lacking(one, other) is None

    @pytest.mark.parametrize(("one", "other"), [("Maria", "Mariana"), ("Jayden", "Hayden"), ("Joan", "John")])
    def test_alike_names_of_one_birth_date_are_twins(self, one: str, other: str) -> None:
        twins = [{"given_name": given, "surname": "Okafor", **FAMILY, "emails": ["okafors@web.de"]} for given in (one, other)]
        assert lacking(*twins) in {Lack.RELATIVES, Lack.CONTRADICTION}

    def test_one_slip_after_the_first_letter_is_a_slip(self) -> None:
        right, slip, other = (
            {"given_name": given, "surname": "Haver", **FAMILY} for given in ("Bartholomew", "Bartholmew", "Bart")
        )
        assert lacking(right, slip) is None
        assert lacking(right, {**other, "given_name": "Bartholomewina"}) is Lack.RELATIVES

    def test_a_suffix_on_one_side_leaves_the_name_open(self) -> None:
        phone = {"phones": ["01392 441872"]}
        junior, bare = {**NAME, "name_suffix": "Jr", **phone}, {**NAME, **phone}
        assert lacking(junior, bare) is Lack.RELATIVES
        assert lacking({**junior, **BORN}, {**bare, **BORN}) is None

    @pytest.mark.parametrize(
        ("one", "other", "apart"), [("Sr", "Jr", True), ("II", "III", True), ("Jr", "II", False), ("Jr", "", False)]
    )
    def test_two_suffixes_of_generation_are_two_people(self, one: str, other: str, apart: bool) -> None:
        a, b = (form(**NAME, **BORN, name_suffix=suffix, addresses=[EXETER]) for suffix in (one, other))
        assert other_generation(a, b) == apart
        found = decide(MODEL, a, b, score_pair(MODEL, a, b))
        assert (found.veto is Reason.GENERATION_CONFLICT) == apart
        assert (found.verdict is Verdict.MATCH) != apart


class TestSiblings:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Claudio", "Claudia"), ("Paul", "Paula"), ("Milan", "Milana"), ("Andrej", "Andreja"), ("Daniel", "Danielle"),
            ("Александр", "Александра"), ("Maria Teresa", "Maria Luisa"),
        ],
    )  # fmt: skip
    def test_one_name_with_two_endings_is_two_of_a_home(self, one: str, other: str) -> None:
        assert lacking({**HOME, "given_name": one}, {**HOME, "given_name": other}) is Lack.RELATIVES

    @pytest.mark.parametrize(("one", "other"), [("Claudio", "Cluadio"), ("Margaret", "Margret"), ("Maria Teresa", "Maria")])
    def test_a_slip_and_a_name_left_out_are_one(self, one: str, other: str) -> None:
        assert lacking({**HOME, "given_name": one}, {**HOME, "given_name": other}) is None

    def test_look_alike_names_of_two_told_genders_are_two(self) -> None:
        him, her = {**HOME, "given_name": "Kristofer"}, {**HOME, "given_name": "Kristifer"}
        assert lacking(him, her) is None
        assert lacking({**him, "gender": "male"}, {**her, "gender": "female"}) is Lack.RELATIVES


class TestTwoGenders:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Julie", "Jules"),
            ("Christopher", "Christine"),
            ("Michele", "Michela"),
            ("Bronisław", "Bronisława"),
            ("Mihai", "Mihaela"),
        ],
    )
    def test_twins_of_names_of_two_genders_are_two_whatever_makes_them_alike(self, one: str, other: str) -> None:
        twins = [{"given_name": given, "surname": "Ferrari", **FAMILY} for given in (one, other)]
        assert lacking(*twins) in {Lack.RELATIVES, Lack.CONTRADICTION}

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Trần Văn Bình", "Trần Thị Bình"),
            ("Harpreet Singh Sandhu", "Harpreet Kaur Sandhu"),
            ("Herr Toni Wallner", "Frau Toni Wallner"),
            ("Nur Iman bin Razak", "Nur Iman binti Razak"),
            ("Kiran a/l Muniandy", "Kiran a/p Muniandy"),
        ],
    )
    def test_a_word_or_a_title_beside_the_name_tells_two(self, one: str, other: str) -> None:
        assert lacking({"name": one, **HOME, "surname": None}, {"name": other, **HOME, "surname": None}) is Lack.RELATIVES

    def test_a_birth_date_outweighs_a_title_and_no_name(self) -> None:
        him, her = ({"name": f"{title} Toni Wallner", **FAMILY} for title in ("Herr", "Frau"))
        assert lacking(him, her) is None
        assert lacking({**him, "name": "Toni Wallner"}, her) is None

    @pytest.mark.parametrize(
        ("short", "full"), [("Sasha", "Alexandra"), ("Sam", "Samantha"), ("Chris", "Christine"), ("Pat", "Patrick")]
    )
    def test_a_short_name_of_both_is_asked_without_a_birth_date_or_an_own_mailbox(self, short: str, full: str) -> None:
        one, other = {**HOME, "given_name": short}, {**HOME, "given_name": full}
        assert lacking(one, other) is Lack.RELATIVES
        assert lacking({**one, **BORN}, {**other, **BORN}) is None
        assert lacking({**one, "emails": [f"{full}77@web.de"]}, other) is None

    @pytest.mark.parametrize(("short", "full"), [("Bob", "Robert"), ("Kasia", "Katarzyna"), ("Jean", "Jean-Pierre")])
    def test_a_short_name_of_one_gender_and_a_name_within_another_are_one(self, short: str, full: str) -> None:
        assert lacking({**HOME, "given_name": short}, {**HOME, "given_name": full}) is None

    def test_swapped_fields_say_no_gender(self) -> None:
        right, swapped = {"given_name": "Theodore", "surname": "Lee"}, {"given_name": "Lee", "surname": "Theodore"}
        phone = {"phones": ["01392 441872"]}
        assert lacking({**right, **phone}, {**swapped, **phone}) is None


class TestTwoFullNames:
    @pytest.mark.parametrize("born", [{}, BORN], ids=["siblings", "twins"])
    def test_two_full_names_that_a_table_takes_for_one_are_asked(self, born: dict[str, str]) -> None:
        one, other = ({**HOME, **born, "given_name": given} for given in ("Julie", "Julia"))
        assert lacking(one, other) is Lack.RELATIVES

    def test_a_mailbox_called_after_her_says_that_she_is_one(self) -> None:
        one, other = ({**HOME, **BORN, "given_name": given, "emails": ["julia77@web.de"]} for given in ("Julie", "Julia"))
        assert lacking(one, other) is None

    @pytest.mark.parametrize(("one", "other"), [("Sophia", "Sofia"), ("Sara", "Sarah"), ("Katherine", "Catherine")])
    def test_one_name_by_ear_is_one(self, one: str, other: str) -> None:
        assert lacking({**HOME, "given_name": one}, {**HOME, "given_name": other}) is None


class TestTwoMiddleNames:
    @pytest.mark.parametrize(
        ("one", "other"), [("Petrovich", "Pavlovich"), ("Thomas", "Henry"), ("R.", "W."), ("Rauf kyzy", "Aydin kyzy")]
    )
    def test_two_tell_who_is_who_of_one_name(self, one: str, other: str) -> None:
        assert lacking(*({**HOME, "given_name": "Yaroslav", "middle_name": middle} for middle in (one, other))) is Lack.RELATIVES

    @pytest.mark.parametrize(("one", "other"), [("Thomas", "T."), ("Thomas", "Thommas"), ("Thomas", None)])
    def test_a_letter_a_slip_and_none_are_one(self, one: str, other: str | None) -> None:
        assert lacking(*({**HOME, "given_name": "Yaroslav", "middle_name": middle} for middle in (one, other))) is None
