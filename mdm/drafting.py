"""Draft a mapping from a sample of a file: what the columns are called, in several languages, and what their values look like.

A draft is a proposal for a human: whatever was guessed from values alone, or could be read in two ways, is said as a doubt.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

import yaml

from matching.standardize.dates import EARLIEST_YEAR
from matching.standardize.name_parts import is_title
from mdm.column_names import IDENTIFIER, OWN_NAMES, attribute_of, perhaps_attribute_of
from mdm.column_values import birth_columns, names_companies
from mdm.files import RowFile
from mdm.mapping_values import text_of

SAMPLE_ROWS = 500
MOST = 0.6  # Share of a column's values that must look alike to say what they are.
ADDRESS = ("line1", "line2", "house_number", "unit", "city", "region", "postal_code", "country")
SEVERAL = ("emails", "phones")
SHAPES: dict[str, Callable[[str], object]] = {
    "emails": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+").fullmatch,
    "birth_date": re.compile(r"\d{4}([-./]\d\d?){0,2}(T.*| .*)?|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{8}").fullmatch,
    "phones": re.compile(r"\+?[\d\s()./-]{7,20}(?i:(x|ext)\W*\d+)?").fullmatch,
    IDENTIFIER: re.compile(r"(?=.*\d)[\w./ -]{5,40}").fullmatch,
    "gender": re.compile("(?i)[mfwdhvx012]|(fe)?male|(wo)?man|mann|frau|homme|femme|hombre|mujer|uomo|donna|diverse").fullmatch,
    "name_prefix": lambda text: any(is_title(word, None) for word in text.split()),
}
# An order's number or a song's title has the same name as these: read by nobody unless its values look like it.
BELIED = frozenset({IDENTIFIER, "name_prefix"})
OF_PEOPLE = frozenset({
    "given_name", "middle_name", "surname", "name_prefix", "name_suffix", "maiden_name", "birth_date", "birth_year", "gender",
    "company_name",
})  # fmt: skip
# Only these are told by their values alone: a date, a number or a letter may be anything.
TELLING = ("emails",)
PLAIN_ENCODINGS, FALLBACK_ENCODING = ("", "utf-8", "utf-8-sig"), "cp1252"
MOST_ACCENTS = 0.25
ORDER = ("channel_kind", "brand", "file", "key", "updated_at", "date_order", "earliest_birth_year", "fields")
YEAR = re.compile(r"(?<!\d)([12]\d{3})(?!\d)|(?<!\d)([12]\d{3})(?=\d{4}(?!\d))")
FIRST_YEAR_OF_THE_PAST, MOST_YEARS_ASTRAY = 1500, 0.05
DAY_MONTH = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-]\d{2,4}|(\d{2})(\d{2})(?:19|20)\d{2}(?!\d)")
MOST_OUT_OF_ORDER = 0.1  # Of the dates that tell their order: typing errors, or a day and a month that changed places.


@dataclass(slots=True)
class Draft:
    """A policy document with one source, and what to check about it."""

    text: str
    doubts: list[str]


@dataclass(slots=True)
class _Reading:
    """What was made of the columns."""

    chosen: dict[str, list[str]] = field(default_factory=dict)
    unmapped: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def draft(source: str, rows: RowFile, aside: Collection[str] = (), keyed: bool = True) -> Draft:
    """Draft the policy of one source from the first rows of its file, but for the columns `aside`. Reads at most 500 rows.

    `keyed`: whether rows need a key, as they do to be stored.
    """
    read = [row.values for row in islice(rows.rows(), SAMPLE_ROWS) if row.values is not None]
    sample = [{name: value for name, value in row.items() if name not in aside} for row in read]
    columns = _columns(sample)
    reading = _Reading()
    for column, values in columns.items():
        _read_column(reading, column, values)
    _read_birth_in_parts(reading, columns)
    _read_companies(reading, columns)
    if keyed:
        reading.doubts += _doubts_of_key(reading, columns)
    if not sample:
        reading.doubts.append("there are no rows to learn from")
    reading.doubts += _doubts_of_encoding(rows, columns)
    own_terms = _speaks_our_terms(sample)
    if not own_terms:
        reading.doubts += _doubts_of_names(reading, sample)
    document = _document(source, reading, columns)
    if own_terms:
        del document["sources"][source]["fields"]
        for promised in ("loyalty_programmes", "identifiers"):
            document.pop(promised, None)
    declared = document["sources"][source] | _file_format(rows)
    document["sources"][source] = {name: declared[name] for name in sorted(declared, key=_place)}
    body = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    return Draft(_head(rows, own_terms) + _with_choices(body, declared, _country(reading, columns)), reading.doubts)


def _doubts_of_key(reading: _Reading, columns: Mapping[str, list[str]]) -> Iterator[str]:
    """Of two rows with one key the later replaces the earlier: a number of the customer, not of the record, loses records."""
    if "key" not in reading.chosen:
        yield "no column looks like a key: say which one names a record for ever (key: …)"
    for column in reading.chosen.get("key", ())[:1]:
        if more := len(columns[column]) - len(set(columns[column])):
            yield (
                f"{column} is taken for the key, and {more} of the first {len(columns[column])} rows repeat one: rows of one key"
                " replace each other (key: … names a record for ever)"
            )


def _doubts_of_encoding(rows: RowFile, columns: Mapping[str, list[str]]) -> Iterator[str]:
    """Cyrillic or Japanese read as CP1252 is a row of accents, which no language written in Latin letters has."""
    if rows.encoding != FALLBACK_ENCODING or "encoding" not in rows.found:
        return
    letters = [sign for text in (*columns, *chain.from_iterable(columns.values())) for sign in text if not sign.isspace()]
    foreign = sum(not sign.isascii() for sign in letters)
    if foreign > len(letters) * MOST_ACCENTS:
        yield f"{rows.path.name} is read as CP1252 for want of better, and makes little sense: say --encoding, such as cp1251"


def _speaks_our_terms(sample: Iterable[Mapping[str, Any]]) -> bool:
    """Whether rows need no mapping: all their fields but key and time of change have our own names already."""
    names = {name for row in sample for name in row if attribute_of(name) not in {"key", "updated_at"}}
    return bool(names) and names <= OWN_NAMES


def _doubts_of_names(reading: _Reading, sample: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for attribute, found in reading.chosen.items():
        if len(found) > 1 and attribute not in SEVERAL:
            yield f"{', '.join(found)} all look like {attribute}; the first is taken"
    objects = {name for row in sample for name, value in row.items() if isinstance(value, list) and _holds_objects(value)}
    for name in sorted(objects):
        yield f"{name} is a list of objects: map it with {{each: {name}, …}}"
    if left := [name for name in reading.unmapped if name not in objects]:
        yield f"not mapped: {', '.join(left)}; map them, or keep them as extras, or leave them out"


def _holds_objects(value: list[Any]) -> bool:
    return any(isinstance(element, Mapping) for element in value)


def _file_format(rows: RowFile) -> dict[str, Any]:
    """What was found out about the file and would surprise, so that the next file is read the same way."""
    found: dict[str, Any] = {}
    if "delimiter" in rows.found:
        found["delimiter"] = rows.format.delimiter
    if rows.encoding not in PLAIN_ENCODINGS:
        found["encoding"] = rows.encoding
    return {"file": found} if found else {}


def _place(name: str) -> int:
    return ORDER.index(name)


def _head(rows: RowFile, own_terms: bool) -> str:
    terms = "# The fields have our own names already: no mapping is needed.\n" if own_terms else ""
    return (
        f"# Drafted from {rows.path.name}. Check every line; say channel_kind, brand and what is commented out.\n{terms}"
        "# A policy names all sources: put this one under `sources:` of yours (mdm policy show > policy.yaml), then apply that.\n"
    )


def _with_choices(body: str, declared: Mapping[str, Any], country: str) -> str:
    """Put what only a person knows behind the first lines of the source, commented out, each with its default or a guess."""
    choices = {
        "owner": "customer care           # who answers for it",
        "trust": "0.5                     # 0 to 1: whose value wins where sources disagree",
        "stage": "live                    # shadow: scored, nothing merged; review: nothing merged without a human",
        "default_country": f"{country}            # of phones and addresses that do not say theirs",
        "date_order": "DMY                # or MDY, YMD: which way 03/05/1980 is read",
        "file": '{delimiter: ",", encoding: utf-8}',
    }
    lines = [f"    # {name}: {text}\n" for name, text in choices.items() if name not in declared]
    first, brand, rest = body.partition(f"    brand: {declared['brand']}\n")
    return first + brand + "".join(lines) + rest


def _country(reading: _Reading, columns: Mapping[str, list[str]]) -> str:
    """The country that most rows name by its two letters, as a guess; DE is a mere example."""
    named = Counter(text.upper() for column in reading.chosen.get("country", ()) for text in columns[column] if len(text) == 2)
    return named.most_common(1)[0][0] if named else "DE"


def _columns(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Each path of the sample with its texts, in the order of appearance."""
    columns: dict[str, list[str]] = {}
    for row in rows:
        for path, text in _flat(row):
            columns.setdefault(path, []).extend([text] if text is not None else [])
    return columns


