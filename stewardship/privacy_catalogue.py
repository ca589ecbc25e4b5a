"""What an erasure does to each table, read from what the table declares of itself in the database's catalogue; never from a list.

A table says in its comment by which method it is erased; which of its rows are the person's follows from its columns: records by
their ids, keys of sources, golden ids, or a foreign key to a table whose rows are theirs. What cannot be understood stops an
erasure before it begins.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import orjson
from sqlmodel import Session

from kernel.errors import Unavailable
from mdm import sql
from mdm.erasing import Subject

DELETE, EMPTY, WITH, KEEP, BY = "delete", "empty", "with", "keep", "by"
# What is there besides to say that nothing personal stands in a table.
_KEPT = "keep|ids only|numbers only|no values|keyed hashes stay"
_GRAMMAR = re.compile(rf"({_KEPT}|delete|empty (?P<columns>\w+(?:, \w+)*)|with (?P<table>\w+)|by (?P<handler>\w+))(?:[:;,] .*)?")
# The names under which rows say whose they are.
RECORDS = frozenset({"record_id", "record_a", "record_b", "other_record_id"})
MANY_RECORDS = frozenset({"record_ids", "left_records", "right_records", "members"})
KEYS = ("source_key", "record_key")
GOLDENS, MANY_GOLDENS = frozenset({"golden_id"}), frozenset({"golden_ids"})
_TABLES = """
SELECT c.relname, obj_description(c.oid, 'pg_class'), array_agg(a.attname::text ORDER BY a.attnum),
  array_agg(format_type(a.atttypid, NULL) ORDER BY a.attnum), array_agg(a.attnotnull ORDER BY a.attnum)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND c.relname <> 'alembic_version' GROUP BY c.oid, c.relname ORDER BY c.relname"""
_PARENTS = """
SELECT conrelid::regclass::text, a.attname::text, confrelid::regclass::text, b.attname::text
FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = conkey[1]
JOIN pg_attribute b ON b.attrelid = confrelid AND b.attnum = confkey[1]
WHERE contype = 'f' AND cardinality(conkey) = 1 AND conparentid = 0 ORDER BY 1, 2"""
_NOTHING = {"bytea": "''", "jsonb": "'{}'", "text": "''"}


@dataclass(frozen=True, slots=True)
class Method:
    """How a table is erased: `what` are the columns to empty, the other table, or the handler."""

    name: str
    what: str = ""


@dataclass(frozen=True)
class Table:
    """A table as the catalogue has it. `parents`: its columns that point to a column of another table."""

    name: str
    behaviour: Mapping[str, object]
    columns: Mapping[str, str]
    required: frozenset[str]
    parents: tuple[tuple[str, str, str], ...]

    @property
    def is_of_customers(self) -> bool:
        """Whether it may hold anything of a customer."""
        return self.behaviour.get("customer") is not False

    @cached_property
    def method(self) -> Method | None:
        """How it is erased; None when what it declares is not understood."""
        if not self.is_of_customers:
            return Method(KEEP)
        found = _GRAMMAR.fullmatch(str(self.behaviour.get("erase", "")))
        if found is None:
            return None
        said = found.groupdict()
        name = KEEP if re.fullmatch(_KEPT, found[1]) else found[1].split()[0]
        return Method(name, said["columns"] or said["table"] or said["handler"] or "")


@dataclass(frozen=True)
class Catalogue:
    """All tables, by name."""

    tables: Mapping[str, Table]

    def whose(self, table: Table, seen: frozenset[str] = frozenset(), wholly: bool = False) -> str | None:
        """Say in SQL which rows of a table are the subject's; None when no column of it says whose it is.

        `wholly`: only those that speak of nobody else. Parameters: see `parameters`.
        """
        also, within = (" AND ", "<@") if wholly else (" OR ", "&&")
        own = [f"{name} = ANY(%(records)s)" for name, kind in table.columns.items() if name in RECORDS and kind == "uuid"]
        own += [
            f"{name} {within} %(records)s::uuid[]"
            for name, kind in table.columns.items()
            if name in MANY_RECORDS and kind == "uuid[]"
        ]
        key = next((name for name in KEYS if name in table.columns and "source" in table.columns), None)
        if not own and key:
            own = [f"(source, {key}) IN (SELECT * FROM unnest(%(sources)s::text[], %(keys)s::text[]))"]
        if not own:
            # Where it may be empty it says where something happened, not whose the row is.
            own = [f"{name} = ANY(%(goldens)s)" for name in table.columns if name in GOLDENS & table.required]
            own += [f"{name} {within} %(goldens)s::uuid[]" for name in table.columns if name in MANY_GOLDENS]
        return also.join(own) or self._by_link(table, wholly) or self._by_parent(table, seen | {table.name}, wholly)

    def _by_link(self, table: Table, wholly: bool) -> str | None:
        """By a table that ties rows of this one to records: those tied to the subject's, and to nobody else who lives."""
        for link in self.tables.values():
            record = next((name for name, kind in link.columns.items() if name in RECORDS and kind == "uuid"), None)
            for column, parent, key in link.parents if record else ():
                if parent == table.name:
                    living = f"SELECT FROM source_record r WHERE r.record_id = o.{record} AND NOT r.is_deleted"
                    others = "true" if wholly else f"EXISTS ({living})"
                    tied = f"o.{column} = {table.name}.{key} AND o.{record} <> ALL(%(records)s) AND {others}"
                    mine = f"SELECT {column} FROM {link.name} WHERE {record} = ANY(%(records)s)"
                    return f"{key} IN ({mine}) AND NOT EXISTS (SELECT FROM {link.name} o WHERE {tied})"
        return None

    def _by_parent(self, table: Table, seen: frozenset[str], wholly: bool) -> str | None:
        for column, parent, key in table.parents:
            if parent in self.tables and parent not in seen and (theirs := self.whose(self.tables[parent], seen, wholly)):
                return f"{column} IN (SELECT {key} FROM {parent} WHERE {theirs})"
        return None

    def problems(self, handlers: Mapping[str, object]) -> Iterator[str]:
        """Name the tables whose erasure cannot be understood, and why."""
        for table in self.tables.values():
            method = table.method
            if method is None:
                yield f"{table.name}: declares no method of erasure"
            elif method.name == BY and method.what not in handlers:
                yield f"{table.name}: no handler {method.what}"
            elif method.name in {DELETE, EMPTY} and self.whose(table) is None:
                yield f"{table.name}: no column says whose its rows are"
            elif method.name == EMPTY and (gone := set(method.what.split(", ")) - table.columns.keys()):
                yield f"{table.name}: no column {', '.join(sorted(gone))}"

    def handlers(self) -> list[str]:
        """Name the handlers that tables are erased by, each once."""
        return sorted({one.method.what for one in self.tables.values() if one.method and one.method.name == BY})

    def statements(self) -> Iterator[tuple[str, str]]:
        """Give the statements that erase the rows of all tables that need no handler: those first that others are found by."""
        chosen = [one for one in self.tables.values() if one.method and one.method.name in {DELETE, EMPTY}]
        for table in sorted(chosen, key=lambda one: (bool(self._found_directly(one)), one.name)):
            yield table.name, self._statement(table)

    def _found_directly(self, table: Table) -> bool:
        """Rows that are found by another table's go before that one's."""
        return self.whose(table, frozenset(self.tables)) is not None

    def _statement(self, table: Table) -> str:
        theirs, method = self.whose(table), table.method
        if method and method.name == EMPTY:
            emptied = ", ".join(f"{name} = {self._nothing(table, name)}" for name in method.what.split(", "))
            return f"UPDATE {table.name} SET {emptied} WHERE {theirs}"
        return f"DELETE FROM {table.name} WHERE {theirs}"

    def _nothing(self, table: Table, column: str) -> str:
        if column not in table.required:
            return "NULL"
        return "'{}'" if table.columns[column].endswith("[]") else _NOTHING[table.columns[column]]

    def counts(self, session: Session, of: Subject) -> dict[str, int]:
        """Count the rows of the subject in each table where a column says whose they are, but for those that keep theirs."""
        found = {}
        for table in self.tables.values():
            theirs = self.whose(table) if table.method and table.method.name != KEEP else None
            if theirs:
                ((number,),) = sql.rows(session, f"SELECT count(*) FROM {table.name} WHERE {theirs}", parameters(of))
                found[table.name] = number
        return {name: number for name, number in found.items() if number}


