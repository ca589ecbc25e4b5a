"""Exports: the crosswalk, golden values or what changed since a cursor, as a file made by a job in one snapshot.

Each names the number of the last event that it contains, so that whoever loads the file and follows the feed behind that number
holds what this service holds. Killed anywhere, it begins again, in a new snapshot. The rows are those of the caller's row scope.
"""

import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from consent.purposes import shipped
from kernel import audit, clock, db, jobs
from kernel.actor import Principal
from kernel.db import Scope
from kernel.errors import Forbidden, Invalid, MdmError
from kernel.jobs import Claim
from mdm import consent_checks, export_consents, export_registry, export_rows, purposes
from mdm import policy as policies
from mdm.chunks import LEASE_LOST, LEASE_SECONDS
from mdm.export_consents import Asking, Reach
from mdm.export_files import FORMATS, STORAGE_FULL, ExportFile, Written
from mdm.export_registry import KEY_IS_FOR_A_PURPOSE, Entry
from mdm.export_rows import CHANGED, CROSSWALK, KINDS, Extent, Under
from mdm.lookup import NOT_FOR_PURPOSE
from mdm.override_values import ADDRESS_PARTS, NAME_PARTS
from mdm.policy import GOLDEN_ATTRIBUTES, Policy
from mdm.purposes import Limits
from mdm.steps import Steps
from webhooks import feed
from webhooks.feed import Log

