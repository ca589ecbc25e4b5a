"""What was given up is tried again, unless that would double what was done since."""

import uuid

import pytest

from kernel import db, jobs
from kernel.errors import Conflict
from mdm import reconciliations, retrying
from mdm.parts import EVERYBODY

from .. import resolution as master
from ..resolution import WHO, Master, query


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def given_up() -> uuid.UUID:
    """A reconciliation whose process died again and again."""
    with db.transaction() as session:
        job_id = reconciliations.begin(session, EVERYBODY, False, WHO)
    query("UPDATE job_chunk SET state = 'quarantined' WHERE job_id = %s", job_id)
    with db.transaction() as session:
        jobs.finish_job(session, job_id, error="process_died")
    return job_id


def test_a_reconciliation_that_was_given_up_is_tried_again(mdm: Master) -> None:
    job_id = given_up()
    with db.transaction() as session:
        assert retrying.retry(session, job_id) == 1


def test_but_not_beside_another(mdm: Master) -> None:
    job_id = given_up()
    with db.transaction() as session:
        other = reconciliations.begin(session, EVERYBODY, True, WHO)
    with pytest.raises(Conflict) as refused, db.transaction() as session:
        retrying.retry(session, job_id)
    assert (refused.value.code, refused.value.extra["job_id"]) == ("reconciliation_under_way", str(other))
