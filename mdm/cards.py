"""Finds payment card numbers in texts and masks them, however they are written. Pure.

A false alarm destroys what a source sent, so what is written as no card ever is stays: ids, bank accounts, phones in pairs.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import accumulate

from matching.standardize.identifiers import MASK, SHORTEST_CARD, is_card_number

WIDEST = 40  # Of a card number with the zeros before it.
# Spaces of every width, dots, dashes, underscores, and what nobody sees: NUL (of UTF-16 read as bytes as well), soft hyphens,
# joiners, marks of direction, variation selectors, the frame of a keycap. No slash: it stands between two phone numbers.
_UNSEEN = (
    r"\x00\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u20e3\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef"
)
_GAP = rf"[ .\-_\t\r\n\u00a0\u00b7\u2000-\u200a\u2010-\u2015\u202f\u205f\u2212\u3000\ufe58\ufe63\uff0d{_UNSEEN}]{{0,3}}"
_DIGIT_RUN = re.compile(rf"\d(?:{_GAP}\d){{{SHORTEST_CARD - 1},}}")
_GROUP = re.compile(r"\d+")
_NO_DIGITS = re.compile(r"[^0-9]+")
# Parted by one sign that parts other numbers as well: then only as cards are written in several pieces.
_PARTED = re.compile(r"(?<!\d)(?:\d{4}([/|,;:] ?)\d{4}\1\d{4}\1\d{4}|\d{4}([/|,;:] ?)\d{6}\2\d{5})(?!\d)")
# Raised, lowered and circled digits, which are digits to a reader and none to a pattern. Beyond the last plane that has any there
# are a million characters, which every process that starts would look at for 0.2 s.
LAST_DRAWN = 0x1FFFF
_DRAWN_DIGITS = {
    code: str(unicodedata.digit(chr(code)))
    for code in range(0x80, LAST_DRAWN + 1)
    if not chr(code).isdecimal() and unicodedata.digit(chr(code), None) is not None
}
# How cards are written in several pieces: in fours, the longest first; American Express; Diners; as some terminals print.
# Not 8-8: that is two Danish phone numbers.
KNOWN_GROUPS = (
    (4, 4, 4, 4, 3), (4, 4, 4, 4, 2), (4, 4, 4, 4, 1), (4, 4, 4, 4), (4, 4, 4, 3), (4, 4, 4, 2),
    (4, 6, 5), (5, 5, 5), (4, 6, 4), (6, 10), (12, 4),
)  # fmt: skip
# What cannot hold a card number needs no walk through its values: without escapes and without so many digits, whatever is written
# between them. A search leaps from number to number: the first digit stands by itself, and no digit is before it.
_NUMBER = "[0-9](?<![0-9]{2})"
_MANY_DIGITS = re.compile(rf"{_NUMBER}(?:[ .\-_\t\r\n/|,;:()]{{0,3}}[0-9]){{12}}".encode())
_ESCAPED = re.compile(rb"\\[utnr]")
# In a text that is not all ASCII whatever is no letter may be between digits, but the end of the value.
_MANY_APART = re.compile(rf'{_NUMBER}(?:[^0-9A-Za-z"]*+[0-9]){{{SHORTEST_CARD - 1}}}'.encode())
_ESCAPED_QUOTE, _ASCII = b'\\"', bytes(range(0x80))
_HEX = "[0-9a-fA-F]"
_ESCAPE = re.compile(rf"\\u((?![dD][89a-fA-F]){_HEX}{{4}})")  # No halves of a pair.
_UUID = re.compile(rf"(?<![0-9a-zA-Z])(?:{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}|{_HEX}{{32}})(?![0-9a-zA-Z])")
_ACCOUNT = re.compile(r"(?<![0-9a-zA-Z])(?P<country>[A-Z]{2})[0-9]{2}")
_LETTERS_AND_DIGITS = re.compile(rf"{_GAP}[0-9A-Z]")
# How long the bank account numbers of a country are (SWIFT's IBAN registry, ISO 13616).
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU XK", 21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST", 26: "IS TR", 27: "FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB NI PL SV", 29: "BR EG PS QA UA",
        30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip


def mask_cards(text: str) -> str:
    """Mask payment card numbers in a text, keeping the last four digits of each. Linear in its length.

    Where one is drawn with raised or circled digits, all such digits of the text come back as plain ones.
    """
    if len(text) < SHORTEST_CARD:
        return text
    masked = _mask_plain(text)
    if text.isascii():
        return masked
    plain = text.translate(_DRAWN_DIGITS)
    redrawn = _mask_plain(plain) if plain != text else plain
    return redrawn if redrawn != plain else masked


def may_hold_card(raw: bytes) -> bool:
    """Say whether the JSON of a payload may hold a card number; never False where a walk through its values would find one."""
    if b"\\" in raw and (_ESCAPED.search(raw) or _ESCAPED_QUOTE in raw):
        return True
    if raw.isascii():
        return _MANY_DIGITS.search(raw) is not None
    others = raw.translate(None, _ASCII).decode("utf-8", "replace")
    return any(map(str.isdigit, others)) or _MANY_APART.search(raw) is not None


def _mask_plain(text: str) -> str:
    return _PARTED.sub(_mask_parted, _mask_runs(text))


def _mask_parted(found: re.Match[str]) -> str:
    digits = _plain(found.group())
    return MASK + digits[-4:] if is_card_number(digits) else found.group()


def _mask_runs(text: str) -> str:
    if not _DIGIT_RUN.search(text):
        return text
    masked, done = "", 0
    for start, end in _no_cards(text):
        masked += _masked(text[done:start]) + text[start:end]
        done = end
    return masked + _masked(text[done:])


def mask_cards_in_bytes(raw: bytes) -> bytes:
    """Mask payment card numbers in bytes that nobody could read: as UTF-8, as JSON escapes, and a byte for a sign."""
    text = raw.decode("utf-8", "surrogateescape")
    plain = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text)
    masked = mask_cards(plain)
    kept = masked if masked != plain else mask_cards(text)
    return mask_cards(kept.encode("utf-8", "surrogateescape").decode("latin-1")).encode("latin-1")


def _masked(text: str) -> str:
    return _DIGIT_RUN.sub(lambda run: _mask_run(run.group()), text)


def _no_cards(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the ids and the bank account numbers of a text are, in order; none overlaps the one before."""
    spans = [found.span() for found in _UUID.finditer(text)]
    spans += [span for found in _ACCOUNT.finditer(text) if (span := _iban(text, found))]
    done = 0
    for start, end in sorted(spans):
        if start >= done:
            yield start, end
            done = end