def _flat(row: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str | None]]:
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            first = value[0] if isinstance(value, list) and value else value
            yield f"{prefix}{name}", text_of(first)


def _read_column(reading: _Reading, column: str, values: list[str]) -> None:
    attribute = attribute_of(column)
    alike = {kind: _share(looks_so, values) for kind, looks_so in SHAPES.items()}
    if values and _shape(attribute) in BELIED and alike[_shape(attribute)] < MOST:
        attribute = None
    if attribute in alike and values and alike[attribute] < MOST:
        reading.doubts.append(
            f"{column} is called like {attribute}, but {1 - alike[attribute]:.0%} of its values do not look like it"
        )
    if attribute is None:
        attribute, why = _guessed(column, alike)
        if attribute is not None:
            reading.doubts.append(f"{column} is taken for {attribute} by {why}")
    if attribute is None:
        reading.unmapped.append(column)
    else:
        reading.chosen.setdefault(attribute, []).append(column)


def _read_birth_in_parts(reading: _Reading, columns: Mapping[str, list[str]]) -> None:
    """Year, month and day of birth in three columns whose names say nothing (by, bm, bd), where no column is a birth date."""
    if "birth_date" in reading.chosen or "birth_year" in reading.chosen:
        return
    for attribute, column in birth_columns(columns, reading.unmapped).items():
        reading.chosen[attribute] = [column]
        reading.unmapped.remove(column)
        reading.doubts.append(f"{column} is taken for {attribute} by its values alone")


