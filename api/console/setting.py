"""A value set by hand from a task: clicked in the column of what all would be, looked at, set with a reason, taken back.

It is the override that the customer's page sets, on one of the golden records that are asked about: it holds at once, whatever
the answer will be, and goes along where its records go.
"""

from uuid import UUID

from fastapi import Request
from starlette.datastructures import FormData
from starlette.responses import Response

from api import deciding
from api.console import by_hand, tasks
from api.console.frame import Page, Sent, Steward, confirmation, field, to
from api.console.tasks import TASKS
from api.routes import resource
from kernel import db
from kernel.errors import Invalid, MdmError
from stewardship import overriding, queue, settle
from stewardship.accounts import Signed
from stewardship.overriding import OverrideWish

router = resource("console_setting", Page)


@router.post(f"{TASKS}/{{task_id}}/override", include_in_schema=False)
def override(request: Request, signed: Steward, sent: Sent, task_id: UUID) -> Response:
    """Show what setting a value would do; with the token of that page, set it. What was typed is kept when it is refused."""
    caller, resolver = signed.user.principal, deciding.resolver()
    try:
        wish = _wish(signed, sent, task_id)
        if token := field(sent, "token"):
            override_id = overriding.make(resolver, caller, wish, token)
            return to(request, f"{TASKS}/{task_id}?value={override_id}")
        looked = overriding.look(resolver, caller, wish)
    except MdmError as error:
        return tasks.shown(request, signed, task_id, error, sent=sent)
    title = f"Set {wish.attribute.removeprefix('extras.').replace('_', ' ')} by hand"
    return confirmation(request, title, looked, sent, f"{TASKS}/{task_id}")


def _wish(signed: Signed, sent: FormData, task_id: UUID) -> OverrideWish:
    """What the form wants. Raises: NotFound; Invalid for a golden record that the task does not ask about."""
    with db.read_only(db.Role.APP, signed.user.principal.scope) as session:
        task = queue.one(session, task_id)
    golden_id = next((one for one in task.golden_ids if str(one) == field(sent, "golden_id")), None)
    if golden_id is None:
        raise Invalid("The task does not ask about that golden record", code="not_asked_about")
    reason = settle.checked_reason(field(sent, "reason"))
    until = by_hand.moment(field(sent, "expires_at"), signed)
    return OverrideWish(golden_id, field(sent, "attribute"), by_hand.value(sent), reason, until)
