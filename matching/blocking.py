"""Blocking rules, once: the keys under which a record is filed and found, in the online index and in bulk alike.

A key is a signed 64-bit hash, keyed with the deployment's secret, so that the index tells nobody's values. Every rule uses
identifying values only, and names its refinements: longer keys that stand in for a key which too many records share. What a
record holds beyond the values that one is filed by is named by `left_out`, never dropped in silence.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from struct import unpack
from typing import NamedTuple

from matching.blocking_facts import MOST_FILED, PHONE_TAIL, SEPARATOR, Home, Values, left_out, read_facts
from matching.hot_keys import HOT_LIMIT, as_narrow, as_wide
from matching.record import LOYALTY, StandardRecord

__all__ = [
    "BLOCKING_VERSION", "HOT_LIMIT", "IDENTIFIER_RULE", "MOST_FILED", "MOST_KEYS", "NARROW_RULES", "REFINED_STEP", "RULES",
    "BlockingKey", "blocking_keys", "keys", "left_out", "lookup_identifier", "lookup_key", "refined_rule",
]  # fmt: skip

BLOCKING_VERSION = "3"
# Keys of one record, whatever it holds: by MOST_FILED, two streets (or places) a home, three sounds of each name (whole, first
# and last word) and six of nicknames, two readings of a birth date, three years. Rules 1 to 3: 128, 128, 256; 4: 24; 5: 54 pairs
# of sounds with 11 refined keys each, 648; of eight homes 6: 288, 7: 144, 8: 48, 9: 24, 10: 32, 11: 96, 12: 144; 13: 17; 14:
# 64; 15: 576; 16: 9.
MOST_KEYS = 2_626
KEY_BYTES = 8
IDENTIFIER_RULE = 3
REFINED_STEP = 100  # Rule r is refined by the rules r + 100, r + 200.


@dataclass(frozen=True, slots=True)
class Rule:
    """A blocking rule: its number in the index, the facts it files by, and the fact that each of its refinements adds."""

    number: int
    name: str
    facts: tuple[str, ...]
    refined_by: tuple[str, ...]


# Recall and cost of each were measured on FEBRL 2 to 4 without the identifier: all together 99.9 % of the true pairs; any one of
# rules 4 to 12 left out loses between 0.03 and 1.1 % of them. Rules 14 and 15, and nicknames in rule 5, are for records of
# shops that say little more than a name, as is rule 16: 2 % of the retailer's true pairs are found by nothing else.
RULES: tuple[Rule, ...] = (
    Rule(1, "e-mail", ("emails",), ("initial_pairs", "births")),
    Rule(2, "phone tail", ("phones",), ("initial_pairs", "births")),
    Rule(IDENTIFIER_RULE, "identifier or loyalty number", ("identifiers",), ("initial_pairs", "births")),
    Rule(4, "birth date", ("births",), ("initials", "postal_codes")),
    Rule(5, "both name sounds, in any order", ("name_pairs",), ("years", "postal_codes")),
    Rule(6, "street sound + a name sound", ("streets", "name_sounds"), ("cities",)),
    Rule(7, "postal code + a name sound", ("postal_codes", "name_sounds"), ("initial_pairs",)),
    Rule(8, "city sound + both initials", ("cities", "initial_pairs"), ("streets", "years")),
    Rule(9, "postal code + house number", ("postal_codes", "house_numbers"), ("streets",)),
    Rule(10, "street sound + house number", ("streets", "house_numbers"), ("cities",)),
    Rule(11, "street sound + city sound + an initial", ("streets", "cities", "initials"), ("house_numbers",)),
    Rule(12, "city sound + a name sound", ("cities", "name_sounds"), ("initial_pairs",)),
    Rule(13, "company", ("companies",), ("postal_codes", "cities")),
    Rule(14, "what stands before the @ of an e-mail", ("mailboxes",), ("initial_pairs",)),
    Rule(15, "a name sound + five digits in a row of a phone", ("name_sounds", "phone_parts"), ()),
    Rule(16, "a name sound + the other name's initial", ("sound_initials",), ()),
)
# Rules of what many strangers share: their keys are hot sooner (`matching.hot_keys`); those that refine them are as all others.
NARROW_RULES = frozenset({5, 8, 11, 12, 14, 16})
_RULES = {rule.number: rule for rule in RULES}


@dataclass(frozen=True, slots=True)
class BlockingKey:
    """A key of a record under a rule, with the keys that refine it for this record."""

    rule: int
    key: int
    refined: tuple[tuple[int, int], ...]


def refined_rule(rule: int) -> tuple[int, ...]:
    """Return the numbers of the rules that refine a rule; empty for a refined one."""
    return tuple(rule + REFINED_STEP * step for step, _ in enumerate(_RULES[rule].refined_by, 1)) if rule in _RULES else ()


class _Plan(NamedTuple):
    """A rule as it is applied: how its texts and those of its refined rules begin, and whether each home is filed by itself."""

    rule: int
    head: str
    facts: tuple[str, ...]
    refined: tuple[tuple[int, str, str], ...]
    is_of_a_home: bool


def _head(rule: int) -> str:
    return f"{rule}{SEPARATOR}"


_PLANS: Sequence[_Plan] = tuple(
    _Plan(
        rule.number,
        _head(rule.number),
        rule.facts,
        tuple((number, _head(number), fact) for number, fact in zip(refined_rule(rule.number), rule.refined_by, strict=True)),
        not set(Home._fields).isdisjoint(rule.facts),
    )
    for rule in RULES
)
# The texts of one key and of those that refine it, each with its rule.
_Texts = list[tuple[int, str]]


def keys(record: StandardRecord, secret: bytes) -> list[tuple[int, int]]:
    """Return (rule, key) for every blocking key of a record, the refined ones among them, without repetition.

    At most MOST_KEYS, of at most MOST_FILED values of an attribute; which ones does not depend on their order.
    """
    texts = [one for group in _texts(record) for one in group]
    return list(dict.fromkeys(_hashed(texts, secret)))


def blocking_keys(record: StandardRecord, secret: bytes) -> Iterator[BlockingKey]:
    """Yield the keys of a record, each once with its refinements, so that refined keys can be kept for hot keys only."""
    for group in _texts(record):
        (rule, key), *refined = _hashed(group, secret)
        yield BlockingKey(rule, key, tuple(refined))


def _texts(record: StandardRecord) -> Iterator[_Texts]:
    """Yield what is hashed for each key of a record: the rule and its facts, then those of each refinement."""
    facts = read_facts(record)
    whole, homes = (facts.whole,), facts.homes
    for plan in _PLANS:
        of = homes if plan[-1] else whole
        if len(of) == 1:
            yield from _of_one(plan, of[0])
        elif of:
            yield from _of_several(plan, of)


def _of_one(plan: _Plan, values: Values) -> Sequence[_Texts]:
    rule, head, names, refinements, _ = plan
    texts: Iterable[str] = values[names[0]]
    if len(names) > 1 and texts:
        texts = map(SEPARATOR.join, product(*[values[name] for name in names]))
    elif not texts:
        return ()
    more = [(number, refined, SEPARATOR + one) for number, refined, fact in refinements for one in values[fact]]
    return [[(rule, head + text), *[(number, refined + text + end) for number, refined, end in more]] for text in texts]


def _of_several(plan: _Plan, of: Sequence[Values]) -> Iterable[_Texts]:
    """The texts of several homes: what two of them share is one key, with all that refines it in either."""
    found: dict[tuple[int, str], dict[tuple[int, str], None]] = {}
    for values in of:
        for first, *refined in _of_one(plan, values):
            found.setdefault(first, {}).update(dict.fromkeys(refined))
    return [[first, *refined] for first, refined in found.items()]


def lookup_key(kind: str, parts: Sequence[str], secret: bytes) -> int:
    """Return the key under which records holding a match key are filed.

    `kind` and parts: "email" (match key), "phone" (match key), "identifier" (type, issuer, match key), "loyalty" (programme,
    match key). A phone is filed by its last digits only: compare the match keys of what is found.
    """
    match kind:
        case "email":
            return _hash(1, parts, secret)
        case "phone":
            return _hash(2, (parts[0][-PHONE_TAIL:],), secret)
        case "identifier":
            return _hash(IDENTIFIER_RULE, parts, secret)
        case "loyalty":
            return _hash(IDENTIFIER_RULE, (LOYALTY, *parts), secret)
    raise ValueError("kind must be email, phone, identifier or loyalty")


def lookup_identifier(token: str, secret: bytes) -> int:
    """Return the key under which records holding an identifier of their comparison form (type|issuer|value) are filed."""
    return _hash(IDENTIFIER_RULE, token.split("|", 2), secret)


@lru_cache(maxsize=8)
def _keyed(secret: bytes) -> "hashlib.blake2b":
    """The hash with the secret taken in; it is copied for each text, which costs a third less than to begin anew."""
    return hashlib.blake2b(digest_size=KEY_BYTES, key=secret[:64])


def _hashed(texts: _Texts, secret: bytes) -> Iterator[tuple[int, int]]:
    """Hash the texts of keys, with their rules, in their order."""
    begin = _keyed(secret).copy
    digests: list[bytes] = []
    for _, text in texts:
        digest = begin()
        digest.update(text.encode())
        digests.append(digest.digest())
    numbers = unpack(f">{len(digests)}q", b"".join(digests))
    for (rule, _), number in zip(texts, numbers, strict=True):
        yield rule, as_narrow(number) if rule in NARROW_RULES else as_wide(number)


def _hash(rule: int, parts: Iterable[str], secret: bytes) -> int:
    [(_, key)] = _hashed([(rule, _head(rule) + SEPARATOR.join(parts))], secret)
    return key
