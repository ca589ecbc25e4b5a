"""Loads current standard records with their comparison forms, for a whole set of ids at once.

Remembers what it has decoded by (record, version, standardizer, policy), with the transaction that wrote the row: a candidate met
again in the next batch costs no decoding, and what was altered past its writers is read anew once it is put right. Never writes.
"""

import uuid
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import orjson
from sqlmodel import Session

from matching import form_text
from matching.forms import ComparisonForm, comparison_form
from matching.record import StandardRecord, from_json
from mdm import sql

Pair = tuple[uuid.UUID, uuid.UUID]
_Key = tuple[uuid.UUID, int, str, int]
_Decoded = tuple[StandardRecord, ComparisonForm]
NOTHING = ComparisonForm()
T = TypeVar("T")
# What names one immutable text, unless somebody alters it; and who wrote it.
_NAMED = "record_id, version_no, standardizer, policy_version, xmin::text"


@dataclass(frozen=True, slots=True)
class ComparedRecord:
    """The current version of a living record, as it is compared. `stamp`: the version with the standardizer and policy that made
    its form."""

    record_id: uuid.UUID
    version_no: int
    source: str
    source_key: str
    form_hash: bytes
    form: ComparisonForm
    stamp: str

    @property
    def order_key(self) -> tuple[str, str]:
        """What breaks ties: the same in every installation and order of arrival."""
        return (self.source, self.source_key)


@dataclass(frozen=True, slots=True)
class CurrentRecord(ComparedRecord):
    """The same as it takes part in survivorship as well."""

    brand: str
    region: str
    observed_at: datetime
    standard: StandardRecord


def compared(record: CurrentRecord) -> ComparedRecord:
    """Take of a record what pairs are decided by: small enough that a million of them are held at once."""
    return ComparedRecord(
        record.record_id, record.version_no, record.source, record.source_key, record.form_hash, record.form, record.stamp
    )


def living(session: Session) -> int:
    """Count the records that live: those of which there is a standard record."""
    return int(sql.rows(session, "SELECT count(*) FROM standard_record")[0][0])


def stamp(version_no: int, standardizer: str, policy_version: int) -> str:
    """Name what a standard record was made of."""
    return f"{version_no}|{standardizer}|{policy_version}"


