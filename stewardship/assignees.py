"""To whom a task may be handed on: users who may sign in and keys that are good, who may decide. Only reads."""

from sqlmodel import Session

from kernel import actor, clock
from kernel.actor import Principal
from kernel.db import Scope
from kernel.errors import Invalid
from stewardship import accounts
from stewardship.accounts import User
from stewardship.queue import Task

NEEDED = "decisions:write"
USER, KEY = "user:", "key:"


def find(session: Session, name: str) -> Principal:
    """Find whom a name means: `user:ben` (or `ben`), `key:<id>`. Needs a session that sees accounts.

    Raises: Invalid for nobody, for who is shut out, and for who may not decide: the task would wait for ever.
    """
    known = _key(session, name.removeprefix(KEY)) if name.startswith(KEY) else _user(session, name.removeprefix(USER))
    if known is None or not known.may(NEEDED):
        detail = "Name a user as user:<name>, or a key as key:<id>, with the scope decisions:write; or nobody, for anybody."
        raise Invalid("Nobody who may answer tasks is called so", code="unknown_assignee", detail=detail)
    return known


def candidates(session: Session, task: Task) -> list[User]:
    """List the users to whom a task may be handed on, by their names. Needs a session that sees accounts."""
    able = (one for one in accounts.every(session) if one.disabled_at is None and one.principal.may(NEEDED))
    return sorted((one for one in able if _sees(task, one.principal)), key=lambda one: one.name)


def refuse_unseen(task: Task, to: Principal) -> None:
    """Raises: Invalid for somebody who does not see all of a task."""
    if not _sees(task, to):
        detail = "Its customers are of brands or regions beyond their scope."
        raise Invalid("They do not see this task", code="assignee_outside_scope", detail=detail)


def _sees(task: Task, to: Principal) -> bool:
    seen = ((to.scope.brands, task.brands), (to.scope.regions, task.regions))
    return all(own is None or set(named) <= set(own) for own, named in seen)


def _user(session: Session, name: str) -> Principal | None:
    return next((one.principal for one in accounts.every(session) if one.name == name and one.disabled_at is None), None)


def _key(session: Session, key_id: str) -> Principal | None:
    now = clock.now()
    for one in actor.list_keys(session):
        if one.key_id == key_id and one.revoked_at is None and (one.expires_at is None or one.expires_at > now):
            return Principal(key_id, one.name, frozenset(one.scopes), Scope(one.brands, one.regions))
    return None
