"""Events as subscribers are shown them: the numbered log, with the source keys of the records that events name.

The log holds record ids only, so that erasing a record takes its key from every event. Keys are read when an event is shown, in
the row scope of whoever asks: a record outside it is left out, a key that is personal stays inside.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlmodel import Session

from kernel.errors import Invalid
from kernel.settings import settings
from mdm import policy as policies
from mdm import sql
from mdm.events import LOAD_FINISHED, TYPES
from webhooks import feed
from webhooks.feed import Log, Numbered

LISTS = ("joined", "left")


def page(session: Session, after: str | None, types: Sequence[str], limit: int) -> dict[str, Any]:
    """Give a page of the feed. Raises: Invalid for an unknown type; what `feed.place` raises."""
    refuse_unknown(types)
    log = feed.log(session)
    found = feed.read(session, log, feed.place(log, after), types, limit)
    return {
        "timeline_id": log.timeline_id,
        "events": shown(session, log, found.events),
        "next": log.cursor(found.reached),
        "has_more": found.has_more,
        "latest": log.cursor(log.last_seq),
    }


def refuse_unknown(types: Sequence[str]) -> None:
    """Refuse a filter that could never let anything through. Raises: Invalid."""
    unknown = sorted(set(types) - TYPES.keys())
    if unknown:
        raise Invalid(
            "There is no such type of event",
            code="unknown_event_type",
            detail=f"Unknown: {', '.join(unknown)[:200]}. Known: {', '.join(TYPES)}.",
        )


def shown(session: Session, log: Log, events: Sequence[Numbered], only_sources: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Show events as JSON-ready data; `only_sources`: whose records are named, if not everybody's."""
    ruling = policies.in_force(session)
    private = [name for name, source in ruling.sources.items() if source.key_is_personal] if ruling else []
    return [_item(log, one, data) for one, data in zip(events, Shown(session, private, only_sources).data(events), strict=True)]


def _item(log: Log, one: Numbered, data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": log.cursor(one.seq),
        "seq": one.seq,
        "type": one.type,
        "mode": settings().mode,
        "occurred_at": one.occurred_at,
        "subject_id": one.subject_id,
        "version": one.subject_version,
        "sources": one.sources,
        "load_id": one.load_id,
        "data": data,
    }


class Shown:
    """Shows events to somebody, a page at a time: one statement for the keys of a page."""

    def __init__(self, session: Session, private: Iterable[str], only_sources: Sequence[str] = ()) -> None:
        """`private`: sources whose keys are personal; `only_sources`: whose records are named, if not everybody's."""
        self._session, self._private, self._only = session, frozenset(private), frozenset(only_sources)

    def data(self, events: Sequence[Numbered]) -> list[dict[str, Any]]:
        """Give what events say, with the keys of the records that they name."""
        known = self._records(events)
        loads = self._loads(events)
        return [self._one(event, known, loads) for event in events]

    def _one(self, event: Numbered, known: Mapping[str, dict[str, str]], loads: Mapping[str, Any]) -> dict[str, Any]:
        body = dict(event.body)
        for name in LISTS:
            if name in body:
                body[name] = [known[moved["record_id"]] | moved for moved in body[name] if moved["record_id"] in known]
        if "record_id" in body:
            body |= known.get(body["record_id"], {})
        if event.type == LOAD_FINISHED:
            body |= loads.get(body["load_id"], {"first_seq": None, "last_seq": None})
        return body

    def _records(self, events: Sequence[Numbered]) -> dict[str, dict[str, str]]:
        ids = {moved["record_id"] for one in events for name in LISTS for moved in one.body.get(name, ())}
        ids |= {one.body["record_id"] for one in events if "record_id" in one.body}
        if not ids:
            return {}
        found = sql.rows(
            self._session,
            "SELECT record_id, source, source_key FROM source_record WHERE record_id = ANY(%s::uuid[])",
            [sorted(ids)],
        )
        return {
            str(record_id): {"record_id": str(record_id), "source": source}
            | ({} if source in self._private else {"source_key": key})
            for record_id, source, key in found
            if not self._only or source in self._only
        }

    def _loads(self, events: Sequence[Numbered]) -> dict[str, dict[str, int]]:
        ids = [one.body["load_id"] for one in events if one.type == LOAD_FINISHED]
        if not ids:
            return {}
        found = sql.rows(
            self._session,
            "SELECT load_id, min(seq), max(seq) FROM event WHERE load_id = ANY(%s::uuid[]) GROUP BY load_id",
            [ids],
        )
        return {str(load_id): {"first_seq": first, "last_seq": last} for load_id, first, last in found}
