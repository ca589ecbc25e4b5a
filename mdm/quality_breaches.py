"""What follows when a source falls below what its policy asks: one event a breach and, where the policy says so, stage `review`.

The stage is never a flag beside the policy: it is another policy version, stored with its reason and adopted as by `mdm policy
apply`, so that all that is computed follows from the version set. It is set once, when the breach opens; whoever applies a policy
afterwards has the last word. An event names source, attribute and figures; who owns the source is in the policy.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from kernel import audit, clock, log, outbox
from mdm import policy as policies
from mdm import policy_text, quality, sql, versions
from mdm.policy import Policy
from mdm.policy_schema import OnBreach, Stage
from mdm.quality import Breach, Figure, Measured, OfWhat
from mdm.quality_measure import keep, measure
from mdm.steps import Steps

OPENED, ENDED = "quality.breached", "quality.restored"
ACTOR = "mdm quality"
# Two sweepers must not tell of one breach twice; the number is arbitrary and never changes.
LOCK = 7_301_884_563_103
logger = log.get_logger()

_OPEN = "SELECT breach_id, source, field, figure, of_what FROM quality_breach WHERE ended_at IS NULL ORDER BY breach_id"
_INSERT = """
INSERT INTO quality_breach (breach_id, source, brand, regions, field, figure, floor, share, of_what, records, began_at)
VALUES (%(id)s, %(source)s, %(brand)s, %(regions)s, %(field)s, %(figure)s, %(floor)s, %(share)s, %(of_what)s, %(records)s,
        %(at)s)"""
_UPDATE = "UPDATE quality_breach SET floor = %s, share = %s, of_what = %s, records = %s WHERE breach_id = %s"
_END = "UPDATE quality_breach SET ended_at = %s WHERE breach_id = %s"
_SET = "UPDATE quality_breach SET set_policy_version = %s WHERE breach_id = %s"
Key = tuple[str, str, Figure]


@dataclass(frozen=True, slots=True)
class OpenBreach:
    """A breach that has begun and not ended. `set_policy_version`: the policy that it set the source to review by."""

    source: str
    breach: Breach
    began_at: Any
    set_policy_version: int | None


def run(steps: Steps) -> int:
    """Measure all sources, keep the figures, and let follow what must; the number of breaches that opened.

    Measuring reads in a step of its own. What follows is one step: killed anywhere, the next run does the same again.
    """
    ruling, measured = measure(steps)
    with steps() as session:
        return follow(session, ruling, measured)


def follow(session: Session, ruling: Policy, measured: Sequence[Measured]) -> int:
    """Keep figures and let follow what must, once, also when two processes measure at a time.

    Figures that a later measurement has overtaken, or of a policy that rules no more, are judged by nobody: the next run judges.
    """
    sql.rows(session, "SELECT pg_advisory_xact_lock(%s)", [LOCK])
    if not keep(session, ruling, measured) or policies.current(session).version != ruling.version:
        return 0
    opened = _settle(session, ruling, measured)
    _set_to_review(session, opened)
    return len(opened)


def still_open(session: Session, source: str | None = None) -> list[OpenBreach]:
    """The open breaches, of one source or of all, the oldest first."""
    found = sql.rows(
        session,
        """SELECT source, field, figure, floor, share, of_what, records, began_at, set_policy_version FROM quality_breach
           WHERE ended_at IS NULL AND (%(source)s::text IS NULL OR source = %(source)s) ORDER BY began_at, breach_id""",
        {"source": source},
    )
    return [
        OpenBreach(name, Breach(field, Figure(figure), floor, share, OfWhat(of_what), records), began_at, set_by)
        for name, field, figure, floor, share, of_what, records, began_at, set_by in found
    ]


def _settle(session: Session, ruling: Policy, measured: Sequence[Measured]) -> dict[uuid.UUID, tuple[str, Breach]]:
    """Open, keep up and end breaches; those opened. One of a day's records does not end because the next day has none yet."""
    found = [(row[0], (row[1], row[2], Figure(row[3])), OfWhat(row[4])) for row in sql.rows(session, _OPEN)]
    known: dict[Key, uuid.UUID] = {key: breach_id for breach_id, key, _ in found}
    below = {(one.source, breach.field, breach.figure): (one, breach) for one, breach in _below(ruling, measured)}
    unknown = {key for _, key, what in found if what is OfWhat.DAY and _is_unknown(ruling, measured, key)}
    for key in known.keys() & below.keys():
        breach = below[key][1]
        sql.run(session, _UPDATE, [breach.floor, breach.share, breach.of_what, breach.records, known[key]])
    opened = {clock.uuid7(): below[key] for key in sorted(below.keys() - known.keys())}
    for breach_id, (one, breach) in opened.items():
        sql.run(session, _INSERT, {"id": breach_id, **_columns(one, breach)})
        outbox.emit(session, _event(OPENED, breach_id, 1, ruling, one.source, _told(one.source, breach, ruling)))
    for key in sorted(known.keys() - below.keys() - unknown):
        sql.run(session, _END, [clock.now(), known[key]])
        ended = {"source": key[0], "to": "source_owner", "field": key[1], "figure": key[2]}
        outbox.emit(session, _event(ENDED, known[key], 2, ruling, key[0], ended))
    return {breach_id: (one.source, breach) for breach_id, (one, breach) in opened.items()}


