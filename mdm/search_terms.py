"""The terms by which a record is searched, and the ranges of terms that a question asks for. Pure.

A term is a letter for its kind and a folded value: `n` a word of a name, `e` an e-mail address, `p` the digits of a phone number
from the last to the first, `i` an identifier or loyalty number, `z` a postal code. Words and phones are found by a part, others
whole. Alembic 0018 makes the same of records stored before, in SQL.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kernel.errors import Invalid
from matching.record import StandardRecord
from matching.standardize import Context, standardize
from matching.standardize.name_repairs import fold_name
from matching.standardize.text import fold
from mdm.policy import Policy

LONGEST_TERM = 200  # Characters; an index entry has an end, and nobody types more.
SHORTEST_NAME, SHORTEST_PHONE = 2, 4
SHORTEST_NUMBER = 7  # Digits of a whole number, without its trunk's zeros; of fewer that are typed all are meant.
LAST = "\U0010ffff"  # Sorts behind whatever may follow a beginning.
_FOLDED = re.compile("[a-z0-9 ]*")  # As nearly all names are by now.
_NOT_WORD, _NOT_DIGIT, _NOT_CODE = re.compile(r"[^a-z0-9]+"), re.compile(r"[^0-9]"), re.compile(r"[^A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class Range:
    """Terms from `low` to `high`, both included. One record must meet `needed` ranges of a criterion; a `side` can drive."""

    low: str
    high: str
    criterion: str
    needed: int
    side: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What is searched for, each criterion as it was typed; all that are given must be met."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    country: str | None = None
    identifier: str | None = None
    postal_code: str | None = None


def terms(record: StandardRecord) -> frozenset[str]:
    """Name the terms by which a record is found; what does not identify anybody is found as well."""
    return frozenset(term[:LONGEST_TERM] for term in _terms(record) if len(term) > 1)


def _terms(record: StandardRecord) -> Iterator[str]:
    name = record.name
    folded = (name.given_folded, name.middle_folded, name.surname_folded, name.maiden_folded) if name else ()
    yield from ("n" + word for part in (*folded, record.company_key, record.company_form) for word in _words(part))
    yield from ("e" + _lowered(one) for email in record.emails for one in (email.value, email.key) if one)
    yield from ("p" + _digits(phone.value)[::-1] for phone in record.phones)
    numbers = (*((one.value, one.key) for one in record.identifiers), *((one.number, one.key) for one in record.loyalty_accounts))
    yield from ("i" + _code(one) for pair in numbers for one in pair if one)
    yield from ("z" + _code(one) for home in record.addresses for one in (home.postal_code, home.postal_key) if one)


def _words(text: str | None) -> list[str]:
    if not text:
        return []
    return text.split() if _FOLDED.fullmatch(text) else [word for word in _NOT_WORD.split(text) if word]


def _lowered(text: str) -> str:
    """ASCII letters in lower case, as PostgreSQL does in byte order."""
    return text.lower() if text.isascii() else text.encode().lower().decode()


def _digits(text: str) -> str:
    digits = text.removeprefix("+")
    return digits if digits.isascii() and digits.isdecimal() else _NOT_DIGIT.sub("", text)


def _code(text: str) -> str:
    return _NOT_CODE.sub("", text).upper()


def ranges(policy: Policy, asked: Asked) -> list[Range]:
    """Turn a question into ranges of terms.

    Raises: Invalid for a criterion that is too short, or that says nothing; the value is in no error.
    """
    found: list[Range] = []
    for criterion, read in _READERS.items():
        text = getattr(asked, criterion)
        if text is None:
            continue
        texts, is_part, together = read(policy, asked, text)
        if not texts:
            raise Invalid(
                "A criterion says nothing that can be searched for", code="criterion_unreadable", extra={"criterion": criterion}
            )
        first = len(found) + 1
        for place, term in enumerate(texts):
            high = term + LAST if is_part else term
            needed, side = (len(texts), first + place) if together else (1, first)
            found.append(Range(term, high, criterion, needed, side))
    return found


_Read = tuple[Sequence[str], bool, bool]  # Terms, whether each is a beginning, whether one record must hold them all.


def _name(_policy: Policy, _asked: Asked, text: str) -> _Read:
    words = list(dict.fromkeys(_words(fold_name(text))))
    if words and max(map(len, words)) < SHORTEST_NAME:
        raise _too_short("name", SHORTEST_NAME)
    return ["n" + word[: LONGEST_TERM - 1] for word in words], True, True


def _email(_policy: Policy, _asked: Asked, text: str) -> _Read:
    read = standardize({"emails": [text]}, Context()).emails
    return _distinct("e" + _lowered(one) for email in read for one in (email.key, email.value) if one), False, False


def _phone(_policy: Policy, asked: Asked, text: str) -> _Read:
    """A number that can be read is compared with its country; of any other whole one the zeros of the trunk say nothing."""
    read = standardize({"phones": [{"value": text, "country": asked.country}]}, Context()).phones
    value = next((phone.value for phone in read if phone.value.startswith("+")), None)
    written = _digits(value or fold(text) or "")
    digits = written if value or len(written.lstrip("0")) < SHORTEST_NUMBER else written.lstrip("0")
    if len(digits) < SHORTEST_PHONE:
        raise _too_short("phone", SHORTEST_PHONE)
    return ["p" + digits[::-1][: LONGEST_TERM - 1]], True, False


def _identifier(policy: Policy, _asked: Asked, text: str) -> _Read:
    """Whatever kind it is of: as typed, and as each kind that the policy declares would be written."""
    said = {
        "identifiers": [{"type": kind, "value": text} for kind in sorted(policy.identifiers)],
        "loyalty_accounts": [{"programme": name, "number": text} for name in sorted(policy.loyalty_programmes)],
    }
    read = standardize(said, Context())
    known = (*(one.value for one in read.identifiers), *(one.number for one in read.loyalty_accounts))
    codes = [code for one in (fold(text) or "", *known) if (code := _code(one))]
    if codes and max(map(len, codes)) < SHORTEST_NAME:
        raise _too_short("identifier", SHORTEST_NAME)
    return _distinct("i" + code for code in codes), False, False


def _postal_code(_policy: Policy, _asked: Asked, text: str) -> _Read:
    code = _code(fold(text) or "")
    if code and len(code) < SHORTEST_NAME:
        raise _too_short("postal_code", SHORTEST_NAME)
    return ["z" + code[: LONGEST_TERM - 1]] if code else [], False, False


_READERS: Mapping[str, Callable[[Policy, Asked, str], _Read]] = {
    "name": _name, "email": _email, "phone": _phone, "identifier": _identifier, "postal_code": _postal_code,
}  # fmt: skip


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(text[:LONGEST_TERM] for text in texts))


def _too_short(criterion: str, least: int) -> Invalid:
    detail = "A name needs a word of two letters, a phone number four digits, other criteria two signs."
    extra: dict[str, Any] = {"criterion": criterion, "least": least}
    return Invalid("A criterion is too short to search by", code="criterion_too_short", detail=detail, extra=extra)