@dataclass(slots=True)
class Shelf:
    """Decoded records of this process, the least recently used dropped first.

    `check` tries a form out (scores it with itself): a record that cannot be decoded or compared is left out and noted in
    `unusable` with the reason, so that it fails alone and harms no neighbour. `trusts_forms`: a record's stored form stands for
    what its standard record would be compared as; verification makes each form anew. `believes_forms`: nor is it tried out.
    `rewritten`: a record was met whose text was written anew under the same name, so that what was made of it holds no longer.
    """

    check: Callable[[ComparisonForm], object] = id
    size: int = 20_000
    trusts_forms: bool = False
    believes_forms: bool = False
    unusable: dict[uuid.UUID, str] = field(default_factory=dict)
    rewritten: bool = False
    _forms: "OrderedDict[_Key, tuple[str, ComparisonForm]]" = field(default_factory=OrderedDict)
    _held: "OrderedDict[_Key, tuple[str, _Decoded]]" = field(default_factory=OrderedDict)
    _known: Mapping[uuid.UUID, ComparedRecord] = field(default_factory=dict)

    @contextmanager
    def knowing(self, records: Mapping[uuid.UUID, ComparedRecord]) -> Iterator[None]:
        """Take forms from records that somebody holds anyway, for the length of the block, instead of reading and trying them."""
        self._known = records
        try:
            yield
        finally:
            self._known = {}

    def load(self, session: Session, record_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, CurrentRecord]:
        """Load the living and usable ones among the records. Two statements at most."""
        if not record_ids:
            return {}
        found = sql.rows(
            session,
            f"""SELECT {_NAMED}, source, source_key, brand, region, observed_at, form_hash
               FROM standard_record WHERE record_id = ANY(%s)""",
            [list(record_ids)],
        )
        missing = [row[0] for row in found if self._remembered(self._held, row) is None]  # Before anything is dropped.
        self._fetch(session, missing, {row[0]: row[:4] for row in found})
        return {row[0]: self._current(row) for row in found if row[:4] in self._held}

    def _remembered(self, held: "OrderedDict[_Key, tuple[str, T]]", row: sql.Row) -> T | None:
        """What is held of a row, which counts as used now; nothing where the row was written anew since."""
        known = held.get(row[:4])
        if known is None:
            return None
        if known[0] != row[4]:
            self.rewritten = True
            del held[row[:4]]
            return None
        held.move_to_end(row[:4])
        return known[1]

    def compared(self, session: Session, record_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, ComparedRecord]:
        """Load what scoring needs of the living and usable ones among the records: their stored forms. Usually one statement."""
        found = sql.rows(
            session,
            f"SELECT {_NAMED}, source, source_key, form_hash, form FROM standard_record WHERE record_id = ANY(%s)",
            [list(record_ids)],
        )
        forms = {row[0]: self._form(row) for row in found}
        formless = [record_id for record_id, form in forms.items() if form is None]
        made = {record_id: compared(record) for record_id, record in self.load(session, formless).items()}
        read = {
            row[0]: ComparedRecord(row[0], row[1], row[5], row[6], bytes(row[7]), form, stamp(*row[1:4]))
            for row in found
            if (form := forms[row[0]]) is not None
        }
        return {**read, **made}

    def _form(self, row: sql.Row) -> ComparisonForm | None:
        """The stored form of a row; None when there is none that this program reads, so that it is made from the record."""
        known = self._remembered(self._forms, row)
        if known is None and (known := self._stored_form(row[8])) is not None:
            self._forms[row[:4]] = row[4], known
            if len(self._forms) > self.size:
                self._forms.popitem(last=False)
        return known

    def _stored_form(self, text: str | None) -> ComparisonForm | None:
        if text is None or not self.trusts_forms:
            return None
        try:
            form = form_text.load(text)
            if not self.believes_forms:
                self.check(form or NOTHING)
        except Exception:  # noqa: BLE001 - as in _fetch: what is wrong with it shows when its record is read.
            return None
        return form

    def _fetch(self, session: Session, missing: list[uuid.UUID], keys: dict[uuid.UUID, _Key]) -> None:
        if not missing:
            return
        known = {one: held.form for one in missing if (held := self._known.get(one)) and held.stamp == stamp(*keys[one][1:])}
        column = "form" if len(known) < len(missing) else "NULL"
        wanted = f"SELECT record_id, version_no, xmin::text, body::text, {column} FROM standard_record WHERE record_id = ANY(%s)"
        for record_id, version_no, writer, body, text in sql.rows(session, wanted, [missing]):
            key = keys[record_id]
            try:
                standard = from_json(StandardRecord, orjson.loads(body))
                form = known.get(record_id) or self._stored_form(text)
                if form is None:
                    form = comparison_form(standard)
                    self.check(form)
            except Exception as error:  # noqa: BLE001 - whatever one record provokes must not stop the others
                self.unusable[record_id] = type(error).__name__
                continue
            self.unusable.pop(record_id, None)
            self._held[(key[0], version_no, key[2], key[3])] = writer, (standard, form)
        while len(self._held) > max(self.size, len(keys)):
            self._held.popitem(last=False)

    def _current(self, row: sql.Row) -> CurrentRecord:
        _, (standard, form) = self._held[row[:4]]
        record_id, version_no, *_, source, source_key, brand, region, observed_at, form_hash = row
        return CurrentRecord(
            record_id, version_no, source, source_key, bytes(form_hash), form, stamp(*row[1:4]), brand, region, observed_at,
            standard,
        )  # fmt: skip
