"""Carries one answer to many tasks from the wire to `stewardship.bulk` and back."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

import orjson

from api import deciding
from api.schemas.tasks import Chosen, SettleMany
from kernel import db
from kernel.actor import Principal
from stewardship import bulk
from stewardship.answering import Answer
from stewardship.bulk import LookedAtTasks
from stewardship.queue import Wanted

OK = 200


def settle(caller: Principal, body: SettleMany, dry_run: bool) -> tuple[int, bytes]:
    """Give one answer to many tasks, or only look. Raises: MdmError."""
    task_ids = body.task_ids or _like(caller, body.chosen or Chosen())
    answer = Answer(body.verdict, body.reason)
    if dry_run:
        return OK, preview(bulk.look(deciding.resolver(), caller, task_ids, answer))
    given = bulk.give(deciding.resolver(), caller, task_ids, answer, body.preview_token)
    refused = [asdict(one) for one in given.left_out]
    return OK, orjson.dumps({"set_id": given.set_id, "task_ids": given.task_ids, "refused": refused})


def _like(caller: Principal, chosen: Chosen) -> Sequence[UUID]:
    wanted = Wanted(
        kind=chosen.kind, brand=chosen.brand, reason_code=chosen.reason_code, overdue=chosen.overdue,
        weight_from=chosen.weight_from, weight_below=chosen.weight_below,
    )  # fmt: skip
    with db.read_only(db.Role.APP, caller.scope) as session:
        return bulk.choose(session, caller, wanted, chosen.limit)


def preview(found: LookedAtTasks) -> bytes:
    """Say what would come of it, in counts, and which tasks are left out."""
    seen = found.looked.preview if found.looked else None
    return orjson.dumps(
        {
            "preview_token": found.token,
            "task_ids": [task.task_id for task in found.tasks],
            "changed": Counter(one.cause for one in seen.changed) if seen else {},
            "questions": seen.questions if seen else 0,
            "refused": [asdict(one) for one in found.left_out],
        }
    )