KIND = "export"
PARTS = {"name": frozenset({*NAME_PARTS, "native"}), "address": ADDRESS_PARTS}
MOST_FIELDS = 64
SECONDS_BETWEEN_BEATS = 1.0
LONGEST_SECONDS = 6 * 3_600.0
# Trying again at once helps against none of these.
FINAL = frozenset({STORAGE_FULL, "cursor_expired", "cursor_from_other_timeline", NOT_FOR_PURPOSE})
Reading = Callable[[Scope], AbstractContextManager[Session]]


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants exported. `brands`, `sources`: None means all within the key's scope; `after`: a cursor of the feed.

    `purpose`: what it is for; the file is held to the limits of it. `reach`: each row says whether its golden record may be
    reached so for that purpose.
    """

    kind: str
    format: str
    fields: tuple[str, ...] = ()
    brands: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None
    after: str | None = None
    purpose: str | None = None
    reach: Reach | None = None


def begin(session: Session, ruling: Policy, wish: Wish, caller: Principal) -> uuid.UUID:
    """Open the job of an export.

    Raises: Invalid for what does not exist within the caller's scope, Forbidden for values that the key may not read, and what
    `feed.place` raises for the cursor.
    """
    scope = _checked(session, ruling, wish, caller)
    sources = tuple(sorted(set(wish.sources or ())))
    with_keys = caller.may("golden:read") and caller.sees_clear
    needs = "golden:read" if wish.kind != CROSSWALK or (with_keys and _private(ruling, scope.brands)) else "lookup"
    about = {"export": wish.kind, "format": wish.format, "fields": wish.fields, "masked": not caller.sees_clear}
    about |= {"purpose": _purpose(wish, caller)} | ({"reach": wish.reach.said()} if wish.reach else {})
    part = {"actor": caller.actor, "with_personal_keys": with_keys}
    export_id = jobs.create_job(session, KIND, about, caller.name, chunks=[part])
    entry = Entry(export_id, wish.kind, wish.format, needs, wish.fields, sources, scope.brands, scope.regions, wish.after)
    export_registry.add(session, entry, caller)
    return export_id


def _private(ruling: Policy | None, brands: tuple[str, ...] | None) -> tuple[str, ...]:
    """The sources of some brands whose keys are personal: told to whoever may read golden records, which name them as well."""
    known = ruling.sources if ruling else {}
    return tuple(name for name, one in known.items() if one.key_is_personal and (brands is None or one.brand in brands))


def _checked(session: Session, ruling: Policy, wish: Wish, caller: Principal) -> Scope:
    """Check a wish; the row scope of its file."""
    for what, value, known in (("kind", wish.kind, KINDS), ("format", wish.format, FORMATS)):
        if value not in known:
            raise Invalid(f"There is no such {what} of export", code=f"unknown_export_{what}", extra={"known": list(known)})
    needed = "lookup" if wish.kind == CROSSWALK else "golden:read"
    if not caller.may(needed):
        raise Forbidden(f"The key needs the scope {needed} as well", code="missing_scope", extra={"scope": needed})
    _check_fields(ruling, wish)
    _check_purpose(purposes.limits(ruling, _purpose(wish, caller)), wish.fields, wish.sources or ())
    if wish.reach is not None:
        _check_reach(ruling, wish, caller)
    if (wish.after is None) == (wish.kind == CHANGED):
        detail = "A cursor belongs to `changed-since` and to no other kind: `cursor` of an export, or `next` of the feed."
        raise Invalid("The cursor does not fit", code="cursor_does_not_fit", detail=detail)
    feed.place(feed.log(session), wish.after)
    return _scope(ruling, wish, caller.scope)


def _check_reach(ruling: Policy, wish: Wish, caller: Principal) -> None:
    if wish.kind == CROSSWALK or wish.reach is None:
        raise Invalid("The crosswalk tells of no customer's consent", code="consent_does_not_fit")
    export_consents.check(shipped(), wish.reach, _purpose(wish, caller), caller)
    own = caller.scope.brands
    known = {source.brand for source in ruling.sources.values() if own is None or source.brand in own}
    if wish.reach.brand is not None and wish.reach.brand not in known:
        raise Invalid(
            "There is no such brand within the key's scope", code="unknown_brand", extra={"unknown": [wish.reach.brand]}
        )


def _check_fields(ruling: Policy, wish: Wish) -> None:
    if wish.kind == CROSSWALK and wish.fields:
        raise Invalid("The crosswalk holds no attributes", code="fields_do_not_fit")
    unknown = [name for name in wish.fields if not _is_known(ruling, name)]
    if unknown:
        known = [*sorted(GOLDEN_ATTRIBUTES - {"extras"}), "display_name", *(f"extras.{name}" for name in sorted(ruling.extras))]
        raise Invalid("There is no such attribute", code="unknown_attribute", extra={"unknown": unknown[:10], "known": known})
    if len(wish.fields) > MOST_FIELDS or len(set(wish.fields)) < len(wish.fields):
        raise Invalid(f"Name at most {MOST_FIELDS} attributes, each once", code="bad_fields")
    if wish.kind == export_rows.GOLDEN and not wish.fields:
        raise Invalid("Name the attributes that you need", code="fields_needed", detail="An export says no more than was asked.")


def _purpose(wish: Wish, caller: Principal) -> str | None:
    """What a file is for. Raises: Forbidden for another purpose than that of the key."""
    if caller.purpose is not None and wish.purpose not in {None, caller.purpose}:
        raise Forbidden("The key is for another purpose", code=KEY_IS_FOR_A_PURPOSE, extra={"purpose": caller.purpose})
    return wish.purpose or caller.purpose


def _check_purpose(limits: Limits, fields: Sequence[str], sources: Sequence[str]) -> None:
    barred = sorted([*filter(limits.bars, fields), *limits.sources.intersection(sources)])
    if barred:
        detail = "The policy keeps it out of this purpose (`not_for`): leave it out."
        raise Invalid("This may not be used for the purpose", code=NOT_FOR_PURPOSE, detail=detail, extra={"barred": barred})


def _is_known(ruling: Policy, name: str) -> bool:
    group, _, own = name.partition(".")
    if group == "extras" and own:
        return own in ruling.extras
    return own in PARTS.get(group, ()) if own else name in GOLDEN_ATTRIBUTES or name == "display_name"


def _scope(ruling: Policy, wish: Wish, own: Scope) -> Scope:
    """What the wish and the key both allow. What is beyond the key is answered as what does not exist."""
    brands = {source.brand for source in ruling.sources.values() if own.brands is None or source.brand in own.brands}
    if unknown := sorted(set(wish.brands or ()) - brands):
        raise Invalid("There is no such brand within the key's scope", code="unknown_brand", extra={"unknown": unknown[:10]})
    sources = {name for name, source in ruling.sources.items() if source.brand in (wish.brands or brands)}
    if unknown := sorted(set(wish.sources or ()) - sources):
        raise Invalid("There is no such source within that scope", code="unknown_source", extra={"unknown": unknown[:10]})
    return Scope(own.brands if wish.brands is None else tuple(sorted(set(wish.brands))), own.regions)


def make(steps: Steps, reading: Reading, claim: Claim) -> None:
    """Make the file of an export. `reading` opens a snapshot in a row scope, of what a key of that scope may see.

    Raises: Conflict (lease_lost) when it was cancelled or somebody else has it; what else went wrong, to be tried again.
    """
    try:
        _make(steps, reading, claim)
    except FileNotFoundError as taken:
        raise MdmError("Somebody else makes this file now", code=LEASE_LOST) from taken
    except MdmError as error:
        if error.code not in FINAL:
            raise
        with steps() as session:
            jobs.finish_chunk(session, claim)
            jobs.finish_job(session, claim.job_id, error=error.code)


def _make(steps: Steps, reading: Reading, claim: Claim) -> None:
    with steps() as session:
        jobs.heartbeat(session, claim, LEASE_SECONDS)
        entry, job = export_registry.find(session, claim.job_id)
        ruling = policies.in_force(session)
        hidden = () if claim.params["with_personal_keys"] else _private(ruling, entry.brands)
    # By the policy of now: a limit that came while the job waited holds as well.
    limits = purposes.limits(ruling, job.params.get("purpose")) if ruling else purposes.NONE
    _check_purpose(limits, entry.fields, entry.sources)
    export_registry.delete_files(entry)  # What an attempt before this one has left.
    asked = entry.kind, entry.fields, entry.sources, entry.after, hidden, entry.format == "ndjson"
    scope = Scope(entry.brands, entry.regions)
    under = Under(limits, ruling, steps) if ruling and (limits or scope != Scope()) else None
    masked, reach = job.params.get("masked", False), Reach.of(job.params.get("reach"))
    limits_of = consent_checks.limits_by(ruling)
    asking = Asking(reach, job.params["purpose"], shipped(), limits_of, clock.now(), masked) if reach else None
    extent = Extent(*asked, masked, under, asking)
    path = export_registry.folder() / f"{entry.export_id}.{uuid.uuid4().hex[:8]}.{entry.format}"
    with (
        reading(scope) as snapshot,
        ExportFile(path, entry.format, export_rows.columns(extent)) as file,
    ):
        log = write(snapshot, extent, file, Beat(steps, claim))
        written = file.publish()
    try:
        _finish(steps, claim, entry, written, log, asking is not None)
    except db.UNAVAILABLE:
        raise  # The commit may have succeeded: the sweeper removes what the register does not name.
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def write(snapshot: Session, extent: Extent, file: ExportFile, beat: Callable[[], None]) -> Log:
    """Write what a snapshot says to a file; where the log stood in it. `beat` is called after each portion."""
    log, portions = export_rows.rows(snapshot, extent)
    for portion in portions:
        file.write(portion)
        beat()
    return log


class Beat:
    """Keeps the lease while it works, at most once a second. Raises: Conflict when it was cancelled."""

    def __init__(self, steps: Steps, claim: Claim) -> None:
        self._steps, self._claim, self._next = steps, claim, 0.0

    def __call__(self) -> None:
        """One portion was written."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + SECONDS_BETWEEN_BEATS
            with self._steps() as session:
                jobs.heartbeat(session, self._claim, LEASE_SECONDS)


def _finish(steps: Steps, claim: Claim, entry: Entry, written: Written, log: Log, tells_consent: bool) -> None:
    result: dict[str, Any] = {
        "rows": written.rows, "seq": log.last_seq, "cursor": log.cursor(log.last_seq), "size_bytes": written.size,
        "sha256": written.sha256.hex(), "neutralised_cells": written.neutralised,
    }  # fmt: skip
    with steps() as session:
        jobs.finish_chunk(session, claim, done_units=written.rows)
        export_registry.publish(session, entry, written, log, claim.params["actor"])
        if tells_consent:
            by, detail = claim.params["actor"], {"asked": written.rows}
            audit.record(session, by, "consent.check", "consent", str(claim.job_id), detail=detail)
        jobs.finish_job(session, claim.job_id, result=result)


def tidy(steps: Steps) -> int:
    """Remove the files whose time is over, and what killed attempts have left; how many."""
    with steps() as session:
        names = export_registry.forget_old(session)
        kept = export_registry.kept(session)
    return export_registry.delete_others(names, kept)
