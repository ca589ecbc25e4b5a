"""Reads the quality of one source as people and programs are shown it: figures, worst attributes first, and their trend.

Figures are as last measured; what was never measured is None, never a zero. Reads no personal value.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from kernel import clock
from mdm import quality, rejects, sql
from mdm.policy import Policy
from mdm.policy_schema import Floors, Source
from mdm.quality import Counts, FieldCounts, Figure
from mdm.quality_breaches import OpenBreach, still_open
from mdm.renewal import split_refusal

DAYS = """
SELECT day, measured_at, policy_version, body FROM quality_day WHERE source = %s ORDER BY day DESC LIMIT %s"""
NOT_MEASURED: dict[str, Any] = {
    "measured_at": None, "measured_policy_version": None, "records": None, "received_on_day": None, "unappraised": None,
    "stale_records": None, "refused": [], "copies": None, "fields": [], "unmapped": [], "rejects_on_day": [], "timeliness": None,
}  # fmt: skip
DECIMALS = 4


def read(session: Session, ruling: Policy, source: str, days: int) -> dict[str, Any]:
    """The quality of a source as JSON-ready data, in the session's row scope, with its last `days` measured days."""
    declared = ruling.source(source)
    found = sql.rows(session, DAYS, [source, days])
    open_now = still_open(session, source)
    return {
        "source": source,
        "owner": declared.owner,
        "stage": declared.stage,
        "policy_version": ruling.version,
        "on_breach": declared.on_breach,
        **(_latest(declared, found[0], open_now) if found else NOT_MEASURED),
        "breaches": [_breach(one) for one in open_now],
        "trend": [_trend(row) for row in reversed(found)],
    }


def _latest(declared: Source, row: sql.Row, open_now: Sequence[OpenBreach]) -> dict[str, Any]:
    _, measured_at, policy_version, body = row
    of_all, today = Counts.of(body["all"]), Counts.of(body["today"])
    breached: dict[str, list[str]] = {}
    for one in open_now:
        breached.setdefault(one.breach.field, []).append(one.breach.figure)
    names = [name for name in declared.quality if name not in of_all.fields] + quality.worst_first(of_all)
    names.sort(key=lambda name: name not in breached)
    return {
        "measured_at": measured_at,
        "measured_policy_version": policy_version,
        "records": of_all.records,
        "received_on_day": today.records,
        "unappraised": body["unappraised"],
        "stale_records": body["stale"],
        "refused": [_refused(refusal, number) for refusal, number in sorted(body.get("refused", {}).items())],
        "copies": body["copies"],
        "fields": [_field(name, of_all, today, declared.quality.get(name), breached.get(name, [])) for name in names],
        "unmapped": [{"field": name, "records": number} for name, number in of_all.unmapped.items()],
        "rejects_on_day": [_reject(code, number) for code, number in body["rejects"].items()],
        "timeliness": timeliness(declared.fresh_within, body["times"], of_all.records),
    }


def _field(name: str, of_all: Counts, today: Counts, floors: Floors | None, breached: Sequence[str]) -> dict[str, Any]:
    one, of_day = of_all.fields.get(name, quality.NOTHING), today.fields.get(name, quality.NOTHING)
    faults = quality.faults(one)
    others = {code: number for code, number in one.codes.items() if code not in faults}
    return {
        "field": name,
        **_shares(one, of_all.records),
        "said": one.said,
        "on_day": {name: share for name, share in _shares(of_day, today.records).items() if name != Figure.UNIQUE},
        "faults": [{"code": code, "records": number} for code, number in faults.items()],
        "notes": [{"code": code, "records": number} for code, number in sorted(others.items(), key=lambda item: -item[1])],
        "floors": floors.model_dump(exclude_none=True) if floors else {},
        "breached": list(breached),
    }


def _shares(one: FieldCounts, records: int) -> dict[str, float | None]:
    return {figure.value: rounded(one.share(figure, records)) for figure in Figure}


def rounded(share: float | None) -> float | None:
    """A share as it is shown."""
    return None if share is None else round(share, DECIMALS)


def _reject(code: str, number: int) -> dict[str, Any]:
    return {"code": code, "rows": number, "means": rejects.reason(code)}


def _refused(refusal: str, number: int) -> dict[str, Any]:
    code, field = split_refusal(refusal)
    return {"code": code, "field": field, "records": number, "means": rejects.reason(code, field)}


def timeliness(within: timedelta | None, times: Mapping[str, Any], records: int) -> dict[str, Any]:
    """How old a source's records are, and how long its changes of the day took to arrive, of what was measured."""
    last = datetime.fromisoformat(times["last_received_at"]) if times["last_received_at"] else None
    return {
        "last_received_at": last,
        "fresh_within_seconds": within.total_seconds() if within else None,
        "is_fresh": None if within is None or last is None else clock.now() - last <= within,
        "fresh": rounded(times["fresh"] / records) if times["fresh"] is not None and records else None,
        "timed_on_day": times["timed"],
        "latency_seconds_median": times["latency_seconds_median"],
        "latency_seconds_p95": times["latency_seconds_p95"],
    }


def _breach(one: OpenBreach) -> dict[str, Any]:
    breach = one.breach
    return {
        "field": breach.field,
        "figure": breach.figure,
        "floor": breach.floor,
        "share": rounded(breach.share),
        "of_what": breach.of_what,
        "records": breach.records,
        "began_at": one.began_at,
        "set_policy_version": one.set_policy_version,
    }


def _trend(row: sql.Row) -> dict[str, Any]:
    day, _, _, body = row
    of_all, today = Counts.of(body["all"]), Counts.of(body["today"])
    return {
        "day": day,
        "records": of_all.records,
        "received_on_day": today.records,
        "rejects_on_day": sum(body["rejects"].values()),
        "fields": {name: _shares(one, of_all.records) for name, one in of_all.fields.items()},
    }
