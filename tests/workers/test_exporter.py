"""A worker that is killed while it makes a file publishes nothing; the next one begins again and leaves one whole file."""

import subprocess
import sys

from kernel import actor, db
from mdm import export_registry, exports
from mdm.exports import Wish
from workers import exporter
from workers.jobs import run_chunk

from .. import resolution as master
from ..resolution import MARIA, query

# Writes a portion of one row, and then waits to be killed.
SLOW = """
import sys, time
from mdm import export_rows, exports
from workers.jobs import run_chunk
export_rows.PORTION_ROWS = 1
exports.Beat.__call__ = lambda self: print("written", flush=True) or time.sleep(60)
run_chunk(sys.argv[1])
"""


def test_a_killed_worker_publishes_nothing_and_the_next_begins_again(database: str) -> None:
    mdm = master.start()
    for key in ("1", "2", "3"):
        mdm.put("shop", key, MARIA)
    for left in export_registry.folder().iterdir():
        left.unlink()
    with db.transaction() as session:
        wish = Wish("crosswalk", "csv")
        export_id = exports.begin(session, mdm.policy, wish, actor.local("test"))
    ((chunk,),) = query("SELECT chunk_id::text FROM job_chunk")
    with subprocess.Popen([sys.executable, "-c", SLOW, chunk], stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        assert b"written" in worker.stdout.readline()
        worker.kill()
    (half,) = export_registry.folder().iterdir()
    assert (half.suffix, query("SELECT state FROM job")) == (".part", [("running",)])
    query("UPDATE job_chunk SET lease_until = now() - interval '1 second'")
    run_chunk(chunk)
    with db.read_only() as session:
        entry, job = export_registry.find(session, export_id)
    assert (job.state, entry.rows, query("SELECT lost_leases FROM job_chunk")) == ("finished", 3, [(1,)])
    assert [path.name for path in export_registry.folder().iterdir()] == [entry.file_name]


def test_the_worker_reads_in_the_scope_of_the_key_and_cannot_write(database: str) -> None:
    with exporter._snapshot(db.Scope(())) as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM crosswalk").scalar() == 0
        assert session.connection().exec_driver_sql("SHOW transaction_isolation").scalar() == "repeatable read"
        assert session.connection().exec_driver_sql("SHOW transaction_read_only").scalar() == "on"
