"""Region and type of a parsed number, in one pass over its country's ranges.

What phonenumbers finds by asking the same ranges two or three times; `tests/` compare the two on an example of every range.
"""

import re
from functools import lru_cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumber, national_significant_number

# In the order in which the library asks; fixed and mobile come after them.
_SPECIAL = (
    ("premium", "premium_rate"), ("toll_free", "toll_free"), ("shared_cost", "shared_cost"), ("voip", "voip"),
    ("personal", "personal_number"), ("pager", "pager"), ("company_wide", "uan"), ("voicemail", "voicemail"),
)  # fmt: skip
_WORLD = "001"
Range = tuple[frozenset[int], re.Pattern[str]]


class _Ranges:
    """The ranges of one region, compiled."""

    __slots__ = ("any_special", "fixed", "general", "leading", "mobile", "special")

    def __init__(self, metadata: PhoneMetadata) -> None:
        self.leading = re.compile(metadata.leading_digits) if metadata.leading_digits is not None else None
        self.general = _range(metadata.general_desc)
        found = ((name, _range(getattr(metadata, attribute))) for name, attribute in _SPECIAL)
        self.special = tuple((name, each) for name, each in found if each)
        # One look tells that a number is in none of them, as most are not.
        self.any_special = re.compile("|".join(f"(?:{each[1].pattern})" for _, each in self.special) or "(?!)")
        self.fixed, self.mobile = _range(metadata.fixed_line), _range(metadata.mobile)

    def type_of(self, digits: str) -> str | None:
        """The type of a national number, None when it lies in no range."""
        if not _lies_in(self.general, digits):
            return None
        for name, each in self.special if self.any_special.fullmatch(digits) else ():
            if _lies_in(each, digits):
                return name
        is_mobile = _lies_in(self.mobile, digits)
        if _lies_in(self.fixed, digits):
            return "fixed_or_mobile" if is_mobile else "fixed"
        return "mobile" if is_mobile else None


def _range(description: object) -> Range | None:
    pattern = getattr(description, "national_number_pattern", None)
    return (frozenset(getattr(description, "possible_length", ())), re.compile(pattern)) if pattern else None


def _lies_in(each: Range | None, digits: str) -> bool:
    return each is not None and (not each[0] or len(digits) in each[0]) and each[1].fullmatch(digits) is not None


@lru_cache(maxsize=512)
def _ranges(region: str, country_code: int) -> _Ranges | None:
    """The ranges of a region; of a service without a region (+800) by its country code."""
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)
    return _Ranges(metadata) if metadata else None


def region_and_type(number: PhoneNumber) -> tuple[str | None, str | None]:
    """The region whose number it is, and its type when it lies in a range that is given out."""
    country_code = number.country_code or 0
    digits = national_significant_number(number)
    regions = COUNTRY_CODE_TO_REGION_CODE.get(country_code, ())
    if len(regions) == 1:
        ranges = _ranges(regions[0], country_code)
        return regions[0], ranges.type_of(digits) if ranges else None
    for region in regions:
        ranges = _ranges(region, country_code)
        if ranges is None:
            continue
        if ranges.leading is None:
            if kind := ranges.type_of(digits):
                return region, kind
        elif ranges.leading.match(digits):
            return region, ranges.type_of(digits)
    return None, None


def main_region(number: PhoneNumber) -> str | None:
    """The region that a country code stands for first; None for codes of the whole world."""
    region = COUNTRY_CODE_TO_REGION_CODE.get(number.country_code or 0, (_WORLD,))[0]
    return None if region == _WORLD else region
