"""Plain phone numbers by their country's plan: what the library's parser says of them, at a fifth of its cost.

Knows only what needs no doubt: digits with nothing but spaces, brackets and hyphens between them, or E.164. Of all others it says
nothing, and the library is asked; `tests/` compare the two on numbers of every region.
"""

import re
from functools import lru_cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumber

LONGEST_COUNTRY_CODE = 3
SHORTEST, LONGEST = 7, 17  # Of a national number; the library takes shorter ones, by rules that are not here.
_PLAIN = re.compile(r"[0-9 ()-]+")
_SIGNS = re.compile(r"[ ()-]+")


class _Plan:
    """How one region writes its numbers."""

    __slots__ = ("_abroad", "_general", "_is_rewritten", "_lengths", "_prefix", "code", "own")

    def __init__(self, metadata: PhoneMetadata) -> None:
        self.code = metadata.country_code or 0
        self.own = str(self.code)
        self._abroad = _compiled(metadata.international_prefix)
        self._prefix = _compiled(metadata.national_prefix_for_parsing)
        self._is_rewritten = bool(metadata.national_prefix_transform_rule)
        self._general = _compiled(getattr(metadata.general_desc, "national_number_pattern", None))
        self._lengths = frozenset(getattr(metadata.general_desc, "possible_length", ()))

    def is_dialled_at_home(self, digits: str) -> bool:
        """Whether digits without a plus begin with no country code and no prefix for calls abroad."""
        return not digits.startswith(self.own) and (self._abroad is None or self._abroad.match(digits) is None)

    def without_prefix(self, digits: str) -> str | None:
        """The national number, its trunk prefix taken off where it has one; None where that is not certain."""
        match = self._prefix.match(digits) if self._prefix else None
        if match is None:
            return digits
        rest = digits[match.end() :]
        if self._is_rewritten or self._general is None or len(rest) not in self._lengths:
            return None
        is_number_already = self._general.fullmatch(digits) and not self._general.fullmatch(rest)
        return digits if is_number_already else rest


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    return re.compile(pattern) if pattern else None


@lru_cache(maxsize=512)
def _plan_of(region: str) -> _Plan | None:
    metadata = PhoneMetadata.metadata_for_region(region, None)
    return _Plan(metadata) if metadata else None


@lru_cache(maxsize=1_024)
def _plan_called(code: int) -> _Plan | None:
    regions = COUNTRY_CODE_TO_REGION_CODE.get(code)
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, regions[0]) if regions else None
    return _Plan(metadata) if metadata else None


def plain_number(text: str, region: str | None) -> PhoneNumber | None:
    """Return what `phonenumbers.parse` makes of a plain text; None where it has to be asked."""
    if text[:1] == "+":
        plan, digits = _from_abroad(text[1:])
    elif region and _PLAIN.fullmatch(text):
        plan, digits = _plan_of(region), _SIGNS.sub("", text)
        if plan is None or not plan.is_dialled_at_home(digits):
            return None
    else:
        return None
    national = plan.without_prefix(digits) if plan and SHORTEST <= len(digits) <= LONGEST else None
    if plan is None or national is None or len(national) < SHORTEST or national[0] == "0":
        return None
    return PhoneNumber(country_code=plan.code, national_number=int(national))


def _from_abroad(digits: str) -> tuple[_Plan | None, str]:
    """The plan that a number with its country code follows, and the number without the code."""
    if not (digits.isascii() and digits.isdecimal()) or digits[0] == "0":
        return None, ""
    for length in range(1, LONGEST_COUNTRY_CODE + 1):
        if plan := _plan_called(int(digits[:length])):
            return plan, digits[length:]
    return None, ""
