"""The jobs that workers run. Thin: take ids, call one service with the means to open its own steps, return nothing."""

from functools import cache
from uuid import UUID

from kernel import db
from mdm import owed, pending, resolve, shadows
from stewardship import tasks
from workers.app import app


@cache
def resolver() -> resolve.Resolver:
    """This process's resolver; what it keeps between batches is only a saving."""
    return resolve.Resolver(db.transaction, tasks.project)


@cache
def watcher() -> shadows.Watcher:
    """What lets the shadow, when there is one, look at what was resolved."""
    return shadows.Watcher(db.transaction, resolver().shelf)


@app.task(name="resolve")  # type: ignore[untyped-decorator]  # celery has no types
def resolve_records(record_ids: list[str]) -> None:
    """Resolve those of the records that are still owed, and others that are due; what somebody else holds is left alone."""
    with db.transaction() as session:
        ids = pending.with_company(session, [UUID(record_id) for record_id in record_ids])
    if ids:
        owed.work(resolver(), ids)
        watcher().watch(ids)
