"""Labelled files for evaluation: rows through a mapping and standardization, each with the customer it truly is. Stores nothing.

A row that cannot be read is counted with its reason, never skipped unsaid; a row without a label stands for a customer of its
own.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernel.errors import Invalid
from matching.evaluate import Labelled
from matching.standardize import Context, ExtraRule, standardize
from mdm import mapping as mappings
from mdm.column_names import near
from mdm.files import open_rows
from mdm.mapping_schema import Mapping as MappingDocument
from mdm.mapping_values import lookup
from mdm.policy_schema import paths_read

MOST_COLUMNS = 50


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """What was read: records with labels, rows that could not be used by reason, and values that the mapping could not read.

    `absent`: paths of the mapping that no row has, each with columns that are called alike. `delimiters`: those found out by
    reading, by the name of the file.
    """

    paths: tuple[Path, ...]
    records: tuple[Labelled, ...]
    rejected: Mapping[str, int]
    problems: Mapping[str, int]
    absent: Mapping[str, list[str]]
    delimiters: Mapping[str, str]

    def place(self, position: int) -> str:
        """Say where a record stands: file and line."""
        number, _, line_no = self.records[position].record_id.partition(":")
        return f"{self.paths[int(number)].name}:{int(line_no)}"


def read_labelled(
    paths: Sequence[Path],
    mapping: MappingDocument,
    truth: str,
    pattern: str | None = None,
    extras: Mapping[str, str] | None = None,
) -> LabelledFile:
    """Read labelled rows of one or more files, which are taken as one.

    `truth` is the column (or dotted path) of the label; of `pattern`, a regular expression, the first group is the label.
    `extras` names the mapping's extra attributes that are compared, with their kind. Raises: Invalid for a file that cannot be
    opened, a pattern that is none, or a truth column that no row has.
    """
    label = _label_reader(truth, pattern)
    kinds = {name: ExtraRule(kind, match=True) for name, kind in (extras or {}).items()}
    context = Context(mapping.default_country, mapping.date_order or "DMY", extra_kinds=kinds)
    records: list[Labelled] = []
    rejected: Counter[str] = Counter()
    problems: Counter[str] = Counter()
    seen = _Columns({path for _, path in paths_read(mapping)})
    delimiters: dict[str, str] = {}
    labelled = 0
    for number, path in enumerate(paths):
        file = open_rows(path)
        delimiters |= {path.name: file.format.delimiter or ""} if "delimiter" in file.found else {}
        for row in file.rows():
            if row.values is None:
                rejected[row.problem.code if row.problem else "unreadable"] += 1
                continue
            seen.look(row.values)
            mapped = mappings.apply(mapping, row.values)
            problems.update(f"{problem.code} {problem.field}".strip() for problem in mapped.problems)
            name = f"{number}:{row.line_no:09}"
            found = label(row.values)
            labelled += found is not None
            records.append(Labelled(name, f"={found}" if found is not None else f"?{name}", standardize(mapped.input, context)))
    if not labelled:
        raise _no_labels(truth, pattern, seen)
    return LabelledFile(tuple(paths), tuple(records), rejected, problems, seen.absent(), delimiters)


class _Columns:
    """Which columns rows have, and which paths of the mapping none of them has so far."""

    def __init__(self, paths: set[str]) -> None:
        self._missing = paths
        self.names: dict[str, None] = {}

    def look(self, row: Mapping[str, Any]) -> None:
        """Take note of one row."""
        if not row.keys() <= self.names.keys():
            self.names |= dict.fromkeys(row)
        if self._missing:
            self._missing = {path for path in self._missing if path not in row and lookup(row, path) is None}

    def absent(self) -> dict[str, list[str]]:
        """Each path that no row has, with the columns that are called most like it."""
        return {path: near(path, self.names) for path in sorted(self._missing)}


def _no_labels(truth: str, pattern: str | None, seen: _Columns) -> Invalid:
    names = list(seen.names)
    more = f" and {len(names) - MOST_COLUMNS:,} more" if len(names) > MOST_COLUMNS else ""
    columns = f". The columns are {', '.join(names[:MOST_COLUMNS])}{more}" if names else ": no row could be read"
    matching = f" that {pattern!r} matches" if pattern else ""
    return Invalid(f"No row has a label in {truth!r}{matching}{columns}", code="no_labels")


def _label_reader(truth: str, pattern: str | None) -> "_Label":
    try:
        return _Label(truth.split("."), re.compile(pattern) if pattern else None)
    except re.error as error:
        raise Invalid(f"{pattern!r} is not a regular expression: {error}", code="bad_pattern") from error


@dataclass(frozen=True, slots=True)
class _Label:
    path: Iterable[str]
    pattern: re.Pattern[str] | None

    def __call__(self, row: Mapping[str, Any]) -> str | None:
        """Read the label of a row; None when it has none. A column whose own name has dots is found first."""
        whole = ".".join(self.path)
        found: Any = row.get(whole)
        if found is None:
            found = row
            for step in self.path:
                found = found.get(step) if isinstance(found, Mapping) else None
        text = "" if found is None else str(found).strip()
        if self.pattern is None:
            return text or None
        match = self.pattern.search(text)
        return match.group(1 if self.pattern.groups else 0) if match else None
