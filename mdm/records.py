"""Loads current standard records with their comparison forms, for a whole set of ids at once.

Remembers what it has decoded by (record, version, standardizer, policy), which names one immutable text: a candidate met
again in the next batch costs no decoding. Never writes.
"""

import uuid
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

import orjson
from sqlmodel import Session

from matching.forms import ComparisonForm, comparison_form
from matching.record import StandardRecord, from_json
from mdm import sql

Pair = tuple[uuid.UUID, uuid.UUID]
_Key = tuple[uuid.UUID, int, str, int]
_Decoded = tuple[StandardRecord, ComparisonForm]


@dataclass(frozen=True, slots=True)
class CurrentRecord:
    """The current version of a living record, as it takes part in matching and survivorship."""

    record_id: uuid.UUID
    version_no: int
    source: str
    source_key: str
    brand: str
    region: str
    observed_at: datetime
    form_hash: bytes
    standard: StandardRecord
    form: ComparisonForm
    # The version with the standardizer and policy that made its form.
    stamp: str = ""

    @property
    def order_key(self) -> tuple[str, str]:
        """What breaks ties: the same in every installation and order of arrival."""
        return (self.source, self.source_key)


def stamp(version_no: int, standardizer: str, policy_version: int) -> str:
    """Name what a standard record was made of."""
    return f"{version_no}|{standardizer}|{policy_version}"


@dataclass(slots=True)
class Shelf:
    """Decoded records of this process, the least recently used dropped first.

    `check` tries a form out (scores it with itself): a record that cannot be decoded or compared is left out and noted in
    `unusable` with the reason, so that it fails alone and harms no neighbour.
    """

    check: Callable[[ComparisonForm], object] = id
    size: int = 20_000
    unusable: dict[uuid.UUID, str] = field(default_factory=dict)
    _held: "OrderedDict[_Key, _Decoded]" = field(default_factory=OrderedDict)

    def load(self, session: Session, record_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, CurrentRecord]:
        """Load the living and usable ones among the records. Two statements at most."""
        found = sql.rows(
            session,
            """SELECT record_id, version_no, standardizer, policy_version,
                 source, source_key, brand, region, observed_at, form_hash
               FROM standard_record WHERE record_id = ANY(%s)""",
            [list(record_ids)],
        )
        self._fetch(session, [row[0] for row in found if row[:4] not in self._held], {row[0]: row[:4] for row in found})
        return {row[0]: self._current(row) for row in found if row[:4] in self._held}

    def _fetch(self, session: Session, missing: list[uuid.UUID], keys: dict[uuid.UUID, _Key]) -> None:
        if not missing:
            return
        wanted = "SELECT record_id, version_no, body::text FROM standard_record WHERE record_id = ANY(%s)"
        bodies = sql.rows(session, wanted, [missing])
        for record_id, version_no, body in bodies:
            key = keys[record_id]
            try:
                standard = from_json(StandardRecord, orjson.loads(body))
                form = comparison_form(standard)
                self.check(form)
            except Exception as error:  # noqa: BLE001 - whatever one record provokes must not stop the others
                self.unusable[record_id] = type(error).__name__
                continue
            self.unusable.pop(record_id, None)
            self._held[(key[0], version_no, key[2], key[3])] = (standard, form)
        while len(self._held) > max(self.size, len(keys)):
            self._held.popitem(last=False)

    def _current(self, row: sql.Row) -> CurrentRecord:
        self._held.move_to_end(row[:4])
        standard, form = self._held[row[:4]]
        record_id, version_no, *_, source, source_key, brand, region, observed_at, form_hash = row
        return CurrentRecord(
            record_id, version_no, source, source_key, brand, region, observed_at, bytes(form_hash), standard, form,
            stamp(*row[1:4]),
        )  # fmt: skip
