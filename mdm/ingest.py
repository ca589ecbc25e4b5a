"""Take deliveries in: versions appended, the current one standardized and filed, resolution asked for.

Set-based: a handful of statements whatever the size of the batch and the number of its sources. What cannot be used is kept as a
reject and the rest goes on. Which version is current is chosen by `mdm.current_version`, whatever the order of arrival. Never
resolves and never commits.
"""

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from consent.purposes import shipped
from kernel import clock, outbox
from kernel.actor import Principal
from kernel.errors import Forbidden
from kernel.settings import settings
from mdm import consent_intake, events, pending, program, record_log, record_rows, refusing, rejects, search_index, sql
from mdm.appraisal import faults
from mdm.arrivals import Track
from mdm.incoming import Incoming, Prepared, SourceRules, prepare, storable
from mdm.mapping_values import Problem
from mdm.policy import Policy
from mdm.record_consents import Bringer
from mdm.record_log import Log, VersionRow
from mdm.record_rows import Key, RecordRow, StandardRow
from mdm.sealing import DataKey, wrapper
from mdm.standardized import standardized

FEW = 32
Delivery = tuple[str, Incoming]  # To which source it belongs, and what came.


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one delivery: created, changed, same, superseded, deleted or rejected (then `problem` says why).

    `notes` are for the sender: fields that no rule reads, values that a map does not know, a key that stood in the batch before.
    `faults` are the values that cannot be used, of the delivery that is current.
    """

    key: str
    status: str
    record_id: uuid.UUID | None = None
    version_no: int | None = None
    problem: Problem | None = None
    notes: tuple[Problem, ...] = ()
    faults: tuple[Problem, ...] = ()


@dataclass(slots=True)
class _Batch:
    """What is known of the batch besides its records."""

    session: Session
    policy: Policy
    rules: Mapping[str, SourceRules]
    principal: Principal
    now: datetime
    blocking_secret: bytes
    job_id: uuid.UUID | None


def put_records(
    session: Session,
    policy: Policy,
    source: str,
    items: Sequence[Incoming],
    principal: Principal,
    priority: int = pending.BULK_PRIORITY,
    job_id: uuid.UUID | None = None,
    ready: Sequence[Prepared | Problem] | None = None,
) -> list[Outcome]:
    """Take in deliveries of one source; one outcome each, in order. `ready`: the same deliveries, prepared beforehand.

    As `put_all`.
    """
    return put_all(session, policy, [(source, item) for item in items], principal, priority, job_id, ready)


def put_all(
    session: Session,
    policy: Policy,
    deliveries: Sequence[Delivery],
    principal: Principal,
    priority: int = pending.BULK_PRIORITY,
    job_id: uuid.UUID | None = None,
    ready: Sequence[Prepared | Problem] | None = None,
) -> list[Outcome]:
    """Take in deliveries of any sources with one set of statements; one outcome each, in order, which new records keep.

    Idempotent: a repeated delivery is `same`. Locks the records of these keys, in the order of sources and keys. A key that
    stands twice arrives twice. `job_id`: the import that brings them, which may be undone.
    Raises: NotFound for an unknown source, Forbidden when its brand is outside the principal's scope.
    """
    rules = {source: rules_for(policy, source, principal) for source in dict.fromkeys(source for source, _ in deliveries)}
    batch = _Batch(session, policy, rules, principal, clock.now(), settings().secret_for("blocking"), job_id)
    made = [prepare(rules[source], item, batch.now) for source, item in deliveries] if ready is None else ready
    sources = [source for source, _ in deliveries]
    prepared = refusing.without_erased(session, policy, rules, sources, [_in_scope(principal, one) for one in made])
    usable: dict[Key, list[Prepared]] = {}
    for (source, _), one in zip(deliveries, prepared, strict=True):
        if isinstance(one, Prepared):
            usable.setdefault((source, one.key), []).append(one)
    tracks = _store(batch, usable, priority) if usable else {}
    outcomes = [_outcome(delivery, one, tracks, usable) for delivery, one in zip(deliveries, prepared, strict=True)]
    refused = [
        rejects.Reject(problem.code, problem.field, source, item.line_no, _kept(rules[source], item, problem))
        for (source, item), outcome in zip(deliveries, outcomes, strict=True)
        if (problem := outcome.problem) is not None
    ]
    rejects.keep(session, refused, job_id)
    return outcomes


def rules_for(policy: Policy, source: str, principal: Principal) -> SourceRules:
    """Give the rules of a source that a principal may write.

    Raises: NotFound for an unknown source, Forbidden when its brand is outside the principal's scope.
    """
    rules = SourceRules.of(policy, source, settings().secret_for("payload-hash"))
    brands = principal.scope.brands
    if brands is not None and rules.source.brand not in brands:
        raise Forbidden("This key may not write records of this source's brand", code="outside_scope")
    return rules


def _kept(rules: SourceRules, item: Incoming, problem: Problem) -> bytes | None:
    """What is kept of a refused delivery: of a person who was erased nothing."""
    return None if problem is refusing.ERASED else storable(rules, item.payload, item.raw)


def _in_scope(principal: Principal, prepared: Prepared | Problem) -> Prepared | Problem:
    regions = principal.scope.regions
    if isinstance(prepared, Prepared) and regions is not None and prepared.region is not None and prepared.region not in regions:
        return Problem("outside_scope", "region")
    return prepared


def _outcome(
    delivery: Delivery, prepared: Prepared | Problem, tracks: dict[Key, Track], usable: dict[Key, list[Prepared]]
) -> Outcome:
    """The next status of the key's record; deliveries of one key take theirs in order."""
    source, key = delivery[0], delivery[1].key
    if isinstance(prepared, Problem):
        return Outcome(key if isinstance(key, str) else "", "rejected", problem=prepared)
    track = tracks.get((source, prepared.key))
    if track is None:  # The key is another region's: the caller may neither see nor change its record.
        return Outcome(key, "rejected", problem=Problem("outside_scope", "key"))
    if track.stored is not None and track.stored.rekeyed:
        return Outcome(key, "rejected", track.record_id, problem=Problem("key_was_renamed", "key"))
    place = next(index for index, one in enumerate(usable[source, prepared.key]) if one is prepared)
    status, version_no = track.statuses[place]
    notes = (*prepared.notes, Problem("key_twice_in_batch", "key")) if place else prepared.notes
    # Of the delivery that is current now: what it says and cannot be used.
    read = tuple(faults(track.made.appraisal)) if track.made and prepared is (track.winner or track.latest) else ()
    return Outcome(key, status, track.record_id, version_no, notes=notes, faults=tuple(one for one in read if one not in notes))


