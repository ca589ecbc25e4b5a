"""Answers and decisions taken back in the console: looked at on a page of its own, then ended by the token of that page.

Right after an answer is given, the page that follows takes it back at once.
"""

from collections.abc import Callable
from uuid import UUID

from fastapi import Request
from starlette.datastructures import FormData
from starlette.responses import Response

from api import deciding
from api.console.frame import ROOT, Page, Sent, Steward, confirmation, field, own_path, to
from api.routes import resource
from stewardship import answering, desk, settle
from stewardship.settle import Looked

router = resource("console_undoing", Page)
REASON = "Taken back in the console."
AT_ONCE = "at_once"


@router.post(f"{ROOT}/tasks/{{task_id}}/undo", include_in_schema=False)
def undo_answer(request: Request, signed: Steward, sent: Sent, task_id: UUID) -> Response:
    """Show what taking the answer to a task back would do; with the token of that page, or right after it was given, do it."""
    caller, here = signed.user.principal, f"{ROOT}/tasks/{task_id}"

    def end(reason: str, token: str) -> None:
        answering.take_back(deciding.resolver(), caller, task_id, desk.ANY, reason, token)

    return _look_or_end(request, sent, lambda: answering.look_back(deciding.resolver(), caller, task_id), end, here)


@router.post(f"{ROOT}/decisions/{{decision_id}}/undo", include_in_schema=False)
def undo_decision(request: Request, signed: Steward, sent: Sent, decision_id: UUID) -> Response:
    """Show what taking a decision back would do; with the token of that page, do it."""
    caller, back = signed.user.principal, own_path(field(sent, "back"))

    def end(reason: str, token: str) -> None:
        settle.take_back(deciding.resolver(), caller, decision_id, reason, token)

    return _look_or_end(request, sent, lambda: settle.look_back(deciding.resolver(), caller, decision_id), end, back)


def _look_or_end(
    request: Request, sent: FormData, look: Callable[[], Looked], end: Callable[[str, str], None], back: str
) -> Response:
    token = field(sent, "token") or (look().token if field(sent, AT_ONCE) else "")
    if not token:
        return confirmation(request, "Take this back", look(), sent, back, REASON)
    end(field(sent, "words") or REASON, token)
    return to(request, back)
