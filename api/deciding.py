"""Carries a decision from the wire to `stewardship.settle` and back."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from starlette.responses import Response

from api import answers
from api.refusals import require_visible
from api.schemas.decisions import Decide, DecideMany, DecisionSide, KnownMerges, OneOfMany, TakeBack, UndoDay
from consent.status import Answer, Reason
from kernel import db
from kernel.actor import Principal
from mdm import policy as policies
from mdm.resolve import Resolver
from mdm.steward_decisions import Kept, Said
from stewardship import bulk, consents_affected, decision_sets, settle, undoing
from stewardship.consents_affected import Affected, Told
from stewardship.decision_sets import LookedAtAll, Made
from stewardship.previews import Changed, State
from stewardship.settle import Looked, Wish
from stewardship.sides import Side

OK, CREATED = 200, 201
NOTHING_CHANGES = {"changed": [], "questions": 0, "blockers": [], "consents_told": Told.ALL}


def decide(caller: Principal, body: Decide, dry_run: bool) -> tuple[int, bytes]:
    """Make a decision, or only look. The status and the body of the answer. Raises: MdmError."""
    wish = wish_of(body)
    if dry_run:
        return OK, preview(caller, settle.look(resolver(), caller, wish))
    return CREATED, _decision(caller, settle.make(resolver(), caller, wish, body.preview_token))


def wish_of(body: Decide | OneOfMany) -> Wish:
    """What a body of the wire wants to have decided."""
    return Wish(body.verdict, side_of(body.left), side_of(body.right), body.reason, frozenset(body.override_blockers))


def undo(caller: Principal, decision_id: UUID, body: TakeBack, dry_run: bool) -> tuple[int, bytes]:
    """Take a decision back, or only look. Raises: MdmError."""
    if dry_run:
        return OK, preview(caller, settle.look_back(resolver(), caller, decision_id))
    settle.take_back(resolver(), caller, decision_id, body.reason, body.preview_token)
    return OK, _decision(caller, decision_id)


def decide_many(caller: Principal, body: DecideMany, dry_run: bool) -> tuple[int, bytes]:
    """Make many decisions of a steward, or only look. Raises: MdmError."""
    wishes = [wish_of(one) for one in body.decisions]
    return _many(caller, wishes, Said(f"{settle.STEWARD}:{caller.actor}", settle.STEWARD), body.preview_token, dry_run)


def known_merges(caller: Principal, source: str, body: KnownMerges, dry_run: bool) -> tuple[int, bytes]:
    """Make decisions of the merges that a source knows of, or only look. Raises: MdmError; NotFound for the source."""
    with db.read_only() as session:
        require_visible(policies.current(session), source, caller)
    wishes = [
        Wish(settle.MATCH, Side(records=((source, merge.survivor),)), Side(records=((source, key),)), body.reason, yields=True)
        for merge in body.merges
        for key in merge.merged
    ]
    return _many(caller, wishes, Said(f"source:{source}", decision_sets.SOURCE_SAYS), body.preview_token, dry_run)


def _many(caller: Principal, wishes: Sequence[Wish], said: Said, token: str | None, dry_run: bool) -> tuple[int, bytes]:
    if not dry_run:
        made = decision_sets.make(resolver(), caller, wishes, said, token)
        set_id = {"set_id": made.set_id} if made.set_id else {}
        return CREATED, orjson.dumps({**set_id, "decisions": made.decisions, **_left(made)})
    found = decision_sets.look(resolver(), caller, wishes)
    looked = _looked(caller, found.looked) if found.looked else NOTHING_CHANGES
    return OK, orjson.dumps({**looked, **_left(found)})


def _left(found: Made | LookedAtAll) -> dict[str, Any]:
    """What is left out, what a steward is asked about, and how much was decided before."""
    asked = [{"index": one.index, "code": one.code} for one in found.asked]
    known = {"known": found.known} if found.known else {}
    return {"refused": [decision_sets.told(one) for one in found.refused], **({"asked": asked} if asked else {}), **known}


def undo_set(caller: Principal, set_id: UUID, body: TakeBack, dry_run: bool) -> tuple[int, bytes]:
    """Take a set of decisions back, or only look. Raises: MdmError."""
    if dry_run:
        return OK, preview(caller, decision_sets.look_back(resolver(), caller, set_id))
    ended = bulk.take_back(resolver(), caller, set_id, body.reason, body.preview_token)
    return OK, orjson.dumps({"set_id": set_id, "decisions": ended})


def undo_day(caller: Principal, body: UndoDay, dry_run: bool) -> tuple[int, bytes]:
    """Take back what somebody decided on a day, or only look. Raises: MdmError."""
    if dry_run:
        return OK, preview(caller, undoing.look_back_day(resolver(), caller, body.by, body.day))
    ended = undoing.take_back_day(resolver(), caller, body.by, body.day, body.reason, body.preview_token)
    return OK, orjson.dumps({"by": body.by, "day": body.day, "decisions": ended})


def read(caller: Principal, decision_id: UUID) -> Response:
    """Answer one decision. Raises: NotFound, also for one about records that the caller may not see."""
    return answers.JsonBytes(_decision(caller, decision_id))


def resolver() -> Resolver:
    """One for each request: what it decodes is not shared between threads. A decision may reach records of every brand."""
    return Resolver(db.transaction)


def side_of(side: DecisionSide) -> Side:
    """Whom a side of the wire names."""
    return Side(side.golden_id, tuple((one.source, one.key) for one in side.records or ()))


def _decision(caller: Principal, decision_id: UUID) -> bytes:
    with db.transaction() as session:
        return orjson.dumps(_kept(settle.read(session, caller.scope, decision_id)))


def _kept(kept: Kept) -> dict[str, Any]:
    return {
        "decision_id": kept.decision.decision_id,
        "verdict": kept.decision.verdict,
        "left": sorted(kept.decision.left),
        "right": sorted(kept.decision.right),
        "author": kept.author,
        "reason": kept.reason,
        "decided_at": kept.created_at,
        "taken_back_at": kept.superseded_at,
        "overridden_blockers": sorted(kept.decision.across),
        "said_at": kept.said_at,
    }


def preview(caller: Principal, looked: Looked) -> bytes:
    """Say what would change, of consents too, and the token that stands for it."""
    return orjson.dumps(_looked(caller, looked))


def _looked(caller: Principal, looked: Looked) -> dict[str, Any]:
    with db.transaction() as session:
        consents = consents_affected.read(session, caller, looked)
    return {
        "preview_token": looked.token,
        "changed": [_changed(one, consents.affected.get(one.draft_id, ())) for one in looked.preview.changed],
        "questions": looked.preview.questions,
        "blockers": [settle.told(one) for one in looked.preview.blockers],
        "consents_told": consents.told,
    }


def _changed(one: Changed, consents: Sequence[Affected]) -> dict[str, Any]:
    known = {"golden_id": one.golden_id} if one.golden_id else {}
    before = {"before": _state(one, one.before)} if one.before else {}
    after = _state(one, one.after)
    return {**known, "cause": one.cause, **before, "after": after, "consents": [_affected(said) for said in consents]}


def _affected(one: Affected) -> dict[str, Any]:
    query = one.query
    return {
        "purpose": query.purpose,
        "channel": query.channel,
        "brand": query.brand,
        "contact_point": one.contact_point,
        "answer_before": one.before.answer if one.before else Answer.UNKNOWN,
        "answer": one.after.answer if one.after else Answer.UNKNOWN,
        "reason": one.after.reason if one.after else Reason.NOT_HELD,
    }


def _state(changed: Changed, state: State) -> dict[str, Any]:
    return {
        "status": state.status,
        **({"redirect_to": state.redirect_to} if state.redirect_to else {}),
        "members": [{"source": source, "key": key} for source, key in state.members],
        "values": {name: state.values[name] for name in changed.values_changed if name in state.values},
    }
