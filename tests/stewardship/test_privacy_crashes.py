"""An erasure whose process is killed at any step is ended by whoever takes it over, once."""

import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from kernel import actor, db, jobs
from kernel.settings import settings
from mdm import chunks
from stewardship import privacy_confirming, privacy_ledger, privacy_requests
from stewardship.privacy_requests import Wish

from ..resolution import Master, golden_of, query
from .test_privacy_erasure import with_people

WHO = actor.local("test")
WORK = """
from kernel import db, jobs
from mdm import chunks
from stewardship import privacy_confirming
with db.transaction() as session:
    claim = jobs.claim_chunk(session, "child", [privacy_confirming.KIND])
chunks.take(db.transaction, privacy_confirming.CHUNKS, claim)
"""


@pytest.fixture
def mdm(database: str) -> Master:
    return with_people()


def confirmed(golden_id: uuid.UUID | None) -> None:
    assert golden_id is not None
    with db.transaction() as session:
        request_id = privacy_requests.open_request(session, WHO, Wish("erasure", golden_id))
        privacy_requests.identify(session, WHO, request_id, "passed", "in_store")
        token = privacy_confirming.preview(session, WHO, request_id).token
        privacy_confirming.confirm(session, WHO, request_id, token)


@pytest.mark.parametrize("point", ["privacy.noted", "privacy.in_ledger", "privacy.removed", "privacy.resolved"])
def test_a_killed_erasure_is_ended_by_another(point: str, mdm: Master, tmp_path: Path) -> None:
    maria = golden_of("shop", "m1")
    confirmed(maria)
    (tmp_path / point).write_text("1")
    environment = settings().child_environment() | {"MDM_FAULT_FOLDER": str(tmp_path)}
    killed = subprocess.run([sys.executable, "-c", WORK], env=environment, capture_output=True, check=False)
    assert killed.returncode == -9, killed.stderr
    assert query("SELECT state FROM privacy_request") == [("confirmed",)]
    query("UPDATE job_chunk SET lease_until = now() - interval '1 second'")
    query("UPDATE pending_record SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL")
    with db.transaction() as session:
        claim = jobs.claim_chunk(session, "test", [privacy_confirming.KIND])
    assert claim is not None
    chunks.take(db.transaction, privacy_confirming.CHUNKS, claim)
    mdm.drain()
    assert query("SELECT state FROM privacy_request") == [("done",)]
    assert query("SELECT status FROM golden WHERE golden_id = %s", maria) == [("erased",)]
    assert query("SELECT count(*) FROM outbox WHERE type = 'golden.erased'") == [(1,)]
    assert [entry.entry_no for entry in privacy_ledger.entries()] == [1]
    assert query("SELECT state FROM erasure") == [("done",)]
    assert mdm.verify(deep=True).differences == ()
