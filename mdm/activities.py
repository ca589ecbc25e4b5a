"""What a customer did at a source, as it is sent: checked and made ready. Pure; touches no storage.

An activity belongs to a record, by the source's key, and never to a golden id; nothing of it is matched on.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from mdm.incoming import EARLIEST_YEAR, LATEST_AHEAD, new_key_problem
from mdm.mapping_values import Problem
from mdm.policy_schema import Source

LONGEST_STORE = 100
LARGEST_AMOUNT = Decimal(10) ** 15
DECIMALS = 4
CURRENCY = re.compile(r"[A-Z]{3}")


class Kind(StrEnum):
    """What was done."""

    ORDER = "order"
    RETURN = "return"
    CASE = "case"
    VISIT = "visit"


class Standing(StrEnum):
    """How it stands; what was cancelled counts in no total."""

    OPEN = "open"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


SALES = frozenset({Kind.ORDER, Kind.RETURN})


@dataclass(frozen=True, slots=True)
class Said:
    """All that a delivery says of an activity; two that say the same are the same, whenever they were updated."""

    record_key: str
    kind: str
    status: str
    occurred_at: datetime
    store: str | None
    amount: Decimal | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class Activity:
    """One delivery that can be stored."""

    source: str
    key: str
    said: Said
    updated_at: datetime

    def replaces(self, other: "Activity") -> bool:
        """Whether it is newer: one of the same time changes nothing, so that what came first stays."""
        return self.updated_at > other.updated_at


class _Unusable(Exception):
    """A field cannot be used."""

    def __init__(self, code: str, field: str) -> None:
        self.problem = Problem(code, field)


def prepare(name: str, source: Source, sent: Mapping[str, Any], now: datetime) -> Activity | Problem:
    """Check an activity and make it ready, or say what is wrong with it. What says no `updated_at` never changed since it was."""
    try:
        key, record_key = (_key(source, sent, field) for field in ("key", "record_key"))
        kind = _one_of(Kind, sent["kind"], "kind")
        at = _time(source, sent["at"], "at", now)
        amount, currency = _money(kind, sent["amount"], sent["currency"])
        said = Said(record_key, kind, _one_of(Standing, sent["status"], "status"), at, _store(sent["store"]), amount, currency)
        updated = sent["updated_at"]
        return Activity(name, key, said, at if updated is None else _time(source, updated, "updated_at", now))
    except _Unusable as unusable:
        return unusable.problem


def _key(source: Source, sent: Mapping[str, Any], field: str) -> str:
    if problem := new_key_problem(source, sent[field]):
        raise _Unusable(problem.code, field)
    return str(sent[field])


def _one_of(words: type[StrEnum], sent: Any, field: str) -> str:
    if not isinstance(sent, str) or sent not in {word.value for word in words}:
        raise _Unusable(f"unknown_{field}", field)
    return sent


def _time(source: Source, sent: Any, field: str, now: datetime) -> datetime:
    """Read a time in UTC; one without a zone is of the source's."""
    try:
        at = datetime.fromisoformat(sent)
        at = (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(source.timezone))).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise _Unusable("bad_time", field) from None
    if at.year < EARLIEST_YEAR:
        raise _Unusable("bad_time", field)
    if at > now + LATEST_AHEAD:
        raise _Unusable("time_in_future", field)
    return at


def _store(sent: Any) -> str | None:
    if sent is None or sent == "":
        return None
    if not isinstance(sent, str):
        raise _Unusable("wrong_type", "store")
    if len(sent) > LONGEST_STORE:
        raise _Unusable("store_too_long", "store")
    if "\x00" in sent:
        raise _Unusable("nul_character", "store")
    return sent


def _money(kind: str, amount: Any, currency: Any) -> tuple[Decimal | None, str | None]:
    """Read an amount with its currency: neither or both, and of a sale only."""
    if amount is None and currency is None:
        return None, None
    if kind not in SALES:
        raise _Unusable("amount_without_sale", "amount")
    if amount is None:
        raise _Unusable("amount_missing", "amount")
    if not isinstance(currency, str) or not CURRENCY.fullmatch(currency):
        raise _Unusable("bad_currency", "currency")
    return _amount(amount), currency


def _amount(sent: Any) -> Decimal:
    """Read an amount as it was written: of a JSON number its shortest form, which is how it was typed."""
    if isinstance(sent, bool) or not isinstance(sent, int | float | str) or len(str(sent)) > 40:
        raise _Unusable("bad_amount", "amount")
    try:
        read = Decimal(str(sent))
    except InvalidOperation:
        raise _Unusable("bad_amount", "amount") from None
    if not read.is_finite() or abs(read) >= LARGEST_AMOUNT or read != round(read, DECIMALS):
        raise _Unusable("bad_amount", "amount")
    if read < 0:
        raise _Unusable("negative_amount", "amount")
    return abs(read)
