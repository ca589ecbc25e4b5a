"""Whatever a mishap altered, rebuilding brings the same golden ids and values back; killed anywhere, the next one does."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlmodel import Session

from kernel import db
from kernel.settings import settings
from mdm import rebuild, resolve, verify
from mdm.differences import Kind
from mdm.rebuild import Rebuilt
from mdm.reconcile import Choice, Path
from stewardship import tasks

from .. import resolution as master
from ..resolution import MARIA, Master, golden_of, query
from .test_verify import CHOICES, CORRUPTED, TABLES

SOME = "record_id IN (SELECT record_id FROM standard_record WHERE abs(hashtext(record_id::text || %(seed)s)) %% 3 = 0)"
GOLDENS = "abs(hashtext(golden_id::text || %(seed)s)) %% 3 = 0"
# What one careless statement may do to many rows at once.
MISHAPS = {
    "standard records": f"UPDATE standard_record SET body = '{{}}', form_hash = '', form = NULL WHERE {SOME}",
    "standard records that are gone": f"DELETE FROM standard_record WHERE {SOME}",
    "whose records they are": f"UPDATE standard_record SET brand = 'hacked', observed_at = 'epoch', version_no = 9 WHERE {SOME}",
    "keys": f"DELETE FROM blocking_key WHERE {SOME}",
    "terms": f"UPDATE search_term SET brand = 'hacked' WHERE {SOME}",
    "crosswalk": f"UPDATE crosswalk SET golden_id = (SELECT min(golden_id::text)::uuid FROM golden), brand = 'x' WHERE {SOME}",
    "crosswalk without ids": "UPDATE crosswalk SET golden_id = NULL, state = 'pending'",
    "crosswalk that is gone": f"DELETE FROM crosswalk WHERE {SOME}",
    "the past": f"DELETE FROM crosswalk_version WHERE {SOME}",
    "another past": f"UPDATE crosswalk_version SET golden_id = gen_random_uuid() WHERE golden_id IS NOT NULL AND {SOME}",
    "values": f"""UPDATE golden SET body = CASE jsonb_typeof(body) WHEN 'object'
      THEN jsonb_set(body, '{{display_name}}', '"Nobody"') ELSE '{{}}' END WHERE {GOLDENS}""",
    "bodies that are lists": f"UPDATE golden SET body = '[1]' WHERE {GOLDENS}",
    "values and hashes": f"UPDATE golden SET body = body - 'values', content_hash = '\\x00' WHERE {GOLDENS}",
    "versions": f"UPDATE golden_version v SET body = body - 'values' WHERE {GOLDENS} AND version ="
    " (SELECT version FROM golden g WHERE g.golden_id = v.golden_id)",
    # One at least: of so few a third may be none.
    "redirects": f"UPDATE golden SET status = 'live', redirect_to = NULL WHERE status = 'merged' AND ({GOLDENS}"
    " OR golden_id = (SELECT min(golden_id::text)::uuid FROM golden WHERE status = 'merged'))",
    "owners": f"UPDATE golden SET brands = '{{hacked}}' WHERE {GOLDENS}",
    "founders": f"DELETE FROM founder WHERE {GOLDENS}",
    "founders of others": "INSERT INTO founder SELECT (SELECT min(golden_id::text)::uuid FROM golden), record_id FROM crosswalk"
    f" WHERE {SOME} ON CONFLICT DO NOTHING",
    "decisions": f"DELETE FROM decision WHERE record_a IN (SELECT record_id FROM standard_record WHERE {SOME})",
    "what decisions say": "UPDATE decision SET verdict = 'review', weight = 1 WHERE record_a IN"
    f" (SELECT record_id FROM standard_record WHERE {SOME})",
    "tasks": "UPDATE task SET golden_ids = ARRAY[gen_random_uuid()], reason_code = 'hacked' WHERE state = 'open'",
}


@pytest.fixture
def mdm(busy: Master) -> Master:
    return busy


def meet_with(what: str, seed: int) -> None:
    with db.transaction(db.Role.OWNER) as session, master.sql.cursor(session) as cursor:
        cursor.execute(MISHAPS[what], {"seed": seed})
        assert cursor.rowcount > 0, f"{what}: nothing was altered"


def stored() -> list[Any]:
    """Everything that must come back: ids and values as stored, whoever lives where, founders, and what stewards are asked."""
    return [
        query("SELECT source, source_key, brand, region, state, golden_id, version_no, rung FROM crosswalk ORDER BY record_id"),
        query(
            """SELECT golden_id, issue_no, status, redirect_to, split_into, brands, regions, content_hash,
                 (body - 'version' - 'computed_at')::text FROM golden ORDER BY golden_id"""
        ),
        query("SELECT golden_id, record_id FROM founder ORDER BY golden_id, record_id"),
        query("SELECT record_id, rule, blocking_key FROM blocking_key ORDER BY 1, 2, 3"),
        query("SELECT record_id, term, brand, region FROM search_term ORDER BY 1, 2"),
        query("SELECT to_jsonb(s) FROM standard_record s ORDER BY record_id"),
        query(
            """SELECT record_a, record_b, version_a, version_b, verdict, weight, levels, reason_code FROM decision
               WHERE superseded_at IS NULL ORDER BY 1, 2"""
        ),
        master.questions(),
        query("SELECT record_id, since, golden_id, state FROM crosswalk_version ORDER BY 1, 2"),
    ]


def silent(_what: str, _done: int, _total: int) -> None: ...


def rebuilt(resolver: resolve.Resolver, path: Path = Path.ONLINE) -> Rebuilt:
    return rebuild.rebuild(resolver, tasks, Choice(path, 0), silent)


@pytest.mark.parametrize("what", MISHAPS)
def test_a_mishap_is_named_and_put_right(mdm: Master, what: str) -> None:
    before = stored()
    meet_with(what, seed=7)
    done = rebuilt(mdm.resolver)
    assert done.differed != ()
    assert done.after.differences == ()
    assert done.after.in_flight == 0
    for was, becomes in zip(before, stored(), strict=True):
        assert becomes == was


@pytest.mark.parametrize("seed", range(3))
def test_mishaps_that_come_together_are_put_right(mdm: Master, seed: int) -> None:
    before = stored()
    chosen = random.Random(seed)
    for what in chosen.sample(sorted(MISHAPS.keys() - {"versions"}), 8):
        with db.transaction(db.Role.OWNER) as session, master.sql.cursor(session) as cursor:
            cursor.execute(MISHAPS[what], {"seed": chosen.random()})
    for kind, choices in CHOICES.items():
        table, key = TABLES[kind]
        rows = query(choices)
        if rows:
            query(f"UPDATE {table} SET {chosen.choice(CORRUPTED[kind])} WHERE {key} = %s", chosen.choice(rows)[0])
    done = rebuilt(mdm.resolver, Path.BULK)
    assert done.after.differences == ()
    for was, becomes in list(zip(before, stored(), strict=True))[:-1]:
        assert becomes == was


def test_a_healthy_store_is_left_alone(mdm: Master) -> None:
    before = stored(), query("SELECT count(*), max(outbox_id) FROM outbox"), query("SELECT count(*) FROM golden_version")
    done = rebuilt(mdm.resolver)
    assert (done.differed, done.after.differences) == ((), ())
    assert (
        stored(),
        query("SELECT count(*), max(outbox_id) FROM outbox"),
        query("SELECT count(*) FROM golden_version"),
    ) == before


def test_what_is_true_in_itself_is_named_and_stays(mdm: Master) -> None:
    golden_id = golden_of("shop", "1")
    query("UPDATE golden_version SET body = body - 'values' WHERE golden_id = %s AND version = 1", golden_id)
    mdm.put("shop", "1", {**MARIA, "preferred_store": "S9"})
    mdm.drain()
    after = rebuilt(mdm.resolver).after.differences
    assert [(one.kind, one.id) for one in after] == [(Kind.GOLDEN_VERSION, f"{golden_id}:1")]


@pytest.mark.parametrize(
    "broken",
    [
        "UPDATE record_version SET sealed_payload = set_byte(sealed_payload, 20, 255 - get_byte(sealed_payload, 20))",
        "UPDATE record_version SET sealed_payload = ''",
        "UPDATE record_data_key SET wrapped_key = set_byte(wrapped_key, 20, 255 - get_byte(wrapped_key, 20))",
    ],
)
def test_a_payload_that_does_not_open_is_named_and_the_rest_put_right(mdm: Master, broken: str) -> None:
    record_id = query("SELECT record_id FROM source_record WHERE (source, source_key) = ('shop', '1')")[0][0]
    query(f"{broken} WHERE record_id = %s", record_id)
    meet_with("values", seed=7)
    after = rebuilt(mdm.resolver).after.differences
    assert [(one.kind, one.id, one.problem) for one in after] == [(Kind.STANDARD_RECORD, str(record_id), "payload_unreadable")]


def test_records_whose_crosswalk_rows_have_each_others_keys_get_their_own_back(mdm: Master) -> None:
    before = stored()
    (one, its), (other, others) = query("SELECT record_id, source_key FROM crosswalk WHERE source = 'shop' ORDER BY 2 LIMIT 2")
    for record_id, key in ((one, "aside"), (other, its), (one, others)):
        query("UPDATE crosswalk SET source_key = %s WHERE record_id = %s", key, record_id)
    assert rebuilt(mdm.resolver).after.differences == ()
    assert stored() == before


def test_a_version_that_is_gone_is_named(mdm: Master) -> None:
    record_id = query("SELECT record_id FROM source_record WHERE (source, source_key) = ('shop', '1')")[0][0]
    query("DELETE FROM record_version WHERE record_id = %s", record_id)
    meet_with("values", seed=7)
    after = rebuilt(mdm.resolver).after.differences
    assert [(one.kind, one.id, one.problem) for one in after] == [(Kind.STANDARD_RECORD, str(record_id), "payload_missing")]


def dying(step: int) -> resolve.Resolver:
    """A resolver whose process dies before its n-th transaction commits."""
    opened = iter(range(1, 100_000))

    @contextmanager
    def steps() -> Iterator[Session]:
        number = next(opened)
        with db.transaction() as session:
            yield session
            if number == step:
                raise KeyboardInterrupt

    return resolve.Resolver(steps, tasks.project)


# Before the payloads are read, before and after founders, among the goldens, and in resolution.
@pytest.mark.parametrize("step", [3, 5, 7, 9, 12])
def test_a_rebuild_that_dies_is_finished_by_the_next(mdm: Master, step: int) -> None:
    before = stored()
    for what in ("standard records", "crosswalk", "values", "founders", "decisions"):
        meet_with(what, seed=step)
    with pytest.raises(KeyboardInterrupt):
        rebuilt(dying(step))
    query("UPDATE pending_record SET lease_until = now() - interval '1 second' WHERE lease_owner IS NOT NULL")
    assert rebuilt(mdm.resolver).after.differences == ()
    for was, becomes in list(zip(before, stored(), strict=True))[:-1]:
        assert becomes == was


def killed(seconds: float) -> bool:
    """Run the command in a process of its own and kill it; whether it was still at work."""
    command = [sys.executable, "-m", "cli.main", "rebuild"]
    running = subprocess.Popen(command, env=settings().child_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and running.poll() is None:
        time.sleep(0.02)
    at_work = running.poll() is None
    running.send_signal(signal.SIGKILL)
    running.wait()
    return at_work


def test_a_rebuild_killed_by_the_system_is_finished_by_the_next(mdm: Master) -> None:
    before = stored()
    for what in ("standard records", "crosswalk", "values", "founders", "decisions"):
        meet_with(what, seed=5)
    assert [killed(seconds) for seconds in (2.0, 2.6, 3.2)].count(True) > 0
    query("UPDATE pending_record SET lease_until = now() - interval '1 second' WHERE lease_owner IS NOT NULL")
    assert rebuilt(mdm.resolver).after.differences == ()
    for was, becomes in list(zip(before, stored(), strict=True))[:-1]:
        assert becomes == was


def test_records_are_read_while_a_rebuild_runs(mdm: Master) -> None:
    """Every step of it holds short locks for writing only: whoever reads, before each of them commits, is answered at once."""
    meet_with("values", seed=7)
    read = 0

    @contextmanager
    def steps() -> Iterator[Session]:
        nonlocal read
        with db.transaction() as session:
            yield session
            query("SET LOCAL lock_timeout = 100; SELECT 1")
            read += len(query("SELECT body FROM golden WHERE status = 'live'")) > 0

    rebuilt(resolve.Resolver(steps, tasks.project))
    assert read > 5


def test_verification_alone_names_standard_records_that_are_gone(mdm: Master) -> None:
    meet_with("standard records that are gone", seed=7)
    assert Kind.STANDARD_RECORD in {one.kind for one in verify.verify(db.transaction, tasks).differences}
