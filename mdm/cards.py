"""Finds payment card numbers in texts and masks them, however they are written. Pure.

A false alarm destroys what a source sent, so what is written as no card ever is stays: ids, bank accounts, phones in pairs.
"""

import re
from collections.abc import Iterator

from matching.standardize.identifiers import is_card_number

MASK = "***"
# Visa's extinct 13 digits are not looked for: one German mobile number in ten would pass.
SHORTEST_CARD, LONGEST_CARD = 14, 19
# Spaces of every width, dots, dashes, underscores and what has no width. No slash: it stands between two phone numbers.
_GAP = r"[ .\-_\t\u00a0\u2000-\u2015\u202f\u2060\ufeff]{0,2}"
_DIGIT_RUN = re.compile(rf"\d(?:{_GAP}\d){{{SHORTEST_CARD - 1},}}")
_GROUP = re.compile(r"\d+")
# What cannot hold a card number needs no walk through its values: plain ASCII without escapes and without so many digits.
MAYBE_CARD = re.compile(rb"(?:[0-9][ .\-_\t]{0,2}){14}|\\[ut]|[\x80-\xff]")
_UUID = r"(?<![0-9a-zA-Z])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9a-zA-Z])"
_IBAN = r"(?<![0-9a-zA-Z])[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]){11,30}(?![0-9a-zA-Z])"
_NO_CARD = re.compile(f"{_UUID}|{_IBAN}")


def mask_cards(text: str) -> str:
    """Mask payment card numbers in a text, keeping the last four digits of each."""
    if len(text) < SHORTEST_CARD or not _DIGIT_RUN.search(text):
        return text
    masked, done = "", 0
    for found in _NO_CARD.finditer(text):
        if _is_whole(found.group()):
            masked += _masked(text[done : found.start()]) + found.group()
            done = found.end()
    return masked + _masked(text[done:])


def _masked(text: str) -> str:
    return _DIGIT_RUN.sub(lambda run: _mask_run(run.group()), text)


def _is_whole(text: str) -> bool:
    """Whether it is a UUID, or a bank account number with right check digits (ISO 13616: modulo 97)."""
    if "-" in text:
        return True
    plain = text.replace(" ", "")
    return int("".join(str(int(character, 36)) for character in plain[4:] + plain[:4])) % 97 == 1


def _mask_run(run: str) -> str:
    """Mask every card number in a run of digits and gaps; it starts and ends where a group of digits does."""
    groups = [(found.start(), found.end(), found.group()) for found in _GROUP.finditer(run)]
    masked, done, place = "", 0, 0
    while place < len(groups):
        sizes = _candidates(groups, place)
        length = next((size for size in sizes if _is_card([digits for *_, digits in groups[place : place + size]])), 0)
        if length:
            digits = _plain("".join(group for *_, group in groups[place : place + length]))
            masked += run[done : groups[place][0]] + MASK + digits[-4:]
            done = groups[place + length - 1][1]
        place += length or 1
    return masked + run[done:]


def _candidates(groups: list[tuple[int, int, str]], place: int) -> Iterator[int]:
    """Yield how many groups from here on hold as many digits as a card has."""
    digits = 0
    for number, (*_, group) in enumerate(groups[place:], 1):
        digits += len(group)
        if digits > LONGEST_CARD:
            return
        if digits >= SHORTEST_CARD:
            yield number


def _is_card(groups: list[str]) -> bool:
    """Whether digits are a card number, and grouped as one: in one piece, in fours, or 4-6-5 and 4-6-4."""
    sizes = [len(group) for group in groups]
    in_fours = all(size == 4 for size in sizes[:-1]) and sizes[-1] <= 4
    return (len(sizes) == 1 or in_fours or sizes in ([4, 6, 5], [4, 6, 4])) and is_card_number(_plain("".join(groups)))


def _plain(digits: str) -> str:
    return "".join(str(int(digit)) for digit in digits)
