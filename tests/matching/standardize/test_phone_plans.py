"""Plain numbers are read as the library reads them, in every region and however they are written, or not at all."""

import itertools
import random

import phonenumbers
import pytest
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, PhoneNumberFormat

from matching.standardize.phone_plans import plain_number

FORMATS = (PhoneNumberFormat.E164, PhoneNumberFormat.NATIONAL, PhoneNumberFormat.INTERNATIONAL)
DIGITS = "0123456789"


def _by_library(text: str, region: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None


def _texts(region: str, draw: random.Random) -> list[tuple[str, str | None]]:
    """Examples of a region's ranges, whole and damaged, in the library's formats and behind prefixes that may be another's."""
    home = PhoneMetadata.metadata_for_region(region, None)
    found: list[tuple[str, str | None]] = []
    for kind, damage in itertools.product(range(11), range(4)):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        national = phonenumbers.national_significant_number(example)
        if damage:
            national = "".join(draw.choice(DIGITS) if draw.random() < 0.25 else digit for digit in national)
        if damage > 1:
            national = national + draw.choice(DIGITS) if damage == 2 else national[:-1]
        number = PhoneNumber(example.country_code, int(national), italian_leading_zero=example.italian_leading_zero)
        found += [(phonenumbers.format_number(number, form), region) for form in FORMATS]
        for prefix in ("", "0", "00", "1", "8", "9", "011", str(example.country_code), home.national_prefix or ""):
            apart = "".join(digit + draw.choice(("", "", " ", "-", ") ", " (")) for digit in prefix + national)
            found += [(prefix + national, region), (apart, region), (f"+{prefix}{national}", None)]
            found.append((f"+{example.country_code}{prefix}{national}", region))
    return found


def test_a_plain_number_is_what_the_library_makes_of_it() -> None:
    said, asked = 0, 0
    draw = random.Random(2026)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for text, given in _texts(region, draw):
            asked += 1
            if (number := plain_number(text, given)) is not None:
                assert number == _by_library(text, given), (text, given)
                said += 1
    assert asked > 100_000
    assert said > asked / 3


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("", "DE"), ("+", None), ("+49", None), ("+999123456789", None), ("030 12345678", None), ("030 12345678", "XX"),
        ("+4930123456 ext 5", None), ("1-800-FLOWERS", "US"),
        ("030/12345678", "DE"), ("+٤٩٣٠١٢٣٤٥٦٧", None), ("+390612345678", None),
        ("0049 30 12345678", "DE"), ("1" * 30, "DE"), ("٠٣٠١٢٣٤٥٦٧٨", "DE"),
    ],
)  # fmt: skip
def test_of_all_that_is_not_plain_nothing_is_said(text: str, region: str | None) -> None:
    assert plain_number(text, region) is None
