"""Blocking rules, once: the keys under which a record is filed and found, in the online index and in bulk alike.

A key is a signed 64-bit hash, keyed with the deployment's secret, so that the index tells nobody's values. Every rule uses
identifying values only, and names its refinements: longer keys that stand in for a key which too many records share. Nothing is
truncated here.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from matching.blocking_facts import LOYALTY, PHONE_TAIL, SEPARATOR, Facts, read_facts
from matching.record import StandardRecord

BLOCKING_VERSION = "2"
HOT_LIMIT = 200  # Records of one key beyond which only its refined keys yield candidates.
KEY_BYTES = 8
IDENTIFIER_RULE = 3
REFINED_STEP = 100  # Rule r is refined by the rules r + 100, r + 200.

# Keys of many records, `{given}` (blocking_key, record_id), joined into pairs, and those that are hot: one text for both DuckDB
# and Spark. The one parameter is the limit.
PAIRS_SQL = """
WITH filed AS (SELECT DISTINCT blocking_key, record_id FROM {given}),
cool AS (SELECT blocking_key FROM filed GROUP BY 1 HAVING count(*) BETWEEN 2 AND ?),
usable AS (SELECT * FROM filed SEMI JOIN cool USING (blocking_key))
SELECT DISTINCT a.record_id AS record_a, b.record_id AS record_b
FROM usable AS a JOIN usable AS b ON a.blocking_key = b.blocking_key AND a.record_id < b.record_id"""
HOT_SQL = """
SELECT blocking_key, count(DISTINCT record_id) AS records FROM {given}
GROUP BY 1 HAVING count(DISTINCT record_id) > ?"""


@dataclass(frozen=True, slots=True)
class Rule:
    """A blocking rule: its number in the index, the facts it files by, and the fact that each of its refinements adds."""

    number: int
    name: str
    facts: tuple[str, ...]
    refined_by: tuple[str, ...]


# Recall and cost of each were measured on FEBRL 2 to 4 without the identifier: all together 99.9 % of the true pairs; any one of
# rules 4 to 12 left out loses between 0.03 and 1.1 % of them.
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
    Rule(11, "street sound + city sound", ("streets", "cities"), ("house_numbers",)),
    Rule(12, "city sound + a name sound", ("cities", "name_sounds"), ("initial_pairs",)),
    Rule(13, "company", ("companies",), ("postal_codes", "cities")),
)
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


def keys(record: StandardRecord, secret: bytes) -> list[tuple[int, int]]:
    """Return (rule, key) for every blocking key of a record, the refined ones among them, without repetition."""
    found: dict[tuple[int, int], None] = {}
    for blocking_key in blocking_keys(record, secret):
        found[blocking_key.rule, blocking_key.key] = None
        found.update(dict.fromkeys(blocking_key.refined))
    return list(found)


def blocking_keys(record: StandardRecord, secret: bytes) -> Iterator[BlockingKey]:
    """Yield the keys of a record, each with its refinements, so that refined keys can be kept for hot keys only."""
    facts = read_facts(record)
    for rule in RULES:
        for parts in _combined(facts, rule.facts):
            refined = tuple(
                (number, _hash(number, (*parts, more), secret))
                for number, attribute in zip(refined_rule(rule.number), rule.refined_by, strict=True)
                for more in facts[attribute]
            )
            yield BlockingKey(rule.number, _hash(rule.number, parts, secret), refined)


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


def _combined(facts: Facts, names: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    return product(*(facts[name] for name in names))


def _hash(rule: int, parts: Iterable[str], secret: bytes) -> int:
    digest = hashlib.blake2b(SEPARATOR.join((str(rule), *parts)).encode(), digest_size=KEY_BYTES, key=secret[:64]).digest()
    return int.from_bytes(digest, "big", signed=True)
