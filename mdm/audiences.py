"""Audiences: every row of an uploaded file answered whether it may be written to, as a file made by a job.

Each portion is asked in a transaction of its own, so that whoever withdrew while it was made is seen. The file names the event
after which to ask whom to drop since (`mdm.denials`). Killed anywhere, it begins again.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlmodel import Session

from consent.entries import Channel
from consent.purposes import Rules, shipped
from kernel import audit, clock, db, jobs
from kernel.actor import Principal
from kernel.db import Scope
from kernel.errors import Conflict, Invalid, MdmError
from kernel.jobs import Claim
from mdm import consent_checks, consent_files, export_registry, exports, files, uploads
from mdm import policy as policies
from mdm.chunks import LEASE_LOST
from mdm.consent_checks import Check, Checked
from mdm.consent_files import Default
from mdm.export_files import Columns, ExportFile, Kind
from mdm.export_registry import Entry
from mdm.files import FileRow
from mdm.mapping_values import Problem
from mdm.steps import Steps
from webhooks import feed

KIND = "audience"
NEEDS = "consents:check"
PORTION_ROWS = 2_000
LONGEST_SECONDS = 6 * 3_600.0
UNREADABLE = "unreadable"
COLUMNS: Columns = {
    "row": Kind.NUMBER, "source": Kind.TEXT, "key": Kind.TEXT, "asked_golden_id": Kind.TEXT, "purpose": Kind.TEXT,
    "channel": Kind.TEXT, "brand": Kind.TEXT, "answer": Kind.TEXT, "reason": Kind.TEXT, "golden_id": Kind.TEXT,
}  # fmt: skip
Reading = Callable[[Scope], AbstractContextManager[Session]]
Asked = Check | Problem


@dataclass(frozen=True, slots=True)
class Wish:
    """What an audience is for, where its rows do not say so themselves; the format of its file, and of the answer."""

    format: str
    default: Default


def check(rules: Rules, wish: Wish) -> None:
    """Check a wish. Raises: Invalid for a format or a purpose that is none, and one that reaches nobody without a channel."""
    if wish.format not in uploads.FORMATS:
        raise Invalid("There is no such format", code="unknown_file_kind", extra={"known": list(uploads.FORMATS)})
    purpose = wish.default.purpose
    if purpose is not None and purpose not in rules.purposes:
        raise Invalid("No such purpose is known", code="unknown_purpose", extra={"known": sorted(rules.purposes)})


def begin(session: Session, wish: Wish, upload: str, caller: Principal) -> uuid.UUID:
    """Open the job of an uploaded audience. Raises: as `check`."""
    check(shipped(), wish)
    default = {"purpose": wish.default.purpose, "channel": wish.default.channel, "brand": wish.default.brand}
    about = {"kind": wish.format, **default}
    scope = {"brands": caller.scope.brands, "regions": caller.scope.regions}
    part = {**about, "upload": upload, "key_id": caller.key_id, "by": caller.name, "actor": caller.actor, **scope}
    made = jobs.create_job(session, KIND, about, caller.name, chunks=[part])
    entry = Entry(made, KIND, wish.format, NEEDS, (), (), caller.scope.brands, caller.scope.regions)
    export_registry.add(session, entry, caller)
    return made


def make(steps: Steps, reading: Reading, claim: Claim) -> None:
    """Make the file of an audience. `reading` opens a step in a row scope.

    Raises: Conflict (lease_lost) when it was cancelled or somebody else has it; what else went wrong, to be tried again.
    """
    try:
        _make(steps, reading, claim)
    except FileNotFoundError as taken:
        raise MdmError("Somebody else makes this file now", code=LEASE_LOST) from taken
    except Conflict:
        uploads.forget_over(steps, claim)
        raise
    except Invalid as error:
        uploads.fail(steps, claim, error.code)
        return
    uploads.forget(claim.params)


def _make(steps: Steps, reading: Reading, claim: Claim) -> None:
    part, beat = claim.params, exports.Beat(steps, claim)
    with steps() as session:
        entry, _ = export_registry.find(session, claim.job_id)
        log = feed.log(session)  # Before the first answer: what changes from here on is told behind it.
    export_registry.delete_files(entry)
    upload = uploads.path_of(part)
    upload.touch()  # It is in use: see uploads.forget_old.
    rows = files.open_rows(upload, None, part["kind"])
    rows.most_bytes = uploads.most_decoded(upload)
    channel = Channel(part["channel"]) if part["channel"] else None
    default, tally = Default(part["purpose"], channel, part["brand"]), Counter[str]()
    path = export_registry.folder() / f"{entry.export_id}.{uuid.uuid4().hex[:8]}.{entry.format}"
    with ExportFile(path, entry.format, COLUMNS) as file:
        for portion in portions(rows.rows(), PORTION_ROWS):
            asked = [_asked(one, default) for one in portion]
            with reading(Scope(entry.brands, entry.regions)) as session:
                found = answers(session, shipped(), asked)
            tally.update(answer for answer, _, _ in found)
            file.write([_line(*one) for one in zip(portion, asked, found, default_of(default, portion), strict=True)])
            beat()
        written = file.publish()
    try:
        with steps() as session:
            jobs.finish_chunk(session, claim, done_units=written.rows)
            export_registry.publish(session, entry, written, log, part["actor"])
            detail = {"asked": written.rows}
            audit.record(session, part["actor"], "consent.check", "consent", str(claim.job_id), detail=detail)
            result = {"rows": written.rows, "answers": dict(tally), "cursor": log.cursor(log.last_seq)}
            jobs.finish_job(session, claim.job_id, result=result)
    except db.UNAVAILABLE:
        raise  # The commit may have succeeded: the sweeper removes what the register does not name.
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def portions(rows: Iterator[FileRow], size: int) -> Iterator[list[FileRow]]:
    """Give rows in portions."""
    while portion := list(islice(rows, size)):
        yield portion


def _asked(row: FileRow, default: Default) -> Asked:
    if row.problem is not None or row.values is None:
        return row.problem or consent_files.UNREADABLE
    return consent_files.check_of(consent_files.texts(row.values), default, shipped())


def default_of(default: Default, portion: Sequence[FileRow]) -> Iterator[Default]:
    """What each row is asked for: what it says itself, else what holds for all."""
    for row in portion:
        yield consent_files.for_row(consent_files.texts(row.values or {}), default)


Answered = tuple[str, str, uuid.UUID | None]


def answers(session: Session, rules: Rules, asked: Sequence[Asked]) -> list[Answered]:
    """Answer checks now, in the row scope of a session: the answer, the reason and the golden id of each, in order.

    A row that cannot be read is `unreadable`, which permits nothing.
    """
    checks = [one for one in asked if isinstance(one, Check)]
    limits_of = consent_checks.limits_by(policies.in_force(session))
    found: Iterator[Checked] = iter(consent_checks.check_in(session, rules, checks, clock.now(), limits_of) if checks else ())
    return [_answered(next(found)) if isinstance(one, Check) else (UNREADABLE, one.code, None) for one in asked]


def _answered(one: Checked) -> Answered:
    return str(one.ruling.answer), str(one.ruling.reason), one.golden_id


def _line(row: FileRow, asked: Asked, found: Answered, what: Default) -> tuple[Any, ...]:
    """A row of the answer. The contact point is not repeated: the number of the row tells whose it is."""
    said = consent_files.texts(row.values or {})
    answer, reason, golden_id = found
    shown: Mapping[str, str] = {name: said[name] for name in ("source", "key", "golden_id") if name in said}
    return (
        row.line_no, shown.get("source"), shown.get("key"), shown.get("golden_id"), what.purpose,
        str(what.channel) if what.channel else None, what.brand, answer, reason, str(golden_id) if golden_id else None,
    )  # fmt: skip
