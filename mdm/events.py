"""The event vocabulary: every type and what it means; and the events about records and loads. Sends nothing."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from kernel.outbox import Event
from mdm import consent_changes, golden_events, merge_holds, preference_changes, quality_breaches, sql
from webhooks.deliveries import DISABLED, OVERDUE, TEST

RECEIVED = "record.received"
REKEYED = "record.rekeyed"
WITHDRAWN = "record.withdrawn"
CORRECTION = "record.correction_wanted"
LOAD_FINISHED = "load.finished"
TYPES: Mapping[str, str] = {
    RECEIVED: "A source's record arrived, changed or was deleted.",
    REKEYED: "A record has another key in its source; record and golden id stay.",
    WITHDRAWN: "What an import said of a record counts no more, for the import was undone; its version may be an earlier one.",
    CORRECTION: "A person says that what a source's record holds of `attribute` is wrong; the golden record has the right value.",
    golden_events.CREATED: "A golden id was issued.",
    golden_events.UPDATED: "A golden record has other values or members.",
    golden_events.MERGED: "Other golden ids went into this one; they redirect to it for ever.",
    golden_events.SPLIT: "A golden record lost records to other golden ids.",
    golden_events.RESTORED: "A golden id that redirected lives again.",
    golden_events.REVIVED: "A golden id that had ended lives again.",
    golden_events.ENDED: "All records of a golden id are deleted.",
    golden_events.REDIRECTED: "A golden id that was merged away leads to another one now.",
    golden_events.ERASED: "A person's data were erased; the golden id answers 410 for ever. Erase what you keep under it.",
    consent_changes.CHANGED: "What a customer consented to amounts to something else; `narrowed` says whether something is lost.",
    consent_changes.NARROWED: "Something that a customer had consented to may not be done any more.",
    preference_changes.CHANGED: "How a customer wants to be dealt with is another; `changed` says what, and of which brand.",
    "task.opened": "Stewards are asked something.",
    "task.overdue": "A question to stewards has waited longer than its kind may; told once.",
    "task.settled": "A question to stewards is asked no more.",
    "job.finished": "A job is done.",
    "job.failed": "A job ended before it was done; `error` says why.",
    "job.cancelled": "A job was cancelled.",
    LOAD_FINISHED: "A load is in the log whole; `first_seq` and `last_seq` say where its events stand.",
    TEST: "Somebody asked for a test of an endpoint; it is delivered to that one only.",
    DISABLED: "A webhook endpoint is delivered to no more; `reason` says why.",
    OVERDUE: "A webhook endpoint has not applied a merge, an erasure or a consent in time; `reason` is the event's type.",
    quality_breaches.OPENED: "A source's data fell below a floor of the policy.",
    quality_breaches.ENDED: "A source's data is above the floor again.",
    merge_holds.HELD: "What would be merged without a human waits; `by_budget`: too many of those checked were wrong.",
    merge_holds.RESUMED: "Merging without a human goes on.",
}


@dataclass(frozen=True, slots=True)
class OfRecord:
    """A record that events tell of."""

    record_id: uuid.UUID
    source: str
    brand: str
    region: str

    def event(self, type_: str, version_no: int, cause: str, load_id: uuid.UUID | None = None) -> Event:
        """Tell what happened to it."""
        body = {"record_id": str(self.record_id), "source": self.source, "cause": cause}
        return Event(type_, self.record_id, version_no, body, (self.brand,), (self.region,), (self.source,), load_id)


def load_finished(session: Session, load_id: uuid.UUID, kind: str, sources: Sequence[str]) -> Event:
    """Tell that a load of some sources' records is over. Whoever is not told of each of its events hears this."""
    found = sql.rows(
        session,
        "SELECT array_agg(DISTINCT brand), array_agg(DISTINCT region) FROM source_record WHERE source = ANY(%s)",
        [list(sources)],
    )
    brands, regions = (tuple(names or ()) for names in found[0])
    body = {"load_id": str(load_id), "kind": kind}
    return Event(LOAD_FINISHED, load_id, 1, body, brands, regions, tuple(sources))