def _store(batch: _Batch, usable: dict[Key, list[Prepared]], priority: int) -> dict[Key, Track]:
    """Insert or lock the records, let the deliveries arrive, write what changed."""
    foreign = _foreign(batch, usable)
    usable = {key: deliveries for key, deliveries in usable.items() if key not in foreign}
    new = {
        key: Track(clock.uuid7(), batch.rules[key[0]], None, batch.job_id, batch.now).arrive(deliveries)
        for key, deliveries in usable.items()
    }
    rows = [_row(batch, key, track) for key, track in new.items()]
    inserted = record_rows.insert_or_lock(batch.session, rows, batch.now)
    known = [key for key, track in new.items() if track.record_id not in inserted]
    tracks = {key: track for key, track in new.items() if track.record_id in inserted}
    if known:
        tracks |= _arrive_at_known(batch, {key: usable[key] for key in known})
    _write(batch, tracks, priority)
    consent_intake.take(batch.session, shipped(), _brought(batch, tracks), batch.now)
    return tracks


def _foreign(batch: _Batch, keys: Collection[Key]) -> set[Key]:
    """Keys of records that are another region's."""
    if batch.principal.scope.regions is None:
        return set()
    return {
        (source, key)
        for source in batch.rules
        for key in record_rows.out_of_scope(batch.session, source, [key for of, key in keys if of == source])
    }


def _arrive_at_known(batch: _Batch, usable: dict[Key, list[Prepared]]) -> dict[Key, Track]:
    stored = record_rows.locked(batch.session, list(usable))
    open_ids = [row.record_id for row in stored.values() if not row.rekeyed]
    logs = record_log.read(batch.session, open_ids)
    tracks = {}
    for key, deliveries in usable.items():
        row = stored[key]
        track = Track.known(batch.rules[key[0]], row, logs.get(row.record_id, Log()), batch.job_id, batch.now)
        tracks[key] = track if row.rekeyed else track.arrive(deliveries)
    return tracks


def _row(batch: _Batch, key: Key, track: Track) -> RecordRow:
    assert track.current is not None, "a record has arrived"  # noqa: S101 - narrows the type
    said = track.winner or track.latest
    region = said.region if said else None
    if region is None:
        region = track.stored.region if track.stored else _home(batch, track.rules)
    parent = said.parent if said else track.stored.parent_key if track.stored else None
    version = track.current.version
    return RecordRow(
        track.record_id, *key, track.rules.source.brand, region, parent, track.version_no, version.is_deleted, track.current.mark,
        version.payload_hash,
    )  # fmt: skip


def _home(batch: _Batch, rules: SourceRules) -> str:
    """The region of a deletion of a key never seen before: the source's, or the caller's own where it may not write that."""
    regions = batch.principal.scope.regions
    return rules.source.region if not regions or rules.source.region in regions else regions[0]


def _write(batch: _Batch, tracks: dict[Key, Track], priority: int) -> None:
    """Write what changed. The statements about a few records are sent together: waiting for each costs more than it does."""
    with sql.together(batch.session) if len(tracks) <= FEW else nullcontext():
        _write_all(batch, tracks, priority)


