"""What becomes of one record while the deliveries of a batch arrive: which version is current, and what its log gains.

Touches no storage; `mdm.ingest` reads and writes.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mdm.current_version import SUPERSEDES, Current, Delivered, Version, arrive, counts_without
from mdm.incoming import Prepared, SourceRules
from mdm.record_log import Log, SightingRow
from mdm.record_rows import Stored
from mdm.standardized import Standardized


@dataclass(slots=True)
class Track:
    """One record on its way. `log`: what was delivered of it so far; `job_id`: the import by which all of the batch comes."""

    record_id: uuid.UUID
    rules: SourceRules
    stored: Stored | None
    job_id: uuid.UUID | None
    now: datetime
    log: Log = field(default_factory=Log)
    current: Current | None = None
    version_no: int = 0
    winner: Prepared | None = None
    latest: Prepared | None = None
    made: Standardized | None = None
    versions: list[tuple[int, Prepared]] = field(default_factory=list)
    sightings: list[SightingRow] = field(default_factory=list)
    statuses: list[tuple[str, int]] = field(default_factory=list)

    @classmethod
    def known(cls, rules: SourceRules, stored: Stored, log: Log, job_id: uuid.UUID | None, now: datetime) -> "Track":
        """A record that is there. One of which nothing counts any more, since its import was undone, is as one never heard of."""
        track = cls(stored.record_id, rules, stored, job_id, now, log, stored.current, stored.version_no)
        track.log.last_no = max(log.last_no, stored.version_no)
        if stored.version_no == 0 and not stored.rekeyed:
            track.current = None
        return track

    @property
    def mark_moved(self) -> bool:
        """Whether a record that was there stands at another place in its source's order now."""
        return self.stored is not None and self.current is not None and self.current.mark != self.stored.current.mark

    @property
    def observed_later(self) -> bool:
        """Whether the same content was delivered again with a later source time: more recent now, so it may survive."""
        if self.current is None or self.stored is None or self.latest is None or self.current.version.is_deleted:
            return False
        return self.current.mark.source_updated_at != self.stored.current.mark.source_updated_at

    def arrive(self, deliveries: Sequence[Prepared]) -> "Track":
        """Let deliveries arrive. A late one that is in the log already is not appended again."""
        for delivery in deliveries:
            before = self.current
            self.current, status = arrive(before, delivery.version)
            self.latest = delivery if status == "same" else self.latest
            known = self._number_of(delivery.version) if status == "superseded" else None
            if known is not None:
                self._sight(known, delivery.version, has_moved=False)
                self.statuses.append((status, self.version_no))
                continue
            if status == "same":
                self._sight(self.version_no, delivery.version, has_moved=self.current != before)
            else:
                self._append(delivery)
            if status in SUPERSEDES:
                self.version_no, self.winner = self.log.last_no, delivery
            self.statuses.append((status, self.log.last_no if status == "superseded" else self.version_no))
        return self

    def _number_of(self, version: Version) -> int | None:
        """The number under which a late version is kept already."""
        return next((one.version_no for one in self.log.held if one.version == version), None)

    def _append(self, delivery: Prepared) -> None:
        self.log.last_no += 1
        self.versions.append((self.log.last_no, delivery))
        self.log.held.append(Delivered(delivery.version, self.log.last_no, self.now, self.job_id))

    def _sight(self, version_no: int, version: Version, has_moved: bool) -> None:
        """Keep a delivery that brought nothing new where it counts, now or if an import were undone."""
        said = Delivered(version, version_no, self.now, self.job_id)
        if has_moved or counts_without(self.log.held, said):
            self.sightings.append(SightingRow(self.record_id, version_no, self.log.last_no, version.mark))
            self.log.held.append(said)