def parameters(of: Subject) -> dict[str, object]:
    """Give what the conditions of `Catalogue.whose` are asked with."""
    sources, keys = [source for source, _ in of.keys], [key for _, key in of.keys]
    return {"records": list(of.records), "goldens": list(of.golden_ids), "sources": sources, "keys": keys}


def read(session: Session) -> Catalogue:
    """Read the catalogue."""
    parents: dict[str, list[tuple[str, str, str]]] = {}
    for name, column, parent, key in sql.rows(session, _PARENTS):
        parents.setdefault(name, []).append((column, parent, key))
    return Catalogue(
        {
            name: Table(
                name,
                orjson.loads(comment or "{}"),
                dict(zip(columns, kinds, strict=True)),
                frozenset(column for column, needed in zip(columns, required, strict=True) if needed),
                tuple(parents.get(name, ())),
            )
            for name, comment, columns, kinds, required in sql.rows(session, _TABLES)
        }
    )


def understood(session: Session, handlers: Mapping[str, object]) -> Catalogue:
    """Read a catalogue of which every table is understood. Raises: Unavailable, naming those that are not."""
    catalogue = read(session)
    if problems := list(catalogue.problems(handlers)):
        detail = "A table does not say how it is erased, so nothing is."
        raise Unavailable("Erasing is not possible", code="behaviour_not_understood", detail=detail, extra={"tables": problems})
    return catalogue