def _read_companies(reading: _Reading, columns: Mapping[str, list[str]]) -> None:
    """Names of companies in a column that is called name, where no other column is one of people."""
    found = reading.chosen.get("name", [])
    if len(found) == 1 and reading.chosen.keys().isdisjoint(OF_PEOPLE) and names_companies(columns[found[0]]):
        reading.chosen["company_name"] = reading.chosen.pop("name")
        reading.doubts.append(f"{found[0]} is taken for company_name: hardly one of its values has a name of people")


def _guessed(column: str, alike: Mapping[str, float]) -> tuple[str | None, str]:
    """What a column of an unknown name may hold, and what says so: its values, or a part of its name that they do not belie."""
    kind = next((kind for kind in TELLING if alike[kind] >= MOST), None)
    if kind is not None:
        return kind, "its values alone"
    named = perhaps_attribute_of(column)
    return (named, "a part of its name") if named and alike.get(_shape(named), 1.0) >= MOST else (None, "")


def _shape(attribute: str | None) -> str:
    """What the values of an attribute are expected to look like, among SHAPES."""
    return IDENTIFIER if attribute and attribute.startswith(IDENTIFIER) else attribute or ""


def _share(looks_so: Callable[[str], object], values: list[str]) -> float:
    return sum(bool(looks_so(value)) for value in values) / len(values) if values else 0.0


