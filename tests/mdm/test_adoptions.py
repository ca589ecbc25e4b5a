"""Another policy comes to rule as a job: counted to its end, killed anywhere it ends as one that nobody disturbed."""

import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from kernel import db, jobs
from kernel.errors import Conflict
from kernel.jobs import Job
from kernel.settings import settings
from mdm import adoptions, pending, policy, retrying, versions
from mdm.incoming import Incoming

from .. import resolution as master
from ..resolution import MARIA, POLICY, Master, at, contents, golden_of, partition, query, questions

# Other values (the younger record wins) and other customers (nothing of the till is merged unasked).
AFTER = POLICY.replace("pos, brand: acme", "pos, brand: acme, stage: review")
AFTER += "survivorship:\n  attributes:\n    language: {criteria: [recent]}\n"
PEOPLE = 12
BATCH = 4
APPLY = ["-m", "cli.main", "policy", "apply"]
WORK = f"""
from kernel import db
from mdm import owed
from mdm.resolve import Resolver
from stewardship import tasks
owed.drain(Resolver(db.transaction, tasks.project), {BATCH})
"""


def person(number: int, **more: Any) -> dict[str, Any]:
    """The n-th of some people who have nothing in common."""
    name = f"Otto{chr(97 + number)}"
    return MARIA | {
        "given_name": name, "surname": f"Becker{chr(97 + number)}", "birth_date": f"19{50 + number}-01-07",
        "emails": [f"{name}.{number}@telefonica.net"], "phones": [f"+3465587{1000 + 37 * number}"], "addresses": [], **more,
    }  # fmt: skip


@pytest.fixture
def mdm(database: str) -> Master:
    made = master.start()
    everyone = [(str(number), person(number)) for number in range(PEOPLE)]
    said = {"shop": ("es", 3), "crm": ("ca", 2), "pos": (None, 1)}
    for source, (language, day) in said.items():
        items = [Incoming(key, data | {"language": language}, source_updated_at=at(day)) for key, data in everyone]
        made.put_many(source, items)
    made.drain()
    assert len(partition()) == PEOPLE
    return made


def run(*arguments: str, fault: Path | None = None) -> int:
    environment = settings().child_environment() | ({"MDM_FAULT_FOLDER": str(fault)} if fault else {})
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, check=False).returncode


def adopt(text: str = AFTER) -> uuid.UUID:
    with db.transaction() as session:
        versions.adopt(session, policy.store(session, policy.parse(text), "test"), by="test")
        return adoptions.under_way(session)[0].job_id


def watch(job_id: uuid.UUID) -> Job:
    with db.transaction() as session:
        adoptions.watch(session)
        return jobs.status(session, job_id)


def sweep() -> None:
    """What a sweeper does once the leases of a killed worker have run out."""
    query("UPDATE pending_record SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL")
    with db.transaction() as session:
        pending.sweep(session)


def outcome() -> tuple[object, ...]:
    keys = [(source, str(number)) for source in ("shop", "crm", "pos") for number in range(PEOPLE)]
    decided = "SELECT least(record_a, record_b), greatest(record_a, record_b), verdict, weight, version_set_id FROM decision"
    live = query(f"{decided} WHERE superseded_at IS NULL AND author = 'model' ORDER BY 1, 2")
    return partition(), contents(), {key: golden_of(*key) for key in keys}, questions(), live


def test_a_killed_worker_leaves_the_rest_to_another(mdm: Master, tmp_path: Path) -> None:
    before = outcome()
    undisturbed = adopt()
    mdm.drain(BATCH)
    assert (watch(undisturbed).state, watch(undisturbed).done_units) == ("finished", 3 * PEOPLE)
    expected = outcome()
    assert expected[0] != before[0]
    adopt(POLICY)
    mdm.drain(BATCH)
    assert outcome()[:2] == before[:2]

    job_id = adopt()
    left = [watch(job_id).checkpoint.get("left", 3 * PEOPLE)]
    for point, at_pass in (("worker.written", 2), ("worker.decided", 1), ("worker.writing", 2), ("worker.scored", 1)):
        (tmp_path / point).write_text(str(at_pass), encoding="ascii")
        assert run("-c", WORK, fault=tmp_path) == -9
        stands = watch(job_id)
        left.append(stands.checkpoint["left"])
        assert stands.state == "running"
        assert stands.done_units + left[-1] == 3 * PEOPLE
        assert query("SELECT count(*) FROM pending_record WHERE adoption = %s", job_id) == [(left[-1],)]
        sweep()
    assert 0 < left[-1] < left[0], "each was killed in the midst"
    assert run("-c", WORK) == 0
    stands = watch(job_id)
    assert (stands.state, stands.result) == ("finished", {"records": 3 * PEOPLE, "given_up": 0})
    assert outcome() == expected
    assert mdm.verify(deep=True).differences == ()


def test_a_killed_apply_has_changed_nothing_and_comes_about_when_run_again(mdm: Master, tmp_path: Path) -> None:
    document = tmp_path / "p.yaml"
    document.write_text(AFTER, encoding="utf-8")
    before = outcome(), query("SELECT version_set_id, is_current FROM version_set")
    (tmp_path / "policy.adopted").write_text("1", encoding="ascii")
    assert run(*APPLY, str(document), fault=tmp_path) == -9
    assert (outcome(), query("SELECT version_set_id, is_current FROM version_set")) == before
    assert query("SELECT count(*) FROM pending_record") == query("SELECT count(*) FROM job") == [(0,)]
    assert run(*APPLY, str(document)) == 0
    assert query("SELECT count(adoption) FROM pending_record") == [(3 * PEOPLE,)]
    assert run(*APPLY, str(document)) == 0, "the same again asks for nothing anew"
    assert query("SELECT count(*) FROM job") == [(1,)]
    mdm.drain()
    assert mdm.verify().differences == ()


def test_a_record_that_is_asked_for_again_is_still_the_adoptions(mdm: Master) -> None:
    job_id = adopt()
    first = query("SELECT record_id FROM crosswalk WHERE source = 'shop' AND source_key = '0'")[0][0]
    with db.transaction() as session:
        assert adoptions.owed(session, job_id) == (3 * PEOPLE, 0)
        pending.request(session, [first], "new_version", pending.INTERACTIVE_PRIORITY)
        assert adoptions.owed(session, job_id) == (3 * PEOPLE, 0)


def test_another_adoption_takes_the_rest_over_and_the_one_before_is_cancelled(mdm: Master) -> None:
    first = adopt()
    second = adopt(POLICY)
    assert watch(first).state == "cancelled"
    assert watch(second).total_units == 3 * PEOPLE
    mdm.drain()
    assert watch(second).state == "finished"
    assert query("SELECT count(*) FROM pending_record") == [(0,)]


def test_an_adoption_is_not_cancelled_by_itself(mdm: Master) -> None:
    job_id = adopt()
    with db.transaction() as session, pytest.raises(Conflict) as refused:
        retrying.cancel(session, job_id)
    assert refused.value.code == "adoption_goes_on"


def test_what_was_given_up_is_told_apart(mdm: Master) -> None:
    job_id = adopt()
    first = query("SELECT record_id FROM pending_record ORDER BY 1 LIMIT 1")[0][0]
    query("UPDATE pending_record SET quarantined_at = now() WHERE record_id = %s", first)
    mdm.drain()
    stands = watch(job_id)
    assert (stands.state, stands.done_units, stands.failed_units) == ("finished", 3 * PEOPLE - 1, 1)
