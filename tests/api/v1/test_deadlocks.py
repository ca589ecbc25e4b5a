"""Who waits in a circle with a worker tries again, and the sender hears nothing of it."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from starlette.testclient import TestClient

from kernel import db
from mdm import sql
from tests.resolution import query

FIRST, SECOND = {"given_name": "Ada", "surname": "Byron"}, {"given_name": "Max", "surname": "Weber"}
TOUCH = "UPDATE pending_record SET reason = reason WHERE record_id = %s"
WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"


def waits(count: int) -> None:
    deadline = time.monotonic() + 30
    while query(WAITS)[0][0] < count:
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.01)


@contextmanager
def other_way_round(act: Callable[[], None]) -> Iterator[None]:
    """Hold the second record while an act takes the first and waits for it; then ask for the first as well."""
    (first,), (second,) = query("SELECT record_id FROM pending_record ORDER BY record_id")
    acting = threading.Thread(target=act)
    with db.transaction() as session:
        sql.run(session, TOUCH, [second])
        acting.start()
        waits(1)
        sql.run(session, TOUCH, [first])
    acting.join(60)
    assert not acting.is_alive()
    yield


@pytest.mark.parametrize("more", [{}, {"idempotency-key": "once"}])
def test_a_batch_that_is_picked_as_the_victim_of_a_deadlock_is_stored_all_the_same(api: TestClient, more: dict[str, str]) -> None:
    for key, said in (("1", FIRST), ("2", SECOND)):
        assert api.put(f"/v1/sources/pos/records/{key}", json=said).status_code == 201
    answers = []

    def batch() -> None:
        lines = [json.dumps({"source": "pos", "key": key, "record": {**FIRST, "middle_name": "Q"}}) for key in ("1", "2")]
        headers = {"content-type": "application/x-ndjson", **more}
        answers.append(api.post("/v1/records:batch", content="\n".join(lines), headers=headers))

    before = query("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")[0][0]
    with other_way_round(batch):
        told = [json.loads(line) for line in answers[0].text.splitlines()]
    assert [one.get("status") for one in told[:-1]] == ["changed", "changed"]
    assert query("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")[0][0] > before
