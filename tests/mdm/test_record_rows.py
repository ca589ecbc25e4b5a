"""Source records are stored by as few statements, and as few rows, as can be."""

import pytest

from kernel.db import transaction
from mdm import sql
from mdm.incoming import Incoming
from mdm.ingest import put_records

from .. import resolution as master
from ..resolution import MARIA, WHO, Master


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def test_a_new_record_is_written_once(mdm: Master) -> None:
    """Inserted as it stands: an update after it would leave a dead row behind for each record of a load."""
    statement = "SELECT n_tup_ins, n_tup_upd FROM pg_stat_xact_user_tables WHERE relname = 'source_record'"
    items = [Incoming("a", MARIA), Incoming("b", MARIA), Incoming("b", MARIA | {"surname": "Law"})]
    with transaction() as session:
        (before,) = sql.rows(session, statement)
        put_records(session, mdm.policy, "pos", items, WHO)
        (after,) = sql.rows(session, statement)
    assert (after[0] - before[0], after[1] - before[1]) == (2, 0)
    assert mdm.put("pos", "a", MARIA | {"surname": "Law"}).status == "changed"