def _write_all(batch: _Batch, tracks: dict[Key, Track], priority: int) -> None:
    open_tracks = {key: track for key, track in tracks.items() if not (track.stored and track.stored.rekeyed)}
    rows = {key: _row(batch, key, track) for key, track in open_tracks.items()}
    repeated = [t.record_id for t in open_tracks.values() if t.stored and t.latest and not t.winner]
    stale = _stale(batch, repeated)
    filed = [key for key, track in open_tracks.items() if track.winner or track.record_id in stale or track.observed_later]
    known = [key for key, track in open_tracks.items() if track.stored]  # New ones were inserted as they stand now.
    moved = {*filed, *(key for key in known if open_tracks[key].mark_moved)}
    record_rows.update(batch.session, [rows[key] for key in known if key in moved], batch.now)
    _append(batch, open_tracks)
    _file(batch, {key: open_tracks[key] for key in filed}, rows)
    record_rows.await_resolution(batch.session, [rows[key] for key in filed])
    pending.request(batch.session, [rows[key].record_id for key in filed], "received", priority)
    outbox.emit_all(batch.session, [_event(batch, open_tracks[key], rows[key]) for key in filed if open_tracks[key].winner])


def _brought(batch: _Batch, tracks: dict[Key, Track]) -> Iterator[consent_intake.Brought]:
    """The versions that arrived, with what each says of consent; also those that came too late to be current."""
    for (source, _), track in tracks.items():
        of = track.rules.source
        for version_no, said in track.versions:
            if said.version.is_deleted or not (said.made or "consents" in said.input):
                continue
            made = said.made or (track.made if said is track.winner else None)
            made = made or standardized(said.input, track.rules.context, batch.blocking_secret, said.notes)
            yield Bringer(track.record_id, version_no, source, of.brand, of.timezone, batch.principal.name), made.body


def _event(batch: _Batch, track: Track, row: RecordRow) -> outbox.Event:
    cause = "deleted" if row.is_deleted else "changed" if track.stored else "created"
    of = events.OfRecord(row.record_id, row.source, row.brand, row.region)
    return of.event(events.RECEIVED, track.version_no, cause, batch.job_id)


def _append(batch: _Batch, tracks: dict[Key, Track]) -> None:
    """Seal and append the versions that arrived; a record without a data key gets one with its first payload."""
    sealed_ids = [track.record_id for track in tracks.values() if track.versions and track.stored]
    wrapped = record_rows.data_keys(batch.session, sealed_ids) if sealed_ids else {}
    fresh: list[tuple[uuid.UUID, bytes]] = []
    cipher = wrapper()
    rows: list[VersionRow] = []
    for track in tracks.values():
        if not track.versions:
            continue
        known = wrapped.get(track.record_id)
        key = DataKey.unwrap(track.record_id, known, cipher) if known else DataKey.new(track.record_id, cipher)
        if known is None:
            fresh.append((track.record_id, key.wrapped))
        for version_no, said in track.versions:
            sealed = None if said.version.is_deleted else key.seal(said.stored_raw)
            rows.append(VersionRow(track.record_id, version_no, said.version, sealed, track.rules.source.channel_kind))
    if rows:
        record_rows.insert_data_keys(batch.session, fresh)
        record_log.append_versions(batch.session, rows, batch.now, batch.principal.name, batch.job_id)
    seen = [one for track in tracks.values() for one in track.sightings]
    record_log.append_sightings(batch.session, seen, batch.now, batch.job_id)


def _file(batch: _Batch, tracks: dict[Key, Track], rows: dict[Key, RecordRow]) -> None:
    """Standardize what is current now and put it into the key index; take what is deleted out of both."""
    standards = [
        _standard(batch, rows[key], said, track)
        for key, track in tracks.items()
        if (said := track.winner or track.latest) is not None and not rows[key].is_deleted
    ]
    known = [(track.record_id, rows[key].is_deleted) for key, track in tracks.items() if track.stored]
    record_rows.drop_standard(batch.session, [record_id for record_id, is_deleted in known if is_deleted])
    record_rows.replace_standard(batch.session, standards, _versions(batch))
    record_rows.file_keys(batch.session, standards, [record_id for record_id, _ in known])
    search_index.file_terms(batch.session, standards, [record_id for record_id, _ in known])


def _versions(batch: _Batch) -> tuple[str, int]:
    return program.stamp(), batch.policy.version


def _stale(batch: _Batch, record_ids: list[uuid.UUID]) -> set[uuid.UUID]:
    """Records delivered again unchanged whose standard record was made by another program or policy."""
    if not record_ids:
        return set()
    found = sql.rows(
        batch.session,
        "SELECT record_id FROM standard_record WHERE record_id = ANY(%s) AND (standardizer, policy_version) <> (%s, %s)",
        [record_ids, *_versions(batch)],
    )
    return {row[0] for row in found}


def _observed_at(batch: _Batch, track: Track) -> datetime:
    at = track.current.mark.source_updated_at if track.current else None
    arrived = batch.now if track.winner or track.stored is None else track.stored.received_at
    return at or arrived


def _standard(batch: _Batch, row: RecordRow, said: Prepared, track: Track) -> StandardRow:
    made = track.made = said.made or standardized(said.input, track.rules.context, batch.blocking_secret, said.notes)
    observed_at = _observed_at(batch, track)
    return StandardRow(row.record_id, row.version_no, row.source, row.source_key, row.brand, row.region, observed_at, made)