def _iban(text: str, found: re.Match[str]) -> tuple[int, int] | None:
    """Where the account number that starts here ends, if it is as long as its country's and its check digits are right."""
    plain, end = found.group(), found.end()
    length = _IBAN_LENGTHS.get(found["country"], 0)
    while len(plain) < length and (more := _LETTERS_AND_DIGITS.match(text, end)):
        plain, end = plain + more.group()[-1], more.end()
    if not length or len(plain) < length or text[end : end + 1].isalnum():
        return None
    checked = "".join(str(int(character, 36)) for character in plain[4:] + plain[:4])
    return (found.start(), end) if int(checked) % 97 == 1 else None


def _mask_run(run: str) -> str:
    """Mask every card number in a run of digits and gaps; it starts and ends where a group of digits does."""
    groups = [found.span() for found in _GROUP.finditer(run)]
    sizes = tuple(end - start for start, end in groups)
    digits_of_run, before = _plain(run), tuple(accumulate(sizes, initial=0))
    masked, done, place = [], 0, 0
    while place < len(groups):
        start, step = groups[place][0], _singles(sizes, place)
        for held in _written_as_one(sizes, place, step):
            end = groups[place + held - 1][1]
            # Systems fill a number up to their column's width.
            digits = digits_of_run[before[place] : before[place + held]].lstrip("0")
            is_decimal = held == 1 and place > 0 and run[start - 1] == "."
            if not is_decimal and is_card_number(digits):
                masked.append(run[done:start] + MASK + digits[-4:])
                done, step = end, held
                break
        place += step or 1
    return "".join(masked) + run[done:]


def _singles(sizes: Sequence[int], place: int) -> int:
    """How many groups of one digit stand here in a row: all of them are one number, or none is."""
    end = place
    while end < len(sizes) and sizes[end] == 1:
        end += 1
    return end - place


def _written_as_one(sizes: tuple[int, ...], place: int, singles: int) -> Iterator[int]:
    """Yield how many groups from here on may be written as one card number: one piece, digit by digit, or KNOWN_GROUPS."""
    if SHORTEST_CARD <= sizes[place] <= WIDEST:
        yield 1
    elif singles:
        yield from (singles,) if SHORTEST_CARD <= singles <= WIDEST else ()
    else:
        yield from (len(known) for known in KNOWN_GROUPS if sizes[place : place + len(known)] == known)


def _plain(text: str) -> str:
    if text.isascii():
        return _NO_DIGITS.sub("", text)
    return "".join(str(int(character)) for character in text if character.isdecimal())