def _document(source: str, reading: _Reading, columns: dict[str, list[str]]) -> dict[str, Any]:
    chosen = reading.chosen
    declared: dict[str, Any] = {"channel_kind": "crm", "brand": "main"}
    for name in ("key", "updated_at"):
        if name in chosen:
            declared[name] = chosen[name][0]
    order = _date_order(reading, columns)
    if order:
        declared["date_order"] = order
    earliest = _earliest_birth_year(reading, columns)
    if earliest:
        declared["earliest_birth_year"] = earliest
    aside = {"key", "updated_at", "loyalty_accounts", *SEVERAL, *ADDRESS}
    plain = {name: found[0] for name, found in chosen.items() if name not in aside and not name.startswith(IDENTIFIER)}
    fields: dict[str, Any] = dict(plain)
    fields |= {name: chosen[name] for name in SEVERAL if name in chosen}
    if address := {part: chosen[part][0] for part in ADDRESS if part in chosen}:
        fields["addresses"] = [address]
    document: dict[str, Any] = {"sources": {source: declared}}
    if "loyalty_accounts" in chosen:
        fields["loyalty_accounts"] = [{"programme": "main", "number": chosen["loyalty_accounts"][0]}]
        document["loyalty_programmes"] = {"main": {"title": "say which programme this is"}}
    if identifiers := {name.removeprefix(IDENTIFIER): found[0] for name, found in chosen.items() if name.startswith(IDENTIFIER)}:
        fields["identifiers"] = [{"type": kind, "value": column} for kind, column in identifiers.items()]
        document["identifiers"] = {kind: {"title": kind.replace("_", " ")} for kind in identifiers}
    declared["fields"] = fields
    return document


def _date_order(reading: _Reading, columns: dict[str, list[str]]) -> str | None:
    """DMY or MDY, as nearly all birth dates tell that have a number above 12; a doubt when some tell otherwise, or none tells."""
    texts = [text for column in reading.chosen.get("birth_date", []) for text in columns[column]]
    parts = [(int(found[1] or found[3]), int(found[2] or found[4])) for text in texts if (found := DAY_MONTH.match(text))]
    if not parts:
        return None
    told = {"DMY": sum(first > 12 for first, _ in parts), "MDY": sum(second > 12 for _, second in parts)}
    order = max(told, key=told.__getitem__)
    fewer, all_told = min(told.values()), sum(told.values())
    dates = f"the dates of {', '.join(reading.chosen['birth_date'])}"
    if fewer > all_told * MOST_OUT_OF_ORDER or not all_told:
        why = "are in both orders" if all_told else "do not tell day from month"
        reading.doubts.append(f"{dates} {why}: say date_order DMY or MDY")
        return None
    if fewer:
        reading.doubts.append(
            f"{dates} are taken for {order}, as {all_told - fewer} of {all_told} tell; the others are read as they can be"
        )
    return order


def _earliest_birth_year(reading: _Reading, columns: dict[str, list[str]]) -> int | None:
    """The century of the oldest of a file of people long dead; None where such dates are few enough to be typing errors."""
    found = reading.chosen.get("birth_date") or reading.chosen.get("birth_year", [])
    years = sorted(int(year[1] or year[2]) for column in found[:1] for text in columns[column] if (year := YEAR.search(text)))
    past = [year for year in years if FIRST_YEAR_OF_THE_PAST <= year < EARLIEST_YEAR]
    return past[0] // 100 * 100 if len(past) > len(years) * MOST_YEARS_ASTRAY else None