def _below(ruling: Policy, measured: Sequence[Measured]) -> Iterable[tuple[Measured, Breach]]:
    for one in measured:
        declared = ruling.sources.get(one.source)
        if declared is not None:
            yield from ((one, breach) for breach in quality.breaches(declared.quality, one))


def _is_unknown(ruling: Policy, measured: Sequence[Measured], key: Key) -> bool:
    """Whether the figure is still asked for, and too few records came on the day to tell it."""
    source, name, figure = key
    declared = ruling.sources.get(source)
    if declared is None or name not in declared.quality or getattr(declared.quality[name], figure) is None:
        return False
    return any(one.source == source and not quality.is_told(one.today, name, figure) for one in measured)


def _columns(one: Measured, breach: Breach) -> dict[str, Any]:
    names = ("field", "figure", "floor", "share", "of_what", "records")
    about = {"source": one.source, "brand": one.brand, "regions": list(one.regions), "at": one.measured_at}
    return {**about, **{name: getattr(breach, name) for name in names}}


def _event(type_: str, breach_id: uuid.UUID, version: int, ruling: Policy, source: str, body: Mapping[str, Any]) -> outbox.Event:
    """Tell it to whoever may see the source's brand; a source that the policy has forgotten is told to whoever sees all."""
    declared = ruling.sources.get(source)
    brands, regions = ((declared.brand,), (declared.region,)) if declared else (None, None)
    return outbox.Event(type_, breach_id, version, body, brands, regions, (source,))


def _told(source: str, breach: Breach, ruling: Policy) -> dict[str, Any]:
    """What the source's owner is told: figures only. Whoever delivers it finds the owner in the policy."""
    names = ("field", "figure", "floor", "of_what", "records")
    said = {name: getattr(breach, name) for name in names} | {"share": round(breach.share, 4)}
    on_breach = ruling.sources[source].on_breach
    return {"source": source, "to": "source_owner", **said, "on_breach": on_breach, "policy_version": ruling.version}


def _set_to_review(session: Session, opened: Mapping[uuid.UUID, tuple[str, Breach]]) -> None:
    """Let a policy rule in which the live sources that ask for it stand at review. Waits for whoever adopts at the same time."""
    if not opened:
        return
    versions.hold(session)
    before = ruling = policies.current(session)
    for source in sorted({source for source, _ in opened.values()}):
        declared = ruling.sources.get(source)
        if declared is None or declared.on_breach is not OnBreach.REVIEW or declared.stage is not Stage.LIVE:
            continue
        mine = {breach_id: breach for breach_id, (name, breach) in opened.items() if name == source}
        ruling = policies.store(
            session, policy_text.with_stage(ruling, source, Stage.REVIEW, _reason(source, mine.values())), ACTOR
        )
        for breach_id in mine:
            sql.run(session, _SET, [ruling.version, breach_id])
        detail = {"policy_version": ruling.version, "breaches": [str(breach_id) for breach_id in mine]}
        audit.record(session, ACTOR, "source.set_to_review", "source", source, detail=detail)
        logger.warning("source_set_to_review", source=source, policy_version=ruling.version)
    if ruling.version != before.version:
        versions.adopt(session, ruling)


def _reason(source: str, breached: Iterable[Breach]) -> str:
    said = "; ".join(f"{one.field} {one.figure} {one.share:.2%} where {one.floor:.2%} is asked" for one in breached)
    return (
        f"{clock.now():%Y-%m-%d %H:%M} UTC: {source} was set to review because its quality fell: {said}.\n"
        f"To lift it, apply a policy that gives {source} its stage again."
    )
