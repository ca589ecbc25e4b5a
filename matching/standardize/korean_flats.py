"""Flats as Korea writes them: building and door behind the street's number, '101동 202호', '101-dong 202-ho', '101-202'.

A quarter ends in the same syllable as a building (역삼1동, 'Yeoksam-dong'): only a number that stands alone is a building's.
"""

import re

_BUILDING = r"(?:제 ?)?(?P<building>\d{1,4}|[가나다라마바사아자차카타파하]|[a-z])(?: ?동|[ -]?dong),? ?"
_STOREY = r"(?:지하 ?)?\d{1,3} ?층,? ?"
_DOOR = r"(?:제 ?)?(?P<door>[a-z]?\d{1,5})(?: ?호|[ -]?ho)"
_NAMED = re.compile(rf"(?:^|(?<=[ ,(])|(?<=[가-힣])(?=\d{{3,4}} ?동))(?:{_BUILDING})?(?:{_STOREY})?{_DOOR}(?![a-z가-힣\d])")
# Behind a number of the street or the lot, never in its place: a lot is written so too (역삼동 737-12).
_BARE = re.compile(r"(?<=\d)(?:,|번지|번지,)? ?(?<=[, ])(?P<building>\d{1,4})-(?P<door>\d{3,5})$")


def korean_flat(line: str) -> tuple[str, tuple[int, int]] | None:
    """The flat in a plain line, written '101-202' or '202', and its place; None when there is none."""
    match = _NAMED.search(line) or _BARE.search(line)
    if match is None:
        return None
    return "-".join(part for part in (match["building"], match["door"]) if part), match.span()
