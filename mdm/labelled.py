"""Labelled files for evaluation: rows through a mapping and standardization, each with the customer it truly is. Stores nothing.

A row that cannot be read is counted with its reason, never skipped unsaid; a row without a label stands for a customer of its
own.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from kernel.errors import Invalid
from matching.evaluate import Labelled
from matching.standardize import Context, ExtraRule, standardize
from mdm import drafting
from mdm import mapping as mappings
from mdm.column_names import near
from mdm.documents import read_text
from mdm.files import RowFile, open_rows
from mdm.mapping_schema import Mapping as MappingDocument
from mdm.mapping_values import lookup
from mdm.policy import Policy
from mdm.policy import load as load_policy
from mdm.policy import parse as parse_policy
from mdm.policy_schema import ExtraKind, FileFormat, Source, paths_read

MOST_COLUMNS = 50
SOURCE_COLUMN = "source"
TELLS_NOBODY = frozenset({"language", "preferred_store", "gender", "name_prefix", "name_suffix"})
DRAFTED = "file"  # What a source is called that nobody has named.
TELL_STEP = 500
Tell = Callable[[int, int | None], None]
Rules = Callable[[Mapping[str, Any]], tuple[MappingDocument, Context] | None]


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


def load_rules(path: Path) -> MappingDocument | Policy:
    """Read a mapping, or a policy: a document that names sources. Raises: DocumentError with every fault: file, line, field."""
    try:
        document = yaml.safe_load(read_text(path))
    except yaml.YAMLError:
        document = None  # The mapping's own parser says where it is wrong.
    is_policy = isinstance(document, dict) and "sources" in document
    return load_policy(path) if is_policy else mappings.load_mapping(path)


def drafted_rules(path: Path, aside: Iterable[str]) -> tuple[Source, list[str]]:
    """Draft the mapping of a file from its columns, but for those `aside`, and say what is doubtful.

    Raises: Invalid as `open_rows` does, and (nothing_mapped) where no column is called like anything that we know.
    """
    rows = open_rows(path)
    if next(rows.rows(), None) is None:
        raise Invalid(f"{path.name} has no rows", code="no_labels")
    drafted = drafting.draft(DRAFTED, rows, frozenset(aside), keyed=False)
    found = parse_policy(drafted.text).source(DRAFTED)
    if found.fields is not None and {str(where[1]) for where, _ in paths_read(found)} <= TELLS_NOBODY:
        told = f"none of its columns is called like what tells people apart ({', '.join(rows.columns[:MOST_COLUMNS])})"
        raise Invalid(f"{path.name}: {told}: say in a --mapping which does (mdm map drafts one)", code="nothing_mapped")
    return found, drafted.doubts


def _file_format(rules: MappingDocument | Policy) -> FileFormat:
    """How files are written, where the source says it, or all sources of a policy say the same."""
    sources = rules.sources.values() if isinstance(rules, Policy) else (rules,)
    said = {one.file if isinstance(one, Source) else FileFormat() for one in sources}
    return said.pop() if len(said) == 1 else FileFormat()


def compared_extras(rules: MappingDocument | Policy) -> dict[str, str]:
    """The extra attributes that a policy wants compared, with their kind."""
    return {name: rule.kind for name, rule in rules.extras.items() if rule.match} if isinstance(rules, Policy) else {}


def asked_extras(asked: Iterable[str], rules: MappingDocument | Policy) -> dict[str, str]:
    """The extra attributes to compare, with their kind: those of a policy, or of a mapping those asked for as `name:kind`.

    Raises: Invalid (bad_extra) for one without a name or a known kind, and for one that is not read, or not compared.
    """
    found = compared_extras(rules)
    for text in asked:
        name, _, kind = text.rpartition(":")
        if not name or kind not in set(ExtraKind):
            kinds = ", ".join(ExtraKind)
            raise Invalid(f"{text!r} is not name:kind; the kinds are {kinds}", code="bad_extra")
        if isinstance(rules, Policy) and name not in found:
            raise Invalid(f"{name!r} is not compared: say `match: true` of it in the policy's extras", code="bad_extra")
        if not isinstance(rules, Policy) and rules.fields is not None and name not in rules.fields.extras:
            raise Invalid(f"The mapping reads no extra {name!r}: name its column below fields.extras", code="bad_extra")
        found.setdefault(name, kind)
    return found


def read_labelled(
    paths: Sequence[Path],
    mapping: MappingDocument | Policy,
    truth: str,
    pattern: str | None = None,
    extras: Mapping[str, str] | None = None,
    by: str | None = None,
    tell: Tell = lambda done, total: None,
) -> LabelledFile:
    """Read labelled rows of one or more files, which are taken as one.

    CSV is read as the policy says that its sources write it, where that is one thing. Under a policy the column `source` of each
    row says by which source's mapping it is read; under one of a single source, rows need none. `truth` is the column (or dotted
    path) of the label; of `pattern`, a regular expression, the first group is the label. `extras` names the mapping's extra
    attributes that are compared, with their kind. `by` is the column whose value becomes the record's group. `tell` hears now
    and then how many rows of a file are read, and about how many there are. Raises: Invalid for a file that cannot be opened, a
    pattern that is none, a truth column that no row has, or a `by` that a row has not.
    """
    group = _Label(by.split("."), None) if by else None
    seen = _Columns(set() if isinstance(mapping, Policy) else {path for _, path in paths_read(mapping)})
    reading = _Reading(_label_reader(truth, pattern), group, by or "", _rules(mapping, extras or {}), seen)
    delimiters: dict[str, str] = {}
    written = _file_format(mapping)
    for number, path in enumerate(paths):
        file = open_rows(path, written)
        delimiters |= {path.name: file.format.delimiter or ""} if "delimiter" in file.found else {}
        reading.read(number, file, tell)
    if not reading.labelled:
        raise _no_labels(truth, pattern, seen, "unknown_source" in reading.rejected)
    return LabelledFile(tuple(paths), tuple(reading.records), reading.rejected, reading.problems, seen.absent(), delimiters)


@dataclass(slots=True)
class _Reading:
    """What has been read so far, and how rows are read."""

    label: "_Label"
    group: "_Label | None"
    by: str
    rules: Rules
    seen: "_Columns"
    labelled: int = 0
    records: list[Labelled] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)

    def read(self, number: int, file: RowFile, tell: Tell) -> None:
        """Read every row of a file, of which so many were read before."""
        total = file.estimated_rows()
        for done, row in enumerate(file.rows()):
            if done % TELL_STEP == 0:
                tell(done, total)
            if row.values is None:
                self.rejected[row.problem.code if row.problem else "unreadable"] += 1
            else:
                self.take(f"{number}:{row.line_no:09}", row.values)

    def take(self, name: str, row: Mapping[str, Any]) -> None:
        """Read one row into a record, or count why not."""
        self.seen.look(row)
        ruling = self.rules(row)
        if ruling is None:
            self.rejected["unknown_source"] += 1
            return
        mapping, context = ruling
        mapped = mappings.apply(mapping, row)
        self.problems.update(f"{problem.code} {problem.field}".strip() for problem in mapped.problems)
        found = self.label(row)
        self.labelled += found is not None
        told = f"={found}" if found is not None else f"?{name}"
        self.records.append(Labelled(name, told, standardize(mapped.input, context), self._group_of(row)))

    def _group_of(self, row: Mapping[str, Any]) -> str:
        found = self.group(row) if self.group else ""
        if found is None:
            raise Invalid(f"A row has nothing in {self.by!r}, by which figures are to be broken down", code="no_group")
        return found


def _rules(mapping: MappingDocument | Policy, extras: Mapping[str, str]) -> Rules:
    """By what mapping and in what context a row is read; None for a row of a source that the policy does not name.

    Where the policy names one source alone, as what `mdm map` drafts does, rows without the column are that source's.
    """
    if not isinstance(mapping, Policy):
        kinds = {name: ExtraRule(kind, match=True) for name, kind in extras.items()}
        only = mapping, _context(mapping, kinds)
        return lambda row: only
    known = {name: (source, mapping.standardize_context(name)) for name, source in mapping.sources.items()}
    only_source = next(iter(known)) if len(known) == 1 else ""
    return lambda row: known.get(str(row.get(SOURCE_COLUMN, only_source)))


def _context(mapping: MappingDocument, kinds: Mapping[str, ExtraRule]) -> Context:
    return Context(
        mapping.default_country,
        mapping.date_order or "DMY",
        extra_kinds=kinds,
        earliest_birth_year=mapping.earliest_birth_year,
    )


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


def _no_labels(truth: str, pattern: str | None, seen: _Columns, unknown: bool) -> Invalid:
    names = list(seen.names)
    more = f" and {len(names) - MOST_COLUMNS:,} more" if len(names) > MOST_COLUMNS else ""
    columns = f". The columns are {', '.join(names[:MOST_COLUMNS])}{more}" if names else ": no row could be read"
    if unknown:
        columns += "; no row could be read: under a policy each row names its source in a column 'source'"
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
