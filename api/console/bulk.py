"""Many tasks answered at once: chosen in the list, looked at with what is left out, given, and taken back as one."""

from collections import Counter
from uuid import UUID

from fastapi import Request
from starlette.datastructures import FormData
from starlette.responses import Response

from api import deciding
from api.console.frame import ROOT, BulkSteward, Page, Sent, field, page, to
from api.console.words import KINDS, REASONS
from api.routes import resource
from kernel import db
from kernel.actor import Principal
from kernel.errors import Invalid, MdmError
from stewardship import bulk, customers, decision_sets
from stewardship.answering import Answer
from stewardship.bulk import LookedAtTasks

router = resource("console_bulk", Page)
BULK = f"{ROOT}/tasks/bulk"
GIVEN = "done_set"


@router.post(BULK, include_in_schema=False)
def look(request: Request, signed: BulkSteward, sent: Sent) -> Response:
    """Show what one answer to the chosen tasks would do; with the token of that page, give it."""
    caller, answer, chosen = signed.user.principal, _answer(sent), _chosen(sent)
    if token := field(sent, "token"):
        given = bulk.give(deciding.resolver(), caller, chosen, answer, token)
        return to(request, f"{ROOT}/tasks?{GIVEN}={given.set_id}")
    return _shown(request, caller, bulk.look(deciding.resolver(), caller, chosen, answer), sent)


def _answer(sent: FormData) -> Answer:
    verdict = field(sent, "verdict")
    if verdict not in REASONS:
        raise Invalid("Say whether they are the same customers or different ones", code="verdict_needed")
    words = " ".join(one for one in (field(sent, f"reason_{verdict}"), field(sent, "words")) if one)
    return Answer(verdict, words)


def _chosen(sent: FormData) -> list[UUID]:
    try:
        chosen = [UUID(str(one)) for one in sent.getlist("task")]
    except ValueError as error:
        raise Invalid("That is no task", code="bad_task_id") from error
    if not chosen:
        raise Invalid("Choose at least one task", code="no_task_chosen", detail="Go back and tick those that have one answer.")
    return chosen


def _shown(request: Request, caller: Principal, found: LookedAtTasks, sent: FormData) -> Response:
    changed = found.looked.preview.changed if found.looked else ()
    with db.transaction(db.Role.APP, caller.scope) as session:
        names = customers.names(session, caller, {one for task in found.tasks for one in task.golden_ids[:2]})
    kept = [(name, field(sent, name)) for name in ("verdict", "words", f"reason_{field(sent, 'verdict')}")]
    causes = Counter(one.cause for one in changed)
    return page(request, "bulk.html", found=found, names=names, kinds=KINDS, kept=kept, causes=causes, verdict=kept[0][1])


@router.post(f"{BULK}/undo", include_in_schema=False)
def undo(request: Request, signed: BulkSteward, sent: Sent) -> Response:
    """Take a set of answers back as one."""
    caller = signed.user.principal
    try:
        set_id = UUID(field(sent, "set_id"))
    except ValueError as error:
        raise MdmError("There is no such page", code="no_such_page", status=404) from error
    looked = decision_sets.look_back(deciding.resolver(), caller, set_id)
    bulk.take_back(deciding.resolver(), caller, set_id, field(sent, "words") or "Taken back in the console.", looked.token)
    return to(request, f"{ROOT}/tasks")
