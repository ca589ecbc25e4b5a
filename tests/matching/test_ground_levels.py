"""What a level says of one person: a switchboard and a hamlet are many's."""

from typing import Any

import pytest

from matching.grounds import Lack

from .lacking import BORN, NAME, lacking


class TestExtensions:
    def lacking(self, one: str, other: str, **more: Any) -> Lack | None:
        return lacking({**NAME, "phones": [one], **more}, {**NAME, "phones": [other], **more})

    def test_two_lines_of_one_switchboard_are_no_contact_of_both(self) -> None:
        assert self.lacking("+49 89 2170 4400 ext 118", "+49 89 2170 4400 ext 340") is Lack.NOT_CORROBORATED
        assert self.lacking("+49 89 2170 4400 ext 118", "+49 89 2170 4400") is Lack.NOT_CORROBORATED

    def test_one_line_is(self) -> None:
        assert self.lacking("+49 89 2170 4400 ext 118", "+49 89 21704400 x118") is None

    def test_another_phone_or_the_mailbox_corroborates_as_ever(self) -> None:
        mobile = ["+49 171 880 4412"]
        one, other = ["+49 89 2170 4400 ext 118"], ["+49 89 2170 4400 ext 340"]
        assert lacking({**NAME, "phones": one + mobile}, {**NAME, "phones": other + mobile}) is None
        assert self.lacking(one[0], other[0], emails=["andrew.w@web.de"]) is None


class TestHamlets:
    def lacking(self, one: dict[str, str], other: dict[str, str], **more: Any) -> Lack | None:
        return lacking({**NAME, "addresses": [one], **more}, {**NAME, "addresses": [other], **more})

    @pytest.mark.parametrize(
        "place",
        [
            {"line1": "Ballinspittle", "city": "Kinsale", "country": "IE"},
            {"line1": "High Street", "city": "Lampeter", "country": "GB"},
            {"line1": "Kamilari", "city": "Tympaki", "postal_code": "702 00", "country": "GR"},
        ],
    )
    def test_a_street_without_house_numbers_is_an_area(self, place: dict[str, str]) -> None:
        assert self.lacking(place, place) is Lack.NOT_CORROBORATED
        assert self.lacking(place, place, **BORN) is None

    def test_a_number_on_one_side_leaves_open_which_house_the_other_is(self) -> None:
        street = {"line1": "High Street", "city": "Lampeter", "country": "GB"}
        assert self.lacking(street, {**street, "line1": "12 High Street"}) is Lack.NOT_CORROBORATED
        assert self.lacking({**street, "line1": "12 High Street"}, {**street, "line1": "21 High Street"}) is None

    def test_a_postal_code_of_a_dozen_doors_is_enough(self) -> None:
        eircode = {"line1": "Derrybeg", "city": "Gweedore", "postal_code": "F92 X4T7", "country": "IE"}
        assert self.lacking(eircode, eircode) is None
