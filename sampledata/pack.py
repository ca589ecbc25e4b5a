"""The adversarial identity pack: named cases of a few records each, with the verdict expected of every pair and the reason.

Reads and checks `adversarial/*.yaml`; standardizes and judges nothing. The verdicts were written from the sentence in `why`,
never from what an engine said.
"""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from itertools import combinations
from typing import Any

import yaml

FOLDER = "adversarial"
# match: one customer. no_match: two, whatever agrees. review: the records do not tell, a human should be asked.
VERDICTS = ("match", "no_match", "review")
REST = "rest"
_CASE_KEYS = {"why", "records", "pairs"}
Pair = tuple[str, str]


class PackError(ValueError):
    """A case that cannot be used: where it stands and why."""


@dataclass(frozen=True, slots=True)
class PackRecord:
    """One record of a case: the source that sent it, and what it said in canonical input."""

    label: str
    source: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """A few records and what should be said of each pair of them. `expected` holds every pair, its labels in order."""

    name: str
    category: str
    why: str
    records: tuple[PackRecord, ...]
    expected: Mapping[Pair, str]


@functools.cache
def cases() -> tuple[Case, ...]:
    """Every case that ships, in the order of the files. Raises: PackError."""
    files = sorted(item.name for item in resources.files("sampledata").joinpath(FOLDER).iterdir() if item.name.endswith(".yaml"))
    found = tuple(case for name in files for case in read_cases(_text(name), name))
    names = [case.name for case in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PackError(f"two cases are called {', '.join(twice)}")
    return found


def _text(name: str) -> str:
    return resources.files("sampledata").joinpath(FOLDER, name).read_text(encoding="utf-8")


def read_cases(text: str, file: str) -> Iterator[Case]:
    """Read the cases of one file: `category`, `about`, and `cases` by name. Raises: PackError."""
    document = yaml.safe_load(text)
    for name, body in document["cases"].items():
        where = f"{file}: {name}"
        if not isinstance(body, dict) or body.keys() != _CASE_KEYS:
            raise PackError(f"{where}: a case has exactly {', '.join(sorted(_CASE_KEYS))}")
        records = tuple(_record(where, label, data) for label, data in body["records"].items())
        expected = _expected(where, [record.label for record in records], body["pairs"])
        yield Case(name, document["category"], body["why"], records, expected)


def _record(where: str, label: str, data: Mapping[str, Any]) -> PackRecord:
    if "source" not in data:
        raise PackError(f"{where}: record {label} names no source")
    return PackRecord(label, data["source"], {name: value for name, value in data.items() if name != "source"})


def _expected(where: str, labels: list[str], pairs: Mapping[str, str]) -> dict[Pair, str]:
    """Spell out the verdict of every pair; `rest` speaks for those that are not named."""
    named = {_pair(where, labels, key): verdict for key, verdict in pairs.items() if key != REST}
    unknown = sorted({*pairs.values()} - {*VERDICTS})
    if unknown:
        raise PackError(f"{where}: {', '.join(unknown)} is no verdict")
    all_pairs = list(combinations(sorted(labels), 2))
    silent = [pair for pair in all_pairs if pair not in named]
    if bool(silent) != (REST in pairs):
        raise PackError(f"{where}: say a verdict for {silent}" if silent else f"{where}: '{REST}' speaks for no pair")
    expected = {pair: named.get(pair) or pairs[REST] for pair in all_pairs}
    _check_sense(where, labels, expected)
    return expected


def _pair(where: str, labels: list[str], key: str) -> Pair:
    parts = sorted(key.split())
    if len(parts) != 2 or parts[0] == parts[1] or not {*parts} <= {*labels}:
        raise PackError(f"{where}: {key!r} names no two of its records")
    return parts[0], parts[1]


def _check_sense(where: str, labels: list[str], expected: Mapping[Pair, str]) -> None:
    """What is one customer with both of two records makes those two one customer."""
    for one, middle, other in ((b, a, c) for a in labels for b, c in combinations(sorted(labels), 2) if a not in (b, c)):
        sides = [expected[min(one, middle), max(one, middle)], expected[min(middle, other), max(middle, other)]]
        if sides == ["match", "match"] and expected[one, other] != "match":
            raise PackError(f"{where}: {one} and {other} both match {middle}, so they match")
